/* The cast of one element against MPFR, and stochastic rounding against its definition. */
#include "base/random.h"
#include "exact/figure.h"
#include "exact/reference.h"
#include "kernel/element.h"
#include "kernel/scalar.h"
#include "kernel/scale.h"
#include "tally/tally.h"

#include <float.h>
#include <math.h>
#include <mpfr.h>

#include "kernel/testing.h"

/* --scale goes to 1023 either way, --scale amax as far up as it takes the least binary64 to the
 * format's largest number. */
static const int scales[] = {0,    1,   -1,   8,     -9,   60,   -100, 149,
                             -500, 900, 1023, -1023, 1074, 1190, 1201};

/* Room for q - x and their quotient without rounding where that is asked for. */
struct scratch {
    mpfr_t q, x, e, ratio, rest;
};

static void scratch_init(struct scratch *s)
{
    mpfr_inits2(64, s->q, s->x, (mpfr_ptr)0);
    mpfr_inits2(2500, s->e, s->rest, (mpfr_ptr)0);
    mpfr_init2(s->ratio, 53);
}

static void scratch_clear(struct scratch *s)
{
    mpfr_clears(s->q, s->x, s->e, s->rest, s->ratio, (mpfr_ptr)0);
}

static const char *describe(const struct cast *cast, double x, uint64_t element)
{
    static char text[200];
    snprintf(text, sizeof text, "%s, %s%s, scale %d, key %llx: element %llu, x = %a",
             cast->format.name, rounding_name(cast->rounding), cast->saturate ? ", saturate" : "",
             cast->scale, (unsigned long long)cast->key, (unsigned long long)element, x);
    return text;
}

#define CHECK(condition, ...)                                               \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "# " __VA_ARGS__);                              \
            fprintf(stderr, "\n");                                          \
            fail_msg("%s: not %s", describe(cast, x, element), #condition); \
        }                                                                   \
    } while (0)

/* q - x, its parts and its ratio to x; s->q is set. */
static void check_error(struct scratch *s, const struct cast *cast, double x, uint64_t element,
                        const struct outcome *outcome)
{
    mpfr_set_d(s->x, x, MPFR_RNDN);
    assert_int_equal(mpfr_sub(s->e, s->q, s->x, MPFR_RNDN), 0);
    struct difference e = outcome_error(outcome, x);
    double high = mpfr_get_d(s->e, MPFR_RNDN);
    CHECK(e.high == high, "error %a, wanted %a", e.high, high);
    assert_int_equal(mpfr_sub_d(s->rest, s->e, high, MPFR_RNDN), 0);
    CHECK(mpfr_cmp_d(s->rest, e.low) == 0, "error %a and %a", e.high, e.low);
    if (x == 0 || high == 0)
        return;
    mpfr_div(s->ratio, s->e, s->x, MPFR_RNDN);
    double relative = relative_error(outcome, e, x), wanted = fabs(mpfr_get_d(s->ratio, MPFR_RNDN));
    CHECK(relative == wanted, "relative error %a, wanted %a", relative, wanted);
    /* Rounded toward zero a quotient keeps its exponent. */
    mpfr_div(s->ratio, s->e, s->x, MPFR_RNDZ);
    int exponent = relative_exponent(e, x), right = (int)mpfr_get_exp(s->ratio) - 1;
    CHECK(exponent == right, "relative exponent %d, wanted %d", exponent, right);
}

static bool overflows(const struct cast *cast, double x)
{
    struct cast away = *cast;
    if (cast->rounding == ROUND_STOCHASTIC)
        away.rounding = x < 0 ? ROUND_DOWN : ROUND_UP;
    return reference_cast(&away, x, 0).class == CLASS_OVERFLOW;
}

