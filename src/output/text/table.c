/* The figures of the formats, side by side. */
#include "output/text/text.h"

#include <stdio.h>
#include <string.h>

#include "output/escape.h"
#include "output/number.h"

enum {
    LABEL_WIDTH = 22,
    GAP = 2,
    MAIN_LEAST = 8,
    MAIN_MOST = 24,
    SHARE_WIDTH = 9,
    SUM_LABEL_WIDTH = 15
};

/* The parts of the table, in order; in each the figures are in the order of the report. */
enum part {
    PART_NONE, /* of figures that are not shown */
    PART_ELEMENTS,
    PART_ERROR,
    PART_UPDATES,
    PART_THRESHOLDS,
    PART_AVERAGES,
    PART_FROZEN_ELEMENTS,
    PART_FROZEN,
    PART_MOVEMENT,
    PART_COUNT
};

static const struct part_heading {
    const char *text;
    bool of_steps; /* their number follows */
} part_headings[PART_COUNT] = {
    [PART_ELEMENTS] = {"elements", false},
    [PART_ERROR] = {"error", false},
    [PART_UPDATES] = {"updates", false},
    [PART_THRESHOLDS] = {"any update above this moves", false},
    [PART_AVERAGES] = {"moving averages", false},
    [PART_FROZEN_ELEMENTS] = {"elements frozen after", true},
    [PART_FROZEN] = {"share frozen after", true},
    [PART_MOVEMENT] = {"error of the movement after", true},
};

enum {
    IF_ANY = 1,  /* left out where it is zero or missing for every format */
    VERBOSE = 2, /* left out unless all figures are asked for */
    POWER = 4,   /* powers of two as such */
    SHARE = 8,   /* in percent; a loss */
    DECIBELS = 16
};

/* How a figure is shown; one without a label goes by its name in the report. */
struct presentation {
    enum part part;
    const char *label;
    unsigned how;
    enum ink nonzero;
};

