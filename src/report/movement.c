#include "report/movement.h"

#include <math.h>

#include "exact/dyadic.h"

static struct value count_of(uint64_t count)
{
    return (struct value){.kind = VALUE_COUNT, .count = count};
}

static struct value real_of(double real)
{
    return (struct value){.kind = VALUE_REAL, .real = real};
}

static struct value rate_of(uint64_t part, uint64_t all)
{
    return all ? real_of((double)part / (double)all) : (struct value){.kind = VALUE_NULL};
}

/* a := a * b; b goes. */
static void times(struct dyadic *a, struct dyadic *b)
{
    dyadic_multiply(a, b);
    dyadic_free(b);
}

/* a := a + b; b goes. */
static void plus(struct dyadic *a, struct dyadic *b)
{
    dyadic_add(a, b);
    dyadic_free(b);
}

/* u = a w - b q: its factors. */
struct factors {
    struct dyadic *a, *minus_b;
};

static struct factors factors_of(const struct update_plan *plan)
{
    struct factors f = {.a = dyadic_of(plan->scale), .minus_b = dyadic_of(0)};
    if (plan->rule == UPDATE_ADD)
        return f;
    plus(f.minus_b, dyadic_of(-1));
    plus(f.minus_b, dyadic_of(plan->beta));
    times(f.a, dyadic_of(-plan->scale));
    dyadic_multiply(f.a, f.minus_b); /* (1 - beta) S^2 */
    return f;
}

static void free_factors(struct factors *f)
{
    dyadic_free(f->a);
    dyadic_free(f->minus_b);
}

/* sum of d u = a sum of d w - b sum of d q */
static struct dyadic *along(const struct update_measure *measure, const struct factors *f)
{
    struct dyadic *sum = dyadic_of_sum(&measure->sum[SUM_DW]);
    struct dyadic *stored = dyadic_of_sum(&measure->sum[SUM_DQ]);
    dyadic_multiply(sum, f->a);
    dyadic_multiply(stored, f->minus_b);
    plus(sum, stored);
    return sum;
}

/* sum of u^2 = a^2 sum of w^2 - 2 a b sum of w q + b^2 sum of q^2 */
static struct dyadic *update_square(const struct update_measure *measure, const struct factors *f)
{
    struct dyadic *sum = dyadic_of_sum(&measure->sum[SUM_W2]);
    struct dyadic *mixed = dyadic_of_sum(&measure->sum[SUM_WQ]);
    struct dyadic *stored = dyadic_of_sum(&measure->sum[SUM_Q2]);
    dyadic_multiply(sum, f->a);
    dyadic_multiply(sum, f->a);
    dyadic_multiply(mixed, f->a);
    dyadic_multiply(mixed, f->minus_b);
    times(mixed, dyadic_of(2));
    dyadic_multiply(stored, f->minus_b);
    dyadic_multiply(stored, f->minus_b);
    plus(sum, mixed);
    plus(sum, stored);
    return sum;
}

/* The members that updates and moving averages share, in the order of the metric table. */
static void common_figures(const struct update_plan *plan, const struct update_measure *measure,
                           struct value *figures)
{
    figures[0] = count_of(measure->count);
    figures[1] = count_of(measure->overflow);
    figures[2] = count_of(measure->lost);
    figures[3] = rate_of(measure->lost, measure->count);
    struct factors f = factors_of(plan);
    struct dyadic *du = along(measure, &f), *u2 = update_square(measure, &f);
    struct dyadic *d2 = dyadic_of_sum(&measure->sum[SUM_D2]);
    if (dyadic_sign(u2) > 0) {
        figures[4] = real_of(dyadic_quotient(du, u2));
        figures[5] = real_of(dyadic_over_root(du, u2));
        figures[6] = real_of(dyadic_root_quotient(d2, u2));
    }
    dyadic_free(du);
    dyadic_free(u2);
    dyadic_free(d2);
    free_factors(&f);
}

