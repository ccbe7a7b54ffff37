/* For the summary of a CI step or a comment: GitHub Flavored Markdown. */
#include <string.h>

#include "output/escape.h"
#include "output/number.h"
#include "output/text/text.h"
#include "output/told.h"

/* Whatever strangers wrote stands in code spans, in which nothing else has a meaning; and without
 * what would end the span, or the cell of a table around it, or be stripped. */
static void add_code(struct buffer *out, const char *text)
{
    struct buffer printable = {0};
    escape_terminal(&printable, text, true);
    buffer_puts(out, "`");
    for (const char *at = printable.data; *at; at++) {
        bool at_end = at == printable.data || !at[1];
        if (*at == '`' || *at == '|' || (*at == ' ' && at_end))
            buffer_printf(out, "\\x%02x", (unsigned char)*at);
        else
            buffer_add(out, at, 1);
    }
    buffer_puts(out, "`");
    buffer_free(&printable);
}

/* A sentence of ours, in which there may be a word of the user's. */
static void add_prose(struct buffer *out, const char *text)
{
    struct buffer printable = {0};
    escape_terminal(&printable, text, true);
    for (const char *at = printable.data; *at; at++) {
        if (strchr("\\`*_<>[]&|~#$@", *at))
            buffer_puts(out, "\\");
        buffer_add(out, at, 1);
    }
    buffer_free(&printable);
}

static void add_label(struct buffer *out, const struct ranking *ranking,
                      const struct report_tensor *tensor)
{
    struct buffer label = {0};
    text_short_label(&label, ranking, tensor);
    add_code(out, label.data);
    buffer_free(&label);
}

/* Cells between bars: begin with a bar, and each adds one after it. */
static void end_cell(struct buffer *out)
{
    buffer_puts(out, " |");
}

/* All columns but the first `left` ones are numbers. */
static void end_titles(struct buffer *out, size_t left, size_t columns)
{
    buffer_puts(out, "\n|");
    for (size_t i = 0; i < columns; i++)
        buffer_puts(out, i < left ? "---|" : "---:|");
    buffer_puts(out, "\n");
}

static void heading(struct buffer *out, const struct report *report)
{
    buffer_puts(out, "### precheck");
    if (report->has_verdict) {
        buffer_puts(out, report->pass ? ": PASS, " : ": FAIL, ");
        text_verdict(out, report);
    }
    buffer_puts(out, "\n\n");
    if (report->incomplete)
        buffer_puts(out, "**Incomplete: there was trouble, see the messages.**\n\n");
    number_counted(out, report->tensor_count, "tensor", "tensors");
    buffer_puts(out, ", ");
    number_counted(out, report->total_elements, "element", "elements");
    if (report->skipped_count) {
        buffer_puts(out, "; ");
        number_counted(out, report->skipped_count, "other was", "others were");
        buffer_puts(out, " not cast");
    }
    buffer_puts(out, ".\n");
}

static void gate_row(struct buffer *out, const struct ranking *ranking,
                     const struct report_gate *gate)
{
    buffer_puts(out, "| ");
    add_code(out, gate->rule);
    buffer_puts(out, " | ");
    text_value(out, &gate->value, &gate->tensor->tensor);
    buffer_printf(out, " | %s | ", ranking->report->casts[gate->cast].format.name);
    add_label(out, ranking, gate->tensor);
    buffer_puts(out, " |\n");
}

/* The first ones of `count`, as --top has it. */
static size_t rows_of(const struct style *style, size_t count)
{
    return style->top && style->top < count ? style->top : count;
}

static void gates(const struct ranking *ranking, enum gate_level level, const struct style *style,
                  struct sink *sink)
{
    static const struct {
        const char *title, *one, *many;
    } words[] = {[GATE_ERROR] = {"fails on", "more fails", "more fail"},
                 [GATE_WARN] = {"warns on", "more warns", "more warn"}};
    struct told told = told_worst_first(ranking, level);
    size_t rows = rows_of(style, told.count);
    if (told.count)
        buffer_printf(&sink->text, "\n| %s | value | format | tensor |\n|---|---:|---|---|\n",
                      words[level].title);
    for (size_t i = 0; i < rows && sink_goes_on(sink); i++)
        gate_row(&sink->text, ranking, told.gates[i]);
    if (rows < told.count) {
        buffer_puts(&sink->text, "\n");
        number_counted(&sink->text, told.count - rows, words[level].one, words[level].many);
        buffer_puts(&sink->text, "\n");
    }
    told_free(&told);
}

static void add_name(struct buffer *out, const struct metric_row *row)
{
    const char *group = metric_group_names[row->group];
    buffer_printf(out, "| `%s%s%s` |", group, *group ? "." : "", row->name);
}

/* A position says which tensor it is in. */
static void add_total(struct buffer *out, const struct report_cast *cast, enum metric metric,
                      const struct ranking *ranking)
{
    const struct value *value = &cast->figures[metric];
    const struct report_tensor *where =
        metric == METRIC_ERROR_MAX_ABS_AT ? cast->max_abs_tensor : cast->max_rel_tensor;
    buffer_puts(out, " ");
    if (value->kind != VALUE_INDEX) {
        text_value(out, value, NULL);
    } else if (where) {
        struct buffer index = {0};
        add_label(out, ranking, where);
        text_index(&index, &where->tensor, value->count);
        if (index.length) {
            buffer_puts(out, " ");
            add_code(out, index.data);
        }
        buffer_free(&index);
    }
    end_cell(out);
}

