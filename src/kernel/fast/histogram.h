/*
 * Counting equal bytes. A block's exponents, as bytes, take few different values, and counting
 * those in registers is faster than any table in memory.
 *
 * A lookup turns a key into a byte with the bit of its bin, eight bins a table. Each bit of each
 * byte is then counted by itself, in binary numbers that lie across vectors: plane l holds bit l of
 * all counts. Adding to them takes no arithmetic but that of full adders (carry-save addition; see
 * Warren, Hacker's Delight, "Counting 1-bits", and Mula, Kurz and Lemire, Comput. J. 61, 2018), and
 * they hold so much that what they counted is seldom asked for.
 */
#ifndef PRECHECK_KERNEL_FAST_HISTOGRAM_H
#define PRECHECK_KERNEL_FAST_HISTOGRAM_H

#include "kernel/kernel.h"

enum {
    BINS_A_TABLE = 8,
    TABLES = COUNTER_BINS / BINS_A_TABLE,
    /* Vectors of keys that are added at a time, and the planes that they are added to at once. */
    VECTORS_AT_ONCE = 16,
    PLANES_AT_ONCE = 4,
    MOST_COUNTED = (1 << COUNTER_PLANES) - 1,
    /* So few keys are counted one by one. */
    FEW_KEYS = 24
};

_Static_assert(1 << PLANES_AT_ONCE == VECTORS_AT_ONCE, "their sum carries into the next plane");
_Static_assert(COUNTER_BYTES >= TABLES * COUNTER_PLANES * VB_LANES, "planes fit");

/* *sum + a + b = the new *sum + 2 * what is returned, for each bit. */
static inline vb add_full(vb *sum, vb a, vb b)
{
    vb differ = vb_xor(*sum, a);
    vb carry = vb_or(vb_and(*sum, a), vb_and(differ, b));
    *sum = vb_xor(differ, b);
    return carry;
}

/* Adds `carry` from plane `level` on. */
static inline void add_half(vb *planes, int level, vb carry)
{
    for (; level < COUNTER_PLANES; level++) {
        vb both = vb_and(planes[level], carry);
        planes[level] = vb_xor(planes[level], carry);
        carry = both;
    }
}

/* What turns keys to the bits of their bins; a key outside of the table has none. */
struct looker {
    vb first, table;
};

static const uint8_t bits_of_bins[TABLES][COUNTER_BINS] = {
    {1, 2, 4, 8, 16, 32, 64, 128},
    {[BINS_A_TABLE] = 1, 2, 4, 8, 16, 32, 64, 128},
};

static inline struct looker looker_for(int first, int table)
{
    return (struct looker){vb_all((uint8_t)first), vb_table(bits_of_bins[table])};
}

static inline vb look_up(const struct looker *looker, const uint8_t *keys)
{
    return vb_lookup(looker->table, vb_index(vb_sub(vb_load(keys), looker->first)));
}

/* Adds VECTORS_AT_ONCE vectors of keys: two carries of a level are added to its plane together. */
static inline void add_vectors(vb *planes, const struct looker *looker, const uint8_t *keys)
{
    vb carry, waiting[PLANES_AT_ONCE];
#pragma GCC unroll 16
    for (int i = 0; i < VECTORS_AT_ONCE; i++) {
        int level = 0;
        carry = look_up(looker, keys + i * VB_LANES);
        for (; i >> level & 1; level++)
            carry = add_full(&planes[level], waiting[level], carry);
        if (level < PLANES_AT_ONCE)
            waiting[level] = carry;
    }
    add_half(planes, PLANES_AT_ONCE, carry);
}

static inline uint8_t *plane_of(struct key_counter *counter, int table, int level)
{
    return counter->planes + (table * COUNTER_PLANES + level) * VB_LANES;
}