static const struct presentation presentations[METRIC_COUNT] = {
    [METRIC_NAN] = {PART_ELEMENTS, "NaN", IF_ANY, INK_WARN},
    [METRIC_INF] = {PART_ELEMENTS, "infinite", IF_ANY, INK_WARN},
    [METRIC_ZERO] = {PART_ELEMENTS, "zero", IF_ANY, INK_PLAIN},
    [METRIC_OVERFLOW] = {PART_ELEMENTS, "overflow", 0, INK_BAD},
    [METRIC_UNDERFLOW] = {PART_ELEMENTS, "underflow to zero", 0, INK_BAD},
    [METRIC_SUBNORMAL] = {PART_ELEMENTS, "subnormal", 0, INK_WARN},
    [METRIC_NORMAL] = {PART_ELEMENTS, "normal", 0, INK_PLAIN},
    [METRIC_EXACT] = {PART_ELEMENTS, "without any error", 0, INK_PLAIN},
    [METRIC_ERROR_COUNT] = {PART_ERROR, "elements compared", VERBOSE, INK_PLAIN},
    [METRIC_ERROR_MEAN] = {PART_ERROR, "mean (bias)", 0, INK_PLAIN},
    [METRIC_ERROR_MEAN_ABS] = {PART_ERROR, "mean magnitude", 0, INK_PLAIN},
    [METRIC_ERROR_RMS] = {PART_ERROR, "root mean square", 0, INK_PLAIN},
    [METRIC_ERROR_MAX_ABS] = {PART_ERROR, "largest", 0, INK_PLAIN},
    [METRIC_ERROR_MAX_ABS_AT] = {PART_ERROR, "  at", VERBOSE, INK_PLAIN},
    [METRIC_ERROR_MAX_ABS_INPUT] = {PART_ERROR, "  of the value", VERBOSE, INK_PLAIN},
    [METRIC_ERROR_MAX_REL] = {PART_ERROR, "largest relative", 0, INK_PLAIN},
    [METRIC_ERROR_MAX_REL_AT] = {PART_ERROR, "  at", VERBOSE, INK_PLAIN},
    [METRIC_ERROR_MAX_REL_INPUT] = {PART_ERROR, "  of the value", VERBOSE, INK_PLAIN},
    [METRIC_ERROR_SQNR_DB] = {PART_ERROR, "SQNR, dB", DECIBELS, INK_PLAIN},
    [METRIC_ERROR_REL_L2] = {PART_ERROR, "relative, L2 norm", 0, INK_PLAIN},
    [METRIC_UPDATE_COUNT] = {PART_UPDATES, "updates compared", 0, INK_PLAIN},
    [METRIC_UPDATE_OVERFLOW] = {PART_UPDATES, "overflow", 0, INK_BAD},
    [METRIC_UPDATE_LOST] = {PART_UPDATES, "vanish", 0, INK_PLAIN},
    [METRIC_UPDATE_LOST_RATE] = {PART_UPDATES, "share that vanishes", SHARE, INK_PLAIN},
    [METRIC_UPDATE_EFFECTIVE_RATIO] = {PART_UPDATES, "effective ratio", 0, INK_PLAIN},
    [METRIC_UPDATE_EDQ] = {PART_UPDATES, "EDQ", VERBOSE, INK_PLAIN},
    [METRIC_UPDATE_NORM_RATIO] = {PART_UPDATES, "movement over update", 0, INK_PLAIN},
    [METRIC_UPDATE_P50] = {PART_THRESHOLDS, "50 % of the weights", IF_ANY | POWER, INK_PLAIN},
    [METRIC_UPDATE_P90] = {PART_THRESHOLDS, "90 % of the weights", IF_ANY | POWER, INK_PLAIN},
    [METRIC_UPDATE_P99] = {PART_THRESHOLDS, "99 % of the weights", IF_ANY | POWER, INK_PLAIN},
    [METRIC_UPDATE_P100] = {PART_THRESHOLDS, "100 % of the weights", IF_ANY | POWER, INK_PLAIN},
    [METRIC_EMA_COUNT] = {PART_AVERAGES, "averages compared", 0, INK_PLAIN},
    [METRIC_EMA_OVERFLOW] = {PART_AVERAGES, "overflow", 0, INK_BAD},
    [METRIC_EMA_LOST] = {PART_AVERAGES, "stuck", 0, INK_PLAIN},
    [METRIC_EMA_LOST_RATE] = {PART_AVERAGES, "share that is stuck", SHARE, INK_PLAIN},
    [METRIC_EMA_EFFECTIVE_RATIO] = {PART_AVERAGES, "effective ratio", 0, INK_PLAIN},
    [METRIC_EMA_EDQ] = {PART_AVERAGES, "EDQ", VERBOSE, INK_PLAIN},
    [METRIC_EMA_NORM_RATIO] = {PART_AVERAGES, "movement over update", 0, INK_PLAIN},
    [METRIC_STEPS_FROZEN] = {PART_FROZEN_ELEMENTS, "as it is", VERBOSE, INK_PLAIN},
    [METRIC_STEPS_FROZEN_RATE] = {PART_FROZEN, "as it is", SHARE, INK_PLAIN},
    [METRIC_STEPS_MOVEMENT_ERROR] = {PART_MOVEMENT, "as it is", 0, INK_PLAIN},
    [METRIC_STEPS_STOCHASTIC_FROZEN] = {PART_FROZEN_ELEMENTS, "stochastic rounding", VERBOSE,
                                        INK_PLAIN},
    [METRIC_STEPS_STOCHASTIC_FROZEN_RATE] = {PART_FROZEN, "stochastic rounding", SHARE, INK_PLAIN},
    [METRIC_STEPS_STOCHASTIC_MOVEMENT_ERROR] = {PART_MOVEMENT, "stochastic rounding", 0, INK_PLAIN},
    [METRIC_STEPS_KAHAN_FROZEN] = {PART_FROZEN_ELEMENTS, "Kahan summation", VERBOSE, INK_PLAIN},
    [METRIC_STEPS_KAHAN_FROZEN_RATE] = {PART_FROZEN, "Kahan summation", SHARE, INK_PLAIN},
    [METRIC_STEPS_KAHAN_MOVEMENT_ERROR] = {PART_MOVEMENT, "Kahan summation", 0, INK_PLAIN},
    [METRIC_STEPS_MASTER_FROZEN] = {PART_FROZEN_ELEMENTS, "fp32 master copy", VERBOSE, INK_PLAIN},
    [METRIC_STEPS_MASTER_FROZEN_RATE] = {PART_FROZEN, "fp32 master copy", SHARE, INK_PLAIN},
    [METRIC_STEPS_MASTER_MOVEMENT_ERROR] = {PART_MOVEMENT, "fp32 master copy", 0, INK_PLAIN},
};

