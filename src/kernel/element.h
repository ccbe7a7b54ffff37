/* The cast of one element: the definition that every faster kernel must agree with. */
#ifndef PRECHECK_KERNEL_ELEMENT_H
#define PRECHECK_KERNEL_ELEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "format/cast.h"
#include "exact/number.h"

enum delivered { DELIVERED_FINITE, DELIVERED_INF, DELIVERED_NAN };

/* What a cast delivers. A finite one is +-n * 2^exponent, already divided by the scale, with
 * n <= 2^precision. */
struct outcome {
    enum class class;
    enum delivered delivered;
    bool negative;
    uint64_t n;
    int exponent;
};

/* `element` is its position in storage order (stochastic rounding draws by it). */
struct outcome cast_element(const struct cast *cast, double x, uint64_t element);

/* The same of an exact number; stochastic rounding takes the draw, of which the key is the cast's.
 */
struct outcome cast_number(const struct cast *cast, struct number x,
                           const struct random_draw *draw);

/* Whether to take the larger of the two neighbours, the exact magnitude lying `rest` / 2^width of
 * the way between them; 0 < rest < 2^width, rest < 2^127. */
bool rounds_up(const struct cast *cast, bool negative, bool odd, uint128 rest, int width,
               const struct random_draw *draw);

/* The number that a finite outcome is. */
static inline struct number outcome_number(const struct outcome *outcome)
{
    return (struct number){outcome->negative, outcome->n, outcome->exponent};
}

/* The code of an outcome as it is written: of x * 2^scale, shifted up where the word has room. */
uint64_t outcome_code(const struct cast *cast, const struct outcome *outcome);

/* e = q - x = high + low exactly, with high = e rounded to binary64. */
struct difference {
    double high, low;
};

/* For a finite x and a finite outcome. */
struct difference outcome_error(const struct outcome *outcome, double x);
/* |e| / |x| rounded to binary64, and the floor of its base-2 logarithm; e and x are not zero. */
double relative_error(const struct outcome *outcome, struct difference e, double x);
int relative_exponent(struct difference e, double x);

/* Whether x would overflow: monotone in |x| for either sign. Stochastic rounding counts as if it
 * drew the larger magnitude. */
bool would_overflow(const struct cast *cast, double x);

/* value * 2^exponent; exact wherever the result is a binary64 number. */
double times_power_of_two(double value, int exponent);

#endif
