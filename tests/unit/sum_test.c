/* The exact sums against GMP and, as hexadecimal text, MPFR. */
#include "exact/figure.h"
#include "exact/sum.h"
#include "unit/sums.h"

#include <float.h>
#include <math.h>
#include <mpfr.h>

#include "kernel/testing.h"

/* A sum and what it must be, in units of 2^SUM_LOWEST_EXPONENT. */
struct pair {
    struct exact_sum sum;
    mpz_t model;
};

static void pair_init(struct pair *pair)
{
    pair->sum = (struct exact_sum){0};
    mpz_init(pair->model);
}

static void pair_clear(struct pair *pair)
{
    mpz_clear(pair->model);
}

static void model_add(struct pair *pair, const mpz_t n, int exponent)
{
    mpz_t scaled;
    mpz_init(scaled);
    mpz_mul_2exp(scaled, n, (mp_bitcnt_t)(exponent - SUM_LOWEST_EXPONENT));
    mpz_add(pair->model, pair->model, scaled);
    mpz_clear(scaled);
}

static void pair_add_integer(struct pair *pair, int64_t n, int exponent)
{
    mpz_t big;
    mpz_init_set_si(big, n);
    exact_sum_add_integer(&pair->sum, n, exponent);
    model_add(pair, big, exponent);
    mpz_clear(big);
}

static void pair_add(struct pair *pair, double value)
{
    mpz_t big;
    mpz_init(big);
    integer_of_double(big, value);
    exact_sum_add(&pair->sum, value);
    model_add(pair, big, -1074);
    mpz_clear(big);
}

static void pair_add_product(struct pair *pair, double a, double b)
{
    mpz_t x, y;
    mpz_inits(x, y, NULL);
    integer_of_double(x, a);
    integer_of_double(y, b);
    mpz_mul(x, x, y);
    exact_sum_add_product(&pair->sum, a, b);
    model_add(pair, x, -2148);
    mpz_clears(x, y, NULL);
}

/* [-]0x1.hex and no zero at the end, p, a sign, digits. */
static void assert_canonical(const char *text)
{
    if (strcmp(text, "0x0p+0") == 0)
        return;
    text += *text == '-';
    assert_memory_equal(text, "0x1", 3);
    text += 3;
    if (*text == '.') {
        size_t digits = strspn(++text, "0123456789abcdef");
        assert_true(digits > 0 && text[digits - 1] != '0');
        text += digits;
    }
    assert_true(*text++ == 'p');
    assert_true(*text == '+' || *text == '-');
    text++;
    size_t digits = strspn(text, "0123456789");
    assert_true(digits > 0 && !text[digits]);
    assert_true(digits == 1 || *text != '0');
}

/* Read back by MPFR, which knows nothing of digits of 32 bits. */
static void assert_hex(const struct exact_sum *sum, const mpz_t model)
{
    char *text = exact_hex(sum), *end;
    assert_canonical(text);
    mpfr_t read, wanted;
    mpfr_inits2(9000, read, wanted, (mpfr_ptr)0);
    assert_int_equal(mpfr_strtofr(read, text, &end, 16, MPFR_RNDN), 0);
    assert_true(!*end);
    assert_int_equal(mpfr_set_z_2exp(wanted, model, SUM_LOWEST_EXPONENT, MPFR_RNDN), 0);
    if (!mpfr_equal_p(read, wanted))
        fail_msg("the sum reads %s", text);
    mpfr_clears(read, wanted, (mpfr_ptr)0);
    free(text);
}

static void assert_pair(const struct pair *pair)
{
    mpz_t value;
    mpz_init(value);
    sum_get(value, &pair->sum);
    if (mpz_cmp(value, pair->model) != 0)
        gmp_fprintf(stderr, "# is    %Zx\n# wants %Zx\n", value, pair->model);
    assert_int_equal(mpz_cmp(value, pair->model), 0);
    assert_int_equal(exact_is_zero(&pair->sum), mpz_sgn(pair->model) == 0);
    assert_hex(&pair->sum, pair->model);
    mpz_clear(value);
}

static const double extremes[] = {
    DBL_TRUE_MIN,
    -DBL_TRUE_MIN,
    DBL_MIN,
    -DBL_MIN,
    0x0.fffffffffffffp-1022,
    DBL_MAX,
    -DBL_MAX,
    1,
    -1,
    0x1.fffffffffffffp0,
    0x1.0000000000001p0,
    0,
    -0.0,
    0x1p1023,
    -0x1p1023,
    0x1p-1073,
    0x1.fffffffffffffp31,
    0x1p32,
    0x1p-32,
    0x1.5555555555555p-500,
};

