/* The tensors of a report, a line each: a table for each format, with the worst first. */
#include "output/text/text.h"

#include <math.h>

#include "output/columns.h"
#include "output/escape.h"
#include "output/number.h"
#include "report/ranking.h"

/* One line: a tensor in a cast. */
struct row {
    const struct report *report;
    const struct report_tensor *tensor;
    const struct report_figures *figures;
    const struct report_cast *cast;
    const struct standing *standing;
};

/* A cell's text, and the ink it deserves. */
typedef enum ink add_cell(struct buffer *out, const struct row *row);

static enum ink add_magnitude(struct buffer *out, const struct value *value)
{
    if (value->kind == VALUE_REAL)
        number_human(out, value->real);
    else
        buffer_puts(out, "-");
    return value->kind == VALUE_REAL ? INK_PLAIN : INK_DIM;
}

static enum ink add_smallest(struct buffer *out, const struct row *row)
{
    return add_magnitude(out, &row->figures->input[METRIC_INPUT_MIN_ABS]);
}

static enum ink add_largest(struct buffer *out, const struct row *row)
{
    return add_magnitude(out, &row->figures->input[METRIC_INPUT_MAX_ABS]);
}

static enum ink add_elements(struct buffer *out, const struct row *row)
{
    number_count(out, row->tensor->tensor.elements);
    return INK_PLAIN;
}

/* Of the elements; what is not there is short and dim, so that what is there stands out. */
static enum ink add_share(struct buffer *out, const struct row *row, uint64_t count, enum ink some)
{
    if (count == 0)
        buffer_puts(out, row->tensor->tensor.elements ? "0" : "-");
    else
        number_share(out, count, row->tensor->tensor.elements);
    return count ? some : INK_DIM;
}

static uint64_t count_in(const struct row *row, enum metric metric)
{
    return text_count_of(&row->cast->figures[metric]);
}

static enum ink add_overflow(struct buffer *out, const struct row *row)
{
    return add_share(out, row, count_in(row, METRIC_OVERFLOW), INK_BAD);
}

static enum ink add_not_finite(struct buffer *out, const struct row *row)
{
    return add_share(out, row, count_in(row, METRIC_NAN) + count_in(row, METRIC_INF), INK_WARN);
}

static enum ink add_underflow(struct buffer *out, const struct row *row)
{
    return add_share(out, row, count_in(row, METRIC_UNDERFLOW),
                     text_rate_ink(row->standing->underflow));
}

static enum ink add_subnormal(struct buffer *out, const struct row *row)
{
    return add_share(out, row, count_in(row, METRIC_SUBNORMAL), INK_PLAIN);
}

static enum ink add_loss(struct buffer *out, const struct value *rate)
{
    if (rate->kind != VALUE_REAL) {
        buffer_puts(out, "-");
        return INK_DIM;
    }
    if (rate->real == 0) {
        buffer_puts(out, "0");
        return INK_DIM;
    }
    text_rate(out, rate->real);
    return text_rate_ink(rate->real);
}

static enum ink add_lost(struct buffer *out, const struct row *row)
{
    bool averages = row->report->has_group[GROUP_EMA];
    return add_loss(out,
                    &row->cast->figures[averages ? METRIC_EMA_LOST_RATE : METRIC_UPDATE_LOST_RATE]);
}

static enum ink add_frozen(struct buffer *out, const struct row *row)
{
    return add_loss(out, &row->cast->figures[METRIC_STEPS_FROZEN_RATE]);
}

static enum ink add_relative(struct buffer *out, const struct row *row)
{
    return add_magnitude(out, &row->cast->figures[METRIC_ERROR_MAX_REL]);
}

static enum ink add_sqnr(struct buffer *out, const struct row *row)
{
    const struct value *sqnr = &row->cast->figures[METRIC_ERROR_SQNR_DB];
    if (sqnr->kind == VALUE_REAL)
        number_decibels(out, sqnr->real);
    else
        buffer_puts(out, "-");
    return sqnr->kind == VALUE_REAL && isfinite(sqnr->real) ? INK_PLAIN : INK_DIM;
}

