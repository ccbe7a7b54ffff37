#ifndef PRECHECK_KERNEL_FAST_AVX2_H
#define PRECHECK_KERNEL_FAST_AVX2_H

#include "kernel/kernel.h"

measure_f32 avx2_measure_f32;
measure_f64 avx2_measure_f64;
settle_counts avx2_settle;
update_f32 avx2_update_f32;
void avx2_widen_f16(const void *from, float *to, size_t n);
void avx2_widen_bf16(const void *from, float *to, size_t n);

#endif