static void test_extremes(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(extremes); i++)
        for (size_t j = 0; j < LENGTH(extremes); j++) {
            struct pair pair;
            pair_init(&pair);
            pair_add_product(&pair, extremes[i], extremes[j]);
            assert_pair(&pair);
            pair_add(&pair, extremes[i]);
            assert_pair(&pair);
            pair_add_product(&pair, extremes[j], extremes[j]);
            assert_pair(&pair);
            pair_clear(&pair);
        }
}

static void test_integers(void **state)
{
    static const int64_t integers[] = {1, -1,         INT64_MAX,     INT64_MIN, INT64_MIN + 1,
                                       0, 0xffffffff, -0xffffffffLL, 1LL << 32, -(1LL << 62)};
    (void)state;
    for (int exponent = SUM_LOWEST_EXPONENT; exponent <= 2048; exponent += 1 + (exponent % 7 == 0))
        for (size_t i = 0; i < LENGTH(integers); i++) {
            struct pair pair;
            mpz_t value;
            pair_init(&pair);
            mpz_init(value);
            pair_add_integer(&pair, integers[i], exponent);
            sum_get(value, &pair.sum);
            assert_int_equal(mpz_cmp(value, pair.model), 0);
            mpz_clear(value);
            pair_clear(&pair);
        }
}

/* Any finite bits: exponents over the whole range. */
static double any_finite(struct dice *dice)
{
    for (;;) {
        double value = double_from_bits(dice_u64(dice));
        if (isfinite(value))
            return value;
    }
}

static void add_something(struct pair *pair, struct dice *dice)
{
    double a = any_finite(dice), b = any_finite(dice);
    switch (dice_below(dice, 4)) {
    case 0:
        pair_add(pair, a);
        break;
    case 1:
        pair_add_product(pair, a, b);
        break;
    case 2:
        pair_add_product(pair, a, a);
        break;
    default:
        pair_add_integer(pair, (int64_t)(dice_u64(dice) >> dice_below(dice, 60)),
                         dice_between(dice, SUM_LOWEST_EXPONENT, 2048));
    }
}

static void test_random_terms(void **state)
{
    (void)state;
    struct dice dice = dice_for("terms");
    for (int round = 0; round < 200; round++) {
        struct pair pair;
        pair_init(&pair);
        for (int i = 0; i < 400; i++) {
            add_something(&pair, &dice);
            if (i % 40 == 0)
                assert_pair(&pair);
        }
        assert_pair(&pair);
        pair_clear(&pair);
    }
}

/* The digits as they may be before they are carried: nearly 2^30 additions in one direction. */
static void test_late_carry(void **state)
{
    (void)state;
    for (int64_t sign = -1; sign <= 1; sign += 2)
        for (uint32_t before = 3; before > 0; before--) {
            struct pair pair;
            pair_init(&pair);
            pair.sum.pending = (1U << 30) - before;
            for (int i = 0; i < SUM_DIGITS; i++)
                pair.sum.digit[i] = sign * (int64_t)pair.sum.pending * 0xffffffff;
            sum_get(pair.model, &pair.sum);
            for (int i = 0; i < 5; i++) {
                pair_add_product(&pair, (double)sign * DBL_MAX, DBL_MAX);
                pair_add_product(&pair, (double)sign * DBL_TRUE_MIN, DBL_TRUE_MIN);
                pair_add_integer(&pair, sign * INT64_MAX, 1);
            }
            assert_pair(&pair);
            exact_sum_merge(&pair.sum, &pair.sum);
            mpz_mul_2exp(pair.model, pair.model, 1);
            assert_pair(&pair);
            pair_clear(&pair);
        }
}

/* Where asked for, more additions than digits can take without a carry. */
static void test_many_terms(void **state)
{
    (void)state;
    struct exact_sum sum = {0};
    mpz_t value, wanted;
    mpz_inits(value, wanted, NULL);
    uint64_t count = (UINT64_C(1) << (test_exhaustively() ? 31 : 24)) + 5;
    for (uint64_t i = 0; i < count; i++)
        exact_sum_add_integer(&sum, -0xffffffffffffLL, 16);
    mpz_set_si(wanted, -0xffffffffffffLL);
    mpz_mul_ui(wanted, wanted, count);
    mpz_mul_2exp(wanted, wanted, 16 - SUM_LOWEST_EXPONENT);
    sum_get(value, &sum);
    assert_int_equal(mpz_cmp(value, wanted), 0);
    mpz_clears(value, wanted, NULL);
}