struct table {
    struct page *page;
    const struct subject *subject;
    bool shares;
    int main_width;        /* of a figure, without its share */
    int after[PART_COUNT]; /* of that, from the decimal point on, where points are aligned */
    size_t first, end;     /* the formats of this table */
};

static void add_real(struct buffer *out, double real, unsigned how)
{
    if (how & SHARE)
        text_rate(out, real);
    else if (how & POWER)
        number_power(out, real);
    else if (how & DECIBELS)
        number_decibels(out, real);
    else
        number_human(out, real);
}

static void add_figure(const struct table *table, const struct report_cast *cast,
                       enum metric metric, struct buffer *out)
{
    const struct report_tensor *tensor = table->subject->tensor;
    const struct value *value = &cast->figures[metric];
    switch (value->kind) {
    case VALUE_NULL:
        buffer_puts(out, "-");
        break;
    case VALUE_COUNT:
        number_count(out, value->count);
        break;
    case VALUE_REAL:
        add_real(out, value->real, presentations[metric].how);
        break;
    case VALUE_INDEX:
        if (!tensor)
            tensor =
                metric == METRIC_ERROR_MAX_ABS_AT ? cast->max_abs_tensor : cast->max_rel_tensor;
        buffer_puts(out, "");
        if (tensor)
            text_index(out, &tensor->tensor, value->count);
        break;
    }
}

static bool is_missing(const struct value *value)
{
    return value->kind == VALUE_NULL || (value->kind == VALUE_COUNT && value->count == 0);
}

/* The groups after the errors' are there where they were asked for. */
static bool is_there(const struct table *table, int metric)
{
    enum metric_group group = metric_table[metric].group;
    return group <= GROUP_ERROR || table->subject->report->has_group[group];
}

static bool is_shown(const struct table *table, int metric)
{
    const struct presentation *shown = &presentations[metric];
    bool verbose = table->page->style->verbose;
    if (shown->part == PART_NONE || !is_there(table, metric) ||
        ((shown->how & VERBOSE) && !verbose))
        return false;
    if (!(shown->how & IF_ANY))
        return true;
    for (size_t i = 0; i < table->subject->cast_count; i++)
        if (!is_missing(&table->subject->casts[i].figures[metric]))
            return true;
    return false;
}

static bool is_real(int metric)
{
    return metric_table[metric].type == TYPE_REAL && !(presentations[metric].how & SHARE);
}

static enum ink figure_ink(const struct value *value, int metric)
{
    if (is_missing(value))
        return INK_DIM;
    if (presentations[metric].how & SHARE)
        return value->real == 0 ? INK_DIM : text_rate_ink(value->real);
    return presentations[metric].nonzero;
}

static void figure_row(const struct table *table, int metric)
{
    struct page *page = table->page;
    const char *label = presentations[metric].label;
    page_pad(page, 2);
    page_left(page, INK_PLAIN, label ? label : metric_table[metric].name, LABEL_WIDTH - 2);
    for (size_t i = table->first; i < table->end; i++) {
        const struct value *value = &table->subject->casts[i].figures[metric];
        enum ink ink = figure_ink(value, metric);
        struct buffer text = {0}, share = {0};
        add_figure(table, &table->subject->casts[i], (enum metric)metric, &text);
        page_pad(page, GAP);
        if (is_real(metric))
            page_number(page, ink, text.data, table->main_width,
                        table->after[presentations[metric].part]);
        else
            page_right(page, ink, text.data, table->main_width);
        buffer_puts(&share, "");
        if (metric_table[metric].group == GROUP_CAST && text_count_of(value) > 0)
            number_share(&share, value->count, table->subject->elements);
        if (table->shares)
            page_right(page, ink, share.data, SHARE_WIDTH);
        buffer_free(&text);
        buffer_free(&share);
    }
    page_end_line(page);
}

static void add_bits(struct buffer *out, const struct report_cast *cast)
{
    buffer_printf(out, "%d", cast->cast->format.bits);
}

static void add_min_normal(struct buffer *out, const struct report_cast *cast)
{
    text_scaled_power(out, cast, cast->cast->format.emin);
}

