#include "output/told.h"

#include <stdlib.h>

#include "base/buffer.h"

bool told_is(const struct report_gate *gate, enum gate_level level)
{
    return !gate->pass && gate->level == level;
}

size_t told_count(const struct report *report, enum gate_level level)
{
    size_t count = 0;
    for (size_t g = 0; g < report->gate_count; g++)
        count += told_is(&report->gates[g], level);
    return count;
}

static const struct standing *standing_of(const struct ranking *ranking,
                                          const struct report_gate *gate)
{
    size_t tensor = (size_t)(gate->tensor - ranking->report->tensors);
    return &ranking->standings[tensor * ranking->report->cast_count + gate->cast];
}

static int compare(const void *a, const void *b, void *context)
{
    const struct report_gate *one = *(const struct report_gate *const *)a;
    const struct report_gate *other = *(const struct report_gate *const *)b;
    int order = standing_compare(standing_of(context, one), standing_of(context, other));
    return order ? order : (one > other) - (one < other);
}

struct told told_worst_first(const struct ranking *ranking, enum gate_level level)
{
    const struct report *report = ranking->report;
    struct told told = {.gates = allocate(told_count(report, level) + 1, sizeof *told.gates)};
    for (size_t g = 0; g < report->gate_count; g++)
        if (told_is(&report->gates[g], level))
            told.gates[told.count++] = &report->gates[g];
    qsort_r(told.gates, told.count, sizeof *told.gates, compare, (void *)ranking);
    return told;
}

void told_free(struct told *told)
{
    free(told->gates);
    *told = (struct told){0};
}
