#include "exact/sum.h"

/* Every addition moves a digit by less than 2^32, and a digit holds 2^63. */
enum { PENDING_LIMIT = 1 << 30 };

/* Leaves digits of 32 bits with a sign, so that a small negative sum does not reach to the top. */
static void carry(struct exact_sum *sum)
{
    int64_t over = 0;
    for (int i = 0; i < SUM_DIGITS - 1; i++) {
        int64_t digit = sum->digit[i] + over;
        sum->digit[i] = (int32_t)(uint32_t)digit;
        over = (digit - sum->digit[i]) / ((int64_t)1 << 32);
    }
    sum->digit[SUM_DIGITS - 1] += over;
    sum->pending = 1;
}

static int64_t *place(struct exact_sum *sum, int exponent, int *shift)
{
    if (++sum->pending >= PENDING_LIMIT)
        carry(sum);
    int position = exponent - SUM_LOWEST_EXPONENT;
    *shift = position % 32;
    return &sum->digit[position / 32];
}

/* +-n * 2^exponent */
static void add_wide(struct exact_sum *sum, int64_t sign, uint128 n, int exponent)
{
    int shift;
    int64_t *digit = place(sum, exponent, &shift);
    /* Up to 31 of shift: the lowest digit apart, the rest fits 128 bits. */
    digit[0] += sign * (int64_t)(uint32_t)((uint32_t)n << shift);
    uint128 rest = n >> (32 - shift);
    for (int i = 1; rest; i++, rest >>= 32)
        digit[i] += sign * (int64_t)(uint32_t)rest;
}

void exact_sum_add_integer(struct exact_sum *sum, int64_t n, int exponent)
{
    if (!n)
        return;
    int shift;
    int64_t *digit = place(sum, exponent, &shift);
    /* In two's complement: the upper digit has the sign. */
    uint128 wide = (uint128)n << shift;
    digit[0] += (uint32_t)wide;
    digit[1] += (uint32_t)(wide >> 32);
    digit[2] += (int64_t)(uint64_t)(wide >> 64);
}

void exact_sum_add(struct exact_sum *sum, double value)
{
    struct number number = number_from(value);
    if (number.n)
        add_wide(sum, number.negative ? -1 : 1, number.n, number.exponent);
}

void exact_sum_add_product(struct exact_sum *sum, double a, double b)
{
    exact_sum_add_numbers(sum, number_from(a), number_from(b));
}

/* Where a factor has more than 64 bits, the products of their halves at their places. */
void exact_sum_add_numbers(struct exact_sum *sum, struct number a, struct number b)
{
    int64_t sign = a.negative != b.negative ? -1 : 1;
    for (int i = 0; i < 2; i++, a.n >>= 64, a.exponent += 64) {
        uint128 factor = b.n;
        for (int exponent = b.exponent; (uint64_t)a.n != 0 && factor;
             factor >>= 64, exponent += 64) {
            uint128 n = (uint128)(uint64_t)a.n * (uint64_t)factor;
            if (n)
                add_wide(sum, sign, n, a.exponent + exponent);
        }
    }
}

static void combine(struct exact_sum *into, const struct exact_sum *from, int64_t sign)
{
    struct exact_sum other;
    if (into->pending + from->pending >= PENDING_LIMIT) {
        other = *from;
        carry(&other);
        carry(into);
        from = &other;
    }
    for (int i = 0; i < SUM_DIGITS; i++)
        into->digit[i] += sign * from->digit[i];
    into->pending += from->pending;
}

void exact_sum_merge(struct exact_sum *into, const struct exact_sum *from)
{
    combine(into, from, 1);
}

void exact_sum_subtract(struct exact_sum *from, const struct exact_sum *what)
{
    combine(from, what, -1);
}
