#include "output/number.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void number_json(struct buffer *out, double value)
{
    if (isnan(value)) { /* no report holds one, and JSON has none */
        buffer_puts(out, "null");
        return;
    }
    if (isinf(value)) {
        buffer_puts(out, value < 0 ? "\"-inf\"" : "\"inf\"");
        return;
    }
    if (value == 0) {
        buffer_puts(out, "0");
        return;
    }
    /* A normal number that has a decimal of up to DBL_DIG digits gets it from %.15g, whose trailing
     * zeros are dropped; only subnormal numbers need fewer digits to be asked for. Printing and
     * reading back use the same locale. */
    char printed[DIGITS_ROOM], tidied[DIGITS_ROOM];
    int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG;
    do {
        snprintf(printed, sizeof printed, "%.*g", digits, value);
        digits++;
    } while (digits <= DBL_DECIMAL_DIG && strtod(printed, NULL) != value);
    tidy(printed, tidied);
    buffer_puts(out, tidied);
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

bool number_is_power(double value, int *exponent)
{
    if (value == 0 || !isfinite(value) || fabs(frexp(value, exponent)) != 0.5)
        return false;
    --*exponent;
    return true;
}

void number_power(struct buffer *out, double value)
{
    int exponent;
    bool plain = !number_is_power(value, &exponent) || (exponent >= -3 && exponent <= 20);
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
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, count);
    for (int i = 0; i < length; i++) {
        buffer_add(out, &digits[i], 1);
        if ((length - i) % 3 == 1 && i + 1 < length)
            buffer_puts(out, ",");
    }
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
