/* What one tensor adds up to, against every cast of the run. Merging is exact, associative and
 * commutative, so a tensor may be cut into any parts, measured in any order by any threads. */
#ifndef PRECHECK_TALLY_TALLY_H
#define PRECHECK_TALLY_TALLY_H

#include <stddef.h>

#include "kernel/measure.h"

struct tally {
    struct input_measure input;
    size_t cast_count;
    struct cast_measure casts[];
};

/* Zeroed; the caller frees. */
struct tally *tally_new(size_t cast_count);
void tally_merge(struct tally *into, const struct tally *from);

/* The same over tensors: positions mean nothing there, so the extremes are kept by the caller. */
void tally_merge_input(struct input_measure *into, const struct input_measure *from);
void tally_merge_cast(struct cast_measure *into, const struct cast_measure *from);

#endif
