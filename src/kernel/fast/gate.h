/* The gate of a block: what magnitudes it holds. */
#ifndef PRECHECK_KERNEL_FAST_GATE_H
#define PRECHECK_KERNEL_FAST_GATE_H

#include "base/bytes.h"
#include "kernel/fast/histogram.h"

/* What a block's elements look like. */
struct gate {
    element_bits largest; /* bits of the largest magnitude */
    int least_exponent;   /* of the elements whose exponent is 1 - FIELD_BIAS or more */
    bool below;           /* there are elements under that, and they are not zero */
    size_t zeros;         /* where not: how many are zero */
};

static inline element_bits largest_lane(vu lanes)
{
    element_bits lane[LANES], largest = 0;
    vu_store(lane, lanes);
    for (int i = 0; i < LANES; i++)
        largest = lane[i] > largest ? lane[i] : largest;
    return largest;
}

static inline int least_lane(vb lanes)
{
    uint8_t lane[VB_LANES];
    int least = 255;
    vb_store(lane, lanes);
    for (int i = 0; i < VB_LANES; i++)
        least = lane[i] < least ? lane[i] : least;
    return least;
}

/* The bits of the smallest magnitude other than zero; there is one. Taken from a number just above
 * all magnitudes, zeros become negative and the smallest the largest. */
static inline element_bits smallest_magnitude(const element *x, size_t n)
{
    const vu magnitude = vu_all(MAGNITUDE_BITS), above = vu_all(MAGNITUDE_BITS + 1);
    vu most = vu_all(0);
    for (size_t i = 0; i < n; i += LANES)
        most = vu_max_positive(vu_sub(above, vu_and(vu_load(x + i), magnitude)), most);
    return MAGNITUDE_BITS + 1 - largest_lane(most);
}

/* Whether nonzero elements are below 2^(1 - FIELD_BIAS). */
static inline bool any_below(const element *x, size_t n)
{
    const element_bits limit = (element_bits)(1 - FIELD_BIAS + EXPONENT_BIAS) << FRACTION_BITS;
    const vu magnitude = vu_all(MAGNITUDE_BITS), first = vu_all(limit), zero = vu_all(0);
    unsigned found = 0;
    for (size_t i = 0; i < n; i += LANES) {
        vu bits = vu_and(vu_load(x + i), magnitude);
        vu inside = vu_and(vu_greater(first, bits), vu_greater(bits, zero));
        found |= ve_mask(ve_from_bits(inside));
    }
    return found != 0;
}

/* FIELD_BIAS more than the exponents of magnitudes, saturated to bytes; zeros and subnormals are 0.
 */
static inline vb pack_fields(const vu bits[BYTE_VECTORS])
{
    vi fields[4];
    exponent_fields(bits, fields);
    for (int i = 0; i < 4; i++)
        fields[i] = vi_sub(fields[i], vi_all(EXPONENT_BIAS - FIELD_BIAS));
    return vb_pack_unsigned(fields[0], fields[1], fields[2], fields[3]);
}

/* Writes the exponent of each element plus FIELD_BIAS to `fields`. n is a multiple of VB_LANES. */
static inline struct gate gate_block(const element *x, size_t n, uint8_t *fields)
{
    const vu magnitude = vu_all(MAGNITUDE_BITS);
    const vb one = vb_all(1);
    vu most = vu_all(0);
    vb least = vb_all(255), zeros = vb_all(0);
    for (size_t i = 0; i < n; i += VB_LANES) {
        vu bits[BYTE_VECTORS];
        for (int j = 0; j < BYTE_VECTORS; j++) {
            bits[j] = vu_and(vu_load(x + i + j * LANES), magnitude);
            most = vu_max_positive(bits[j], most);
        }
        vb packed = pack_fields(bits);
        vb_store(fields + i, packed);
        least = vb_min_unsigned(least, vb_sub(packed, one)); /* 0 becomes 255 */
        zeros = vb_or(zeros, vb_equal(packed, vb_all(0)));
    }
    struct gate gate = {.largest = largest_lane(most),
                        .least_exponent = least_lane(least) + 1 - FIELD_BIAS};
    if (vb_mask(zeros)) {
        gate.below = any_below(x, n);
        gate.zeros = count_inside(fields, n, 0, 1);
    }
    return gate;
}

/* floor(log2) of the element with these bits, a finite magnitude other than zero. */
static inline int exponent_of_bits(element_bits bits)
{
    int field = (int)(bits >> FRACTION_BITS), width = (int)sizeof bits * 8;
    return field ? field - EXPONENT_BIAS : width - 1 - leading_zeros(bits) + LEAST_EXPONENT;
}

/* Copies n elements, zero where the magnitude's bits are `limit` or more; returns how many. n is a
 * multiple of LANES. */
static inline size_t copy_below(const element *x, size_t n, element_bits limit, element *to)
{
    const vu magnitude = vu_all(MAGNITUDE_BITS), last = vu_all(limit - 1);
    size_t dropped = 0;
    for (size_t i = 0; i < n; i += LANES) {
        vu bits = vu_load(x + i);
        vu above = vu_greater(vu_and(bits, magnitude), last);
        vu_store(to + i, vu_and_not(above, bits));
        dropped += (size_t)__builtin_popcount(ve_mask(ve_from_bits(above)));
    }
    return dropped;
}

#endif
