/*
 * Counting equal bytes. A block's exponents, as bytes, take few different values, and counting
 * those in registers is faster than any table in memory.
 */
#ifndef PRECHECK_KERNEL_FAST_HISTOGRAM_H
#define PRECHECK_KERNEL_FAST_HISTOGRAM_H

#include "kernel/kernel.h"

/*
 * Eight bins at once, two a byte: table t gives 1 for the key 2t, 16 for 2t + 1 and 0 for the
 * others, so the low and the high nibbles of the sums of its results count the two. Fifteen such
 * sums fit a nibble; then they are added to whole bytes, which hold less than 256 * VB_LANES keys.
 */
enum { BINS_AT_ONCE = 8, TABLES = BINS_AT_ONCE / 2, NIBBLE_LIMIT = 15, FEW_BINS = 3 };

/* After so many passes it is worth a look whether few keys are left. */
enum { FEW_PASSES = 2, FEW_KEYS = 16 };

static inline void count_eight(const uint8_t *keys, size_t n, uint8_t first, uint32_t *counts)
{
    const vb offset = vb_all(first), nibble = vb_all(15);
    vb tables[TABLES], low[TABLES], high[TABLES];
    for (int t = 0; t < TABLES; t++) {
        uint8_t table[16] = {0};
        table[2 * t] = 1;
        table[2 * t + 1] = 16;
        tables[t] = vb_table(table);
        low[t] = high[t] = vb_all(0);
    }
    for (size_t i = 0; i < n;) {
        size_t end = n - i > NIBBLE_LIMIT * VB_LANES ? i + NIBBLE_LIMIT * VB_LANES : n;
        vb pairs[TABLES];
        for (int t = 0; t < TABLES; t++)
            pairs[t] = vb_all(0);
        for (; i < end; i += VB_LANES) {
            vb index = vb_index(vb_sub(vb_load(keys + i), offset));
            for (int t = 0; t < TABLES; t++)
                pairs[t] = vb_add(pairs[t], vb_lookup(tables[t], index));
        }
        for (int t = 0; t < TABLES; t++) {
            low[t] = vb_add(low[t], vb_and(pairs[t], nibble));
            high[t] = vb_add(high[t], vb_and(vb_high_nibbles(pairs[t]), nibble));
        }
    }
    for (int t = 0; t < TABLES; t++) {
        counts[2 * t] = vb_total(low[t]);
        counts[2 * t + 1] = vb_total(high[t]);
    }
}

/* One bin, by comparing. */
static inline uint32_t count_one(const uint8_t *keys, size_t n, uint8_t key)
{
    const vb wanted = vb_all(key);
    vb counter[2] = {vb_all(0), vb_all(0)};
    for (size_t i = 0; i < n; i += VB_LANES) {
        size_t c = i / VB_LANES % 2;
        counter[c] = vb_sub(counter[c], vb_equal(vb_load(keys + i), wanted));
    }
    return vb_total(counter[0]) + vb_total(counter[1]);
}

/* Which keys are first + b modulo 256 with 0 <= b < bins: bytes of ones. */
static inline vb keys_inside(const uint8_t *keys, int first, int bins)
{
    vb bin = vb_sub(vb_load(keys), vb_all((uint8_t)first));
    return vb_equal(vb_min_unsigned(bin, vb_all((uint8_t)(bins - 1))), bin);
}

static inline size_t count_inside(const uint8_t *keys, size_t n, int first, int bins)
{
    vb counter = vb_all(0);
    for (size_t i = 0; i < n; i += VB_LANES)
        counter = vb_sub(counter, keys_inside(keys + i, first, bins));
    return vb_total(counter);
}

/* One key after the other, where few are inside. */
static inline void count_few(const uint8_t *keys, size_t n, int first, int bins, uint32_t *counts)
{
    for (int b = 0; b < bins; b++)
        counts[b] = 0;
    for (size_t i = 0; i < n; i += VB_LANES)
        for (uint64_t mask = vb_mask(keys_inside(keys + i, first, bins)); mask; mask &= mask - 1)
            counts[(uint8_t)(keys[i + (size_t)__builtin_ctzll(mask)] - first)]++;
}

/* counts[b] = the number of keys equal to first + b modulo 256, b < bins. From the last bin on:
 * most keys of the kernel's histograms are in the upper bins, and those in the others may soon be
 * few. `n` is a multiple of VB_LANES and less than 256 of it; counts has room for BINS_AT_ONCE
 * more. */
static inline void count_keys(const uint8_t *keys, size_t n, int first, int bins, uint32_t *counts)
{
    int rest = bins; /* bins that are not counted */
    for (int passes = 0; rest > FEW_BINS; passes++) {
        if (passes == FEW_PASSES && count_inside(keys, n, first, rest) <= FEW_KEYS) {
            count_few(keys, n, first, rest, counts);
            return;
        }
        rest = rest > BINS_AT_ONCE ? rest - BINS_AT_ONCE : 0;
        /* Bins that were counted may be counted again: the same. */
        count_eight(keys, n, (uint8_t)(first + rest), counts + rest);
    }
    for (int b = 0; b < rest; b++)
        counts[b] = count_one(keys, n, (uint8_t)(first + b));
}

#endif
