/* The plain kernel: one element at a time, for every rounding mode, policy and source. */
#ifndef PRECHECK_KERNEL_SCALAR_H
#define PRECHECK_KERNEL_SCALAR_H

#include "kernel/kernel.h"

measure_f32 scalar_measure_f32;
measure_f64 scalar_measure_f64;

/* The parts of it that other kernels use for what they do not vectorise. */
void scalar_cast(double x, uint64_t position, const struct plan *plan, struct cast_measure *into);

#endif
