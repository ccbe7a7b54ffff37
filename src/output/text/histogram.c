/* Histograms by binade: the magnitudes with the limits of the formats, and the relative errors. */
#include "output/text/text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "output/escape.h"
#include "output/number.h"

enum {
    ROWS_MOST = 32,    /* binades that get a row each */
    ROWS_GROUPED = 24, /* about as many rows for more binades than that */
    LABEL_WIDTH = 10,
    GAP = 2,
    BAR_LEAST = 6,
    BAR_GOOD = 18, /* below that nothing optional is shown */
    BAR_MOST = 48,
    ERROR_BAR_MOST = 24,
    APPROXIMATE_WIDTH = 11,
    WORDS_WIDTH = 14,
    SHARE_WIDTH = 8
};

/* The binades first .. last as rows of `per_row` each, from the top down. */
struct rows {
    int first, last, per_row;
};

static int floor_to(int value, int step)
{
    int rest = value % step;
    return value - (rest < 0 ? rest + step : rest);
}

static struct rows rows_for(int first, int last)
{
    int binades = last - first + 1;
    int per_row = binades <= ROWS_MOST ? 1 : (binades + ROWS_GROUPED - 1) / ROWS_GROUPED;
    return (struct rows){floor_to(first, per_row), floor_to(last, per_row), per_row};
}

static uint64_t bin(const struct histogram *histogram, int k)
{
    bool inside = k >= histogram->first && (size_t)(k - histogram->first) < histogram->length;
    return inside ? histogram->counts[k - histogram->first] : 0;
}

static int last_bin(const struct histogram *histogram)
{
    return histogram->first + (int)histogram->length - 1;
}

/* The elements of the row that begins with binade k. */
static uint64_t row_count(const struct histogram *histogram, const struct rows *rows, int k)
{
    uint64_t sum = 0;
    for (int i = 0; i < rows->per_row; i++)
        sum += bin(histogram, k + i);
    return sum;
}

static uint64_t largest_row(const struct histogram *histogram, const struct rows *rows)
{
    uint64_t most = 0;
    for (int k = rows->last; k >= rows->first; k -= rows->per_row) {
        uint64_t count = row_count(histogram, rows, k);
        most = count > most ? count : most;
    }
    return most;
}

static void title(struct page *page, const char *name, const struct rows *rows, const char *what)
{
    struct buffer text = {0};
    buffer_printf(&text, "%s  ", name);
    page_paint(page, INK_TITLE, text.data);
    int column = (int)text.length;
    text.length = 0;
    const char *up_to = page_glyph(page, "≤", "<=");
    if (rows->per_row == 1)
        buffer_printf(&text, "2^k %s %s < 2^(k+1)", up_to, what);
    else
        buffer_printf(&text, "2^k %s %s < 2^(k+%d), %d binades a row", up_to, what, rows->per_row,
                      rows->per_row);
    page_paragraph(page, column, INK_DIM, text.data);
    buffer_free(&text);
}

/* Counts beyond any tensor's are shortened rather than let the page grow. */
static void add_count(struct buffer *out, uint64_t count)
{
    if (count < UINT64_C(1000000000000))
        number_count(out, count);
    else
        number_human(out, (double)count);
}

/* Where a binade lies for a format, from the top down. */
enum region { REGION_OVERFLOW, REGION_LARGEST, REGION_NORMAL, REGION_SUBNORMAL, REGION_BELOW };

static const struct {
    const char *utf8, *ascii, *word, *legend;
    enum ink ink;
} regions[] = {
    [REGION_OVERFLOW] = {"▲", "^", "overflow", "overflow", INK_BAD},
    [REGION_LARGEST] = {"┬", "+", "max ", "largest finite", INK_GOOD},
    [REGION_NORMAL] = {"│", "|", "normal", "normal", INK_GOOD},
    [REGION_SUBNORMAL] = {"┊", ":", "subnormal", "subnormal", INK_WARN},
    [REGION_BELOW] = {"·", ".", "below", "below the subnormals", INK_BAD},
};

enum { REGION_COUNT = sizeof regions / sizeof regions[0] };