static inline void count_table(struct key_counter *counter, int table, const uint8_t *keys,
                               size_t n)
{
    const struct looker looker = looker_for(counter->first, table);
    vb planes[COUNTER_PLANES];
    size_t i = 0;
    for (int level = 0; level < COUNTER_PLANES; level++)
        planes[level] = counter->vectors ? vb_load(plane_of(counter, table, level)) : vb_all(0);
    for (; n - i >= VECTORS_AT_ONCE * VB_LANES; i += VECTORS_AT_ONCE * VB_LANES)
        add_vectors(planes, &looker, keys + i);
    for (; i < n; i += VB_LANES)
        add_half(planes, 0, look_up(&looker, keys + i));
    for (int level = 0; level < COUNTER_PLANES; level++)
        vb_store(plane_of(counter, table, level), planes[level]);
}

/* How many bytes have this bit. */
static inline uint64_t count_bit(vb plane, int bit)
{
    vb only = vb_all((uint8_t)(1 << bit));
    return (uint64_t)__builtin_popcountll(vb_mask(vb_equal(vb_and(plane, only), only)));
}

/* Adds what was counted to bins[0] for the counter's first key, and so on, and empties the counter.
 * Returns how many keys there were. */
static inline uint64_t settle_counter(struct key_counter *counter, uint64_t *bins)
{
    uint64_t total = 0;
    for (int level = 0; counter->vectors >> level; level++)
        for (int bin = 0; bin < COUNTER_BINS; bin++) {
            vb plane = vb_load(plane_of(counter, bin / BINS_A_TABLE, level));
            uint64_t keys = count_bit(plane, bin % BINS_A_TABLE) << level;
            bins[bin] += keys;
            total += keys;
        }
    counter->vectors = 0;
    return total;
}

/* Whether so many keys more would be too much. */
static inline bool counter_is_full(const struct key_counter *counter, size_t n)
{
    return counter->vectors + n / VB_LANES > MOST_COUNTED;
}

/* Counts those of n keys, a multiple of VB_LANES, that are counter->first + b modulo 256 with
 * 0 <= b < COUNTER_BINS. */
static inline void count_keys(struct key_counter *counter, const uint8_t *keys, size_t n)
{
    for (int table = 0; table < TABLES; table++)
        count_table(counter, table, keys, n);
    counter->vectors += (unsigned)(n / VB_LANES);
}

/* Which keys are first + b modulo 256 with 0 <= b < bins: bytes of ones. */
static inline vb keys_inside(const uint8_t *keys, int first, int bins)
{
    vb bin = vb_sub(vb_load(keys), vb_all((uint8_t)first));
    return vb_equal(vb_min_unsigned(bin, vb_all((uint8_t)(bins - 1))), bin);
}

/* n is a multiple of VB_LANES, and less than 256 of it. */
static inline size_t count_inside(const uint8_t *keys, size_t n, int first, int bins)
{
    vb counter = vb_all(0);
    for (size_t i = 0; i < n; i += VB_LANES)
        counter = vb_sub(counter, keys_inside(keys + i, first, bins));
    return vb_total(counter);
}

/* Adds to into[b] the number of keys that are first + b modulo 256, 0 <= b < bins <= 256. n is a
 * multiple of VB_LANES, and less than 256 of it. */
static inline void count_all(const uint8_t *keys, size_t n, int first, int bins, uint64_t *into)
{
    for (int done = 0; done < bins; done += COUNTER_BINS) {
        struct key_counter counter = {.first = first + done};
        uint64_t counts[COUNTER_BINS] = {0};
        count_keys(&counter, keys, n);
        settle_counter(&counter, counts);
        for (int b = done; b < bins && b < done + COUNTER_BINS; b++)
            into[b] += counts[b - done];
    }
}

/* The same of keys that may be few, or of which there may be none; returns how many. */
static inline size_t count_rest(const uint8_t *keys, size_t n, int first, int bins, uint64_t *into)
{
    size_t inside = bins > 0 ? count_inside(keys, n, first, bins) : 0;
    if (inside > FEW_KEYS)
        count_all(keys, n, first, bins, into);
    else if (inside)
        for (size_t i = 0; i < n; i += VB_LANES)
            for (uint64_t mask = vb_mask(keys_inside(keys + i, first, bins)); mask;
                 mask &= mask - 1)
                into[(uint8_t)(keys[i + (size_t)__builtin_ctzll(mask)] - first)]++;
    return inside;
}

#endif
