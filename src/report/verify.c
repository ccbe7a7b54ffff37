#include "report/verify.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

/* The figure as the reference has it; NaN stands for null. */
static struct value expected(const struct reference_figures *r, enum metric metric)
{
#define COUNT(n) ((struct value){.kind = VALUE_COUNT, .count = (n)})
#define REAL(x) ((struct value){.kind = isnan(x) ? VALUE_NULL : VALUE_REAL, .real = (x)})
#define INDEX(at, maximum)                                                                         \
    ((struct value){.kind = (maximum) > 0 ? VALUE_INDEX : VALUE_NULL, .count = (at)})
    switch (metric) {
    case METRIC_NAN: return COUNT(r->classes[CLASS_NAN]);
    case METRIC_INF: return COUNT(r->classes[CLASS_INF]);
    case METRIC_ZERO: return COUNT(r->classes[CLASS_ZERO]);
    case METRIC_OVERFLOW: return COUNT(r->classes[CLASS_OVERFLOW]);
    case METRIC_UNDERFLOW: return COUNT(r->classes[CLASS_UNDERFLOW]);
    case METRIC_SUBNORMAL: return COUNT(r->classes[CLASS_SUBNORMAL]);
    case METRIC_NORMAL: return COUNT(r->classes[CLASS_NORMAL]);
    case METRIC_EXACT: return COUNT(r->exact);
    case METRIC_ERROR_COUNT: return COUNT(r->count);
    case METRIC_ERROR_MEAN: return REAL(r->mean);
    case METRIC_ERROR_MEAN_ABS: return REAL(r->mean_abs);
    case METRIC_ERROR_RMS: return REAL(r->rms);
    case METRIC_ERROR_MAX_ABS: return REAL(r->max_abs);
    case METRIC_ERROR_MAX_ABS_AT: return INDEX(r->max_abs_at, r->max_abs);
    case METRIC_ERROR_MAX_ABS_INPUT: return REAL(r->max_abs_input);
    case METRIC_ERROR_MAX_REL: return REAL(r->max_rel);
    case METRIC_ERROR_MAX_REL_AT: return INDEX(r->max_rel_at, r->max_rel);
    case METRIC_ERROR_MAX_REL_INPUT: return REAL(r->max_rel_input);
    case METRIC_ERROR_SQNR_DB: return REAL(r->sqnr_db);
    case METRIC_ERROR_REL_L2: return REAL(r->rel_l2);
    default: return (struct value){.kind = VALUE_NULL};
    }
#undef COUNT
#undef REAL
#undef INDEX
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

static bool verify_figures(const struct report_cast *cast,
                           const struct reference_figures *reference, struct error *error)
{
    for (int m = 0; m < METRIC_COUNT; m++) {
        if (metric_table[m].group == GROUP_INPUT)
            continue;
        struct value ours = cast->figures[m], theirs = expected(reference, (enum metric)m);
        if (same(ours, theirs))
            continue;
        char a[40], b[40];
        describe(ours, a, sizeof a);
        describe(theirs, b, sizeof b);
        return fail(error, "%s: %s differs from the reference: %s, not %s",
                    cast->cast->format.name, metric_table[m].name, a, b);
    }
    return true;
}

static bool verify_histogram(const struct report_cast *cast,
                             const struct reference_figures *reference, struct error *error)
{
    const struct histogram *ours = &cast->relative_error;
    if (cast->relative_exact == reference->relative_exact &&
        ours->first == reference->relative_first && ours->length == reference->relative_length &&
        (!ours->length ||
         memcmp(ours->counts, reference->relative, ours->length * sizeof *ours->counts) == 0))
        return true;
    return fail(error, "%s: the histogram of relative errors differs from the reference",
                cast->cast->format.name);
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
    return verify_figures(cast, reference, error) && verify_sums(cast, reference, error) &&
           verify_histogram(cast, reference, error);
}
