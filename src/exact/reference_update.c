#include "exact/reference_update.h"

#include <math.h>
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "exact/reference_parts.h"

/* What was done to all elements together. */
struct sums {
    mpfr_t along, moved, wanted; /* of d u, d^2 and u^2; d = r - q */
};

/* The ways to take many steps. */
enum way { WAY_NONE, WAY_STOCHASTIC, WAY_KAHAN, WAY_MASTER, WAY_COUNT };

struct way_sums {
    uint64_t count, frozen;
    mpfr_t wrong, wanted; /* of (end - (q + N u))^2 and (N u)^2 */
};

/* Thresholds are 0, infinite or powers of two. */
enum { THRESHOLD_LOWEST = -2048, THRESHOLD_BINS = 4096 };

struct reference_update {
    struct cast cast, stochastic, fp32;
    struct reference_update_figures figures;
    struct sums sums;
    struct way_sums ways[WAY_COUNT];
    uint64_t at_once, never, thresholds[THRESHOLD_BINS];
    mpfr_t scale, rest; /* S and 1 - beta */
    /* Of the element at hand. */
    uint64_t position;
    mpfr_t q, g, u, all; /* all: N u */
    mpfr_t sum, r, term;
    mpfr_t near, gap, beyond; /* of its threshold */
    mpfr_t at, next, kept, c; /* of its steps */
};

static void init_zero(mpfr_t x)
{
    mpfr_init2(x, 64);
    mpfr_set_zero(x, 1);
}

static void set_double(mpfr_t to, double x)
{
    must_be_exact(mpfr_set_d(to, x, MPFR_RNDN));
}

static void init_factors(struct reference_update *r)
{
    const struct reference_update_plan *plan = &r->figures.plan;
    mpfr_inits2(64, r->scale, r->rest, (mpfr_ptr)0);
    set_double(r->scale, plan->scale);
    set_double(r->rest, 1);
    set_double(r->term, plan->beta);
    exactly_subtract(r->rest, r->rest, r->term);
}

struct reference_update *reference_update_new(const struct cast *cast,
                                              const struct reference_update_plan *plan)
{
    struct reference_update *r = allocate(1, sizeof *r);
    r->cast = *cast;
    r->stochastic = *cast;
    r->stochastic.rounding = ROUND_STOCHASTIC;
    r->fp32 = (struct cast){.rounding = ROUND_NEAREST_EVEN};
    struct error error;
    must_hold(format_find("fp32", strlen("fp32"), &r->fp32.format, &error), "has no fp32");
    r->figures.plan = *plan;
    mpfr_inits2(64, r->q, r->g, r->u, r->all, r->sum, r->r, r->term, (mpfr_ptr)0);
    mpfr_inits2(64, r->near, r->gap, r->beyond, r->at, r->next, r->kept, r->c, (mpfr_ptr)0);
    init_factors(r);
    init_zero(r->sums.along);
    init_zero(r->sums.moved);
    init_zero(r->sums.wanted);
    for (int w = 0; w < WAY_COUNT; w++) {
        init_zero(r->ways[w].wrong);
        init_zero(r->ways[w].wanted);
    }
    return r;
}

static void free_reference(struct reference_update *r)
{
    mpfr_clears(r->q, r->g, r->u, r->all, r->sum, r->r, r->term, r->near, r->gap, r->beyond, r->at,
                r->next, r->kept, r->c, r->scale, r->rest, r->sums.along, r->sums.moved,
                r->sums.wanted, (mpfr_ptr)0);
    for (int w = 0; w < WAY_COUNT; w++)
        mpfr_clears(r->ways[w].wrong, r->ways[w].wanted, (mpfr_ptr)0);
    free(r);
}

/* sum += a b */
static void add_product(struct reference_update *r, mpfr_t sum, const mpfr_t a, const mpfr_t b)
{
    exactly_multiply(r->term, a, b);
    exactly_add(sum, sum, r->term);
}

