#include "sample_report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

enum { BIN_FIRST = -1100, BIN_COUNT = 2200 };

uint64_t sample_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

double *sample_normal(uint64_t seed, size_t count, double sigma)
{
    double *values = allocate(count, sizeof *values);
    for (size_t i = 0; i < count; i++) {
        double u = ldexp((double)(sample_random(&seed) >> 11) + 1, -53);
        double v = ldexp((double)(sample_random(&seed) >> 11), -53);
        values[i] = (float)(sigma * sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v));
    }
    return values;
}

/* Sums, extremes and histograms of one cast or of the input, over one tensor or all. */
struct sums {
    uint64_t classes[METRIC_COUNT];
    uint64_t count, exact, relative_exact;
    double e, abs_e, e2, x, x2, min_abs, max_abs_x;
    struct {
        double error, input;
        const struct report_tensor *tensor;
        uint64_t position;
    } abs, rel;
    uint64_t exponents[BIN_COUNT], relative[BIN_COUNT];
};

static struct value count_of(uint64_t count)
{
    return (struct value){.kind = VALUE_COUNT, .count = count};
}

static struct value real_of(double real)
{
    return (struct value){.kind = VALUE_REAL, .real = real};
}

static struct histogram trim(const uint64_t *bins)
{
    int low = 0, high = BIN_COUNT;
    while (low < high && !bins[low])
        low++;
    while (high > low && !bins[high - 1])
        high--;
    struct histogram histogram = {.first = low < high ? BIN_FIRST + low : 0,
                                  .length = (size_t)(high - low)};
    histogram.counts = allocate(histogram.length, sizeof *bins);
    memcpy(histogram.counts, bins + low, histogram.length * sizeof *bins);
    return histogram;
}

static char *hex(double value)
{
    char text[64];
    snprintf(text, sizeof text, "%a", value);
    return copy_string(text);
}

static double cast_value(const struct format *format, int scale, double x, enum metric *class)
{
    double scaled = ldexp(x, scale);
    int exponent = scaled == 0 ? 0 : ilogb(scaled);
    exponent = exponent < format->emin ? format->emin : exponent;
    double quantum = ldexp(1, exponent - format->precision + 1);
    double q = nearbyint(scaled / quantum) * quantum;
    *class = METRIC_NORMAL;
    if (x == 0)
        *class = METRIC_ZERO;
    else if (fabs(q) > format_max(format))
        *class = METRIC_OVERFLOW;
    else if (q == 0)
        *class = METRIC_UNDERFLOW;
    else if (fabs(q) < format_min_normal(format))
        *class = METRIC_SUBNORMAL;
    return ldexp(q, -scale);
}

static void add_input(struct sums *sums, double x)
{
    if (!isfinite(x)) {
        sums->classes[isnan(x) ? METRIC_INPUT_NAN : METRIC_INPUT_INF]++;
        return;
    }
    sums->count++;
    sums->x += x;
    sums->x2 += x * x;
    if (x == 0) {
        sums->classes[METRIC_INPUT_ZERO]++;
        return;
    }
    sums->exponents[ilogb(x) - BIN_FIRST]++;
    sums->min_abs = sums->min_abs == 0 || fabs(x) < sums->min_abs ? fabs(x) : sums->min_abs;
    sums->max_abs_x = fmax(sums->max_abs_x, fabs(x));
}

static void add_element(struct sums *sums, const struct format *format, int scale,
                        const struct report_tensor *tensor, uint64_t position, double x)
{
    if (!isfinite(x)) {
        sums->classes[isnan(x) ? METRIC_NAN : METRIC_INF]++;
        return;
    }
    enum metric class;
    double q = cast_value(format, scale, x, &class);
    sums->classes[class]++;
    if (class == METRIC_OVERFLOW && format->specials == SPECIALS_FINITE)
        q = copysign(ldexp(format_max(format), -scale), x);
    else if (class == METRIC_OVERFLOW)
        return;
    double e = q - x, relative = x == 0 ? 0 : fabs(e / x);
    sums->count++;
    sums->exact += e == 0;
    sums->e += e;
    sums->abs_e += fabs(e);
    sums->e2 += e * e;
    sums->x2 += x * x;
    if (x != 0 && e == 0)
        sums->relative_exact++;
    else if (x != 0)
        sums->relative[ilogb(relative) - BIN_FIRST]++;
    if (fabs(e) > sums->abs.error) {
        sums->abs.error = fabs(e);
        sums->abs.input = x;
        sums->abs.tensor = tensor;
        sums->abs.position = position;
    }
    if (relative > sums->rel.error) {
        sums->rel.error = relative;
        sums->rel.input = x;
        sums->rel.tensor = tensor;
        sums->rel.position = position;
    }
}

