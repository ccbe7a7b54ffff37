/* The report for people: the order of its parts, and the parts that are not about casts. */
#include "output/text/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "output/escape.h"
#include "output/number.h"

enum { INDENT = 2, PART_LEAST = 78, PART_GAP = 4 };

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

void text_label(struct buffer *out, const struct ranking *ranking,
                const struct report_tensor *tensor)
{
    const char *name = tensor->tensor.name;
    buffer_puts(out, *name && !ranking->names_repeat ? "" : tensor->file);
    if (*name && ranking->names_repeat)
        buffer_puts(out, ": ");
    buffer_puts(out, name);
}

void text_short_label(struct buffer *out, const struct ranking *ranking,
                      const struct report_tensor *tensor)
{
    struct buffer label = {0};
    text_label(&label, ranking, tensor);
    name_shorten(out, label.data);
    buffer_free(&label);
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

void text_settings(const struct page *page, struct buffer *out, const struct report *report)
{
    const struct report_settings *given = &report->settings;
    buffer_printf(out, "Rounding: %s", rounding_name(given->rounding));
    if (given->rounding == ROUND_STOCHASTIC)
        buffer_printf(out, ", seed %" PRIu64, given->seed);
    buffer_printf(out, ". Overflow: %s.", overflow_text(given));
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
            buffer_printf(out, " %s: ", optional[i].title);
            page_name(page, out, optional[i].value, page->width / 2);
            buffer_puts(out, ".");
        }
    if (given->steps) {
        buffer_puts(out, " Steps: ");
        number_count(out, given->steps);
        buffer_puts(out, ".");
    }
}

static void settings(struct page *page, const struct report *report)
{
    struct buffer text = {0};
    text_settings(page, &text, report);
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

/* What is missing is told first. */
static void incomplete(struct page *page, const struct report *report)
{
    if (!report->incomplete)
        return;
    page_paragraph(page, 0, INK_BAD, "Incomplete: there was trouble, see the messages.");
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

void text_input(struct buffer *out, const struct subject *subject)
{
    const struct value *input = subject->input;
    buffer_puts(out, "");
    if (subject->elements == 0)
        return;
    if (input[METRIC_INPUT_MIN_ABS].kind == VALUE_REAL) {
        add_real(out, "magnitudes ", &input[METRIC_INPUT_MIN_ABS]);
        add_real(out, " to ", &input[METRIC_INPUT_MAX_ABS]);
        add_real(out, ", mean ", &input[METRIC_INPUT_MEAN]);
        add_real(out, ", rms ", &input[METRIC_INPUT_RMS]);
    } else {
        buffer_puts(out, input[METRIC_INPUT_MAX_ABS].kind == VALUE_REAL
                             ? "no element other than zero"
                             : "no finite element");
    }
    add_count(out, &input[METRIC_INPUT_ZERO], "zero", "zeros");
    add_count(out, &input[METRIC_INPUT_NAN], "NaN", "NaN");
    add_count(out, &input[METRIC_INPUT_INF], "Inf", "Inf");
}

/* The range of the elements and those outside it. */
static void input_line(struct page *page, const struct subject *subject)
{
    struct buffer text = {0};
    text_input(&text, subject);
    if (subject->elements)
        paragraph(page, INK_PLAIN, &text);
    buffer_free(&text);
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

static void numbers(struct page *page, const struct subject *subject)
{
    text_table(page, subject);
    text_bits(page, subject);
    text_fit(page, subject);
}

static void histograms(struct page *page, const struct subject *subject)
{
    text_exponents(page, subject);
    text_relative_errors(page, subject);
}

/* On a wide page the numbers take what they need, and the histograms stand beside them. False where
 * there is no room for that. */
static bool side_by_side(struct page *page, const struct subject *subject)
{
    struct buffer left = {0}, right = {0};
    struct page one = *page, other = *page;
    one.out = &left;
    one.width = page->width - PART_GAP - PART_LEAST;
    int needed = one.width < PART_LEAST ? 0 : text_table_width(&one, subject);
    if (!needed)
        return false;
    one.width = needed > PART_LEAST ? needed : PART_LEAST;
    other.out = &right;
    other.width = page->width - PART_GAP - one.width;
    numbers(&one, subject);
    histograms(&other, subject);
    page_beside(page, &left, one.width + PART_GAP, &right);
    buffer_free(&left);
    buffer_free(&right);
    return true;
}

static void details(struct page *page, const struct subject *subject)
{
    if (subject->elements == 0)
        return;
    if (!side_by_side(page, subject)) {
        numbers(page, subject);
        histograms(page, subject);
    }
    if (page->style->verbose)
        text_sums(page, subject);
}

struct subject text_subject(const struct report *report, const struct report_tensor *tensor,
                            const struct report_figures *figures)
{
    return (struct subject){.report = report,
                            .tensor = tensor,
                            .elements = tensor ? tensor->tensor.elements : report->total_elements,
                            .input = figures->input,
                            .exponents = &figures->exponents,
                            .sum = tensor ? figures->sum : NULL,
                            .casts = figures->casts,
                            .cast_count = report->cast_count};
}

static void tensor_section(struct page *page, const struct report *report,
                           const struct report_tensor *tensor)
{
    struct report_figures room = {0};
    const struct report_figures *figures = report_figures_of(report, tensor, &room);
    const struct subject subject = text_subject(report, tensor, figures);
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

/* Formats of one size stand together. */
void text_sizes(struct buffer *out, const struct report *report)
{
    buffer_puts(out, "");
    if (report->size_count == 0)
        return;
    number_count(out, report->bytes);
    buffer_puts(out, " bytes in ");
    for (size_t s = 0; s < report->size_count; s++)
        add_item(out, s, report->size_count, report->sizes[s].dtype.name);
    for (size_t c = 0, same; c < report->cast_count; c += same) {
        uint64_t bytes = report_bytes_after(report, c);
        for (same = 1; c + same < report->cast_count; same++)
            if (report_bytes_after(report, c + same) != bytes)
                break;
        buffer_puts(out, ", ");
        number_count(out, bytes);
        buffer_puts(out, " in ");
        for (size_t i = 0; i < same; i++)
            add_item(out, i, same, report->casts[c + i].format.name);
    }
}

static void sizes(struct page *page, const struct report *report)
{
    struct buffer text = {0};
    text_sizes(&text, report);
    if (text.length)
        paragraph(page, INK_PLAIN, &text);
    buffer_free(&text);
}

/* The facts, then the tensors that they are about, then the figures and histograms of all. */
static void many_tensors(struct page *page, const struct report *report, struct sink *sink)
{
    const struct subject subject = text_subject(report, NULL, &report->total);
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
    text_gates(&page, report, sink);
    if (many)
        many_tensors(&page, report, sink);
    if (!many || style->verbose)
        for (size_t i = 0; i < report->tensor_count && sink_goes_on(sink); i++)
            tensor_section(&page, report, &report->tensors[i]);
    text_skipped(&page, report);
    advice(&page, report);
    settings(&page, report);
}

const struct renderer renderer_text = {.kind = "text", .render = render, .list = text_list};
