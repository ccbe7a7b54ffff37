/*
 * The vector operations of the fast kernel in NEON, a vector being a pair of registers: as many
 * lanes as AVX2 has, which the sums need.
 *   vf 8 floats   vi 8 int32   vd 4 doubles   vl 4 int64   vb 32 bytes
 */
#ifndef PRECHECK_KERNEL_FAST_VECTOR_NEON_H
#define PRECHECK_KERNEL_FAST_VECTOR_NEON_H

/* A line an operation. */
/* clang-format off */
#include <arm_neon.h>
#include <stdint.h>

typedef struct { float32x4_t low, high; } vf;
typedef struct { int32x4_t low, high; } vi;
typedef struct { float64x2_t low, high; } vd;
typedef struct { int64x2_t low, high; } vl;
typedef struct { uint8x16_t low, high; } vb;

enum { VF_LANES = 8, VD_LANES = 4, VB_LANES = 32 };

/* A function of one or two vectors from one of registers. */
#define EACH(result, name, type, f)                                                                \
    static inline result name(type a) { return (result){f(a.low), f(a.high)}; }
#define EACH_OF_TWO(result, name, type, f)                                                         \
    static inline result name(type a, type b)                                                      \
    {                                                                                              \
        return (result){f(a.low, b.low), f(a.high, b.high)};                                       \
    }
/* The same by a function of other types, which has the registers and its result reinterpreted. */
#define ON_BITS(name, register_type, f, to, from)                                                  \
    static inline register_type name(register_type a, register_type b)                             \
    {                                                                                              \
        return from(f(to(a), to(b)));                                                              \
    }
/* The same by a comparison. */
#define COMPARISON(name, register_type, f, from)                                                   \
    static inline register_type name(register_type a, register_type b) { return from(f(a, b)); }

ON_BITS(f32_and, float32x4_t, vandq_u32, vreinterpretq_u32_f32, vreinterpretq_f32_u32)
COMPARISON(f32_less, float32x4_t, vcltq_f32, vreinterpretq_f32_u32)
COMPARISON(f32_equal, float32x4_t, vceqq_f32, vreinterpretq_f32_u32)
/* Bit i is set where lane i of a comparison holds. */
static inline unsigned f32_mask(float32x4_t a)
{
    const uint32x4_t bit = {1, 2, 4, 8};
    return vaddvq_u32(vandq_u32(vreinterpretq_u32_f32(a), bit));
}

static inline vf vf_load(const float *from) { return (vf){vld1q_f32(from), vld1q_f32(from + 4)}; }
static inline void vf_store(float *to, vf a)
{
    vst1q_f32(to, a.low);
    vst1q_f32(to + 4, a.high);
}
static inline vf vf_all(float a) { return (vf){vdupq_n_f32(a), vdupq_n_f32(a)}; }
EACH_OF_TWO(vf, vf_sub, vf, vsubq_f32)
EACH_OF_TWO(vf, vf_mul, vf, vmulq_f32)
EACH_OF_TWO(vf, vf_max, vf, vmaxq_f32)
EACH_OF_TWO(vf, vf_and, vf, f32_and)
EACH_OF_TWO(vf, vf_less, vf, f32_less)
EACH_OF_TWO(vf, vf_equal, vf, f32_equal)
/* a * b + c and c - a * b, rounded once */
static inline vf vf_multiply_add(vf a, vf b, vf c)
{
    return (vf){vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high)};
}
static inline vf vf_negate_multiply_add(vf a, vf b, vf c)
{
    return (vf){vfmsq_f32(c.low, a.low, b.low), vfmsq_f32(c.high, a.high, b.high)};
}
/* Bit i is set where lane i of a comparison holds. */
static inline unsigned vf_mask(vf a) { return f32_mask(a.low) | f32_mask(a.high) << 4; }
EACH(vi, vf_bits, vf, vreinterpretq_s32_f32)
EACH(vf, vf_from_bits, vi, vreinterpretq_f32_s32)
/* VF_LANES halves, or bfloat16 numbers, from any address. */
static inline vf vf_load_f16(const void *from)
{
    float16x8_t codes = vreinterpretq_f16_u8(vld1q_u8(from));
    return (vf){vcvt_f32_f16(vget_low_f16(codes)), vcvt_high_f32_f16(codes)};
}
static inline vf vf_load_bf16(const void *from)
{
    const uint8x16_t codes = vld1q_u8(from), zero = vdupq_n_u8(0);
    const uint16x8_t halves = vreinterpretq_u16_u8(codes), none = vreinterpretq_u16_u8(zero);
    return (vf){vreinterpretq_f32_u16(vzip1q_u16(none, halves)),
                vreinterpretq_f32_u16(vzip2q_u16(none, halves))};
}

