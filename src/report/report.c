#include "report/report.h"

#include <stdlib.h>

const struct metric_row metric_table[METRIC_COUNT] = {
#define METRIC(id, group, name, type, unit, help) {GROUP_##group, name, TYPE_##type, unit, help},
#include "report/metrics.def"
#undef METRIC
};

const char *const metric_group_names[GROUP_COUNT] = {"input",  "",    "error",
                                                     "update", "ema", "steps"};

static void free_cast(struct report_cast *cast)
{
    free(cast->relative_error.counts);
    free(cast->sum_e);
    free(cast->sum_abs_e);
    free(cast->sum_e2);
    free(cast->sum_x2);
}

static void free_casts(struct report_cast *casts, size_t count)
{
    for (size_t c = 0; casts && c < count; c++)
        free_cast(&casts[c]);
    free(casts);
}

void report_free(struct report *report)
{
    for (size_t t = 0; t < report->tensor_count; t++) {
        struct report_tensor *tensor = &report->tensors[t];
        tensor_free(&tensor->tensor);
        free(tensor->exponents.counts);
        free(tensor->sum);
        free_casts(tensor->casts, report->cast_count);
        free(tensor->bound);
    }
    free(report->tensors);
    for (size_t s = 0; s < report->skipped_count; s++) {
        free(report->skipped[s].skipped.name);
        free(report->skipped[s].skipped.reason);
    }
    free(report->skipped);
    free_casts(report->total, report->cast_count);
    free(report->total_exponents.counts);
    free(report->casts);
    for (size_t a = 0; a < report->advice_count; a++)
        free(report->advice[a].text);
    free(report->advice);
    free(report->gates);
    *report = (struct report){0};
}