static void input_figures(const struct sums *sums, struct value *figures)
{
    for (int i = METRIC_INPUT_NAN; i <= METRIC_INPUT_ZERO; i++)
        figures[i] = count_of(sums->classes[i]);
    if (sums->count == 0)
        return;
    if (sums->max_abs_x > 0)
        figures[METRIC_INPUT_MIN_ABS] = real_of(sums->min_abs);
    figures[METRIC_INPUT_MAX_ABS] = real_of(sums->max_abs_x);
    figures[METRIC_INPUT_MEAN] = real_of(sums->x / (double)sums->count);
    figures[METRIC_INPUT_RMS] = real_of(sqrt(sums->x2 / (double)sums->count));
}

static void error_figures(const struct sums *sums, struct value *figures)
{
    double n = (double)sums->count;
    figures[METRIC_ERROR_COUNT] = count_of(sums->count);
    if (sums->count == 0)
        return;
    figures[METRIC_ERROR_MEAN] = real_of(sums->e / n);
    figures[METRIC_ERROR_MEAN_ABS] = real_of(sums->abs_e / n);
    figures[METRIC_ERROR_RMS] = real_of(sqrt(sums->e2 / n));
    figures[METRIC_ERROR_MAX_ABS] = real_of(sums->abs.error);
    figures[METRIC_ERROR_MAX_REL] = real_of(sums->rel.error);
    figures[METRIC_ERROR_SQNR_DB] =
        real_of(sums->e2 == 0 ? INFINITY : 10 * log10(sums->x2 / sums->e2));
    figures[METRIC_ERROR_REL_L2] = real_of(sums->e2 == 0 ? 0 : sqrt(sums->e2 / sums->x2));
    if (sums->e2 == 0)
        return;
    figures[METRIC_ERROR_MAX_ABS_AT] = (struct value){VALUE_INDEX, {sums->abs.position}};
    figures[METRIC_ERROR_MAX_ABS_INPUT] = real_of(sums->abs.input);
    figures[METRIC_ERROR_MAX_REL_AT] = (struct value){VALUE_INDEX, {sums->rel.position}};
    figures[METRIC_ERROR_MAX_REL_INPUT] = real_of(sums->rel.input);
}

static uint64_t count_below(const struct sums *input, int exponent)
{
    uint64_t count = 0;
    for (int k = BIN_FIRST; k < exponent && k < BIN_FIRST + BIN_COUNT; k++)
        count += input->exponents[k - BIN_FIRST];
    return count;
}

static void fit(struct report_cast *cast, const struct sums *input)
{
    const struct format *format = &cast->cast->format;
    cast->below = count_below(input, format->emin - cast->scale);
    if (input->max_abs_x == 0)
        return;
    enum metric class = METRIC_OVERFLOW;
    int scale = format->emax - ilogb(input->max_abs_x) + 1;
    while (cast_value(format, scale, input->max_abs_x, &class), class == METRIC_OVERFLOW)
        scale--;
    cast->has_fit = true;
    cast->fit_below = count_below(input, format->emin - scale);
    while (scale > 0 && count_below(input, format->emin - scale + 1) == cast->fit_below)
        scale--;
    cast->fit_scale = scale;
}

