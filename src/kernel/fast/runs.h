/*
 * The runs of a block: one that is measured where it lies, its sums in a pass for each of its
 * windows; or, where those are too many or the magnitudes are extreme, a sorted one for each.
 */
#ifndef PRECHECK_KERNEL_FAST_RUNS_H
#define PRECHECK_KERNEL_FAST_RUNS_H

#include "kernel/fast/sort.h"

/* Counts the exponents of a block, and with them the elements that are not zero. */
static inline void count_exponents(struct run *run, uint32_t *binades, uint64_t *exponents)
{
    int bins = run->top - run->lowest + 1;
    count_keys(run->fields, run->n, run->lowest + FIELD_BIAS, bins, binades);
    run->binades = binades;
    run->nonzero = 0;
    for (int b = 0; b < bins; b++) {
        exponents[run->lowest + b - EXPONENT_FIRST] += binades[b];
        run->nonzero += binades[b];
    }
}

/* The windows from the top one that leave few elements below. */
static inline void find_dense_windows(struct run *run, struct few *few)
{
    int windows = window_count(run), bottom = run->top - WINDOW + 1;
    run->dense = 1;
    run->few = few;
    few->count = 0;
    if (windows == 1)
        return;
    for (; count_below(run, bottom) > MOST_FEW; bottom -= WINDOW)
        run->dense++;
    if (run->dense < windows)
        list_below(run, bottom, few);
}

/* n is a multiple of BLOCK_STEP and at most FAST_BLOCK; x is finite, and `fields` are its
 * exponents' bytes; `next` is what will be measured after it. Counts the exponents; returns the
 * number of elements that are not zero. */
static inline size_t make_runs(const element *x, const uint8_t *fields, size_t n, struct gate gate,
                               const element *next, struct runs *runs, uint64_t *exponents)
{
    runs->count = 0;
    if (gate.largest == 0)
        return 0;
    struct run *whole = &runs->run[0];
    whole->top = exponent_of_bits(gate.largest);
    whole->lowest = gate.least_exponent;
    if (gate.below || whole->lowest < COMFORT_FIRST || whole->top > COMFORT_LAST ||
        window_count(whole) > WINDOWS_IN_PLACE)
        return sort_into_windows(x, n, gate, next, runs, exponents);
    runs->count = 1;
    whole->x = x;
    whole->n = n;
    whole->shift = 0;
    whole->positions = NULL;
    whole->ahead = next;
    whole->fields = fields;
    count_exponents(whole, runs->binades, exponents);
    find_dense_windows(whole, &runs->few);
    return whole->nonzero;
}

#endif
