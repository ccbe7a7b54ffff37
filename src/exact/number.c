#include "exact/number.h"

#include "base/bytes.h"

struct number number_from(double x)
{
    uint64_t bits = double_bits(x);
    int field = (int)(bits >> 52 & 0x7ff);
    return (struct number){
        .negative = bits >> 63,
        .n = (bits & ((UINT64_C(1) << 52) - 1)) | (uint64_t)(field != 0) << 52,
        .exponent = (field ? field : 1) - 1075,
    };
}

struct number number_product(double a, double b)
{
    struct number product;
    number_multiply(number_from(a), number_from(b), &product); /* 106 bits */
    return product;
}

struct number number_reduced(struct number a)
{
    uint64_t low = (uint64_t)a.n;
    if (a.n == 0) {
        a.exponent = 0;
        return a;
    }
    int zeros = low ? __builtin_ctzll(low) : 64 + __builtin_ctzll((uint64_t)(a.n >> 64));
    a.n >>= zeros;
    a.exponent += zeros;
    return a;
}

bool number_multiply(struct number a, struct number b, struct number *product)
{
    a = number_reduced(a);
    b = number_reduced(b);
    if (bit_length(a.n) + bit_length(b.n) > NUMBER_BITS)
        return false;
    *product = (struct number){a.negative != b.negative, a.n * b.n, a.exponent + b.exponent};
    return true;
}

/* Bits of aligned numbers: more than NUMBER_BITS, so that the last one is 0 and can be set where
 * something was cut; less than 127, so that a sum has room. */
enum { ALIGNED_BITS = 126 };

static struct number aligned(struct number a)
{
    int shift = ALIGNED_BITS - bit_length(a.n);
    a.n <<= shift;
    a.exponent -= shift;
    return a;
}

bool number_add(struct number a, struct number b, struct number *sum)
{
    if (a.n == 0 || b.n == 0) {
        *sum = a.n == 0 ? b : a;
        return true;
    }
    a = aligned(number_reduced(a));
    b = aligned(number_reduced(b));
    if (a.exponent < b.exponent) {
        struct number other = a;
        a = b;
        b = other;
    }
    int shift = a.exponent - b.exponent;
    bool exact = true;
    if (shift) {
        bool all = shift > ALIGNED_BITS;
        exact = !all && (b.n & (((uint128)1 << shift) - 1)) == 0;
        b.n = (all ? 0 : b.n >> shift) | !exact;
    }
    *sum = a;
    if (a.negative == b.negative) {
        sum->n += b.n;
    } else if (a.n >= b.n) {
        sum->n -= b.n;
    } else {
        sum->n = b.n - a.n;
        sum->negative = b.negative;
    }
    if (sum->n == 0)
        *sum = (struct number){0};
    return exact;
}

bool number_equal(struct number a, struct number b)
{
    a = number_reduced(a);
    b = number_reduced(b);
    return a.n == b.n && (a.n == 0 || (a.negative == b.negative && a.exponent == b.exponent));
}
