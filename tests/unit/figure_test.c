/*
 * The figures against the rational numbers they are the rounding of. A binary64 v is the correct
 * rounding of y, to nearest even, where y lies between the midpoints to v's neighbours, ends
 * included for an even v. That is checked with GMP's rationals: of y itself for a mean, of its
 * square for a root, of bounds from MPFR for decibels. Nothing is computed the way the figures are.
 */
#include "exact/figure.h"
#include "exact/sum.h"
#include "unit/sums.h"

#include <float.h>
#include <math.h>
#include <mpfr.h>

#include "kernel/testing.h"

/* The midpoints below and above a v >= 0, in units of 2^-1075: from those of the bits before and
 * after it. What follows DBL_MAX is 2^1024, whose bits are those of infinity. */
static void midpoints(double v, mpz_t below, mpz_t above)
{
    mpz_t here;
    mpz_init(here);
    uint64_t bits = double_bits(v), last = double_bits(DBL_MAX);
    if (bits > last) {
        mpz_set_ui(here, 1);
        mpz_mul_2exp(here, here, 1024 + 1074);
    } else {
        integer_of_double(here, v);
    }
    integer_of_double(below, bits ? double_from_bits(bits - 1) : -DBL_TRUE_MIN);
    if (bits < last) {
        integer_of_double(above, double_from_bits(bits + 1));
    } else {
        mpz_set_ui(above, 1);
        mpz_mul_2exp(above, above, bits == last ? 1024 + 1074 : 5000);
    }
    mpz_add(below, below, here);
    mpz_add(above, above, here);
    mpz_clear(here);
}

/* y * 2^exponent for any exponent. */
static void shift(mpq_t y, long exponent)
{
    if (exponent >= 0)
        mpq_mul_2exp(y, y, (mp_bitcnt_t)exponent);
    else
        mpq_div_2exp(y, y, (mp_bitcnt_t)-exponent);
}

/* Whether v^power is the rounding of y, with power 1 or 2. */
static bool is_rounding(double v, const mpq_t y, unsigned power)
{
    if (isnan(v) || (v == 0 && signbit(v)))
        return false;
    mpq_t magnitude, bound;
    mpz_t below, above;
    mpq_inits(magnitude, bound, NULL);
    mpz_inits(below, above, NULL);
    mpq_abs(magnitude, y);
    midpoints(fabs(v), below, above);
    bool even = !(double_bits(v) & 1),
         right = mpq_sgn(y) == 0 || v == 0 || (v < 0) == (mpq_sgn(y) < 0);
    shift(magnitude, 1075 * (long)power);
    if (v != 0) {
        mpz_pow_ui(mpq_numref(bound), below, power);
        int order = mpq_cmp(magnitude, bound);
        right &= even ? order >= 0 : order > 0;
    }
    mpz_pow_ui(mpq_numref(bound), above, power);
    int order = mpq_cmp(magnitude, bound);
    right &= even ? order <= 0 : order < 0;
    mpq_clears(magnitude, bound, NULL);
    mpz_clears(below, above, NULL);
    return right;
}

static void assert_rounding(const char *figure, double v, const mpq_t y, unsigned power)
{
    if (!is_rounding(v, y, power))
        fail_msg("%s: %a is not the rounding of (about %a)^(1/%u)", figure, v, mpq_get_d(y), power);
}

/* sum / count as a rational. */
static void rational_mean(mpq_t y, const struct exact_sum *sum, uint64_t count)
{
    sum_get(mpq_numref(y), sum);
    mpz_set_ui(mpq_denref(y), count);
    mpq_canonicalize(y);
    shift(y, SUM_LOWEST_EXPONENT);
}

static void assert_mean(const struct exact_sum *sum, uint64_t count)
{
    mpq_t y;
    mpq_init(y);
    rational_mean(y, sum, count);
    assert_rounding("mean", exact_mean(sum, count), y, 1);
    if (mpq_sgn(y) >= 0)
        assert_rounding("root mean", exact_root_mean(sum, count), y, 2);
    mpq_clear(y);
}

static void assert_root_ratio(const struct exact_sum *a, const struct exact_sum *b)
{
    mpq_t y;
    mpq_init(y);
    sum_get(mpq_numref(y), a);
    sum_get(mpq_denref(y), b);
    mpq_canonicalize(y);
    assert_rounding("root ratio", exact_root_ratio(a, b), y, 2);
    mpq_clear(y);
}

