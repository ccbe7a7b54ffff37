#include "exact/rounding.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

long exact_integer(mpz_t n, const struct exact_sum *sum)
{
    int top = SUM_DIGITS - 1, bottom = 0;
    while (top > 0 && sum->digit[top] == 0)
        top--;
    while (bottom < top && sum->digit[bottom] == 0)
        bottom++;
    mpz_set_ui(n, 0);
    for (int i = top; i >= bottom; i--) {
        mpz_mul_2exp(n, n, 32);
        if (sum->digit[i] < 0)
            mpz_sub_ui(n, n, 0 - (unsigned long)sum->digit[i]);
        else
            mpz_add_ui(n, n, (unsigned long)sum->digit[i]);
    }
    return 32 * bottom + SUM_LOWEST_EXPONENT;
}

/* n * 2^exponent, or where `sticky` something between that and the next integer away from zero, as
 * a binary64. |n| is zero or has at least 55 bits where sticky. */
static double round_once(mpz_t n, long exponent, bool sticky)
{
    int sign = mpz_sgn(n);
    if (sign == 0)
        return 0;
    mpz_abs(n, n);
    long top = exponent + (long)mpz_sizeinbase(n, 2) - 1;
    long last = top - (DBL_MANT_DIG - 1), least = DBL_MIN_EXP - DBL_MANT_DIG;
    long cut = (last < least ? least : last) - exponent; /* bits of n that have no place */
    if (cut > 0) {
        mp_bitcnt_t half = (mp_bitcnt_t)cut - 1;
        bool more = sticky || mpz_scan1(n, 0) < half, up = mpz_tstbit(n, half);
        mpz_tdiv_q_2exp(n, n, (mp_bitcnt_t)cut);
        if (up && (more || mpz_odd_p(n)))
            mpz_add_ui(n, n, 1);
        exponent += cut;
    }
    int scale = exponent > DBL_MAX_EXP ? DBL_MAX_EXP : (int)exponent;
    double value = ldexp(mpz_get_d(n), scale);      /* at most 2^53: exact, but for an overflow */
    return value == 0 || sign > 0 ? value : -value; /* no -0 */
}

/* Shifts n left until it has at least `bits` more bits than `than`, by an even count, and returns
 * the count. */
static long widen(mpz_t n, const mpz_t than, size_t bits)
{
    size_t want = mpz_sizeinbase(than, 2) + bits, have = mpz_sizeinbase(n, 2);
    long shift = have < want ? (long)(want - have + 1) / 2 * 2 : 0;
    mpz_mul_2exp(n, n, (mp_bitcnt_t)shift);
    return shift;
}

double round_quotient(mpz_t n, const mpz_t d, long exponent)
{
    exponent -= widen(n, d, 64);
    mpz_t rest;
    mpz_init(rest);
    mpz_tdiv_qr(n, rest, n, d);
    double value = round_once(n, exponent, mpz_sgn(rest) != 0);
    mpz_clear(rest);
    return value;
}

/* The root of the integer part has the same integer part as the root: floor(sqrt(floor(y))) =
 * floor(sqrt(y)). */
double round_root(mpz_t n, const mpz_t d, long exponent)
{
    exponent -= widen(n, d, 140);
    mpz_t rest;
    mpz_init(rest);
    mpz_tdiv_qr(n, rest, n, d);
    bool sticky = mpz_sgn(rest) != 0;
    mpz_sqrtrem(n, rest, n);
    sticky |= mpz_sgn(rest) != 0;
    double value = round_once(n, exponent / 2, sticky);
    mpz_clear(rest);
    return value;
}