static void total_input(struct buffer *out, const struct report *report)
{
    buffer_puts(out, "\n| all tensors | |");
    end_titles(out, 1, 2);
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (metric_table[i].group != GROUP_INPUT)
            continue;
        add_name(out, &metric_table[i]);
        buffer_puts(out, " ");
        text_value(out, &report->total.input[i], NULL);
        buffer_puts(out, " |\n");
    }
}

static void total_casts(struct buffer *out, const struct report *report,
                        const struct ranking *ranking)
{
    buffer_puts(out, "\n| all tensors |");
    for (size_t c = 0; c < report->cast_count; c++)
        buffer_printf(out, " %s |", report->casts[c].format.name);
    end_titles(out, 1, 1 + report->cast_count);
    for (int i = 0; i < METRIC_COUNT; i++) {
        enum metric_group group = metric_table[i].group;
        if (group == GROUP_INPUT || (group > GROUP_ERROR && !report->has_group[group]))
            continue;
        add_name(out, &metric_table[i]);
        for (size_t c = 0; c < report->cast_count; c++)
            add_total(out, &report->total.casts[c], (enum metric)i, ranking);
        buffer_puts(out, "\n");
    }
}

/* What is told of each tensor. */
static const enum metric columns[] = {METRIC_NAN,           METRIC_INF,
                                      METRIC_OVERFLOW,      METRIC_UNDERFLOW,
                                      METRIC_SUBNORMAL,     METRIC_ERROR_MAX_REL,
                                      METRIC_ERROR_SQNR_DB, METRIC_UPDATE_LOST_RATE,
                                      METRIC_EMA_LOST_RATE, METRIC_STEPS_FROZEN_RATE};

enum { COLUMNS = sizeof columns / sizeof *columns };

/* Whether its figure was asked for. */
static bool has_column(const struct report *report, size_t i)
{
    enum metric_group group = metric_table[columns[i]].group;
    return group <= GROUP_ERROR || report->has_group[group];
}

static void tensor_titles(struct buffer *out, const struct report *report, const char *format)
{
    size_t count = 2;
    buffer_printf(out, "\n| %s | elements |", format);
    for (size_t i = 0; i < COLUMNS; i++)
        if (has_column(report, i)) {
            buffer_printf(out, " %s |", metric_table[columns[i]].name);
            count++;
        }
    end_titles(out, 1, count);
}

static void tensor_row(struct buffer *out, const struct ranking *ranking, size_t place, size_t cast)
{
    const struct report *report = ranking->report;
    const struct report_tensor *tensor = &report->tensors[ranking->order[place]];
    struct report_figures room = {0};
    const struct report_figures *figures = report_figures_of(report, tensor, &room);
    buffer_puts(out, "| ");
    add_label(out, ranking, tensor);
    buffer_puts(out, " | ");
    number_count(out, tensor->tensor.elements);
    end_cell(out);
    for (size_t i = 0; i < COLUMNS; i++)
        if (has_column(report, i)) {
            buffer_puts(out, " ");
            text_value(out, &figures->casts[cast].figures[columns[i]], NULL);
            end_cell(out);
        }
    buffer_puts(out, "\n");
    report_figures_done(report, &room);
}

static void rest_line(struct buffer *out, const struct ranking *ranking, size_t rows, size_t cast)
{
    struct ranking_rest rest = ranking_rest(ranking, rows, cast);
    if (rest.tensors == 0)
        return;
    buffer_puts(out, "\n");
    number_counted(out, rest.tensors, "more tensor", "more tensors");
    text_harmed(out, ranking->report, &rest);
    buffer_puts(out, "\n");
}

static void tensors(struct ranking *ranking, const struct style *style, struct sink *sink)
{
    const struct report *report = ranking->report;
    size_t rows = rows_of(style, report->tensor_count);
    for (size_t c = 0; c < report->cast_count && sink_goes_on(sink); c++) {
        ranking_sort(ranking, style->order, c);
        tensor_titles(&sink->text, report, report->casts[c].format.name);
        for (size_t place = 0; place < rows && sink_goes_on(sink); place++)
            tensor_row(&sink->text, ranking, place, c);
        rest_line(&sink->text, ranking, rows, c);
    }
}

static void advice(struct buffer *out, const struct report *report)
{
    buffer_puts(out, report->advice_count ? "\n" : "");
    for (size_t i = 0; i < report->advice_count; i++) {
        buffer_puts(out, "- ");
        add_prose(out, report->advice[i].text);
        buffer_puts(out, "\n");
    }
}

static void render(const struct report *report, const struct style *style, struct sink *sink)
{
    struct ranking ranking = ranking_new(report);
    heading(&sink->text, report);
    gates(&ranking, GATE_ERROR, style, sink);
    gates(&ranking, GATE_WARN, style, sink);
    if (report->total.casts) {
        total_input(&sink->text, report);
        total_casts(&sink->text, report, &ranking);
    }
    if (report->tensor_count > 1)
        tensors(&ranking, style, sink);
    advice(&sink->text, report);
    ranking_free(&ranking);
}

const struct renderer renderer_markdown = {.kind = "markdown", .render = render};
