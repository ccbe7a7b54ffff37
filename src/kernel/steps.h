/* Many updates in a row, each rounded once, and what three remedies make of them. */
#ifndef PRECHECK_KERNEL_STEPS_H
#define PRECHECK_KERNEL_STEPS_H

#include "kernel/update.h"

/* plan->steps updates of S g to the stored q, which is at `position`. */
void steps_element(const struct cast *cast, const struct update_plan *plan, struct number q,
                   double g, uint64_t position, struct steps_measure *into);

/* Adds what a movement from one number to another adds to its sums. */
void movement_add(struct exact_sum sum[MOVEMENT_SUMS], struct number from, struct number to,
                  struct number w);

#endif
