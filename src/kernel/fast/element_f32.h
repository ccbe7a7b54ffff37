/* The fast kernel's element type: float32. */
#ifndef PRECHECK_KERNEL_FAST_ELEMENT_H
#define PRECHECK_KERNEL_FAST_ELEMENT_H

#include "base/bytes.h"
#include "kernel/element.h"
#include "kernel/kernel.h"

typedef float element;
typedef uint32_t element_bits;
typedef vf ve; /* a vector of elements, and of their bits */
typedef vi vu;

enum {
    FAST_BLOCK = 4096,
    LANES = VF_LANES,
    FRACTION_BITS = 23,
    EXPONENT_BIAS = 127,
    LEAST_EXPONENT = -149, /* of a subnormal */
    LAST_EXPONENT = 127,
    FIELD_BIAS = 127, /* of exponents in bytes */
    /* Where the exponents of a run may lie, so that no step of its measurement overflows or
     * underflows: the rounding needs room for 27 binades above, the filter of relative errors for
     * 71 below. */
    COMFORT_FIRST = -70,
    COMFORT_LAST = 90,
    /* |e| is at least an ulp of x, more than 2^(this) |x|. */
    LEAST_RELATIVE = -24,
};

static const element_bits MAGNITUDE_BITS = UINT32_MAX >> 1;
static const element_bits INFINITY_BITS = UINT32_C(0x7f800000);

/* A line an operation. */
/* clang-format off */
static inline element_bits bits_of(element x) { return float_bits(x); }
static inline element from_bits(element_bits bits) { return float_from_bits(bits); }
static inline int leading_zeros(element_bits bits) { return __builtin_clz(bits); }

static inline ve ve_load(const element *from) { return vf_load(from); }
static inline void ve_store(element *to, ve a) { vf_store(to, a); }
static inline ve ve_all(element a) { return vf_all(a); }
static inline ve ve_sub(ve a, ve b) { return vf_sub(a, b); }
static inline ve ve_mul(ve a, ve b) { return vf_mul(a, b); }
static inline ve ve_max(ve a, ve b) { return vf_max(a, b); }
static inline ve ve_and(ve a, ve b) { return vf_and(a, b); }
static inline ve ve_less(ve a, ve b) { return vf_less(a, b); }
static inline ve ve_equal(ve a, ve b) { return vf_equal(a, b); }
static inline ve ve_multiply_add(ve a, ve b, ve c) { return vf_multiply_add(a, b, c); }
static inline ve ve_negate_multiply_add(ve a, ve b, ve c)
{
    return vf_negate_multiply_add(a, b, c);
}
static inline unsigned ve_mask(ve a) { return vf_mask(a); }
static inline vu ve_bits(ve a) { return vf_bits(a); }
static inline ve ve_from_bits(vu a) { return vf_from_bits(a); }
static inline vu vu_load(const element *from) { return vi_load(from); }
static inline void vu_store(void *to, vu a) { vi_store(to, a); }
static inline vu vu_all(element_bits a) { return vi_all(a); }
static inline vu vu_sub(vu a, vu b) { return vi_sub(a, b); }
static inline vu vu_and(vu a, vu b) { return vi_and(a, b); }
static inline vu vu_and_not(vu a, vu b) { return vi_and_not(a, b); }
static inline vu vu_greater(vu a, vu b) { return vi_greater(a, b); }
static inline vu vu_max_positive(vu a, vu b) { return vi_max_positive(a, b); }
/* clang-format on */

enum { BYTE_VECTORS = VB_LANES / LANES }; /* vectors of elements that become one of bytes */

/* The exponent fields of magnitudes. */
static inline void exponent_fields(const vu bits[BYTE_VECTORS], vi fields[4])
{
    for (int i = 0; i < 4; i++)
        fields[i] = vi_shift_right(bits[i], 23);
}

/* Differences of the bits of two magnitudes: the floor of the differences in binades. */
static inline vb pack_binades(const vu bits[BYTE_VECTORS])
{
    return vb_pack_signed(vi_shift_right_signed(bits[0], 23), vi_shift_right_signed(bits[1], 23),
                          vi_shift_right_signed(bits[2], 23), vi_shift_right_signed(bits[3], 23));
}

/* Four elements as doubles, and a vector of elements as two of doubles. */
static inline vd vd_load_elements(const element *from)
{
    return vd_load_floats(from);
}
static inline vd ve_low_half(ve a)
{
    return vd_low_half(a);
}
static inline vd ve_high_half(ve a)
{
    return vd_high_half(a);
}
static inline ve ve_from_halves(vd low, vd high)
{
    return vf_from_doubles(low, high);
}

/* The largest element that is not above a positive value. */
static inline element element_below(double value)
{
    float nearest = (float)value;
    return nearest <= value ? nearest : float_from_bits(float_bits(nearest) - 1);
}

static inline element_bits overflow_bits(const struct plan *plan)
{
    return plan->overflow_f32;
}

#include "kernel/fast/sums_f32.h"

#endif
