#include "output/number.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"

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

/* Reports of many tensors are mostly counts: printf would take half of the time. */
void number_plain(struct buffer *out, uint64_t count)
{
    char digits[DECIMAL_DIGITS];
    buffer_add(out, digits, decimal_digits(digits, count));
}

void number_signed(struct buffer *out, int number)
{
    if (number < 0)
        buffer_puts(out, "-");
    number_plain(out, (uint64_t)labs(number));
}

void number_list(struct buffer *out, const uint64_t *counts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[2 + DECIMAL_DIGITS] = ", ";
        size_t glue = i ? 2 : 0;
        buffer_add(out, text, glue + decimal_digits(text + glue, counts[i]));
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
    decimal_put(out, value);
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

void number_counted(struct buffer *out, uint64_t count, const char *one, const char *many)
{
    number_count(out, count);
    buffer_puts(out, " ");
    buffer_puts(out, count == 1 ? one : many);
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
