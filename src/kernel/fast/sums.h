/*
 * Exact sums of a run, in binary64 arithmetic that never rounds what it keeps.
 *
 * A run is at most BLOCK floats whose nonzero elements have exponents in one window of WINDOW
 * binades, top - WINDOW + 1 .. top. So every value v is a multiple of 2^(top - 42) below 2^(top + 1)
 * in magnitude, and so is every rounding error of one, since |e| <= |v| and e is a multiple of the
 * ulp of v.
 *
 * Anchored accumulators. An accumulator that starts at 1.5 * 2^k and stays strictly between 2^k and
 * 2^(k+1) has one ulp, 2^(k-52), all the time. Adding a multiple of that ulp is then exact, and the
 * distance of the bit patterns of end and start is the sum, an integer count of ulps. Room: 2^(k-1)
 * to either side.
 *
 *   Sum of v     k = top + 10, ulp 2^(top - 42). A lane adds BLOCK / 8 = 2^8 values, together below
 *                2^(top + 9) = 2^(k - 1).
 *   Sum of v^2   v^2 is a multiple of 2^(2 top - 84) below 2^(2 top + 2): too wide for one
 *                accumulator, so it is cut in two. t = fma(v, v, S) rounds S + v^2 to the ulp of S,
 *                d = t - S is what was added (exact: both are multiples of that ulp, in one binade)
 *                and fma(v, v, -d) is the remainder, exact since it is at most half an ulp of S and
 *                a multiple of 2^(2 top - 84).
 *     high       k = 2 top + 11, ulp 2^(2 top - 41). 2^8 squares, each at most
 *                (4 - 2^-21) 2^(2 top), and 2^8 roundings by 2^(2 top - 42): below 2^(2 top + 10).
 *     low        k = 2 top - 32, ulp 2^(2 top - 84). 2^8 remainders of at most 2^(2 top - 42) stay
 *                within 2^(2 top - 34), a half of the room.
 */
#ifndef PRECHECK_KERNEL_FAST_SUMS_H
#define PRECHECK_KERNEL_FAST_SUMS_H

#include "base/bytes.h"
#include "exact/sum.h"
#include "kernel/kernel.h"

enum { WINDOW = 20 };

_Static_assert(BLOCK == 2048 && WINDOW == 20, "the proofs above are for these");

/* One exact number as integers times powers of two. */
struct fixed {
    int64_t n;
    int exponent;
};

struct run_sums {
    struct fixed value, magnitude, square_high, square_low;
};

/* 1.5 * 2^k */
static inline vd anchor(int k)
{
    return vd_from_bits((uint64_t)(k + 1023) << 52 | UINT64_C(1) << 51);
}

/* Of v[0..n), n a multiple of 8. The magnitudes only where asked for. */
static inline __attribute__((always_inline)) struct run_sums
sum_run(const float *v, size_t n, int top, bool with_magnitude)
{
    const vd value_anchor = anchor(top + 10);
    const vd high_anchor = anchor(2 * top + 11), low_anchor = anchor(2 * top - 32);
    const vd magnitude_bits = vd_from_bits(UINT64_MAX >> 1);
    vd value[2] = {value_anchor, value_anchor}, magnitude[2] = {value_anchor, value_anchor};
    vd high[2] = {high_anchor, high_anchor}, low[2] = {low_anchor, low_anchor};

    for (size_t i = 0; i < n; i += 2 * VD_LANES) {
        for (int half = 0; half < 2; half++) {
            vd x = vd_load_floats(v + i + half * VD_LANES);
            value[half] = vd_add(value[half], x);
            if (with_magnitude)
                magnitude[half] = vd_add(magnitude[half], vd_and(x, magnitude_bits));
            vd next = vd_multiply_add(x, x, high[half]);
            vd added = vd_sub(next, high[half]);
            low[half] = vd_add(low[half], vd_multiply_sub(x, x, added));
            high[half] = next;
        }
    }

    struct run_sums sums = {
        .value.exponent = top - 42,
        .magnitude.exponent = top - 42,
        .square_high.exponent = 2 * top - 41,
        .square_low.exponent = 2 * top - 84,
    };
    for (int half = 0; half < 2; half++) {
        sums.value.n += vd_bits_distance(value[half], value_anchor);
        sums.magnitude.n += vd_bits_distance(magnitude[half], value_anchor);
        sums.square_high.n += vd_bits_distance(high[half], high_anchor);
        sums.square_low.n += vd_bits_distance(low[half], low_anchor);
    }
    return sums;
}

/* Adds a sum of values, or of squares, that were scaled by 2^shift. */
static inline void add_fixed(struct exact_sum *sum, struct fixed fixed, int shift)
{
    exact_sum_add_integer(sum, fixed.n, fixed.exponent - shift);
}

static inline void add_squares(struct exact_sum *sum, const struct run_sums *sums, int shift)
{
    add_fixed(sum, sums->square_high, 2 * shift);
    add_fixed(sum, sums->square_low, 2 * shift);
}

#endif
