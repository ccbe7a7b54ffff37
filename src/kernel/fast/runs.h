/*
 * The gate of a block: what magnitudes it holds, and from that one run that is measured where it
 * lies, or, for blocks with a wide range, several runs sorted by window of binades.
 */
#ifndef PRECHECK_KERNEL_FAST_RUNS_H
#define PRECHECK_KERNEL_FAST_RUNS_H

#include <string.h>

#include "base/bytes.h"
#include "kernel/fast/histogram.h"
#include "kernel/fast/sums.h"
#include "kernel/measure.h"

enum {
    INFINITY_BITS = 0x7f800000,
    MAGNITUDE_BITS = 0x7fffffff,
    SMALLEST_NORMAL_BITS = 0x00800000,
    F32_EXPONENT_FIRST = -149,
    F32_EXPONENT_LAST = 127,
    WINDOW_COUNT = (F32_EXPONENT_LAST - F32_EXPONENT_FIRST) / WINDOW + 1,
    /* Where the exponents of a run may lie, so that no step of its measurement overflows or
     * underflows in float32: the rounding needs room for 27 binades above, the filter of relative
     * errors for 71 below. */
    COMFORT_FIRST = -70,
    COMFORT_LAST = 90,
    /* The window that uncomfortable ones are scaled to: it holds the exponent 0. */
    CENTRE_WINDOW = -F32_EXPONENT_FIRST / WINDOW,
    /* Each run is padded to whole vectors of bytes. */
    RUNS_CAPACITY = BLOCK + WINDOW_COUNT * VB_LANES
};

/* What a block's elements look like. Fields are the exponent fields of the floats. */
struct gate {
    uint32_t largest;  /* bits of the largest magnitude */
    int least_field;   /* the least other than 0; 256 where there is none */
    bool subnormals;   /* float32 subnormals occur */
};

static inline uint32_t largest_lane(vi lanes)
{
    uint32_t lane[VF_LANES], largest = 0;
    vi_store(lane, lanes);
    for (int i = 0; i < VF_LANES; i++)
        largest = lane[i] > largest ? lane[i] : largest;
    return largest;
}

/* The bits of the smallest magnitude other than zero, UINT32_MAX + 1 modulo 2^32 where there is
 * none: a zero's bits less one are the largest integer. */
static inline uint32_t smallest_magnitude(const float *x, size_t n)
{
    const vi magnitude = vi_all(MAGNITUDE_BITS), one = vi_all(1), all = vi_all(UINT32_MAX);
    vi most = vi_all(0); /* of the complements */
    for (size_t i = 0; i < n; i += VF_LANES) {
        vi bits = vi_sub(vi_and(vi_load(x + i), magnitude), one);
        most = vi_max_unsigned(most, vi_sub(all, bits));
    }
    return UINT32_MAX - largest_lane(most) + 1;
}

/* Writes the field of each element to `fields`, in some order. n is a multiple of VB_LANES. */
static inline struct gate gate_block(const float *x, size_t n, uint8_t *fields)
{
    const vi magnitude = vi_all(MAGNITUDE_BITS);
    const vb one = vb_all(1);
    vi most = vi_all(0);
    vb least = vb_all(255), zeros = vb_all(0);
    for (size_t i = 0; i < n; i += VB_LANES) {
        vi field[4];
        for (int j = 0; j < 4; j++) {
            vi bits = vi_and(vi_load(x + i + j * VF_LANES), magnitude);
            most = vi_max_unsigned(most, bits);
            field[j] = vi_shift_right(bits, 23);
        }
        vb packed = vb_pack_unsigned(field[0], field[1], field[2], field[3]);
        vb_store(fields + i, packed);
        vb less_one = vb_sub(packed, one); /* 0 becomes 255, as field 256 would */
        least = vb_min_unsigned(least, less_one);
        zeros = vb_or(zeros, vb_equal(packed, vb_all(0)));
    }
    uint8_t lane[VB_LANES];
    vb_store(lane, least);
    struct gate gate = {.largest = largest_lane(most), .least_field = 255};
    for (int i = 0; i < VB_LANES; i++)
        gate.least_field = lane[i] < gate.least_field ? lane[i] : gate.least_field;
    gate.least_field++;
    if (vb_total(zeros))
        gate.subnormals = smallest_magnitude(x, n) - 1 < SMALLEST_NORMAL_BITS - 1;
    return gate;
}

/* floor(log2) of the float with these bits, a finite magnitude other than zero. */
static inline int exponent_of_bits(uint32_t bits)
{
    int field = (int)(bits >> 23);
    return field ? field - 127 : 31 - __builtin_clz(bits) - 149;
}

