/* Kinds of float32 data that kernels are tested with: seeded, and each with a weak spot in mind. */
#ifndef PRECHECK_TESTS_KERNEL_RANDOM_DATA_H
#define PRECHECK_TESTS_KERNEL_RANDOM_DATA_H

#include <stddef.h>

#include "format/cast.h"

struct dice;

struct data_kind {
    const char *name;
    /* `target` is a cast that the data will meet: for kinds that sit on its breakpoints. */
    void (*fill)(struct dice *dice, const struct cast *target, float *x, size_t n);
};

extern const struct data_kind data_kinds[];
extern const size_t data_kind_count;

/* The kind of that name. */
const struct data_kind *data_kind(const char *name);

/* +-1.fraction * 2^exponent with random fraction, exponent -149 .. 127; below -126 as many bits of
 * the fraction as there are. */
float random_float(struct dice *dice, int exponent);
/* The largest and the smallest float of a binade. */
float binade_end(int exponent);
float binade_start(int exponent);
/* A number of the target, or a middle of two, or a float next to one of these. */
float near_breakpoint(struct dice *dice, const struct cast *target);

#endif
