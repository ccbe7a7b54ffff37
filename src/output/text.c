/* The report for people: the order of its parts, and the parts that are not about casts. */
#include "output/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "output/escape.h"
#include "output/number.h"
#include "output/told.h"

enum { INDENT = 2 };

uint64_t text_count_of(const struct value *value)
{
    return value->kind == VALUE_COUNT ? value->count : 0;
}

int text_format_width(const struct subject *subject)
{
    int width = 0;
    for (size_t i = 0; i < subject->cast_count; i++) {
        int length = (int)strlen(subject->casts[i].cast->format.name);
        width = length > width ? length : width;
    }
    return width;
}

void text_scaled_power(struct buffer *out, const struct report_cast *cast, int exponent)
{
    exponent -= cast->scale;
    if (number_holds_power(exponent))
        number_power(out, ldexp(1, exponent));
    else
        number_exponent(out, exponent);
}

void text_largest(struct buffer *out, const struct report_cast *cast)
{
    const struct format *format = &cast->cast->format;
    double largest = ldexp(format_max(format), -cast->scale);
    if (isfinite(largest) && largest >= DBL_MIN) {
        number_human(out, largest);
        return;
    }
    /* Beyond binary64, or below what it can hold exactly. */
    number_human(out, (double)format->max_significand);
    buffer_puts(out, "*");
    number_exponent(out, format->emax - format->precision + 1 - cast->scale);
}

static void add_list(struct buffer *out, const uint64_t *numbers, unsigned count)
{
    buffer_puts(out, "[");
    for (unsigned i = 0; i < count; i++)
        buffer_printf(out, "%s%" PRIu64, i ? ", " : "", numbers[i]);
    buffer_puts(out, "]");
}

void text_shape(struct buffer *out, const struct tensor *tensor)
{
    add_list(out, tensor->shape, tensor->rank);
}

void text_index(struct buffer *out, const struct tensor *tensor, uint64_t position)
{
    if (tensor->rank == 0)
        return;
    uint64_t index[RANK_LIMIT];
    tensor_index(tensor, position, index);
    add_list(out, index, tensor->rank);
}

void text_tensor(const struct page *page, struct buffer *out, const struct report_tensor *tensor,
                 int width)
{
    const char *name = tensor->tensor.name;
    struct buffer both = {0}, printable = {0};
    buffer_puts(&both, tensor->file);
    if (*name) {
        buffer_puts(&both, ": ");
        buffer_puts(&both, name);
    }
    escape_terminal(&printable, both.data, page->style->utf8);
    bool fits = text_width(printable.data) <= width;
    page_name(page, out, fits || !*name ? both.data : name, width);
    buffer_free(&both);
    buffer_free(&printable);
}

static void paragraph(struct page *page, enum ink ink, struct buffer *text)
{
    page_pad(page, INDENT);
    page_paragraph(page, INDENT, ink, text->data);
    buffer_free(text);
}

/* In general; the sentences about each format say what it comes to there. */
static const char *overflow_text(const struct report_settings *given)
{
    if (given->saturate || given->rounding == ROUND_TOWARD_ZERO)
        return "clamped to the largest finite number";
    if (given->rounding == ROUND_UP || given->rounding == ROUND_DOWN)
        return "to infinity or clamped, as the rounding has it";
    return "to infinity where the format has one";
}

/* How the elements were cast, as far as it is the same for all. */
static void settings(struct page *page, const struct report *report)
{
    const struct report_settings *given = &report->settings;
    struct buffer text = {0};
    buffer_printf(&text, "Rounding: %s", rounding_name(given->rounding));
    if (given->rounding == ROUND_STOCHASTIC)
        buffer_printf(&text, ", seed %" PRIu64, given->seed);
    buffer_printf(&text, ". Overflow: %s.", overflow_text(given));
    const struct {
        const char *title, *value;
    } optional[] = {{"Scale", given->scale},
                    {"Raw", given->raw},
                    {"View", given->view},
                    {"Update", given->update},
                    {"Update scale", given->update_scale},
                    {"Moving average", given->ema}};
    for (size_t i = 0; i < sizeof optional / sizeof optional[0]; i++)
        if (optional[i].value) {
            buffer_printf(&text, " %s: ", optional[i].title);
            page_name(page, &text, optional[i].value, page->width / 2);
            buffer_puts(&text, ".");
        }
    if (given->steps) {
        buffer_puts(&text, " Steps: ");
        number_count(&text, given->steps);
        buffer_puts(&text, ".");
    }
    page_paragraph(page, 0, INK_DIM, text.data);
    buffer_free(&text);
}

