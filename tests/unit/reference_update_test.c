/* The referee of updates: what it says where the answer is known, that reports agree with it, and
 * that a report with a wrong figure does not. */
#include "exact/reference_update.h"
#include "kernel/kernel.h"
#include "kernel/scalar.h"
#include "kernel/scale.h"
#include "report/build.h"
#include "report/verify.h"

#include <float.h>
#include <math.h>

#include "kernel/testing.h"

/* One tensor, its updates, and what is asked about them. */
struct subject {
    struct cast cast;
    struct update_plan plan;
    double x[64], g[64];
    size_t n;
    uint64_t first; /* position of the first element */
};

static struct reference_update_figures referee(const struct subject *s)
{
    const struct reference_update_plan plan = {.average = s->plan.rule == UPDATE_EMA,
                                               .scale = s->plan.scale,
                                               .beta = s->plan.beta,
                                               .steps = s->plan.steps,
                                               .sample = s->plan.sample};
    struct reference_update *reference = reference_update_new(&s->cast, &plan);
    reference_update_add(reference, s->x, s->g, s->n, s->first);
    return reference_update_finish(reference);
}

static struct reference_figures cast_referee(const struct subject *s)
{
    struct reference *reference = reference_new(&s->cast);
    reference_add(reference, s->x, s->n, s->first);
    return reference_finish(reference);
}

static struct reference_input_figures input_referee(const struct subject *s)
{
    struct reference_input *reference = reference_input_new();
    reference_input_add(reference, s->x, s->n);
    return reference_input_finish(reference);
}

static struct tally *measure(const struct subject *s)
{
    struct tally *tally = tally_new(1, &s->plan);
    struct plan plan = plan_cast(&s->cast);
    scalar_measure_f64(s->x, s->n, s->first, &tally->input, &plan, tally->casts, 1);
    for (size_t i = 0; i < s->n; i++)
        update_element(&s->cast, &s->plan, s->x[i], s->g[i], s->first + i, tally->updates,
                       tally->steps);
    return tally;
}

/* The report of the one tensor; report_free() takes it back. */
static struct report report_on(const struct subject *s)
{
    struct report report = {.tensor_count = 1, .cast_count = 1};
    report.tensors = calloc(1, sizeof *report.tensors);
    struct cast *bound = malloc(sizeof s->cast);
    *bound = s->cast;
    struct tally *tally = measure(s);
    report.tensors->figures = report_figures_new(tally, bound);
    tally_free(tally);
    return report;
}

static const char *describe(const struct subject *s)
{
    static char text[300];
    snprintf(text, sizeof text,
             "%s, %s%s, scale %d, key %llx, rule %d, S = %a, beta = %a, steps %llu by %llu",
             s->cast.format.name, rounding_name(s->cast.rounding),
             s->cast.saturate ? ", saturate" : "", s->cast.scale, (unsigned long long)s->cast.key,
             (int)s->plan.rule, s->plan.scale, s->plan.beta, (unsigned long long)s->plan.steps,
             (unsigned long long)s->plan.sample);
    return text;
}

static void assert_agreement(const struct subject *s)
{
    struct report report = report_on(s);
    struct reference_figures cast = cast_referee(s);
    struct reference_update_figures updates = referee(s);
    struct error error;
    if (!report_verify(report.tensors->figures->casts, &cast, &updates, &error)) {
        for (size_t i = 0; i < s->n; i++)
            fprintf(stderr, "# element %zu: x = %a, g = %a\n", i, s->x[i], s->g[i]);
        fail_msg("%s: %s", describe(s), error.text);
    }
    reference_figures_free(&cast);
    report_free(&report);
}

