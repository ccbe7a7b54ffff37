/*
 * Counter-based random bits: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As
 * Easy as 1, 2, 3. SC 2011). A draw depends on its key and counter alone, so it is the same for any
 * number of threads and any order.
 */
#ifndef PRECHECK_BASE_RANDOM_H
#define PRECHECK_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What a draw is for; part of its counter. */
enum random_use {
    RANDOM_USE_CAST,
    RANDOM_USE_UPDATE,
    RANDOM_USE_EMA,
    RANDOM_USE_STEP,
    RANDOM_USE_COMPENSATION
};

struct random_draw {
    uint64_t key;
    uint64_t element; /* position in storage order */
    uint32_t step;
    enum random_use use;
};

/* Seed and tensor name (its bytes) make the key. */
uint64_t random_key(uint64_t seed, const char *name);

/* Bits 128 * block .. 128 * block + 127 of the draw's infinite bit string, the first one on top of
 * words[0]. */
void random_bits(const struct random_draw *draw, uint32_t block, uint64_t words[2]);

#endif