/* q + u, rounded once. */
static void add_update(struct reference_update *r, enum random_use use)
{
    struct reference_update_figures *f = &r->figures;
    struct random_draw draw = {.key = r->cast.key, .element = r->position, .use = use};
    enum class class;
    exactly_add(r->sum, r->q, r->u);
    reference_cast_number(r->r, &class, &r->cast, r->sum, &draw);
    f->count++;
    f->overflow += class == CLASS_OVERFLOW;
    if (!mpfr_number_p(r->r))
        return;
    f->lost += mpfr_equal_p(r->r, r->q) != 0;
    exactly_subtract(r->r, r->r, r->q);
    add_product(r, r->sums.along, r->r, r->u);
    add_product(r, r->sums.moved, r->r, r->r);
    add_product(r, r->sums.wanted, r->u, r->u);
}

/* to = q with `distance` more in the direction of u. */
static void go(struct reference_update *r, mpfr_t to, const mpfr_t distance)
{
    if (mpfr_sgn(r->u) > 0)
        exactly_add(to, r->q, distance);
    else
        exactly_subtract(to, r->q, distance);
}

/* The distance from q to the next number, as if exponents were unbounded above: that to which the
 * least step in its direction is rounded in that direction. */
static void find_gap(struct reference_update *r)
{
    struct cast outward = r->cast;
    struct random_draw draw = {0};
    enum class class;
    outward.rounding = mpfr_sgn(r->u) > 0 ? ROUND_UP : ROUND_DOWN;
    outward.format.emax = 1 << 20;
    long below_all = cast_emin(&r->cast) - r->cast.format.precision - 8;
    mpfr_set_ui_2exp(r->gap, 1, below_all, MPFR_RNDN);
    go(r, r->beyond, r->gap);
    reference_cast_number(r->near, &class, &outward, r->beyond, &draw);
    exactly_subtract(r->gap, r->near, r->q);
    mpfr_abs(r->gap, r->gap, MPFR_RNDN);
}

/* Whether q with a bit more than `distance`, far less than a gap more, is cast to q. */
static bool stays_beyond(struct reference_update *r, const mpfr_t distance)
{
    struct random_draw draw = {0};
    enum class class;
    mpfr_set_prec(r->beyond, 64);
    must_be_exact(mpfr_div_2ui(r->beyond, r->gap, 40, MPFR_RNDN));
    exactly_add(r->beyond, r->beyond, distance);
    go(r, r->sum, r->beyond);
    reference_cast_number(r->near, &class, &r->cast, r->sum, &draw);
    return mpfr_equal_p(r->near, r->q) != 0;
}

/* A cast changes nowhere but at numbers of the format and in the middle of two, and is monotone:
 * the threshold is the first of these beyond which q is left. Where q stays beyond the next number,
 * it is the largest one and stays for ever. */
static void add_threshold(struct reference_update *r)
{
    if (r->cast.rounding == ROUND_STOCHASTIC)
        return;
    find_gap(r);
    mpfr_set_zero(r->term, 1);
    if (!stays_beyond(r, r->term)) {
        r->at_once++;
        return;
    }
    exactly_add(r->term, r->term, r->gap);
    must_be_exact(mpfr_div_2ui(r->term, r->term, 1, MPFR_RNDN));
    if (stays_beyond(r, r->term))
        must_be_exact(mpfr_mul_2ui(r->term, r->term, 1, MPFR_RNDN));
    if (stays_beyond(r, r->term)) {
        r->never++;
        return;
    }
    long bin = mpfr_get_exp(r->term) - 1 - THRESHOLD_LOWEST;
    must_hold(mpfr_min_prec(r->term) == 1, "found a threshold that is no power of two");
    must_hold(bin >= 0 && bin < THRESHOLD_BINS, "found a threshold out of range");
    r->thresholds[bin]++;
}

/* Whether `next` is another number than `at`, or none. */
static bool moves(const struct reference_update *r)
{
    return mpfr_equal_p(r->next, r->at) == 0;
}

