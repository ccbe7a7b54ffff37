/* Bytes to integers and back, in a stated order, from any alignment. */
#ifndef PRECHECK_BASE_BYTES_H
#define PRECHECK_BASE_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t load_le16(const void *from)
{
    const unsigned char *b = from;
    return (uint16_t)(b[0] | b[1] << 8);
}

static inline uint32_t load_le32(const void *from)
{
    return load_le16(from) | (uint32_t)load_le16((const unsigned char *)from + 2) << 16;
}

static inline uint64_t load_le64(const void *from)
{
    return load_le32(from) | (uint64_t)load_le32((const unsigned char *)from + 4) << 32;
}

static inline void store_le16(void *to, uint16_t value)
{
    unsigned char *b = to;
    b[0] = (unsigned char)value;
    b[1] = (unsigned char)(value >> 8);
}

static inline void store_le32(void *to, uint32_t value)
{
    store_le16(to, (uint16_t)value);
    store_le16((unsigned char *)to + 2, (uint16_t)(value >> 16));
}

/* The bits of a float, and back. */
static inline uint32_t float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double double_from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
