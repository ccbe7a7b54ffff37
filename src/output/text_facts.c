/* What a cast does to the elements, in sentences. */
#include "output/text.h"

#include <stdio.h>

#include "output/number.h"

/* Writes the sentences about one format; its name stands before the first. */
struct teller {
    struct page *page;
    const struct subject *subject;
    const struct report_cast *cast;
    int column;
    bool named;
    struct buffer text; /* the sentence under way */
};

static struct teller teller_for(struct page *page, const struct subject *subject,
                                const struct report_cast *cast)
{
    int column = text_format_width(subject) + 4;
    return (struct teller){.page = page, .subject = subject, .cast = cast, .column = column};
}

/* Ends the sentence. */
static void tell(struct teller *t, enum ink ink)
{
    page_pad(t->page, 2);
    page_left(t->page, INK_TITLE, t->named ? "" : t->cast->cast->format.name, t->column - 2);
    page_paragraph(t->page, t->column, ink, t->text.data);
    t->named = true;
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

/* NaN that the format cannot hold. */
static void tell_nan_lost(struct teller *t)
{
    uint64_t number = count(t, METRIC_NAN);
    const struct format *format = &t->cast->cast->format;
    if (number == 0 || format_has_nan(format))
        return;
    elements(t, number, "is NaN, which ", "are NaN, which ");
    buffer_printf(&t->text, "%s cannot hold: replaced by ", format->name);
    largest(t, "");
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
    elements(t, number, "is infinite", "are infinite");
    if (!format_has_inf(&cast->format))
        buffer_printf(&t->text, ", which %s cannot hold", cast->format.name);
    if (cast->saturate || !format_has_nan(&cast->format)) {
        buffer_puts(&t->text, ": clamped to ");
        largest(t, page_glyph(t->page, "±", "+-"));
    } else {
        buffer_puts(&t->text, number == 1 ? ": it becomes NaN" : ": they become NaN");
    }
    tell(t, INK_BAD);
}

static void tell_class(struct teller *t, uint64_t number, enum ink ink, const char *one,
                       const char *many)
{
    if (number == 0)
        return;
    elements(t, number, one, many);
    tell(t, ink);
}

/* "nothing overflows, underflows to zero or becomes subnormal", as far as that is so. */
static void tell_what_is_well(struct teller *t)
{
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
        buffer_puts(&t->text, "no element is finite before and after the cast: no error to measure");
        tell(t, INK_DIM);
        return;
    }
    if (relative->real == 0) {
        buffer_printf(&t->text, "every %sfinite element keeps its exact value",
                      count(t, METRIC_OVERFLOW) ? "other " : "");
        tell(t, INK_GOOD);
        return;
    }
    buffer_puts(&t->text, "largest relative error ");
    number_power(&t->text, relative->real);
    tell_place(t, &figures[METRIC_ERROR_MAX_REL_AT], t->cast->max_rel_tensor);
    if (input->kind == VALUE_REAL) {
        buffer_puts(&t->text, ", where the value is ");
        number_human(&t->text, input->real);
    }
    if (sqnr->kind == VALUE_REAL) {
        buffer_puts(&t->text, "; SQNR ");
        number_human(&t->text, sqnr->real);
        buffer_puts(&t->text, " dB");
    }
    tell(t, INK_PLAIN);
}

void text_facts(struct page *page, const struct subject *subject)
{
    for (size_t i = 0; i < subject->cast_count && subject->elements > 0; i++) {
        struct teller teller = teller_for(page, subject, &subject->casts[i]), *t = &teller;
        tell_overflow(t);
        tell_nan_lost(t);
        tell_infinity_lost(t);
        tell_class(t, count(t, METRIC_UNDERFLOW), INK_BAD, "underflows to zero",
                   "underflow to zero");
        tell_class(t, count(t, METRIC_SUBNORMAL), INK_WARN,
                   "becomes subnormal, with fewer significand bits",
                   "become subnormal, with fewer significand bits");
        if (format_has_nan(&t->cast->cast->format))
            tell_class(t, count(t, METRIC_NAN), INK_WARN, "is NaN and stays so",
                       "are NaN and stay so");
        if (keeps_infinity(t->cast->cast))
            tell_class(t, count(t, METRIC_INF), INK_WARN, "is infinite and stays so",
                       "are infinite and stay so");
        tell_what_is_well(t);
        tell_error(t);
    }
    if (subject->elements == 0) {
        page_pad(page, 2);
        page_paint(page, INK_DIM, "there is nothing to cast");
        page_end_line(page);
    }
    page_end_line(page);
}

/* How much lies outside the range of the normal numbers. */
static void add_outside(struct teller *t)
{
    const struct report_cast *cast = t->cast;
    uint64_t above = count(t, METRIC_OVERFLOW);
    elements(t, cast->below, "lies below the smallest normal number",
             "lie below the smallest normal number");
    if (!cast->scale_varies) {
        buffer_puts(&t->text, " (");
        text_scaled_power(&t->text, cast, cast->cast->format.emin);
        buffer_puts(&t->text, ")");
    }
    buffer_puts(&t->text, ", ");
    if (above)
        number_count(&t->text, above);
    else
        buffer_puts(&t->text, "none");
    buffer_puts(&t->text, " above the largest");
    if (!cast->scale_varies) {
        buffer_puts(&t->text, " (");
        text_largest(&t->text, cast);
        buffer_puts(&t->text, ")");
    }
    tell(t, above ? INK_BAD : INK_WARN);
}

static void add_best_scale(struct teller *t)
{
    const struct report_cast *cast = t->cast;
    uint64_t above = count(t, METRIC_OVERFLOW);
    if (cast->fit_below >= cast->below && above == 0) {
        buffer_puts(&t->text, "no power of two as a scale fits better");
        tell(t, INK_PLAIN);
        return;
    }
    buffer_printf(&t->text, "scale 2^%d would fit best: ", cast->fit_scale);
    number_count(&t->text, cast->fit_below);
    buffer_puts(&t->text, " below the smallest normal (now ");
    number_count(&t->text, cast->below);
    buffer_puts(&t->text, ")");
    if (above) {
        buffer_puts(&t->text, ", 0 above the largest (now ");
        number_count(&t->text, above);
        buffer_puts(&t->text, ")");
    }
    if (cast->fit_scale >= -SCALE_LIMIT && cast->fit_scale <= SCALE_LIMIT)
        buffer_printf(&t->text, "; try --scale 2^%d", cast->fit_scale);
    tell(t, INK_PLAIN);
}

void text_fit(struct page *page, const struct subject *subject)
{
    page_paint(page, INK_TITLE, "Range");
    page_end_line(page);
    for (size_t i = 0; i < subject->cast_count; i++) {
        struct teller teller = teller_for(page, subject, &subject->casts[i]), *t = &teller;
        if (!t->cast->has_fit) {
            buffer_puts(&t->text, "no finite element other than zero: any scale fits");
            tell(t, INK_DIM);
        } else if (t->cast->below == 0 && count(t, METRIC_OVERFLOW) == 0) {
            buffer_puts(&t->text, "fits as it is: all within the normal range");
            tell(t, INK_GOOD);
        } else {
            add_outside(t);
            add_best_scale(t);
        }
    }
    page_end_line(page);
}