/* From q, N times u more, rounded each time; whether it ever moved. The end may be no number. */
static bool walk(struct reference_update *r, const struct cast *cast)
{
    struct random_draw draw = {.key = cast->key, .element = r->position, .use = RANDOM_USE_STEP};
    enum class class;
    bool ever = false, ended = false;
    mpfr_set_prec(r->at, mpfr_get_prec(r->q));
    mpfr_set(r->at, r->q, MPFR_RNDN);
    for (uint64_t i = 0; i < r->figures.plan.steps && !ended; i++) {
        draw.step = (uint32_t)i;
        exactly_add(r->sum, r->at, r->u);
        reference_cast_number(r->next, &class, cast, r->sum, &draw);
        bool moved = moves(r);
        ever |= moved;
        /* What stays in a mode without chance stays for ever. */
        ended = !mpfr_number_p(r->next) || (!moved && cast->rounding != ROUND_STOCHASTIC);
        mpfr_swap(r->at, r->next);
    }
    return ever;
}

/* One step of Kahan's: w' = cast(w + (u - c)), c' = cast((w' - w) - (u - c)). False where one of
 * them is no number, or nothing changes and never will. */
static bool kahan_step(struct reference_update *r, struct random_draw *draw, bool *ever)
{
    enum class class;
    exactly_subtract(r->term, r->u, r->c);
    exactly_add(r->sum, r->at, r->term);
    draw->use = RANDOM_USE_STEP;
    reference_cast_number(r->next, &class, &r->cast, r->sum, draw);
    bool moved = moves(r), changed = true;
    *ever |= moved;
    if (mpfr_number_p(r->next)) {
        exactly_subtract(r->sum, r->next, r->at);
        exactly_subtract(r->sum, r->sum, r->term);
        draw->use = RANDOM_USE_COMPENSATION;
        reference_cast_number(r->kept, &class, &r->cast, r->sum, draw);
        changed = moved || r->cast.rounding == ROUND_STOCHASTIC || !mpfr_equal_p(r->kept, r->c);
        mpfr_swap(r->c, r->kept);
        if (!mpfr_number_p(r->c)) { /* nor has it an end */
            mpfr_set_nan(r->next);
            *ever = true;
        }
    }
    mpfr_swap(r->at, r->next);
    return mpfr_number_p(r->at) && changed;
}

static bool walk_kahan(struct reference_update *r)
{
    struct random_draw draw = {.key = r->cast.key, .element = r->position};
    bool ever = false, more = true;
    mpfr_set_prec(r->at, mpfr_get_prec(r->q));
    mpfr_set(r->at, r->q, MPFR_RNDN);
    mpfr_set_zero(r->c, 1);
    for (uint64_t i = 0; i < r->figures.plan.steps && more; i++) {
        draw.step = (uint32_t)i;
        more = kahan_step(r, &draw, &ever);
    }
    return ever;
}

/* In binary32, cast at the end; the stored copy has moved if it is another one then. */
static bool walk_master(struct reference_update *r)
{
    struct random_draw draw = {.key = r->cast.key,
                               .element = r->position,
                               .step = (uint32_t)(r->figures.plan.steps - 1),
                               .use = RANDOM_USE_STEP};
    enum class class;
    walk(r, &r->fp32);
    if (!mpfr_number_p(r->at))
        return true;
    reference_cast_number(r->next, &class, &r->cast, r->at, &draw);
    mpfr_swap(r->at, r->next);
    return mpfr_equal_p(r->at, r->q) == 0;
}

/* The way has ended in `at`. */
static void add_end(struct reference_update *r, enum way way, bool moved)
{
    struct way_sums *sums = &r->ways[way];
    sums->count++;
    sums->frozen += !moved;
    if (!mpfr_number_p(r->at))
        return;
    exactly_add(r->sum, r->q, r->all);
    exactly_subtract(r->sum, r->at, r->sum);
    add_product(r, sums->wrong, r->sum, r->sum);
    add_product(r, sums->wanted, r->all, r->all);
}

static void add_steps(struct reference_update *r)
{
    const struct reference_update_plan *plan = &r->figures.plan;
    mpfr_set_prec(r->term, 64);
    must_be_exact(mpfr_set_ui(r->term, plan->steps, MPFR_RNDN));
    exactly_multiply(r->all, r->term, r->u);
    bool sampled = r->position % plan->sample == 0;
    if (sampled || r->cast.rounding != ROUND_STOCHASTIC)
        add_end(r, WAY_NONE, walk(r, &r->cast));
    add_end(r, WAY_MASTER, walk_master(r));
    if (!sampled)
        return;
    add_end(r, WAY_STOCHASTIC, walk(r, &r->stochastic));
    add_end(r, WAY_KAHAN, walk_kahan(r));
}

