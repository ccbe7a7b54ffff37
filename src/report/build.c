#include "report/build.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "exact/figure.h"
#include "kernel/scale.h"
#include "report/movement.h"

static struct value count_of(uint64_t count)
{
    return (struct value){.kind = VALUE_COUNT, .count = count};
}

static struct value real_of(double real)
{
    return (struct value){.kind = VALUE_REAL, .real = real};
}

static struct histogram trim(const uint64_t *bins, size_t n, int first)
{
    size_t low = 0, high = n;
    while (low < n && !bins[low])
        low++;
    while (high > low && !bins[high - 1])
        high--;
    struct histogram histogram = {.first = first + (int)low, .length = high - low};
    if (histogram.length) {
        histogram.counts = allocate(histogram.length, sizeof *bins);
        memcpy(histogram.counts, bins + low, histogram.length * sizeof *bins);
    } else {
        histogram.first = 0;
    }
    return histogram;
}

static uint64_t total_of(const uint64_t *bins, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += bins[i];
    return total;
}

static void input_figures(const struct input_measure *input, struct value *figures)
{
    uint64_t nonzero = total_of(input->exponents, EXPONENT_BINS), finite = nonzero + input->zero;
    figures[METRIC_INPUT_NAN] = count_of(input->nan);
    figures[METRIC_INPUT_INF] = count_of(input->inf);
    figures[METRIC_INPUT_ZERO] = count_of(input->zero);
    if (!finite)
        return;
    if (nonzero)
        figures[METRIC_INPUT_MIN_ABS] = real_of(input->min_abs);
    figures[METRIC_INPUT_MAX_ABS] = real_of(input->max_abs);
    figures[METRIC_INPUT_MEAN] = real_of(exact_mean(&input->x, finite));
    figures[METRIC_INPUT_RMS] = real_of(exact_root_mean(&input->x2, finite));
}

static void extreme_figures(const struct extreme *extreme, struct value *value, struct value *at,
                            struct value *input)
{
    *value = real_of(extreme->high);
    if (extreme->high == 0)
        return;
    *at = (struct value){.kind = VALUE_INDEX, .count = extreme->position};
    *input = real_of(extreme->input);
}

static void error_figures(const struct cast_measure *cast, struct value *f)
{
    f[METRIC_ERROR_COUNT] = count_of(cast->count);
    if (!cast->count)
        return;
    f[METRIC_ERROR_MEAN] = real_of(exact_mean(&cast->e, cast->count));
    f[METRIC_ERROR_MEAN_ABS] = real_of(exact_mean(&cast->abs_e, cast->count));
    f[METRIC_ERROR_RMS] = real_of(exact_root_mean(&cast->e2, cast->count));
    extreme_figures(&cast->max_abs, &f[METRIC_ERROR_MAX_ABS], &f[METRIC_ERROR_MAX_ABS_AT],
                    &f[METRIC_ERROR_MAX_ABS_INPUT]);
    extreme_figures(&cast->max_rel, &f[METRIC_ERROR_MAX_REL], &f[METRIC_ERROR_MAX_REL_AT],
                    &f[METRIC_ERROR_MAX_REL_INPUT]);
    bool lossless = exact_is_zero(&cast->e2);
    f[METRIC_ERROR_SQNR_DB] = real_of(lossless ? INFINITY : exact_decibel(&cast->x2, &cast->e2));
    f[METRIC_ERROR_REL_L2] = real_of(lossless ? 0 : exact_root_ratio(&cast->e2, &cast->x2));
}

static void cast_figures(const struct cast_measure *measure, struct report_cast *cast)
{
    static const enum metric classes[CLASS_COUNT] = {[CLASS_NAN] = METRIC_NAN,
                                                     [CLASS_INF] = METRIC_INF,
                                                     [CLASS_ZERO] = METRIC_ZERO,
                                                     [CLASS_OVERFLOW] = METRIC_OVERFLOW,
                                                     [CLASS_UNDERFLOW] = METRIC_UNDERFLOW,
                                                     [CLASS_SUBNORMAL] = METRIC_SUBNORMAL,
                                                     [CLASS_NORMAL] = METRIC_NORMAL};
    for (int c = 0; c < CLASS_COUNT; c++)
        cast->figures[classes[c]] = count_of(measure->classes[c]);
    cast->figures[METRIC_EXACT] = count_of(measure->exact);
    error_figures(measure, cast->figures);
    cast->relative_exact = measure->relative_exact;
    cast->relative_error = trim(measure->relative, RELATIVE_BINS, RELATIVE_FIRST);
    cast->sum_e = exact_hex(&measure->e);
    cast->sum_abs_e = exact_hex(&measure->abs_e);
    cast->sum_e2 = exact_hex(&measure->e2);
    cast->sum_x2 = exact_hex(&measure->x2);
}

