/* Codes of casts, many at a time. */
#ifndef PRECHECK_KERNEL_ENCODE_H
#define PRECHECK_KERNEL_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/cast.h"

/* The code of a positive one, and the bits that are other in that of a negative one. */
struct signed_code {
    uint32_t code, flip;
};

/* A cast and what is derived from it, once a tensor. */
struct encoder {
    struct cast cast;
    bool is_short; /* float32 elements can go the short way, which is what follows */
    int shift;     /* bits of the significand that go */
    uint32_t half; /* just below half of one that stays */
    uint32_t odd;  /* 1 where any go */
    uint32_t rebias;
    int32_t least_normal, least_overflow; /* bits of float32; Inf where nothing overflows */
    float magic;                          /* its last bit is worth the least subnormal */
    struct signed_code sign, zero, overflow, inf, nan;
};

/* In the default floating-point environment, as are the others. */
struct encoder encoder_make(const struct cast *cast, uint32_t least_overflow);

/* n codes, format.code_bytes each, little-endian; `first` is the position of the first element. */
void encode_f32(const struct encoder *encoder, const float *x, size_t n, uint64_t first,
                unsigned char *codes);
void encode_f64(const struct encoder *encoder, const double *x, size_t n, uint64_t first,
                unsigned char *codes);

#endif
