/*
 * Plain steps jump. A step takes w = n 2^k to w + d, d = round(w + u) - w. While w and w + u stay
 * in one binade, the numbers of the format near both are the multiples of 2^k, and d / 2^k is
 * u / 2^k rounded: the same for each n, but for a tie to even, where it depends on whether n is
 * odd. A tie leaves an even n behind, so only the first step in a binade can be another one. Hence
 * after two equal steps in a binade the next ones repeat them until they come near an end of it,
 * and can be taken at once. A step that moves nothing repeats itself for ever.
 */
#include "kernel/steps.h"

#include <string.h>

#include "exact/dyadic.h"

/* Where many steps ended. */
struct walk {
    struct number at;
    bool finite, moved;
};

static struct outcome step(const struct cast *cast, struct number w, struct number u,
                           struct random_draw *draw)
{
    struct number sum;
    number_add(w, u, &sum);
    return cast_number(cast, sum, draw);
}

/* The integers n of a binade's numbers n * 2^exponent, or of all subnormal and the first normal
 * ones. */
static void binade_ends(const struct cast *cast, int exponent, int64_t *low, int64_t *high)
{
    int precision = cast->format.precision;
    bool first = exponent == cast_emin(cast) - precision + 1;
    bool last = exponent == cast_emax(cast) - precision + 1;
    *low = first ? 0 : INT64_C(1) << (precision - 1);
    *high = last ? (int64_t)cast->format.max_significand : (INT64_C(1) << precision) - 1;
}

/* The last two results of a walk. */
struct trail {
    struct outcome before, now;
    int64_t d; /* from one to the other, in units of the binade that both are in; 0: in two */
};

static void follow(struct trail *trail, const struct outcome *next)
{
    trail->before = trail->now;
    trail->now = *next;
    bool together =
        trail->before.exponent == next->exponent && trail->before.negative == next->negative;
    trail->d = together ? (int64_t)next->n - (int64_t)trail->before.n : 0;
}

/* How many more steps like the last one, d, can be taken at once. */
static uint64_t repeatable(const struct cast *cast, const struct trail *trail)
{
    int64_t low, high, n = (int64_t)trail->now.n, d = trail->d;
    binade_ends(cast, trail->now.exponent, &low, &high);
    int64_t room = d > 0 ? high - n : n - low, size = d > 0 ? d : -d;
    /* |u| is less than a unit longer than d: w + u is in the binade if w + d is a unit from its
     * end. */
    return room > size ? (uint64_t)((room - 1) / size) : 0;
}

static struct walk walk(const struct cast *cast, struct number q, struct number u, uint64_t steps,
                        struct random_draw *draw)
{
    const bool repeats = cast->rounding != ROUND_STOCHASTIC;
    struct walk walk = {.at = q, .finite = true};
    struct trail trail = {0};
    for (uint64_t i = 0; i < steps; i++) {
        draw->step = (uint32_t)i;
        struct outcome next = step(cast, walk.at, u, draw);
        bool moved =
            next.delivered != DELIVERED_FINITE || !number_equal(outcome_number(&next), walk.at);
        walk.moved |= moved;
        walk.finite = next.delivered == DELIVERED_FINITE;
        if (!walk.finite || (repeats && !moved))
            return walk;
        int64_t d = trail.d;
        follow(&trail, &next);
        if (repeats && d != 0 && d == trail.d) {
            uint64_t more = repeatable(cast, &trail), left = steps - 1 - i;
            more = more < left ? more : left;
            trail.now.n = (uint64_t)((int64_t)trail.now.n + d * (int64_t)more);
            i += more;
        }
        walk.at = outcome_number(&trail.now);
    }
    return walk;
}

/* The sum of up to four numbers, cut at most once and at the end: exact until then. */
static struct number sum_of(const struct number *terms, int count)
{
    struct number sum = terms[0];
    for (int i = 1; i < count; i++)
        if (!number_add(sum, terms[i], &sum) && i < count - 1)
            return dyadic_total(terms, count);
    return sum;
}