static void check_element(struct scratch *s, const struct cast *cast, double x, uint64_t element)
{
    struct reference_outcome wanted = reference_cast(cast, x, element);
    struct outcome got = cast_element(cast, x, element);
    CHECK(got.class == wanted.class, "class %d, wanted %d", got.class, wanted.class);
    CHECK((got.delivered == DELIVERED_FINITE) == wanted.finite, "delivered %d", got.delivered);
    uint64_t code = outcome_code(cast, &got);
    CHECK(code == wanted.code, "code 0x%llx, wanted 0x%llx", (unsigned long long)code,
          (unsigned long long)wanted.code);
    bool overflow = overflows(cast, x);
    CHECK(would_overflow(cast, x) == overflow, "would overflow %d", !overflow);
    if (got.delivered != DELIVERED_FINITE)
        return;
    CHECK(got.n <= UINT64_C(1) << cast->format.precision, "n = %llu", (unsigned long long)got.n);
    mpfr_set_ui_2exp(s->q, got.n, got.exponent, MPFR_RNDN);
    mpfr_setsign(s->q, s->q, got.negative, MPFR_RNDN);
    double value = mpfr_get_d(s->q, MPFR_RNDN);
    CHECK(value == wanted.value, "value %a, wanted %a", value, wanted.value);
    /* A scale beyond the limit is one at which nothing overflows. */
    if (isfinite(x) && !(overflow && cast->scale > SCALE_LIMIT))
        check_error(s, cast, x, element, &got);
}

static double special_value(struct dice *dice)
{
    static const double values[] = {0,        INFINITY,     NAN,         DBL_TRUE_MIN,
                                    DBL_MAX,  DBL_MIN,      0x1.8p-1074, 0x0.fffffffffffffp-1022,
                                    FLT_MAX,  FLT_TRUE_MIN, FLT_MIN,     0x1.ffffffp127,
                                    0x1p1023, 0x1.8p1023,   0x1p-149,    1};
    double value = values[dice_below(dice, LENGTH(values))];
    return dice_below(dice, 2) ? value : -value;
}

/* A number of the scaled format or the middle between it and the next, one beyond the largest
 * included, or up to two ulps beside it. */
static double near_breakpoint(struct dice *dice, const struct cast *cast)
{
    const struct format *f = &cast->format;
    uint64_t max = format_code_max(f, false);
    uint64_t code = dice_below(dice, 8) ? dice_below(dice, max + 1) : max;
    double value = format_decode(f, code);
    int exponent = value == 0 ? f->emin : ilogb(value);
    double quantum = ldexp(1, (exponent > f->emin ? exponent : f->emin) - f->precision + 1);
    value = ldexp(value + quantum * 0.5 * (double)dice_below(dice, 3), -cast->scale);
    for (int ulps = dice_between(dice, -2, 2); ulps; ulps -= ulps < 0 ? -1 : 1)
        value = nextafter(value, ulps < 0 ? -INFINITY : INFINITY);
    return dice_below(dice, 2) ? value : -value;
}

static double in_range(struct dice *dice, const struct cast *cast)
{
    int exponent =
        dice_between(dice, cast_emin(cast) - cast->format.precision - 3, cast_emax(cast) + 3);
    double value = ldexp(1 + dice_real(dice), exponent);
    return dice_below(dice, 2) ? value : -value;
}

static double some_input(struct dice *dice, const struct cast *cast)
{
    switch (dice_below(dice, 8)) {
    case 0:
        return special_value(dice);
    case 1:
    case 2:
        return double_from_bits(dice_u64(dice));
    case 3:
        return float_from_bits((uint32_t)dice_u64(dice));
    case 4:
        return in_range(dice, cast);
    default:
        return near_breakpoint(dice, cast);
    }
}

static void check_casts(struct dice *dice, enum rounding rounding, int rounds)
{
    struct scratch scratch;
    scratch_init(&scratch);
    for (size_t f = 0; f < test_format_count(); f++)
        for (size_t s = 0; s < LENGTH(scales); s++)
            for (int saturate = 0; saturate < 2; saturate++) {
                struct cast cast = {.format = test_format(f),
                                    .scale = scales[s],
                                    .rounding = rounding,
                                    .saturate = saturate,
                                    .key = dice_u64(dice)};
                for (int round = 0; round < rounds; round++)
                    check_element(&scratch, &cast, some_input(dice, &cast),
                                  dice_u64(dice) >> dice_below(dice, 64));
            }
    scratch_clear(&scratch);
}

