/*
 * The vector operations of the fast kernel in AVX2 and FMA. Another instruction set is another file
 * with the same names.
 *   vf 8 floats   vi 8 int32   vd 4 doubles   vl 4 int64   vb 32 bytes
 */
#ifndef PRECHECK_KERNEL_FAST_VECTOR_AVX2_H
#define PRECHECK_KERNEL_FAST_VECTOR_AVX2_H

/* A line an operation. */
/* clang-format off */
#include <immintrin.h>
#include <stdint.h>

typedef __m256 vf;
typedef __m256i vi;
typedef __m256d vd;
typedef __m256i vl;
typedef __m256i vb;

enum { VF_LANES = 8, VD_LANES = 4, VB_LANES = 32 };

static inline vf vf_load(const float *from) { return _mm256_loadu_ps(from); }
static inline void vf_store(float *to, vf a) { _mm256_storeu_ps(to, a); }
static inline vf vf_all(float a) { return _mm256_set1_ps(a); }
static inline vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf vf_and(vf a, vf b) { return _mm256_and_ps(a, b); }
static inline vf vf_less(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline vf vf_equal(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
/* a * b + c and c - a * b, rounded once */
static inline vf vf_multiply_add(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vf vf_negate_multiply_add(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
/* Bit i is set where lane i of a comparison holds. */
static inline unsigned vf_mask(vf a) { return (unsigned)_mm256_movemask_ps(a); }
static inline vi vf_bits(vf a) { return _mm256_castps_si256(a); }
static inline vf vf_from_bits(vi a) { return _mm256_castsi256_ps(a); }

/* VF_LANES halves, or bfloat16 numbers, from any address. */
static inline vf vf_load_f16(const void *from) { return _mm256_cvtph_ps(_mm_loadu_si128(from)); }
static inline vf vf_load_bf16(const void *from)
{
    __m256i codes = _mm256_cvtepu16_epi32(_mm_loadu_si128(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(codes, 16));
}

static inline vi vi_load(const void *from) { return _mm256_loadu_si256(from); }
static inline vi vi_all(uint32_t a) { return _mm256_set1_epi32((int)a); }
static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
static inline vi vi_multiply(vi a, vi b) { return _mm256_mullo_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
static inline vi vi_and_not(vi a, vi b) { return _mm256_andnot_si256(a, b); } /* b & ~a */
static inline vi vi_max_positive(vi a, vi b) { return _mm256_max_epi32(a, b); } /* signed */
static inline vi vi_greater(vi a, vi b) { return _mm256_cmpgt_epi32(a, b); } /* signed */
#define vi_shift_right_signed(a, count) _mm256_srai_epi32(a, count)
#define vi_shift_right(a, count) _mm256_srli_epi32(a, count)
static inline void vi_store(void *to, vi a) { _mm256_storeu_si256(to, a); }

/* 4 x 8 int32 to 32 bytes, saturated to int8 or to uint8. Packing works in each half. */
static inline vb vb_joined(vb packed)
{
    return _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}
static inline vb vb_pack_signed(vi a, vi b, vi c, vi d)
{
    return vb_joined(_mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d)));
}
static inline vb vb_pack_unsigned(vi a, vi b, vi c, vi d)
{
    return vb_joined(_mm256_packus_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d)));
}
/* The upper int32 of each int64 of a and b. */
static inline vi vi_upper_halves(vl a, vl b)
{
    __m256 halves = _mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0xdd);
    return _mm256_permute4x64_epi64(_mm256_castps_si256(halves), 0xd8);
}

static inline vb vb_load(const void *from) { return _mm256_loadu_si256(from); }
static inline void vb_store(void *to, vb a) { _mm256_storeu_si256(to, a); }
static inline vb vb_all(uint8_t a) { return _mm256_set1_epi8((char)a); }
static inline vb vb_and(vb a, vb b) { return _mm256_and_si256(a, b); }
static inline vb vb_or(vb a, vb b) { return _mm256_or_si256(a, b); }
static inline vb vb_xor(vb a, vb b) { return _mm256_xor_si256(a, b); }
static inline vb vb_equal(vb a, vb b) { return _mm256_cmpeq_epi8(a, b); }
static inline vb vb_add(vb a, vb b) { return _mm256_add_epi8(a, b); }
static inline vb vb_sub(vb a, vb b) { return _mm256_sub_epi8(a, b); }
static inline vb vb_min_unsigned(vb a, vb b) { return _mm256_min_epu8(a, b); }
/* table[key] for keys below 16, 0 for the others: the key made an index once, then looked up. */
static inline vb vb_table(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)table));
}
static inline vb vb_index(vb key) { return _mm256_adds_epu8(key, _mm256_set1_epi8(0x70)); }
static inline vb vb_lookup(vb table, vb index) { return _mm256_shuffle_epi8(table, index); }
/* The sum of the bytes, unsigned. */
static inline uint32_t vb_total(vb a)
{
    __m256i quarters = _mm256_sad_epu8(a, _mm256_setzero_si256());
    __m128i halves = _mm_add_epi64(_mm256_castsi256_si128(quarters),
                                   _mm256_extracti128_si256(quarters, 1));
    return (uint32_t)(_mm_cvtsi128_si64(halves) + _mm_extract_epi64(halves, 1));
}

