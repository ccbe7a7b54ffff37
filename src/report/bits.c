#include "report/bits.h"

#include <math.h>

/* The share of the updates that may be lost. */
static const double kept_share = 0.01;

int bits_to_keep(int precision, double threshold, double update)
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

bool bits_narrowest(int precision, struct format *format)
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

bool bits_apply(const struct report *report, const struct report_cast *casts)
{
    double update = report->settings.constant_update;
    if (!report->has_group[GROUP_UPDATE] || !rounds_to_nearest(report->settings.rounding) ||
        update == 0 || isinf(update))
        return false;
    bool any = false;
    for (size_t c = 0; c < report->cast_count; c++)
        any = any || has_threshold(&casts[c]);
    return any;
}

struct bits bits_of(const struct report *report, const struct report_cast *cast)
{
    struct bits bits = {.known = has_threshold(cast)};
    if (!bits.known)
        return bits;
    int precision = cast->cast->format.precision;
    bits.least = bits_to_keep(precision, cast->figures[METRIC_UPDATE_P99].real,
                              report->settings.constant_update);
    bits.enough = cast->figures[METRIC_UPDATE_LOST_RATE].real <= kept_share;
    /* An update of just the threshold may move the element, too. */
    bits.its_own = bits.enough && (bits.least == 0 || bits.least >= precision);
    bits.has_format = bits_narrowest(bits.least ? bits.least : BITS_MOST, &bits.format);
    return bits;
}

/* To nearest an update moves q only if it is half the distance to the next number, 2^(E - p), or
 * more; so from the least 2^E on of which that is above |u| nothing moves. */
bool bits_frozen_from(const struct cast *cast, double update, int *exponent)
{
    if (update == 0 || isinf(update) || !rounds_to_nearest(cast->rounding))
        return false;
    *exponent = ilogb(update) + cast->format.precision + 1;
    return true;
}
