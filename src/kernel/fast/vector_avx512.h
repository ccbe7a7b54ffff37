/*
 * The vector operations of the fast kernel in AVX-512 F, BW, DQ and VL. Comparisons give vectors,
 * as elsewhere: the mask registers they are made from stay inside.
 *   vf 16 floats   vi 16 int32   vd 8 doubles   vl 8 int64   vb 64 bytes
 */
#ifndef PRECHECK_KERNEL_FAST_VECTOR_AVX512_H
#define PRECHECK_KERNEL_FAST_VECTOR_AVX512_H

/* A line an operation. */
/* clang-format off */
#include <immintrin.h>
#include <stdint.h>

typedef __m512 vf;
typedef __m512i vi;
typedef __m512d vd;
typedef __m512i vl;
typedef __m512i vb;

enum { VF_LANES = 16, VD_LANES = 8, VB_LANES = 64 };

static inline vf vf_lanes_of(__mmask16 a) { return _mm512_castsi512_ps(_mm512_movm_epi32(a)); }
static inline vd vd_lanes_of(__mmask8 a) { return _mm512_castsi512_pd(_mm512_movm_epi64(a)); }

static inline vf vf_load(const float *from) { return _mm512_loadu_ps(from); }
static inline void vf_store(float *to, vf a) { _mm512_storeu_ps(to, a); }
static inline vf vf_all(float a) { return _mm512_set1_ps(a); }
static inline vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_and(vf a, vf b) { return _mm512_and_ps(a, b); }
static inline vf vf_less(vf a, vf b) { return vf_lanes_of(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)); }
static inline vf vf_equal(vf a, vf b) { return vf_lanes_of(_mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ)); }
/* a * b + c and c - a * b, rounded once */
static inline vf vf_multiply_add(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf vf_negate_multiply_add(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
/* Bit i is set where lane i of a comparison holds. */
static inline unsigned vf_mask(vf a) { return _mm512_movepi32_mask(_mm512_castps_si512(a)); }
static inline vi vf_bits(vf a) { return _mm512_castps_si512(a); }
static inline vf vf_from_bits(vi a) { return _mm512_castsi512_ps(a); }
/* VF_LANES halves, or bfloat16 numbers, from any address. */
static inline vf vf_load_f16(const void *from)
{
    return _mm512_cvtph_ps(_mm256_loadu_si256(from));
}
static inline vf vf_load_bf16(const void *from)
{
    __m512i codes = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(codes, 16));
}

static inline vi vi_load(const void *from) { return _mm512_loadu_si512(from); }
static inline vi vi_all(uint32_t a) { return _mm512_set1_epi32((int)a); }
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
static inline vi vi_multiply(vi a, vi b) { return _mm512_mullo_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
static inline vi vi_and_not(vi a, vi b) { return _mm512_andnot_si512(a, b); } /* b & ~a */
static inline vi vi_max_positive(vi a, vi b) { return _mm512_max_epi32(a, b); } /* signed */
static inline vi vi_greater(vi a, vi b) /* signed */
{
    return _mm512_movm_epi32(_mm512_cmpgt_epi32_mask(a, b));
}
#define vi_shift_right_signed(a, count) _mm512_srai_epi32(a, count)
#define vi_shift_right(a, count) _mm512_srli_epi32(a, count)
static inline void vi_store(void *to, vi a) { _mm512_storeu_si512(to, a); }

/* 4 x 16 int32 to 64 bytes, saturated to int8 or to uint8. Packing works in each quarter. */
static inline vb vb_joined(vb packed)
{
    return _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), packed);
}
static inline vb vb_pack_signed(vi a, vi b, vi c, vi d)
{
    return vb_joined(_mm512_packs_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
}
static inline vb vb_pack_unsigned(vi a, vi b, vi c, vi d)
{
    return vb_joined(_mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
}
/* The upper int32 of each int64 of a and b. */
static inline vi vi_upper_halves(vl a, vl b)
{
    __m512 halves = _mm512_shuffle_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), 0xdd);
    return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7),
                                    _mm512_castps_si512(halves));
}

