/* Two-byte elements to float32. A vector header comes first. */
#ifndef PRECHECK_KERNEL_FAST_WIDEN_H
#define PRECHECK_KERNEL_FAST_WIDEN_H

#include <stddef.h>
#include <string.h>

static inline __attribute__((always_inline)) void fast_widen(const void *from, float *to, size_t n,
                                                             vf load(const void *from))
{
    const unsigned char *bytes = from;
    size_t i = 0;
    for (; i + VF_LANES <= n; i += VF_LANES)
        vf_store(to + i, load(bytes + 2 * i));
    if (i == n)
        return;
    unsigned char rest[2 * VF_LANES] = {0};
    float widened[VF_LANES];
    memcpy(rest, bytes + 2 * i, 2 * (n - i));
    vf_store(widened, load(rest));
    memcpy(to + i, widened, (n - i) * sizeof *to);
}

#endif
