/*
 * What a sweep proves.
 *
 * (1) Rounding is monotone. So where MPFR gives one code at both ends of a range of float32
 * numbers, that code is right for all of them. The ranges are computed from the middles of
 * neighbouring numbers; each end is then asked of MPFR.
 *
 * (2) A range is cut where its exponent changes and at its number q, and into pieces. In a piece
 * the inputs are m 2^k for consecutive integers m, q is one constant and q - x has one sign. So
 * every figure has a closed form: the counts, the sums of x, x^2, e, |e| and e^2 (from the sums of
 * m and m^2), the extremes, which lie at the end far from q, and the histogram, whose bin is
 * monotone in m. The kernel measures the piece; its whole tally must be that. Nothing here is
 * computed the way a kernel does.
 *
 * (3) A whole piece that is right means that each of its inputs is. Whatever the kernel takes for q
 * is a number of the format, and none is nearer to x than the right one. So no |e| can be smaller
 * than it must be, and with the sum of e^2 as it must be none is larger: each |e| is right, and q
 * with it unless x is the middle of two numbers. A piece has at most one middle, at its far end,
 * and the sum of e tells its sign. The class is constant over a piece and its count is all of it.
 */
#include "exact/sweep.h"

#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "exact/reference.h"
#include "kernel/element.h"

static const uint32_t infinity_bits = UINT32_C(0x7f800000), sign_bit = UINT32_C(0x80000000);

struct sweep *sweep_new(const struct kernel *kernel, bool elements, uint32_t overflow_stride,
                        const struct format *format)
{
    struct sweep *sweep = allocate(1, sizeof *sweep);
    struct cast cast = {.format = *format};
    struct dtype f32;
    struct error error;
    dtype_find("f32", 3, &f32, &error);
    sweep->kernel = kernel;
    sweep->elements = elements;
    sweep->overflow_stride = overflow_stride;
    sweep->plan = plan_cast(&cast);
    sweep->holds_every_float =
        format->precision >= 24 && format->emin <= -126 && format->emax >= 127;
    sweep->decoder = decoder_open(kernel, &f32, false);
    sweep->tally = tally_new(1, NULL);
    return sweep;
}

void sweep_free(struct sweep *sweep)
{
    decoder_close(&sweep->decoder);
    free(sweep->tally);
    free(sweep);
}

double sweep_value(const struct format *format, uint64_t code)
{
    if (code <= format_code_max(format, false))
        return format_decode(format, code);
    return format_max(format) + ldexp(1, format->emax - format->precision + 1);
}

double sweep_middle(const struct format *format, uint64_t code)
{
    double value = sweep_value(format, code);
    int exponent = value == 0 ? format->emin : ilogb(value);
    if (exponent < format->emin)
        exponent = format->emin;
    return value + ldexp(1, exponent - format->precision);
}

/* What all inputs of a piece have in common. */
struct target {
    uint64_t code; /* without a sign; one more than the largest number's where x overflows */
    enum class class;
    bool finite; /* q is a number */
    double q;    /* its magnitude */
};

static struct target target_of(const struct sweep *sweep, uint64_t code)
{
    const struct format *format = &sweep->plan.cast.format;
    struct target target = {code, CLASS_NORMAL, true, sweep_value(format, code)};
    if (code > format_code_max(format, false)) {
        target.class = CLASS_OVERFLOW;
        target.finite = format->specials == SPECIALS_FINITE;
        target.q = format_max(format);
    } else if (code == 0) {
        target.class = CLASS_UNDERFLOW;
    } else if (target.q < format_min_normal(format)) {
        target.class = CLASS_SUBNORMAL;
    }
    return target;
}

/* The magnitude bits of the last float32 that rounds to the code: below the middle to the next
 * number or, with an even code, that middle itself. */
static uint32_t last_of_code(const struct sweep *sweep, uint64_t code)
{
    const struct format *format = &sweep->plan.cast.format;
    if (code > format_code_max(format, false))
        return infinity_bits - 1;
    double middle = sweep_middle(format, code);
    if (middle >= 0x1p128)
        return infinity_bits - 1;
    float nearest = (float)middle;
    uint32_t bits = float_bits(nearest);
    bool beyond = (double)nearest > middle || ((double)nearest == middle && code % 2);
    return beyond ? bits - 1 : bits;
}

