#include "kernel/update.h"

#include <math.h>

#include "exact/dyadic.h"
#include "kernel/steps.h"

void movement_add(struct exact_sum sum[MOVEMENT_SUMS], struct number from, struct number to,
                  struct number w)
{
    struct number d;
    exact_sum_add_numbers(&sum[SUM_W2], w, w);
    if (number_add(to, number_negated(from), &d)) {
        if (d.n == 0)
            return;
        d = number_reduced(d);
        exact_sum_add_numbers(&sum[SUM_DW], d, w);
        exact_sum_add_numbers(&sum[SUM_D2], d, d);
        return;
    }
    /* d is too long for a number, its terms are not. */
    exact_sum_add_numbers(&sum[SUM_DW], to, w);
    exact_sum_add_numbers(&sum[SUM_DW], number_negated(from), w);
    exact_sum_add_numbers(&sum[SUM_D2], to, to);
    exact_sum_add_numbers(&sum[SUM_D2], from, from);
    exact_sum_add_numbers(&sum[SUM_D2], number_negated(from), to);
    exact_sum_add_numbers(&sum[SUM_D2], number_negated(from), to);
}

/* What sums of a moving average have besides. */
static void add_stored(struct exact_sum sum[UPDATE_SUMS], struct number q, struct number r,
                       struct number w)
{
    exact_sum_add_numbers(&sum[SUM_DQ], r, q);
    exact_sum_add_numbers(&sum[SUM_DQ], number_negated(q), q);
    exact_sum_add_numbers(&sum[SUM_WQ], w, q);
    exact_sum_add_numbers(&sum[SUM_Q2], q, q);
}

/* The exponent of q's leading bit. */
static int leading_exponent(struct number q)
{
    return q.exponent + 63 - __builtin_clzll((uint64_t)q.n); /* no more than a format's bits */
}

/* The exponent of the distance to the neighbour of q in a direction: the power of two itself has a
 * nearer one toward zero. */
static int gap_exponent(const struct cast *cast, struct number q, bool away)
{
    int emin = cast_emin(cast), ulps = cast->format.precision - 1;
    if (number_is_zero(q) || leading_exponent(q) <= emin)
        return emin - ulps;
    bool power_of_two = (q.n & (q.n - 1)) == 0;
    return leading_exponent(q) - ulps - (power_of_two && !away);
}

/* Whether a number just beyond the largest, in its direction, is cast to the largest. */
static bool stays_at_max(const struct cast *cast, struct number q)
{
    const struct format *format = &cast->format;
    int exponent = cast_emax(cast) - format->precision + 1;
    struct number max = {q.negative, format->max_significand, exponent};
    /* Twice as large: beyond it in every mode. */
    struct number beyond = {q.negative, format->max_significand, exponent + 1};
    struct random_draw draw = {0};
    if (!number_equal(q, max))
        return false;
    struct outcome outcome = cast_number(cast, beyond, &draw);
    return outcome.delivered == DELIVERED_FINITE;
}

/* Whether a mode takes whatever is between two numbers to the one that is farther up, or away. */
static bool rounds_at_once(enum rounding rounding, bool up, bool away)
{
    switch (rounding) {
    case ROUND_UP:
        return up;
    case ROUND_DOWN:
        return !up;
    case ROUND_TOWARD_ZERO:
        return !away;
    default:
        return false;
    }
}

/* t = inf{a > 0 : cast(q +- a) != q}. To nearest it is half the gap: there lies the middle, and
 * whether it belongs to the set makes no difference to its lower bound. */
static void add_threshold(const struct cast *cast, struct number q, bool up,
                          struct update_measure *into)
{
    bool away = number_is_zero(q) || q.negative != up;
    bool nearest = rounds_to_nearest(cast->rounding);
    if (cast->rounding == ROUND_STOCHASTIC)
        return;
    if (away && stays_at_max(cast, q))
        into->never++;
    else if (rounds_at_once(cast->rounding, up, away))
        into->at_once++;
    else
        into->threshold[gap_exponent(cast, q, away) - nearest - THRESHOLD_FIRST]++;
}

/* Of a binary64 and a number of a format: short enough. */
static struct number product_of(double a, struct number b)
{
    struct number product;
    number_multiply(number_from(a), b, &product);
    return product;
}

