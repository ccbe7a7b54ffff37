#include "report/ranking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

static double share(const struct value *count, uint64_t elements)
{
    return elements ? (double)count->count / (double)elements : 0;
}

static double real_or(const struct value *value, double otherwise)
{
    return value->kind == VALUE_REAL ? value->real : otherwise;
}

static struct standing standing_of(const struct report *report, const struct report_cast *cast,
                                   uint64_t elements)
{
    const struct value *figures = cast->figures;
    enum metric lost =
        report->has_group[GROUP_EMA] ? METRIC_EMA_LOST_RATE : METRIC_UPDATE_LOST_RATE;
    return (struct standing){
        .overflow = share(&figures[METRIC_OVERFLOW], elements),
        .not_finite = share(&figures[METRIC_NAN], elements) + share(&figures[METRIC_INF], elements),
        .underflow = share(&figures[METRIC_UNDERFLOW], elements),
        .lost = real_or(&figures[lost], 0),
        .sqnr = real_or(&figures[METRIC_ERROR_SQNR_DB], INFINITY),
    };
}

static int by_name(const struct report *report, size_t a, size_t b)
{
    const struct report_tensor *one = &report->tensors[a], *other = &report->tensors[b];
    int order = strcmp(one->tensor.name, other->tensor.name);
    if (order == 0)
        order = strcmp(one->file, other->file);
    return order ? order : (a > b) - (a < b);
}

struct sorting {
    const struct ranking *ranking;
    enum ranking_order by;
    const struct standing **standings; /* that a tensor goes by */
};

static int larger_first(double a, double b)
{
    return (a < b) - (a > b);
}

int standing_compare(const struct standing *a, const struct standing *b)
{
    int order = larger_first(a->overflow, b->overflow);
    if (order == 0)
        order = larger_first(a->not_finite, b->not_finite);
    if (order == 0)
        order = larger_first(a->underflow, b->underflow);
    if (order == 0)
        order = larger_first(a->lost, b->lost);
    return order ? order : larger_first(-a->sqnr, -b->sqnr);
}

static int by_standing(enum ranking_order by, const struct standing *one,
                       const struct standing *other)
{
    switch (by) {
    case ORDER_WORST:
        return standing_compare(one, other);
    case ORDER_OVERFLOW:
        return larger_first(one->overflow, other->overflow);
    case ORDER_UNDERFLOW:
        return larger_first(one->underflow, other->underflow);
    case ORDER_SQNR:
        return larger_first(-one->sqnr, -other->sqnr);
    case ORDER_LOST:
        return larger_first(one->lost, other->lost);
    default:
        return 0;
    }
}

/* In one cast, or in that in which the tensor comes first. */
static const struct standing *standing_in(const struct ranking *ranking, enum ranking_order by,
                                          size_t tensor, size_t cast)
{
    size_t casts = ranking->report->cast_count;
    const struct standing *standings = &ranking->standings[tensor * casts];
    if (cast < casts)
        return &standings[cast];
    const struct standing *first = standings;
    for (size_t c = 1; c < casts; c++)
        if (by_standing(by, &standings[c], first) < 0)
            first = &standings[c];
    return first;
}

static int by_figure(const struct sorting *sorting, size_t a, size_t b)
{
    const struct report_tensor *tensors = sorting->ranking->report->tensors;
    uint64_t size = tensors[a].tensor.elements, sizes = tensors[b].tensor.elements;
    if (sorting->by == ORDER_SIZE)
        return (size < sizes) - (size > sizes);
    return by_standing(sorting->by, sorting->standings[a], sorting->standings[b]);
}

static int compare(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    size_t one = *(const size_t *)a, other = *(const size_t *)b;
    int order = by_figure(sorting, one, other);
    return order ? order : by_name(sorting->ranking->report, one, other);
}

void ranking_sort(struct ranking *ranking, enum ranking_order by, size_t cast)
{
    size_t count = ranking->report->tensor_count;
    struct sorting sorting = {ranking, by, allocate(count, sizeof *sorting.standings)};
    for (size_t t = 0; t < count; t++)
        sorting.standings[t] = standing_in(ranking, by, t, cast);
    qsort_r(ranking->order, count, sizeof *ranking->order, compare, &sorting);
    free(sorting.standings);
}

/* In the order of names, neighbours tell. */
static bool names_repeat(const struct ranking *ranking)
{
    const struct report_tensor *tensors = ranking->report->tensors;
    for (size_t i = 1; i < ranking->report->tensor_count; i++) {
        const struct report_tensor *one = &tensors[ranking->order[i - 1]];
        const struct report_tensor *next = &tensors[ranking->order[i]];
        if (*one->tensor.name && strcmp(one->tensor.name, next->tensor.name) == 0 &&
            strcmp(one->file, next->file) != 0)
            return true;
    }
    return false;
}

struct ranking ranking_new(const struct report *report)
{
    size_t count = report->tensor_count, casts = report->cast_count;
    struct ranking ranking = {.report = report};
    ranking.standings = reallocate(NULL, count * casts, sizeof *ranking.standings);
    ranking.order = reallocate(NULL, count, sizeof *ranking.order);
    for (size_t t = 0; t < count; t++) {
        struct report_figures room = {0};
        const struct report_tensor *tensor = &report->tensors[t];
        const struct report_figures *figures = report_figures_of(report, tensor, &room);
        for (size_t c = 0; c < casts; c++)
            ranking.standings[t * casts + c] =
                standing_of(report, &figures->casts[c], tensor->tensor.elements);
        report_figures_done(report, &room);
        ranking.order[t] = t;
    }
    ranking_sort(&ranking, ORDER_NAME, 0);
    ranking.names_repeat = names_repeat(&ranking);
    return ranking;
}

void ranking_free(struct ranking *ranking)
{
    free(ranking->standings);
    free(ranking->order);
    *ranking = (struct ranking){0};
}

const struct standing *ranking_standing(const struct ranking *ranking, size_t place, size_t cast)
{
    return &ranking->standings[ranking->order[place] * ranking->report->cast_count + cast];
}

struct ranking_rest ranking_rest(const struct ranking *ranking, size_t first, size_t cast)
{
    struct ranking_rest rest = {.sqnr = INFINITY};
    for (size_t place = first; place < ranking->report->tensor_count; place++) {
        const struct standing *one = ranking_standing(ranking, place, cast);
        rest.tensors++;
        rest.overflow += one->overflow > 0;
        rest.not_finite += one->not_finite > 0;
        rest.underflow += one->underflow > 0;
        rest.lost += one->lost > 0;
        rest.sqnr = fmin(rest.sqnr, one->sqnr);
    }
    return rest;
}