/* Kahan's compensated summation, its compensation stored in the format as well. */
static struct walk walk_compensated(const struct cast *cast, struct number q, struct number u,
                                    uint64_t steps, struct random_draw *draw)
{
    struct walk walk = {.at = q, .finite = true};
    struct number c = {0};
    for (uint64_t i = 0; i < steps; i++) {
        draw->step = (uint32_t)i;
        draw->use = RANDOM_USE_STEP;
        struct number w = walk.at, sum = sum_of((struct number[]){u, number_negated(c), w}, 3);
        struct outcome next = cast_number(cast, sum, draw);
        struct number now = outcome_number(&next);
        bool moved = next.delivered != DELIVERED_FINITE || !number_equal(now, w);
        walk.moved |= moved;
        walk.finite = next.delivered == DELIVERED_FINITE;
        if (!walk.finite)
            return walk;
        draw->use = RANDOM_USE_COMPENSATION;
        struct number left[] = {now, number_negated(w), number_negated(u), c};
        struct outcome kept = cast_number(cast, sum_of(left, 4), draw);
        walk.finite = kept.delivered == DELIVERED_FINITE;
        walk.at = now;
        bool repeats = !moved && cast->rounding != ROUND_STOCHASTIC;
        if (!walk.finite || (repeats && number_equal(outcome_number(&kept), c)))
            return walk;
        c = outcome_number(&kept);
    }
    return walk;
}

static struct cast master_cast(void)
{
    struct cast cast = {.rounding = ROUND_NEAREST_EVEN};
    struct error error;
    format_find("fp32", strlen("fp32"), &cast.format, &error);
    return cast;
}

/* A master copy in binary32, cast at the end. */
static struct walk walk_master(const struct cast *cast, struct number q, struct number u,
                               uint64_t steps, struct random_draw *draw)
{
    const struct cast master = master_cast();
    struct walk end = walk(&master, q, u, steps, draw);
    if (!end.finite)
        return end;
    draw->step = (uint32_t)(steps - 1);
    struct outcome stored = cast_number(cast, end.at, draw);
    end.finite = stored.delivered == DELIVERED_FINITE;
    end.at = outcome_number(&stored);
    end.moved = !end.finite || !number_equal(end.at, q);
    return end;
}

static void add_walk(struct steps_measure *into, enum remedy remedy, struct walk end,
                     struct number q, struct number w)
{
    into->remedy[remedy].count++;
    into->remedy[remedy].frozen += !end.moved;
    if (end.finite)
        movement_add(into->remedy[remedy].sum, q, end.at, w);
}

void steps_element(const struct cast *cast, const struct update_plan *plan, struct number q,
                   double g, uint64_t position, struct steps_measure *into)
{
    struct number u = number_product(plan->scale, g), w = number_from(g);
    struct random_draw draw = {.key = cast->key, .element = position, .use = RANDOM_USE_STEP};
    add_walk(into, REMEDY_NONE, walk(cast, q, u, plan->steps, &draw), q, w);
    add_walk(into, REMEDY_MASTER, walk_master(cast, q, u, plan->steps, &draw), q, w);
    if (position % plan->sample != 0)
        return;
    struct cast stochastic = *cast;
    stochastic.rounding = ROUND_STOCHASTIC;
    add_walk(into, REMEDY_STOCHASTIC, walk(&stochastic, q, u, plan->steps, &draw), q, w);
    add_walk(into, REMEDY_KAHAN, walk_compensated(cast, q, u, plan->steps, &draw), q, w);
}

void steps_merge(struct steps_measure *into, const struct steps_measure *from)
{
    for (int r = 0; r < REMEDY_COUNT; r++) {
        into->remedy[r].count += from->remedy[r].count;
        into->remedy[r].frozen += from->remedy[r].frozen;
        for (int s = 0; s < MOVEMENT_SUMS; s++)
            exact_sum_merge(&into->remedy[r].sum[s], &from->remedy[r].sum[s]);
    }
}