/* 10 log10(a / b) by so many bits that it cannot hide behind a midpoint: bounds and rational. */
static void assert_decibel(const struct exact_sum *a, const struct exact_sum *b)
{
    enum { BITS = 9000 };
    mpz_t n, d;
    mpq_t low, high;
    mpfr_t x, y;
    mpz_inits(n, d, NULL);
    mpq_inits(low, high, NULL);
    mpfr_inits2(BITS, x, y, (mpfr_ptr)0);
    sum_get(n, a);
    sum_get(d, b);
    mpfr_set_z(x, n, MPFR_RNDN); /* exact, both */
    mpfr_set_z(y, d, MPFR_RNDN);
    mpfr_div(x, x, y, MPFR_RNDN);
    mpfr_log10(x, x, MPFR_RNDN);
    mpfr_mul_ui(x, x, 10, MPFR_RNDN);
    /* Wide enough for a division, a logarithm of a ratio no nearer to 1 than 2^-4400, a product. */
    mpfr_set_ui_2exp(y, 1, 20 - BITS + 4400, MPFR_RNDN);
    mpfr_mul(y, y, x, MPFR_RNDA);
    mpfr_abs(y, y, MPFR_RNDN);
    double value = exact_decibel(a, b);
    if (mpz_cmp(n, d) == 0)
        assert_true(value == 0 && !signbit(value));
    mpfr_sub(x, x, y, MPFR_RNDD);
    mpfr_get_q(low, x);
    mpfr_mul_2ui(y, y, 1, MPFR_RNDU);
    mpfr_add(x, x, y, MPFR_RNDU);
    mpfr_get_q(high, x);
    assert_rounding("decibel", value, low, 1);
    assert_rounding("decibel", value, high, 1);
    mpfr_clears(x, y, (mpfr_ptr)0);
    mpq_clears(low, high, NULL);
    mpz_clears(n, d, NULL);
}

static struct exact_sum sum_of_integer(int64_t n, int exponent)
{
    struct exact_sum sum = {0};
    exact_sum_add_integer(&sum, n, exponent);
    return sum;
}

/* A few terms, near each other or not, positive where asked for. */
static struct exact_sum random_sum(struct dice *dice, bool positive)
{
    struct exact_sum sum = {0};
    int low = SUM_LOWEST_EXPONENT, high = 2040;
    if (dice_below(dice, 2)) {
        low = dice_between(dice, low, high - 200);
        high = low + 200;
    }
    for (uint64_t terms = 1 + dice_below(dice, 6); terms > 0; terms--) {
        int64_t n = (int64_t)(dice_u64(dice) >> (1 + dice_below(dice, 62))) + 1;
        exact_sum_add_integer(&sum, positive || dice_below(dice, 2) ? n : -n,
                              dice_between(dice, low, high));
    }
    return sum;
}

static uint64_t random_count(struct dice *dice)
{
    return (dice_u64(dice) >> dice_below(dice, 64)) | 1;
}

static void test_random_figures(void **state)
{
    (void)state;
    struct dice dice = dice_for("figures");
    for (int round = 0; round < 20000; round++) {
        struct exact_sum any = random_sum(&dice, false), a = random_sum(&dice, true),
                         b = random_sum(&dice, true);
        assert_mean(&any, random_count(&dice));
        assert_mean(&a, random_count(&dice));
        assert_root_ratio(&a, &b);
    }
}

static void test_random_decibels(void **state)
{
    (void)state;
    struct dice dice = dice_for("decibels");
    for (int round = 0; round < 150; round++) {
        struct exact_sum a = random_sum(&dice, true), b = random_sum(&dice, true);
        assert_decibel(&a, &b);
    }
}

static void test_zero(void **state)
{
    (void)state;
    struct exact_sum zero = {0}, one = sum_of_integer(1, 0), gone = one;
    exact_sum_subtract(&gone, &one);
    double values[] = {exact_mean(&zero, 7), exact_root_mean(&zero, UINT64_MAX),
                       exact_root_ratio(&zero, &one), exact_mean(&gone, 1),
                       exact_decibel(&one, &one)};
    for (size_t i = 0; i < LENGTH(values); i++)
        assert_int_equal(double_bits(values[i]), 0);
    assert_true(exact_is_zero(&zero) && exact_is_zero(&gone) && !exact_is_zero(&one));
}

