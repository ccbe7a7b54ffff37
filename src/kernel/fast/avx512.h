#ifndef PRECHECK_KERNEL_FAST_AVX512_H
#define PRECHECK_KERNEL_FAST_AVX512_H

#include "kernel/kernel.h"

measure_f32 avx512_measure_f32;
measure_f64 avx512_measure_f64;
settle_counts avx512_settle;
update_f32 avx512_update_f32;
void avx512_widen_f16(const void *from, float *to, size_t n);
void avx512_widen_bf16(const void *from, float *to, size_t n);

#endif
