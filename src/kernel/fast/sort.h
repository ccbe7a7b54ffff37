/*
 * A block sorted by window: a counting sort, stable, so positions ascend within a run. Windows that
 * are not comfortable are scaled by a power of two, exactly.
 */
#ifndef PRECHECK_KERNEL_FAST_SORT_H
#define PRECHECK_KERNEL_FAST_SORT_H

#include <string.h>

#include "kernel/fast/run.h"
#include "kernel/measure.h"

enum {
    /* The window that uncomfortable ones are scaled to: it holds the exponent 0. */
    CENTRE_WINDOW = -FIRST_BOTTOM / WINDOW,
    /* Zeros have a window of their own, behind all others, and are in no run. */
    ZEROS = WINDOW_COUNT,
    /* A block is sorted in parts side by side: a counter that was just stored is slow to load, and
     * so the next element waits for another one meanwhile. */
    SORT_PARTS = 4,
    BLOCK_STEP = SORT_PARTS * VB_LANES
};

_Static_assert(FAST_BLOCK % BLOCK_STEP == 0, "whole blocks need no padding");

typedef uint32_t window_counts[WINDOW_COUNT + 1][SORT_PARTS];

/* The window of an element that is zero or subnormal; counts its exponent. */
static inline unsigned low_window(element x, uint64_t *exponents)
{
    element_bits bits = bits_of(x) & MAGNITUDE_BITS;
    if (bits == 0)
        return ZEROS;
    int exponent = exponent_of_bits(bits);
    exponents[exponent - EXPONENT_FIRST]++;
    return (unsigned)(exponent - FIRST_BOTTOM) / WINDOW;
}

/* The windows of elements in the normal range, by multiplying with the reciprocal of WINDOW. */
static inline vb pack_windows(const vu bits[BYTE_VECTORS])
{
    enum {
        SHIFT = 20,
        RECIPROCAL = (1 << SHIFT) / WINDOW + 1,
        OFFSET = SUBNORMAL_WINDOWS * WINDOW - 1,
        LARGEST = 2 * EXPONENT_BIAS + OFFSET
    };
    _Static_assert(LARGEST * (RECIPROCAL * WINDOW - (1 << SHIFT)) < 1 << SHIFT, "exact");
    _Static_assert(LARGEST < INT32_MAX / RECIPROCAL, "no overflow");
    vi windows[4];
    exponent_fields(bits, windows);
    for (int i = 0; i < 4; i++) {
        vi above_bottom = vi_add(windows[i], vi_all(OFFSET));
        windows[i] = vi_shift_right(vi_multiply(above_bottom, vi_all(RECIPROCAL)), SHIFT);
    }
    return vb_pack_unsigned(windows[0], windows[1], windows[2], windows[3]);
}

/* The window of each element. Counts the exponents of those below the normal range, and takes all
 * of these from the count that their exponent field, 0, stands for. */
static inline void find_windows(const element *x, size_t n, uint8_t *windows, uint64_t *exponents)
{
    const vu magnitude = vu_all(MAGNITUDE_BITS);
    const vb low = vb_all(SUBNORMAL_WINDOWS - 1); /* where the field 0 seems to be */
    for (size_t i = 0; i < n; i += VB_LANES) {
        vu bits[BYTE_VECTORS];
        for (int j = 0; j < BYTE_VECTORS; j++)
            bits[j] = vu_and(vu_load(x + i + j * LANES), magnitude);
        vb packed = pack_windows(bits);
        vb_store(windows + i, packed);
        for (uint64_t mask = vb_mask(vb_equal(packed, low)); mask; mask &= mask - 1) {
            size_t at = i + (size_t)__builtin_ctzll(mask);
            windows[at] = (uint8_t)low_window(x[at], exponents);
            exponents[LEAST_NORMAL - 1 - EXPONENT_FIRST]--;
        }
    }
}

