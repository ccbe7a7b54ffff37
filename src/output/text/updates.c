/* What becomes of updates, in sentences, and the precision that would keep them. */
#include "output/text/text.h"

#include <math.h>

#include "output/number.h"
#include "report/bits.h"

/* From which share on a loss is a bad one. */
static const double bad_share = 0.1;

void text_rate(struct buffer *out, double rate)
{
    /* As so many 2^-53, rounded up; what is neither 0 nor 1 stays between them. */
    const uint64_t whole = UINT64_C(1) << 53;
    number_share(out, (uint64_t)ceil(fmin(rate, 1) * (double)whole), whole);
}

enum ink text_rate_ink(double rate)
{
    return rate >= bad_share ? INK_BAD : rate > 0 ? INK_WARN : INK_GOOD;
}

void text_steps(struct buffer *out, const struct subject *subject)
{
    uint64_t steps = subject->report->settings.steps;
    number_count(out, steps);
    buffer_puts(out, steps == 1 ? " step" : " steps");
}

/* What is told of one cast, and how bad it is. */
struct fate {
    struct buffer *text;
    enum ink ink;
};

/* A rate in words: of nothing, of none, and after the share. */
struct words {
    const char *nothing, *none, *some;
};

static void worsen(struct fate *fate, enum ink ink)
{
    if (fate->ink != INK_BAD && ink != INK_GOOD)
        fate->ink = ink;
}

static void add_rate(struct fate *fate, const struct value *rate, const struct words *words)
{
    if (rate->kind != VALUE_REAL) {
        buffer_puts(fate->text, words->nothing);
        worsen(fate, INK_DIM);
    } else if (rate->real == 0) {
        buffer_puts(fate->text, words->none);
    } else {
        text_rate(fate->text, rate->real);
        buffer_puts(fate->text, words->some);
        worsen(fate, text_rate_ink(rate->real));
    }
}

static void add_overflow(struct fate *fate, const struct value *overflow)
{
    uint64_t number = text_count_of(overflow);
    if (number == 0)
        return;
    buffer_puts(fate->text, ", ");
    number_count(fate->text, number);
    buffer_puts(fate->text, number == 1 ? " overflows" : " overflow");
    worsen(fate, INK_BAD);
}

static void add_frozen(struct fate *fate, const struct subject *subject, const struct value *rate)
{
    if (rate->kind != VALUE_REAL)
        return;
    buffer_puts(fate->text, "; ");
    add_rate(fate, rate, &(struct words){"", "none frozen after ", " frozen after "});
    text_steps(fate->text, subject);
}

bool text_fate(struct buffer *out, const struct subject *subject, const struct report_cast *cast,
               enum ink *ink)
{
    static const struct words updates = {"no update to compare", "no update vanishes",
                                         " of the updates vanish"};
    static const struct words averages = {"no average to compare", "no average is stuck",
                                          " of the averages are stuck"};
    const bool *has = subject->report->has_group;
    const struct value *figures = cast->figures;
    struct fate fate = {out, INK_GOOD};
    if (has[GROUP_UPDATE]) {
        add_rate(&fate, &figures[METRIC_UPDATE_LOST_RATE], &updates);
        add_overflow(&fate, &figures[METRIC_UPDATE_OVERFLOW]);
    }
    if (has[GROUP_STEPS])
        add_frozen(&fate, subject, &figures[METRIC_STEPS_FROZEN_RATE]);
    if (has[GROUP_EMA]) {
        add_rate(&fate, &figures[METRIC_EMA_LOST_RATE], &averages);
        add_overflow(&fate, &figures[METRIC_EMA_OVERFLOW]);
    }
    *ink = fate.ink;
    return out->length > 0;
}

static void add_lost(struct buffer *out, double lost)
{
    buffer_puts(out, " lose ");
    if (lost == 0)
        buffer_puts(out, "none");
    else
        text_rate(out, lost);
}

static void add_narrowest(struct buffer *out, const struct bits *bits)
{
    const struct format *format = &bits->format;
    if (bits->has_format)
        buffer_printf(out, "; the narrowest format with that is %s", format->name);
    else
        buffer_printf(out, "; no known format has that (%s has %d)", format->name,
                      format->precision);
}

static enum ink no_bits(struct buffer *out, const struct value *p99)
{
    if (p99->kind != VALUE_REAL) {
        buffer_puts(out, "no update to compare");
    } else {
        buffer_puts(out, "cannot be told: 99 % take an update above ");
        number_power(out, p99->real);
    }
    return INK_DIM;
}

/* "24 (its 8 lose 100 %); the narrowest format with that is fp32" */
static enum ink add_bits(struct buffer *out, const struct bits *bits,
                         const struct report_cast *cast)
{
    int precision = cast->cast->format.precision;
    double lost = cast->figures[METRIC_UPDATE_LOST_RATE].real;
    if (bits->its_own) {
        buffer_printf(out, "its %d, which", precision);
        add_lost(out, lost);
    } else {
        buffer_printf(out, bits->least ? "%d" : "more than %d",
                      bits->least ? bits->least : BITS_MOST);
        buffer_printf(out, " (its %d", precision);
        add_lost(out, lost);
        buffer_puts(out, ")");
        add_narrowest(out, bits);
    }
    return bits->enough ? INK_GOOD : text_rate_ink(lost);
}

enum ink text_cast_bits(struct buffer *out, const struct subject *subject,
                        const struct report_cast *cast)
{
    struct bits bits = bits_of(subject->report, cast);
    return bits.known ? add_bits(out, &bits, cast)
                      : no_bits(out, &cast->figures[METRIC_UPDATE_P99]);
}

static void tell_bits(struct page *page, const struct subject *subject,
                      const struct report_cast *cast)
{
    struct buffer text = {0};
    enum ink ink = text_cast_bits(&text, subject, cast);
    text_sentence(page, subject, cast->cast->format.name, ink, text.data);
    buffer_free(&text);
}

void text_bits(struct page *page, const struct subject *subject)
{
    if (!bits_apply(subject->report, subject->casts))
        return;
    page_paragraph(page, 0, INK_TITLE,
                   "Significand bits that keep 99 % of the updates, exponent range aside");
    for (size_t i = 0; i < subject->cast_count; i++)
        tell_bits(page, subject, &subject->casts[i]);
    page_end_line(page);
}
