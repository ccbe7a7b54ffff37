/* Figures as bytes: a struct report_cast has a kilobyte of mostly null figures, and a report may
 * have 10^5 tensors with several casts each. Counts, and positions, are small as a rule and are
 * written in groups of seven bits; what is null is left out. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "report/report.h"

static void put_number(struct buffer *out, uint64_t number)
{
    unsigned char bytes[10];
    size_t count = 0;
    for (; number >= 0x80; number >>= 7)
        bytes[count++] = (unsigned char)(number | 0x80);
    bytes[count++] = (unsigned char)number;
    buffer_add(out, bytes, count);
}

/* Small magnitudes take few bits whatever their sign. */
static void put_signed(struct buffer *out, int number)
{
    put_number(out, number < 0 ? 2 * (uint64_t) - (int64_t)number - 1 : 2 * (uint64_t)number);
}

static void put_text(struct buffer *out, const char *text)
{
    size_t length = text ? strlen(text) + 1 : 0; /* 0 of none */
    put_number(out, length);
    if (length)
        buffer_add(out, text, length - 1);
}

static void put_histogram(struct buffer *out, const struct histogram *histogram)
{
    put_signed(out, histogram->first);
    put_number(out, histogram->length);
    for (size_t i = 0; i < histogram->length; i++)
        put_number(out, histogram->counts[i]);
}

/* Each as its place after the one before, its kind and its value; a place of 0 at the end. */
static void put_values(struct buffer *out, const struct value *values)
{
    int before = -1;
    for (int m = 0; m < METRIC_COUNT; m++) {
        const struct value *value = &values[m];
        if (value->kind == VALUE_NULL)
            continue;
        put_number(out, (uint64_t)(m - before) << 2 | (unsigned)value->kind);
        before = m;
        if (value->kind == VALUE_REAL)
            buffer_add(out, &value->real, sizeof value->real);
        else
            put_number(out, value->count);
    }
    put_number(out, 0);
}

static void put_cast(struct buffer *out, const struct report_cast *cast)
{
    put_signed(out, cast->scale);
    put_values(out, cast->figures);
    put_number(out, cast->relative_exact);
    put_histogram(out, &cast->relative_error);
    put_text(out, cast->sum_e);
    put_text(out, cast->sum_abs_e);
    put_text(out, cast->sum_e2);
    put_text(out, cast->sum_x2);
    put_number(out, cast->has_fit);
    put_signed(out, cast->fit_scale);
    put_number(out, cast->fit_below);
    put_number(out, cast->below);
}

void report_pack(const struct report *report, struct report_tensor *tensor)
{
    struct report_figures *figures = tensor->figures;
    struct buffer out = {0};
    put_values(&out, figures->input);
    put_histogram(&out, &figures->exponents);
    put_text(&out, figures->sum);
    for (size_t c = 0; c < report->cast_count; c++)
        put_cast(&out, &figures->casts[c]);
    report_figures_done(report, figures);
    free(figures);
    tensor->figures = NULL;
    tensor->packed = reallocate(out.data, out.length, 1);
}

static uint64_t take_number(const unsigned char **at)
{
    uint64_t number = 0;
    for (int shift = 0;; shift += 7) {
        unsigned char byte = *(*at)++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
}

static int take_signed(const unsigned char **at)
{
    uint64_t number = take_number(at);
    return number & 1 ? -(int)((number + 1) / 2) : (int)(number / 2);
}

static char *take_text(const unsigned char **at)
{
    size_t length = (size_t)take_number(at);
    if (!length)
        return NULL;
    char *text = copy_bytes(*at, length - 1);
    *at += length - 1;
    return text;
}

static struct histogram take_histogram(const unsigned char **at)
{
    struct histogram histogram = {.first = take_signed(at)};
    histogram.length = (size_t)take_number(at);
    if (histogram.length)
        histogram.counts = allocate(histogram.length, sizeof *histogram.counts);
    for (size_t i = 0; i < histogram.length; i++)
        histogram.counts[i] = take_number(at);
    return histogram;
}

static void take_values(const unsigned char **at, struct value *values)
{
    memset(values, 0, METRIC_COUNT * sizeof *values);
    uint64_t step;
    for (int m = -1; (step = take_number(at)) != 0;) {
        m += (int)(step >> 2);
        values[m].kind = (enum value_kind)(step & 3);
        if (values[m].kind == VALUE_REAL) {
            memcpy(&values[m].real, *at, sizeof values[m].real);
            *at += sizeof values[m].real;
        } else {
            values[m].count = take_number(at);
        }
    }
}

static void take_cast(const unsigned char **at, struct report_cast *cast)
{
    cast->scale = take_signed(at);
    take_values(at, cast->figures);
    cast->relative_exact = take_number(at);
    cast->relative_error = take_histogram(at);
    cast->sum_e = take_text(at);
    cast->sum_abs_e = take_text(at);
    cast->sum_e2 = take_text(at);
    cast->sum_x2 = take_text(at);
    cast->has_fit = take_number(at);
    cast->fit_scale = take_signed(at);
    cast->fit_below = take_number(at);
    cast->below = take_number(at);
}

const struct report_figures *report_figures_of(const struct report *report,
                                               const struct report_tensor *tensor,
                                               struct report_figures *room)
{
    if (tensor->figures)
        return tensor->figures;
    const unsigned char *at = tensor->packed;
    take_values(&at, room->input);
    room->exponents = take_histogram(&at);
    room->sum = take_text(&at);
    room->casts = allocate(report->cast_count, sizeof *room->casts);
    room->bound = allocate(report->cast_count, sizeof *room->bound);
    for (size_t c = 0; c < report->cast_count; c++) {
        take_cast(&at, &room->casts[c]);
        room->bound[c] = report->casts[c];
        room->bound[c].scale = room->casts[c].scale;
        room->casts[c].cast = &room->bound[c];
    }
    return room;
}
