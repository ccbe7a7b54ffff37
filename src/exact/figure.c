#include "exact/figure.h"

#include <gmp.h>
#include <math.h>
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/decimal.h"
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

/* Makes n / d of n / d 2^exponent. */
static void shift_ratio(mpz_t n, mpz_t d, long exponent)
{
    if (exponent > 0)
        mpz_mul_2exp(n, n, (mp_bitcnt_t)exponent);
    else
        mpz_mul_2exp(d, d, (mp_bitcnt_t)-exponent);
}

double exact_root_ratio(const struct exact_sum *a, const struct exact_sum *b)
{
    mpz_t n, d;
    mpz_inits(n, d, NULL);
    long exponent = exact_integer(n, a) - exact_integer(d, b);
    double value = round_root(n, d, exponent);
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

/* log2(n 2^exponent), n > 0, in units of 2^-64 and less than 7 of these too small: bit after bit,
 * since squaring doubles a logarithm. What n is cut by at first, and each square after that, is
 * less than 2^-63 of it, which makes less than log2(e) 2^-63 < 2.89 units of its logarithm; and
 * that of the i-th square counts 2^-i. So all are less than twice that, and the bits behind the
 * last are less than 1. */
static __int128 binary_logarithm(const mpz_t n, long exponent)
{
    long bits = (long)mpz_sizeinbase(n, 2);
    mpz_t top;
    mpz_init(top);
    if (bits > 64)
        mpz_tdiv_q_2exp(top, n, (mp_bitcnt_t)(bits - 64));
    else
        mpz_mul_2exp(top, n, (mp_bitcnt_t)(64 - bits));
    uint64_t x = mpz_get_ui(top), fraction = 0; /* x / 2^63 is in [1, 2) */
    mpz_clear(top);
    for (int i = 0; i < 64; i++) {
        uint128 square = (uint128)x * x;
        uint64_t bit = (uint64_t)(square >> 127);
        fraction = fraction << 1 | bit;
        x = (uint64_t)(square >> (63 + bit));
    }
    return (__int128)(exponent + bits - 1) * ((__int128)1 << 64) + fraction;
}

/* 10 log10(n / d 2^exponent) where a first try in 128 bits is sure how it rounds. The difference of
 * the logarithms is less than 7 units of 2^-64 off, which 10 log10(2) makes less than 6 of 2^-62; 1
 * is for what is cut from the product, and for what the factor is cut by, as many as the difference
 * has wholes and 1 more. An exact result is between the bounds, too. */
static bool quick_decibel(const mpz_t n, const mpz_t d, long exponent, double *value)
{
    const uint64_t factor = UINT64_C(0xc0a8c1263ac3f57e); /* floor(2^62 10 log10(2)) */
    __int128 difference = binary_logarithm(n, exponent) - binary_logarithm(d, 0);
    int64_t whole = (int64_t)(difference >> 64);
    uint64_t fraction = (uint64_t)difference;
    __int128 units = (__int128)whole * factor + (uint64_t)((uint128)fraction * factor >> 64);
    int64_t off = 8 + (whole < 0 ? -whole : whole);
    *value = ldexp((double)(units - off), -62);
    return *value == ldexp((double)(units + off), -62);
}

/* Ziv's loop: the result is right once both bounds round to the same number. That never happens on
 * a tie or an exact result, so these come first: 10 log10 of a rational number is itself rational
 * only for powers of ten, since 10 is no power of another integer. */
static double slow_decibel(const mpz_t n, const mpz_t d)
{
    long k;
    if (power_of_ten(n, d, &k))
        return 10.0 * (double)k;
    double value, above;
    mpfr_prec_t precision = 96;
    do {
        value = decibel_bound(n, d, precision, MPFR_RNDD);
        above = decibel_bound(n, d, precision, MPFR_RNDU);
        precision *= 2;
    } while (value != above);
    return value;
}

double exact_decibel(const struct exact_sum *a, const struct exact_sum *b)
{
    mpz_t n, d;
    mpz_inits(n, d, NULL);
    long exponent = exact_integer(n, a) - exact_integer(d, b);
    double value;
    if (!quick_decibel(n, d, exponent, &value)) {
        shift_ratio(n, d, exponent);
        value = slow_decibel(n, d);
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
    buffer_puts(&text, sign < 0 ? "-0x1" : "0x1");
    buffer_puts(&text, length > 1 ? "." : "");
    buffer_add(&text, digits + 1, length - 1);
    buffer_puts(&text, exponent + lowest < 0 ? "p-" : "p+");
    char power[DECIMAL_DIGITS];
    buffer_add(&text, power, decimal_digits(power, (uint64_t)labs(exponent + lowest)));
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