_Static_assert(METRIC_UPDATE_NORM_RATIO - METRIC_UPDATE_COUNT == 6 &&
                   METRIC_EMA_NORM_RATIO - METRIC_EMA_COUNT == 6,
               "seven in the same order");

/* The threshold that is the rank-th smallest, 1 <= rank <= count. */
static double threshold_of_rank(const struct update_measure *measure, uint64_t rank)
{
    uint64_t below = measure->at_once;
    if (rank <= below)
        return 0;
    for (int t = 0; t < THRESHOLD_BINS; t++) {
        below += measure->threshold[t];
        if (rank <= below)
            return ldexp(1, THRESHOLD_FIRST + t);
    }
    return INFINITY;
}

static void threshold_figures(const struct update_measure *measure, struct value *figures)
{
    static const struct {
        enum metric metric;
        uint64_t percent;
    } quantiles[] = {{METRIC_UPDATE_P50, 50},
                     {METRIC_UPDATE_P90, 90},
                     {METRIC_UPDATE_P99, 99},
                     {METRIC_UPDATE_P100, 100}};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        unsigned __int128 hundredths = (unsigned __int128)measure->count * quantiles[i].percent;
        uint64_t rank = (uint64_t)((hundredths + 99) / 100);
        figures[quantiles[i].metric] = real_of(threshold_of_rank(measure, rank));
    }
}

/* sqrt(sum (d - N u)^2 / sum (N u)^2), u = S w */
static struct value movement_error(const struct update_plan *plan,
                                   const struct exact_sum sum[MOVEMENT_SUMS])
{
    struct value value = {.kind = VALUE_NULL};
    struct dyadic *factor = dyadic_of((double)plan->steps); /* below 2^53: exact */
    times(factor, dyadic_of(plan->scale));
    struct dyadic *wanted = dyadic_of_sum(&sum[SUM_W2]);
    dyadic_multiply(wanted, factor);
    dyadic_multiply(wanted, factor);
    struct dyadic *error = dyadic_of_sum(&sum[SUM_DW]);
    dyadic_multiply(error, factor);
    times(error, dyadic_of(-2));
    plus(error, dyadic_of_sum(&sum[SUM_D2]));
    dyadic_add(error, wanted);
    if (dyadic_sign(wanted) > 0)
        value = real_of(dyadic_root_quotient(error, wanted));
    dyadic_free(factor);
    dyadic_free(wanted);
    dyadic_free(error);
    return value;
}

static void steps_figures(const struct update_plan *plan, const struct steps_measure *steps,
                          struct value *figures)
{
    static const enum metric frozen[REMEDY_COUNT] = {
        [REMEDY_NONE] = METRIC_STEPS_FROZEN,
        [REMEDY_STOCHASTIC] = METRIC_STEPS_STOCHASTIC_FROZEN,
        [REMEDY_KAHAN] = METRIC_STEPS_KAHAN_FROZEN,
        [REMEDY_MASTER] = METRIC_STEPS_MASTER_FROZEN,
    };
    figures[METRIC_STEPS_STEPS] = count_of(plan->steps);
    if (plan->sample)
        figures[METRIC_STEPS_SAMPLED] = count_of(plan->sample);
    for (int r = 0; r < REMEDY_COUNT; r++) {
        struct value *f = &figures[frozen[r]];
        f[0] = count_of(steps->remedy[r].frozen);
        f[1] = rate_of(steps->remedy[r].frozen, steps->remedy[r].count);
        f[2] = movement_error(plan, steps->remedy[r].sum);
    }
}

void movement_figures(const struct update_plan *plan, const struct cast *cast,
                      const struct update_measure *measure, const struct steps_measure *steps,
                      struct value *figures)
{
    bool average = plan->rule == UPDATE_EMA;
    common_figures(plan, measure, figures + (average ? METRIC_EMA_COUNT : METRIC_UPDATE_COUNT));
    if (!average && cast->rounding != ROUND_STOCHASTIC && measure->count)
        threshold_figures(measure, figures);
    if (steps)
        steps_figures(plan, steps, figures);
}
