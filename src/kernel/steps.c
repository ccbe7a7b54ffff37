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

/*
 * Stochastic steps within a binade. With w = n 2^k and |u| = (i + f) 2^k, |w + u| is (n + i) + f or
 * (n - i - 1) + (1 - f) times 2^k, so all steps have the same integer part to add and the same
 * fraction to compare the random bits with. Its first 64 bits nearly always decide; where they
 * do not, the step is taken by the definition.
 */
struct drift {
    int64_t whole;     /* to add to n */
    uint64_t fraction; /* its first 64 bits */
    bool random;       /* the fraction is not 0 */
    int64_t low, high; /* n from where a step stays in the binade */
};

/* False where the steps are no such ones. */
static bool find_drift(const struct cast *cast, const struct outcome *w, struct number u,
                       struct drift *drift)
{
    int width = w->exponent - u.exponent;
    if (w->n == 0 || width < 1 || width >= 192)
        return false;
    uint128 whole = width < 128 ? u.n >> width : 0;
    uint128 rest = width < 128 ? u.n & (((uint128)1 << width) - 1) : u.n;
    if (whole > UINT32_MAX)
        return false;
    uint64_t fraction = (uint64_t)(width > 64 ? rest >> (width - 64) : rest << (64 - width));
    bool more = width > 64 && (rest & (((uint128)1 << (width - 64)) - 1)) != 0;
    *drift = (struct drift){.whole = (int64_t)whole, .fraction = fraction, .random = rest != 0};
    binade_ends(cast, w->exponent, &drift->low, &drift->high);
    if (u.negative == w->negative) {
        drift->high -= (int64_t)whole + 2;
    } else {
        drift->whole = -drift->whole - drift->random;
        drift->fraction = 0 - fraction - more; /* of 1 - f */
        drift->low += (int64_t)whole + 2;
    }
    return true;
}

/* Takes steps from `i` on as long as they are such ones; returns the next. */
static uint64_t drift_on(const struct cast *cast, struct outcome *w, struct number u, uint64_t i,
                         uint64_t steps, struct random_draw *draw, bool *moved)
{
    struct drift drift;
    if (!find_drift(cast, w, u, &drift))
        return i;
    int64_t n = (int64_t)w->n;
    for (; i < steps && n >= drift.low && n <= drift.high; i++) {
        int64_t up = 0;
        if (drift.random) {
            uint64_t words[2];
            draw->step = (uint32_t)i;
            random_bits(draw, 0, words);
            if (words[0] == drift.fraction)
                break;
            up = words[0] < drift.fraction;
        }
        *moved |= drift.whole + up != 0;
        n += drift.whole + up;
    }
    w->n = (uint64_t)n;
    return i;
}

static struct walk walk_stochastic(const struct cast *cast, struct number q, struct number u,
                                   uint64_t steps, struct random_draw *draw)
{
    struct walk walk = {.at = q, .finite = true};
    for (uint64_t i = 0; i < steps; i++) {
        draw->step = (uint32_t)i;
        struct outcome next = step(cast, walk.at, u, draw);
        walk.finite = next.delivered == DELIVERED_FINITE;
        walk.moved |= !walk.finite || !number_equal(outcome_number(&next), walk.at);
        if (!walk.finite)
            return walk;
        i = drift_on(cast, &next, u, i + 1, steps, draw, &walk.moved) - 1;
        walk.at = outcome_number(&next);
    }
    return walk;
}

