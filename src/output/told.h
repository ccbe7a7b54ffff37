/* The gates that do not hold, which renderings list by their levels. */
#ifndef PRECHECK_OUTPUT_TOLD_H
#define PRECHECK_OUTPUT_TOLD_H

#include "report/ranking.h"
#include "report/report.h"

/* Whether the gate is of this level and does not hold, and how many there are. */
bool told_is(const struct report_gate *gate, enum gate_level level);
size_t told_count(const struct report *report, enum gate_level level);

struct told {
    const struct report_gate **gates; /* owned; the gates are the report's */
    size_t count;
};

/* All of them. The tensor and format that fare worst come first, as in ORDER_WORST; of equals the
 * order is that of the report. */
struct told told_worst_first(const struct ranking *ranking, enum gate_level level);
void told_free(struct told *told);

#endif
