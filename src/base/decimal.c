#include "base/decimal.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* Most of what a report holds are small counts. */
size_t decimal_digits(char digits[DECIMAL_DIGITS], uint64_t number)
{
    char reversed[DECIMAL_DIGITS];
    size_t length = 0;
    if (number < 10) {
        digits[0] = (char)('0' + number);
        return 1;
    }
    do
        reversed[length++] = (char)('0' + number % 10);
    while (number /= 10);
    for (size_t i = 0; i < length; i++)
        digits[i] = reversed[length - 1 - i];
    return length;
}

/* significand * 10^exponent, and how many digits the significand has. */
struct decimal {
    uint64_t significand;
    int digits, exponent;
};

enum { DIGITS_MOST = DBL_DECIMAL_DIG, DIGITS_SURE = DBL_DIG, PRINTED_ROOM = 64 };

/* The nearest to a positive value, of so many digits. */
static struct decimal decimal_of(double value, int digits)
{
    char printed[PRINTED_ROOM];
    snprintf(printed, sizeof printed, "%.*e", digits - 1, value);
    struct decimal decimal = {.digits = digits};
    const char *at = printed;
    for (; *at != 'e'; at++) /* but for the decimal point of whatever locale */
        if (*at >= '0' && *at <= '9')
            decimal.significand = 10 * decimal.significand + (uint64_t)(*at - '0');
    decimal.exponent = (int)strtol(at + 1, NULL, 10) - (digits - 1);
    return decimal;
}

static bool reads_back(const struct decimal *decimal, double value)
{
    char text[PRINTED_ROOM]; /* without a decimal point, so that no locale matters */
    size_t length = decimal_digits(text, decimal->significand);
    snprintf(text + length, sizeof text - length, "e%d", decimal->exponent);
    return strtod(text, NULL) == value;
}

/* How many decimals of a length there are to try, from the nearest one up. Below a power of two the
 * values lie twice as close as above it: there the nearest may be too far below, and the next not
 * too far above. */
static int candidates(double value)
{
    const uint64_t fraction = (UINT64_C(1) << (DBL_MANT_DIG - 1)) - 1;
    return (double_bits(value) & fraction) == 0 ? 2 : 1;
}

/* Only subnormal numbers need fewer digits than DIGITS_SURE to be tried. */
static struct decimal shortest_by_printf(double value)
{
    for (int digits = value < DBL_MIN ? 1 : DIGITS_SURE; digits < DIGITS_MOST; digits++) {
        struct decimal decimal = decimal_of(value, digits);
        for (int i = candidates(value); i > 0; i--, decimal.significand++)
            if (reads_back(&decimal, value))
                return decimal;
    }
    return decimal_of(value, DIGITS_MOST);
}

/* The value m 2^e in units of its last of DIGITS_MOST digits is m 5^k 2^(e + k) = scaled / 2^shift:
 * for values that are neither large nor small, exact in 128 bits. From 10^-15 on up to 10^15, k is
 * 2 .. 31, and 5^k less than 2^72. scaled is at least 2^52 5^2 > 2^56.6 and stands for less than
 * 10^17 < 2^56.5 units, so that shift is positive. */
struct units {
    unsigned __int128 scaled, gap; /* gap: 5^k, the distance to the next larger value */
    int shift, k;
    bool least_significand; /* the distance to the next smaller one is half of that */
    uint64_t nearest;       /* whole number of units, to nearest even */
    int beyond;             /* the sign of scaled / 2^shift - nearest */
};

enum { POWER_LEAST = -15 };

static bool is_middling(double value)
{
    return value >= 1e-15 && value < 1e15;
}

static unsigned __int128 power_of_five(int k)
{
    static const uint64_t powers[] = {
        1,      5,       25,      125,      625,       3125,       15625,      78125,
        390625, 1953125, 9765625, 48828125, 244140625, 1220703125, 6103515625, 30517578125};
    const uint64_t sixteenth = UINT64_C(152587890625);
    return (unsigned __int128)powers[k % 16] * (k < 16 ? 1 : sixteenth);
}

static void round_units(struct units *units)
{
    unsigned __int128 half = (unsigned __int128)1 << (units->shift - 1);
    uint64_t whole = (uint64_t)(units->scaled >> units->shift);
    unsigned __int128 rest = units->scaled - ((unsigned __int128)whole << units->shift);
    bool up = rest > half || (rest == half && whole % 2);
    units->nearest = whole + up;
    units->beyond = up ? -1 : rest != 0;
}

static struct units units_of(double value, int k)
{
    const uint64_t hidden = UINT64_C(1) << (DBL_MANT_DIG - 1), bits = double_bits(value);
    int exponent = (int)(bits >> (DBL_MANT_DIG - 1)) - (DBL_MAX_EXP - 1); /* of the hidden bit */
    struct units units = {.scaled = (bits & (hidden - 1)) | hidden, .gap = power_of_five(k)};
    units.least_significand = units.scaled == hidden;
    units.scaled *= units.gap;
    units.shift = DBL_MANT_DIG - 1 - exponent - k;
    units.k = k;
    round_units(&units);
    return units;
}