static void add_min_subnormal(struct buffer *out, const struct report_cast *cast)
{
    text_scaled_power(out, cast, cast->cast->format.emin - cast->cast->format.precision + 1);
}

static void add_scale(struct buffer *out, const struct report_cast *cast)
{
    number_exponent(out, cast->scale);
}

static const struct format_row {
    const char *label;
    void (*add)(struct buffer *out, const struct report_cast *cast);
    bool scaled; /* differs from tensor to tensor where the scale does */
} format_rows[] = {
    {"bits", add_bits, false},
    {"scale", add_scale, true},
    {"largest finite", text_largest, true},
    {"smallest normal", add_min_normal, true},
    {"smallest subnormal", add_min_subnormal, true},
};

static bool is_scaled(const struct subject *subject)
{
    for (size_t i = 0; i < subject->cast_count; i++)
        if (subject->casts[i].scale != 0 || subject->casts[i].scale_varies)
            return true;
    return false;
}

static void format_cell(const struct format_row *row, const struct report_cast *cast,
                        struct buffer *out)
{
    if (row->scaled && cast->scale_varies)
        buffer_puts(out, "varies");
    else
        row->add(out, cast);
}

static void format_row(const struct table *table, const struct format_row *row)
{
    page_pad(table->page, 2);
    page_left(table->page, INK_PLAIN, row->label, LABEL_WIDTH - 2);
    for (size_t i = table->first; i < table->end; i++) {
        struct buffer text = {0};
        format_cell(row, &table->subject->casts[i], &text);
        page_pad(table->page, GAP);
        page_right(table->page, INK_PLAIN, text.data, table->main_width);
        page_pad(table->page, table->shares ? SHARE_WIDTH : 0);
        buffer_free(&text);
    }
    page_end_line(table->page);
}

static void heading(const struct table *table, const char *title)
{
    page_paragraph(table->page, 0, INK_DIM, title);
}

static void format_names(const struct table *table)
{
    page_pad(table->page, LABEL_WIDTH);
    for (size_t i = table->first; i < table->end; i++) {
        page_pad(table->page, GAP);
        page_right(table->page, INK_TITLE, table->subject->casts[i].cast->format.name,
                   table->main_width);
        page_pad(table->page, table->shares ? SHARE_WIDTH : 0);
    }
    page_end_line(table->page);
}

static void part_heading(const struct table *table, enum part part)
{
    const struct part_heading *how = &part_headings[part];
    struct buffer text = {0};
    buffer_puts(&text, how->text);
    if (how->of_steps) {
        buffer_puts(&text, " ");
        text_steps(&text, table->subject);
    }
    heading(table, text.data);
    buffer_free(&text);
}

static void part_rows(const struct table *table, enum part part)
{
    bool headed = false;
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (presentations[i].part != part || !is_shown(table, i))
            continue;
        if (!headed)
            part_heading(table, part);
        headed = true;
        figure_row(table, i);
    }
}

/* Where the costly remedies were not tried on all elements. */
static void sample_line(const struct table *table)
{
    const struct value *sampled = &table->subject->casts[0].figures[METRIC_STEPS_SAMPLED];
    if (!is_there(table, METRIC_STEPS_SAMPLED) ||
        (sampled->kind == VALUE_COUNT && sampled->count <= 1))
        return;
    struct buffer text = {0};
    buffer_puts(&text, "stochastic and Kahan: ");
    if (sampled->kind == VALUE_COUNT) {
        buffer_puts(&text, "one element of ");
        number_count(&text, sampled->count);
    } else {
        buffer_puts(&text, "not on all elements of each tensor");
    }
    page_pad(table->page, 2);
    page_paragraph(table->page, 2, INK_DIM, text.data);
    buffer_free(&text);
}

static void draw(const struct table *table)
{
    format_names(table);
    for (int part = PART_NONE + 1; part < PART_COUNT; part++)
        part_rows(table, (enum part)part);
    sample_line(table);
    heading(table, "format");
    for (size_t i = 0; i < sizeof format_rows / sizeof format_rows[0]; i++)
        if (format_rows[i].add != add_scale || is_scaled(table->subject))
            format_row(table, &format_rows[i]);
    page_end_line(table->page);
}

static int wider(int width, int needed)
{
    return needed > width ? needed : width;
}

