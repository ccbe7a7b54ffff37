/* The sums of a run, window by window. */
#ifndef PRECHECK_KERNEL_FAST_WINDOW_SUMS_H
#define PRECHECK_KERNEL_FAST_WINDOW_SUMS_H

#include "kernel/fast/run.h"

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
    if (windows == 1) {
        parts[0] = errors ? sum_run(values, run->n, run->top, true, NULL)
                          : sum_run(values, run->n, run->top, false, run->ahead);
        return 1;
    }
    element window[FAST_BLOCK], few_values[MOST_FEW], few_x[MOST_FEW];
    const element *x = run->x;
    size_t n = run->n;
    for (int w = 0; w < windows; w++) {
        int top = run->top - w * WINDOW;
        if (w == run->dense) {
            n = gather(values, run->few, few_values);
            gather(x, run->few, few_x);
            values = few_values;
            x = few_x;
        }
        copy_window(values, x, n, top, window);
        parts[w] = errors ? sum_run(window, n, top, true, NULL)
                          : sum_run(window, n, top, false, w ? window : run->ahead);
    }
    return windows;
}

#endif
