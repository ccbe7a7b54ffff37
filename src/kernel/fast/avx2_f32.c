/* The fast kernel for float32 with AVX2, FMA and F16C. Compiled for them; called only where they are. */
#include "kernel/fast/avx2.h"

#include "kernel/fast/vector_avx2.h"

#include "kernel/fast/element_f32.h"

#include "kernel/fast/block.h"

void avx2_measure_f32(const float *x, size_t n, uint64_t first, struct input_measure *input,
                      const struct plan *plans, struct cast_measure *casts, size_t cast_count)
{
    fast_measure(x, n, first, input, plans, casts, cast_count);
}

void avx2_widen_f16(const void *from, float *to, size_t n)
{
    const unsigned char *bytes = from;
    size_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(to + i, _mm256_cvtph_ps(_mm_loadu_si128((const void *)(bytes + 2 * i))));
    for (; i < n; i++)
        to[i] = _cvtsh_ss(load_le16(bytes + 2 * i));
}

void avx2_widen_bf16(const void *from, float *to, size_t n)
{
    const unsigned char *bytes = from;
    size_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES) {
        __m128i halves = _mm_loadu_si128((const void *)(bytes + 2 * i));
        vi_store(to + i, _mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16));
    }
    for (; i < n; i++)
        to[i] = float_from_bits((uint32_t)load_le16(bytes + 2 * i) << 16);
}