/* One element x and its update u, and where it is known the least update that moves it. */
static void test_thresholds(void **state)
{
    static const struct {
        const char *format;
        enum rounding rounding;
        bool saturate;
        double x, u, threshold;
        uint64_t lost, overflow;
    } facts[] = {
        {"bf16", ROUND_NEAREST_EVEN, false, 1, 0x1p-9, 0x1p-8, 1, 0},
        {"bf16", ROUND_NEAREST_EVEN, false, 1, 0x1p-8, 0x1p-8, 1, 0}, /* a tie */
        {"bf16", ROUND_NEAREST_AWAY, false, 1, 0x1p-8, 0x1p-8, 0, 0},
        {"bf16", ROUND_NEAREST_EVEN, false, 1, -0x1p-9, 0x1p-9, 1, 0}, /* half as far downward */
        {"bf16", ROUND_NEAREST_EVEN, false, -1, 0x1.8p-9, 0x1p-9, 0, 0},
        {"bf16", ROUND_NEAREST_EVEN, false, 1.5, -0x1p-9, 0x1p-8, 1, 0},
        {"bf16", ROUND_NEAREST_EVEN, false, 0, 1, 0x1p-134, 0, 0},
        {"bf16", ROUND_NEAREST_EVEN, false, 0x1p-126, -1, 0x1p-134, 0, 0},
        {"bf16", ROUND_TOWARD_ZERO, false, 1, 0x1p-9, 0x1p-7, 1, 0},
        {"bf16", ROUND_TOWARD_ZERO, false, 1, -0x1p-9, 0, 0, 0},
        {"bf16", ROUND_TOWARD_ZERO, false, -0.0, -1, 0x1p-133, 0, 0},
        {"bf16", ROUND_UP, false, 1, 0x1p-1000, 0, 0, 0},
        {"bf16", ROUND_UP, false, 1, -0x1p-8, 0x1p-8, 0, 0},
        {"bf16", ROUND_DOWN, false, 1, -0x1p-1000, 0, 0, 0},
        {"bf16", ROUND_DOWN, false, 1, 0x1p-8, 0x1p-7, 1, 0},
        {"e4m3fn", ROUND_NEAREST_EVEN, false, 448, 15, 16, 1, 0},
        {"e4m3fn", ROUND_NEAREST_EVEN, false, 448, 17, 16, 0, 1},
        {"e4m3fn", ROUND_NEAREST_EVEN, true, 448, 17, INFINITY, 1, 1},
        {"e4m3fn", ROUND_TOWARD_ZERO, false, 448, 1e9, INFINITY, 1, 1},
        {"e4m3fn", ROUND_TOWARD_ZERO, false, 448, -1e9, 0, 0, 1},
        {"e4m3fn", ROUND_DOWN, false, 448, 1e9, INFINITY, 1, 1},
        {"e4m3fn", ROUND_UP, false, 448, 1, 0, 0, 1},
        {"e4m3fn", ROUND_UP, false, -448, -31, INFINITY, 1, 0},
        {"e4m3fn", ROUND_UP, true, 448, 1, INFINITY, 1, 1},
        {"e4m3fn", ROUND_NEAREST_EVEN, true, 416, 1e9, 16, 0, 1},
        {"e2m1", ROUND_NEAREST_EVEN, false, INFINITY, 1, INFINITY, 1, 1}, /* stored as 6 */
        {"e2m1", ROUND_NEAREST_EVEN, false, 6, -0.75, 1, 1, 0},
        {"e5m2", ROUND_NEAREST_EVEN, false, 1, -1, 0x1p-4, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < LENGTH(facts); i++) {
        struct subject s = {.cast = {.format = format_by_name(facts[i].format),
                                     .rounding = facts[i].rounding,
                                     .saturate = facts[i].saturate},
                            .plan = {.rule = UPDATE_ADD, .scale = -2, .sample = 1},
                            .x = {facts[i].x},
                            .g = {facts[i].u / -2},
                            .n = 1};
        struct reference_update_figures f = referee(&s);
        if (f.count != 1 || f.lost != facts[i].lost || f.overflow != facts[i].overflow ||
            f.p50 != facts[i].threshold || f.p100 != facts[i].threshold)
            fail_msg("fact %zu: count %d, lost %d, overflow %d, threshold %a", i, (int)f.count,
                     (int)f.lost, (int)f.overflow, f.p50);
        assert_agreement(&s);
    }
}

static struct subject plain_subject(const char *format, double scale)
{
    return (struct subject){.cast = {.format = format_by_name(format)},
                            .plan = {.rule = UPDATE_ADD, .scale = scale, .sample = 1}};
}

static void test_sums_and_quantiles(void **state)
{
    static const double x[] = {1, 2, 4, 8, NAN, INFINITY, 1e30, 0.25};
    static const double g[] = {-2, -2, -2, -2, 1, 1, NAN, 0};
    (void)state;
    struct subject s = plain_subject("bf16", -0.0078125);
    s.n = LENGTH(x);
    memcpy(s.x, x, sizeof x);
    memcpy(s.g, g, sizeof g);
    struct reference_update_figures f = referee(&s);
    /* u is 2^-6: two ulps of 1, one of 2, a tie at 4 and less at 8. */
    assert_int_equal(f.count, 4);
    assert_int_equal(f.lost, 2);
    assert_true(f.lost_rate == 0.5);
    assert_true(f.effective_ratio == 0.5);
    assert_true(f.edq == 0x1p-6);
    assert_true(f.norm_ratio == sqrt(0.5));
    assert_true(f.p50 == 0x1p-7 && f.p90 == 0x1p-5 && f.p99 == 0x1p-5 && f.p100 == 0x1p-5);
    assert_agreement(&s);

    s.cast.rounding = ROUND_STOCHASTIC;
    f = referee(&s);
    assert_true(f.count == 4 && isnan(f.p50) && isnan(f.p100));
    s.n = 0;
    f = referee(&s);
    assert_true(f.count == 0 && isnan(f.lost_rate) && isnan(f.effective_ratio) && isnan(f.edq));
    assert_agreement(&s);
}

static void test_average(void **state)
{
    static const double x[] = {1, 1, 1, 0.25, NAN, 0};
    static const double g[] = {0, 8, 1, -0.5, 0, 0};
    (void)state;
    struct subject s = plain_subject("bf16", 1);
    s.plan.rule = UPDATE_EMA;
    s.plan.beta = 1 - 0x1p-9;
    s.n = LENGTH(x);
    memcpy(s.x, x, sizeof x);
    memcpy(s.g, g, sizeof g);
    struct reference_update_figures f = referee(&s);
    /* The first stays, a tie; the second gets 63 / 512; the others are at rest. */
    assert_int_equal(f.count, 2);
    assert_int_equal(f.lost, 1);
    double moved = 16 * 0x1p-7, u2 = 0x1p-18 * (1 + 63 * 63);
    assert_true(f.effective_ratio == moved * 63 * 0x1p-9 / u2);
    assert_true(f.norm_ratio == sqrt(moved * moved / u2));
    assert_true(isnan(f.p50));
    assert_agreement(&s);
}

static void test_steps(void **state)
{
    (void)state;
    struct subject s = plain_subject("bf16", 1);
    s.plan.steps = 4;
    s.plan.sample = 2;
    s.n = 2;
    s.first = 5; /* of which the second is sampled */
    s.x[0] = s.x[1] = 1;
    s.g[0] = s.g[1] = 0x1p-8; /* a tie: lost each time */
    struct reference_update_figures f = referee(&s);
    assert_int_equal(f.none.frozen, 2);
    assert_true(f.none.frozen_rate == 1 && f.none.movement_error == 1);
    assert_true(f.kahan.frozen_rate == 0 && f.kahan.movement_error == 0);
    assert_true(f.master.frozen_rate == 0 && f.master.movement_error == 0);
    assert_agreement(&s);

    s.plan.steps = 3;
    f = referee(&s); /* 1 + 3 * 2^-8 is cast to 1 + 2^-6 */
    assert_true(f.master.movement_error == 1.0 / 3 && f.kahan.movement_error == 1.0 / 3);

    s.x[0] = s.x[1] = 3e38; /* the third one is too much */
    s.g[0] = s.g[1] = 2e37;
    f = referee(&s);
    assert_int_equal(f.none.frozen + f.kahan.frozen + f.master.frozen + f.stochastic.frozen, 0);
    assert_true(isnan(f.none.movement_error) && isnan(f.master.movement_error) &&
                isnan(f.stochastic.movement_error) && isnan(f.kahan.movement_error));
    assert_agreement(&s);
}

/* Numbers of few bits, so that sums are often ties or equal; any number; the special ones. */
static double some_number(struct dice *dice, int low, int high)
{
    static const double specials[] = {0.0, -0.0, INFINITY, NAN, DBL_MAX, -DBL_TRUE_MIN, 1};
    if (dice_below(dice, 16) == 0)
        return specials[dice_below(dice, LENGTH(specials))];
    if (dice_below(dice, 24) == 0)
        return double_from_bits(dice_u64(dice));
    int bits = dice_below(dice, 2) ? 53 : dice_between(dice, 1, 12);
    double n = (double)(dice_u64(dice) >> (64 - bits));
    return ldexp(dice_below(dice, 2) ? n : -n, dice_between(dice, low, high) - bits + 1);
}

static double some_factor(struct dice *dice)
{
    static const double factors[] = {1, -0.1, 0x1p-5, -1e-9, 1e300, DBL_TRUE_MIN, -0x1p-600};
    return factors[dice_below(dice, dice_below(dice, 3) ? 4 : LENGTH(factors))];
}

static double some_beta(struct dice *dice)
{
    static const double betas[] = {0, 0.5, 0.9, 0.999, 1 - 0x1p-53, 1e-10, 0.3};
    return betas[dice_below(dice, LENGTH(betas))];
}

static struct update_plan some_plan(struct dice *dice)
{
    static const uint64_t steps[] = {0, 0, 1, 2, 5, 30};
    struct update_plan plan = {.rule = dice_below(dice, 3) ? UPDATE_ADD : UPDATE_EMA,
                               .scale = some_factor(dice),
                               .sample = 1 + dice_below(dice, 3)};
    if (plan.rule == UPDATE_EMA)
        plan.beta = some_beta(dice);
    else
        plan.steps = steps[dice_below(dice, LENGTH(steps))];
    return plan;
}

static int some_scale(struct dice *dice)
{
    static const int scales[] = {1, -1, 5, -60, 149, -500, 1023, -1023};
    return dice_below(dice, 2) ? 0 : scales[dice_below(dice, LENGTH(scales))];
}

/* As --scale amax has it; beyond SCALE_LIMIT, too. */
static int fitting_scale(const struct subject *s)
{
    double most = 0, least = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (isfinite(s->x[i]) && s->x[i] > most)
            most = s->x[i];
        if (isfinite(s->x[i]) && s->x[i] < least)
            least = s->x[i];
    }
    return scale_without_overflow(&s->cast, most, least);
}