static struct walk walk(const struct cast *cast, struct number q, struct number u, uint64_t steps,
                        struct random_draw *draw)
{
    if (cast->rounding == ROUND_STOCHASTIC)
        return walk_stochastic(cast, q, u, steps, draw);
    struct walk walk = {.at = q, .finite = true};
    struct trail trail = {0};
    for (uint64_t i = 0; i < steps; i++) {
        struct outcome next = step(cast, walk.at, u, draw);
        bool moved =
            next.delivered != DELIVERED_FINITE || !number_equal(outcome_number(&next), walk.at);
        walk.moved |= moved;
        walk.finite = next.delivered == DELIVERED_FINITE;
        if (!walk.finite || !moved)
            return walk;
        int64_t d = trail.d;
        follow(&trail, &next);
        if (d != 0 && d == trail.d) {
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
        if ((!number_add(sum, terms[i], &sum) || bit_length(number_reduced(sum).n) > NUMBER_BITS) &&
            i < count - 1)
            return dyadic_total(terms, count);
    return sum;
}

/* Kahan's compensated summation, its compensation c stored in the format as well: w' is w + (u - c)
 * rounded, and c' is (w' - w) - (u - c) rounded. */
struct compensated {
    struct walk walk;
    struct number c;
    uint64_t i; /* steps taken */
    bool ended; /* nothing will change any more */
};

static void compensated_step(const struct cast *cast, struct number u, struct random_draw *draw,
                             struct compensated *at)
{
    struct number w = at->walk.at, sum = sum_of((struct number[]){u, number_negated(at->c), w}, 3);
    draw->step = (uint32_t)at->i++;
    draw->use = RANDOM_USE_STEP;
    struct outcome next = cast_number(cast, sum, draw);
    struct number now = outcome_number(&next);
    bool moved = next.delivered != DELIVERED_FINITE || !number_equal(now, w);
    at->walk.moved |= moved;
    at->walk.finite = next.delivered == DELIVERED_FINITE;
    at->ended = !at->walk.finite;
    if (at->ended)
        return;
    draw->use = RANDOM_USE_COMPENSATION;
    struct number left[] = {now, number_negated(w), number_negated(u), at->c};
    struct outcome kept = cast_number(cast, sum_of(left, 4), draw);
    at->walk.finite = kept.delivered == DELIVERED_FINITE;
    at->walk.moved |= !at->walk.finite;
    bool repeats = !moved && cast->rounding != ROUND_STOCHASTIC;
    at->ended = !at->walk.finite || (repeats && number_equal(outcome_number(&kept), at->c));
    at->walk.at = now;
    at->c = outcome_number(&kept);
}

/*
 * Such steps in integers, for the deterministic modes. All that occurs is a multiple of the last
 * place of u or of that of q, whichever is finer: sums and differences are, and rounding only makes
 * them coarser. So with that as the unit, and while 128 bits have room, a step is a few integer
 * operations.
 */
typedef __int128 int128;

enum { UNITS_BITS = 120 };

struct units {
    const struct cast *cast;
    int exponent; /* of the unit */
    int finest;   /* log2 of the format's finest place, in units; 0 where it is finer */
    int128 most;  /* the largest magnitude that is finite and has room */
};

static struct units units_for(const struct cast *cast, struct number q, struct number u)
{
    int ulps = cast->format.precision - 1, finest = cast_emin(cast) - ulps;
    int exponent = q.n != 0 && q.exponent < u.exponent ? q.exponent : u.exponent;
    int shift = cast_emax(cast) - ulps - exponent;
    bool room = shift + ulps < UNITS_BITS;
    return (struct units){
        .cast = cast,
        .exponent = exponent,
        .finest = finest > exponent ? finest - exponent : 0,
        /* A unit above the largest value leaves no room at all. */
        .most = shift < 0 ? 0
                : room    ? (int128)cast->format.max_significand << shift
                          : ((int128)1 << UNITS_BITS) - 1,
    };
}

/* False where it has no room. */
static bool to_units(const struct units *units, struct number a, int128 *n)
{
    int shift = a.exponent - units->exponent;
    *n = 0;
    if (a.n == 0)
        return true;
    if (shift < 0 || bit_length(a.n) + shift > UNITS_BITS)
        return false;
    *n = (int128)(a.n << shift);
    if (a.negative)
        *n = -*n;
    return true;
}

static struct number from_units(const struct units *units, int128 n)
{
    bool negative = n < 0;
    return (struct number){negative, (uint128)(negative ? -n : n), units->exponent};
}

static int128 round_units(const struct units *units, int128 n)
{
    bool negative = n < 0;
    uint128 size = (uint128)(negative ? -n : n);
    int shift = bit_length(size) - units->cast->format.precision;
    if (shift < units->finest)
        shift = units->finest;
    if (shift <= 0)
        return n;
    uint128 kept = size >> shift, rest = size & (((uint128)1 << shift) - 1);
    if (rest)
        kept += rounds_up(units->cast, negative, kept & 1, rest, shift, NULL);
    size = kept << shift;
    return negative ? -(int128)size : (int128)size;
}

static bool has_room(const struct units *units, int128 n)
{
    return n <= units->most && n >= -units->most;
}

/* Takes steps as long as there is room. */
static void compensate_in_units(const struct cast *cast, struct number u, uint64_t steps,
                                struct compensated *at)
{
    struct units units = units_for(cast, at->walk.at, u);
    int128 step, w, c;
    if (cast->rounding == ROUND_STOCHASTIC || units.finest > UNITS_BITS ||
        !to_units(&units, u, &step) || !to_units(&units, at->walk.at, &w) ||
        !to_units(&units, at->c, &c))
        return;
    for (; at->i < steps && !at->ended; at->i++) {
        int128 wanted = step - c, next = round_units(&units, w + wanted);
        int128 kept = round_units(&units, next - w - wanted);
        if (!has_room(&units, next) || !has_room(&units, kept))
            break; /* the definition takes this one */
        at->walk.moved |= next != w;
        at->ended = next == w && kept == c;
        w = next;
        c = kept;
    }
    at->walk.at = from_units(&units, w);
    at->c = from_units(&units, c);
}

static struct walk walk_compensated(const struct cast *cast, struct number q, struct number u,
                                    uint64_t steps, struct random_draw *draw)
{
    struct compensated at = {.walk = {.at = q, .finite = true}};
    compensate_in_units(cast, u, steps, &at);
    while (at.i < steps && !at.ended)
        compensated_step(cast, u, draw, &at);
    return at.walk;
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
    struct number u = number_reduced(number_product(plan->scale, g)), w = number_from(g);
    struct random_draw draw = {.key = cast->key, .element = position, .use = RANDOM_USE_STEP};
    const bool plain_is_stochastic = cast->rounding == ROUND_STOCHASTIC;
    if (!plain_is_stochastic)
        add_walk(into, REMEDY_NONE, walk(cast, q, u, plan->steps, &draw), q, w);
    add_walk(into, REMEDY_MASTER, walk_master(cast, q, u, plan->steps, &draw), q, w);
    if (position % plan->sample != 0)
        return;
    struct cast stochastic = *cast;
    stochastic.rounding = ROUND_STOCHASTIC;
    struct walk end = walk(&stochastic, q, u, plan->steps, &draw);
    add_walk(into, REMEDY_STOCHASTIC, end, q, w);
    if (plain_is_stochastic) /* the same draws */
        add_walk(into, REMEDY_NONE, end, q, w);
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
