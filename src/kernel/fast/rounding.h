/*
 * Rounding a run to a format, to nearest even, and everything about the errors that is no sum.
 *
 * The cast. With x in [2^E, 2^(E+1)) the numbers of a format of precision p near x are multiples of
 * u = 2^(max(E, emin) - p + 1). Let s = 1.5 * 2^k with ulp u, that is k = max(E, emin) + 24 - p in
 * float32. Then x + s lies in [2^k, 2^(k+1)], where float32 has the spacing u, and 1.5 * 2^k is an
 * even multiple of u: so the one rounding of x + s is the format's own, ties included, and
 * subtracting s is exact. It needs |x| <= 2^(k-1): E + 1 <= E + 23 - p, p <= 22. In binary64 the
 * same holds with 53 for 24. The error q - x is a multiple of the ulp of x and no larger than |x|:
 * a float.
 */
#ifndef PRECHECK_KERNEL_FAST_ROUNDING_H
#define PRECHECK_KERNEL_FAST_ROUNDING_H

#include <math.h>

#include "kernel/element.h"
#include "kernel/fast/runs.h"

enum { F32_PRECISION_LIMIT = 22 };

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
        .emin = emin < floor ? floor : emin > ceiling ? ceiling : emin,
        .reaches_below = emin > run->lowest,
    };
}

static inline float power_of_two(int exponent)
{
    return float_from_bits((uint32_t)(exponent + 127) << 23);
}

static inline double power_of_two_double(int exponent)
{
    return double_from_bits((uint64_t)(exponent + 1023) << 52);
}

struct rounder {
    vf binade, floor, factor; /* s = factor * max(x & binade, floor) */
    vd wide_binade, wide_floor, wide_factor;
};

static inline struct rounder rounder_for(struct grid grid)
{
    struct rounder r = {
        .binade = vf_from_bits(vi_all(INFINITY_BITS)),
        .floor = vf_all(power_of_two(grid.emin)),
        .wide_binade = vd_from_bits(UINT64_C(0x7ff) << 52),
        .wide_floor = vd_all(power_of_two_double(grid.emin)),
        .wide_factor = vd_all(1.5 * power_of_two_double(53 - grid.precision)),
    };
    r.factor = vf_all(grid.precision <= F32_PRECISION_LIMIT
                          ? 1.5f * power_of_two(24 - grid.precision)
                          : 0);
    return r;
}

static inline vf round_narrow(const struct rounder *r, vf x)
{
    vf s = vf_mul(r->factor, vf_max(vf_and(x, r->binade), r->floor));
    return vf_sub(vf_add(x, s), s);
}

static inline vd round_wide_half(const struct rounder *r, vd x)
{
    vd s = vd_mul(r->wide_factor, vd_max(vd_and(x, r->wide_binade), r->wide_floor));
    return vd_sub(vd_add(x, s), s);
}

static inline vf round_wide(const struct rounder *r, vf x)
{
    return vf_from_doubles(round_wide_half(r, vd_low_half(x)), round_wide_half(r, vd_high_half(x)));
}

/* What one pass over a run finds. */
struct rounding_result {
    float max_abs;      /* the largest |e|, as scaled */
    bool exceeds;       /* some |e| / |x| may be above the threshold */
    size_t below;       /* |q| < 2^emin, zeros of x and padding included */
    size_t zeros;       /* q = 0, likewise */
};

/*
 * The relative error's histogram takes floor(log2(|e| / |x|)) of each element. For floats of any
 * sign bit cleared, bits(|e|) - bits(|x|) is 2^23 times the difference of the exponent fields plus
 * that of the fractions, so an arithmetic shift right by 23 is the floor, borrow included. e = 0
 * gives -(field of x), below every true bin because x is comfortable; x = 0, padding too, gives 0.
 */
static inline vi relative_key(vf e, vf magnitude)
{
    return vi_shift_right_signed(vi_sub(vf_bits(e), vf_bits(magnitude)), 23);
}

/* Rounds the run; writes its errors and its keys. `threshold` is no larger than the largest
 * relative error so far. */
static inline __attribute__((always_inline)) struct rounding_result
round_run(const struct run *run, struct grid grid, float threshold, bool wide, bool count_below,
          float *errors, uint8_t *keys)
{
    const struct rounder rounder = rounder_for(grid);
    const vf magnitude_bits = vf_from_bits(vi_all(MAGNITUDE_BITS));
    const vf limit = vf_all(threshold), zero = vf_all(0), smallest_normal = rounder.floor;
    vf max_abs = zero, max_excess = zero;
    vi below = vi_all(0), zeros = vi_all(0);

    for (size_t i = 0; i < run->n; i += VB_LANES) {
        vi key[4];
        for (int j = 0; j < 4; j++) {
            vf x = vf_load(run->x + i + j * VF_LANES);
            vf q = wide ? round_wide(&rounder, x) : round_narrow(&rounder, x);
            vf e = vf_sub(q, x);
            vf_store(errors + i + j * VF_LANES, e);
            vf abs_e = vf_and(e, magnitude_bits), abs_x = vf_and(x, magnitude_bits);
            max_abs = vf_max(max_abs, abs_e);
            /* Rounded once, so positive wherever the exact |e| - limit |x| is. */
            max_excess = vf_max(max_excess, vf_negate_multiply_add(limit, abs_x, abs_e));
            key[j] = relative_key(abs_e, abs_x);
            if (count_below) {
                vf abs_q = vf_and(q, magnitude_bits);
                below = vi_sub(below, vf_bits(vf_less(abs_q, smallest_normal)));
                zeros = vi_sub(zeros, vf_bits(vf_equal(abs_q, zero)));
            }
        }
        vb_store(keys + i, vb_pack_signed(key[0], key[1], key[2], key[3]));
    }

    struct rounding_result result = {0};
    float largest[VF_LANES];
    uint32_t below_lanes[VF_LANES], zero_lanes[VF_LANES];
    vf_store(largest, max_abs);
    vi_store(below_lanes, below);
    vi_store(zero_lanes, zeros);
    for (int i = 0; i < VF_LANES; i++) {
        result.max_abs = largest[i] > result.max_abs ? largest[i] : result.max_abs;
        result.below += below_lanes[i];
        result.zeros += zero_lanes[i];
    }
    result.exceeds = vf_mask(vf_less(zero, max_excess)) != 0;
    return result;
}

#endif