static enum region region_of(const struct report_cast *cast, int k)
{
    const struct format *format = &cast->cast->format;
    k += cast->scale;
    if (k >= format->emax)
        return k == format->emax ? REGION_LARGEST : REGION_OVERFLOW;
    if (k >= format->emin)
        return REGION_NORMAL;
    return k > format->emin - format->precision ? REGION_SUBNORMAL : REGION_BELOW;
}

/* How the histogram of magnitudes is laid out. */
struct layout {
    struct page *page;
    const struct subject *subject;
    struct rows rows;
    uint64_t most;
    bool approximate; /* the limits of the rows in decimal */
    bool limits;      /* columns that show where the formats' limits are */
    bool words;       /* and say what they show */
    int count_width, bar_width;
    size_t first, end; /* the formats that are drawn */
};

/* What is left beside the labels and counts. */
static int room_of(const struct layout *layout)
{
    int approximate = layout->approximate ? APPROXIMATE_WIDTH : 0;
    return layout->page->width - LABEL_WIDTH - approximate - layout->count_width - 2 * GAP;
}

/* Even the narrowest page has a bar and, where need be, the beginning of a format's name. */
static int limit_width(const struct layout *layout, const struct report_cast *cast)
{
    int name = (int)strlen(cast->cast->format.name);
    int least = layout->words ? WORDS_WIDTH : REGION_COUNT;
    int width = GAP + (name > least ? name : least), most = room_of(layout) - BAR_LEAST;
    most = most > REGION_COUNT ? most : REGION_COUNT;
    return width < most ? width : most;
}

/* Takes as many formats as fit from `first` on, and gives the rest of the line to the bars. */
static void lay_out(struct layout *layout, size_t first)
{
    const struct subject *subject = layout->subject;
    int room = room_of(layout);
    layout->first = layout->end = first;
    while (layout->limits && layout->end < subject->cast_count) {
        int width = limit_width(layout, &subject->casts[layout->end]);
        if (layout->end > first && room - width < BAR_LEAST)
            break;
        room -= width;
        layout->end++;
    }
    layout->bar_width = room < BAR_MOST ? room : BAR_MOST;
}

/* Whether all formats are drawn with bars of a good length. */
static bool is_roomy(struct layout *layout)
{
    lay_out(layout, 0);
    return layout->bar_width >= BAR_GOOD &&
           (!layout->limits || layout->end == layout->subject->cast_count);
}

static void draw_names(const struct layout *layout)
{
    struct page *page = layout->page;
    page_left(page, INK_DIM, "  from", LABEL_WIDTH);
    page_pad(page, layout->approximate ? APPROXIMATE_WIDTH : 0);
    page_right(page, INK_DIM, "elements", layout->count_width);
    page_pad(page, GAP + layout->bar_width + GAP);
    for (size_t i = layout->first; i < layout->end; i++) {
        const struct report_cast *cast = &layout->subject->casts[i];
        page_left(page, INK_TITLE, cast->cast->format.name, limit_width(layout, cast));
    }
    page_end_line(page);
}

/* The regions that the row which begins with binade k meets, and their names where they begin. */
static void draw_limit(const struct layout *layout, const struct report_cast *cast, int k)
{
    struct page *page = layout->page;
    int left = limit_width(layout, cast);
    int top = k + layout->rows.per_row - 1;
    for (int region = 0; region < REGION_COUNT; region++) {
        if (region < (int)region_of(cast, top) || region > (int)region_of(cast, k))
            continue;
        page_paint(page, regions[region].ink,
                   page_glyph(page, regions[region].utf8, regions[region].ascii));
        left--;
    }
    enum region here = region_of(cast, k);
    bool begins = k == layout->rows.last || region_of(cast, top + 1) != here;
    if (layout->words && begins) {
        struct buffer word = {0};
        buffer_printf(&word, " %s", regions[here].word);
        if (here == REGION_LARGEST)
            text_largest(&word, cast);
        page_left(page, regions[here].ink, word.data, left);
        left = 0;
        buffer_free(&word);
    }
    page_pad(page, left);
}