/* (2 n + 1) / 2 ulps over the whole range, and the least more and less: a tie and no tie. */
static void test_halfway_means(void **state)
{
    (void)state;
    struct dice dice = dice_for("halfway means");
    for (int exponent = -1076; exponent <= 971; exponent++)
        for (int round = 0; round < 6; round++) {
            int64_t n = (int64_t)(dice_u64(&dice) >> 11);
            if (round < 3)
                n |= INT64_C(1) << 52;
            int64_t sign = round % 2 ? -1 : 1;
            for (int nudge = -1; nudge <= 1; nudge++) {
                struct exact_sum sum = sum_of_integer(sign * (2 * n + 1), exponent - 1);
                exact_sum_add_integer(&sum, nudge, SUM_LOWEST_EXPONENT);
                assert_mean(&sum, 1);
                struct exact_sum triple = sum;
                exact_sum_merge(&triple, &sum);
                exact_sum_merge(&triple, &sum);
                assert_mean(&triple, 3);
            }
        }
}

/* The square of a midpoint, exactly and nearly; as a root mean and as a root of a ratio. */
static void test_halfway_roots(void **state)
{
    (void)state;
    struct dice dice = dice_for("halfway roots");
    mpz_t middle, scaled;
    mpz_inits(middle, scaled, NULL);
    for (int round = 0; round < 4000; round++) {
        uint64_t n = dice_u64(&dice) >> 11 | UINT64_C(1) << 52;
        int exponent = dice_between(&dice, SUM_LOWEST_EXPONENT / 2, 970);
        if (exponent < -1074) /* a midpoint of subnormals has fewer bits */
            n >>= dice_below(&dice, 50);
        uint64_t count = dice_below(&dice, 1000) + 1;
        mpz_set_ui(middle, 2 * n + 1);
        mpz_mul(middle, middle, middle);
        for (int nudge = -1; nudge <= 1; nudge++) {
            struct exact_sum square = {0}, other = random_sum(&dice, true), product = {0};
            mpz_mul_ui(scaled, middle, count);
            sum_add_big(&square, scaled, 2 * exponent);
            exact_sum_add_integer(&square, nudge, SUM_LOWEST_EXPONENT);
            assert_mean(&square, count);

            other = sum_of_integer((int64_t)random_count(&dice) >> 1 | 1, -1000);
            sum_get(scaled, &other);
            mpz_fdiv_q_2exp(scaled, scaled, -1000 - SUM_LOWEST_EXPONENT);
            mpz_mul(scaled, scaled, middle);
            sum_add_big(&product, scaled, 0);
            exact_sum_add_integer(&product, nudge, SUM_LOWEST_EXPONENT);
            assert_root_ratio(&product, &other);
        }
    }
    mpz_clears(middle, scaled, NULL);
}

static void test_overflow(void **state)
{
    (void)state;
    /* DBL_MAX is 2^1024 - 2^971 and an ulp of it 2^971. */
    struct exact_sum tie = sum_of_integer((INT64_C(1) << 54) - 1, 970), below = tie;
    exact_sum_add_integer(&below, -1, SUM_LOWEST_EXPONENT);
    assert_true(exact_mean(&tie, 1) == INFINITY);
    assert_true(exact_mean(&below, 1) == DBL_MAX);
    struct exact_sum minus = {0};
    exact_sum_subtract(&minus, &tie);
    assert_true(exact_mean(&minus, 1) == -INFINITY);
    assert_true(exact_mean(&minus, 2) == -0x1p1023);

    struct exact_sum large = sum_of_integer(1, 2048), tiny = sum_of_integer(1, SUM_LOWEST_EXPONENT);
    assert_true(exact_root_mean(&large, 1) == INFINITY);
    assert_true(exact_root_mean(&large, 4) == 0x1p1023);
    assert_true(exact_root_ratio(&large, &tiny) == INFINITY);
    assert_true(exact_root_ratio(&tiny, &large) == 0);
    assert_true(exact_mean(&tiny, 1) == 0);
    assert_true(exact_root_mean(&tiny, 1) == 0);
    struct exact_sum sums[] = {tie, below, large, tiny};
    for (size_t i = 0; i < LENGTH(sums); i++)
        for (size_t j = 0; j < LENGTH(sums); j++) {
            assert_mean(&sums[i], j + 1);
            assert_root_ratio(&sums[i], &sums[j]);
            assert_decibel(&sums[i], &sums[j]);
        }
}