static void some_elements(struct dice *dice, struct subject *s)
{
    int emin = cast_emin(&s->cast) - s->cast.format.precision - 2, emax = cast_emax(&s->cast) + 1;
    int low = emin < -1080 ? -1080 : emin, high = emax > 1023 ? 1023 : emax;
    if (dice_below(dice, 2)) { /* near each other */
        low = dice_between(dice, low, high);
        high = low + 3 < high ? low + 3 : high;
    }
    for (size_t i = 0; i < s->n; i++) {
        s->x[i] = some_number(dice, low, high);
        int size = isfinite(s->x[i]) && s->x[i] != 0 ? ilogb(s->x[i]) : low;
        int down = dice_between(dice, -1, s->cast.format.precision + 3);
        if (s->plan.rule == UPDATE_EMA) /* S^2 g^2 of a size with x */
            s->g[i] = some_number(dice, size / 2, size / 2 + 3) / s->plan.scale;
        else
            s->g[i] = some_number(dice, size - down, size - down) / s->plan.scale;
    }
    if (dice_below(dice, 4) == 0)
        s->cast.scale = fitting_scale(s);
}

static struct subject some_subject(struct dice *dice)
{
    struct subject s = {
        .cast = {.format = test_format(dice_below(dice, test_format_count())),
                 .scale = some_scale(dice),
                 .rounding = (enum rounding)dice_below(dice, ROUND_COUNT),
                 .saturate = dice_below(dice, 2),
                 .key = dice_u64(dice)},
        .plan = some_plan(dice),
        .n = dice_below(dice, 30),
        .first = dice_below(dice, 1000),
    };
    some_elements(dice, &s);
    return s;
}

