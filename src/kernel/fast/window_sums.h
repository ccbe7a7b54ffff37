/* The sums of a run, window by window. */
#ifndef PRECHECK_KERNEL_FAST_WINDOW_SUMS_H
#define PRECHECK_KERNEL_FAST_WINDOW_SUMS_H

#include "kernel/fast/run.h"

/* The sums of a run's elements, or of their errors: a part a window. Returns how many. */
static inline int sum_windows(const struct run *run, const element *values, bool errors,
                              struct run_sums parts[WINDOWS_IN_PLACE])
{
    int windows = window_count(run);
    element few_values[MOST_FEW], few_x[MOST_FEW];
    const element *x = run->x;
    size_t n = run->n;
    for (int w = 0; w < windows; w++) {
        int top = run->top - w * WINDOW;
        if (w > 0 && w == run->dense) {
            n = gather(values, run->few, few_values);
            gather(x, run->few, few_x);
            values = few_values;
            x = few_x;
        }
        const element *all = windows == 1 ? NULL : x;
        parts[w] = errors ? sum_run(values, all, n, top, true, NULL)
                          : sum_run(values, all, n, top, false, w ? x : run->ahead);
    }
    return windows;
}

#endif