/* k is 16 - floor(log10 value): 1233 / 4096 is log10(2) closely enough to find that, or one less,
 * from the exponent. Powers of ten are not exact either, and the nearest may be the next one: what
 * it comes to tells. */
static struct units find_units(double value)
{
    static const double powers[] = {1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8,
                                    1e-7,  1e-6,  1e-5,  1e-4,  1e-3,  1e-2,  1e-1, 1e0,
                                    1e1,   1e2,   1e3,   1e4,   1e5,   1e6,   1e7,  1e8,
                                    1e9,   1e10,  1e11,  1e12,  1e13,  1e14,  1e15};
    const uint64_t most = UINT64_C(100000000000000000);
    int exponent = (int)(double_bits(value) >> (DBL_MANT_DIG - 1)) - (DBL_MAX_EXP - 1);
    int power = (exponent * 1233 + (1 << 20)) / 4096 - (1 << 20) / 4096;
    power += value >= powers[power + 1 - POWER_LEAST];
    struct units units = units_of(value, DIGITS_MOST - 1 - power);
    if (units.nearest >= most || units.nearest < most / 10)
        units = units_of(value, units.k + (units.nearest >= most ? -1 : 1));
    return units;
}

/* The nearest with fewer digits, ties to even: where the nearest of all digits lies halfway, what
 * is beyond it decides. */
static struct decimal rounded(const struct units *units, int digits)
{
    uint64_t unit = digits == DIGITS_MOST - 1 ? 10 : 100;
    uint64_t whole = units->nearest / unit, rest = units->nearest % unit;
    bool up = rest > unit / 2 ||
              (rest == unit / 2 && (units->beyond > 0 || (units->beyond == 0 && whole % 2)));
    return (struct decimal){whole + up, digits, DIGITS_MOST - digits - units->k};
}

/* Whether the nearest binary64 of the decimal is the value. There is no tie: 5^k is odd. */
static bool is_nearest(const struct units *units, const struct decimal *decimal)
{
    unsigned __int128 at = decimal->significand;
    at *= decimal->digits == DIGITS_MOST - 1 ? 10 : 100;
    at <<= units->shift;
    bool below = at < units->scaled;
    unsigned __int128 distance = below ? units->scaled - at : at - units->scaled;
    return distance * (below && units->least_significand ? 4 : 2) < units->gap;
}

/* The nearest of the fewest digits that read back. A normal number that has a decimal of up to
 * DIGITS_SURE digits gets it from so many, whose trailing zeros are dropped. */
static struct decimal shortest(double value)
{
    if (!is_middling(value))
        return shortest_by_printf(value);
    struct units units = find_units(value);
    for (int digits = DIGITS_SURE; digits < DIGITS_MOST; digits++) {
        struct decimal shorter = rounded(&units, digits);
        for (int i = candidates(value); i > 0; i--, shorter.significand++)
            if (is_nearest(&units, &shorter))
                return shorter;
    }
    return (struct decimal){units.nearest, DIGITS_MOST, -units.k};
}

/* As %g has it, without trailing zeros. */
static void put_decimal(struct buffer *out, const struct decimal *decimal)
{
    char digits[DECIMAL_DIGITS], text[PRINTED_ROOM], *to = text;
    int length = (int)decimal_digits(digits, decimal->significand);
    int exponent = decimal->exponent + length - 1; /* of the first digit */
    bool fixed = exponent >= -4 && exponent < decimal->digits;
    int whole = !fixed ? 1 : exponent < 0 ? 0 : exponent + 1; /* digits before the point */
    while (length > 1 && digits[length - 1] == '0')
        length--;
    if (!whole)
        *to++ = '0';
    for (int i = 0; i < whole; i++)
        *to++ = i < length ? digits[i] : '0';
    if (length > whole)
        *to++ = '.';
    for (int i = exponent; fixed && i < -1; i++)
        *to++ = '0';
    for (int i = whole; i < length; i++)
        *to++ = digits[i];
    if (!fixed) {
        *to++ = 'e';
        if (exponent < 0)
            *to++ = '-';
        to += decimal_digits(to, (uint64_t)abs(exponent));
    }
    buffer_add(out, text, (size_t)(to - text));
}

void decimal_put(struct buffer *out, double value)
{
    double magnitude = fabs(value);
    if (value < 0)
        buffer_add(out, "-", 1);
    if (!isfinite(value)) {
        buffer_puts(out, isnan(value) ? "nan" : "inf");
        return;
    }
    if (magnitude < 1e15 && trunc(magnitude) == magnitude) {
        char digits[DECIMAL_DIGITS];
        buffer_add(out, digits, decimal_digits(digits, (uint64_t)magnitude));
        return;
    }
    struct decimal decimal = shortest(magnitude);
    put_decimal(out, &decimal);
}
