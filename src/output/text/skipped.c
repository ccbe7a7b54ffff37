/* What was not cast. */
#include "output/text/text.h"

#include <stdlib.h>
#include <string.h>

#include "output/number.h"

enum { INDENT = 2, SHOWN = 10, TYPES_SHOWN = 8 };

static void skipped_line(struct page *page, const struct report_skipped *one)
{
    struct buffer text = {0};
    page_name(page, &text, one->file, page->width / 2);
    if (*one->skipped.name) {
        buffer_puts(&text, ": ");
        page_name(page, &text, one->skipped.name, page->width / 2);
    }
    buffer_puts(&text, ", ");
    page_name(page, &text, one->skipped.dtype, page->width / 2);
    buffer_puts(&text, ", ");
    page_name(page, &text, one->skipped.reason, 2 * page->width); /* it may name another */
    page_pad(page, INDENT);
    page_paragraph(page, 2 * INDENT, INK_PLAIN, text.data);
    buffer_free(&text);
}

struct type {
    const char *name;
    size_t count;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct type *)a)->name, ((const struct type *)b)->name);
}

static int by_count(const void *a, const void *b)
{
    const struct type *one = a, *other = b;
    int order = (one->count < other->count) - (one->count > other->count);
    return order ? order : by_name(a, b);
}

/* Makes neighbours of one name one; returns how many are left. */
static size_t merge_types(struct type *types, size_t count)
{
    size_t kept = 0;
    qsort(types, count, sizeof *types, by_name);
    for (size_t i = 0; i < count; i++)
        if (kept && strcmp(types[kept - 1].name, types[i].name) == 0)
            types[kept - 1].count += types[i].count;
        else
            types[kept++] = types[i];
    qsort(types, kept, sizeof *types, by_count);
    return kept;
}

static void add_type(const struct page *page, struct buffer *out, size_t count, const char *name)
{
    number_count(out, count);
    buffer_puts(out, " ");
    page_name(page, out, name, page->width / 2);
}

/* "290 more: 288 i64, 2 bool" */
static void more_line(struct page *page, const struct report_skipped *skipped, size_t count)
{
    struct type *types = allocate(count, sizeof *types);
    for (size_t i = 0; i < count; i++)
        types[i] = (struct type){skipped[i].skipped.dtype, 1};
    size_t type_count = merge_types(types, count), told = 0;
    struct buffer text = {0};
    number_count(&text, count);
    buffer_puts(&text, " more: ");
    for (size_t i = 0; i < type_count && i < TYPES_SHOWN; i++) {
        buffer_puts(&text, i ? ", " : "");
        add_type(page, &text, types[i].count, types[i].name);
        told += types[i].count;
    }
    if (told < count) {
        buffer_puts(&text, ", ");
        add_type(page, &text, count - told, "of other types");
    }
    page_pad(page, INDENT);
    page_paragraph(page, 2 * INDENT, INK_PLAIN, text.data);
    buffer_free(&text);
    free(types);
}

void text_skipped(struct page *page, const struct report *report)
{
    size_t count = report->skipped_count;
    size_t shown = count > SHOWN + 1 ? SHOWN : count; /* one more is as long as its count */
    if (count == 0)
        return;
    page_rule(page, "not cast");
    for (size_t i = 0; i < shown; i++)
        skipped_line(page, &report->skipped[i]);
    if (shown < count)
        more_line(page, report->skipped + shown, count - shown);
    page_end_line(page);
}