void text_value(struct buffer *out, const struct value *value, const struct tensor *tensor)
{
    switch (value->kind) {
    case VALUE_NULL:
        buffer_puts(out, "none");
        break;
    case VALUE_COUNT:
        number_count(out, value->count);
        break;
    case VALUE_REAL:
        number_human(out, value->real);
        break;
    case VALUE_INDEX:
        text_index(out, tensor, value->count);
        break;
    }
}

enum { GATE_COLUMNS = 4, GATE_GAP = 2 };

static const char *const gate_titles[GATE_OFF][GATE_COLUMNS] = {
    [GATE_ERROR] = {"fails on", "value", "format", "tensor"},
    [GATE_WARN] = {"warns on", "value", "format", "tensor"},
};

static void gate_cells(const struct page *page, const struct report *report,
                       const struct report_gate *gate, int tensor_width,
                       struct buffer cells[GATE_COLUMNS])
{
    for (int i = 0; i < GATE_COLUMNS; i++) {
        cells[i].length = 0;
        buffer_puts(&cells[i], "");
    }
    page_name(page, &cells[0], gate->rule, page->width / 3);
    text_value(&cells[1], &gate->value, &gate->tensor->tensor);
    buffer_puts(&cells[2], report->casts[gate->cast].format.name);
    text_tensor(page, &cells[3], gate->tensor, tensor_width);
}

static void gate_line(struct page *page, enum ink ink, const char *const texts[GATE_COLUMNS],
                      const int widths[GATE_COLUMNS])
{
    page_pad(page, INDENT);
    for (int i = 0; i < GATE_COLUMNS; i++) {
        page_left(page, i ? INK_PLAIN : ink, texts[i], widths[i]);
        page_pad(page, GATE_GAP);
    }
    page_end_line(page);
}

/* Whether one more line is wanted. */
static bool has_room(const struct page *page, size_t lines)
{
    return page->style->top == 0 || lines < page->style->top;
}