static void cast_figures(struct report_cast *cast, const struct sums *sums,
                         const struct sums *input)
{
    for (int i = METRIC_NAN; i <= METRIC_NORMAL; i++)
        cast->figures[i] = count_of(sums->classes[i]);
    cast->figures[METRIC_EXACT] = count_of(sums->exact);
    error_figures(sums, cast->figures);
    cast->relative_exact = sums->relative_exact;
    cast->relative_error = trim(sums->relative);
    cast->sum_e = hex(sums->e);
    cast->sum_abs_e = hex(sums->abs_e);
    cast->sum_e2 = hex(sums->e2);
    cast->sum_x2 = hex(sums->x2);
    cast->max_abs_tensor = sums->abs.tensor;
    cast->max_rel_tensor = sums->rel.tensor;
    fit(cast, input);
}

/* Tensors `from` .. `to - 1` as one. */
static struct report_cast measure(const struct cast *cast, const struct report *report,
                                  const struct sample_tensor *tensors, size_t from, size_t to)
{
    struct report_cast result = {.cast = cast, .scale = cast->scale};
    struct sums *sums = allocate(2, sizeof *sums);
    for (size_t t = from; t < to; t++)
        for (uint64_t i = 0; i < report->tensors[t].tensor.elements; i++) {
            add_input(&sums[0], tensors[t].values[i]);
            add_element(&sums[1], &cast->format, cast->scale, &report->tensors[t], i,
                        tensors[t].values[i]);
        }
    cast_figures(&result, &sums[1], &sums[0]);
    free(sums);
    return result;
}

static void measure_input(const struct report *report, const struct sample_tensor *tensors,
                          size_t from, size_t to, struct value *figures,
                          struct histogram *exponents, char **sum)
{
    struct sums *sums = allocate(1, sizeof *sums);
    for (size_t t = from; t < to; t++)
        for (uint64_t i = 0; i < report->tensors[t].tensor.elements; i++)
            add_input(sums, tensors[t].values[i]);
    input_figures(sums, figures);
    *exponents = trim(sums->exponents);
    if (sum && sums->count)
        *sum = hex(sums->x);
    free(sums);
}

static void add_format(struct report *report, const char *name, size_t length, int scale)
{
    struct error error;
    struct cast *cast = &report->casts[report->cast_count++];
    *cast = (struct cast){.scale = scale};
    if (!format_find(name, length, &cast->format, &error)) {
        fprintf(stderr, "%s\n", error.text);
        abort();
    }
}

static void describe(struct report_tensor *tensor, const struct sample_tensor *sample)
{
    struct error error;
    tensor->file = sample->file;
    tensor->tensor.name = copy_string(sample->name);
    tensor->tensor.rank = sample->rank;
    tensor->tensor.elements = 1;
    tensor->tensor.shape = allocate(RANK_LIMIT, sizeof *tensor->tensor.shape);
    for (unsigned i = 0; i < sample->rank; i++) {
        tensor->tensor.shape[i] = sample->shape[i];
        tensor->tensor.elements *= sample->shape[i];
    }
    if (!dtype_find("f32", 3, &tensor->tensor.dtype, &error))
        abort();
}

struct report sample_report(const char *formats, int scale, const struct sample_tensor *tensors,
                            size_t count)
{
    struct report report = {.version = "0.1.0", .tensor_count = count};
    report.casts = allocate(strlen(formats) + 1, sizeof *report.casts);
    for (const char *at = formats; *at;) {
        size_t length = strcspn(at, ",");
        add_format(&report, at, length, scale);
        at += length + (at[length] == ',');
    }
    report.tensors = allocate(count, sizeof *report.tensors);
    for (size_t t = 0; t < count; t++)
        describe(&report.tensors[t], &tensors[t]);
    for (size_t t = 0; t < count; t++) {
        struct report_tensor *tensor = &report.tensors[t];
        report.total_elements += tensor->tensor.elements;
        struct report_figures *figures = tensor->figures = allocate(1, sizeof *tensor->figures);
        measure_input(&report, tensors, t, t + 1, figures->input, &figures->exponents,
                      &figures->sum);
        figures->casts = allocate(report.cast_count, sizeof *figures->casts);
        for (size_t c = 0; c < report.cast_count; c++)
            figures->casts[c] = measure(&report.casts[c], &report, tensors, t, t + 1);
    }
    measure_input(&report, tensors, 0, count, report.total.input, &report.total.exponents, NULL);
    report.total.casts = allocate(report.cast_count, sizeof *report.total.casts);
    for (size_t c = 0; c < report.cast_count; c++)
        report.total.casts[c] = measure(&report.casts[c], &report, tensors, 0, count);
    return report;
}

