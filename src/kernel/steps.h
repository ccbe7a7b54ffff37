/* Many updates in a row, each rounded once, and what three remedies make of them. */
#ifndef PRECHECK_KERNEL_STEPS_H
#define PRECHECK_KERNEL_STEPS_H

#include "kernel/update.h"

/* plan->steps updates of S g to the stored q, which is at `position`. */
void steps_element(const struct cast *cast, const struct update_plan *plan, struct number q,
                   double g, uint64_t position, struct steps_measure *into);

void steps_merge(struct steps_measure *into, const struct steps_measure *from);

#endif