static inline vb vb_load(const void *from) { return _mm512_loadu_si512(from); }
static inline void vb_store(void *to, vb a) { _mm512_storeu_si512(to, a); }
static inline vb vb_all(uint8_t a) { return _mm512_set1_epi8((char)a); }
static inline vb vb_and(vb a, vb b) { return _mm512_and_si512(a, b); }
static inline vb vb_or(vb a, vb b) { return _mm512_or_si512(a, b); }
static inline vb vb_xor(vb a, vb b) { return _mm512_xor_si512(a, b); }
static inline vb vb_equal(vb a, vb b) { return _mm512_movm_epi8(_mm512_cmpeq_epi8_mask(a, b)); }
static inline vb vb_add(vb a, vb b) { return _mm512_add_epi8(a, b); }
static inline vb vb_sub(vb a, vb b) { return _mm512_sub_epi8(a, b); }
static inline vb vb_min_unsigned(vb a, vb b) { return _mm512_min_epu8(a, b); }
/* table[key] for keys below 16, 0 for the others: the key made an index once, then looked up. */
static inline vb vb_table(const uint8_t table[16])
{
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)table));
}
static inline vb vb_index(vb key) { return _mm512_adds_epu8(key, _mm512_set1_epi8(0x70)); }
static inline vb vb_lookup(vb table, vb index) { return _mm512_shuffle_epi8(table, index); }
/* The sum of the bytes, unsigned. */
static inline uint32_t vb_total(vb a)
{
    return (uint32_t)_mm512_reduce_add_epi64(_mm512_sad_epu8(a, _mm512_setzero_si512()));
}

/* Bit i is set where byte i of a comparison holds. */
static inline uint64_t vb_mask(vb a) { return _mm512_movepi8_mask(a); }

static inline vl vl_load(const void *from) { return _mm512_loadu_si512(from); }
static inline void vl_store(void *to, vl a) { _mm512_storeu_si512(to, a); }
static inline vl vl_all(uint64_t a) { return _mm512_set1_epi64((long long)a); }
static inline vl vl_add(vl a, vl b) { return _mm512_add_epi64(a, b); }
static inline vl vl_sub(vl a, vl b) { return _mm512_sub_epi64(a, b); }
static inline vl vl_and(vl a, vl b) { return _mm512_and_si512(a, b); }
static inline vl vl_and_not(vl a, vl b) { return _mm512_andnot_si512(a, b); } /* b & ~a */
static inline vl vl_greater(vl a, vl b) /* signed */
{
    return _mm512_movm_epi64(_mm512_cmpgt_epi64_mask(a, b));
}
/* The sum of the lanes. */
static inline int64_t vl_total(vl a) { return _mm512_reduce_add_epi64(a); }
/* Of integers below 2^63. */
static inline vl vl_max_positive(vl a, vl b) { return _mm512_max_epi64(a, b); }
static inline vl vd_bits(vd a) { return _mm512_castpd_si512(a); }
static inline vd vd_from_lanes(vl a) { return _mm512_castsi512_pd(a); }

static inline vd vd_load(const double *from) { return _mm512_loadu_pd(from); }
static inline void vd_store(double *to, vd a) { _mm512_storeu_pd(to, a); }
/* VD_LANES floats from memory. */
static inline vd vd_load_floats(const float *from)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(from));
}
static inline vd vd_all(double a) { return _mm512_set1_pd(a); }
static inline vd vd_add(vd a, vd b) { return _mm512_add_pd(a, b); }
static inline vd vd_sub(vd a, vd b) { return _mm512_sub_pd(a, b); }
static inline vd vd_mul(vd a, vd b) { return _mm512_mul_pd(a, b); }
static inline vd vd_divide(vd a, vd b) { return _mm512_div_pd(a, b); }
static inline vd vd_max(vd a, vd b) { return _mm512_max_pd(a, b); }
static inline vd vd_and(vd a, vd b) { return _mm512_and_pd(a, b); }
static inline vd vd_greater(vd a, vd b)
{
    return vd_lanes_of(_mm512_cmp_pd_mask(a, b, _CMP_GT_OQ));
}
static inline vd vd_less(vd a, vd b) { return vd_lanes_of(_mm512_cmp_pd_mask(a, b, _CMP_LT_OQ)); }
static inline vd vd_equal(vd a, vd b) { return vd_lanes_of(_mm512_cmp_pd_mask(a, b, _CMP_EQ_OQ)); }
static inline unsigned vd_mask(vd a) { return _mm512_movepi64_mask(_mm512_castpd_si512(a)); }
/* a * b + c, a * b - c and c - a * b, rounded once */
static inline vd vd_multiply_add(vd a, vd b, vd c) { return _mm512_fmadd_pd(a, b, c); }
static inline vd vd_multiply_sub(vd a, vd b, vd c) { return _mm512_fmsub_pd(a, b, c); }
static inline vd vd_negate_multiply_add(vd a, vd b, vd c) { return _mm512_fnmadd_pd(a, b, c); }
static inline vd vd_from_bits(uint64_t bits)
{
    return _mm512_castsi512_pd(_mm512_set1_epi64((long long)bits));
}
/* Two halves to one vector of floats. */
static inline vf vf_from_doubles(vd low, vd high)
{
    __m512 first = _mm512_castps256_ps512(_mm512_cvtpd_ps(low));
    return _mm512_insertf32x8(first, _mm512_cvtpd_ps(high), 1);
}
static inline vd vd_low_half(vf a) { return _mm512_cvtps_pd(_mm512_castps512_ps256(a)); }
static inline vd vd_high_half(vf a) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(a, 1)); }

#endif
