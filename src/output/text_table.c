/* The figures of the formats, side by side. */
#include "output/text.h"

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

/* How a figure is shown; one without a label goes by its name in the report. */
struct presentation {
    const char *label;
    bool brief;           /* also in the sections of many tensors */
    bool only_if_nonzero; /* left out where it is zero for every format */
    bool only_if_verbose;
    enum ink nonzero;
};

static const struct presentation presentations[METRIC_COUNT] = {
    [METRIC_NAN] = {"NaN", true, true, false, INK_WARN},
    [METRIC_INF] = {"infinite", true, true, false, INK_WARN},
    [METRIC_ZERO] = {"zero", false, true, false, INK_PLAIN},
    [METRIC_OVERFLOW] = {"overflow", true, false, false, INK_BAD},
    [METRIC_UNDERFLOW] = {"underflow to zero", true, false, false, INK_BAD},
    [METRIC_SUBNORMAL] = {"subnormal", true, false, false, INK_WARN},
    [METRIC_NORMAL] = {"normal", false, false, false, INK_PLAIN},
    [METRIC_EXACT] = {"without any error", true, false, false, INK_PLAIN},
    [METRIC_ERROR_COUNT] = {"elements compared", false, false, true, INK_PLAIN},
    [METRIC_ERROR_MEAN] = {"mean (bias)", false, false, false, INK_PLAIN},
    [METRIC_ERROR_MEAN_ABS] = {"mean magnitude", false, false, false, INK_PLAIN},
    [METRIC_ERROR_RMS] = {"root mean square", false, false, false, INK_PLAIN},
    [METRIC_ERROR_MAX_ABS] = {"largest", false, false, false, INK_PLAIN},
    [METRIC_ERROR_MAX_ABS_AT] = {"  at", false, false, true, INK_PLAIN},
    [METRIC_ERROR_MAX_ABS_INPUT] = {"  of the value", false, false, true, INK_PLAIN},
    [METRIC_ERROR_MAX_REL] = {"largest relative", true, false, false, INK_PLAIN},
    [METRIC_ERROR_MAX_REL_AT] = {"  at", false, false, true, INK_PLAIN},
    [METRIC_ERROR_MAX_REL_INPUT] = {"  of the value", false, false, true, INK_PLAIN},
    [METRIC_ERROR_SQNR_DB] = {"SQNR, dB", true, false, false, INK_PLAIN},
    [METRIC_ERROR_REL_L2] = {"relative, L2 norm", false, false, false, INK_PLAIN},
};

struct table {
    struct page *page;
    const struct subject *subject;
    bool brief;
    bool shares;
    int main_width;    /* of a figure, without its share */
    size_t first, end; /* the formats of this table */
};

static int column_width(const struct table *table)
{
    return GAP + table->main_width + (table->shares ? SHARE_WIDTH : 0);
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
        number_human(out, value->real);
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

static bool is_zero(const struct value *value)
{
    return value->kind == VALUE_COUNT && value->count == 0;
}

static bool is_shown(const struct table *table, int metric)
{
    const struct presentation *how = &presentations[metric];
    if ((table->brief && !how->brief) || (how->only_if_verbose && !table->page->style->verbose))
        return false;
    if (!how->only_if_nonzero)
        return true;
    for (size_t i = 0; i < table->subject->cast_count; i++)
        if (!is_zero(&table->subject->casts[i].figures[metric]))
            return true;
    return false;
}

static enum ink figure_ink(const struct value *value, int metric)
{
    if (value->kind == VALUE_NULL || is_zero(value))
        return INK_DIM;
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
    page_paint(table->page, INK_DIM, title);
    page_end_line(table->page);
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

static void figure_rows(const struct table *table, enum metric_group group)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        if (metric_table[i].group == group && is_shown(table, i))
            figure_row(table, i);
}

static void draw(const struct table *table)
{
    format_names(table);
    if (!table->brief)
        heading(table, "elements");
    figure_rows(table, GROUP_CAST);
    if (!table->brief)
        heading(table, "error");
    figure_rows(table, GROUP_ERROR);
    if (!table->brief) {
        heading(table, "format");
        for (size_t i = 0; i < sizeof format_rows / sizeof format_rows[0]; i++)
            if (format_rows[i].add != add_scale || is_scaled(table->subject))
                format_row(table, &format_rows[i]);
    }
    page_end_line(table->page);
}

static int wider(int width, const struct buffer *text)
{
    int needed = text_width(text->data);
    return needed > width ? needed : width;
}

/* What the widest cell needs, within limits. */
static int measure(const struct table *table)
{
    int width = text_format_width(table->subject);
    width = width > MAIN_LEAST ? width : MAIN_LEAST;
    for (size_t i = 0; i < table->subject->cast_count; i++) {
        const struct report_cast *cast = &table->subject->casts[i];
        struct buffer text = {0};
        for (int metric = 0; metric < METRIC_COUNT; metric++) {
            if (metric_table[metric].group == GROUP_INPUT || !is_shown(table, metric))
                continue;
            text.length = 0;
            add_figure(table, cast, (enum metric)metric, &text);
            width = wider(width, &text);
        }
        for (size_t row = 0; row < sizeof format_rows / sizeof format_rows[0]; row++) {
            text.length = 0;
            format_cell(&format_rows[row], cast, &text);
            width = wider(width, &text);
        }
        buffer_free(&text);
    }
    int most = table->page->width - LABEL_WIDTH - GAP;
    most = most < MAIN_MOST ? most : MAIN_MOST;
    return width < most ? width : most;
}

void text_table(struct page *page, const struct subject *subject, bool brief)
{
    struct table table = {.page = page, .subject = subject, .brief = brief, .shares = true};
    table.main_width = measure(&table);
    int room = page->width - LABEL_WIDTH;
    /* Shares of the elements are in the sentences too: they give way before a format does. */
    if (room < column_width(&table) * (int)subject->cast_count)
        table.shares = false;
    size_t fits = (size_t)(room / column_width(&table));
    fits = fits ? fits : 1;
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
        sum_line(page, "x", subject->tensor->sum);
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
