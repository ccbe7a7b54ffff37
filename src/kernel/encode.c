#include "kernel/encode.h"

#include <math.h>

#include "base/bytes.h"
#include "kernel/element.h"

static uint32_t code_of(const struct cast *cast, double x)
{
    struct outcome outcome = cast_element(cast, x, 0);
    return (uint32_t)(outcome_code(cast, &outcome) >> cast->format.code_shift);
}

/* By the definition, whatever the format and the overflow policy make of it. */
static struct signed_code signed_code_of(const struct cast *cast, double x)
{
    uint32_t code = code_of(cast, copysign(x, 1));
    return (struct signed_code){code, code ^ code_of(cast, copysign(x, -1))};
}

struct encoder encoder_make(const struct cast *cast, uint32_t least_overflow)
{
    struct encoder encoder = {.cast = *cast};
    int precision = cast->format.precision, emin = cast_emin(cast);
    int magic = emin - precision + 24; /* exponent of a float32 whose last bit is the quantum */
    encoder.is_short = cast->rounding == ROUND_NEAREST_EVEN && cast->format.code_bytes <= 4 &&
                       precision <= 24 && emin >= -126 && emin <= 127 && magic <= 127;
    if (!encoder.is_short)
        return encoder;
    encoder.shift = 24 - precision;
    encoder.odd = encoder.shift > 0;
    encoder.half = encoder.shift ? (UINT32_C(1) << (encoder.shift - 1)) - 1 : 0;
    encoder.rebias = (uint32_t)(emin + 126) << (precision - 1); /* emin's is then 1 */
    encoder.least_normal = (emin + 127) << 23;
    encoder.least_overflow = (int32_t)least_overflow;
    encoder.magic = float_from_bits((uint32_t)(magic + 127) << 23);
    encoder.sign.flip = UINT32_C(1) << (cast->format.exponent_bits + precision - 1);
    encoder.zero = signed_code_of(cast, 0);
    encoder.overflow = signed_code_of(cast, (double)float_from_bits(least_overflow));
    encoder.inf = signed_code_of(cast, INFINITY);
    encoder.nan = signed_code_of(cast, NAN);
    return encoder;
}

/* Without a branch. */
static inline uint32_t either(bool condition, uint32_t yes, uint32_t no)
{
    uint32_t mask = 0 - (uint32_t)condition;
    return (yes & mask) | (no & ~mask);
}

/*
 * Of the magnitude's bits, those that go are rounded away by adding just below half a unit, and one
 * more where the last bit that stays is odd; a carry may go into the exponent, as it should. Below
 * the least normal number all units are the same, and to add a number whose unit that is rounds to
 * it. What is not wanted is computed all the same: without branches the compiler does several
 * elements at once.
 */
static inline uint32_t encode_short(const struct encoder *e, float x)
{
    const int32_t inf_bits = 0x7f800000;
    uint32_t bits = float_bits(x), magnitude = bits & UINT32_C(0x7fffffff);
    uint32_t negative = (uint32_t)((int32_t)bits >> 31); /* all ones, or none */
    int32_t m = (int32_t)magnitude;
    uint32_t odd = (magnitude >> e->shift) & e->odd;
    uint32_t normal = ((magnitude + e->half + odd) >> e->shift) - e->rebias;
    uint32_t subnormal = float_bits(float_from_bits(magnitude) + e->magic) - float_bits(e->magic);
    uint32_t code = either(m < e->least_normal, subnormal, normal);
    uint32_t flip = either(code == 0, e->zero.flip, e->sign.flip);
    code = either(m >= e->least_overflow, e->overflow.code, code);
    flip = either(m >= e->least_overflow, e->overflow.flip, flip);
    code = either(m >= inf_bits, e->inf.code, code);
    flip = either(m >= inf_bits, e->inf.flip, flip);
    code = either(m > inf_bits, e->nan.code, code);
    flip = either(m > inf_bits, e->nan.flip, flip);
    return (code ^ (flip & negative)) << e->cast.format.code_shift;
}

static void encode_all_short(const struct encoder *encoder, const float *x, size_t n,
                             unsigned char *codes)
{
    const struct encoder e = *encoder; /* no code is written over it */
    switch (e.cast.format.code_bytes) {
    case 1:
        for (size_t i = 0; i < n; i++)
            codes[i] = (unsigned char)encode_short(&e, x[i]);
        break;
    case 2:
        for (size_t i = 0; i < n; i++)
            store_le16(codes + 2 * i, (uint16_t)encode_short(&e, x[i]));
        break;
    default:
        for (size_t i = 0; i < n; i++)
            store_le32(codes + 4 * i, encode_short(&e, x[i]));
    }
}

/* As the definition has it. */
static void encode_element(const struct encoder *encoder, double x, uint64_t element,
                           unsigned char *to)
{
    struct outcome outcome = cast_element(&encoder->cast, x, element);
    uint64_t code = outcome_code(&encoder->cast, &outcome);
    for (int b = 0; b < encoder->cast.format.code_bytes; b++)
        to[b] = (unsigned char)(code >> (8 * b));
}

void encode_f64(const struct encoder *encoder, const double *x, size_t n, uint64_t first,
                unsigned char *codes)
{
    size_t bytes = (size_t)encoder->cast.format.code_bytes;
    for (size_t i = 0; i < n; i++)
        encode_element(encoder, x[i], first + i, codes + i * bytes);
}

void encode_f32(const struct encoder *encoder, const float *x, size_t n, uint64_t first,
                unsigned char *codes)
{
    size_t bytes = (size_t)encoder->cast.format.code_bytes;
    if (encoder->is_short)
        encode_all_short(encoder, x, n, codes);
    else
        for (size_t i = 0; i < n; i++)
            encode_element(encoder, (double)x[i], first + i, codes + i * bytes);
}
