/* Exact sums beside GMP's integers. */
#ifndef PRECHECK_TESTS_UNIT_SUMS_H
#define PRECHECK_TESTS_UNIT_SUMS_H

#include <stdint.h>
#include <stdio.h> /* before gmp.h, whose printing needs it */

#include <gmp.h>

#include "exact/sum.h"

/* The value in units of 2^SUM_LOWEST_EXPONENT, straight from the definition in sum.h. */
static inline void sum_get(mpz_t n, const struct exact_sum *sum)
{
    mpz_t digit;
    mpz_init(digit);
    mpz_set_ui(n, 0);
    for (int i = 0; i < SUM_DIGITS; i++) {
        mpz_set_si(digit, sum->digit[i]);
        mpz_mul_2exp(digit, digit, (mp_bitcnt_t)(32 * i));
        mpz_add(n, n, digit);
    }
    mpz_clear(digit);
}

/* Adds n * 2^exponent, 32 bits at a time. */
static inline void sum_add_big(struct exact_sum *sum, const mpz_t n, int exponent)
{
    mpz_t rest, low;
    mpz_inits(rest, low, NULL);
    mpz_abs(rest, n);
    for (; mpz_sgn(rest) != 0; exponent += 32) {
        mpz_fdiv_r_2exp(low, rest, 32);
        exact_sum_add_integer(sum, mpz_sgn(n) * (int64_t)mpz_get_ui(low), exponent);
        mpz_fdiv_q_2exp(rest, rest, 32);
    }
    mpz_clears(rest, low, NULL);
}

/* A finite binary64 in units of 2^-1074. */
static inline void integer_of_double(mpz_t n, double value)
{
    uint64_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    unsigned field = (unsigned)(bits >> 52 & 0x7ff);
    uint64_t significand = bits & ((UINT64_C(1) << 52) - 1);
    if (field)
        significand |= UINT64_C(1) << 52;
    mpz_set_ui(n, significand);
    mpz_mul_2exp(n, n, field ? field - 1 : 0);
    if (bits >> 63)
        mpz_neg(n, n);
}

#endif