/* What comes of updates to the elements of one cast. */
struct movement {
    uint64_t count, overflow, lost, frozen, master_frozen;
    double du, d2, u2, error2, master_error2;
    double *thresholds; /* `count` of them */
};

/* The least update that moves q: half the way to the next number. */
static double threshold(const struct cast *cast, double q)
{
    int emin = cast_emin(cast), exponent = q == 0 ? emin : ilogb(q);
    return ldexp(1, (exponent < emin ? emin : exponent) - cast->format.precision);
}

static void add_steps(struct movement *m, const struct cast *cast, double q, double update,
                      uint64_t steps)
{
    enum metric class;
    double wanted = (double)steps * update, end = q;
    for (uint64_t i = 0; i < steps; i++)
        end = cast_value(&cast->format, cast->scale, end + update, &class);
    double master = cast_value(&cast->format, cast->scale, q + wanted, &class);
    m->frozen += end == q;
    m->master_frozen += master == q;
    m->error2 += (end - q - wanted) * (end - q - wanted);
    m->master_error2 += (master - q - wanted) * (master - q - wanted);
}

static void add_update(struct movement *m, const struct cast *cast, double x, double update,
                       uint64_t steps)
{
    enum metric class;
    double q = cast_value(&cast->format, cast->scale, x, &class);
    if (!isfinite(x) || class == METRIC_OVERFLOW || update == 0)
        return;
    double r = cast_value(&cast->format, cast->scale, q + update, &class), d = r - q;
    m->thresholds[m->count++] = threshold(cast, q);
    m->u2 += update * update;
    m->overflow += class == METRIC_OVERFLOW;
    m->lost += r == q;
    if (class != METRIC_OVERFLOW) {
        m->du += d * update;
        m->d2 += d * d;
    }
    add_steps(m, cast, q, update, steps);
}

static struct value rate_of(uint64_t part, uint64_t all)
{
    return all ? real_of((double)part / (double)all) : (struct value){VALUE_NULL, {0}};
}

static struct value root_of(double numerator, double denominator)
{
    return denominator > 0 ? real_of(sqrt(numerator / denominator))
                           : (struct value){VALUE_NULL, {0}};
}

/* The figures that updates and averages share, in the order of the metric table. */
static void movement_figures(const struct movement *m, struct value *f)
{
    f[0] = count_of(m->count);
    f[1] = count_of(m->overflow);
    f[2] = count_of(m->lost);
    f[3] = rate_of(m->lost, m->count);
    if (m->u2 > 0) {
        f[4] = real_of(m->du / m->u2);
        f[5] = real_of(m->du / sqrt(m->u2));
    }
    f[6] = root_of(m->d2, m->u2);
}

