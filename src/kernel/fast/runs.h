/*
 * The runs of a block: one that is measured where it lies, its sums in a pass for each of its
 * windows; or, where those are too many or the magnitudes are extreme, a sorted one for each.
 */
#ifndef PRECHECK_KERNEL_FAST_RUNS_H
#define PRECHECK_KERNEL_FAST_RUNS_H

#include "kernel/fast/sort.h"

/* Adds what was counted to the histogram, and empties the counters. */
static inline void settle_exponents(struct input_measure *input)
{
    for (int i = 0; i < 2; i++)
        settle_counter(&input->counting[i],
                       input->exponents + input->counting[i].first - FIELD_BIAS - EXPONENT_FIRST);
}

_Static_assert(COMFORT_FIRST + FIELD_BIAS >= 2 * COUNTER_BINS, "no counter counts zeros");

/* The first counter counts the highest exponents, to one above the block's: the next block may
 * reach a little higher, or not as high. The second is for those below, where they are many. */
static inline void aim_counters(struct input_measure *input, int top, size_t n)
{
    struct key_counter *upper = &input->counting[0], *lower = &input->counting[1];
    enum { SPARE = 4 };
    int last = upper->first + COUNTER_BINS - 1;
    if (upper->vectors && top <= last && top > last - SPARE && !counter_is_full(upper, n))
        return;
    settle_exponents(input);
    upper->first = top + 1 - (COUNTER_BINS - 1);
    lower->first = upper->first - COUNTER_BINS;
}

/* Counts the exponents of a run that lies as in the block. */
static inline void count_exponents(const struct run *run, struct input_measure *input)
{
    struct key_counter *upper = &input->counting[0], *lower = &input->counting[1];
    int least = run->lowest + FIELD_BIAS;
    uint64_t *rest = input->exponents + run->lowest - EXPONENT_FIRST;
    aim_counters(input, run->top + FIELD_BIAS, run->n);
    count_keys(upper, run->fields, run->n);
    if (least >= upper->first)
        return;
    if (count_inside(run->fields, run->n, least, upper->first - least) <= FEW_KEYS) {
        count_rest(run->fields, run->n, least, upper->first - least, rest);
    } else {
        count_keys(lower, run->fields, run->n);
        count_rest(run->fields, run->n, least, lower->first - least, rest);
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
 * exponents' bytes; `next` is what will be measured after it. Counts the exponents of what it
 * sorts. Returns the number of elements that are not zero. */
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
    whole->nonzero = n - gate.zeros;
    find_dense_windows(whole, &runs->few);
    return whole->nonzero;
}

#endif