static void test_any(void **state)
{
    (void)state;
    struct dice dice = dice_for("any updates");
    for (int round = 0; round < 3000; round++) {
        struct subject s = some_subject(&dice);
        assert_agreement(&s);
    }
}

/* Another value, the least other real number for one; of a null a zero. */
static struct value spoiled(struct value value, enum metric_type type)
{
    static const enum value_kind kinds[] = {
        [TYPE_COUNT] = VALUE_COUNT, [TYPE_REAL] = VALUE_REAL, [TYPE_INDEX] = VALUE_INDEX};
    if (value.kind == VALUE_NULL)
        return (struct value){.kind = kinds[type]};
    if (value.kind == VALUE_REAL)
        value.real = nextafter(value.real, value.real == INFINITY ? 0 : INFINITY);
    else
        value.count++;
    return value;
}

static void assert_noticed(bool agreed, const struct error *error, enum metric metric)
{
    char name[100];
    const struct metric_row *row = &metric_table[metric];
    const char *group = row->group == GROUP_INPUT ? "input:" : metric_group_names[row->group];
    if (agreed)
        fail_msg("%s.%s is not checked", group, row->name);
    snprintf(name, sizeof name, "%s%s%s differs", group, row->group == GROUP_INPUT ? " " : ".",
             row->name);
    if (!strstr(error->text, row->group == GROUP_CAST ? name + 1 : name))
        fail_msg("%s: %s", name, error->text);
}

