#include "output/number.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { DIGITS_ROOM = 64 };

/* %.{digits}g without what varies: whatever the locale puts for the decimal point becomes a point,
 * and the exponent loses its plus sign and leading zeros. */
static void tidy(const char *printed, char tidied[DIGITS_ROOM])
{
    char *to = tidied;
    while (*printed) {
        if (*printed == 'e') {
            *to++ = *printed++;
            if (*printed == '-')
                *to++ = '-';
            printed += strspn(printed, "+-0");
        } else if (strchr("-0123456789", *printed)) {
            *to++ = *printed++;
        } else {
            *to++ = '.';
            printed += strcspn(printed, "e0123456789");
        }
    }
    *to = '\0';
}

/* Of at most 20 digits; returns how many. */
static size_t put_digits(char digits[20], uint64_t count)
{
    char reversed[20];
    size_t length = 0;
    do
        reversed[length++] = (char)('0' + count % 10);
    while (count /= 10);
    for (size_t i = 0; i < length; i++)
        digits[i] = reversed[length - 1 - i];
    return length;
}

/* Reports of many tensors are mostly counts: printf would take half of the time. */
void number_plain(struct buffer *out, uint64_t count)
{
    char digits[20];
    buffer_add(out, digits, put_digits(digits, count));
}

void number_list(struct buffer *out, const uint64_t *counts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[22] = ", ";
        size_t glue = i ? 2 : 0;
        buffer_add(out, text, glue + put_digits(text + glue, counts[i]));
    }
}

/* significand * 10^exponent, and how many digits the significand has. */
struct decimal {
    uint64_t significand;
    int digits, exponent;
};

enum { DIGITS_MOST = DBL_DECIMAL_DIG, DIGITS_SURE = DBL_DIG };

/* The nearest to a positive value, of so many digits. */
static struct decimal decimal_of(double value, int digits)
{
    char printed[DIGITS_ROOM];
    snprintf(printed, sizeof printed, "%.*e", digits - 1, value);
    struct decimal decimal = {.digits = digits};
    const char *at = printed;
    for (; *at != 'e'; at++) /* but for the decimal point of whatever locale */
        if (*at >= '0' && *at <= '9')
            decimal.significand = 10 * decimal.significand + (uint64_t)(*at - '0');
    decimal.exponent = (int)strtol(at + 1, NULL, 10) - (digits - 1);
    return decimal;
}

/* The same with fewer digits than `full`, the nearest of DIGITS_MOST: that tells which way to round
 * unless it lies halfway itself. */
static struct decimal rounded(const struct decimal *full, int digits, double value)
{
    uint64_t unit = 1;
    for (int i = digits; i < full->digits; i++)
        unit *= 10;
    uint64_t rest = full->significand % unit;
    if (rest == unit / 2)
        return decimal_of(value, digits);
    return (struct decimal){.significand = full->significand / unit + (rest > unit / 2),
                            .digits = digits,
                            .exponent = full->exponent + full->digits - digits};
}

static bool reads_back(const struct decimal *decimal, double value)
{
    char text[DIGITS_ROOM]; /* without a decimal point, so that no locale matters */
    size_t length = put_digits(text, decimal->significand);
    text[length++] = 'e';
    if (decimal->exponent < 0)
        text[length++] = '-';
    length += put_digits(text + length, (uint64_t)abs(decimal->exponent));
    text[length] = '\0';
    return strtod(text, NULL) == value;
}

/* The value m 2^e in units of its last of DIGITS_MOST digits is m 5^k 2^(e + k) = scaled / 2^shift:
 * for values that are neither large nor small, exact in 128 bits and faster than any printf. */
struct units {
    unsigned __int128 scaled, gap; /* gap: 5^k, the distance to the next larger value */
    int shift, k;
    bool least_significand; /* the distance to the next smaller one is half of that */
};

static const double units_least = 1e-15, units_most = 1e15;

static struct units units_of(double value, int k)
{
    int exponent;
    const uint64_t hidden = UINT64_C(1) << (DBL_MANT_DIG - 1);
    frexp(value, &exponent);
    struct units units = {.scaled = (double_bits(value) & (hidden - 1)) | hidden};
    units.least_significand = units.scaled == hidden;
    units.gap = 1;
    for (int i = 0; i < k; i++)
        units.gap *= 5;
    units.scaled *= units.gap;
    units.shift = DBL_MANT_DIG - exponent - k;
    units.k = k;
    return units;
}

/* To nearest, ties to even, as printf does. */
static struct decimal whole_units(const struct units *units)
{
    unsigned __int128 half = (unsigned __int128)1 << (units->shift - 1);
    uint64_t whole = (uint64_t)(units->scaled >> units->shift);
    unsigned __int128 rest = units->scaled - ((unsigned __int128)whole << units->shift);
    whole += rest > half || (rest == half && whole % 2);
    return (struct decimal){whole, DIGITS_MOST, -units->k};
}

static struct decimal find_units(double value, struct units *units)
{
    const uint64_t most = UINT64_C(100000000000000000);
    *units = units_of(value, DIGITS_MOST - 1 - (int)floor(log10(value)));
    struct decimal full = whole_units(units);
    if (full.significand >= most || full.significand < most / 10) { /* log10 is not exact */
        *units = units_of(value, units->k + (full.significand >= most ? -1 : 1));
        full = whole_units(units);
    }
    return full;
}

/* Whether the nearest binary64 of the decimal is the value. There is no tie: 5^k is odd. */
static bool is_nearest(const struct units *units, const struct decimal *decimal)
{
    unsigned __int128 at = decimal->significand;
    for (int i = decimal->digits; i < DIGITS_MOST; i++)
        at *= 10;
    at <<= units->shift;
    bool below = at < units->scaled;
    unsigned __int128 distance = below ? units->scaled - at : at - units->scaled;
    return distance * (below && units->least_significand ? 4 : 2) < units->gap;
}