static void test_modes(void **state)
{
    (void)state;
    int rounds = test_exhaustively() ? 3000 : 150;
    for (int rounding = 0; rounding < ROUND_COUNT; rounding++) {
        struct dice dice = dice_for(rounding_name((enum rounding)rounding));
        check_casts(&dice, (enum rounding)rounding, rounds);
    }
}

/* Every number of the small formats, every middle, and their neighbours, at scales to both ends. */
static void test_all_breakpoints_of_small_formats(void **state)
{
    (void)state;
    struct scratch scratch;
    scratch_init(&scratch);
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++) {
        struct cast cast = {.format = format_named(i)};
        if (cast.format.bits > 8)
            continue;
        for (uint64_t code = 0; code < format_code_max(&cast.format, false); code++) {
            double value = format_decode(&cast.format, code);
            double middle = (value + format_decode(&cast.format, code + 1)) / 2;
            double points[] = {value, middle};
            for (size_t p = 0; p < 2; p++)
                for (size_t s = 0; s < LENGTH(scales); s++) {
                    cast.scale = scales[s];
                    double x = ldexp(points[p], -cast.scale);
                    check_element(&scratch, &cast, x, 0);
                    check_element(&scratch, &cast, nextafter(x, INFINITY), 0);
                    check_element(&scratch, &cast, -nextafter(x, 0), 0);
                }
        }
    }
    scratch_clear(&scratch);
}

static void test_known_facts(void **state)
{
    static const struct {
        const char *format;
        double x;
        enum class class;
        uint64_t code;
    } facts[] = {
        {"e4m3fn", 448, CLASS_NORMAL, 0x7e},
        {"e4m3fn", 464, CLASS_NORMAL, 0x7e},
        {"e4m3fn", 465, CLASS_OVERFLOW, 0x7f},
        {"e4m3fn", -465, CLASS_OVERFLOW, 0xff},
        {"e4m3fn", 0x1.d000000000001p8, CLASS_OVERFLOW, 0x7f},
        {"e4m3fn", 0x1p-10, CLASS_UNDERFLOW, 0x00},
        {"e4m3fn", 0x1.0000000000001p-10, CLASS_SUBNORMAL, 0x01}, /* 0 by way of float32 */
        {"e4m3fn", -0x1p-11, CLASS_UNDERFLOW, 0x80},
        {"e4m3fnuz", -0x1p-12, CLASS_UNDERFLOW, 0x00},
        {"e4m3fnuz", -0.0, CLASS_ZERO, 0x00},
        {"e4m3fnuz", 248, CLASS_OVERFLOW, 0x80},
        {"e5m2", 61440, CLASS_OVERFLOW, 0x7c},
        {"e5m2", 61439, CLASS_NORMAL, 0x7b},
        {"fp16", 65519.99, CLASS_NORMAL, 0x7bff},
        {"fp16", 65520, CLASS_OVERFLOW, 0x7c00},
        {"fp16", 0x1p-25, CLASS_UNDERFLOW, 0x0000},
        {"fp16", 0x1.8p-24, CLASS_SUBNORMAL, 0x0002},
        {"fp16", 0x1.ffep-15, CLASS_NORMAL, 0x0400},
        {"bf16", 1.00390625, CLASS_NORMAL, 0x3f80},
        {"bf16", 1.01171875, CLASS_NORMAL, 0x3f82},
        {"bf16", FLT_MAX, CLASS_OVERFLOW, 0x7f80},
        {"tf32", 1, CLASS_NORMAL, 0x3f800000},
        {"e2m1", 6.99, CLASS_NORMAL, 0x7},
        {"e2m1", 7, CLASS_OVERFLOW, 0x7},
        {"e2m1", -1e9, CLASS_OVERFLOW, 0xf},
        {"e2m1", -NAN, CLASS_NAN, 0x7},
        {"e2m1", -INFINITY, CLASS_INF, 0xf},
        {"e2m1", 0.25, CLASS_UNDERFLOW, 0x0},
        {"fp32", 0x1.000001p0, CLASS_NORMAL, 0x3f800000},
        {"fp32", 0x1.0000010000001p0, CLASS_NORMAL, 0x3f800001},
    };
    (void)state;
    struct scratch scratch;
    scratch_init(&scratch);
    for (size_t i = 0; i < LENGTH(facts); i++) {
        struct cast cast = {.format = format_by_name(facts[i].format)};
        struct outcome outcome = cast_element(&cast, facts[i].x, 0);
        if (outcome.class != facts[i].class || outcome_code(&cast, &outcome) != facts[i].code)
            fail_msg("%s: class %d, code 0x%llx", describe(&cast, facts[i].x, 0), outcome.class,
                     (unsigned long long)outcome_code(&cast, &outcome));
        check_element(&scratch, &cast, facts[i].x, 0);
    }
    scratch_clear(&scratch);
}