/* Integers are loaded and stored as bytes: what is there may be of any type. */
static inline vi vi_load(const void *from)
{
    const uint8_t *bytes = from;
    return (vi){vreinterpretq_s32_u8(vld1q_u8(bytes)), vreinterpretq_s32_u8(vld1q_u8(bytes + 16))};
}
static inline vi vi_all(uint32_t a)
{
    int32x4_t lanes = vreinterpretq_s32_u32(vdupq_n_u32(a));
    return (vi){lanes, lanes};
}
EACH_OF_TWO(vi, vi_add, vi, vaddq_s32)
EACH_OF_TWO(vi, vi_sub, vi, vsubq_s32)
EACH_OF_TWO(vi, vi_multiply, vi, vmulq_s32)
EACH_OF_TWO(vi, vi_and, vi, vandq_s32)
EACH_OF_TWO(vi, vi_xor, vi, veorq_s32)
static inline vi vi_and_not(vi a, vi b) /* b & ~a */
{
    return (vi){vbicq_s32(b.low, a.low), vbicq_s32(b.high, a.high)};
}
EACH_OF_TWO(vi, vi_max_positive, vi, vmaxq_s32) /* signed */
COMPARISON(s32_greater, int32x4_t, vcgtq_s32, vreinterpretq_s32_u32)
EACH_OF_TWO(vi, vi_greater, vi, s32_greater) /* signed */
#define vi_shift_right_signed(a, count)                                                            \
    ((vi){vshrq_n_s32((a).low, count), vshrq_n_s32((a).high, count)})
#define vi_shift_right(a, count)                                                                   \
    ((vi){vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32((a).low), count)),               \
          vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32((a).high), count))})
static inline void vi_store(void *to, vi a)
{
    uint8_t *bytes = to;
    vst1q_u8(bytes, vreinterpretq_u8_s32(a.low));
    vst1q_u8(bytes + 16, vreinterpretq_u8_s32(a.high));
}

/* 4 x 8 int32 to 32 bytes, saturated to int8 or to uint8. */
static inline int16x8_t narrowed(vi a) { return vqmovn_high_s32(vqmovn_s32(a.low), a.high); }
static inline vb vb_pack_signed(vi a, vi b, vi c, vi d)
{
    int8x16_t low = vqmovn_high_s16(vqmovn_s16(narrowed(a)), narrowed(b));
    int8x16_t high = vqmovn_high_s16(vqmovn_s16(narrowed(c)), narrowed(d));
    return (vb){vreinterpretq_u8_s8(low), vreinterpretq_u8_s8(high)};
}
static inline vb vb_pack_unsigned(vi a, vi b, vi c, vi d)
{
    return (vb){vqmovun_high_s16(vqmovun_s16(narrowed(a)), narrowed(b)),
                vqmovun_high_s16(vqmovun_s16(narrowed(c)), narrowed(d))};
}
/* The upper int32 of each int64 of a and b. */
static inline int32x4_t upper_halves(vl a)
{
    return vuzp2q_s32(vreinterpretq_s32_s64(a.low), vreinterpretq_s32_s64(a.high));
}
static inline vi vi_upper_halves(vl a, vl b) { return (vi){upper_halves(a), upper_halves(b)}; }