static enum ink add_dtype(struct buffer *out, const struct row *row)
{
    buffer_puts(out, row->tensor->tensor.dtype.name);
    return INK_PLAIN;
}

static enum ink add_shape(struct buffer *out, const struct row *row)
{
    text_shape(out, &row->tensor->tensor);
    return INK_PLAIN;
}

enum place {
    PLACE_ELEMENTS,
    PLACE_SMALLEST,
    PLACE_LARGEST,
    PLACE_NOT_FINITE,
    PLACE_OVERFLOW,
    PLACE_UNDERFLOW,
    PLACE_SUBNORMAL,
    PLACE_LOST,
    PLACE_FROZEN,
    PLACE_RELATIVE,
    PLACE_SQNR,
    PLACE_DTYPE,
    PLACE_SHAPE,
    PLACE_COUNT
};

enum {
    SORTED_RANK = 1, /* the column that the order goes by is always there */
    SHAPE_MOST = 24,
    ALIGNED_MOST = 12 /* numbers that need more for aligned points end at the edge instead */
};

/* From left to right. */
static const struct {
    struct column column;
    add_cell *add;
} places[PLACE_COUNT] = {
    [PLACE_ELEMENTS] = {{"elements", 8, 9, false, false, 0}, add_elements},
    [PLACE_SMALLEST] = {{"smallest", 10, 10, false, false, 0}, add_smallest},
    [PLACE_LARGEST] = {{"largest", 9, 7, false, false, 0}, add_largest},
    [PLACE_NOT_FINITE] = {{"NaN, Inf", 8, 6, false, false, 0}, add_not_finite},
    [PLACE_OVERFLOW] = {{"overflow", 8, 2, false, false, 0}, add_overflow},
    [PLACE_UNDERFLOW] = {{"underflow", 9, 3, false, false, 0}, add_underflow},
    [PLACE_SUBNORMAL] = {{"subnormal", 9, 11, false, false, 0}, add_subnormal},
    [PLACE_LOST] = {{"lost", 8, 4, false, false, 0}, add_lost},
    [PLACE_FROZEN] = {{"frozen", 8, 8, false, false, 0}, add_frozen},
    [PLACE_RELATIVE] = {{"max. rel.", 10, 12, false, false, 0}, add_relative},
    [PLACE_SQNR] = {{"SQNR, dB", 8, 5, false, false, 0}, add_sqnr},
    [PLACE_DTYPE] = {{"dtype", 5, 13, true, false, 0}, add_dtype},
    [PLACE_SHAPE] = {{"shape", 5, 14, true, false, 0}, add_shape},
};

static const struct {
    const char *title;
    enum place place; /* of the column that it goes by; PLACE_COUNT: several, or the name */
} orders[ORDER_COUNT] = {
    [ORDER_WORST] = {"worst first", PLACE_COUNT},
    [ORDER_NAME] = {"by name", PLACE_COUNT},
    [ORDER_SIZE] = {"largest first", PLACE_ELEMENTS},
    [ORDER_OVERFLOW] = {"most overflow first", PLACE_OVERFLOW},
    [ORDER_UNDERFLOW] = {"most underflow first", PLACE_UNDERFLOW},
    [ORDER_SQNR] = {"lowest SQNR first", PLACE_SQNR},
    [ORDER_LOST] = {"most lost first", PLACE_LOST},
};

struct table {
    struct page *page;
    const struct report *report;
    struct ranking ranking;
    size_t rows; /* lines of each format */
    struct column columns[PLACE_COUNT];
    int name_width;
};

/* Made printable. */
static void add_label(const struct table *table, struct buffer *out,
                      const struct report_tensor *tensor)
{
    struct buffer label = {0};
    text_label(&label, &table->ranking, tensor);
    escape_terminal(out, label.data, table->page->style->utf8);
    buffer_free(&label);
}

static int wider(int a, int b)
{
    return a > b ? a : b;
}

