/*
 * Anchored accumulators: exact sums in binary64 arithmetic.
 *
 * An accumulator that starts at 1.5 * 2^k and stays strictly between 2^k and 2^(k+1) has one ulp,
 * 2^(k-52), all the time. Adding a multiple of that ulp is then exact, and the distance of the bit
 * patterns of end and start is the sum, an integer count of ulps. Room: 2^(k-1) to either side.
 *
 * What is no multiple of that ulp is cut in two: t = A + v rounds v to the ulp, d = t - A is what
 * was added (exact: both are multiples of the ulp, in one binade), and v - d, at most half an ulp,
 * is exact too and goes to the next accumulator, anchored lower.
 */
#ifndef PRECHECK_KERNEL_FAST_ANCHORED_H
#define PRECHECK_KERNEL_FAST_ANCHORED_H

#include "base/bytes.h"
#include "exact/sum.h"
#include "kernel/fast/window.h"
#include "kernel/kernel.h"

struct anchor {
    vd start;
    int ulp; /* its exponent */
};

/* 1.5 * 2^k */
static inline struct anchor anchor_at(int k)
{
    return (struct anchor){vd_from_bits((uint64_t)(k + 1023) << 52 | UINT64_C(1) << 51), k - 52};
}

/* Adds v to the accumulator, rounded to its ulp, and returns the rest. */
static inline vd add_leading(vd *accumulator, vd v)
{
    vd next = vd_add(*accumulator, v);
    vd rest = vd_sub(v, vd_sub(next, *accumulator));
    *accumulator = next;
    return rest;
}

/* Asks for `count` elements at an address, which need not be valid, before they are needed. */
static inline void bring_near(const element *at, size_t count)
{
    enum { CACHE_LINE = 64 };
    for (size_t i = 0; i < count; i += CACHE_LINE / sizeof *at)
        __builtin_prefetch(at + i);
}

/* n * 2^exponent */
struct fixed {
    int64_t n;
    int exponent;
};

/* A run's sums of values, magnitudes and squares, each the sum of its parts; unused parts are 0. */
struct run_sums {
    struct fixed value[2], magnitude[2], square[4];
};

/* What accumulators that began at the same anchor have gathered together. */
static inline struct fixed gathered(const vd *accumulators, int count, struct anchor anchor)
{
    vl ulps = vl_all(0);
    for (int i = 0; i < count; i++)
        ulps = vl_add(ulps, vl_sub(vd_bits(accumulators[i]), vd_bits(anchor.start)));
    return (struct fixed){vl_total(ulps), anchor.ulp};
}

/* Adds the parts of a sum of elements that were scaled by 2^shift (squares: by twice that). */
static inline void add_parts(struct exact_sum *sum, const struct fixed *parts, size_t count,
                             int shift)
{
    for (size_t i = 0; i < count; i++)
        exact_sum_add_integer(sum, parts[i].n, parts[i].exponent - shift);
}

static inline void add_values(struct exact_sum *sum, const struct run_sums *sums, int shift)
{
    add_parts(sum, sums->value, 2, shift);
}

static inline void add_magnitudes(struct exact_sum *sum, const struct run_sums *sums, int shift)
{
    add_parts(sum, sums->magnitude, 2, shift);
}

static inline void add_squares(struct exact_sum *sum, const struct run_sums *sums, int shift)
{
    add_parts(sum, sums->square, 4, 2 * shift);
}

#endif
