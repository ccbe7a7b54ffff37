/* The elements of one window of binades, and what belongs to them. */
#ifndef PRECHECK_KERNEL_FAST_WINDOW_H
#define PRECHECK_KERNEL_FAST_WINDOW_H

#include <stddef.h>

/* So many values at a time: they are still near when they are added. */
enum { WINDOW_CHUNK = 512 };

static inline element power_of_two(int exponent)
{
    return from_bits((element_bits)(exponent + EXPONENT_BIAS) << FRACTION_BITS);
}

/* Of magnitudes. */
struct window {
    ve first, above;
};

static inline struct window window_up_to(int top, int binades)
{
    return (struct window){ve_all(power_of_two(top - binades + 1)), ve_all(power_of_two(top + 1))};
}

/* Copies the values of elements in the window, and zeros for others; n is a multiple of LANES. */
static inline void copy_window(const element *values, const element *x, size_t n,
                               const struct window *window, element *to)
{
    const ve magnitude = ve_from_bits(vu_all(MAGNITUDE_BITS));
    for (size_t i = 0; i < n; i += LANES) {
        ve size = ve_and(ve_load(x + i), magnitude);
        ve outside = ve_less(size, window->first);
        ve inside = ve_less(size, window->above);
        ve kept = ve_and(ve_load(values + i), inside);
        ve_store(to + i, ve_from_bits(vu_and_not(ve_bits(outside), ve_bits(kept))));
    }
}

#endif