/* Of all tensors, whichever are shown: the tables of the formats look the same. */
static void measure(struct table *table)
{
    const struct report *report = table->report;
    struct column *columns = table->columns;
    int longest = 0;
    for (size_t t = 0; t < report->tensor_count; t++) {
        const struct tensor *tensor = &report->tensors[t].tensor;
        struct buffer label = {0}, shape = {0};
        add_label(table, &label, &report->tensors[t]);
        text_shape(&shape, tensor);
        longest = wider(longest, text_width(label.data));
        columns[PLACE_ELEMENTS].width =
            wider(columns[PLACE_ELEMENTS].width, column_count_width(tensor->elements));
        if (shape.length <= SHAPE_MOST)
            columns[PLACE_SHAPE].width = wider(columns[PLACE_SHAPE].width, (int)shape.length);
        else
            columns[PLACE_SHAPE].width = SHAPE_MOST;
        buffer_free(&label);
        buffer_free(&shape);
    }
    table->name_width = columns_fit(table->page, longest, columns, PLACE_COUNT);
}

static struct row row_of(const struct table *table, size_t place, size_t cast,
                         struct report_figures *room)
{
    const struct report *report = table->report;
    struct row row = {.report = report,
                      .tensor = &report->tensors[table->ranking.order[place]],
                      .standing = ranking_standing(&table->ranking, place, cast)};
    row.figures = report_figures_of(report, row.tensor, room);
    row.cast = &row.figures->casts[cast];
    return row;
}

/* The columns of numbers with a decimal point, as the rows that are shown need them. */
static void align_points(struct table *table)
{
    static const enum place aligned[] = {PLACE_SMALLEST, PLACE_LARGEST, PLACE_RELATIVE};
    enum { ALIGNED_COUNT = sizeof aligned / sizeof aligned[0] };
    struct places needed[ALIGNED_COUNT] = {0};
    struct buffer text = {0};
    for (size_t c = 0; c < table->report->cast_count; c++) {
        ranking_sort(&table->ranking, table->page->style->order, c);
        for (size_t place = 0; place < table->rows; place++) {
            struct report_figures room = {0};
            struct row row = row_of(table, place, c, &room);
            for (int i = 0; i < ALIGNED_COUNT; i++) {
                text.length = 0;
                places[aligned[i]].add(&text, &row);
                places_widen(&needed[i], text.data);
            }
            report_figures_done(table->report, &room);
        }
    }
    buffer_free(&text);
    for (int i = 0; i < ALIGNED_COUNT; i++) {
        struct column *column = &table->columns[aligned[i]];
        int width = needed[i].before + needed[i].after;
        if (width > ALIGNED_MOST)
            continue;
        column->width = wider(text_width(column->title), width);
        column->after = needed[i].after;
    }
}

static void choose_columns(struct table *table)
{
    const struct report *report = table->report;
    const struct value *input = report->total.input;
    struct column *columns = table->columns;
    for (int i = 0; i < PLACE_COUNT; i++)
        columns[i] = places[i].column;
    if (text_count_of(&input[METRIC_INPUT_NAN]) + text_count_of(&input[METRIC_INPUT_INF]) == 0)
        columns[PLACE_NOT_FINITE].rank = 0;
    if (report->has_group[GROUP_EMA])
        columns[PLACE_LOST].title = "stuck";
    else if (!report->has_group[GROUP_UPDATE])
        columns[PLACE_LOST].rank = 0;
    if (!report->has_group[GROUP_STEPS])
        columns[PLACE_FROZEN].rank = 0;
    enum place sorted = orders[table->page->style->order].place;
    if (sorted != PLACE_COUNT)
        columns[sorted].rank = SORTED_RANK;
    align_points(table);
    measure(table);
}

static void tensor_row(const struct table *table, size_t place, size_t cast)
{
    struct report_figures room = {0};
    struct row row = row_of(table, place, cast, &room);
    struct buffer text = {0};
    add_label(table, &text, row.tensor);
    page_pad(table->page, COLUMN_INDENT);
    page_left(table->page, INK_PLAIN, text.data, table->name_width);
    for (int i = 0; i < PLACE_COUNT; i++) {
        if (!table->columns[i].shown)
            continue;
        text.length = 0;
        enum ink ink = places[i].add(&text, &row);
        column_cell(table->page, &table->columns[i], ink, text.data);
    }
    page_end_line(table->page);
    buffer_free(&text);
    report_figures_done(table->report, &room);
}

