/* What a cast does to the elements, in sentences. */
#include "output/text/text.h"

#include <stdio.h>

#include "output/number.h"

/* Words the sentences about one cast. */
struct teller {
    const struct page *page;
    const struct subject *subject;
    const struct report_cast *cast;
    const struct audience *audience;
    struct buffer text; /* the sentence under way */
};

/* Prints the sentences about one format; its name stands before the first. */
struct printer {
    struct page *page;
    const struct subject *subject;
    const char *name;
};

static void print(void *context, enum ink ink, const char *sentence)
{
    struct printer *printer = context;
    text_sentence(printer->page, printer->subject, printer->name, ink, sentence);
    printer->name = "";
}

/* The sentences of `tell` about each cast, on the page. */
static void print_all(struct page *page, const struct subject *subject, text_tell *tell)
{
    for (size_t i = 0; i < subject->cast_count; i++) {
        const struct report_cast *cast = &subject->casts[i];
        struct printer printer = {page, subject, cast->cast->format.name};
        tell(page, subject, cast, &(struct audience){print, &printer});
    }
}

void text_sentence(struct page *page, const struct subject *subject, const char *name, enum ink ink,
                   const char *text)
{
    int column = text_format_width(subject) + 4;
    page_pad(page, 2);
    page_left(page, INK_TITLE, name, column - 2);
    page_paragraph(page, column, ink, text);
}

/* Ends the sentence. */
static void tell(struct teller *t, enum ink ink)
{
    t->audience->hear(t->audience->context, ink, t->text.data);
    buffer_free(&t->text);
}

static uint64_t count(const struct teller *t, enum metric metric)
{
    return text_count_of(&t->cast->figures[metric]);
}

/* "12 of 16,384 elements (0.07 %) " and then what they do. */
static void elements(struct teller *t, uint64_t number, const char *one, const char *many)
{
    uint64_t all = t->subject->elements;
    if (number < all) {
        number_count(&t->text, number);
        buffer_puts(&t->text, " of ");
    } else if (all > 1) {
        buffer_puts(&t->text, "all ");
    }
    number_count(&t->text, all);
    buffer_puts(&t->text, all == 1 ? " element " : " elements ");
    if (number < all) {
        buffer_puts(&t->text, "(");
        number_share(&t->text, number, all);
        buffer_puts(&t->text, ") ");
    }
    buffer_puts(&t->text, number == 1 ? one : many);
}

static void largest(struct teller *t, const char *before)
{
    if (t->cast->scale_varies) {
        buffer_puts(&t->text, "the largest finite number");
        return;
    }
    buffer_puts(&t->text, before);
    text_largest(&t->text, t->cast);
}

static bool clamps(const struct cast *cast)
{
    return cast->saturate || cast->format.specials == SPECIALS_FINITE ||
           cast->rounding == ROUND_TOWARD_ZERO;
}

static void tell_overflow(struct teller *t)
{
    const struct cast *cast = t->cast->cast;
    const char *beyond = format_has_inf(&cast->format) ? "infinity" : "NaN";
    const char *plus_minus = page_glyph(t->page, "±", "+-");
    uint64_t number = count(t, METRIC_OVERFLOW);
    if (number == 0)
        return;
    if (clamps(cast)) {
        elements(t, number, "overflows and is clamped to ", "overflow and are clamped to ");
        largest(t, plus_minus);
    } else if (cast->rounding == ROUND_UP || cast->rounding == ROUND_DOWN) {
        bool up = cast->rounding == ROUND_UP;
        elements(t, number, "overflows: ", "overflow: ");
        buffer_printf(&t->text, "%s to %s, %s to ", up ? "upwards" : "downwards", beyond,
                      up ? "downwards" : "upwards");
        largest(t, up ? "-" : "");
    } else {
        elements(t, number, "overflows and becomes ", "overflow and become ");
        buffer_puts(&t->text, beyond);
    }
    tell(t, INK_BAD);
}

static void add_counted(struct buffer *out, uint64_t number, const char *one, const char *many)
{
    number_count(out, number);
    buffer_puts(out, number == 1 ? one : many);
}

/* NaN that the format cannot hold. */
static void tell_nan_lost(struct teller *t)
{
    uint64_t number = count(t, METRIC_NAN);
    const struct format *format = &t->cast->cast->format;
    if (number == 0 || format_has_nan(format))
        return;
    add_counted(&t->text, number, " NaN becomes ", " NaN become ");
    largest(t, "");
    buffer_printf(&t->text, ": %s has no NaN", format->name);
    tell(t, INK_BAD);
}