/* 1 - beta */
static struct number complement(double beta)
{
    struct number one = number_from(1), rest;
    number_add(one, number_from(-beta), &rest); /* options.c refuses what is too long */
    return rest;
}

/* S^2 g^2 (1 - beta) + beta q, cut, and whether S^2 g^2 = q: by numbers of any length. */
static struct number average_of_any_length(const struct update_plan *plan, struct number w,
                                           struct number q, bool *equal)
{
    struct dyadic *sum = dyadic_of_number(w), *value = dyadic_of_number(q);
    struct dyadic *scale = dyadic_of(plan->scale), *beta = dyadic_of(plan->beta);
    struct dyadic *rest = dyadic_of_number(complement(plan->beta));
    struct dyadic *difference = dyadic_of_number(number_negated(q));
    dyadic_multiply(sum, scale);
    dyadic_multiply(sum, scale);
    dyadic_add(difference, sum);
    *equal = dyadic_sign(difference) == 0;
    dyadic_multiply(sum, rest);
    dyadic_multiply(value, beta);
    dyadic_add(sum, value);
    struct number average = dyadic_number(sum);
    dyadic_free(sum);
    dyadic_free(value);
    dyadic_free(scale);
    dyadic_free(beta);
    dyadic_free(rest);
    dyadic_free(difference);
    return average;
}

static struct number average(const struct update_plan *plan, struct number w, struct number q,
                             bool *equal)
{
    struct number scale = number_product(plan->scale, plan->scale);
    struct number square, part, sum;
    if (!number_multiply(w, scale, &square) ||
        !number_multiply(square, complement(plan->beta), &part))
        return average_of_any_length(plan, w, q, equal);
    *equal = number_equal(square, q);
    number_add(part, product_of(plan->beta, q), &sum);
    return sum;
}

static void add_outcome(const struct update_plan *plan, struct number q, struct number w,
                        const struct outcome *r, struct update_measure *into)
{
    into->overflow += r->class == CLASS_OVERFLOW;
    if (r->delivered != DELIVERED_FINITE)
        return;
    struct number moved = outcome_number(r);
    into->lost += number_equal(moved, q);
    movement_add(into->sum, q, moved, w);
    if (plan->rule == UPDATE_EMA)
        add_stored(into->sum, q, moved, w);
}

static void average_element(const struct cast *cast, const struct update_plan *plan,
                            struct number q, double g, uint64_t position,
                            struct update_measure *into)
{
    struct number w = number_product(g, g);
    struct random_draw draw = {.key = cast->key, .element = position, .use = RANDOM_USE_EMA};
    bool equal;
    struct number sum = average(plan, w, q, &equal);
    if (equal)
        return; /* u = 0 */
    struct outcome r = cast_number(cast, sum, &draw);
    into->count++;
    add_outcome(plan, q, w, &r, into);
}

static void add_element(const struct cast *cast, const struct update_plan *plan, struct number q,
                        double g, uint64_t position, struct update_measure *into)
{
    struct number u = number_product(plan->scale, g), sum;
    struct random_draw draw = {.key = cast->key, .element = position, .use = RANDOM_USE_UPDATE};
    number_add(q, u, &sum);
    struct outcome r = cast_number(cast, sum, &draw);
    into->count++;
    add_outcome(plan, q, number_from(g), &r, into);
    add_threshold(cast, q, !u.negative, into);
}

void update_element(const struct cast *cast, const struct update_plan *plan, double x, double g,
                    uint64_t position, struct update_measure *into, struct steps_measure *steps)
{
    struct outcome cast_x = cast_element(cast, x, position);
    if (cast_x.delivered != DELIVERED_FINITE || !isfinite(g))
        return;
    struct number q = outcome_number(&cast_x);
    if (plan->rule == UPDATE_EMA) {
        average_element(cast, plan, q, g, position, into);
    } else if (g != 0) {
        add_element(cast, plan, q, g, position, into);
        if (steps)
            steps_element(cast, plan, q, g, position, steps);
    }
}

void update_merge(struct update_measure *into, const struct update_measure *from)
{
    into->count += from->count;
    into->overflow += from->overflow;
    into->lost += from->lost;
    for (int s = 0; s < UPDATE_SUMS; s++)
        exact_sum_merge(&into->sum[s], &from->sum[s]);
    into->at_once += from->at_once;
    into->never += from->never;
    for (int t = 0; t < THRESHOLD_BINS; t++)
        into->threshold[t] += from->threshold[t];
}
