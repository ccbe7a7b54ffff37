#include "kernel/element.h"

#include <math.h>

#include "base/bytes.h"

/* Whether an infinite random bit string, read as a binary fraction, is below `rest` / 2^width,
 * 0 < rest < 2^width. Bits are drawn 128 at a time until the comparison is decided. */
static bool random_below(const struct random_draw *draw, uint128 rest, int width)
{
    for (uint32_t block = 0;; block++) {
        uint64_t words[2];
        random_bits(draw, block, words);
        for (int i = 0; i < 2; i++) {
            /* The next 64 bits of the fraction. */
            uint64_t fraction;
            if (width >= 192)
                fraction = 0;
            else if (width > 64)
                fraction = (uint64_t)(rest >> (width - 64));
            else
                fraction = (uint64_t)rest << (64 - width);
            if (words[i] != fraction)
                return words[i] < fraction;
            if (width <= 64)
                return false; /* the fraction has ended; whatever follows is not below it */
            width -= 64;
            if (width < 128)
                rest &= ((uint128)1 << width) - 1;
            if (rest == 0)
                return false;
        }
    }
}

bool rounds_up(const struct cast *cast, bool negative, bool odd, uint128 rest, int width,
               const struct random_draw *draw)
{
    switch (cast->rounding) {
    case ROUND_NEAREST_EVEN:
    case ROUND_NEAREST_AWAY: {
        if (width > 127)
            return false; /* below one half */
        uint128 half = (uint128)1 << (width - 1);
        return rest > half || (rest == half && (odd || cast->rounding == ROUND_NEAREST_AWAY));
    }
    case ROUND_TOWARD_ZERO:
        return false;
    case ROUND_UP:
        return !negative;
    case ROUND_DOWN:
        return negative;
    default:
        return random_below(draw, rest, width);
    }
}

/* Whether n * 2^exponent is above the largest finite value. */
static bool above_max(const struct cast *cast, uint64_t n, int exponent)
{
    int precision = cast->format.precision, length = bit_length(n);
    int top = exponent + length - 1;
    if (top != cast_emax(cast))
        return top > cast_emax(cast);
    if (length > precision)
        return (n >> (length - precision)) > cast->format.max_significand;
    return (n << (precision - length)) > cast->format.max_significand;
}

/* What an overflow, or an infinite x, delivers. */
static void deliver_overflow(const struct cast *cast, bool infinite, struct outcome *out)
{
    const struct format *format = &cast->format;
    bool toward_zero = cast->rounding == ROUND_TOWARD_ZERO ||
                       cast->rounding == (out->negative ? ROUND_UP : ROUND_DOWN);
    if (cast->saturate || format->specials == SPECIALS_FINITE || (!infinite && toward_zero)) {
        out->delivered = DELIVERED_FINITE;
        out->n = format->max_significand;
        out->exponent = cast_emax(cast) - format->precision + 1;
    } else {
        out->delivered = format_has_inf(format) ? DELIVERED_INF : DELIVERED_NAN;
    }
}

struct outcome cast_number(const struct cast *cast, struct number x, const struct random_draw *draw)
{
    struct outcome out = {.negative = x.negative};
    if (number_is_zero(x)) {
        out.class = CLASS_ZERO;
        return out;
    }

    int precision = cast->format.precision, emin = cast_emin(cast);
    int x_exponent = x.exponent + bit_length(x.n) - 1;
    /* The distance of neighbouring numbers of the format around x. */
    out.exponent = (x_exponent > emin ? x_exponent : emin) - precision + 1;

    int dropped = out.exponent - x.exponent;
    if (dropped <= 0) {
        out.n = (uint64_t)x.n << -dropped;
    } else {
        uint128 rest = x.n;
        if (dropped < 128) {
            out.n = (uint64_t)(rest >> dropped);
            rest &= ((uint128)1 << dropped) - 1;
        }
        if (rest)
            out.n += rounds_up(cast, out.negative, out.n & 1, rest, dropped, draw);
    }

    if (out.n == 0) {
        out.class = CLASS_UNDERFLOW;
    } else if (above_max(cast, out.n, out.exponent)) {
        out.class = CLASS_OVERFLOW;
        deliver_overflow(cast, false, &out);
    } else {
        bool subnormal = out.exponent + bit_length(out.n) - 1 < emin;
        out.class = subnormal ? CLASS_SUBNORMAL : CLASS_NORMAL;
    }
    return out;
}

struct outcome cast_element(const struct cast *cast, double x, uint64_t element)
{
    struct outcome out = {.negative = signbit(x) != 0};
    if (x != x) {
        out.class = CLASS_NAN;
        out.delivered = DELIVERED_NAN;
        return out;
    }
    if (isinf(x)) {
        out.class = CLASS_INF;
        deliver_overflow(cast, true, &out);
        return out;
    }
    struct random_draw draw = {.key = cast->key, .element = element, .use = RANDOM_USE_CAST};
    return cast_number(cast, number_from(x), &draw);
}

bool would_overflow(const struct cast *cast, double x)
{
    if (cast->rounding != ROUND_STOCHASTIC)
        return cast_element(cast, x, 0).class == CLASS_OVERFLOW;
    struct cast away = *cast;
    away.rounding = x < 0 ? ROUND_DOWN : ROUND_UP;
    return cast_element(&away, x, 0).class == CLASS_OVERFLOW;
}