/* IEEE 754-2019 section 7.4 and REPORT.md: what each mode delivers beyond the largest number. */
static void test_what_overflow_delivers(void **state)
{
    static const struct {
        enum rounding rounding;
        bool keeps_positive, keeps_negative;
    } modes[] = {
        {ROUND_NEAREST_EVEN, false, false}, {ROUND_NEAREST_AWAY, false, false},
        {ROUND_TOWARD_ZERO, true, true},    {ROUND_UP, false, true},
        {ROUND_DOWN, true, false},          {ROUND_STOCHASTIC, false, false},
    };
    (void)state;
    assert_int_equal(LENGTH(modes), ROUND_COUNT);
    for (size_t f = 0; f < FORMAT_NAMED_COUNT; f++)
        for (size_t m = 0; m < LENGTH(modes); m++)
            for (int variant = 0; variant < 4; variant++) {
                bool negative = variant & 1, saturate = variant & 2;
                struct cast cast = {
                    .format = format_named(f), .rounding = modes[m].rounding, .saturate = saturate};
                const struct format *format = &cast.format;
                bool keeps = negative ? modes[m].keeps_negative : modes[m].keeps_positive;
                keeps |= saturate || !format_has_nan(format);
                struct outcome outcome = cast_element(&cast, negative ? -1e300 : 1e300, 0);
                assert_int_equal(outcome.class, CLASS_OVERFLOW);
                uint64_t wanted = keeps                    ? format_code_max(format, negative)
                                  : format_has_inf(format) ? format_code_inf(format, negative)
                                                           : format_code_nan(format, negative);
                assert_int_equal(outcome_code(&cast, &outcome), wanted << format->code_shift);
            }
}

/* Random123's known answers for philox4x32-10. */
static void test_philox(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(known); i++) {
        struct random_draw draw = {.key = (uint64_t)known[i].key[1] << 32 | known[i].key[0],
                                   .element =
                                       (uint64_t)known[i].counter[1] << 32 | known[i].counter[0],
                                   .step = known[i].counter[2],
                                   .use = RANDOM_USE_CAST};
        uint64_t words[2];
        random_bits(&draw, known[i].counter[3], words);
        assert_int_equal(words[0], (uint64_t)known[i].answer[0] << 32 | known[i].answer[1]);
        assert_int_equal(words[1], (uint64_t)known[i].answer[2] << 32 | known[i].answer[3]);
    }
}

/* How often of so many draws the larger magnitude is taken, from one x and from its negative. */
static uint64_t times_up(const struct cast *cast, double x, uint64_t draws)
{
    struct outcome low = cast_element(&(struct cast){.format = cast->format,
                                                     .scale = cast->scale,
                                                     .rounding = ROUND_TOWARD_ZERO,
                                                     .saturate = true},
                                      x, 0);
    uint64_t up = 0;
    for (uint64_t element = 0; element < draws; element++) {
        struct outcome outcome = cast_element(cast, x, element);
        bool larger = outcome.class == CLASS_OVERFLOW || outcome.n != low.n;
        struct outcome mirrored = cast_element(cast, -x, element);
        assert_int_equal(mirrored.class, outcome.class);
        assert_int_equal(mirrored.n, outcome.n);
        up += larger;
    }
    return up;
}

