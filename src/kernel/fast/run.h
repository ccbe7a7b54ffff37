/*
 * A run: elements of a block that are measured together. Their sums need elements of similar size,
 * in a window of WINDOW binades; so a run is cut into windows from its largest magnitude down.
 */
#ifndef PRECHECK_KERNEL_FAST_RUN_H
#define PRECHECK_KERNEL_FAST_RUN_H

#include "kernel/fast/gate.h"

enum {
    /* From the smallest subnormal up; numbers in the normal range begin a window. */
    SUBNORMAL_WINDOWS = (FRACTION_BITS + WINDOW - 1) / WINDOW,
    LEAST_NORMAL = 1 - EXPONENT_BIAS,
    FIRST_BOTTOM = LEAST_NORMAL - SUBNORMAL_WINDOWS * WINDOW,
    WINDOW_COUNT = (LAST_EXPONENT - FIRST_BOTTOM) / WINDOW + 1,
    /* Sorting costs as much as the sums of so many windows. */
    WINDOWS_IN_PLACE = 4,
    /* So few elements cost less by themselves than one more pass over all. */
    MOST_FEW = 64,
    /* Each run is padded to whole vectors of bytes. */
    RUNS_CAPACITY = FAST_BLOCK + WINDOW_COUNT * VB_LANES,
};

_Static_assert(RUNS_CAPACITY / VB_LANES < 256, "count_inside() counts in bytes");
_Static_assert(MOST_FEW % VB_LANES == 0, "a list of them has room for its padding");

/* Where in the block a few elements are. */
struct few {
    size_t count;
    uint16_t at[MOST_FEW];
};

/* Elements x[i] = original * 2^shift, all of them zero or with lowest <= exponent <= top. */
struct run {
    const element *x;
    size_t n; /* a multiple of VB_LANES, padded with zeros */
    size_t nonzero;
    int top, lowest, shift;
    const uint16_t *positions; /* in the block; NULL: as they lie */
    const element *ahead;      /* what is read next: as many elements */
    int dense;                 /* windows whose sums take a pass over the run */
    const struct few *few;     /* the elements of the others */
    const uint8_t *fields;     /* of a run that lies as in the block: its exponents' bytes */
};

struct runs {
    size_t count;
    struct few few;
    struct run run[WINDOW_COUNT];
    element sorted[RUNS_CAPACITY];
    uint16_t positions[RUNS_CAPACITY];
};

/* The windows of a run, from the top one: top - WINDOW * i is the top of window i. */
static inline int window_count(const struct run *run)
{
    return (run->top - run->lowest) / WINDOW + 1;
}

/* How many elements of a run that lies as in the block have a smaller exponent. */
static inline size_t count_below(const struct run *run, int exponent)
{
    int bins = exponent - run->lowest;
    return bins > 0 ? count_inside(run->fields, run->n, run->lowest + FIELD_BIAS, bins) : 0;
}

/* Lists the elements with a smaller exponent; there are at most MOST_FEW. */
static inline void list_below(const struct run *run, int exponent, struct few *few)
{
    const vb one = vb_all(1), last = vb_all((uint8_t)(exponent - 1 + FIELD_BIAS - 1));
    few->count = 0;
    for (size_t i = 0; i < run->n; i += VB_LANES) {
        vb field = vb_sub(vb_load(run->fields + i), one); /* zeros become 255 */
        uint64_t mask = vb_mask(vb_equal(vb_min_unsigned(field, last), field));
        for (; mask; mask &= mask - 1)
            few->at[few->count++] = (uint16_t)(i + (size_t)__builtin_ctzll(mask));
    }
}

/* Copies the listed values, padded with zeros to whole vectors of bytes; returns how many that is.
 */
static inline size_t gather(const element *values, const struct few *few, element to[MOST_FEW])
{
    size_t padded = (few->count + VB_LANES - 1) / VB_LANES * VB_LANES;
    for (size_t i = 0; i < few->count; i++)
        to[i] = values[few->at[i]];
    for (size_t i = few->count; i < padded; i++)
        to[i] = 0;
    return padded;
}

#endif
