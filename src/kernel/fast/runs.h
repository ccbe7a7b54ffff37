/*
 * The gate of a block: what magnitudes it holds, and from that one run that is measured where it
 * lies, its sums in as many passes as its range takes windows of binades; or, where those are too
 * many or the magnitudes are extreme, several runs sorted by window.
 */
#ifndef PRECHECK_KERNEL_FAST_RUNS_H
#define PRECHECK_KERNEL_FAST_RUNS_H

#include <string.h>

#include "base/bytes.h"
#include "kernel/fast/histogram.h"
#include "kernel/measure.h"

enum {
    WINDOW_COUNT = (LAST_EXPONENT - LEAST_EXPONENT) / WINDOW + 1,
    /* The window that uncomfortable ones are scaled to: it holds the exponent 0. */
    CENTRE_WINDOW = -LEAST_EXPONENT / WINDOW,
    /* Each run is padded to whole vectors of bytes. */
    RUNS_CAPACITY = FAST_BLOCK + WINDOW_COUNT * VB_LANES,
    /* Sorting costs as much as the sums of so many windows. */
    WINDOWS_IN_PLACE = 4
};

_Static_assert(RUNS_CAPACITY / VB_LANES < 256, "the counters of histogram.h are bytes");

_Static_assert(RUNS_CAPACITY / VB_LANES < 256, "count_keys() counts in bytes");

static inline element power_of_two(int exponent)
{
    return from_bits((element_bits)(exponent + EXPONENT_BIAS) << FRACTION_BITS);
}

/* What a block's elements look like. */
struct gate {
    element_bits largest; /* bits of the largest magnitude */
    int least_exponent;   /* of the elements whose exponent is 1 - FIELD_BIAS or more */
    bool below;           /* there are elements under that, and they are not zero */
};

static inline element_bits largest_lane(vu lanes)
{
    element_bits lane[LANES], largest = 0;
    vu_store(lane, lanes);
    for (int i = 0; i < LANES; i++)
        largest = lane[i] > largest ? lane[i] : largest;
    return largest;
}

/* The bits of the smallest magnitude other than zero; there is one. Taken from a number just above
 * all magnitudes, zeros become negative and the smallest the largest. */
static inline element_bits smallest_magnitude(const element *x, size_t n)
{
    const vu magnitude = vu_all(MAGNITUDE_BITS), above = vu_all(MAGNITUDE_BITS + 1);
    vu most = vu_all(0);
    for (size_t i = 0; i < n; i += LANES)
        most = vu_max_positive(vu_sub(above, vu_and(vu_load(x + i), magnitude)), most);
    return MAGNITUDE_BITS + 1 - largest_lane(most);
}

/* Whether nonzero elements are below 2^(1 - FIELD_BIAS). */
static inline bool any_below(const element *x, size_t n)
{
    const element_bits limit = (element_bits)(1 - FIELD_BIAS + EXPONENT_BIAS) << FRACTION_BITS;
    const vu magnitude = vu_all(MAGNITUDE_BITS), first = vu_all(limit), zero = vu_all(0);
    unsigned found = 0;
    for (size_t i = 0; i < n; i += LANES) {
        vu bits = vu_and(vu_load(x + i), magnitude);
        vu inside = vu_and(vu_greater(first, bits), vu_greater(bits, zero));
        found |= ve_mask(ve_from_bits(inside));
    }
    return found != 0;
}

/* Writes the exponent of each element plus FIELD_BIAS to `fields`, in some order. n is a multiple
 * of VB_LANES. */
static inline struct gate gate_block(const element *x, size_t n, uint8_t *fields)
{
    const vu magnitude = vu_all(MAGNITUDE_BITS);
    const vb one = vb_all(1);
    vu most = vu_all(0);
    vb least = vb_all(255), zeros = vb_all(0);
    for (size_t i = 0; i < n; i += VB_LANES) {
        vu bits[BYTE_VECTORS];
        for (int j = 0; j < BYTE_VECTORS; j++) {
            bits[j] = vu_and(vu_load(x + i + j * LANES), magnitude);
            most = vu_max_positive(bits[j], most);
        }
        vb packed = pack_fields(bits);
        vb_store(fields + i, packed);
        least = vb_min_unsigned(least, vb_sub(packed, one)); /* 0 becomes 255 */
        zeros = vb_or(zeros, vb_equal(packed, vb_all(0)));
    }
    uint8_t lane[VB_LANES];
    vb_store(lane, least);
    int least_field = 255;
    for (int i = 0; i < VB_LANES; i++)
        least_field = lane[i] < least_field ? lane[i] : least_field;
    return (struct gate){
        .largest = largest_lane(most),
        .least_exponent = least_field + 1 - FIELD_BIAS,
        .below = vb_total(zeros) && any_below(x, n),
    };
}