static void add_movement(const struct tally *tally, size_t c, struct report_cast *cast)
{
    if (tally->updates)
        movement_figures(&tally->plan, cast->cast, &tally->updates[c],
                         tally->steps ? &tally->steps[c] : NULL, cast->figures);
}

static uint64_t count_below(const uint64_t *exponents, int exponent)
{
    int bins = exponent - EXPONENT_FIRST;
    return bins <= 0 ? 0
                     : total_of(exponents, (size_t)(bins < EXPONENT_BINS ? bins : EXPONENT_BINS));
}

static int clamp(int value, int low, int high)
{
    return value < low ? low : value > high ? high : value;
}

/* At the largest scale without overflow the fewest elements are below the normal range; smaller
 * scales are as good while the next exponent that occurs stays in it. */
static void fit(const struct input_measure *input, struct report_cast *cast)
{
    cast->below = count_below(input->exponents, cast_emin(cast->cast));
    if (input->max_abs == 0)
        return;
    int emin = cast->cast->format.emin;
    int most = scale_without_overflow(cast->cast, input->max_abs, -input->max_abs);
    int next = emin - most < EXPONENT_FIRST ? EXPONENT_FIRST : emin - most;
    while (!input->exponents[next - EXPONENT_FIRST])
        next++;
    cast->has_fit = true;
    cast->fit_scale = clamp(clamp(0, emin - next, most), -SCALE_LIMIT, SCALE_LIMIT);
    cast->fit_below = count_below(input->exponents, emin - cast->fit_scale);
}

struct report_figures *report_figures_new(const struct tally *tally, struct cast *bound)
{
    struct report_figures *figures = allocate(1, sizeof *figures);
    input_figures(&tally->input, figures->input);
    figures->exponents = trim(tally->input.exponents, EXPONENT_BINS, EXPONENT_FIRST);
    if (figures->input[METRIC_INPUT_MAX_ABS].kind != VALUE_NULL)
        figures->sum = exact_hex(&tally->input.x);
    figures->bound = bound;
    figures->casts = allocate(tally->cast_count, sizeof *figures->casts);
    for (size_t c = 0; c < tally->cast_count; c++) {
        struct report_cast *cast = &figures->casts[c];
        cast->cast = &bound[c];
        cast->scale = cast->cast->scale;
        cast_figures(&tally->casts[c], cast);
        add_movement(tally, c, cast);
        fit(&tally->input, cast);
    }
    return figures;
}

struct total {
    struct tally *tally;
    uint64_t elements;
    /* One of each a cast: the tensor that holds the extreme, and the scale so far. */
    size_t *max_abs_tensor, *max_rel_tensor;
    int *scale;
    bool *scale_varies;
    size_t tensors;
};

struct total *total_new(size_t cast_count, const struct update_plan *plan)
{
    struct total *total = allocate(1, sizeof *total);
    total->tally = tally_new(cast_count, plan);
    total->max_abs_tensor = allocate(cast_count, sizeof *total->max_abs_tensor);
    total->max_rel_tensor = allocate(cast_count, sizeof *total->max_rel_tensor);
    total->scale = allocate(cast_count, sizeof *total->scale);
    total->scale_varies = allocate(cast_count, sizeof *total->scale_varies);
    return total;
}

void total_free(struct total *total)
{
    if (!total)
        return;
    tally_free(total->tally);
    free(total->max_abs_tensor);
    free(total->max_rel_tensor);
    free(total->scale);
    free(total->scale_varies);
    free(total);
}

/* By (name, file), as bytes. */
static bool comes_before(const struct report_tensor *a, const struct report_tensor *b)
{
    int order = strcmp(a->tensor.name, b->tensor.name);
    return order ? order < 0 : strcmp(a->file, b->file) < 0;
}