/* The code that a magnitude rounds to: the least whose last float32 is no less. */
static uint64_t code_of_bits(const struct sweep *sweep, uint32_t bits)
{
    uint64_t low = 0, high = format_code_max(&sweep->plan.cast.format, false) + 1;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (last_of_code(sweep, middle) < bits)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* A piece: inputs x[i] = +-(m + i) 2^k in one binade, i < n. */
struct piece {
    uint32_t bits; /* of x[0], with the sign */
    size_t n;
    bool negative;
    uint64_t m;
    int k;
    double first, last; /* magnitudes */
    struct target target;
};

static bool wrong(struct sweep *sweep, const struct piece *piece, const char *what)
{
    snprintf(sweep->failure, sizeof sweep->failure,
             "%s, %s: %s of the %zu inputs from 0x%08x (%a) on, code 0x%llx", sweep->kernel->name,
             sweep->plan.cast.format.name, what, piece->n, piece->bits,
             float_from_bits(piece->bits), (unsigned long long)piece->target.code);
    return false;
}

/* The exact x - q for x > q as high + low. */
static double distance(double x, double q, double *low)
{
    double high = x - q;
    *low = (x - high) - q; /* Dekker's fast two-sum */
    return high;
}

/* |q - x| / x, rounded once. */
static double ratio(double x, double q)
{
    if (q >= x)
        return (q - x) / x; /* in [x, 2 x], or 0 after flushing: exact */
    double low, high = distance(x, q, &low);
    if (low == 0)
        return high / x;
    mpfr_t e, result;
    mpfr_init2(e, 400);
    mpfr_init2(result, 53);
    mpfr_set_d(e, high, MPFR_RNDN);
    mpfr_add_d(e, e, low, MPFR_RNDN);
    mpfr_div_d(result, e, x, MPFR_RNDN);
    double value = mpfr_get_d(result, MPFR_RNDN);
    mpfr_clears(e, result, (mpfr_ptr)0);
    return value;
}

/* floor(log2(|q - x| / x)); they differ. */
static int bin(double x, double q)
{
    double low = 0, high = q >= x ? q - x : distance(x, q, &low);
    if (low != 0)
        return -1; /* x is so far above q that their ratio is next to 0 */
    int x_exponent, e_exponent;
    double x_part = frexp(x, &x_exponent), e_part = frexp(high, &e_exponent);
    return e_exponent - x_exponent - (e_part < x_part);
}

static double input(const struct piece *piece, size_t i)
{
    return ldexp((double)(piece->m + i), piece->k);
}

/* Takes the bins of inputs from .. to, inclusive, out of the histogram. */
static void take_bins(const struct piece *piece, size_t from, size_t to, uint64_t *relative)
{
    double q = piece->target.q;
    int first = bin(input(piece, from), q);
    if (first == bin(input(piece, to), q)) {
        relative[first - RELATIVE_FIRST] -= to - from + 1;
        return;
    }
    size_t middle = from + (to - from) / 2;
    take_bins(piece, from, middle, relative);
    take_bins(piece, middle + 1, to, relative);
}

/* Sums of integers from m to m + n - 1 and of their squares; n <= 2^13 and m < 2^24, so below 2^62.
 */
struct moments {
    int64_t n, m, m2;
};

static struct moments moments(const struct piece *piece)
{
    unsigned __int128 n = piece->n, a = piece->m, b = a + n - 1;
    unsigned __int128 up_to_b = b * (b + 1) * (2 * b + 1) / 6,
                      below_a = a ? (a - 1) * a * (2 * a - 1) / 6 : 0;
    return (struct moments){(int64_t)n, (int64_t)(n * (a + b) / 2), (int64_t)(up_to_b - below_a)};
}

/* Whether the sum, minus terms that must be it, is zero; it is zero afterwards. */
static bool is_used_up(struct exact_sum *sum)
{
    int64_t over = 0;
    bool zero = true;
    for (int i = 0; i < SUM_DIGITS; i++) {
        int64_t digit = sum->digit[i] + over;
        zero &= (digit & 0xffffffff) == 0;
        over = digit >> 32;
    }
    memset(sum, 0, sizeof *sum);
    return zero && over == 0;
}

static bool is_count(uint64_t *count, uint64_t wanted)
{
    bool right = *count == wanted;
    *count = 0;
    return right;
}

static bool all_zero(const uint64_t *counts, size_t n)
{
    uint64_t any = 0;
    for (size_t i = 0; i < n; i++)
        any |= counts[i];
    return any == 0;
}

static bool check_input(struct sweep *sweep, const struct piece *piece)
{
    struct input_measure *got = &sweep->tally->input;
    struct moments sums = moments(piece);
    int64_t sign = piece->negative ? -1 : 1;
    exact_sum_add_integer(&got->x, -sign * sums.m, piece->k);
    exact_sum_add_integer(&got->x2, -sums.m2, 2 * piece->k);
    got->exponents[ilogb(piece->first) - EXPONENT_FIRST] -= piece->n;
    bool right = got->nan == 0 && got->inf == 0 && got->zero == 0 && got->min_abs == piece->first &&
                 got->max_abs == piece->last && all_zero(got->exponents, EXPONENT_BINS);
    right &= is_used_up(&got->x);
    right &= is_used_up(&got->x2);
    got->min_abs = got->max_abs = 0;
    return right || wrong(sweep, piece, "input figures");
}

/* q as n 2^exponent with a small n. */
static int64_t parts_of(double q, int *exponent)
{
    if (q == 0) {
        *exponent = 0;
        return 0;
    }
    double fraction = frexp(q, exponent);
    *exponent -= 24;
    return (int64_t)ldexp(fraction, 24); /* exact: q has 24 bits or fewer */
}

static bool check_sums(struct sweep *sweep, const struct piece *piece)
{
    struct cast_measure *got = sweep->tally->casts;
    struct moments sums = moments(piece);
    int exponent, k = piece->k;
    int64_t q = parts_of(piece->target.q, &exponent), sign = piece->negative ? -1 : 1;
    int64_t side = piece->last > piece->target.q ? -1 : 1; /* of q - |x| */
    exact_sum_add_integer(&got->e, -sign * sums.n * q, exponent);
    exact_sum_add_integer(&got->e, sign * sums.m, k);
    exact_sum_add_integer(&got->abs_e, -side * sums.n * q, exponent);
    exact_sum_add_integer(&got->abs_e, side * sums.m, k);
    /* (q - x)^2 */
    exact_sum_add_integer(&got->e2, -sums.n * q * q, 2 * exponent);
    exact_sum_add_integer(&got->e2, sums.m * q, k + exponent + 1);
    exact_sum_add_integer(&got->e2, -sums.m2, 2 * k);
    exact_sum_add_integer(&got->x2, -sums.m2, 2 * k);
    bool right = is_used_up(&got->e);
    right &= is_used_up(&got->abs_e);
    right &= is_used_up(&got->e2);
    right &= is_used_up(&got->x2);
    return right || wrong(sweep, piece, "sums");
}

static bool is_extreme(struct extreme *got, const struct piece *piece, double high, double low,
                       size_t i)
{
    double x = piece->negative ? -input(piece, i) : input(piece, i);
    bool right = got->high == high && got->low == low;
    if (high != 0)
        right &= got->position == i && got->input == x;
    *got = (struct extreme){0};
    return right;
}

/* Of inputs above q the last is the farthest; others may share its rounded ratio. */
static size_t first_with_ratio(const struct piece *piece, double wanted)
{
    size_t low = 0, high = piece->n - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ratio(input(piece, middle), piece->target.q) < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool check_extremes(struct sweep *sweep, const struct piece *piece)
{
    struct cast_measure *got = sweep->tally->casts;
    double q = piece->target.q, high, low = 0, largest;
    size_t farthest = 0, first = 0;
    if (piece->last > q) {
        farthest = piece->n - 1;
        high = distance(piece->last, q, &low);
        largest = ratio(piece->last, q);
        first = first_with_ratio(piece, largest);
    } else {
        high = q - piece->first;
        largest = ratio(piece->first, q);
    }
    bool right = is_extreme(&got->max_abs, piece, high, low, farthest);
    right &= is_extreme(&got->max_rel, piece, largest, 0, first);
    return right || wrong(sweep, piece, "extremes");
}

static bool check_counts(struct sweep *sweep, const struct piece *piece, uint64_t exact)
{
    struct cast_measure *got = sweep->tally->casts;
    enum class class = piece->target.class;
    bool right = is_count(&got->classes[class], piece->n);
    right &= is_count(&got->count, piece->target.finite ? piece->n : 0);
    right &= is_count(&got->exact, exact);
    right &= is_count(&got->relative_exact, class == CLASS_ZERO ? 0 : exact);
    right &= all_zero(got->classes, CLASS_COUNT);
    return right || wrong(sweep, piece, "counts");
}

/* After all that there must be was taken out. */
static bool is_empty(struct sweep *sweep, const struct piece *piece)
{
    struct cast_measure *got = sweep->tally->casts;
    bool empty = all_zero(got->relative, RELATIVE_BINS);
    empty &= got->max_abs.high == 0 && got->max_rel.high == 0;
    empty &= is_used_up(&got->e);
    empty &= is_used_up(&got->abs_e);
    empty &= is_used_up(&got->e2);
    empty &= is_used_up(&got->x2);
    return empty || wrong(sweep, piece, "errors where there are none");
}

static bool check_histogram(struct sweep *sweep, const struct piece *piece, uint64_t exact)
{
    struct cast_measure *got = sweep->tally->casts;
    /* An input that is q itself is the last one. */
    if (piece->target.finite && piece->n > exact)
        take_bins(piece, 0, piece->n - 1 - exact, got->relative);
    return all_zero(got->relative, RELATIVE_BINS) || wrong(sweep, piece, "relative errors");
}

static bool check_cast(struct sweep *sweep, const struct piece *piece)
{
    uint64_t exact = piece->target.finite && piece->last == piece->target.q;
    if (!check_counts(sweep, piece, exact) || !check_histogram(sweep, piece, exact))
        return false;
    if (piece->target.finite)
        return check_sums(sweep, piece) && check_extremes(sweep, piece);
    return is_empty(sweep, piece);
}

/* Every input is its own q. */
static bool check_identity(struct sweep *sweep, const struct piece *piece)
{
    if (!check_counts(sweep, piece, piece->n))
        return false;
    exact_sum_add_integer(&sweep->tally->casts->x2, -moments(piece).m2, 2 * piece->k);
    return is_empty(sweep, piece);
}

/* The cast of each element: always the same outcome, or the element itself. */
static bool check_elements(struct sweep *sweep, const struct piece *piece)
{
    const struct cast *cast = &sweep->plan.cast;
    uint64_t wanted = 0;
    for (size_t i = 0; i < piece->n; i++) {
        struct outcome outcome = cast_element(cast, (double)sweep->x[i], 0);
        uint64_t code = outcome_code(cast, &outcome);
        if (sweep->holds_every_float)
            wanted = piece->bits + i;
        else if (i == 0)
            wanted = reference_cast(cast, (double)sweep->x[0], 0).code;
        if (code != wanted || outcome.class != piece->target.class)
            return wrong(sweep, piece, "cast_element");
    }
    return true;
}

static void measure(struct sweep *sweep, uint32_t bits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sweep->x[i] = float_from_bits(bits + (uint32_t)i);
    kernel_measure(sweep->kernel, &sweep->decoder, sweep->x, n, 0, &sweep->tally->input,
                   &sweep->plan, sweep->tally->casts, 1);
    sweep->inputs += n;
}

static bool sweep_piece(struct sweep *sweep, struct piece *piece)
{
    uint32_t magnitude = piece->bits & ~sign_bit, field = magnitude >> 23;
    piece->negative = piece->bits & sign_bit;
    piece->m = (magnitude & 0x7fffff) | (uint32_t)(field != 0) << 23;
    piece->k = (field ? (int)field : 1) - 150;
    piece->first = input(piece, 0);
    piece->last = input(piece, piece->n - 1);
    measure(sweep, piece->bits, piece->n);
    return check_input(sweep, piece) &&
           (sweep->holds_every_float ? check_identity(sweep, piece) : check_cast(sweep, piece)) &&
           (!sweep->elements || check_elements(sweep, piece));
}

/* The last bits of the same binade. */
static uint32_t end_of_binade(uint32_t magnitude)
{
    if (magnitude >> 23)
        return magnitude | 0x7fffff;
    return UINT32_MAX >> __builtin_clz(magnitude);
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Pieces of whole binades begin at multiples of their size. */
static bool is_left_out(const struct sweep *sweep, struct target target, uint32_t first)
{
    uint32_t near = float_bits((float)target.q) + (UINT32_C(2) << 23);
    bool far_overflow = target.class == CLASS_OVERFLOW && target.finite && first > near;
    return far_overflow && (first / PIECE + (first >> 23)) % sweep->overflow_stride != 0;
}

/* first .. last, magnitudes of one code and sign: cut into pieces. */
static bool sweep_code(struct sweep *sweep, struct target target, uint32_t first, uint32_t last,
                       uint32_t sign)
{
    uint32_t q = float_bits((float)target.q);
    while (first <= last) {
        uint32_t end = least(least(last, end_of_binade(first)), first + PIECE - 1);
        if (first <= q && end > q && !sweep->holds_every_float)
            end = q;
        struct piece piece = {.bits = first | sign, .n = end - first + 1, .target = target};
        if (sweep->holds_every_float)
            piece.target.class = first >> 23 ? CLASS_NORMAL : CLASS_SUBNORMAL;
        if (is_left_out(sweep, target, first))
            sweep->left_out += piece.n;
        else if (!sweep_piece(sweep, &piece))
            return false;
        first = end + 1;
    }
    return true;
}

/* The end of a code's interval: MPFR says so. */
static bool end_is_right(struct sweep *sweep, struct target target, uint32_t bits)
{
    const struct cast *cast = &sweep->plan.cast;
    double x = float_from_bits(bits);
    struct reference_outcome outcome = reference_cast(cast, x, 0);
    bool right = outcome.class == target.class && outcome.finite == target.finite &&
                 (!target.finite || fabs(outcome.value) == target.q);
    if (right && target.class != CLASS_OVERFLOW) {
        uint64_t sign = UINT64_C(1) << (cast->format.exponent_bits + cast->format.precision - 1);
        bool signless = cast->format.specials == SPECIALS_FNUZ && target.code == 0;
        right = outcome.code >> cast->format.code_shift ==
                (target.code | (bits & sign_bit && !signless ? sign : 0));
    }
    struct piece piece = {.bits = bits, .n = 1, .target = target};
    return right || wrong(sweep, &piece, "the reference");
}

/* Finite magnitudes other than zero. */
static bool sweep_finite(struct sweep *sweep, uint32_t first, uint32_t last, uint32_t sign)
{
    if (sweep->holds_every_float)
        return sweep_code(sweep, (struct target){.finite = true}, first, last, sign);
    for (uint64_t code = code_of_bits(sweep, first); first <= last; code++) {
        struct target target = target_of(sweep, code);
        uint32_t end = least(last, last_of_code(sweep, code));
        if (end < first)
            continue;
        if (!end_is_right(sweep, target, first | sign) ||
            !end_is_right(sweep, target, end | sign) ||
            !sweep_code(sweep, target, first, end, sign))
            return false;
        first = end + 1;
    }
    return true;
}

/* Zero, infinity or NaN: counted, and nothing else. */
static bool sweep_specials(struct sweep *sweep, uint32_t first, uint32_t last, enum class class)
{
    struct input_measure *got = &sweep->tally->input;
    bool zero = class == CLASS_ZERO;
    uint64_t *counted = class == CLASS_NAN ? &got->nan : zero ? &got->zero : &got->inf;
    for (uint32_t left = last - first + 1, n; left; left -= n, first += n) {
        n = least(left, PIECE);
        struct piece piece = {.bits = first, .n = n, .target = {.class = class, .finite = zero}};
        measure(sweep, first, n);
        if (!is_count(counted, n) || got->min_abs != 0 || got->max_abs != 0)
            return wrong(sweep, &piece, "input figures");
        if (!check_counts(sweep, &piece, zero ? n : 0) || !is_empty(sweep, &piece))
            return false;
        bool own_payload = class == CLASS_NAN && sweep->holds_every_float;
        if (sweep->elements && !own_payload && !check_elements(sweep, &piece))
            return false;
    }
    return true;
}

bool sweep_range(struct sweep *sweep, uint32_t first, uint32_t last)
{
    uint32_t sign = first & sign_bit;
    first &= ~sign_bit;
    last &= ~sign_bit;
    if (first == 0) {
        if (!sweep_specials(sweep, sign, sign, CLASS_ZERO))
            return false;
        first = 1;
    }
    if (first < infinity_bits && first <= last) {
        if (!sweep_finite(sweep, first, least(last, infinity_bits - 1), sign))
            return false;
        first = infinity_bits;
    }
    if (first == infinity_bits && last >= first) {
        if (!sweep_specials(sweep, first | sign, first | sign, CLASS_INF))
            return false;
        first++;
    }
    return first > last || first <= infinity_bits ||
           sweep_specials(sweep, first | sign, last | sign, CLASS_NAN);
}
