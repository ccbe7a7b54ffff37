/* The fast kernel for float32 with NEON, which every aarch64 processor has. */
#include "kernel/fast/neon.h"

#include "kernel/fast/vector_neon.h"

#include "kernel/fast/element_f32.h"

#include "kernel/fast/block.h"
#include "kernel/fast/updates.h"
#include "kernel/fast/widen.h"

void neon_measure_f32(const float *x, size_t n, uint64_t first, struct input_measure *input,
                      const struct plan *plans, struct cast_measure *casts, size_t cast_count)
{
    fast_measure(x, n, first, input, plans, casts, cast_count);
}

void neon_settle(struct input_measure *input, struct cast_measure *casts, size_t cast_count)
{
    fast_settle(input, casts, cast_count);
}

bool neon_update_f32(const struct cast *cast, const struct update_plan *plan, const float *x,
                     const float *g, double constant, size_t n, uint64_t first,
                     struct update_measure *into)
{
    return fast_update(cast, plan, x, g, constant, n, first, into);
}

void neon_widen_f16(const void *from, float *to, size_t n)
{
    fast_widen(from, to, n, vf_load_f16);
}

void neon_widen_bf16(const void *from, float *to, size_t n)
{
    fast_widen(from, to, n, vf_load_bf16);
}
