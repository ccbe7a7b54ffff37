/*
 * Rounding a run to a format, to nearest even, and everything about the errors that is no sum.
 *
 * The cast. With x in [2^E, 2^(E+1)) the numbers of a format of precision p near x are multiples of
 * u = 2^(max(E, emin) - p + 1). Let s = 1.5 * 2^k with ulp u; the element type has F fraction bits,
 * so k = max(E, emin) + F + 1 - p. Then x + s lies in [2^k, 2^(k+1)], where the type has the
 * spacing u, and 1.5 * 2^k is an even multiple of u: so the one rounding of x + s is the format's
 * own, ties included, and subtracting s is exact. It needs |x| <= 2^(k-1), or E + 1 <= E + F - p,
 * or p < F. (For float32 and wider formats this is done in binary64.) The error q - x is a multiple
 * of the ulp of x and no larger than |x|: an element.
 */
#ifndef PRECHECK_KERNEL_FAST_ROUNDING_H
#define PRECHECK_KERNEL_FAST_ROUNDING_H

#include <math.h>

#include "kernel/fast/run.h"

/* A format's numbers as a run, scaled by its own power of two, meets them. */
struct grid {
    int precision;
    int emin;           /* clamped to where it makes a difference to the run */
    bool reaches_below; /* elements of the run may be below 2^emin */
};

static inline struct grid grid_for(const struct cast *cast, const struct run *run)
{
    int emin = cast_emin(cast) + run->shift;
    /* Below the run's exponents emin has no effect; far above, every element is less than half the
     * smallest subnormal, 2^(emin - p), and still is at the clamp. */
    int ceiling = run->top + cast->format.precision + 3;
    int floor = run->lowest - 1;
    return (struct grid){
        .precision = cast->format.precision,
        .emin = emin < floor     ? floor
                : emin > ceiling ? ceiling
                                 : emin,
        .reaches_below = emin > run->lowest,
    };
}

/* The least magnitude that is not rounded to below 2^emin: it lies in the middle between that and
 * the number below, whose significand is odd. */
static inline element least_rounded_to_normal(struct grid grid)
{
    return (element)(times_power_of_two(1, grid.emin) -
                     times_power_of_two(1, grid.emin - grid.precision));
}

static inline bool is_wide(struct grid grid)
{
    return grid.precision >= FRACTION_BITS;
}

/* s = factor * max(binade of x, floor) */
struct rounder {
    ve binade, floor, factor;
    vd wide_binade, wide_floor, wide_factor;
};

static inline struct rounder rounder_for(struct grid grid)
{
    double floor = times_power_of_two(1, grid.emin);
    return (struct rounder){
        .binade = ve_from_bits(vu_all(INFINITY_BITS)),
        .floor = ve_all(power_of_two(grid.emin)),
        .factor = ve_all((element)1.5 * power_of_two(FRACTION_BITS + 1 - grid.precision)),
        .wide_binade = vd_from_bits(UINT64_C(0x7ff) << 52),
        .wide_floor = vd_all(floor),
        .wide_factor = vd_all(1.5 * times_power_of_two(1, 53 - grid.precision)),
    };
}

/* Fused, the product being a power of two and a half: exact. */
static inline ve round_narrow(const struct rounder *r, ve x, bool reaches_below)
{
    ve binade = ve_and(x, r->binade);
    if (reaches_below)
        binade = ve_max(binade, r->floor);
    return ve_negate_multiply_add(r->factor, binade, ve_multiply_add(r->factor, binade, x));
}

static inline vd round_half(const struct rounder *r, vd x)
{
    vd binade = vd_max(vd_and(x, r->wide_binade), r->wide_floor);
    vd s = vd_mul(r->wide_factor, binade);
    return vd_sub(vd_add(x, s), s);
}

static inline ve round_wide(const struct rounder *r, ve x)
{
    return ve_from_halves(round_half(r, ve_low_half(x)), round_half(r, ve_high_half(x)));
}

/* What one pass over a run finds. */
struct rounding_result {
    element max_abs; /* the largest |e|, as scaled */
    bool exceeds;    /* some |e| / |x| may be above the threshold */
    bool others;     /* some keys are not first_bin + b, 0 <= b < COUNTER_BINS */
    size_t below;    /* |q| < 2^emin, zeros of x and padding included */
    size_t zeros;    /* q = 0, likewise */
};

/*
 * Rounds the run; writes its errors, and a key for each element's bin in the histogram of relative
 * errors. `threshold` is no larger than the largest relative error so far.
 *
 * The key is floor(log2(|e| / |x|)). The bits of |e| less those of |x| are 2^F times the difference
 * of the exponent fields plus that of the fractions, so shifting right by F with the sign is the
 * floor, borrow included. e = 0 gives -(field of x), below every true bin because x is comfortable;
 * x = 0, padding too, gives 0; so does what is flushed to zero, and nothing else: |e| < |x| where q
 * is another neighbour of x.
 */
static inline __attribute__((always_inline)) struct rounding_result
round_run(const struct run *run, struct grid grid, element threshold, int first_bin, bool wide,
          bool count_below, element *errors, uint8_t *keys)
{
    const struct rounder rounder = rounder_for(grid);
    const ve magnitude = ve_from_bits(vu_all(MAGNITUDE_BITS));
    const ve limit = ve_all(threshold), zero = ve_all(0);
    ve max_abs = zero, max_excess = zero;
    const ve least_normal = ve_all(least_rounded_to_normal(grid));
    const vb first = vb_all((uint8_t)first_bin), bins = vb_all(COUNTER_BINS), none = vb_all(0);
    vu below = vu_all(0);
    vb zeros = none, seen = none;

    for (size_t i = 0; i < run->n; i += VB_LANES) {
        vu key[BYTE_VECTORS];
        for (int j = 0; j < BYTE_VECTORS; j++) {
            ve x = ve_load(run->x + i + j * LANES);
            ve q = wide ? round_wide(&rounder, x) : round_narrow(&rounder, x, count_below);
            ve e = ve_sub(q, x);
            ve_store(errors + i + j * LANES, e);
            ve abs_e = ve_and(e, magnitude), abs_x = ve_and(x, magnitude);
            max_abs = ve_max(max_abs, abs_e);
            /* Rounded once, so positive wherever the exact |e| - limit |x| is. */
            max_excess = ve_max(max_excess, ve_negate_multiply_add(limit, abs_x, abs_e));
            key[j] = vu_sub(ve_bits(abs_e), ve_bits(abs_x));
            if (count_below)
                below = vu_sub(below, ve_bits(ve_less(abs_x, least_normal)));
        }
        vb packed = pack_binades(key);
        vb_store(keys + i, packed);
        seen = vb_or(seen, vb_sub(packed, first));
        if (count_below)
            zeros = vb_sub(zeros, vb_equal(packed, none));
    }

    /* What is below a power of two stays so when its bits are joined. */
    struct rounding_result result = {
        .exceeds = ve_mask(ve_less(zero, max_excess)) != 0,
        .zeros = vb_total(zeros),
        .others = vb_mask(vb_equal(vb_min_unsigned(seen, bins), bins)) != 0,
    };
    element largest[LANES];
    element_bits below_lanes[LANES];
    ve_store(largest, max_abs);
    vu_store(below_lanes, below);
    for (int i = 0; i < LANES; i++) {
        result.max_abs = largest[i] > result.max_abs ? largest[i] : result.max_abs;
        result.below += below_lanes[i];
    }
    return result;
}

#endif
