#include "report/advice.h"

#include <inttypes.h>
#include <math.h>

#include "base/buffer.h"
#include "report/bits.h"

/* Shares from which on there is something to say; the manual page has them too. */
static const double lost_share = 0.1, stuck_share = 0.1, frozen_share = 0.1;

static double figure(const struct report_cast *cast, enum metric metric)
{
    const struct value *value = &cast->figures[metric];
    return value->kind == VALUE_REAL ? value->real : 0;
}

void report_advise_with(struct report *report, const char *code, struct buffer *text)
{
    report->advice = room_for_one(report->advice, report->advice_count, sizeof *report->advice);
    report->advice[report->advice_count++] = (struct report_advice){code, text->data};
}

/* A share in four digits, and never 100 % where it is less. */
static void put_share(struct buffer *out, double share)
{
    if (share < 1 && share > 0.9999)
        buffer_puts(out, "more than 99.99 %");
    else
        buffer_printf(out, "%.4g %%", 100 * share);
}

/* In four digits, rounded up: what is above it is above the limit. */
static void put_weight(struct buffer *out, double weight)
{
    int exponent = (int)floor(log10(weight));
    double digits = ceil(weight / pow(10, exponent - 3)) / 1000;
    if (exponent >= -4 && exponent < 6)
        buffer_printf(out, "; weights of |w| > %.4g cannot move", digits * pow(10, exponent));
    else
        buffer_printf(out, "; weights of |w| > %.4ge%d cannot move", digits, exponent);
}

static void put_limit(struct buffer *out, const struct report_cast *total, double update)
{
    const struct cast *cast = total->cast;
    int exponent;
    if (total->scale_varies || !bits_frozen_from(cast, update, &exponent))
        return;
    if (exponent <= cast_emin(cast))
        buffer_puts(out, "; no weight can move");
    else if (exponent <= cast_emax(cast))
        put_weight(out, ldexp(1, exponent));
}

static void advise_on_updates(struct report *report, const struct report_cast *cast)
{
    double update = report->settings.constant_update;
    double lost = figure(cast, METRIC_UPDATE_LOST_RATE);
    if (!(lost >= lost_share))
        return;
    const char *format = cast->cast->format.name;
    struct buffer text = {0};
    put_share(&text, lost);
    if (update != 0 && !report->settings.update_scale)
        buffer_printf(&text, " of updates of %s", report->settings.update);
    else
        buffer_puts(&text, " of these updates");
    buffer_printf(&text, " are lost in %s", format);
    put_limit(&text, cast, update);
    buffer_printf(&text, ". Keep fp32 master weights and add the updates there");
    report_advise_with(report, "keep-master-weights", &text);
}

static void advise_on_averages(struct report *report, const struct report_cast *cast)
{
    double stuck = figure(cast, METRIC_EMA_LOST_RATE);
    if (!(stuck >= stuck_share))
        return;
    struct buffer text = {0};
    put_share(&text, stuck);
    buffer_printf(&text, " of the moving averages with beta %s are stuck in %s. Keep them in fp32",
                  report->settings.ema, cast->cast->format.name);
    report_advise_with(report, "keep-moments", &text);
}

static void advise_on_steps(struct report *report, const struct report_cast *cast)
{
    static const struct {
        const char *name;
        enum metric error;
    } remedies[] = {{"stochastic rounding", METRIC_STEPS_STOCHASTIC_MOVEMENT_ERROR},
                    {"Kahan compensation", METRIC_STEPS_KAHAN_MOVEMENT_ERROR},
                    {"an fp32 master copy", METRIC_STEPS_MASTER_MOVEMENT_ERROR}};
    double frozen = figure(cast, METRIC_STEPS_FROZEN_RATE);
    if (!(frozen >= frozen_share) || cast->figures[METRIC_STEPS_MOVEMENT_ERROR].kind != VALUE_REAL)
        return;
    struct buffer text = {0};
    put_share(&text, frozen);
    buffer_printf(&text, " of the weights have not moved in %s after %" PRIu64 " steps",
                  cast->cast->format.name, report->settings.steps);
    buffer_printf(&text, ", and the movement is off by %.3g of its length",
                  figure(cast, METRIC_STEPS_MOVEMENT_ERROR));
    for (size_t r = 0; r < sizeof remedies / sizeof *remedies; r++)
        if (cast->figures[remedies[r].error].kind == VALUE_REAL)
            buffer_printf(&text, "%s %.3g with %s", r ? "," : ":", figure(cast, remedies[r].error),
                          remedies[r].name);
    report_advise_with(report, "choose-remedy", &text);
}

void report_advise(struct report *report)
{
    for (size_t c = 0; c < report->cast_count && report->total.casts; c++) {
        const struct report_cast *cast = &report->total.casts[c];
        if (report->has_group[GROUP_UPDATE])
            advise_on_updates(report, cast);
        if (report->has_group[GROUP_EMA])
            advise_on_averages(report, cast);
        if (report->has_group[GROUP_STEPS])
            advise_on_steps(report, cast);
    }
}