/* floor(log2) of the element with these bits, a finite magnitude other than zero. */
static inline int exponent_of_bits(element_bits bits)
{
    int field = (int)(bits >> FRACTION_BITS), width = (int)sizeof bits * 8;
    return field ? field - EXPONENT_BIAS : width - 1 - leading_zeros(bits) + LEAST_EXPONENT;
}

/* Copies n elements, zero where the magnitude's bits are `limit` or more; returns how many. n is a
 * multiple of LANES. */
static inline size_t copy_below(const element *x, size_t n, element_bits limit, element *to)
{
    const vu magnitude = vu_all(MAGNITUDE_BITS), last = vu_all(limit - 1);
    size_t dropped = 0;
    for (size_t i = 0; i < n; i += LANES) {
        vu bits = vu_load(x + i);
        vu above = vu_greater(vu_and(bits, magnitude), last);
        vu_store(to + i, vu_and_not(above, bits));
        dropped += (size_t)__builtin_popcount(ve_mask(ve_from_bits(above)));
    }
    return dropped;
}

/* Elements x[i] = original * 2^shift, all of them zero or with lowest <= exponent <= top. */
struct run {
    const element *x;
    size_t n; /* a multiple of VB_LANES, padded with zeros */
    size_t nonzero;
    int top, lowest, shift;
    const uint16_t *positions; /* in the block; NULL: as they lie */
};

/* The windows of a run, from the top one: top - WINDOW * i is the top of window i. */
static inline int window_count(const struct run *run)
{
    return (run->top - run->lowest) / WINDOW + 1;
}

struct runs {
    size_t count;
    struct run run[WINDOW_COUNT];
    element sorted[RUNS_CAPACITY];
    uint16_t positions[RUNS_CAPACITY];
};

/* Counts the exponents first .. last of a block from its fields; returns the number of elements
 * that have them. */
static inline size_t count_exponents(const uint8_t *fields, size_t n, int first, int last,
                                     uint64_t *exponents)
{
    uint32_t counts[WINDOW * WINDOWS_IN_PLACE + BINS_AT_ONCE];
    int bins = last - first + 1;
    count_keys(fields, n, first + FIELD_BIAS, bins, counts);
    size_t total = 0;
    for (int b = 0; b < bins; b++) {
        exponents[first + b - EXPONENT_FIRST] += counts[b];
        total += counts[b];
    }
    return total;
}

/* Multiplies by 2^shift: exact, since neither half of it takes a comfortable result out of range.
 */
static inline void scale_run(element *x, size_t n, int shift)
{
    const ve first = ve_all(power_of_two(shift / 2)),
             second = ve_all(power_of_two(shift - shift / 2));
    for (size_t i = 0; i < n; i += LANES)
        ve_store(x + i, ve_mul(ve_mul(ve_load(x + i), first), second));
}

/* Zeros have a window of their own, behind all others, and are in no run. */
enum { ZEROS = WINDOW_COUNT };

/* A block is sorted in four parts side by side: a counter that was just stored is slow to load, and
 * so the next element waits for another one meanwhile. */
enum { SORT_PARTS = 4 };

typedef uint32_t window_counts[SORT_PARTS][WINDOW_COUNT + 1];

/* The window of an element; counts its exponent. */
static inline unsigned window_of(element x, uint64_t *exponents)
{
    element_bits bits = bits_of(x) & MAGNITUDE_BITS;
    if (bits == 0)
        return ZEROS;
    unsigned above_least = (unsigned)(exponent_of_bits(bits) - LEAST_EXPONENT);
    exponents[above_least + (LEAST_EXPONENT - EXPONENT_FIRST)]++;
    return above_least / WINDOW;
}

static inline size_t count_window(window_counts counts, int window)
{
    size_t count = 0;
    for (int part = 0; part < SORT_PARTS; part++)
        count += counts[part][window];
    return count;
}

/* Turns the counts of a window into the places where each part's first element goes. */
static inline void make_places(window_counts counts, int window, size_t start)
{
    for (int part = 0; part < SORT_PARTS; part++) {
        uint32_t count = counts[part][window];
        counts[part][window] = (uint32_t)start;
        start += count;
    }
}