static int compare_reals(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void threshold_figures(const struct movement *m, struct value *figures)
{
    static const uint64_t percents[] = {50, 90, 99, 100};
    if (m->count == 0)
        return;
    qsort(m->thresholds, m->count, sizeof *m->thresholds, compare_reals);
    for (int i = 0; i < 4; i++)
        figures[METRIC_UPDATE_P50 + i] =
            real_of(m->thresholds[(m->count * percents[i] + 99) / 100 - 1]);
}

/* All remedies do as well as the master copy. */
static void steps_figures(const struct movement *m, uint64_t steps, struct value *figures)
{
    static const enum metric remedies[] = {METRIC_STEPS_STOCHASTIC_FROZEN,
                                           METRIC_STEPS_KAHAN_FROZEN, METRIC_STEPS_MASTER_FROZEN};
    double wanted2 = m->u2 * (double)steps * (double)steps;
    figures[METRIC_STEPS_STEPS] = count_of(steps);
    figures[METRIC_STEPS_SAMPLED] = count_of(1);
    figures[METRIC_STEPS_FROZEN] = count_of(m->frozen);
    figures[METRIC_STEPS_FROZEN_RATE] = rate_of(m->frozen, m->count);
    figures[METRIC_STEPS_MOVEMENT_ERROR] = root_of(m->error2, wanted2);
    for (size_t r = 0; r < sizeof remedies / sizeof *remedies; r++) {
        figures[remedies[r]] = count_of(m->master_frozen);
        figures[remedies[r] + 1] = rate_of(m->master_frozen, m->count);
        figures[remedies[r] + 2] = root_of(m->master_error2, wanted2);
    }
}

/* Tensors `from` .. `to - 1` as one; the updates are `update`, less (1 - beta) times the element
 * where that is a moving average's. */
static void move(const struct report *report, const struct sample_tensor *tensors, size_t from,
                 size_t to, struct report_cast *cast, double update, double beta)
{
    struct movement m = {.thresholds = allocate(report->total_elements + 1, sizeof(double))};
    uint64_t steps = report->settings.steps;
    bool averages = report->has_group[GROUP_EMA];
    for (size_t t = from; t < to; t++)
        for (uint64_t i = 0; i < report->tensors[t].tensor.elements; i++) {
            double x = tensors[t].values[i];
            add_update(&m, cast->cast, x, averages ? (beta - 1) * x : update, steps);
        }
    movement_figures(&m, cast->figures + (averages ? METRIC_EMA_COUNT : METRIC_UPDATE_COUNT));
    if (!averages)
        threshold_figures(&m, cast->figures);
    if (steps)
        steps_figures(&m, steps, cast->figures);
    free(m.thresholds);
}

static void move_all(struct report *report, const struct sample_tensor *tensors, double update,
                     double beta)
{
    for (size_t c = 0; c < report->cast_count; c++) {
        for (size_t t = 0; t < report->tensor_count; t++)
            move(report, tensors, t, t + 1, &report->tensors[t].figures->casts[c], update, beta);
        move(report, tensors, 0, report->tensor_count, &report->total.casts[c], update, beta);
    }
}

void sample_updates(struct report *report, const struct sample_tensor *tensors, double update,
                    const char *text, uint64_t steps)
{
    report->has_group[GROUP_UPDATE] = true;
    report->has_group[GROUP_STEPS] = steps > 0;
    report->settings.update = text;
    report->settings.constant_update = update;
    report->settings.steps = steps;
    move_all(report, tensors, update, 0);
}

void sample_averages(struct report *report, const struct sample_tensor *tensors, double beta,
                     const char *text)
{
    report->has_group[GROUP_EMA] = true;
    report->settings.ema = text;
    move_all(report, tensors, 0, beta);
}

void sample_advice(struct report *report, const char *code, const char *text)
{
    report->advice = reallocate(report->advice, report->advice_count + 1, sizeof *report->advice);
    report->advice[report->advice_count++] = (struct report_advice){code, copy_string(text)};
}

void sample_gates(struct report *report, const char *rule)
{
    report->gates = allocate(report->tensor_count * report->cast_count, sizeof *report->gates);
    report->has_verdict = true;
    report->pass = true;
    for (size_t t = 0; t < report->tensor_count; t++)
        for (size_t c = 0; c < report->cast_count; c++) {
            const struct report_cast *cast = &report->tensors[t].figures->casts[c];
            const struct value value = cast->figures[METRIC_OVERFLOW];
            report->gates[report->gate_count++] =
                (struct report_gate){rule, &report->tensors[t], c, value, value.count == 0,
                                     GATE_ERROR};
            report->pass = report->pass && value.count == 0;
        }
}

void sample_skip(struct report *report, const char *file, const char *name)
{
    report->skipped =
        reallocate(report->skipped, report->skipped_count + 1, sizeof *report->skipped);
    struct report_skipped *skipped = &report->skipped[report->skipped_count++];
    *skipped =
        (struct report_skipped){.file = file, .skipped.reason = copy_string("not floating point")};
    skipped->skipped.name = copy_string(name);
    snprintf(skipped->skipped.dtype, sizeof skipped->skipped.dtype, "i64");
}
