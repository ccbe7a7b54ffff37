/* What this processor can do, and lets programs use. */
#ifndef PRECHECK_KERNEL_CPU_H
#define PRECHECK_KERNEL_CPU_H

#include <stdbool.h>

/* AVX2, FMA and F16C, their registers saved by the operating system. */
bool cpu_has_avx2(void);
/* All that, and AVX-512 F, BW, DQ and VL. */
bool cpu_has_avx512(void);

#endif