static bool keeps_infinity(const struct cast *cast)
{
    return format_has_inf(&cast->format) && !cast->saturate;
}

static void tell_infinity_lost(struct teller *t)
{
    uint64_t number = count(t, METRIC_INF);
    const struct cast *cast = t->cast->cast;
    if (number == 0 || keeps_infinity(cast))
        return;
    if (cast->saturate || !format_has_nan(&cast->format)) {
        add_counted(&t->text, number, " infinity is clamped to ", " infinities are clamped to ");
        largest(t, page_glyph(t->page, "±", "+-"));
    } else {
        add_counted(&t->text, number, " infinity becomes NaN", " infinities become NaN");
    }
    if (!format_has_inf(&cast->format))
        buffer_printf(&t->text, ": %s has no infinity", cast->format.name);
    tell(t, INK_BAD);
}

static void tell_kept(struct teller *t)
{
    const struct cast *cast = t->cast->cast;
    uint64_t nan = format_has_nan(&cast->format) ? count(t, METRIC_NAN) : 0;
    uint64_t inf = keeps_infinity(cast) ? count(t, METRIC_INF) : 0;
    if (nan)
        add_counted(&t->text, nan, " NaN", " NaN");
    if (nan && inf)
        buffer_puts(&t->text, " and ");
    if (inf)
        add_counted(&t->text, inf, " infinity", " infinities");
    if (nan || inf) {
        buffer_puts(&t->text, nan + inf == 1 ? " stays what it is" : " stay what they are");
        tell(t, INK_WARN);
    }
}

static void tell_class(struct teller *t, uint64_t number, enum ink ink, const char *one,
                       const char *many)
{
    if (number == 0)
        return;
    elements(t, number, one, many);
    tell(t, ink);
}

static bool is_lossless(const struct teller *t)
{
    const struct value *relative = &t->cast->figures[METRIC_ERROR_MAX_REL];
    return relative->kind == VALUE_REAL && relative->real == 0 && count(t, METRIC_OVERFLOW) == 0;
}

static void tell_fate(struct teller *t)
{
    enum ink ink;
    if (text_fate(&t->text, t->subject, t->cast, &ink))
        tell(t, ink);
}

/* "nothing overflows, underflows to zero or becomes subnormal", as far as that is so. */
static void tell_what_is_well(struct teller *t)
{
    if (count(t, METRIC_NAN) + count(t, METRIC_INF) == t->subject->elements)
        return;
    static const struct {
        enum metric metric;
        const char *verb;
    } harms[] = {{METRIC_OVERFLOW, "overflows"},
                 {METRIC_UNDERFLOW, "underflows to zero"},
                 {METRIC_SUBNORMAL, "becomes subnormal"}};
    enum { HARM_COUNT = sizeof harms / sizeof harms[0] };
    const char *absent[HARM_COUNT];
    int absent_count = 0;
    for (int i = 0; i < HARM_COUNT; i++)
        if (count(t, harms[i].metric) == 0)
            absent[absent_count++] = harms[i].verb;
    if (absent_count == 0)
        return;
    buffer_puts(&t->text, "nothing ");
    for (int i = 0; i < absent_count; i++) {
        const char *before = i == 0 ? "" : i + 1 == absent_count ? " or " : ", ";
        buffer_printf(&t->text, "%s%s", before, absent[i]);
    }
    tell(t, INK_GOOD);
}

static void tell_place(struct teller *t, const struct value *position,
                       const struct report_tensor *where)
{
    const struct report_tensor *tensor = t->subject->tensor ? t->subject->tensor : where;
    if (!tensor || position->kind != VALUE_INDEX)
        return;
    if (tensor->tensor.rank > 0) {
        buffer_puts(&t->text, " at ");
        text_index(&t->text, &tensor->tensor, position->count);
    }
    if (!t->subject->tensor) {
        buffer_puts(&t->text, " of ");
        text_tensor(t->page, &t->text, tensor, t->page->width / 2);
    }
}