/* Counts each part's elements by window, none but zeros being outside of first .. last. */
static inline void count_windows(const uint8_t *windows, size_t n, int first, int last,
                                 window_counts counts)
{
    size_t length = n / SORT_PARTS;
    memset(counts, 0, sizeof(window_counts));
    for (int part = 0; part < SORT_PARTS; part++, windows += length) {
        uint64_t of_part[WINDOW_COUNT] = {0};
        size_t zeros = length;
        count_all(windows, length, first, last - first + 1, of_part);
        for (int w = first; w <= last; w++) {
            counts[w][part] = (uint32_t)of_part[w - first];
            zeros -= of_part[w - first];
        }
        counts[ZEROS][part] = (uint32_t)zeros;
    }
}

/* Turns the counts of a window into the places where each part's first element goes; returns how
 * many elements it has. */
static inline size_t make_places(uint32_t counts[SORT_PARTS], size_t start)
{
    size_t place = start;
    for (int part = 0; part < SORT_PARTS; part++) {
        uint32_t count = counts[part];
        counts[part] = (uint32_t)place;
        place += count;
    }
    return place - start;
}

/* A run for each window that has elements, padded with zeros; counts become places. Returns the
 * number of elements in them. */
static inline size_t lay_out_runs(window_counts counts, const element *next, struct runs *runs)
{
    size_t start = 0, nonzero = 0;
    runs->count = 0;
    for (int w = 0; w < WINDOW_COUNT; w++) {
        size_t count = make_places(counts[w], start);
        if (!count)
            continue;
        size_t padded = (count + VB_LANES - 1) / VB_LANES * VB_LANES;
        int bottom = FIRST_BOTTOM + w * WINDOW, top = bottom + WINDOW - 1;
        bool comfortable = bottom >= COMFORT_FIRST && top <= COMFORT_LAST;
        int shift = comfortable ? 0 : (CENTRE_WINDOW - w) * WINDOW;
        struct run *run = &runs->run[runs->count++];
        run->x = runs->sorted + start;
        run->n = padded;
        run->nonzero = count;
        run->top = top + shift;
        run->lowest = bottom + shift;
        run->shift = shift;
        run->positions = runs->positions + start;
        run->ahead = next + nonzero;
        run->dense = 1;
        run->few = NULL;
        run->fields = NULL;
        memset(runs->sorted + start + count, 0, (padded - count) * sizeof(element));
        start += padded;
        nonzero += count;
    }
    make_places(counts[ZEROS], start);
    return nonzero;
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

/* n is a multiple of BLOCK_STEP. Counts the exponents; returns the number of elements that are not
 * zero. */
static inline size_t sort_into_windows(const element *x, size_t n, struct gate gate,
                                       const element *next, struct runs *runs, uint64_t *exponents)
{
    uint8_t windows[FAST_BLOCK];
    window_counts places;
    int first = gate.below ? 0 : (gate.least_exponent - FIRST_BOTTOM) / WINDOW;
    int last = (exponent_of_bits(gate.largest) - FIRST_BOTTOM) / WINDOW;
    find_windows(x, n, windows, exponents);
    count_windows(windows, n, first, last, places);
    size_t nonzero = lay_out_runs(places, next, runs);
    size_t length = n / SORT_PARTS;
    for (size_t i = 0; i < length; i++)
        for (int part = 0; part < SORT_PARTS; part++) {
            size_t from = i + (size_t)part * length;
            uint32_t to = places[windows[from]][part]++;
            element value = x[from];
            int field = (int)((bits_of(value) & MAGNITUDE_BITS) >> FRACTION_BITS);
            exponents[field - EXPONENT_BIAS - EXPONENT_FIRST]++;
            runs->sorted[to] = value;
            runs->positions[to] = (uint16_t)from;
        }
    for (size_t r = 0; r < runs->count; r++) {
        const struct run *run = &runs->run[r];
        if (run->shift)
            scale_run(runs->sorted + (run->x - runs->sorted), run->n, run->shift);
    }
    return nonzero;
}

#endif