/* Every figure in turn, those of groups that the report has not included. */
static void assert_each_is_checked(const struct subject *s)
{
    struct report report = report_on(s);
    struct report_figures *ours = report.tensors->figures;
    struct report_cast *cast = ours->casts;
    struct reference_figures figures = cast_referee(s);
    struct reference_update_figures updates = referee(s);
    struct reference_input_figures input = input_referee(s);
    struct error error;
    for (int m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = &metric_table[m];
        struct value *value = row->group == GROUP_INPUT ? &ours->input[m] : &cast->figures[m];
        struct value right = *value;
        *value = spoiled(right, row->type);
        bool agreed = report_verify(cast, &figures, &updates, &error) &&
                      report_verify_input(ours, &input, &error);
        assert_noticed(agreed, &error, (enum metric)m);
        *value = right;
        assert_true(report_verify(cast, &figures, &updates, &error));
        assert_true(report_verify_input(ours, &input, &error));
    }
    reference_figures_free(&figures);
    reference_input_figures_free(&input);
    report_free(&report);
}

static void test_wrong_figures(void **state)
{
    (void)state;
    struct subject s = plain_subject("e4m3fn", -0.1);
    s.plan.steps = 7;
    for (s.n = 0; s.n < 20; s.n++) {
        s.x[s.n] = 0.3 * (double)s.n - 1;
        s.g[s.n] = 1.25 - 0.01 * (double)s.n;
    }
    assert_each_is_checked(&s);
    s.plan.steps = 0;
    assert_each_is_checked(&s);
    s.plan.rule = UPDATE_EMA;
    s.plan.beta = 0.9;
    assert_each_is_checked(&s);
    s.n = 0; /* all is null that can be */
    assert_each_is_checked(&s);
}

/* A report without updates, or with others than were asked for. */
static void test_wrong_groups(void **state)
{
    (void)state;
    struct subject s = plain_subject("fp16", 1), other = s;
    s.n = 1;
    s.x[0] = s.g[0] = 1;
    other = s;
    other.plan.rule = UPDATE_EMA;
    struct report report = report_on(&s);
    struct reference_figures figures = cast_referee(&s);
    struct reference_update_figures right = referee(&s), wrong = referee(&other);
    struct error error;
    assert_true(report_verify(report.tensors->figures->casts, &figures, &right, &error));
    assert_false(report_verify(report.tensors->figures->casts, &figures, &wrong, &error));
    assert_false(report_verify(report.tensors->figures->casts, &figures, NULL, &error));
    reference_figures_free(&figures);
    report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thresholds),   cmocka_unit_test(test_sums_and_quantiles),
        cmocka_unit_test(test_average),      cmocka_unit_test(test_steps),
        cmocka_unit_test(test_any),          cmocka_unit_test(test_wrong_figures),
        cmocka_unit_test(test_wrong_groups),
    };
    print_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
