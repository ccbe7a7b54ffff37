/*
 * AVX-512 for processors that have AVX2 only: found before the compiler's <immintrin.h> in make
 * check-avx512, it turns the intrinsics into SIMDe's functions, and those which SIMDe 0.7.4 lacks
 * into pairs of AVX2's.
 */
#ifndef PRECHECK_TESTS_SIMDE_IMMINTRIN_H
#define PRECHECK_TESTS_SIMDE_IMMINTRIN_H

#include_next <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

union emulated_halves {
    __m512 f32;
    __m512d f64;
    __m512i integers;
    __m256 f32_half[2];
    __m256d f64_half[2];
    __m256i integer_half[2];
    long long i64[8];
};

#undef _mm512_srai_epi32
#define _mm512_srai_epi32(a, count) emulated_srai_epi32(a, count)
static inline __m512i emulated_srai_epi32(__m512i a, int count)
{
    union emulated_halves halves = {.integers = a};
    for (int i = 0; i < 2; i++)
        halves.integer_half[i] = _mm256_srai_epi32(halves.integer_half[i], count);
    return halves.integers;
}

#undef _mm512_reduce_add_epi64
#define _mm512_reduce_add_epi64(a) emulated_reduce_add_epi64(a)
static inline long long emulated_reduce_add_epi64(__m512i a)
{
    union emulated_halves halves = {.integers = a};
    unsigned long long sum = 0;
    for (int i = 0; i < 8; i++)
        sum += (unsigned long long)halves.i64[i];
    return (long long)sum;
}

#undef _mm512_extractf32x8_ps
#define _mm512_extractf32x8_ps(a, which) emulated_extractf32x8_ps(a, which)
static inline __m256 emulated_extractf32x8_ps(__m512 a, int which)
{
    return ((union emulated_halves){.f32 = a}).f32_half[which];
}

#undef _mm512_cvtps_pd
#define _mm512_cvtps_pd(a) emulated_cvtps_pd(a)
static inline __m512d emulated_cvtps_pd(__m256 a)
{
    union emulated_halves halves;
    halves.f64_half[0] = _mm256_cvtps_pd(_mm256_castps256_ps128(a));
    halves.f64_half[1] = _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
    return halves.f64;
}

#undef _mm512_cvtpd_ps
#define _mm512_cvtpd_ps(a) emulated_cvtpd_ps(a)
static inline __m256 emulated_cvtpd_ps(__m512d a)
{
    union emulated_halves halves = {.f64 = a};
    return _mm256_set_m128(_mm256_cvtpd_ps(halves.f64_half[1]),
                           _mm256_cvtpd_ps(halves.f64_half[0]));
}

#undef _mm512_cvtph_ps
#define _mm512_cvtph_ps(a) emulated_cvtph_ps(a)
static inline __m512 emulated_cvtph_ps(__m256i a)
{
    union emulated_halves halves;
    halves.f32_half[0] = _mm256_cvtph_ps(_mm256_castsi256_si128(a));
    halves.f32_half[1] = _mm256_cvtph_ps(_mm256_extracti128_si256(a, 1));
    return halves.f32;
}

#undef _mm512_cvtepu16_epi32
#define _mm512_cvtepu16_epi32(a) emulated_cvtepu16_epi32(a)
static inline __m512i emulated_cvtepu16_epi32(__m256i a)
{
    union emulated_halves halves;
    halves.integer_half[0] = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(a));
    halves.integer_half[1] = _mm256_cvtepu16_epi32(_mm256_extracti128_si256(a, 1));
    return halves.integers;
}

#endif
