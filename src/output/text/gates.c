/* The verdict, and the gates that do not hold. */
#include "output/text/text.h"

#include <string.h>

#include "output/escape.h"
#include "output/number.h"
#include "output/told.h"

enum { INDENT = 2, GAP = 2 };

enum gate_column { COLUMN_RULE, COLUMN_VALUE, COLUMN_FORMAT, COLUMN_TENSOR, COLUMN_COUNT };

static const struct level {
    const char *titles[COLUMN_COUNT];
    const char *more_one, *more_many;
    enum ink ink;
} levels[GATE_OFF] = {
    [GATE_ERROR] = {{"fails on", "value", "format", "tensor"}, "fails", "fail", INK_BAD},
    [GATE_WARN] = {{"warns on", "value", "format", "tensor"}, "warns", "warn", INK_WARN},
};

struct table {
    struct page *page;
    const struct report *report;
    const struct level *level;
    const struct report_gate *const *gates; /* those that are shown */
    size_t count;
    int widths[COLUMN_COUNT];
    struct places places; /* of the values */
};

static void rule_cell(const struct table *table, const struct report_gate *gate, struct buffer *out)
{
    page_name(table->page, out, gate->rule, table->page->width / 3);
}

static void value_cell(const struct report_gate *gate, struct buffer *out)
{
    text_value(out, &gate->value, &gate->tensor->tensor);
}

static const char *format_name(const struct table *table, const struct report_gate *gate)
{
    return table->report->casts[gate->cast].format.name;
}

static void widen(int *width, const char *text)
{
    int needed = text_width(text);
    *width = needed > *width ? needed : *width;
}

/* What the columns need; the last takes what is left. */
static void measure(struct table *table)
{
    int *widths = table->widths;
    for (int i = 0; i < COLUMN_COUNT; i++)
        widths[i] = (int)strlen(table->level->titles[i]);
    for (size_t g = 0; g < table->count; g++) {
        struct buffer rule = {0}, value = {0};
        rule_cell(table, table->gates[g], &rule);
        value_cell(table->gates[g], &value);
        widen(&widths[COLUMN_RULE], rule.data);
        places_widen(&table->places, value.data);
        widen(&widths[COLUMN_FORMAT], format_name(table, table->gates[g]));
        buffer_free(&rule);
        buffer_free(&value);
    }
    int values = table->places.before + table->places.after;
    widths[COLUMN_VALUE] = values > widths[COLUMN_VALUE] ? values : widths[COLUMN_VALUE];
    widths[COLUMN_TENSOR] = table->page->width - INDENT;
    for (int i = 0; i < COLUMN_TENSOR; i++)
        widths[COLUMN_TENSOR] -= widths[i] + GAP;
}

static void titles(const struct table *table)
{
    page_pad(table->page, INDENT);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        page_left(table->page, INK_DIM, table->level->titles[i], table->widths[i]);
        page_pad(table->page, GAP);
    }
    page_end_line(table->page);
}

static void line(const struct table *table, const struct report_gate *gate)
{
    struct page *page = table->page;
    const int *widths = table->widths;
    int values = table->places.before + table->places.after;
    struct buffer rule = {0}, value = {0}, tensor = {0};
    rule_cell(table, gate, &rule);
    value_cell(gate, &value);
    text_tensor(page, &tensor, gate->tensor, widths[COLUMN_TENSOR]);
    page_pad(page, INDENT);
    page_left(page, table->level->ink, rule.data, widths[COLUMN_RULE] + GAP);
    page_number(page, INK_PLAIN, value.data, values, table->places.after);
    page_pad(page, widths[COLUMN_VALUE] - values + GAP);
    page_left(page, INK_PLAIN, format_name(table, gate), widths[COLUMN_FORMAT] + GAP);
    page_left(page, INK_PLAIN, tensor.data, widths[COLUMN_TENSOR]);
    page_end_line(page);
    buffer_free(&rule);
    buffer_free(&value);
    buffer_free(&tensor);
}

static void sentence(struct page *page, enum ink ink, struct buffer *text)
{
    page_pad(page, INDENT);
    page_paragraph(page, INDENT, ink, text->data);
    buffer_free(text);
}

/* Those of the level, as many as are wanted, and how many more. */
static void section(struct page *page, const struct ranking *ranking, enum gate_level level,
                    struct sink *sink)
{
    struct told told = told_worst_first(ranking, level);
    size_t top = page->style->top, shown = top && top < told.count ? top : told.count;
    struct table table = {.page = page,
                          .report = ranking->report,
                          .level = &levels[level],
                          .gates = told.gates,
                          .count = shown};
    if (told.count) {
        measure(&table);
        titles(&table);
    }
    for (size_t g = 0; g < shown && sink_goes_on(sink); g++)
        line(&table, told.gates[g]);
    if (shown < told.count) {
        struct buffer text = {0};
        size_t more = told.count - shown;
        number_count(&text, more);
        buffer_printf(&text, " more %s",
                      more == 1 ? table.level->more_one : table.level->more_many);
        sentence(page, table.level->ink, &text);
    }
    told_free(&told);
}

static void add_counted(struct buffer *out, const char *before, size_t count, const char *after)
{
    buffer_puts(out, before);
    number_count(out, count);
    buffer_puts(out, after);
}

void text_verdict(struct buffer *text, const struct report *report)
{
    size_t failed = told_count(report, GATE_ERROR), warned = told_count(report, GATE_WARN);
    size_t held = report->gate_count - failed - warned, start = text->length;
    const char *hold = held == 1 ? " gate holds" : " gates hold";
    if (failed) {
        add_counted(text, "", failed, " of ");
        add_counted(text, "", report->gate_count, " gates");
    } else if (report->incomplete) {
        add_counted(text, "incomplete; on what was read ", held, hold);
    } else if (held || !warned) {
        add_counted(text, "", held, hold);
    }
    if (warned)
        add_counted(text, text->length > start ? ", " : "", warned,
                    warned == 1 ? " warning" : " warnings");
}

void text_gates(struct page *page, const struct report *report, struct sink *sink)
{
    if (!report->has_verdict)
        return;
    size_t failed = told_count(report, GATE_ERROR), warned = told_count(report, GATE_WARN);
    size_t held = report->gate_count - failed - warned;

    struct buffer text = {0};
    page_paint(page, report->pass ? INK_GOOD : INK_BAD, report->pass ? "PASS" : "FAIL");
    buffer_puts(&text, "  ");
    text_verdict(&text, report);
    page_paint(page, INK_TITLE, text.data);
    page_end_line(page);
    buffer_free(&text);
    if (failed + warned) {
        struct ranking ranking = ranking_new(report);
        section(page, &ranking, GATE_ERROR, sink);
        section(page, &ranking, GATE_WARN, sink);
        ranking_free(&ranking);
    }
    if (failed && held) {
        if (held == 1)
            buffer_puts(&text, "the other one holds");
        else
            add_counted(&text, "the other ", held, " hold");
        sentence(page, INK_GOOD, &text);
    }
    page_end_line(page);
}
