#include "report/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* What figures of a group are checked against, */
#define FIGURES_INPUT struct reference_input_figures
#define FIGURES_CAST struct reference_figures
#define FIGURES_ERROR struct reference_figures
#define FIGURES_UPDATE struct reference_update_figures
#define FIGURES_EMA struct reference_update_figures
#define FIGURES_STEPS struct reference_update_figures

/* and the member of it for each figure: one without does not compile. */
#define MEMBER_INPUT_NAN nan
#define MEMBER_INPUT_INF inf
#define MEMBER_INPUT_ZERO zero
#define MEMBER_INPUT_MIN_ABS min_abs
#define MEMBER_INPUT_MAX_ABS max_abs
#define MEMBER_INPUT_MEAN mean
#define MEMBER_INPUT_RMS rms

#define MEMBER_NAN classes[CLASS_NAN]
#define MEMBER_INF classes[CLASS_INF]
#define MEMBER_ZERO classes[CLASS_ZERO]
#define MEMBER_OVERFLOW classes[CLASS_OVERFLOW]
#define MEMBER_UNDERFLOW classes[CLASS_UNDERFLOW]
#define MEMBER_SUBNORMAL classes[CLASS_SUBNORMAL]
#define MEMBER_NORMAL classes[CLASS_NORMAL]
#define MEMBER_EXACT exact

#define MEMBER_ERROR_COUNT count
#define MEMBER_ERROR_MEAN mean
#define MEMBER_ERROR_MEAN_ABS mean_abs
#define MEMBER_ERROR_RMS rms
#define MEMBER_ERROR_MAX_ABS max_abs
#define MEMBER_ERROR_MAX_ABS_AT max_abs_at
#define MEMBER_ERROR_MAX_ABS_INPUT max_abs_input
#define MEMBER_ERROR_MAX_REL max_rel
#define MEMBER_ERROR_MAX_REL_AT max_rel_at
#define MEMBER_ERROR_MAX_REL_INPUT max_rel_input
#define MEMBER_ERROR_SQNR_DB sqnr_db
#define MEMBER_ERROR_REL_L2 rel_l2

#define MEMBER_UPDATE_COUNT count
#define MEMBER_UPDATE_OVERFLOW overflow
#define MEMBER_UPDATE_LOST lost
#define MEMBER_UPDATE_LOST_RATE lost_rate
#define MEMBER_UPDATE_EFFECTIVE_RATIO effective_ratio
#define MEMBER_UPDATE_EDQ edq
#define MEMBER_UPDATE_NORM_RATIO norm_ratio
#define MEMBER_UPDATE_P50 p50
#define MEMBER_UPDATE_P90 p90
#define MEMBER_UPDATE_P99 p99
#define MEMBER_UPDATE_P100 p100

#define MEMBER_EMA_COUNT count
#define MEMBER_EMA_OVERFLOW overflow
#define MEMBER_EMA_LOST lost
#define MEMBER_EMA_LOST_RATE lost_rate
#define MEMBER_EMA_EFFECTIVE_RATIO effective_ratio
#define MEMBER_EMA_EDQ edq
#define MEMBER_EMA_NORM_RATIO norm_ratio

#define MEMBER_STEPS_STEPS plan.steps
#define MEMBER_STEPS_FROZEN none.frozen
#define MEMBER_STEPS_FROZEN_RATE none.frozen_rate
#define MEMBER_STEPS_MOVEMENT_ERROR none.movement_error
#define MEMBER_STEPS_SAMPLED plan.sample
#define MEMBER_STEPS_STOCHASTIC_FROZEN stochastic.frozen
#define MEMBER_STEPS_STOCHASTIC_FROZEN_RATE stochastic.frozen_rate
#define MEMBER_STEPS_STOCHASTIC_MOVEMENT_ERROR stochastic.movement_error
#define MEMBER_STEPS_KAHAN_FROZEN kahan.frozen
#define MEMBER_STEPS_KAHAN_FROZEN_RATE kahan.frozen_rate
#define MEMBER_STEPS_KAHAN_MOVEMENT_ERROR kahan.movement_error
#define MEMBER_STEPS_MASTER_FROZEN master.frozen
#define MEMBER_STEPS_MASTER_FROZEN_RATE master.frozen_rate
#define MEMBER_STEPS_MASTER_MOVEMENT_ERROR master.movement_error

