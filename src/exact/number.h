/* Exact numbers of an element's arithmetic: integers of up to 120 bits times powers of two. */
#ifndef PRECHECK_EXACT_NUMBER_H
#define PRECHECK_EXACT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

typedef unsigned __int128 uint128;

enum { NUMBER_BITS = 120 };

/* +-n * 2^exponent, n < 2^NUMBER_BITS, or a bit longer that of a sum */
struct number {
    bool negative;
    uint128 n;
    int exponent;
};

/* How many bits an integer has; 0 has none. */
static inline int bit_length(uint128 n)
{
    uint64_t high = (uint64_t)(n >> 64), low = (uint64_t)n;
    if (high)
        return 128 - __builtin_clzll(high);
    return low ? 64 - __builtin_clzll(low) : 0;
}

static inline bool number_is_zero(struct number a)
{
    return a.n == 0;
}

static inline struct number number_negated(struct number a)
{
    a.negative = !a.negative;
    return a;
}

/* A finite binary64, and the product of two. */
struct number number_from(double x);
struct number number_product(double a, double b);

/* a * b. False where it has more than NUMBER_BITS. */
bool number_multiply(struct number a, struct number b, struct number *product);

/* a + b. Where that is too long, it is cut and its last bit set, more than a hundred bits down: as
 * good for one rounding to a format, for its sign and for telling it from zero. Returns whether it
 * is exact. */
bool number_add(struct number a, struct number b, struct number *sum);

/* The same number with an odd integer. */
struct number number_reduced(struct number a);

/* Whether a = b. */
bool number_equal(struct number a, struct number b);

#endif