static void test_stochastic_frequency(void **state)
{
    static const struct {
        const char *format;
        int scale;
        double x, fraction; /* of the way to the next number */
    } cases[] = {
        {"fp16", 0, 1 + 0x1p-11, 0.5},
        {"fp16", 0, 1 + 0x1p-20, 0x1p-10},
        {"fp16", 0, 0x1p-14 + 0x1.8p-25, 0.75},
        {"fp16", 0, 0x1p-26, 0.25},
        {"fp16", 5, 0x1.4p-30, 0.625},
        {"bf16", 0, 1e-40, 1e-40 / 0x1p-133 - 1},
        {"bf16", 0, 3.3, 3.3 * 64 - 211},
        {"e4m3fn", 0, 448 + 8, 0.25}, /* to overflow */
        {"e4m3fn", 0, 479.5, 31.5 / 32},
        {"e4m3fn", -4, 448 * 16 + 128, 0.25},
        {"e5m2", 0, 1 + 0x1.fffffffffffcp-3, 1 - 0x1p-47},
        {"e2m1", 0, 0.1, 0.2},
        {"e2m1", 0, 5.8, 0.9},
        {"e2m1", 0, 6.5, 0.25},
        {"e2m1", 1023, 0x1p-1030, 0x1p-6},
        {"e2m1", -1023, 0x1p1019, 0.125},
        {"e2m1", -1023, 0x1p900, 0},
        {"fp32", 0, 1 + 0x1p-52, 0x1p-29},
    };
    enum { DRAWS = 100000 };
    (void)state;
    for (size_t i = 0; i < LENGTH(cases); i++) {
        struct cast cast = {.format = format_by_name(cases[i].format),
                            .scale = cases[i].scale,
                            .rounding = ROUND_STOCHASTIC,
                            .key = random_key(test_seed(), cases[i].format)};
        double expected = DRAWS * cases[i].fraction;
        double sigma = sqrt(expected * (1 - cases[i].fraction));
        double up = (double)times_up(&cast, cases[i].x, DRAWS);
        /* Where less than a thousandth is expected, five sigma would refuse any. */
        if (fabs(up - expected) > 5 * sigma + 1e-3 + (sigma < 0.1 ? 1 : 0))
            fail_msg("%s: %g of %d, expected %g +- %g", describe(&cast, cases[i].x, 0), up, DRAWS,
                     expected, sigma);
    }
}

/* Draws of other keys, elements and names are others: about half of them differ. */
static void test_stochastic_independence(void **state)
{
    enum { DRAWS = 100000 };
    (void)state;
    struct cast cast = {.format = format_by_name("fp16"), .rounding = ROUND_STOCHASTIC};
    uint64_t keys[] = {
        random_key(1, ""), random_key(2, ""), random_key(1, "a"), random_key(1, "b"), 0,
        UINT64_C(1) << 63};
    for (size_t a = 0; a < LENGTH(keys); a++)
        for (size_t b = 0; b < LENGTH(keys); b++)
            for (uint64_t offset = 0; offset < 3; offset++) {
                double differ = 0;
                for (uint64_t element = 0; element < DRAWS; element++) {
                    cast.key = keys[a];
                    uint64_t one = cast_element(&cast, 1 + 0x1p-11, element).n;
                    cast.key = keys[b];
                    differ += one != cast_element(&cast, 1 + 0x1p-11, element + offset).n;
                }
                if (a == b && offset == 0)
                    assert_true(differ == 0);
                else
                    assert_true(fabs(differ - DRAWS / 2.0) < 5 * sqrt(DRAWS / 4.0));
            }
}

