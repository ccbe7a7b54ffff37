/* The fast kernel's element type: binary64. */
#ifndef PRECHECK_KERNEL_FAST_ELEMENT_H
#define PRECHECK_KERNEL_FAST_ELEMENT_H

#include "base/bytes.h"
#include "kernel/element.h"
#include "kernel/kernel.h"

typedef double element;
typedef uint64_t element_bits;
typedef vd ve; /* a vector of elements, and of their bits */
typedef vl vu;

enum {
    FAST_BLOCK = 1024,
    LANES = VD_LANES,
    FRACTION_BITS = 52,
    EXPONENT_BIAS = 1023,
    LEAST_EXPONENT = -1074, /* of a subnormal */
    LAST_EXPONENT = 1023,
    FIELD_BIAS = 127, /* of exponents in bytes */
    /* What a byte of fields can tell apart from zero, counters of exponents and all, and from what
     * is larger; nothing overflows or underflows there. */
    COMFORT_FIRST = -95,
    COMFORT_LAST = 127,
    LEAST_RELATIVE = -53,
};

static const element_bits MAGNITUDE_BITS = UINT64_MAX >> 1;
static const element_bits INFINITY_BITS = UINT64_C(0x7ff) << 52;

/* A line an operation. */
/* clang-format off */
static inline element_bits bits_of(element x) { return double_bits(x); }
static inline element from_bits(element_bits bits) { return double_from_bits(bits); }
static inline int leading_zeros(element_bits bits) { return __builtin_clzll(bits); }

static inline ve ve_load(const element *from) { return vd_load(from); }
static inline void ve_store(element *to, ve a) { vd_store(to, a); }
static inline ve ve_all(element a) { return vd_all(a); }
static inline ve ve_sub(ve a, ve b) { return vd_sub(a, b); }
static inline ve ve_mul(ve a, ve b) { return vd_mul(a, b); }
static inline ve ve_max(ve a, ve b) { return vd_max(a, b); }
static inline ve ve_and(ve a, ve b) { return vd_and(a, b); }
static inline ve ve_less(ve a, ve b) { return vd_less(a, b); }
static inline ve ve_equal(ve a, ve b) { return vd_equal(a, b); }
static inline ve ve_multiply_add(ve a, ve b, ve c) { return vd_multiply_add(a, b, c); }
static inline ve ve_negate_multiply_add(ve a, ve b, ve c)
{
    return vd_negate_multiply_add(a, b, c);
}
static inline unsigned ve_mask(ve a) { return vd_mask(a); }
static inline vu ve_bits(ve a) { return vd_bits(a); }
static inline ve ve_from_bits(vu a) { return vd_from_lanes(a); }
static inline vu vu_load(const element *from) { return vl_load(from); }
static inline void vu_store(void *to, vu a) { vl_store(to, a); }
static inline vu vu_all(element_bits a) { return vl_all(a); }
static inline vu vu_sub(vu a, vu b) { return vl_sub(a, b); }
static inline vu vu_and(vu a, vu b) { return vl_and(a, b); }
static inline vu vu_and_not(vu a, vu b) { return vl_and_not(a, b); }
static inline vu vu_greater(vu a, vu b) { return vl_greater(a, b); }
static inline vu vu_max_positive(vu a, vu b) { return vl_max_positive(a, b); }
/* clang-format on */

enum { BYTE_VECTORS = VB_LANES / LANES }; /* vectors of elements that become one of bytes */

static inline vi upper_shifted(vu a, vu b)
{
    return vi_shift_right_signed(vi_upper_halves(a, b), 20);
}

/* The exponent fields of magnitudes. */
static inline void exponent_fields(const vu bits[BYTE_VECTORS], vi fields[4])
{
    for (int i = 0; i < 4; i++)
        fields[i] = upper_shifted(bits[2 * i], bits[2 * i + 1]);
}

/* Differences of the bits of two magnitudes: the floor of the differences in binades. */
static inline vb pack_binades(const vu bits[BYTE_VECTORS])
{
    return vb_pack_signed(upper_shifted(bits[0], bits[1]), upper_shifted(bits[2], bits[3]),
                          upper_shifted(bits[4], bits[5]), upper_shifted(bits[6], bits[7]));
}

/* Elements are doubles already: a vector is its own half. */
static inline vd vd_load_elements(const element *from)
{
    return vd_load(from);
}
static inline vd ve_low_half(ve a)
{
    return a;
}
static inline vd ve_high_half(ve a)
{
    return a;
}
static inline ve ve_from_halves(vd low, vd high)
{
    (void)high;
    return low;
}

/* The largest element that is not above a value. */
static inline element element_below(double value)
{
    return value;
}

static inline element_bits overflow_bits(const struct plan *plan)
{
    return plan->overflow_f64;
}

#include "kernel/fast/sums_f64.h"

#endif
