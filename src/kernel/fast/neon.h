#ifndef PRECHECK_KERNEL_FAST_NEON_H
#define PRECHECK_KERNEL_FAST_NEON_H

#include "kernel/kernel.h"

measure_f32 neon_measure_f32;
measure_f64 neon_measure_f64;
settle_counts neon_settle;
update_f32 neon_update_f32;
void neon_widen_f16(const void *from, float *to, size_t n);
void neon_widen_bf16(const void *from, float *to, size_t n);

#endif