/*
 * Where the fraction agrees with the first 64 random bits, the next ones decide. That is as rare as
 * it sounds, so the fraction is made from the bits: an element whose first word is below 2^52 gives
 * a fraction of 65 bits and more that a binary64 can hold.
 */
static void test_long_comparisons(void **state)
{
    (void)state;
    struct scratch scratch;
    scratch_init(&scratch);
    struct cast cast = {
        .format = format_by_name("e4m3fn"), .rounding = ROUND_STOCHASTIC, .key = 99};
    int found = 0;
    for (uint64_t element = 0; element < 1 << 18; element++) {
        struct random_draw draw = {.key = cast.key, .element = element, .use = RANDOM_USE_CAST};
        uint64_t words[2];
        random_bits(&draw, 0, words);
        if (words[0] >> 52 || words[0] == 0)
            continue;
        found++;
        double quantum = format_min_subnormal(&cast.format);
        for (uint64_t bit = 0; bit < 2; bit++) {
            double x = ldexp((double)(2 * words[0] + bit), -65) * quantum;
            bool up = cast_element(&cast, x, element).n;
            assert_int_equal(up, bit && words[1] < UINT64_C(1) << 63);
            check_element(&scratch, &cast, x, element);
            assert_true(cast_element(&cast, nextafter(x, 1), element).n >= up);
            check_element(&scratch, &cast, -nextafter(x, 1), element);
            check_element(&scratch, &cast, nextafter(x, 0), element);
        }
    }
    assert_true(found > 20);
    scratch_clear(&scratch);
}

/* A monotone would_overflow, and the largest number that does not. */
static void test_overflow_threshold(void **state)
{
    (void)state;
    for (size_t f = 0; f < test_format_count(); f++)
        for (int rounding = 0; rounding < ROUND_COUNT; rounding++)
            for (int sign = -1; sign <= 1; sign += 2) {
                struct cast cast = {.format = test_format(f), .rounding = (enum rounding)rounding};
                uint64_t below = 0, above = double_bits(INFINITY);
                while (above - below > 1) {
                    uint64_t middle = below + (above - below) / 2;
                    if (would_overflow(&cast, sign * double_from_bits(middle)))
                        above = middle;
                    else
                        below = middle;
                }
                double last = sign * double_from_bits(below),
                       first = sign * double_from_bits(above);
                assert_false(overflows(&cast, last));
                assert_true(overflows(&cast, first));
            }
}

static void assert_histogram(const struct cast_measure *m, const struct reference_figures *wanted)
{
    for (int bin = 0; bin < RELATIVE_BINS; bin++) {
        int at = bin + RELATIVE_FIRST - wanted->relative.first;
        bool inside = at >= 0 && (size_t)at < wanted->relative.length;
        assert_int_equal(m->relative[bin], inside ? wanted->relative.counts[at] : 0);
    }
    assert_int_equal(m->relative_exact, wanted->relative_exact);
}

static void assert_sum(const struct exact_sum *sum, const char *wanted)
{
    char *text = exact_hex(sum);
    assert_string_equal(text, wanted);
    free(text);
}

static void assert_extreme(const struct cast *cast, const struct extreme *best, double value,
                           uint64_t at, double input)
{
    if (best->high != value || (value != 0 && (best->position != at || best->input != input)))
        fail_msg("%s: extreme %a of %a at %llu, wanted %a at %llu", describe(cast, input, at),
                 best->high, best->input, (unsigned long long)best->position, value,
                 (unsigned long long)at);
}