static inline vb vb_load(const void *from)
{
    const uint8_t *bytes = from;
    return (vb){vld1q_u8(bytes), vld1q_u8(bytes + 16)};
}
static inline void vb_store(void *to, vb a)
{
    uint8_t *bytes = to;
    vst1q_u8(bytes, a.low);
    vst1q_u8(bytes + 16, a.high);
}
static inline vb vb_all(uint8_t a) { return (vb){vdupq_n_u8(a), vdupq_n_u8(a)}; }
EACH_OF_TWO(vb, vb_and, vb, vandq_u8)
EACH_OF_TWO(vb, vb_or, vb, vorrq_u8)
EACH_OF_TWO(vb, vb_xor, vb, veorq_u8)
EACH_OF_TWO(vb, vb_equal, vb, vceqq_u8)
EACH_OF_TWO(vb, vb_add, vb, vaddq_u8)
EACH_OF_TWO(vb, vb_sub, vb, vsubq_u8)
EACH_OF_TWO(vb, vb_min_unsigned, vb, vminq_u8)
/* table[key] for keys below 16, 0 for the others: the key made an index once, then looked up. */
static inline vb vb_table(const uint8_t table[16])
{
    uint8x16_t lanes = vld1q_u8(table);
    return (vb){lanes, lanes};
}
static inline vb vb_index(vb key) { return key; }
EACH_OF_TWO(vb, vb_lookup, vb, vqtbl1q_u8)
/* The sum of the bytes, unsigned. */
static inline uint32_t vb_total(vb a)
{
    return (uint32_t)vaddlvq_u8(a.low) + (uint32_t)vaddlvq_u8(a.high);
}

/* Bit i is set where byte i of a comparison holds. */
static inline uint64_t u8_mask(uint8x16_t a)
{
    const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    const uint8x16_t bits = vandq_u8(a, bit);
    return vaddv_u8(vget_low_u8(bits)) | (uint64_t)vaddv_u8(vget_high_u8(bits)) << 8;
}
static inline uint64_t vb_mask(vb a) { return u8_mask(a.low) | u8_mask(a.high) << 16; }

static inline vl vl_load(const void *from)
{
    const uint8_t *bytes = from;
    return (vl){vreinterpretq_s64_u8(vld1q_u8(bytes)), vreinterpretq_s64_u8(vld1q_u8(bytes + 16))};
}
static inline void vl_store(void *to, vl a)
{
    uint8_t *bytes = to;
    vst1q_u8(bytes, vreinterpretq_u8_s64(a.low));
    vst1q_u8(bytes + 16, vreinterpretq_u8_s64(a.high));
}
static inline vl vl_all(uint64_t a)
{
    int64x2_t lanes = vreinterpretq_s64_u64(vdupq_n_u64(a));
    return (vl){lanes, lanes};
}
EACH_OF_TWO(vl, vl_add, vl, vaddq_s64)
EACH_OF_TWO(vl, vl_sub, vl, vsubq_s64)
EACH_OF_TWO(vl, vl_and, vl, vandq_s64)
static inline vl vl_and_not(vl a, vl b) /* b & ~a */
{
    return (vl){vbicq_s64(b.low, a.low), vbicq_s64(b.high, a.high)};
}
/* The sum of the lanes. */
static inline int64_t vl_total(vl a) { return vaddvq_s64(vaddq_s64(a.low, a.high)); }
COMPARISON(s64_greater, int64x2_t, vcgtq_s64, vreinterpretq_s64_u64)
EACH_OF_TWO(vl, vl_greater, vl, s64_greater) /* signed */
static inline int64x2_t s64_max(int64x2_t a, int64x2_t b)
{
    return vbslq_s64(vcgtq_s64(a, b), a, b);
}
/* Of integers below 2^63. */
EACH_OF_TWO(vl, vl_max_positive, vl, s64_max)
EACH(vl, vd_bits, vd, vreinterpretq_s64_f64)
EACH(vd, vd_from_lanes, vl, vreinterpretq_f64_s64)

