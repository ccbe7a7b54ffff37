#include "report/report.h"

#include <stdlib.h>

const struct metric_row metric_table[METRIC_COUNT] = {
#define METRIC(id, group, name, type, unit, help) {GROUP_##group, name, TYPE_##type, unit, help},
#include "report/metrics.def"
#undef METRIC
};

const char *const metric_group_names[GROUP_COUNT] = {"input",  "",    "error",
                                                     "update", "ema", "steps"};

const char *const gate_level_names[GATE_OFF + 1] = {"error", "warn", "off"};

static void free_cast(struct report_cast *cast)
{
    free(cast->relative_error.counts);
    free(cast->sum_e);
    free(cast->sum_abs_e);
    free(cast->sum_e2);
    free(cast->sum_x2);
}

void report_figures_done(const struct report *report, struct report_figures *room)
{
    for (size_t c = 0; room->casts && c < report->cast_count; c++)
        free_cast(&room->casts[c]);
    free(room->casts);
    free(room->bound);
    free(room->exponents.counts);
    free(room->sum);
    room->casts = NULL;
    room->bound = NULL;
    room->exponents = (struct histogram){0};
    room->sum = NULL;
}

static void free_tensor(const struct report *report, struct report_tensor *tensor)
{
    tensor_free(&tensor->tensor);
    if (tensor->figures)
        report_figures_done(report, tensor->figures);
    free(tensor->figures);
    free(tensor->packed);
}

void report_free(struct report *report)
{
    for (size_t t = 0; t < report->tensor_count; t++)
        free_tensor(report, &report->tensors[t]);
    free(report->tensors);
    for (size_t s = 0; s < report->skipped_count; s++)
        skipped_free(&report->skipped[s].skipped);
    free(report->skipped);
    report_figures_done(report, &report->total);
    free(report->sizes);
    free(report->casts);
    for (size_t a = 0; a < report->advice_count; a++)
        free(report->advice[a].text);
    free(report->advice);
    free(report->gates);
    *report = (struct report){0};
}