/* What the widest cell of this format needs, and in each part those with a decimal point. */
static int measure_cast(const struct table *table, const struct report_cast *cast,
                        struct places places[PART_COUNT])
{
    int width = (int)strlen(cast->cast->format.name);
    struct buffer text = {0};
    for (int metric = 0; metric < METRIC_COUNT; metric++) {
        if (!is_shown(table, metric))
            continue;
        text.length = 0;
        add_figure(table, cast, (enum metric)metric, &text);
        width = wider(width, text_width(text.data));
        if (is_real(metric))
            places_widen(&places[presentations[metric].part], text.data);
    }
    for (size_t row = 0; row < sizeof format_rows / sizeof format_rows[0]; row++) {
        text.length = 0;
        format_cell(&format_rows[row], cast, &text);
        width = wider(width, text_width(text.data));
    }
    buffer_free(&text);
    return width;
}

static int column_width(int main_width, bool shares)
{
    return GAP + main_width + (shares ? SHARE_WIDTH : 0);
}

/* How many formats stand side by side where a figure takes so much. */
static size_t fitting(const struct table *table, int main_width, bool shares)
{
    int room = table->page->width - LABEL_WIDTH;
    size_t fits = (size_t)(room / column_width(main_width, shares));
    size_t count = table->subject->cast_count;
    return fits < count ? fits : count;
}

/* Shares of the elements are in the sentences too: they give way before a format does, and aligned
 * points do so before that. Returns how many formats fit. */
static size_t lay_out(struct table *table)
{
    const struct subject *subject = table->subject;
    int most = table->page->width - LABEL_WIDTH - GAP, width = MAIN_LEAST;
    struct places places[PART_COUNT] = {{0}};
    most = most < MAIN_MOST ? most : MAIN_MOST;
    for (size_t i = 0; i < subject->cast_count; i++)
        width = wider(width, measure_cast(table, &subject->casts[i], places));
    width = width < most ? width : most;
    table->shares = fitting(table, width, true) == subject->cast_count;

    int aligned = width;
    for (int part = 0; part < PART_COUNT; part++)
        aligned = wider(aligned, places[part].before + places[part].after);
    size_t fits = fitting(table, width, table->shares);
    fits = fits ? fits : 1;
    if (aligned <= most && fitting(table, aligned, table->shares) >= fits) {
        width = aligned;
        for (int part = 0; part < PART_COUNT; part++)
            table->after[part] = places[part].after;
    }
    table->main_width = width;
    return fits;
}

int text_table_width(const struct page *page, const struct subject *subject)
{
    struct page copy = *page;
    struct table table = {.page = &copy, .subject = subject};
    if (lay_out(&table) < subject->cast_count)
        return 0;
    return LABEL_WIDTH + column_width(table.main_width, table.shares) * (int)subject->cast_count;
}

void text_table(struct page *page, const struct subject *subject)
{
    struct table table = {.page = page, .subject = subject};
    size_t fits = lay_out(&table);
    for (size_t first = 0; first < subject->cast_count; first += fits) {
        table.first = first;
        table.end = first + fits < subject->cast_count ? first + fits : subject->cast_count;
        draw(&table);
    }
}

static void sum_line(struct page *page, const char *label, const char *sum)
{
    page_pad(page, 2);
    page_left(page, INK_PLAIN, label, SUM_LABEL_WIDTH);
    page_pad(page, GAP);
    page_paragraph(page, 2 + SUM_LABEL_WIDTH + GAP, INK_PLAIN, sum ? sum : "-");
}

void text_sums(struct page *page, const struct subject *subject)
{
    page_paint(page, INK_TITLE, "Exact sums");
    page_end_line(page);
    if (subject->tensor)
        sum_line(page, "x", subject->sum);
    for (size_t i = 0; i < subject->cast_count; i++) {
        const struct report_cast *cast = &subject->casts[i];
        const struct {
            const char *what, *sum;
        } sums[] = {{"e", cast->sum_e},
                    {"|e|", cast->sum_abs_e},
                    {"e^2", cast->sum_e2},
                    {"x^2", cast->sum_x2}};
        for (size_t s = 0; s < sizeof sums / sizeof sums[0]; s++) {
            struct buffer label = {0};
            buffer_printf(&label, "%s %s", cast->cast->format.name, sums[s].what);
            sum_line(page, label.data, sums[s].sum);
            buffer_free(&label);
        }
    }
    page_end_line(page);
}