/* u = S g, or (1 - beta) (S^2 g^2 - q) */
static void find_update(struct reference_update *r, double g)
{
    set_double(r->g, g);
    exactly_multiply(r->u, r->scale, r->g);
    if (!r->figures.plan.average)
        return;
    exactly_multiply(r->term, r->u, r->u);
    exactly_subtract(r->term, r->term, r->q);
    exactly_multiply(r->u, r->rest, r->term);
}

static void add_element(struct reference_update *r, double x, double g)
{
    const struct reference_update_plan *plan = &r->figures.plan;
    enum class class;
    reference_cast_element(r->q, &class, &r->cast, x, r->position);
    if (!mpfr_number_p(r->q) || !isfinite(g))
        return;
    find_update(r, g);
    if (mpfr_zero_p(r->u))
        return;
    add_update(r, plan->average ? RANDOM_USE_EMA : RANDOM_USE_UPDATE);
    if (plan->average)
        return;
    add_threshold(r);
    if (plan->steps)
        add_steps(r);
}

void reference_update_add(struct reference_update *r, const double *x, const double *g, size_t n,
                          uint64_t first)
{
    for (size_t i = 0; i < n; i++) {
        r->position = first + i;
        add_element(r, x[i], g[i]);
    }
}

/* The smallest threshold that is no less than percent % of all of them. */
static double quantile(const struct reference_update *r, uint64_t percent)
{
    unsigned __int128 wanted = (unsigned __int128)r->figures.count * percent;
    unsigned __int128 below = r->at_once;
    if (below * 100 >= wanted)
        return 0;
    for (int t = 0; t < THRESHOLD_BINS; t++) {
        below += r->thresholds[t];
        if (below * 100 >= wanted) {
            mpfr_t threshold;
            mpfr_init2(threshold, 53);
            int ternary = mpfr_set_ui_2exp(threshold, 1, THRESHOLD_LOWEST + t, MPFR_RNDN);
            double result = reference_settle(threshold, ternary);
            mpfr_clear(threshold);
            return result;
        }
    }
    return INFINITY;
}

static void finish_thresholds(const struct reference_update *r, struct reference_update_figures *f)
{
    if (f->plan.average || r->cast.rounding == ROUND_STOCHASTIC || f->count == 0)
        return;
    f->p50 = quantile(r, 50);
    f->p90 = quantile(r, 90);
    f->p99 = quantile(r, 99);
    f->p100 = quantile(r, 100);
}

static struct reference_remedy_figures remedy_figures(const struct way_sums *sums)
{
    bool moved = !mpfr_zero_p(sums->wanted);
    return (struct reference_remedy_figures){
        .frozen = sums->frozen,
        .frozen_rate = reference_rate(sums->frozen, sums->count),
        .movement_error = moved ? reference_root_ratio(sums->wrong, sums->wanted) : NAN,
    };
}

struct reference_update_figures reference_update_finish(struct reference_update *r)
{
    struct reference_update_figures f = r->figures;
    const struct sums *sums = &r->sums;
    bool moved = !mpfr_zero_p(sums->wanted);
    f.lost_rate = reference_rate(f.lost, f.count);
    f.effective_ratio = moved ? reference_ratio(sums->along, sums->wanted) : NAN;
    f.edq = moved ? reference_over_root(sums->along, sums->wanted) : NAN;
    f.norm_ratio = moved ? reference_root_ratio(sums->moved, sums->wanted) : NAN;
    f.p50 = f.p90 = f.p99 = f.p100 = NAN;
    finish_thresholds(r, &f);
    f.none = remedy_figures(&r->ways[WAY_NONE]);
    f.stochastic = remedy_figures(&r->ways[WAY_STOCHASTIC]);
    f.kahan = remedy_figures(&r->ways[WAY_KAHAN]);
    f.master = remedy_figures(&r->ways[WAY_MASTER]);
    free_reference(r);
    return f;
}