/* Copies n elements, zero where the magnitude's bits are `limit` or more; returns how many. Both
 * are multiples of VF_LANES. */
static inline size_t copy_below(const float *x, size_t n, uint32_t limit, float *to)
{
    const vi magnitude = vi_all(MAGNITUDE_BITS), last = vi_all(limit - 1);
    size_t dropped = 0;
    for (size_t i = 0; i < n; i += VF_LANES) {
        vi bits = vi_load(x + i);
        vi above = vi_greater(vi_and(bits, magnitude), last);
        vi_store(to + i, vi_and_not(above, bits));
        dropped += (size_t)__builtin_popcount(vf_mask(vf_from_bits(above)));
    }
    return dropped;
}

/* Elements x[i] = original * 2^shift, all of them zero or with top - WINDOW < exponent <= top. */
struct run {
    const float *x;
    size_t n;        /* a multiple of VB_LANES, padded with zeros */
    size_t nonzero;
    int top, shift;
    int lowest;                /* no nonzero element has a smaller exponent */
    const uint16_t *positions; /* in the block; NULL: as they lie */
};

struct runs {
    size_t count;
    struct run run[WINDOW_COUNT];
    float sorted[RUNS_CAPACITY];
    uint16_t positions[RUNS_CAPACITY];
};

/* Counts the exponents first .. last of a block from its fields; returns the number of elements that
 * have them. */
static inline size_t count_exponents(const uint8_t *fields, size_t n, int first, int last,
                                     uint64_t *exponents)
{
    uint32_t counts[WINDOW + BINS_AT_ONCE];
    int bins = last - first + 1;
    count_keys(fields, n, first + 127, bins, counts);
    size_t total = 0;
    for (int b = 0; b < bins; b++) {
        exponents[first + b - EXPONENT_FIRST] += counts[b];
        total += counts[b];
    }
    return total;
}

/* Sorts by window: a counting sort, stable, so positions ascend within a run. */
static inline void sort_into_windows(const float *x, size_t n, struct runs *runs)
{
    uint8_t windows[BLOCK];
    size_t counts[WINDOW_COUNT] = {0}, next[WINDOW_COUNT];
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = float_bits(x[i]) & MAGNITUDE_BITS;
        if (bits == 0) {
            windows[i] = UINT8_MAX;
            continue;
        }
        windows[i] = (uint8_t)((exponent_of_bits(bits) - F32_EXPONENT_FIRST) / WINDOW);
        counts[windows[i]]++;
    }

    double scales[WINDOW_COUNT];
    size_t start = 0;
    runs->count = 0;
    for (int w = 0; w < WINDOW_COUNT; w++) {
        if (!counts[w])
            continue;
        size_t padded = (counts[w] + VB_LANES - 1) / VB_LANES * VB_LANES;
        int bottom = F32_EXPONENT_FIRST + w * WINDOW, top = bottom + WINDOW - 1;
        int shift = bottom >= COMFORT_FIRST && top <= COMFORT_LAST ? 0
                                                                   : (CENTRE_WINDOW - w) * WINDOW;
        runs->run[runs->count++] = (struct run){.x = runs->sorted + start,
                                                .n = padded,
                                                .nonzero = counts[w],
                                                .top = top + shift,
                                                .lowest = bottom + shift,
                                                .shift = shift,
                                                .positions = runs->positions + start};
        scales[w] = double_from_bits((uint64_t)(shift + 1023) << 52);
        next[w] = start;
        memset(runs->sorted + start + counts[w], 0, (padded - counts[w]) * sizeof(float));
        start += padded;
    }
    for (size_t i = 0; i < n; i++) {
        if (windows[i] == UINT8_MAX)
            continue;
        size_t at = next[windows[i]]++;
        runs->sorted[at] = (float)(x[i] * scales[windows[i]]); /* exact */
        runs->positions[at] = (uint16_t)i;
    }
}

/* n is a multiple of VB_LANES and at most BLOCK; x is finite. Run.nonzero of an unsorted run is for
 * the caller to fill in. */
static inline void make_runs(const float *x, size_t n, struct gate gate, struct runs *runs)
{
    runs->count = 0;
    if (gate.largest == 0)
        return;
    int lowest = gate.least_field - 127, top = exponent_of_bits(gate.largest);
    if (!gate.subnormals && lowest >= COMFORT_FIRST && top <= COMFORT_LAST &&
        top - lowest < WINDOW) {
        runs->count = 1;
        runs->run[0] = (struct run){.x = x, .n = n, .top = top, .lowest = lowest};
        return;
    }
    sort_into_windows(x, n, runs);
}

#endif