static const struct origin {
    enum value_kind kind;
    size_t offset;
} origins[METRIC_COUNT] = {
#define METRIC(id, group, name, type, ...) \
    [METRIC_##id] = {VALUE_##type, offsetof(FIGURES_##group, MEMBER_##id)},
#include "report/metrics.def"
#undef METRIC
};

/* Members are doubles where figures are real numbers, else 64-bit integers. */
#define TYPE_OF_COUNT uint64_t
#define TYPE_OF_REAL double
#define TYPE_OF_INDEX uint64_t
#define HAS_TYPE(type, x) _Generic((x), type : true, default : false)
#define METRIC(id, group, name, type, ...)                                           \
    _Static_assert(HAS_TYPE(TYPE_OF_##type, ((FIGURES_##group *)NULL)->MEMBER_##id), \
                   "the reference's " #id " has another type");
#include "report/metrics.def"
#undef METRIC

static double real_at(const void *reference, enum metric metric)
{
    return *(const double *)(const void *)((const char *)reference + origins[metric].offset);
}

static uint64_t count_at(const void *reference, enum metric metric)
{
    return *(const uint64_t *)(const void *)((const char *)reference + origins[metric].offset);
}

/* Where figures of a group have to come from; NULL where the report has no such ones. */
struct sources {
    const void *of[GROUP_COUNT];
};

/* An index stands behind the maximum that it belongs to, and is null where that is no more than
 * zero. A real figure that is null is NaN in the reference. */
static struct value expected(const struct sources *sources, enum metric metric)
{
    const void *reference = sources->of[metric_table[metric].group];
    struct value value = {.kind = reference ? origins[metric].kind : VALUE_NULL};
    if (value.kind == VALUE_REAL) {
        value.real = real_at(reference, metric);
        if (isnan(value.real))
            value.kind = VALUE_NULL;
    } else if (value.kind != VALUE_NULL) {
        value.count = count_at(reference, metric);
        if (value.kind == VALUE_INDEX && !(real_at(reference, metric - 1) > 0))
            value.kind = VALUE_NULL;
    }
    return value;
}

_Static_assert(METRIC_ERROR_MAX_ABS_AT - METRIC_ERROR_MAX_ABS == 1 &&
                   METRIC_ERROR_MAX_REL_AT - METRIC_ERROR_MAX_REL == 1,
               "indices stand behind their maxima");

static bool same(struct value a, struct value b)
{
    if (a.kind != b.kind)
        return false;
    if (a.kind == VALUE_REAL)
        return double_bits(a.real) == double_bits(b.real);
    return a.kind == VALUE_NULL || a.count == b.count;
}

static void describe(struct value value, char *text, size_t size)
{
    if (value.kind == VALUE_NULL)
        snprintf(text, size, "null");
    else if (value.kind == VALUE_REAL)
        snprintf(text, size, "%a", value.real);
    else
        snprintf(text, size, "%" PRIu64, value.count);
}

static bool verify_figures(const char *name, const struct value *figures,
                           const struct sources *sources, struct error *error)
{
    for (int m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = &metric_table[m];
        struct value ours = figures[m], theirs = expected(sources, (enum metric)m);
        if (same(ours, theirs))
            continue;
        char a[40], b[40];
        const char *group = row->group == GROUP_INPUT ? "" : metric_group_names[row->group];
        describe(ours, a, sizeof a);
        describe(theirs, b, sizeof b);
        return fail(error, "%s: %s%s%s differs from the reference: %s, not %s", name, group,
                    *group ? "." : "", row->name, a, b);
    }
    return true;
}

static bool same_bins(const struct histogram *ours, const struct reference_bins *theirs)
{
    return ours->first == theirs->first && ours->length == theirs->length &&
           (!ours->length ||
            memcmp(ours->counts, theirs->counts, ours->length * sizeof *ours->counts) == 0);
}

static bool verify_sums(const struct report_cast *cast, const struct reference_figures *reference,
                        struct error *error)
{
    const struct {
        const char *name, *ours, *theirs;
    } sums[] = {
        {"e", cast->sum_e, reference->sum_e},
        {"abs_e", cast->sum_abs_e, reference->sum_abs_e},
        {"e2", cast->sum_e2, reference->sum_e2},
        {"x2", cast->sum_x2, reference->sum_x2},
    };
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++)
        if (strcmp(sums[i].ours, sums[i].theirs) != 0)
            return fail(error, "%s: the sum %s differs from the reference: %.80s, not %.80s",
                        cast->cast->format.name, sums[i].name, sums[i].ours, sums[i].theirs);
    return true;
}

bool report_verify(const struct report_cast *cast, const struct reference_figures *reference,
                   const struct reference_update_figures *updates, struct error *error)
{
    const char *name = cast->cast->format.name;
    struct sources sources = {.of = {[GROUP_CAST] = reference, [GROUP_ERROR] = reference}};
    if (updates)
        sources.of[updates->plan.average ? GROUP_EMA : GROUP_UPDATE] = updates;
    if (updates && updates->plan.steps)
        sources.of[GROUP_STEPS] = updates;
    if (!verify_figures(name, cast->figures, &sources, error) ||
        !verify_sums(cast, reference, error))
        return false;
    return (cast->relative_exact == reference->relative_exact &&
            same_bins(&cast->relative_error, &reference->relative)) ||
           fail(error, "%s: the histogram of relative errors differs from the reference", name);
}

bool report_verify_input(const struct report_figures *figures,
                         const struct reference_input_figures *reference, struct error *error)
{
    const struct sources sources = {.of = {[GROUP_INPUT] = reference}};
    if (!verify_figures("input", figures->input, &sources, error))
        return false;
    if (!same_bins(&figures->exponents, &reference->exponents))
        return fail(error, "input: the histogram of exponents differs from the reference");
    bool same_sum = figures->sum && reference->sum ? strcmp(figures->sum, reference->sum) == 0
                                                   : figures->sum == reference->sum;
    return same_sum || fail(error, "input: the sum differs from the reference");
}
