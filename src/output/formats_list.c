/* The table of the number formats. */
#include "output/output.h"

#include <stdio.h>
#include <string.h>

#include "output/number.h"
#include "output/page.h"

enum { NAME_WIDTH = 12, GAP = 2, SPECIALS_WIDTH = 10 };

static const char *specials_text(enum specials specials)
{
    static const char *const texts[] = {
        [SPECIALS_IEEE] = "Inf, NaN",
        [SPECIALS_OCP] = "NaN",
        [SPECIALS_FNUZ] = "NaN, no -0",
        [SPECIALS_FINITE] = "none",
    };
    return texts[specials];
}

static void add_bits(struct buffer *out, const struct format *format)
{
    buffer_printf(out, "%d", format->bits);
}

static void add_precision(struct buffer *out, const struct format *format)
{
    buffer_printf(out, "%d", format->precision);
}

static void add_exponents(struct buffer *out, const struct format *format)
{
    buffer_printf(out, "%d..%d", format->emin, format->emax);
}

static void add_largest(struct buffer *out, const struct format *format)
{
    number_human(out, format_max(format));
}

static void add_min_normal(struct buffer *out, const struct format *format)
{
    number_exponent(out, format->emin);
}

static void add_min_subnormal(struct buffer *out, const struct format *format)
{
    number_exponent(out, format->emin - format->precision + 1);
}

static const struct column {
    const char *title[2];
    int width;
    void (*add)(struct buffer *out, const struct format *format);
} columns[] = {
    {{"", "bits"}, 4, add_bits},
    {{"", "precision"}, 10, add_precision},
    {{"", "exponents"}, 11, add_exponents},
    {{"largest", "finite"}, 10, add_largest},
    {{"smallest", "normal"}, 10, add_min_normal},
    {{"smallest", "subnormal"}, 10, add_min_subnormal},
};

enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

/* The first ones that fit. */
static int columns_shown(const struct page *page)
{
    int room = page->width - NAME_WIDTH - GAP - SPECIALS_WIDTH, shown = 0;
    while (shown < COLUMN_COUNT && room >= columns[shown].width)
        room -= columns[shown++].width;
    return shown;
}

static void title_line(struct page *page, int line, const char *name, const char *specials)
{
    page_left(page, INK_DIM, name, NAME_WIDTH);
    for (int i = 0; i < columns_shown(page); i++)
        page_right(page, INK_DIM, columns[i].title[line], columns[i].width);
    page_pad(page, GAP);
    page_paint(page, INK_DIM, specials);
    page_end_line(page);
}

static void format_line(struct page *page, const struct format *format)
{
    page_left(page, INK_TITLE, format->name, NAME_WIDTH);
    for (int i = 0; i < columns_shown(page); i++) {
        struct buffer text = {0};
        columns[i].add(&text, format);
        page_right(page, INK_PLAIN, text.data, columns[i].width);
        buffer_free(&text);
    }
    page_pad(page, GAP);
    page_paint(page, INK_PLAIN, specials_text(format->specials));
    page_end_line(page);
}

static void definition(struct page *page, const char *name, const char *text)
{
    page_left(page, INK_TITLE, name, NAME_WIDTH);
    page_paragraph(page, NAME_WIDTH, INK_PLAIN, text);
}

static void aliases(struct page *page, size_t index)
{
    struct buffer text = {0};
    for (const char *at = format_aliases(index); *at; at++)
        if (*at == ',')
            buffer_puts(&text, ", ");
        else
            buffer_add(&text, at, 1);
    if (text.length)
        definition(page, format_named(index).name, text.data);
    buffer_free(&text);
}

void formats_list(const struct style *style, struct buffer *out)
{
    struct page page = page_on(out, style);
    title_line(&page, 0, "", "");
    title_line(&page, 1, "format", "specials");
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++) {
        struct format format = format_named(i);
        format_line(&page, &format);
    }
    definition(&page, "eXmY",
               "any 2 <= X <= 8 exponent bits and 1 <= Y <= 23 trailing significand bits, such as "
               "e6m9, as IEEE 754 has it: Inf and NaN");
    page_end_line(&page);
    page_paint(&page, INK_DIM, "Precision counts significand bits, with the hidden one.");
    page_end_line(&page);
    page_end_line(&page);
    page_paint(&page, INK_DIM, "other names");
    page_end_line(&page);
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
        aliases(&page, i);
    definition(&page, "fp8", "stands for e4m3fn and e5m2");
}
