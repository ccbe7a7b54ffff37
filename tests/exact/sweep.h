/* All float32 inputs of a format, a run of consecutive ones at a time. */
#ifndef PRECHECK_TESTS_EXACT_SWEEP_H
#define PRECHECK_TESTS_EXACT_SWEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "format/cast.h"
#include "kernel/kernel.h"
#include "tally/tally.h"

enum { PIECE = 8192 };

/* One thread's way through the inputs of one cast to nearest even, unscaled, not saturating. */
struct sweep {
    const struct kernel *kernel; /* measures whole pieces */
    bool elements;               /* cast_element is asked for every input too */
    uint32_t overflow_stride;    /* see sweep_new */
    struct plan plan;
    bool holds_every_float;
    struct decoder decoder;
    struct tally *tally; /* all zero between pieces */
    float x[PIECE];
    uint64_t inputs, left_out;
    char failure[600]; /* what went wrong first; empty so far */
};

/*
 * Where an overflow delivers a finite number, a kernel may measure each such input for itself,
 * fifty times as slowly, and for the smallest formats they are half of all floats. Beyond the first
 * two binades of them only one piece in so many is measured.
 */
struct sweep *sweep_new(const struct kernel *kernel, bool elements, uint32_t overflow_stride,
                        const struct format *format);
void sweep_free(struct sweep *sweep);

/* The inputs with bits first .. last, inclusive, of one sign. False, with a message, when anything
 * measured is not what it must be. */
bool sweep_range(struct sweep *sweep, uint32_t first, uint32_t last);

/* The numbers of a format in order: code 0 is 0, then up to the largest, and one more that would
 * come next. */
double sweep_value(const struct format *format, uint64_t code);
/* The middle between that and the next, exactly. */
double sweep_middle(const struct format *format, uint64_t code);

#endif
