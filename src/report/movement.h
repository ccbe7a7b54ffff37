/* The figures of updates, moving averages and steps, from their exact sums. */
#ifndef PRECHECK_REPORT_MOVEMENT_H
#define PRECHECK_REPORT_MOVEMENT_H

#include "kernel/update.h"
#include "report/report.h"

/* Those of one cast; `steps` may be NULL. */
void movement_figures(const struct update_plan *plan, const struct cast *cast,
                      const struct update_measure *measure, const struct steps_measure *steps,
                      struct value *figures);

#endif
