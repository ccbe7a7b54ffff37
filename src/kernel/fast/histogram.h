/* Counting equal bytes: a block's exponents, as bytes, take few different values, so comparing with
 * each of them is faster than any table in memory. */
#ifndef PRECHECK_KERNEL_FAST_HISTOGRAM_H
#define PRECHECK_KERNEL_FAST_HISTOGRAM_H

#include "kernel/kernel.h"

enum { KEYS_AT_ONCE = 4 }; /* counters and keys that fit in registers */

/* Byte counters cannot run over: each lane sees BLOCK / VB_LANES keys. */
_Static_assert(BLOCK / VB_LANES < 256, "");

/* Calls counts[k - first] += number of keys equal to k, for first <= k <= last; n is a multiple of
 * VB_LANES, and counts has room for KEYS_AT_ONCE - 1 more. */
static inline void count_keys(const int8_t *keys, size_t n, int first, int last, uint32_t *counts)
{
    for (int k = first; k <= last; k += KEYS_AT_ONCE) {
        vb counters[KEYS_AT_ONCE], wanted[KEYS_AT_ONCE];
        for (int j = 0; j < KEYS_AT_ONCE; j++) {
            counters[j] = vb_zero();
            wanted[j] = vb_all((int8_t)(k + j));
        }
        for (size_t i = 0; i < n; i += VB_LANES) {
            vb key = vb_load(keys + i);
            for (int j = 0; j < KEYS_AT_ONCE; j++)
                counters[j] = vb_sub(counters[j], vb_equal(key, wanted[j]));
        }
        for (int j = 0; j < KEYS_AT_ONCE; j++)
            counts[k + j - first] = vb_total(counters[j]);
    }
}

#endif