/* Of equal extremes the least (name, file) holds it. */
static void total_extreme(struct extreme *best, size_t *holder, const struct extreme *extreme,
                          const struct report_tensor *tensors, size_t index)
{
    bool larger =
        extreme->high > best->high || (extreme->high == best->high && extreme->low > best->low);
    bool equal = extreme->high == best->high && extreme->low == best->low;
    if (extreme->high == 0 ||
        !(larger || (equal && comes_before(&tensors[index], &tensors[*holder]))))
        return;
    *best = *extreme;
    *holder = index;
}

/* A cast of one tensor, or of several whose largest errors are in these. */
static void add_cast(struct total *total, const struct report *report, size_t c,
                     const struct cast_measure *from, size_t max_abs_tensor, size_t max_rel_tensor)
{
    struct cast_measure *into = &total->tally->casts[c];
    struct extreme max_abs = into->max_abs, max_rel = into->max_rel;
    total_extreme(&max_abs, &total->max_abs_tensor[c], &from->max_abs, report->tensors,
                  max_abs_tensor);
    total_extreme(&max_rel, &total->max_rel_tensor[c], &from->max_rel, report->tensors,
                  max_rel_tensor);
    tally_merge_cast(into, from);
    into->max_abs = max_abs;
    into->max_rel = max_rel;
}

/* The rest of tensors that were added: `tensors` of them, not none. */
static void add_tensors(struct total *total, const struct tally *tally, uint64_t elements,
                        size_t tensors)
{
    total->elements += elements;
    tally_merge_input(&total->tally->input, &tally->input);
    tally_merge_updates(total->tally, tally);
    if (total->tensors == 0)
        total->tally->plan.sample = tally->plan.sample;
    else if (total->tally->plan.sample != tally->plan.sample)
        total->tally->plan.sample = 0; /* they differ: null */
    total->tensors += tensors;
}

static void note_scale(struct total *total, size_t c, int scale)
{
    total->scale_varies[c] |= total->tensors > 0 && scale != total->scale[c];
    total->scale[c] = scale;
}

void total_add(struct total *total, const struct report *report, size_t index,
               const struct cast *bound, const struct tally *tally)
{
    for (size_t c = 0; c < tally->cast_count; c++) {
        add_cast(total, report, c, &tally->casts[c], index, index);
        note_scale(total, c, bound[c].scale);
    }
    add_tensors(total, tally, report->tensors[index].tensor.elements, 1);
}

void total_merge(struct total *total, const struct report *report, const struct total *from)
{
    if (from->tensors == 0)
        return;
    for (size_t c = 0; c < from->tally->cast_count; c++) {
        add_cast(total, report, c, &from->tally->casts[c], from->max_abs_tensor[c],
                 from->max_rel_tensor[c]);
        note_scale(total, c, from->scale[c]);
        total->scale_varies[c] |= from->scale_varies[c];
    }
    add_tensors(total, from->tally, from->elements, from->tensors);
}

void total_moved(struct total *total, size_t from, size_t to)
{
    for (size_t c = 0; c < total->tally->cast_count; c++) {
        if (total->max_abs_tensor[c] == from)
            total->max_abs_tensor[c] = to;
        if (total->max_rel_tensor[c] == from)
            total->max_rel_tensor[c] = to;
    }
}

void report_total_figures(struct report *report, const struct total *total)
{
    report->total_elements = total->elements;
    input_figures(&total->tally->input, report->total.input);
    report->total.exponents = trim(total->tally->input.exponents, EXPONENT_BINS, EXPONENT_FIRST);
    report->total.casts = allocate(report->cast_count, sizeof *report->total.casts);
    for (size_t c = 0; c < report->cast_count; c++) {
        struct report_cast *cast = &report->total.casts[c];
        cast->cast = &report->casts[c];
        cast->scale = total->scale[c];
        cast->scale_varies = total->scale_varies[c];
        cast_figures(&total->tally->casts[c], cast);
        add_movement(total->tally, c, cast);
        if (!cast->scale_varies) {
            report->casts[c].scale = cast->scale;
            fit(&total->tally->input, cast);
        }
        if (report->tensor_count) {
            cast->max_abs_tensor = &report->tensors[total->max_abs_tensor[c]];
            cast->max_rel_tensor = &report->tensors[total->max_rel_tensor[c]];
        }
    }
}
