#include "exact/dyadic.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "exact/rounding.h"

struct dyadic {
    mpz_t n;
    long exponent;
};

static struct dyadic *new_dyadic(long exponent)
{
    struct dyadic *a = allocate(1, sizeof *a);
    mpz_init(a->n);
    a->exponent = exponent;
    return a;
}

struct dyadic *dyadic_of_sum(const struct exact_sum *sum)
{
    struct dyadic *a = new_dyadic(0);
    a->exponent = exact_integer(a->n, sum);
    return a;
}

struct dyadic *dyadic_of_number(struct number number)
{
    struct dyadic *a = new_dyadic(number.exponent);
    mpz_set_ui(a->n, (unsigned long)(number.n >> 64));
    mpz_mul_2exp(a->n, a->n, 64);
    mpz_add_ui(a->n, a->n, (unsigned long)number.n);
    if (number.negative)
        mpz_neg(a->n, a->n);
    return a;
}

struct dyadic *dyadic_of(double x)
{
    return dyadic_of_number(number_from(x));
}

void dyadic_free(struct dyadic *a)
{
    if (!a)
        return;
    mpz_clear(a->n);
    free(a);
}

/* Gives a a smaller exponent. */
static void lower(struct dyadic *a, long exponent)
{
    if (a->exponent > exponent) {
        mpz_mul_2exp(a->n, a->n, (mp_bitcnt_t)(a->exponent - exponent));
        a->exponent = exponent;
    }
}

void dyadic_add(struct dyadic *a, const struct dyadic *b)
{
    mpz_t other;
    lower(a, b->exponent);
    mpz_init(other);
    mpz_mul_2exp(other, b->n, (mp_bitcnt_t)(b->exponent - a->exponent));
    mpz_add(a->n, a->n, other);
    mpz_clear(other);
}

void dyadic_multiply(struct dyadic *a, const struct dyadic *b)
{
    mpz_mul(a->n, a->n, b->n);
    a->exponent += b->exponent;
}

int dyadic_sign(const struct dyadic *a)
{
    return mpz_sgn(a->n);
}

struct number dyadic_number(const struct dyadic *a)
{
    size_t bits = mpz_sizeinbase(a->n, 2);
    mp_bitcnt_t cut = bits > NUMBER_BITS ? bits - NUMBER_BITS : 0;
    mpz_t top;
    mpz_init(top);
    mpz_tdiv_q_2exp(top, a->n, cut);
    struct number number = {.negative = mpz_sgn(a->n) < 0,
                            .exponent = (int)(a->exponent + (long)cut)};
    uint64_t limbs[2] = {0};
    mpz_export(limbs, NULL, -1, sizeof *limbs, 0, 0, top);
    number.n = (uint128)limbs[1] << 64 | limbs[0];
    /* The last bit set for what was cut needs a place of its own. */
    number.n = number.n << 1 | (cut && mpz_scan1(a->n, 0) < cut);
    number.exponent--;
    mpz_clear(top);
    return number;
}

struct number dyadic_total(const struct number *terms, int count)
{
    struct dyadic *sum = dyadic_of_number(terms[0]);
    for (int i = 1; i < count; i++) {
        struct dyadic *term = dyadic_of_number(terms[i]);
        dyadic_add(sum, term);
        dyadic_free(term);
    }
    struct number total = dyadic_number(sum);
    dyadic_free(sum);
    return total;
}

/* a / b as n / d * 2^exponent with an even exponent. */
static long ratio(const struct dyadic *a, const struct dyadic *b, mpz_t n, mpz_t d)
{
    long exponent = a->exponent - b->exponent;
    mpz_set(n, a->n);
    mpz_set(d, b->n);
    if (exponent % 2) {
        mpz_mul_2exp(n, n, 1);
        exponent--;
    }
    return exponent;
}

double dyadic_quotient(const struct dyadic *a, const struct dyadic *b)
{
    mpz_t n, d;
    mpz_inits(n, d, NULL);
    long exponent = ratio(a, b, n, d);
    double value = round_quotient(n, d, exponent);
    mpz_clears(n, d, NULL);
    return value;
}

double dyadic_root_quotient(const struct dyadic *a, const struct dyadic *b)
{
    mpz_t n, d;
    mpz_inits(n, d, NULL);
    long exponent = ratio(a, b, n, d);
    double value = round_root(n, d, exponent);
    mpz_clears(n, d, NULL);
    return value;
}

double dyadic_over_root(const struct dyadic *a, const struct dyadic *b)
{
    struct dyadic square = {.exponent = 2 * a->exponent};
    mpz_init(square.n);
    mpz_mul(square.n, a->n, a->n);
    double value = dyadic_root_quotient(&square, b);
    mpz_clear(square.n);
    return dyadic_sign(a) < 0 ? -value : value;
}
