/*
 * A sum that is never rounded: a fixed-point number wide enough for the sum of 2^64 products of
 * four binary64 numbers. Adding in any order gives the same number.
 */
#ifndef PRECHECK_EXACT_SUM_H
#define PRECHECK_EXACT_SUM_H

#include <stdint.h>

#include "exact/number.h"

/* Products of four reach down to 2^-4296, and sums of 2^64 of them up to 2^4160. */
enum { SUM_LOWEST_EXPONENT = -4320, SUM_DIGITS = 266 };

/* The value is the sum of digit[i] * 2^(32 i + SUM_LOWEST_EXPONENT). Digits are signed and wider
 * than their place, so that an addition never ripples; `pending` counts additions since the last
 * carry. Zero-initialise. */
struct exact_sum {
    int64_t digit[SUM_DIGITS];
    uint32_t pending;
};

/* Adds n * 2^exponent; exponent >= SUM_LOWEST_EXPONENT where n is not zero. */
void exact_sum_add_integer(struct exact_sum *sum, int64_t n, int exponent);
/* Adds a finite number, and a product of two. */
void exact_sum_add(struct exact_sum *sum, double value);
void exact_sum_add_product(struct exact_sum *sum, double a, double b);
void exact_sum_add_numbers(struct exact_sum *sum, struct number a, struct number b);
void exact_sum_merge(struct exact_sum *into, const struct exact_sum *from);
void exact_sum_subtract(struct exact_sum *from, const struct exact_sum *what);

#endif
