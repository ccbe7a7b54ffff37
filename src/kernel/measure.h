/* What measuring adds up to. Every member is an integer, an exact sum or a maximum with its
 * position, so the order of the elements does not matter. Zero-initialise. */
#ifndef PRECHECK_KERNEL_MEASURE_H
#define PRECHECK_KERNEL_MEASURE_H

#include <stdbool.h>
#include <stdint.h>

#include "exact/sum.h"
#include "format/cast.h"

/* floor(log2|x|) of any finite nonzero binary64, and of any |e|/|x|: |e| is no less than an ulp of
 * x and no more than |x| or the smallest subnormal of a scaled format, 2^1022. */
enum {
    EXPONENT_FIRST = -1074,
    EXPONENT_BINS = 1024 - EXPONENT_FIRST,
    RELATIVE_FIRST = -64,
    RELATIVE_BINS = 2112 - RELATIVE_FIRST
};

/* The largest so far of a figure: high + low, exactly; the earliest element that attains it. */
struct extreme {
    double high, low; /* 0 while nothing attained more */
    uint64_t position;
    double input;
};

/*
 * How often each of the keys first .. first + COUNTER_BINS - 1 occurred, as the fast kernels count
 * them over the blocks of a call (fast/histogram.h): a bit of each bin's count in each plane.
 * Before and after a call all are empty: no vectors, and anything in the planes.
 */
enum { COUNTER_BINS = 16, COUNTER_PLANES = 12, COUNTER_BYTES = 2 * COUNTER_PLANES * 64 };
struct key_counter {
    int first;
    unsigned vectors; /* that were counted; no more than fit the planes */
    uint8_t planes[COUNTER_BYTES];
};

struct input_measure {
    uint64_t nan, inf, zero;
    double min_abs, max_abs; /* of finite elements other than zero; 0 where there are none */
    struct exact_sum x, x2;
    uint64_t exponents[EXPONENT_BINS];
    struct key_counter counting[2];
};

struct cast_measure {
    uint64_t classes[CLASS_COUNT];
    uint64_t exact;
    uint64_t count; /* of elements finite before and after */
    struct exact_sum e, abs_e, e2, x2;
    struct extreme max_abs, max_rel;
    uint64_t relative_exact;
    uint64_t relative[RELATIVE_BINS];
    struct key_counter counting[2];
};

/* Keeps the larger, and of equals the earlier. */
static inline void extreme_offer(struct extreme *best, double high, double low, uint64_t position,
                                 double input)
{
    if (high < best->high || (high == best->high && low < best->low) || high == 0)
        return;
    bool equal = high == best->high && low == best->low;
    if (equal && position >= best->position)
        return;
    *best = (struct extreme){high, low, position, input};
}

#endif
