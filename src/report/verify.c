#include "report/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* Where the reference has each figure. An index is null where the maximum it belongs to is no more
 * than zero; a real figure that is null is NaN there. */
struct origin {
    enum value_kind kind;
    size_t offset, maximum;
};

static const struct origin origins[METRIC_COUNT] = {
#define AT(member) offsetof(struct reference_figures, member)
#define COUNT(member)              \
    {                              \
        VALUE_COUNT, AT(member), 0 \
    }
#define REAL(member)              \
    {                             \
        VALUE_REAL, AT(member), 0 \
    }
#define INPUT(kind, member)                                       \
    {                                                             \
        kind, offsetof(struct reference_input_figures, member), 0 \
    }
#define INDEX(member, maximum)               \
    {                                        \
        VALUE_INDEX, AT(member), AT(maximum) \
    }
    [METRIC_INPUT_NAN] = INPUT(VALUE_COUNT, nan),
    [METRIC_INPUT_INF] = INPUT(VALUE_COUNT, inf),
    [METRIC_INPUT_ZERO] = INPUT(VALUE_COUNT, zero),
    [METRIC_INPUT_MIN_ABS] = INPUT(VALUE_REAL, min_abs),
    [METRIC_INPUT_MAX_ABS] = INPUT(VALUE_REAL, max_abs),
    [METRIC_INPUT_MEAN] = INPUT(VALUE_REAL, mean),
    [METRIC_INPUT_RMS] = INPUT(VALUE_REAL, rms),
    [METRIC_NAN] = COUNT(classes[CLASS_NAN]),
    [METRIC_INF] = COUNT(classes[CLASS_INF]),
    [METRIC_ZERO] = COUNT(classes[CLASS_ZERO]),
    [METRIC_OVERFLOW] = COUNT(classes[CLASS_OVERFLOW]),
    [METRIC_UNDERFLOW] = COUNT(classes[CLASS_UNDERFLOW]),
    [METRIC_SUBNORMAL] = COUNT(classes[CLASS_SUBNORMAL]),
    [METRIC_NORMAL] = COUNT(classes[CLASS_NORMAL]),
    [METRIC_EXACT] = COUNT(exact),
    [METRIC_ERROR_COUNT] = COUNT(count),
    [METRIC_ERROR_MEAN] = REAL(mean),
    [METRIC_ERROR_MEAN_ABS] = REAL(mean_abs),
    [METRIC_ERROR_RMS] = REAL(rms),
    [METRIC_ERROR_MAX_ABS] = REAL(max_abs),
    [METRIC_ERROR_MAX_ABS_AT] = INDEX(max_abs_at, max_abs),
    [METRIC_ERROR_MAX_ABS_INPUT] = REAL(max_abs_input),
    [METRIC_ERROR_MAX_REL] = REAL(max_rel),
    [METRIC_ERROR_MAX_REL_AT] = INDEX(max_rel_at, max_rel),
    [METRIC_ERROR_MAX_REL_INPUT] = REAL(max_rel_input),
    [METRIC_ERROR_SQNR_DB] = REAL(sqnr_db),
    [METRIC_ERROR_REL_L2] = REAL(rel_l2),
};

static double real_at(const void *reference, size_t offset)
{
    return *(const double *)(const void *)((const char *)reference + offset);
}

/* `reference` is the struct that figures of the metric's group come from. */
static struct value expected(const void *reference, enum metric metric)
{
    const struct origin *origin = &origins[metric];
    const char *at = (const char *)reference + origin->offset;
    struct value value = {.kind = origin->kind};
    if (origin->kind == VALUE_REAL) {
        value.real = real_at(reference, origin->offset);
        if (isnan(value.real))
            value.kind = VALUE_NULL;
    } else {
        value.count = *(const uint64_t *)(const void *)at;
        if (origin->kind == VALUE_INDEX && !(real_at(reference, origin->maximum) > 0))
            value.kind = VALUE_NULL;
    }
    return value;
}

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

/* The figures of an input (whose name is then "input") or of a cast. */
static bool verify_figures(const char *name, const struct value *figures, const void *reference,
                           bool input, struct error *error)
{
    for (int m = 0; m < METRIC_COUNT; m++) {
        if ((metric_table[m].group == GROUP_INPUT) != input)
            continue;
        struct value ours = figures[m], theirs = expected(reference, (enum metric)m);
        if (same(ours, theirs))
            continue;
        char a[40], b[40];
        describe(ours, a, sizeof a);
        describe(theirs, b, sizeof b);
        return fail(error, "%s: %s differs from the reference: %s, not %s", name,
                    metric_table[m].name, a, b);
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
                   struct error *error)
{
    const char *name = cast->cast->format.name;
    if (!verify_figures(name, cast->figures, reference, false, error) ||
        !verify_sums(cast, reference, error))
        return false;
    return (cast->relative_exact == reference->relative_exact &&
            same_bins(&cast->relative_error, &reference->relative)) ||
           fail(error, "%s: the histogram of relative errors differs from the reference", name);
}

bool report_verify_input(const struct report_tensor *tensor,
                         const struct reference_input_figures *reference, struct error *error)
{
    if (!verify_figures("input", tensor->figures, reference, true, error))
        return false;
    if (!same_bins(&tensor->exponents, &reference->exponents))
        return fail(error, "input: the histogram of exponents differs from the reference");
    bool same_sum = tensor->sum && reference->sum ? strcmp(tensor->sum, reference->sum) == 0
                                                  : tensor->sum == reference->sum;
    return same_sum || fail(error, "input: the sum differs from the reference");
}
