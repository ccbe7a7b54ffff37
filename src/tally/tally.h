/* What one tensor adds up to, against every cast of the run. Merging is exact, associative and
 * commutative, so a tensor may be cut into any parts, measured in any order by any threads. */
#ifndef PRECHECK_TALLY_TALLY_H
#define PRECHECK_TALLY_TALLY_H

#include <stddef.h>

#include "kernel/measure.h"
#include "kernel/update.h"

struct tally {
    struct input_measure input;
    struct update_plan plan;
    struct update_measure *updates; /* one a cast; NULL where the plan has no rule */
    struct steps_measure *steps;    /* likewise, no steps */
    size_t cast_count;
    struct cast_measure casts[];
};

/* Zeroed; without a plan there are no updates. */
struct tally *tally_new(size_t cast_count, const struct update_plan *plan);
void tally_free(struct tally *tally);
/* As new, with the same plan. */
void tally_clear(struct tally *tally);
/* How many bytes one takes. */
size_t tally_bytes(size_t cast_count, const struct update_plan *plan);
void tally_merge(struct tally *into, const struct tally *from);
/* The updates and steps alone. */
void tally_merge_updates(struct tally *into, const struct tally *from);

/* The same over tensors: positions mean nothing there, so the extremes are kept by the caller. */
void tally_merge_input(struct input_measure *into, const struct input_measure *from);
void tally_merge_cast(struct cast_measure *into, const struct cast_measure *from);

#endif
