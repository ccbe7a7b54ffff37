/* clang-format off */
/*
 * Exact sums of a run of binary64 numbers.
 *
 * A run, or a window of it, is at most FAST_BLOCK numbers whose nonzero elements have exponents in
 * one window of WINDOW binades, top - 16 .. top. So every value v is a multiple of 2^(top - 68)
 * below 2^(top + 1) in magnitude, and so is every rounding error of one, since |e| <= |v| and e is
 * a multiple of the ulp of v. The accumulators are anchored (anchored.h); each lane adds at most
 * 2^7 values.
 *
 *   Sum of v     two accumulators.
 *     high       k = top + 10, ulp 2^(top - 42): 2^7 values and their roundings are below the room,
 *                2^(top + 9).
 *     low        k = top - 33, ulp 2^(top - 85). The rests, at most 2^(top - 43) each, are
 *                multiples of 2^(top - 68), and together at most 2^(top - 36) in a room of
 *                2^(top - 34).
 *
 *   Sum of v^2   p = v * v rounded, r = fma(v, v, -p) exactly what that lost: a comfortable run is
 *                far from underflow. Two accumulators for p, then two for r.
 *     p high     p <= 2^(2 top + 2). k = 2 top + 12, ulp 2^(2 top - 40), room 2^(2 top + 11).
 *     p low      k = 2 top - 32, ulp 2^(2 top - 84), room 2^(2 top - 33). The rests of p high, at
 *                most 2^(2 top - 41), fill a half of it. For an element of the window p is at least
 *                2^(2 top - 32), so a multiple of 2^(2 top - 84), and nothing is left. An error
 *                can be smaller: what is left of its p, below 2^(2 top - 84), goes the way of r.
 *     r high     |r| <= 2^(2 top - 52). k = 2 top - 43, ulp 2^(2 top - 95), room 2^(2 top - 44):
 *                2^7 of r reach 2^(2 top - 45), and what is left of p adds next to nothing.
 *     r low      k = 2 top - 86, ulp 2^(2 top - 138), room 2^(2 top - 87). r and what is left of p
 *                are multiples of 2^(2 top - 136); the rests of r high, at most 2^(2 top - 96) and
 *                two a value, reach 2^(2 top - 88).
 */
/* clang-format on */
#ifndef PRECHECK_KERNEL_FAST_SUMS_F64_H
#define PRECHECK_KERNEL_FAST_SUMS_F64_H

#include "kernel/fast/anchored.h"

enum { WINDOW = 17 };

_Static_assert(FAST_BLOCK == 1024 && WINDOW == 17, "the proof above is for these");
_Static_assert(FAST_BLOCK / (2 * VD_LANES) <= 128, "two chains");

/* Of v[0..n), n a multiple of VB_LANES: of errors, with magnitudes; or of elements, and then as
 * many from `ahead` on are brought near meanwhile. Where x is given, only of those v[i] whose x[i]
 * is in the window. */
static inline __attribute__((always_inline)) struct run_sums
sum_run(const element *v, const element *x, size_t n, int top, bool errors, const element *ahead)
{
    const struct anchor value_anchors[2] = {anchor_at(top + 10), anchor_at(top - 33)};
    const struct anchor square_anchors[4] = {anchor_at(2 * top + 12), anchor_at(2 * top - 32),
                                             anchor_at(2 * top - 43), anchor_at(2 * top - 86)};
    const vd magnitude_bits = vd_from_bits(UINT64_MAX >> 1);
    enum { CHAINS = 2 };
    vd value[2][CHAINS], magnitude[2][CHAINS], square[4][CHAINS];
    for (int c = 0; c < CHAINS; c++) {
        for (int i = 0; i < 2; i++)
            value[i][c] = magnitude[i][c] = value_anchors[i].start;
        for (int i = 0; i < 4; i++)
            square[i][c] = square_anchors[i].start;
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
                vd a = vd_load(from + i + c * VD_LANES);
                value[1][c] = vd_add(value[1][c], add_leading(&value[0][c], a));
                if (errors)
                    magnitude[1][c] = vd_add(
                        magnitude[1][c], add_leading(&magnitude[0][c], vd_and(a, magnitude_bits)));
                vd p = vd_mul(a, a), r = vd_multiply_sub(a, a, p);
                vd rest = add_leading(&square[0][c], p);
                if (errors) {
                    rest = add_leading(&square[1][c], rest);
                    rest = add_leading(&square[2][c], rest);
                    square[3][c] = vd_add(square[3][c], rest);
                } else {
                    square[1][c] = vd_add(square[1][c], rest);
                }
                square[3][c] = vd_add(square[3][c], add_leading(&square[2][c], r));
            }
        }
    }

    struct run_sums sums = {0};
    for (int i = 0; i < 2; i++)
        sums.value[i] = gathered(value[i], CHAINS, value_anchors[i]);
    for (int i = 0; i < 2 && errors; i++)
        sums.magnitude[i] = gathered(magnitude[i], CHAINS, value_anchors[i]);
    for (int i = 0; i < 4; i++)
        sums.square[i] = gathered(square[i], CHAINS, square_anchors[i]);
    return sums;
}

#endif