static void draw_row(const struct layout *layout, int k)
{
    struct page *page = layout->page;
    uint64_t count = row_count(layout->subject->exponents, &layout->rows, k);
    struct buffer text = {0};
    number_exponent(&text, k);
    page_pad(page, GAP);
    page_left(page, INK_DIM, text.data, LABEL_WIDTH - GAP);
    if (layout->approximate) {
        text.length = 0;
        if (ldexp(1, k) > 0) /* the lowest of several binades a row may lie under all numbers */
            number_human(&text, ldexp(1, k));
        else
            buffer_puts(&text, "");
        page_left(page, INK_DIM, text.data, APPROXIMATE_WIDTH);
    }
    text.length = 0;
    add_count(&text, count);
    page_right(page, count ? INK_PLAIN : INK_DIM, text.data, layout->count_width);
    page_pad(page, GAP);
    page_bar(page, INK_PLAIN, count, layout->most, layout->bar_width);
    page_pad(page, GAP);
    for (size_t i = layout->first; i < layout->end; i++)
        draw_limit(layout, &layout->subject->casts[i], k);
    page_end_line(page);
    buffer_free(&text);
}

/* Elements that are in no binade, counted without a bar. */
static void draw_outside(const struct layout *layout, enum metric metric, const char *name)
{
    uint64_t count = text_count_of(&layout->subject->input[metric]);
    if (count == 0)
        return;
    struct buffer text = {0};
    add_count(&text, count);
    page_pad(layout->page, GAP);
    page_left(layout->page, INK_DIM, name,
              LABEL_WIDTH - GAP + (layout->approximate ? APPROXIMATE_WIDTH : 0));
    page_right(layout->page, INK_PLAIN, text.data, layout->count_width);
    page_end_line(layout->page);
    buffer_free(&text);
}

static void draw_legend(const struct layout *layout)
{
    struct page *page = layout->page;
    struct buffer text = {0};
    if (!layout->limits)
        buffer_puts(&text, "limits of the formats are not shown: the scale varies");
    for (int i = 0; layout->limits && i < REGION_COUNT; i++)
        buffer_printf(&text, "%s%s %s", i ? "  " : "",
                      page_glyph(page, regions[i].utf8, regions[i].ascii), regions[i].legend);
    if (!layout->words) {
        page_pad(page, GAP);
        page_paragraph(page, GAP, INK_DIM, text.data);
    }
    buffer_free(&text);
}

static void draw(const struct layout *layout)
{
    draw_names(layout);
    draw_outside(layout, METRIC_INPUT_INF, "Inf");
    for (int k = layout->rows.last; k >= layout->rows.first; k -= layout->rows.per_row)
        draw_row(layout, k);
    draw_outside(layout, METRIC_INPUT_ZERO, "zero");
    draw_outside(layout, METRIC_INPUT_NAN, "NaN");
}

static int count_width(const struct layout *layout)
{
    static const enum metric outside[] = {METRIC_INPUT_INF, METRIC_INPUT_ZERO, METRIC_INPUT_NAN};
    uint64_t most = layout->most;
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        uint64_t count = text_count_of(&layout->subject->input[outside[i]]);
        most = count > most ? count : most;
    }
    struct buffer text = {0};
    add_count(&text, most);
    int width = text_width(text.data), least = (int)strlen("elements");
    buffer_free(&text);
    return width > least ? width : least;
}

static bool scale_varies(const struct subject *subject)
{
    for (size_t i = 0; i < subject->cast_count; i++)
        if (subject->casts[i].scale_varies)
            return true;
    return false;
}

void text_exponents(struct page *page, const struct subject *subject)
{
    const struct histogram *histogram = subject->exponents;
    if (histogram->length == 0)
        return;
    struct layout layout = {.page = page,
                            .subject = subject,
                            .rows = rows_for(histogram->first, last_bin(histogram)),
                            .limits = !scale_varies(subject)};
    layout.most = largest_row(histogram, &layout.rows);
    layout.count_width = count_width(&layout);
    layout.words = layout.limits && layout.rows.per_row == 1;
    if (layout.words && !is_roomy(&layout))
        layout.words = false;
    layout.approximate = true;
    if (!is_roomy(&layout))
        layout.approximate = false;

    title(page, "Magnitudes", &layout.rows, "|x|");
    size_t first = 0;
    do {
        lay_out(&layout, first);
        draw(&layout);
        first = layout.end;
    } while (layout.limits && first < subject->cast_count);
    draw_legend(&layout);
    page_end_line(page);
}

