#include "base/random.h"

uint64_t random_key(uint64_t seed, const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return seed ^ hash;
}

void random_bits(const struct random_draw *draw, uint32_t block, uint64_t words[2])
{
    uint32_t k0 = (uint32_t)draw->key, k1 = (uint32_t)(draw->key >> 32);
    uint32_t c0 = (uint32_t)draw->element, c1 = (uint32_t)(draw->element >> 32);
    uint32_t c2 = draw->step, c3 = (uint32_t)draw->use << 24 | block;

    for (int round = 0; round < 10; round++) {
        uint64_t p0 = UINT64_C(0xD2511F53) * c0, p1 = UINT64_C(0xCD9E8D57) * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    words[0] = (uint64_t)c0 << 32 | c1;
    words[1] = (uint64_t)c2 << 32 | c3;
}