static void tell_error(struct teller *t)
{
    const struct value *figures = t->cast->figures;
    const struct value *relative = &figures[METRIC_ERROR_MAX_REL];
    const struct value *input = &figures[METRIC_ERROR_MAX_REL_INPUT];
    const struct value *sqnr = &figures[METRIC_ERROR_SQNR_DB];
    if (relative->kind != VALUE_REAL) {
        buffer_puts(&t->text, "no error to measure: nothing is finite before and after");
        tell(t, INK_DIM);
        return;
    }
    if (relative->real == 0) {
        buffer_puts(&t->text, "every other finite element keeps its exact value");
        tell(t, INK_GOOD);
        return;
    }
    buffer_puts(&t->text, "relative error up to ");
    number_power(&t->text, relative->real);
    tell_place(t, &figures[METRIC_ERROR_MAX_REL_AT], t->cast->max_rel_tensor);
    if (input->kind == VALUE_REAL) {
        buffer_puts(&t->text, " (value ");
        number_human(&t->text, input->real);
        buffer_puts(&t->text, ")");
    }
    if (sqnr->kind == VALUE_REAL) {
        buffer_puts(&t->text, ", SQNR ");
        number_decibels(&t->text, sqnr->real);
        buffer_puts(&t->text, " dB");
    }
    tell(t, INK_PLAIN);
}

void text_tell_facts(const struct page *page, const struct subject *subject,
                     const struct report_cast *cast, const struct audience *audience)
{
    struct teller teller = {page, subject, cast, audience, {0}}, *t = &teller;
    if (subject->elements == 0)
        return;
    tell_fate(t);
    tell_overflow(t);
    tell_nan_lost(t);
    tell_infinity_lost(t);
    tell_class(t, count(t, METRIC_UNDERFLOW), INK_BAD, "underflows to zero", "underflow to zero");
    tell_class(t, count(t, METRIC_SUBNORMAL), INK_WARN, "becomes subnormal (fewer bits)",
               "become subnormal (fewer bits)");
    tell_kept(t);
    if (is_lossless(t)) {
        buffer_puts(&t->text, "every finite element keeps its exact value");
        tell(t, INK_GOOD);
        return;
    }
    tell_what_is_well(t);
    tell_error(t);
}

void text_facts(struct page *page, const struct subject *subject)
{
    print_all(page, subject, text_tell_facts);
    if (subject->elements == 0) {
        page_pad(page, 2);
        page_paint(page, INK_DIM, "there is nothing to cast");
        page_end_line(page);
    }
    page_end_line(page);
}

/* How much lies outside the range of the normal numbers. */
static void tell_outside(struct teller *t)
{
    uint64_t below = t->cast->below, above = count(t, METRIC_OVERFLOW);
    uint64_t first = below ? below : above;
    add_counted(&t->text, first, " element (", " elements (");
    number_share(&t->text, first, t->subject->elements);
    buffer_printf(&t->text, ") %s %s the normal range, ", first == 1 ? "lies" : "lie",
                  below ? "below" : "above");
    number_count(&t->text, below ? above : below);
    buffer_puts(&t->text, below ? " above" : " below");
    tell(t, above ? INK_BAD : INK_WARN);
}

static void tell_best_scale(struct teller *t)
{
    const struct report_cast *cast = t->cast;
    if (cast->fit_below >= cast->below && count(t, METRIC_OVERFLOW) == 0) {
        buffer_puts(&t->text, "no scale by a power of two would fit better");
        tell(t, INK_PLAIN);
        return;
    }
    buffer_printf(&t->text, "--scale 2^%d would fit best: ", cast->fit_scale);
    number_count(&t->text, cast->fit_below);
    buffer_puts(&t->text, " below, 0 above");
    tell(t, INK_PLAIN);
}

void text_tell_fit(const struct page *page, const struct subject *subject,
                   const struct report_cast *cast, const struct audience *audience)
{
    struct teller teller = {page, subject, cast, audience, {0}}, *t = &teller;
    if (!cast->has_fit) {
        buffer_puts(&t->text, cast->scale_varies
                                  ? "the tensors have scales of their own"
                                  : "no finite element other than zero: any scale fits");
        tell(t, INK_DIM);
    } else if (cast->below == 0 && count(t, METRIC_OVERFLOW) == 0) {
        buffer_puts(&t->text, "fits as it is: all within the normal range");
        tell(t, INK_GOOD);
    } else {
        tell_outside(t);
        tell_best_scale(t);
    }
}

void text_fit(struct page *page, const struct subject *subject)
{
    page_paint(page, INK_TITLE, "Fit to the normal range");
    page_end_line(page);
    print_all(page, subject, text_tell_fit);
    page_end_line(page);
}