/* Bit i is set where byte i of a comparison holds. */
static inline uint64_t vb_mask(vb a) { return (uint32_t)_mm256_movemask_epi8(a); }

static inline vl vl_load(const void *from) { return _mm256_loadu_si256(from); }
static inline void vl_store(void *to, vl a) { _mm256_storeu_si256(to, a); }
static inline vl vl_all(uint64_t a) { return _mm256_set1_epi64x((long long)a); }
static inline vl vl_add(vl a, vl b) { return _mm256_add_epi64(a, b); }
static inline vl vl_sub(vl a, vl b) { return _mm256_sub_epi64(a, b); }
static inline vl vl_and(vl a, vl b) { return _mm256_and_si256(a, b); }
static inline vl vl_and_not(vl a, vl b) { return _mm256_andnot_si256(a, b); } /* b & ~a */
static inline vl vl_greater(vl a, vl b) { return _mm256_cmpgt_epi64(a, b); } /* signed */
/* Of integers below 2^63. */
static inline vl vl_max_positive(vl a, vl b)
{
    return _mm256_blendv_epi8(b, a, _mm256_cmpgt_epi64(a, b));
}
static inline vl vd_bits(vd a) { return _mm256_castpd_si256(a); }
static inline vd vd_from_lanes(vl a) { return _mm256_castsi256_pd(a); }

static inline vd vd_load(const double *from) { return _mm256_loadu_pd(from); }
static inline void vd_store(double *to, vd a) { _mm256_storeu_pd(to, a); }
/* Four floats from memory. */
static inline vd vd_load_floats(const float *from) { return _mm256_cvtps_pd(_mm_loadu_ps(from)); }
static inline vd vd_all(double a) { return _mm256_set1_pd(a); }
static inline vd vd_add(vd a, vd b) { return _mm256_add_pd(a, b); }
static inline vd vd_sub(vd a, vd b) { return _mm256_sub_pd(a, b); }
static inline vd vd_mul(vd a, vd b) { return _mm256_mul_pd(a, b); }
static inline vd vd_divide(vd a, vd b) { return _mm256_div_pd(a, b); }
static inline vd vd_max(vd a, vd b) { return _mm256_max_pd(a, b); }
static inline vd vd_and(vd a, vd b) { return _mm256_and_pd(a, b); }
static inline vd vd_greater(vd a, vd b) { return _mm256_cmp_pd(a, b, _CMP_GT_OQ); }
static inline vd vd_less(vd a, vd b) { return _mm256_cmp_pd(a, b, _CMP_LT_OQ); }
static inline vd vd_equal(vd a, vd b) { return _mm256_cmp_pd(a, b, _CMP_EQ_OQ); }
static inline unsigned vd_mask(vd a) { return (unsigned)_mm256_movemask_pd(a); }
/* a * b + c, a * b - c and c - a * b, rounded once */
static inline vd vd_multiply_add(vd a, vd b, vd c) { return _mm256_fmadd_pd(a, b, c); }
static inline vd vd_multiply_sub(vd a, vd b, vd c) { return _mm256_fmsub_pd(a, b, c); }
static inline vd vd_negate_multiply_add(vd a, vd b, vd c) { return _mm256_fnmadd_pd(a, b, c); }
static inline vd vd_from_bits(uint64_t bits)
{
    return _mm256_castsi256_pd(_mm256_set1_epi64x((long long)bits));
}
/* Two halves to one vector of floats. */
static inline vf vf_from_doubles(vd low, vd high)
{
    return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
}
static inline vd vd_low_half(vf a) { return _mm256_cvtps_pd(_mm256_castps256_ps128(a)); }
static inline vd vd_high_half(vf a) { return _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)); }

static inline int64_t vl_total(vl a)
{
    __m128i halves = _mm_add_epi64(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
    return _mm_cvtsi128_si64(halves) + _mm_extract_epi64(halves, 1);
}

#endif