void text_harmed(struct buffer *out, const struct report *report, const struct ranking_rest *rest)
{
    const struct {
        size_t count;
        const char *harm;
    } harmed[] = {{rest->overflow, "overflow"},
                  {rest->not_finite, "NaN or Inf"},
                  {rest->underflow, "underflow"},
                  {rest->lost, report->has_group[GROUP_EMA] ? "averages stuck" : "updates lost"}};
    for (size_t i = 0; i < sizeof harmed / sizeof *harmed; i++)
        if (harmed[i].count) {
            buffer_puts(out, ", ");
            number_count(out, harmed[i].count);
            buffer_printf(out, " with %s", harmed[i].harm);
        }
}

/* "3 with overflow", and what none has is remembered. */
static void add_harmed(struct buffer *out, struct buffer *none, size_t harmed, const char *harm)
{
    if (harmed == 0) {
        buffer_puts(none, none->length ? " or " : "none with ");
        buffer_puts(none, harm);
        return;
    }
    buffer_puts(out, ", ");
    number_count(out, harmed);
    buffer_printf(out, " with %s", harm);
}

/* "271 more tensors, 12 with underflow, none with overflow, SQNR from 73.51 dB" */
static void rest_line(const struct table *table, size_t cast)
{
    struct ranking_rest rest = ranking_rest(&table->ranking, table->rows, cast);
    if (rest.tensors == 0)
        return;
    const bool *has = table->report->has_group;
    struct buffer text = {0}, none = {0};
    number_counted(&text, rest.tensors, "more tensor", "more tensors");
    add_harmed(&text, &none, rest.overflow, "overflow");
    add_harmed(&text, &none, rest.underflow, "underflow");
    if (rest.not_finite)
        add_harmed(&text, &none, rest.not_finite, "NaN or Inf");
    if (has[GROUP_UPDATE] || has[GROUP_EMA])
        add_harmed(&text, &none, rest.lost, has[GROUP_EMA] ? "averages stuck" : "updates lost");
    if (none.length)
        buffer_printf(&text, ", %s", none.data);
    if (isfinite(rest.sqnr)) {
        buffer_puts(&text, ", SQNR from ");
        number_decibels(&text, rest.sqnr);
        buffer_puts(&text, " dB");
    }
    page_pad(table->page, COLUMN_INDENT);
    page_paragraph(table->page, 2 * COLUMN_INDENT,
                   rest.overflow                                    ? INK_BAD
                   : rest.not_finite || rest.underflow || rest.lost ? INK_WARN
                                                                    : INK_DIM,
                   text.data);
    buffer_free(&text);
    buffer_free(&none);
}

static void format_table(struct table *table, size_t cast, struct sink *sink)
{
    ranking_sort(&table->ranking, table->page->style->order, cast);
    column_titles(table->page, table->report->casts[cast].format.name, table->name_width,
                  table->columns, PLACE_COUNT);
    for (size_t place = 0; place < table->rows && sink_goes_on(sink); place++)
        tensor_row(table, place, cast);
    rest_line(table, cast);
    page_end_line(table->page);
}

static void title(struct page *page, size_t rows, size_t count)
{
    struct buffer text = {0};
    if (rows < count) {
        number_count(&text, rows);
        buffer_puts(&text, " of ");
    }
    number_count(&text, count);
    buffer_printf(&text, " tensors, %s", orders[page->style->order].title);
    page_rule(page, text.data);
    buffer_free(&text);
}

void text_tensors(struct page *page, const struct report *report, struct sink *sink)
{
    size_t count = report->tensor_count, top = page->style->top;
    struct table table = {.page = page,
                          .report = report,
                          .ranking = ranking_new(report),
                          .rows = top && top < count ? top : count};
    choose_columns(&table);
    title(page, table.rows, count);
    for (size_t c = 0; c < report->cast_count && sink_goes_on(sink); c++)
        format_table(&table, c, sink);
    ranking_free(&table.ranking);
}