/* The relative errors of several formats side by side. */
struct errors {
    struct page *page;
    const struct subject *subject;
    struct rows rows;
    uint64_t most;
    int bar_width;
    size_t first, end;
};

static enum ink error_ink(const struct report_cast *cast, int k)
{
    if (k >= 0)
        return INK_BAD;
    /* No normal number errs by 2^(1 - precision) or more, whatever the rounding. */
    return k > -cast->cast->format.precision ? INK_WARN : INK_PLAIN;
}

static void draw_error_cell(const struct errors *errors, enum ink ink, uint64_t count,
                            const char *none)
{
    struct buffer share = {0};
    if (count)
        number_share(&share, count, errors->subject->elements);
    else
        buffer_puts(&share, none);
    page_bar(errors->page, ink, count, errors->most, errors->bar_width);
    page_right(errors->page, count ? INK_PLAIN : INK_DIM, share.data, SHARE_WIDTH);
    page_pad(errors->page, GAP);
    buffer_free(&share);
}

static void draw_errors(const struct errors *errors)
{
    struct page *page = errors->page;
    page_pad(page, LABEL_WIDTH);
    for (size_t i = errors->first; i < errors->end; i++) {
        page_left(page, INK_TITLE, errors->subject->casts[i].cast->format.name,
                  errors->bar_width + SHARE_WIDTH + GAP);
    }
    page_end_line(page);
    for (int k = errors->rows.last; k >= errors->rows.first; k -= errors->rows.per_row) {
        struct buffer label = {0};
        number_exponent(&label, k);
        page_pad(page, GAP);
        page_left(page, INK_DIM, label.data, LABEL_WIDTH - GAP);
        for (size_t i = errors->first; i < errors->end; i++) {
            const struct report_cast *cast = &errors->subject->casts[i];
            draw_error_cell(errors, error_ink(cast, k),
                            row_count(&cast->relative_error, &errors->rows, k), "");
        }
        page_end_line(page);
        buffer_free(&label);
    }
    page_pad(page, GAP);
    page_left(page, INK_DIM, "exact", LABEL_WIDTH - GAP);
    for (size_t i = errors->first; i < errors->end; i++)
        draw_error_cell(errors, INK_GOOD, errors->subject->casts[i].relative_exact, "0");
    page_end_line(page);
}

/* Over the formats together, so that the same row is the same error; false when none has any. */
static bool measure_errors(struct errors *errors)
{
    bool any = false;
    int first = 0, last = 0;
    for (size_t i = 0; i < errors->subject->cast_count; i++) {
        const struct histogram *histogram = &errors->subject->casts[i].relative_error;
        if (histogram->length == 0)
            continue;
        first = any && first < histogram->first ? first : histogram->first;
        last = any && last > last_bin(histogram) ? last : last_bin(histogram);
        any = true;
    }
    if (!any)
        return false;
    errors->rows = rows_for(first, last);
    for (size_t i = 0; i < errors->subject->cast_count; i++) {
        const struct report_cast *cast = &errors->subject->casts[i];
        uint64_t most = largest_row(&cast->relative_error, &errors->rows);
        most = cast->relative_exact > most ? cast->relative_exact : most;
        errors->most = most > errors->most ? most : errors->most;
    }
    return true;
}

void text_relative_errors(struct page *page, const struct subject *subject)
{
    struct errors errors = {.page = page, .subject = subject};
    if (!measure_errors(&errors))
        return;
    int room = page->width - LABEL_WIDTH, fixed = SHARE_WIDTH + GAP;
    int fits = room / (fixed + BAR_LEAST), casts = (int)subject->cast_count;
    fits = fits < casts ? fits : casts;
    int bar = room / fits - fixed;
    errors.bar_width = bar < ERROR_BAR_MOST ? bar : ERROR_BAR_MOST;

    title(page, "Relative errors", &errors.rows, "|e|/|x|");
    for (int first = 0; first < casts; first += fits) {
        errors.first = (size_t)first;
        errors.end = (size_t)(first + fits < casts ? first + fits : casts);
        draw_errors(&errors);
    }
    page_end_line(page);
}