/* What the columns need, within limits; the last takes what is left. */
static void measure_gates(const struct page *page, const struct report *report,
                          enum gate_level level, struct buffer cells[GATE_COLUMNS],
                          int widths[GATE_COLUMNS])
{
    int left = page->width - INDENT;
    size_t shown = 0;
    for (int i = 0; i + 1 < GATE_COLUMNS; i++)
        widths[i] = (int)strlen(gate_titles[level][i]);
    for (size_t g = 0; g < report->gate_count && has_room(page, shown); g++) {
        if (!told_is(&report->gates[g], level))
            continue;
        shown++;
        gate_cells(page, report, &report->gates[g], page->width, cells);
        for (int i = 0; i + 1 < GATE_COLUMNS; i++) {
            int width = text_width(cells[i].data), limit = page->width / (i ? 4 : 3);
            width = width < limit ? width : limit;
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    for (int i = 0; i + 1 < GATE_COLUMNS; i++)
        left -= widths[i] + GATE_GAP;
    widths[GATE_COLUMNS - 1] = left;
}

/* Returns how many it showed. */
static size_t failing_gates(struct page *page, const struct report *report, enum gate_level level,
                            struct sink *sink)
{
    const enum ink ink = level == GATE_WARN ? INK_WARN : INK_BAD;
    int widths[GATE_COLUMNS];
    size_t shown = 0;
    struct buffer cells[GATE_COLUMNS] = {{0}};
    measure_gates(page, report, level, cells, widths);
    gate_line(page, INK_DIM, gate_titles[level], widths);
    for (size_t g = 0; g < report->gate_count && has_room(page, shown); g++) {
        if (!told_is(&report->gates[g], level) || !sink_goes_on(sink))
            continue;
        shown++;
        gate_cells(page, report, &report->gates[g], widths[GATE_COLUMNS - 1], cells);
        const char *const texts[GATE_COLUMNS] = {cells[0].data, cells[1].data, cells[2].data,
                                                 cells[3].data};
        gate_line(page, ink, texts, widths);
    }
    for (int i = 0; i < GATE_COLUMNS; i++)
        buffer_free(&cells[i]);
    return shown;
}

/* What is missing is told first. */
static void incomplete(struct page *page, const struct report *report)
{
    if (!report->incomplete)
        return;
    page_paragraph(page, 0, INK_BAD, "Incomplete: there was trouble, see the messages.");
    page_end_line(page);
}

void text_verdict(struct buffer *text, const struct report *report)
{
    size_t failed = told_count(report, GATE_ERROR), warned = told_count(report, GATE_WARN);
    size_t held = report->gate_count - failed - warned, start = text->length;
    if (failed)
        buffer_printf(text, "%zu of %zu gates", failed, report->gate_count);
    else if (report->incomplete)
        buffer_printf(text, "incomplete; on what was read %zu gates hold", held);
    else if (held || !warned)
        buffer_printf(text, "%zu %s", held, held == 1 ? "gate holds" : "gates hold");
    if (warned)
        buffer_printf(text, "%s%zu %s", text->length > start ? ", " : "", warned,
                      warned == 1 ? "warning" : "warnings");
}

/* Those of the level, as many as there is room for, and how many more. */
static void gates_section(struct page *page, const struct report *report, enum gate_level level,
                          size_t count, struct sink *sink)
{
    size_t more = count ? count - failing_gates(page, report, level, sink) : 0;
    struct buffer text = {0};
    if (!more)
        return;
    buffer_printf(&text, level == GATE_WARN ? "%zu more warn%s" : "%zu more fail%s", more,
                  more == 1 ? "s" : "");
    paragraph(page, level == GATE_WARN ? INK_WARN : INK_BAD, &text);
}

static void verdict(struct page *page, const struct report *report, struct sink *sink)
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
    gates_section(page, report, GATE_ERROR, failed, sink);
    gates_section(page, report, GATE_WARN, warned, sink);
    if (failed && held) {
        if (held == 1)
            buffer_puts(&text, "the other one holds");
        else
            buffer_printf(&text, "the other %zu hold", held);
        paragraph(page, INK_GOOD, &text);
    }
    page_end_line(page);
}

static void add_real(struct buffer *out, const char *before, const struct value *value)
{
    if (value->kind != VALUE_REAL)
        return;
    buffer_puts(out, before);
    number_human(out, value->real);
}

static void add_count(struct buffer *out, const struct value *value, const char *one,
                      const char *many)
{
    uint64_t count = text_count_of(value);
    if (count == 0)
        return;
    buffer_puts(out, out->length ? ", " : "");
    number_count(out, count);
    buffer_printf(out, " %s", count == 1 ? one : many);
}

/* The range of the elements and those outside it. */
static void input_line(struct page *page, const struct subject *subject)
{
    const struct value *input = subject->input;
    if (subject->elements == 0)
        return;
    struct buffer text = {0};
    buffer_puts(&text, "");
    if (input[METRIC_INPUT_MIN_ABS].kind == VALUE_REAL) {
        add_real(&text, "magnitudes ", &input[METRIC_INPUT_MIN_ABS]);
        add_real(&text, " to ", &input[METRIC_INPUT_MAX_ABS]);
        add_real(&text, ", mean ", &input[METRIC_INPUT_MEAN]);
        add_real(&text, ", rms ", &input[METRIC_INPUT_RMS]);
    } else {
        buffer_puts(&text, input[METRIC_INPUT_MAX_ABS].kind == VALUE_REAL
                               ? "no element other than zero"
                               : "no finite element");
    }
    add_count(&text, &input[METRIC_INPUT_ZERO], "zero", "zeros");
    add_count(&text, &input[METRIC_INPUT_NAN], "NaN", "NaN");
    add_count(&text, &input[METRIC_INPUT_INF], "Inf", "Inf");
    paragraph(page, INK_PLAIN, &text);
}

static void add_elements(struct buffer *out, uint64_t elements)
{
    number_count(out, elements);
    buffer_puts(out, elements == 1 ? " element" : " elements");
}

static void tensor_heading(struct page *page, const struct report_tensor *tensor)
{
    const char *name = tensor->tensor.name;
    struct buffer title = {0}, text = {0};
    page_name(page, &title, *name ? name : tensor->file, page->width);
    page_rule(page, title.data);
    buffer_free(&title);

    buffer_puts(&text, "");
    if (*name) {
        page_name(page, &text, tensor->file, page->width - 2 * INDENT);
        buffer_puts(&text, ", ");
    }
    buffer_printf(&text, "%s, shape ", tensor->tensor.dtype.name);
    text_shape(&text, &tensor->tensor);
    buffer_puts(&text, ", ");
    add_elements(&text, tensor->tensor.elements);
    paragraph(page, INK_PLAIN, &text);
}

/* What there is to know first. */
static void facts(struct page *page, const struct subject *subject)
{
    input_line(page, subject);
    page_end_line(page);
    text_facts(page, subject);
}

static void details(struct page *page, const struct subject *subject)
{
    if (subject->elements == 0)
        return;
    text_table(page, subject);
    text_bits(page, subject);
    text_fit(page, subject);
    text_exponents(page, subject);
    text_relative_errors(page, subject);
    if (page->style->verbose)
        text_sums(page, subject);
}

static void tensor_section(struct page *page, const struct report *report,
                           const struct report_tensor *tensor)
{
    struct report_figures room = {0};
    const struct report_figures *figures = report_figures_of(report, tensor, &room);
    const struct subject subject = {.report = report,
                                    .tensor = tensor,
                                    .elements = tensor->tensor.elements,
                                    .input = figures->input,
                                    .exponents = &figures->exponents,
                                    .sum = figures->sum,
                                    .casts = figures->casts,
                                    .cast_count = report->cast_count};
    tensor_heading(page, tensor);
    facts(page, &subject);
    details(page, &subject);
    report_figures_done(report, &room);
}

/* "a", "a and b", "a, b and c": item `i` of `count`. */
static void add_item(struct buffer *out, size_t i, size_t count, const char *name)
{
    buffer_printf(out, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " and ", name);
}

/* What the tensors take as they are, and once they are cast; formats of one size together. */
static void sizes(struct page *page, const struct report *report)
{
    struct buffer text = {0};
    if (report->size_count == 0)
        return;
    number_count(&text, report->bytes);
    buffer_puts(&text, " bytes in ");
    for (size_t s = 0; s < report->size_count; s++)
        add_item(&text, s, report->size_count, report->sizes[s].dtype.name);
    for (size_t c = 0, same; c < report->cast_count; c += same) {
        uint64_t bytes = report_bytes_after(report, c);
        for (same = 1; c + same < report->cast_count; same++)
            if (report_bytes_after(report, c + same) != bytes)
                break;
        buffer_puts(&text, ", ");
        number_count(&text, bytes);
        buffer_puts(&text, " in ");
        for (size_t i = 0; i < same; i++)
            add_item(&text, i, same, report->casts[c + i].format.name);
    }
    paragraph(page, INK_PLAIN, &text);
}

/* The facts, then the tensors that they are about, then the figures and histograms of all. */
static void many_tensors(struct page *page, const struct report *report, struct sink *sink)
{
    const struct subject subject = {.report = report,
                                    .elements = report->total_elements,
                                    .input = report->total.input,
                                    .exponents = &report->total.exponents,
                                    .casts = report->total.casts,
                                    .cast_count = report->cast_count};
    struct buffer text = {0};
    buffer_printf(&text, "all %zu tensors", report->tensor_count);
    page_rule(page, text.data);
    text.length = 0;
    add_elements(&text, report->total_elements);
    paragraph(page, INK_PLAIN, &text);
    sizes(page, report);
    facts(page, &subject);
    text_tensors(page, report, sink);
    if (report->total_elements)
        page_rule(page, "all of them in figures");
    details(page, &subject);
}

static void advice(struct page *page, const struct report *report)
{
    if (report->advice_count == 0)
        return;
    page_rule(page, "advice");
    for (size_t i = 0; i < report->advice_count; i++) {
        struct buffer text = {0};
        buffer_puts(&text, "");
        escape_terminal(&text, report->advice[i].text, page->style->utf8);
        page_pad(page, INDENT);
        page_paint(page, INK_TITLE, "- ");
        page_paragraph(page, 2 * INDENT, INK_PLAIN, text.data);
        buffer_free(&text);
    }
    page_end_line(page);
}

static void render(const struct report *report, const struct style *style, struct sink *sink)
{
    struct page page = page_on(&sink->text, style);
    bool many = report->tensor_count > 1;
    incomplete(&page, report);
    verdict(&page, report, sink);
    if (many)
        many_tensors(&page, report, sink);
    if (!many || style->verbose)
        for (size_t i = 0; i < report->tensor_count && sink_goes_on(sink); i++)
            tensor_section(&page, report, &report->tensors[i]);
    text_skipped(&page, report);
    advice(&page, report);
    settings(&page, report);
}

const struct renderer renderer_text = {"text", render, text_list};
