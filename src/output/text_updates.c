/* What becomes of updates, in sentences, and the precision that would keep them. */
#include "output/text.h"

#include <math.h>

#include "output/number.h"

/* Shares from which on a loss is a bad one, and up to which it is none to speak of. */
static const double bad_share = 0.1, kept_share = 0.01;

enum { BITS_LEAST = 2, BITS_MOST = 53 };

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

int text_bits_to_keep(int precision, double threshold, double update)
{
    for (int bits = BITS_LEAST; bits <= BITS_MOST; bits++)
        if (ldexp(threshold, precision - bits) < fabs(update))
            return bits;
    return 0;
}

static bool is_narrower(const struct format *a, const struct format *b)
{
    return a->bits != b->bits ? a->bits < b->bits : a->precision < b->precision;
}

bool text_narrowest(int precision, struct format *format)
{
    struct format best = format_named(0), most = best;
    bool found = false;
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++) {
        struct format candidate = format_named(i);
        if (candidate.precision > most.precision)
            most = candidate;
        if (candidate.precision >= precision && (!found || is_narrower(&candidate, &best))) {
            best = candidate;
            found = true;
        }
    }
    *format = found ? best : most;
    return found;
}

/* A threshold that halves with each bit. */
static bool has_threshold(const struct report_cast *cast)
{
    const struct value *p99 = &cast->figures[METRIC_UPDATE_P99];
    return cast->figures[METRIC_UPDATE_LOST_RATE].kind == VALUE_REAL && p99->kind == VALUE_REAL &&
           p99->real > 0 && isfinite(p99->real);
}

static void add_lost(struct buffer *out, double lost)
{
    buffer_puts(out, " lose ");
    if (lost == 0)
        buffer_puts(out, "none");
    else
        text_rate(out, lost);
}

static void add_narrowest(struct buffer *out, int bits)
{
    struct format format;
    if (text_narrowest(bits, &format))
        buffer_printf(out, "; the narrowest format with that is %s", format.name);
    else
        buffer_printf(out, "; no known format has that (%s has %d)", format.name, format.precision);
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
static enum ink add_bits(struct buffer *out, const struct report_cast *cast, double update)
{
    int precision = cast->cast->format.precision;
    int bits = text_bits_to_keep(precision, cast->figures[METRIC_UPDATE_P99].real, update);
    double lost = cast->figures[METRIC_UPDATE_LOST_RATE].real;
    bool kept = lost <= kept_share;
    /* An update of just the threshold may move the element, too. */
    bool its_own = kept && (bits == 0 || bits >= precision);
    if (its_own) {
        buffer_printf(out, "its %d, which", precision);
        add_lost(out, lost);
    } else {
        buffer_printf(out, bits ? "%d" : "more than %d", bits ? bits : BITS_MOST);
        buffer_printf(out, " (its %d", precision);
        add_lost(out, lost);
        buffer_puts(out, ")");
        add_narrowest(out, bits ? bits : BITS_MOST);
    }
    return kept ? INK_GOOD : text_rate_ink(lost);
}

static void tell_bits(struct page *page, const struct subject *subject,
                      const struct report_cast *cast, double update)
{
    struct buffer text = {0};
    enum ink ink = has_threshold(cast) ? add_bits(&text, cast, update)
                                       : no_bits(&text, &cast->figures[METRIC_UPDATE_P99]);
    text_sentence(page, subject, cast->cast->format.name, ink, text.data);
    buffer_free(&text);
}

void text_bits(struct page *page, const struct subject *subject)
{
    const struct report *report = subject->report;
    double update = report->settings.constant_update;
    bool any = false;
    if (!report->has_group[GROUP_UPDATE] || !rounds_to_nearest(report->settings.rounding) ||
        update == 0 || isinf(update))
        return;
    for (size_t i = 0; i < subject->cast_count; i++)
        any = any || has_threshold(&subject->casts[i]);
    if (!any)
        return;
    page_paragraph(page, 0, INK_TITLE,
                   "Significand bits that keep 99 % of the updates, exponent range aside");
    for (size_t i = 0; i < subject->cast_count; i++)
        tell_bits(page, subject, &subject->casts[i], update);
    page_end_line(page);
}