/* A run for each window that has elements, padded with zeros; counts become places. */
static inline void lay_out_runs(window_counts counts, struct runs *runs)
{
    size_t start = 0;
    runs->count = 0;
    for (int w = 0; w < WINDOW_COUNT; w++) {
        size_t count = count_window(counts, w);
        if (!count)
            continue;
        size_t padded = (count + VB_LANES - 1) / VB_LANES * VB_LANES;
        int bottom = LEAST_EXPONENT + w * WINDOW, top = bottom + WINDOW - 1;
        bool comfortable = bottom >= COMFORT_FIRST && top <= COMFORT_LAST;
        int shift = comfortable ? 0 : (CENTRE_WINDOW - w) * WINDOW;
        runs->run[runs->count++] = (struct run){.x = runs->sorted + start,
                                                .n = padded,
                                                .nonzero = count,
                                                .top = top + shift,
                                                .lowest = bottom + shift,
                                                .shift = shift,
                                                .positions = runs->positions + start};
        make_places(counts, w, start);
        memset(runs->sorted + start + count, 0, (padded - count) * sizeof(element));
        start += padded;
    }
    make_places(counts, ZEROS, start);
}

/* Sorts by window: a counting sort, stable, so positions ascend within a run. Counts the exponents
 * on the way; returns the number of elements that are not zero. */
static inline size_t sort_into_windows(const element *x, size_t n, struct runs *runs,
                                       uint64_t *exponents)
{
    uint8_t windows[FAST_BLOCK];
    window_counts counts = {0};
    const size_t part_length = n / SORT_PARTS;
    for (size_t i = 0; i < part_length; i++)
        for (int part = 0; part < SORT_PARTS; part++) {
            size_t at = i + (size_t)part * part_length;
            unsigned window = window_of(x[at], exponents);
            windows[at] = (uint8_t)window;
            counts[part][window]++;
        }
    size_t nonzero = n - count_window(counts, ZEROS);
    lay_out_runs(counts, runs);
    for (size_t i = 0; i < part_length; i++)
        for (int part = 0; part < SORT_PARTS; part++) {
            size_t from = i + (size_t)part * part_length;
            uint32_t to = counts[part][windows[from]]++;
            runs->sorted[to] = x[from];
            runs->positions[to] = (uint16_t)from;
        }
    for (size_t r = 0; r < runs->count; r++) {
        const struct run *run = &runs->run[r];
        if (run->shift)
            scale_run(runs->sorted + (run->x - runs->sorted), run->n, run->shift);
    }
    return nonzero;
}

/* n is a multiple of VB_LANES and at most FAST_BLOCK; x is finite, and `fields` are its exponents'
 * bytes. Counts the exponents; returns the number of elements that are not zero. */
static inline size_t make_runs(const element *x, const uint8_t *fields, size_t n, struct gate gate,
                               struct runs *runs, uint64_t *exponents)
{
    runs->count = 0;
    if (gate.largest == 0)
        return 0;
    struct run whole = {
        .x = x, .n = n, .top = exponent_of_bits(gate.largest), .lowest = gate.least_exponent};
    if (gate.below || whole.lowest < COMFORT_FIRST || whole.top > COMFORT_LAST ||
        window_count(&whole) > WINDOWS_IN_PLACE)
        return sort_into_windows(x, n, runs, exponents);
    whole.nonzero = count_exponents(fields, n, whole.lowest, whole.top, exponents);
    runs->run[0] = whole;
    runs->count = 1;
    return whole.nonzero;
}

/* Copies the values of elements with an exponent in the window that ends at `top`; zero elsewhere.
 */
static inline void copy_window(const element *values, const element *x, size_t n, int top,
                               element *to)
{
    const ve magnitude = ve_from_bits(vu_all(MAGNITUDE_BITS));
    const ve above = ve_all(power_of_two(top + 1)), first = ve_all(power_of_two(top - WINDOW + 1));
    for (size_t i = 0; i < n; i += LANES) {
        ve size = ve_and(ve_load(x + i), magnitude);
        ve outside = ve_less(size, first);
        ve inside = ve_less(size, above);
        ve kept = ve_and(ve_load(values + i), inside);
        ve_store(to + i, ve_from_bits(vu_and_not(ve_bits(outside), ve_bits(kept))));
    }
}

/* The sums of a run's elements, or of their errors: a part a window. Returns how many. */
static inline int sum_windows(const struct run *run, const element *values, bool errors,
                              struct run_sums parts[WINDOWS_IN_PLACE])
{
    int windows = window_count(run);
    element copy[FAST_BLOCK];
    for (int w = 0; w < windows; w++) {
        int top = run->top - w * WINDOW;
        const element *v = values;
        if (windows > 1) {
            copy_window(values, run->x, run->n, top, copy);
            v = copy;
        }
        parts[w] = errors ? sum_run(v, run->n, top, true) : sum_run(v, run->n, top, false);
    }
    return windows;
}

#endif
