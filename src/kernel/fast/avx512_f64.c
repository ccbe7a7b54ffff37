/* The same for binary64. */
#include "kernel/fast/avx512.h"

#include "kernel/fast/vector_avx512.h"

#include "kernel/fast/element_f64.h"

#include "kernel/fast/block.h"

void avx512_measure_f64(const double *x, size_t n, uint64_t first, struct input_measure *input,
                        const struct plan *plans, struct cast_measure *casts, size_t cast_count)
{
    fast_measure(x, n, first, input, plans, casts, cast_count);
}
