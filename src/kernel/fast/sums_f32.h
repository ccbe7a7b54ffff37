/* clang-format off */
/*
 * Exact sums of a run of float32 numbers.
 *
 * A run, or a window of it, is at most FAST_BLOCK floats whose nonzero elements have exponents in
 * one window of WINDOW binades, top - 19 .. top. So every value v is a multiple of 2^(top - 42)
 * below 2^(top + 1) in magnitude, and so is every rounding error of one, since |e| <= |v| and e is
 * a multiple of the ulp of v. The accumulators are anchored (anchored.h); each lane adds at most
 * 2^8 values.
 *
 *   Sum of v     k = top + 10, ulp 2^(top - 42): 2^8 values are together below the room,
 *                2^(top + 9).
 *
 *   Sum of v^2   v^2 is a multiple of 2^(2 top - 84) below 2^(2 top + 2): too wide for one
 *                accumulator. t = fma(v, v, S) rounds S + v^2 to the ulp of S, d = t - S is what
 *                was added, and fma(v, v, -d) is the rest.
 *     high       k = 2 top + 11, ulp 2^(2 top - 41). 2^8 squares, each at most
 *                (4 - 2^-21) 2^(2 top), and 2^8 roundings by 2^(2 top - 42): below 2^(2 top + 10).
 *     low        k = 2 top - 32, ulp 2^(2 top - 84). 2^8 rests of at most 2^(2 top - 42) stay
 *                within 2^(2 top - 34), a half of the room, and are multiples of that ulp.
 */
/* clang-format on */
#ifndef PRECHECK_KERNEL_FAST_SUMS_F32_H
#define PRECHECK_KERNEL_FAST_SUMS_F32_H

#include "kernel/fast/anchored.h"

enum { WINDOW = 20 };

_Static_assert(FAST_BLOCK == 2048 && WINDOW == 20, "the proof above is for these");
_Static_assert(FAST_BLOCK / (2 * VD_LANES) <= 256, "two chains or more");

/* Of v[0..n), n a multiple of VB_LANES: of errors, with magnitudes; or of elements, and then as
 * many from `ahead` on are brought near meanwhile. The plain sums are fused multiplications by one:
 * processors have as many multipliers as adders, and the adders have enough to do. Without the
 * magnitudes there are registers for four independent chains. */
static inline __attribute__((always_inline)) struct run_sums
sum_run(const element *v, size_t n, int top, bool errors, const element *ahead)
{
    enum { CHAINS = 4 };
    _Static_assert(VB_LANES % (CHAINS * VD_LANES) == 0, "no run ends within a step");
    const int chains = errors ? 2 : CHAINS;
    const struct anchor value_anchor = anchor_at(top + 10);
    const struct anchor high_anchor = anchor_at(2 * top + 11), low_anchor = anchor_at(2 * top - 32);
    const vd magnitude_bits = vd_from_bits(UINT64_MAX >> 1), one = vd_all(1);
    vd value[CHAINS], magnitude[CHAINS], high[CHAINS], low[CHAINS];
    for (int c = 0; c < chains; c++) {
        value[c] = magnitude[c] = value_anchor.start;
        high[c] = high_anchor.start;
        low[c] = low_anchor.start;
    }

    for (size_t i = 0; i < n; i += (size_t)chains * VD_LANES) {
        if (!errors)
            bring_near(ahead + i, (size_t)chains * VD_LANES);
        for (int c = 0; c < chains; c++) {
            vd x = vd_load_floats(v + i + c * VD_LANES);
            value[c] = vd_multiply_add(x, one, value[c]);
            if (errors)
                magnitude[c] = vd_multiply_add(vd_and(x, magnitude_bits), one, magnitude[c]);
            vd next = vd_multiply_add(x, x, high[c]);
            vd added = vd_sub(next, high[c]);
            low[c] = vd_add(low[c], vd_multiply_sub(x, x, added));
            high[c] = next;
        }
    }

    struct run_sums sums = {
        .value = {gathered(value, chains, value_anchor)},
        .square = {gathered(high, chains, high_anchor), gathered(low, chains, low_anchor)},
    };
    if (errors)
        sums.magnitude[0] = gathered(magnitude, chains, value_anchor);
    return sums;
}

#endif