ON_BITS(f64_and, float64x2_t, vandq_u64, vreinterpretq_u64_f64, vreinterpretq_f64_u64)
COMPARISON(f64_greater, float64x2_t, vcgtq_f64, vreinterpretq_f64_u64)
COMPARISON(f64_less, float64x2_t, vcltq_f64, vreinterpretq_f64_u64)
COMPARISON(f64_equal, float64x2_t, vceqq_f64, vreinterpretq_f64_u64)
static inline unsigned f64_mask(float64x2_t a)
{
    const uint64x2_t bit = {1, 2};
    return (unsigned)vaddvq_u64(vandq_u64(vreinterpretq_u64_f64(a), bit));
}

static inline vd vd_load(const double *from) { return (vd){vld1q_f64(from), vld1q_f64(from + 2)}; }
static inline void vd_store(double *to, vd a)
{
    vst1q_f64(to, a.low);
    vst1q_f64(to + 2, a.high);
}
static inline vd vd_widened(float32x4_t a)
{
    return (vd){vcvt_f64_f32(vget_low_f32(a)), vcvt_high_f64_f32(a)};
}
/* VD_LANES floats from memory. */
static inline vd vd_load_floats(const float *from) { return vd_widened(vld1q_f32(from)); }
static inline vd vd_all(double a) { return (vd){vdupq_n_f64(a), vdupq_n_f64(a)}; }
EACH_OF_TWO(vd, vd_add, vd, vaddq_f64)
EACH_OF_TWO(vd, vd_sub, vd, vsubq_f64)
EACH_OF_TWO(vd, vd_mul, vd, vmulq_f64)
EACH_OF_TWO(vd, vd_divide, vd, vdivq_f64)
EACH_OF_TWO(vd, vd_max, vd, vmaxq_f64)
EACH_OF_TWO(vd, vd_and, vd, f64_and)
EACH_OF_TWO(vd, vd_greater, vd, f64_greater)
EACH_OF_TWO(vd, vd_less, vd, f64_less)
EACH_OF_TWO(vd, vd_equal, vd, f64_equal)
static inline unsigned vd_mask(vd a) { return f64_mask(a.low) | f64_mask(a.high) << 2; }
/* a * b + c, a * b - c and c - a * b, rounded once */
static inline vd vd_multiply_add(vd a, vd b, vd c)
{
    return (vd){vfmaq_f64(c.low, a.low, b.low), vfmaq_f64(c.high, a.high, b.high)};
}
static inline vd vd_multiply_sub(vd a, vd b, vd c)
{
    return (vd){vfmaq_f64(vnegq_f64(c.low), a.low, b.low),
                vfmaq_f64(vnegq_f64(c.high), a.high, b.high)};
}
static inline vd vd_negate_multiply_add(vd a, vd b, vd c)
{
    return (vd){vfmsq_f64(c.low, a.low, b.low), vfmsq_f64(c.high, a.high, b.high)};
}
static inline vd vd_from_bits(uint64_t bits)
{
    float64x2_t lanes = vreinterpretq_f64_u64(vdupq_n_u64(bits));
    return (vd){lanes, lanes};
}
/* Two halves to one vector of floats. */
static inline float32x4_t f32_narrowed(vd a)
{
    return vcvt_high_f32_f64(vcvt_f32_f64(a.low), a.high);
}
static inline vf vf_from_doubles(vd low, vd high)
{
    return (vf){f32_narrowed(low), f32_narrowed(high)};
}
static inline vd vd_low_half(vf a) { return vd_widened(a.low); }
static inline vd vd_high_half(vf a) { return vd_widened(a.high); }

#undef EACH
#undef EACH_OF_TWO
#undef ON_BITS
#undef COMPARISON

#endif