uint64_t outcome_code(const struct cast *cast, const struct outcome *out)
{
    const struct format *format = &cast->format;
    uint64_t code;
    if (out->delivered == DELIVERED_NAN)
        code = format_code_nan(format, out->negative);
    else if (out->delivered == DELIVERED_INF)
        code = format_code_inf(format, out->negative);
    else
        code = format_code(format, out->negative, out->n, out->exponent + cast->scale);
    return code << format->code_shift;
}

double times_power_of_two(double value, int exponent)
{
    while (exponent > 1023) {
        value *= 0x1p1023;
        exponent -= 1023;
    }
    /* One multiplication by a normal power of two, then one that may be subnormal: the first is
     * exact, and so is the second since the result is a binary64 number. */
    if (exponent < -1022) {
        value *= 0x1p-960;
        exponent += 960;
    }
    return value * double_from_bits((uint64_t)(exponent + 1023) << 52);
}

/* TwoSum (Knuth; see Muller et al., Handbook of Floating-Point Arithmetic, 4.3.2) of a and -b. */
static struct difference two_difference(double a, double b)
{
    double high = a - b;
    double b_part = high - a;
    double low = (a - (high - b_part)) + (-b - b_part);
    return (struct difference){high, low};
}

struct difference outcome_error(const struct outcome *out, double x)
{
    double n = out->negative ? -(double)out->n : (double)out->n;
    if (out->n && out->exponent + bit_length(out->n) > 1023) {
        /* q may be 2^1024. The error is far below that: halve everything meanwhile. */
        struct difference e =
            two_difference(times_power_of_two(n, out->exponent - 64), x * 0x1p-64);
        return (struct difference){e.high * 0x1p64, e.low * 0x1p64};
    }
    return two_difference(out->n ? times_power_of_two(n, out->exponent) : 0, x);
}

/* The 53-bit significand and the exponent of |x|, x not zero. */
static uint64_t normalised(double x, int *exponent)
{
    struct number parts = number_from(x);
    uint64_t significand = (uint64_t)parts.n;
    int shift = 53 - bit_length(significand);
    *exponent = parts.exponent - shift + 52;
    return significand << shift;
}

int relative_exponent(struct difference e, double x)
{
    int e_exponent, x_exponent;
    uint64_t e_significand = normalised(e.high, &e_exponent);
    uint64_t x_significand = normalised(x, &x_exponent);
    /* `low` matters only where the leading parts agree. If it makes |e| smaller than a power of
     * two, the two significands compare the other way but the exponent is one less: the same bin.
     */
    bool smaller = e.low != 0 && (e.low < 0) != (e.high < 0);
    bool borrow = e_significand < x_significand || (e_significand == x_significand && smaller);
    return e_exponent - x_exponent - borrow;
}

/* The 128-bit integer `n`, plus something between 0 and 1 where sticky, times 2^exponent; n >=
 * 2^64. Never subnormal. */
static double round_wide(unsigned __int128 n, bool sticky, int exponent)
{
    int drop = 128 - 64;
    while (n >> 127 == 0) {
        n <<= 1;
        exponent--;
    }
    uint64_t top = (uint64_t)(n >> drop);
    sticky |= (uint64_t)n != 0;
    uint64_t kept = top >> 11, rest = top & 0x7ff;
    if (rest > 0x400 || (rest == 0x400 && (sticky || kept & 1)))
        kept++;
    return times_power_of_two((double)kept, exponent + drop + 11);
}

/* |q/x - 1| where the error is wider than a binary64: that of a tiny x rounded up, or of a large
 * one saturated. So q/x is above 2 or below 1/2, or nearly, and nothing cancels. */
static double relative_error_wide(const struct outcome *out, double x)
{
    int x_exponent;
    uint64_t m = normalised(x, &x_exponent); /* |x| = m * 2^(x_exponent - 52) */
    int shift = 25 - bit_length(out->n);
    uint64_t n = out->n << shift; /* q = n * 2^(exponent - shift), 2^24 <= n < 2^25 */
    int ratio_exponent = out->exponent - shift - (x_exponent - 52) - 100;

    /* q/x = (quotient + rest/m) * 2^ratio_exponent, 2^71 <= quotient < 2^73 */
    unsigned __int128 numerator = (unsigned __int128)n << 100;
    unsigned __int128 quotient = numerator / m;
    uint64_t rest = (uint64_t)(numerator % m);

    if (ratio_exponent > 0) {
        /* One is less than a unit here; it counts only as the direction of what is left. */
        bool below =
            rest == 0 || (ratio_exponent < 64 && (unsigned __int128)rest << ratio_exponent < m);
        bool equal =
            ratio_exponent < 64 && rest != 0 && (unsigned __int128)rest << ratio_exponent == m;
        return round_wide(quotient - below, !equal, ratio_exponent);
    }
    if (ratio_exponent < -127)
        return 1; /* q/x < 2^-54: a half ulp below one */
    unsigned __int128 one = (unsigned __int128)1 << -ratio_exponent;
    if (quotient >= one)
        return round_wide(quotient - one, rest != 0, ratio_exponent);
    return round_wide(one - quotient - (rest != 0), rest != 0, ratio_exponent);
}

double relative_error(const struct outcome *out, struct difference e, double x)
{
    if (e.low != 0)
        return relative_error_wide(out, x);
    return fabs(e.high) / fabs(x);
}
