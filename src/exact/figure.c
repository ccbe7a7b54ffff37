#include "exact/figure.h"

#include <gmp.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "exact/rounding.h"

bool exact_is_zero(const struct exact_sum *sum)
{
    mpz_t n;
    mpz_init(n);
    exact_integer(n, sum);
    bool zero = mpz_sgn(n) == 0;
    mpz_clear(n);
    return zero;
}

double exact_mean(const struct exact_sum *sum, uint64_t count)
{
    mpz_t n, d;
    mpz_init(n);
    mpz_init_set_ui(d, count);
    double value = round_quotient(n, d, exact_integer(n, sum));
    mpz_clears(n, d, NULL);
    return value;
}

double exact_root_mean(const struct exact_sum *sum, uint64_t count)
{
    mpz_t n, d;
    mpz_init(n);
    mpz_init_set_ui(d, count);
    double value = round_root(n, d, exact_integer(n, sum));
    mpz_clears(n, d, NULL);
    return value;
}

/* Integers of the ratio a / b. */
static void integers_of_ratio(mpz_t n, mpz_t d, const struct exact_sum *a,
                              const struct exact_sum *b)
{
    long shift = exact_integer(n, a) - exact_integer(d, b);
    if (shift > 0)
        mpz_mul_2exp(n, n, (mp_bitcnt_t)shift);
    else
        mpz_mul_2exp(d, d, (mp_bitcnt_t)-shift);
}

double exact_root_ratio(const struct exact_sum *a, const struct exact_sum *b)
{
    mpz_t n, d;
    mpz_inits(n, d, NULL);
    integers_of_ratio(n, d, a, b);
    double value = round_root(n, d, 0);
    mpz_clears(n, d, NULL);
    return value;
}

/* Whether a = b * 10^k for the k nearest to log10(a / b). */
static bool power_of_ten(const mpz_t a, const mpz_t b, long *k)
{
    bool inverse = mpz_cmp(a, b) < 0;
    const mpz_t *high = inverse ? (const mpz_t *)b : (const mpz_t *)a;
    const mpz_t *low = inverse ? (const mpz_t *)a : (const mpz_t *)b;
    mpz_t ratio, rest;
    mpz_inits(ratio, rest, NULL);
    mpz_tdiv_qr(ratio, rest, *high, *low);
    bool found = mpz_sgn(rest) == 0;
    for (*k = 0; found && mpz_cmp_ui(ratio, 1) > 0; ++*k)
        found = mpz_tdiv_q_ui(ratio, ratio, 10) == 0;
    if (inverse)
        *k = -*k;
    mpz_clears(ratio, rest, NULL);
    return found;
}

/* One bound of 10 log10(a / b). */
static double decibel_bound(const mpz_t a, const mpz_t b, mpfr_prec_t precision, mpfr_rnd_t round)
{
    mpfr_t x, y;
    mpfr_inits2(precision, x, y, (mpfr_ptr)0);
    mpfr_set_z(x, a, round);
    mpfr_set_z(y, b, round == MPFR_RNDD ? MPFR_RNDU : MPFR_RNDD);
    mpfr_div(x, x, y, round);
    mpfr_log10(x, x, round);
    mpfr_mul_ui(x, x, 10, round);
    double value = mpfr_get_d(x, MPFR_RNDN);
    mpfr_clears(x, y, (mpfr_ptr)0);
    return value;
}

/* Ziv's loop: the result is right once both bounds round to the same number. That never happens on
 * a tie or an exact result, so these come first: 10 log10 of a rational number is itself rational
 * only for powers of ten, since 10 is no power of another integer. */
double exact_decibel(const struct exact_sum *a, const struct exact_sum *b)
{
    mpz_t n, d;
    mpz_inits(n, d, NULL);
    integers_of_ratio(n, d, a, b);
    double value;
    long k;
    if (power_of_ten(n, d, &k)) {
        value = 10.0 * (double)k;
    } else {
        double above;
        mpfr_prec_t precision = 96;
        do {
            value = decibel_bound(n, d, precision, MPFR_RNDD);
            above = decibel_bound(n, d, precision, MPFR_RNDU);
            precision *= 2;
        } while (value != above);
    }
    mpz_clears(n, d, NULL);
    return value == 0 ? 0 : value; /* no -0 */
}

char *exact_hex(const struct exact_sum *sum)
{
    mpz_t n;
    mpz_init(n);
    long lowest = exact_integer(n, sum);
    int sign = mpz_sgn(n);
    if (sign == 0) {
        mpz_clear(n);
        return copy_string("0x0p+0");
    }
    mpz_abs(n, n);
    long exponent = (long)mpz_sizeinbase(n, 2) - 1;
    mpz_mul_2exp(n, n, (mp_bitcnt_t)((4 - exponent % 4) % 4)); /* the leading digit becomes 1 */
    char *digits = mpz_get_str(NULL, 16, n);
    size_t length = strlen(digits);
    while (length > 1 && digits[length - 1] == '0')
        length--;
    struct buffer text = {0};
    buffer_printf(&text, "%s0x1%s%.*sp%+ld", sign < 0 ? "-" : "", length > 1 ? "." : "",
                  (int)(length - 1), digits + 1, exponent + lowest);
    void (*release)(void *, size_t);
    mp_get_memory_functions(NULL, NULL, &release);
    release(digits, strlen(digits) + 1);
    mpz_clear(n);
    return text.data;
}

void exact_leave_thread(void)
{
    mpfr_free_cache2(MPFR_FREE_LOCAL_CACHE);
}