/* Results among the subnormal numbers: every bit position of a tie. */
static void test_subnormal_results(void **state)
{
    (void)state;
    for (int bits = 0; bits <= 54; bits++)
        for (int64_t low = -3; low <= 3; low++)
            for (int exponent = -1080; exponent <= -1070; exponent++) {
                struct exact_sum sum = sum_of_integer((INT64_C(1) << bits) + low, exponent);
                for (uint64_t count = 1; count <= 8; count++)
                    assert_mean(&sum, count);
                struct exact_sum square = {0};
                exact_sum_add_product(&square, (double)((INT64_C(1) << bits) + low) * 0x1p-1040,
                                      0x1p-1070);
                assert_mean(&square, 1);
            }
}

/* a = b 10^k, where 10 log10(a / b) is exactly 10 k, and its neighbours, where it is not. */
static void test_powers_of_ten(void **state)
{
    (void)state;
    struct dice dice = dice_for("powers of ten");
    mpz_t power;
    mpz_init(power);
    for (unsigned k = 0; k <= 1200; k += k < 30 ? 1 : 29) {
        int64_t factor = (int64_t)(dice_u64(&dice) >> 40) + 1;
        int exponent = dice_between(&dice, SUM_LOWEST_EXPONENT + 10, -1990);
        mpz_ui_pow_ui(power, 10, k);
        mpz_mul_ui(power, power, (unsigned long)factor);
        struct exact_sum a = {0}, b = sum_of_integer(factor, exponent);
        sum_add_big(&a, power, exponent);
        assert_true(exact_decibel(&a, &b) == 10.0 * k);
        assert_true(exact_decibel(&b, &a) == -10.0 * k);
        if (k % 5)
            continue;
        for (int nudge = -1; nudge <= 1; nudge += 2) {
            struct exact_sum near = a;
            exact_sum_add_integer(&near, nudge, SUM_LOWEST_EXPONENT);
            assert_decibel(&near, &b);
            assert_decibel(&b, &near);
        }
    }
    mpz_clear(power);
}

/* Ratios next to 1, to results from ordinary to less than any binary64. */
static void test_ratios_near_one(void **state)
{
    static const int distances[] = {1,    30,   53,   54,   100,  900,  1020, 1070, 1071,
                                    1072, 1073, 1074, 1075, 1076, 1077, 1078, 3000, 4200};
    (void)state;
    for (size_t i = 0; i < LENGTH(distances); i++)
        for (int sign = -1; sign <= 1; sign += 2) {
            struct exact_sum b = sum_of_integer(1, SUM_LOWEST_EXPONENT + distances[i]), a = b;
            exact_sum_add_integer(&a, sign, SUM_LOWEST_EXPONENT);
            assert_decibel(&a, &b);
            assert_decibel(&b, &a);
            assert_root_ratio(&a, &b);
        }
}

/* The rounding state of the process and MPFR's exponent range are left alone. */
static void test_leaves_the_range_alone(void **state)
{
    (void)state;
    mpfr_exp_t emin = mpfr_get_emin(), emax = mpfr_get_emax();
    struct exact_sum a = sum_of_integer(3, -1100), b = sum_of_integer(7, 2000);
    exact_mean(&a, 7);
    exact_root_mean(&b, 7);
    exact_root_ratio(&a, &b);
    exact_decibel(&a, &b);
    assert_true(emin == mpfr_get_emin() && emax == mpfr_get_emax());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_random_figures),
        cmocka_unit_test(test_halfway_means),
        cmocka_unit_test(test_halfway_roots),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_subnormal_results),
        cmocka_unit_test(test_powers_of_ten),
        cmocka_unit_test(test_ratios_near_one),
        cmocka_unit_test(test_random_decibels),
        cmocka_unit_test(test_leaves_the_range_alone),
    };
    print_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