/* 2^64 times the largest square, by doubling, both signs; then all of it taken away again. */
static void test_largest_count(void **state)
{
    (void)state;
    for (double sign = -1; sign <= 1; sign += 2) {
        struct pair pair;
        struct exact_sum copies[65];
        pair_init(&pair);
        pair_add_product(&pair, sign * DBL_MAX, DBL_MAX);
        pair_add_product(&pair, -sign * DBL_TRUE_MIN, DBL_TRUE_MIN);
        for (int doubling = 0; doubling < 64; doubling++) {
            copies[doubling] = pair.sum;
            exact_sum_merge(&pair.sum, &pair.sum);
            mpz_mul_2exp(pair.model, pair.model, 1);
            assert_pair(&pair);
        }
        for (int doubling = 63; doubling >= 0; doubling--) {
            exact_sum_subtract(&pair.sum, &copies[doubling]);
            mpz_fdiv_q_2exp(pair.model, pair.model, 1);
            assert_pair(&pair);
        }
        exact_sum_subtract(&pair.sum, &copies[0]);
        assert_true(exact_is_zero(&pair.sum));
        exact_sum_subtract(&pair.sum, &copies[0]);
        exact_sum_subtract(&pair.sum, &pair.sum);
        assert_true(exact_is_zero(&pair.sum));
        pair_clear(&pair);
    }
}

/* Terms cut into parts, the parts merged or subtracted in any order and nesting. */
static void test_merging(void **state)
{
    enum { PARTS = 9 };
    (void)state;
    struct dice dice = dice_for("merging");
    for (int round = 0; round < 400; round++) {
        struct pair parts[PARTS];
        for (int p = 0; p < PARTS; p++) {
            pair_init(&parts[p]);
            for (uint64_t terms = dice_below(&dice, 30); terms > 0; terms--)
                add_something(&parts[p], &dice);
        }
        for (int left = PARTS; left > 1; left--) {
            size_t from = dice_below(&dice, (uint64_t)left),
                   into = dice_below(&dice, (uint64_t)left);
            if (from == into)
                from = (from + 1) % (size_t)left;
            if (dice_below(&dice, 4) == 0) {
                exact_sum_subtract(&parts[into].sum, &parts[from].sum);
                mpz_sub(parts[into].model, parts[into].model, parts[from].model);
            } else {
                exact_sum_merge(&parts[into].sum, &parts[from].sum);
                mpz_add(parts[into].model, parts[into].model, parts[from].model);
            }
            assert_pair(&parts[into]);
            struct pair used = parts[from];
            parts[from] = parts[left - 1];
            parts[left - 1] = used;
        }
        for (int p = 0; p < PARTS; p++)
            pair_clear(&parts[p]);
    }
}

/* (a + b) + c and a + (b + c), and any order of terms, as text. */
static void test_order(void **state)
{
    enum { TERMS = 50 };
    (void)state;
    struct dice dice = dice_for("order");
    for (int round = 0; round < 100; round++) {
        double terms[TERMS];
        for (int i = 0; i < TERMS; i++)
            terms[i] = any_finite(&dice);
        struct exact_sum forward = {0}, shuffled = {0};
        for (int i = 0; i < TERMS; i++) {
            exact_sum_add(&forward, terms[i]);
            exact_sum_add_product(&forward, terms[i], terms[i]);
        }
        for (size_t i = TERMS; i > 0; i--) {
            size_t j = dice_below(&dice, i);
            double term = terms[j];
            terms[j] = terms[i - 1];
            exact_sum_add_product(&shuffled, term, term);
            exact_sum_add(&shuffled, term);
        }
        char *a = exact_hex(&forward), *b = exact_hex(&shuffled);
        assert_string_equal(a, b);
        free(a);
        free(b);
        exact_sum_subtract(&forward, &shuffled);
        assert_true(exact_is_zero(&forward));
    }
}

static void test_known_texts(void **state)
{
    static const struct {
        int64_t n;
        int exponent;
        const char *text;
    } known[] = {
        {0, 0, "0x0p+0"},
        {1, 0, "0x1p+0"},
        {-3, 0, "-0x1.8p+1"},
        {16, -4, "0x1p+0"},
        {1, SUM_LOWEST_EXPONENT, "0x1p-4320"},
        {0x1234567, 0, "0x1.234567p+24"},
        {0x2468ace, -25, "0x1.234567p+0"},
        {-0x48d159c, 10, "-0x1.234567p+36"},
        {0x91a2b38, 0, "0x1.234567p+27"},
        {255, 2000, "0x1.fep+2007"},
        {10, -1, "0x1.4p+2"},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(known); i++) {
        struct exact_sum sum = {0};
        exact_sum_add_integer(&sum, known[i].n, known[i].exponent);
        char *text = exact_hex(&sum);
        assert_string_equal(text, known[i].text);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_texts),   cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_integers),      cmocka_unit_test(test_random_terms),
        cmocka_unit_test(test_late_carry),    cmocka_unit_test(test_many_terms),
        cmocka_unit_test(test_largest_count), cmocka_unit_test(test_merging),
        cmocka_unit_test(test_order),
    };
    print_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
