/* clang-format off */
/*
 * Exact sums of a run of float32 numbers.
 *
 * A run, or a window of it, is at most FAST_BLOCK floats whose nonzero elements have exponents in
 * one window of WINDOW binades, top - 18 .. top. So every value v is a multiple of 2^(top - 41)
 * below 2^(top + 1) in magnitude, and so is every rounding error of one, since |e| <= |v| and e is
 * a multiple of the ulp of v. The accumulators are anchored (anchored.h); each lane adds at most
 * 2^9 values.
 *
 *   Sum of v     k = top + 11, ulp 2^(top - 41): 2^9 values are together below the room,
 *                2^(top + 10).
 *
 *   Sum of v^2   v^2 is a multiple of 2^(2 top - 82) below 2^(2 top + 2): too wide for one
 *                accumulator. t = fma(v, v, S) rounds S + v^2 to the ulp of S, d = t - S is what
 *                was added, and fma(v, v, -d) is the rest.
 *     high       k = 2 top + 12, ulp 2^(2 top - 40). 2^9 squares, each at most
 *                (4 - 2^-21) 2^(2 top), and 2^9 roundings by 2^(2 top - 41): below 2^(2 top + 11).
 *     low        k = 2 top - 30, ulp 2^(2 top - 82). 2^9 rests of at most 2^(2 top - 41) stay
 *                within 2^(2 top - 32), a half of the room, and are multiples of that ulp.
 */
/* clang-format on */
#ifndef PRECHECK_KERNEL_FAST_SUMS_F32_H
#define PRECHECK_KERNEL_FAST_SUMS_F32_H

#include "kernel/fast/anchored.h"

enum { WINDOW = 19 };

_Static_assert(FAST_BLOCK == 4096 && WINDOW == 19, "the proof above is for these");
_Static_assert(FAST_BLOCK / (2 * VD_LANES) <= 512, "two chains or more");

/* Of v[0..n), n a multiple of VB_LANES: of errors, with magnitudes; or of elements, and then as
 * many from `ahead` on are brought near meanwhile. Where x is given, only of those v[i] whose x[i]
 * is in the window. The plain sums are fused multiplications by one:
 * processors have as many multipliers as adders, and the adders have enough to do. There are
 * registers for four independent chains, but of sums of values and of magnitudes for two. */
static inline __attribute__((always_inline)) struct run_sums
sum_run(const element *v, const element *x, size_t n, int top, bool errors, const element *ahead)
{
    enum { CHAINS = 4 };
    _Static_assert(VB_LANES % (CHAINS * VD_LANES) == 0, "no run ends within a step");
    const int plain_chains = errors ? 2 : CHAINS;
    const struct anchor value_anchor = anchor_at(top + 11);
    const struct anchor high_anchor = anchor_at(2 * top + 12), low_anchor = anchor_at(2 * top - 30);
    const vd magnitude_bits = vd_from_bits(UINT64_MAX >> 1), one = vd_all(1);
    vd value[CHAINS], magnitude[CHAINS], high[CHAINS], low[CHAINS];
    for (int c = 0; c < CHAINS; c++) {
        value[c] = magnitude[c] = value_anchor.start;
        high[c] = high_anchor.start;
        low[c] = low_anchor.start;
    }

    const struct window window = window_up_to(top, WINDOW);
    element chunk[WINDOW_CHUNK];
    for (size_t done = 0; done < n; done += WINDOW_CHUNK) {
        size_t count = n - done < WINDOW_CHUNK ? n - done : WINDOW_CHUNK;
        const element *from = v + done;
        if (x) {
            copy_window(from, x + done, count, &window, chunk);
            from = chunk;
        }
        for (size_t i = 0; i < count; i += CHAINS * VD_LANES) {
            if (!errors)
                bring_near(ahead + done + i, CHAINS * VD_LANES);
            for (int c = 0; c < CHAINS; c++) {
                vd a = vd_load_floats(from + i + c * VD_LANES);
                int p = c % plain_chains;
                value[p] = vd_multiply_add(a, one, value[p]);
                if (errors)
                    magnitude[p] = vd_multiply_add(vd_and(a, magnitude_bits), one, magnitude[p]);
                vd next = vd_multiply_add(a, a, high[c]);
                vd added = vd_sub(next, high[c]);
                low[c] = vd_add(low[c], vd_multiply_sub(a, a, added));
                high[c] = next;
            }
        }
    }

    struct run_sums sums = {
        .value = {gathered(value, plain_chains, value_anchor)},
        .square = {gathered(high, CHAINS, high_anchor), gathered(low, CHAINS, low_anchor)},
    };
    if (errors)
        sums.magnitude[0] = gathered(magnitude, plain_chains, value_anchor);
    return sums;
}

#endif