/* The nearest of the fewest digits that read back. A normal number that has a decimal of up to
 * DIGITS_SURE digits gets it from so many, whose trailing zeros are dropped; only subnormal numbers
 * need fewer to be tried. */
static struct decimal shortest(double value)
{
    struct units units = {0};
    bool middling = value >= units_least && value < units_most;
    struct decimal full = middling ? find_units(value, &units) : decimal_of(value, DIGITS_MOST);
    for (int digits = value < DBL_MIN ? 1 : DIGITS_SURE; digits < DIGITS_MOST; digits++) {
        struct decimal shorter = rounded(&full, digits, value);
        if (middling ? is_nearest(&units, &shorter) : reads_back(&shorter, value))
            return shorter;
    }
    return full;
}

/* As %g has it, without trailing zeros. */
static void put_decimal(struct buffer *out, const struct decimal *decimal)
{
    char digits[20];
    int length = (int)put_digits(digits, decimal->significand);
    int exponent = decimal->exponent + length - 1; /* of the first digit */
    bool fixed = exponent >= -4 && exponent < decimal->digits;
    int whole = !fixed ? 1 : exponent < 0 ? 0 : exponent + 1; /* digits before the point */
    while (length > 1 && digits[length - 1] == '0')
        length--;
    buffer_add(out, whole ? digits : "0", whole ? (size_t)(whole < length ? whole : length) : 1);
    for (int i = length; i < whole; i++)
        buffer_puts(out, "0");
    if (length > whole) {
        buffer_puts(out, ".");
        for (int i = exponent; fixed && i < -1; i++)
            buffer_puts(out, "0");
        buffer_add(out, digits + whole, (size_t)(length - whole));
    }
    if (!fixed) {
        buffer_puts(out, exponent < 0 ? "e-" : "e");
        number_plain(out, (uint64_t)abs(exponent));
    }
}

void number_json(struct buffer *out, double value)
{
    if (isnan(value)) { /* no report holds one, and JSON has none */
        buffer_puts(out, "null");
        return;
    }
    const char *quote = isinf(value) ? "\"" : "";
    buffer_puts(out, quote);
    number_exact(out, value);
    buffer_puts(out, quote);
}

void number_exact(struct buffer *out, double value)
{
    if (value < 0)
        buffer_puts(out, "-");
    double magnitude = fabs(value);
    if (magnitude < 1e15 && trunc(magnitude) == magnitude) {
        number_plain(out, (uint64_t)magnitude);
        return;
    }
    if (isinf(magnitude)) {
        buffer_puts(out, "inf");
        return;
    }
    struct decimal decimal = shortest(magnitude);
    put_decimal(out, &decimal);
}

void number_human(struct buffer *out, double value)
{
    if (isinf(value)) {
        buffer_puts(out, value < 0 ? "-inf" : "inf");
        return;
    }
    if (fabs(value) < 1e7 && trunc(value) == value) {
        if (value < 0)
            buffer_puts(out, "-");
        number_count(out, (uint64_t)fabs(value));
        return;
    }
    char printed[DIGITS_ROOM], tidied[DIGITS_ROOM];
    snprintf(printed, sizeof printed, "%.4g", value);
    tidy(printed, tidied);
    buffer_puts(out, tidied);
}

static bool is_power(double value, int *exponent)
{
    if (value == 0 || !isfinite(value) || fabs(frexp(value, exponent)) != 0.5)
        return false;
    --*exponent;
    return true;
}

bool number_holds_power(int exponent)
{
    return exponent >= DBL_MIN_EXP - DBL_MANT_DIG && exponent < DBL_MAX_EXP;
}

void number_power(struct buffer *out, double value)
{
    int exponent;
    bool plain = !is_power(value, &exponent) || (exponent >= -3 && exponent <= 20);
    if (plain) {
        number_human(out, value);
        return;
    }
    buffer_puts(out, value < 0 ? "-" : "");
    number_exponent(out, exponent);
}

void number_exponent(struct buffer *out, int exponent)
{
    buffer_printf(out, "2^%d", exponent);
}

void number_count(struct buffer *out, uint64_t count)
{
    struct buffer digits = {0};
    number_plain(&digits, count);
    for (size_t i = 0; i < digits.length; i++) {
        buffer_add(out, &digits.data[i], 1);
        if ((digits.length - i) % 3 == 1 && i + 1 < digits.length)
            buffer_puts(out, ",");
    }
    buffer_free(&digits);
}

void number_decibels(struct buffer *out, double value)
{
    if (!(fabs(value) < 1000)) {
        number_human(out, value);
        return;
    }
    int hundredths = (int)lrint(value * 100); /* no decimal point of the locale */
    buffer_printf(out, "%s%d.%02d", hundredths < 0 ? "-" : "", abs(hundredths) / 100,
                  abs(hundredths) % 100);
}

void number_share(struct buffer *out, uint64_t part, uint64_t whole)
{
    if (part == 0) {
        buffer_puts(out, "0 %");
        return;
    }
    if (part >= whole) {
        buffer_puts(out, "100 %");
        return;
    }
    double percent = 100 * ((double)part / (double)whole);
    if (percent < 0.01) {
        buffer_puts(out, "<0.01 %");
        return;
    }
    if (percent > 99.99) {
        buffer_puts(out, ">99.99 %");
        return;
    }
    /* In hundredths, as whole numbers: no decimal point of the locale. */
    int hundredths = (int)lrint(percent * 100);
    buffer_printf(out, "%d.%02d %%", hundredths / 100, hundredths % 100);
}