/* What the plain kernel adds up against the referee's figures. */
static void assert_figures(const struct cast *cast, const struct cast_measure *m,
                           const struct reference_figures *wanted)
{
    for (int c = 0; c < CLASS_COUNT; c++)
        assert_int_equal(m->classes[c], wanted->classes[c]);
    assert_int_equal(m->exact, wanted->exact);
    assert_int_equal(m->count, wanted->count);
    assert_histogram(m, wanted);
    assert_sum(&m->e, wanted->sum_e);
    assert_sum(&m->abs_e, wanted->sum_abs_e);
    assert_sum(&m->e2, wanted->sum_e2);
    assert_sum(&m->x2, wanted->sum_x2);
    if (m->count == 0) {
        assert_true(isnan(wanted->mean) && isnan(wanted->max_rel));
        return;
    }
    assert_extreme(cast, &m->max_abs, wanted->max_abs, wanted->max_abs_at, wanted->max_abs_input);
    assert_extreme(cast, &m->max_rel, wanted->max_rel, wanted->max_rel_at, wanted->max_rel_input);
    assert_true(exact_mean(&m->e, m->count) == wanted->mean);
    assert_true(exact_mean(&m->abs_e, m->count) == wanted->mean_abs);
    assert_true(exact_root_mean(&m->e2, m->count) == wanted->rms);
    if (exact_is_zero(&m->e2))
        return;
    assert_true(exact_root_ratio(&m->e2, &m->x2) == wanted->rel_l2);
    assert_true(exact_decibel(&m->x2, &m->e2) == wanted->sqnr_db);
}

/* `--scale amax`: the largest scale at which nothing overflows. */
static int scale_of(const struct cast *cast, const double *x, size_t n)
{
    double most = 0, least = 0;
    for (size_t i = 0; i < n; i++) {
        if (isfinite(x[i]) && x[i] > most)
            most = x[i];
        if (isfinite(x[i]) && x[i] < least)
            least = x[i];
    }
    int scale = scale_without_overflow(cast, most, least);
    struct cast scaled = *cast;
    scaled.scale = scale;
    assert_false(overflows(&scaled, most) || overflows(&scaled, least));
    scaled.scale++;
    assert_true(overflows(&scaled, most) || overflows(&scaled, least) || (most == 0 && least == 0));
    return scale;
}

static size_t some_tensor(struct dice *dice, struct cast *cast, double *x, size_t most)
{
    size_t n = dice_below(dice, most + 1);
    uint64_t kinds = 1 + dice_below(dice, 4);
    do
        cast->scale = scales[dice_below(dice, LENGTH(scales))];
    while (cast->scale > SCALE_LIMIT);
    for (size_t i = 0; i < n; i++)
        x[i] = dice_below(dice, kinds) ? in_range(dice, cast) : some_input(dice, cast);
    if (dice_below(dice, 4) == 0)
        cast->scale = scale_of(cast, x, n);
    return n;
}

static void test_whole_tensors(void **state)
{
    enum { MOST = 60 };
    (void)state;
    struct dice dice = dice_for("whole tensors");
    struct tally *tally = tally_new(1, NULL);
    for (int round = 0; round < 4000; round++) {
        struct cast cast = {.format = test_format(dice_below(&dice, test_format_count())),
                            .rounding = (enum rounding)dice_below(&dice, ROUND_COUNT),
                            .saturate = dice_below(&dice, 2),
                            .key = dice_u64(&dice)};
        double x[MOST];
        size_t n = some_tensor(&dice, &cast, x, MOST);
        uint64_t first = dice_below(&dice, 1000);
        struct plan plan = plan_cast(&cast);
        memset(tally, 0, sizeof *tally + sizeof *tally->casts);
        scalar_measure_f64(x, n, first, &tally->input, &plan, tally->casts, 1);
        struct reference *reference = reference_new(&cast);
        reference_add(reference, x, n, first);
        struct reference_figures wanted = reference_finish(reference);
        assert_figures(&cast, tally->casts, &wanted);
        reference_figures_free(&wanted);
    }
    free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_facts),
        cmocka_unit_test(test_what_overflow_delivers),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_all_breakpoints_of_small_formats),
        cmocka_unit_test(test_overflow_threshold),
        cmocka_unit_test(test_philox),
        cmocka_unit_test(test_stochastic_frequency),
        cmocka_unit_test(test_stochastic_independence),
        cmocka_unit_test(test_long_comparisons),
        cmocka_unit_test(test_whole_tensors),
    };
    print_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
