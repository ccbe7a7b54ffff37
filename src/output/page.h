/* Lines of a terminal: columns, colours, wrapped paragraphs and bars. */
#ifndef PRECHECK_OUTPUT_PAGE_H
#define PRECHECK_OUTPUT_PAGE_H

#include "base/buffer.h"
#include "output/output.h"

enum ink { INK_PLAIN, INK_TITLE, INK_BAD, INK_WARN, INK_GOOD, INK_DIM };

struct page {
    struct buffer *out;
    const struct style *style;
    int width;
    bool
        verbatim; /* names are not made printable and cut to columns, but left to who escapes all */
};

struct page page_on(struct buffer *out, const struct style *style);

/* The text as it is; a colour ends where it ends. */
void page_paint(struct page *page, enum ink ink, const char *text);
void page_pad(struct page *page, int columns);
/* In exactly `width` columns, cut in the middle where it is too long. */
void page_left(struct page *page, enum ink ink, const char *text, int width);
void page_right(struct page *page, enum ink ink, const char *text, int width);

/* The columns that numbers take before their decimal point or exponent, and from there on. */
struct places {
    int before, after;
};
/* As many as one more number needs. */
void places_widen(struct places *places, const char *number);
/* As page_right, with the decimal point `after` columns before the end, where that fits. */
void page_number(struct page *page, enum ink ink, const char *number, int width, int after);
/* Ends the line, without spaces before its end. */
void page_end_line(struct page *page);

/* Words, from the present `column` on; further lines begin there too. Ends the line. */
void page_paragraph(struct page *page, int column, enum ink ink, const char *text);
/* A line across the page that begins a section. */
void page_rule(struct page *page, const char *title);

/* A horizontal bar of at most `width` columns, and blanks up to there; what is not nothing is seen.
 * 0 <= part <= whole. */
void page_bar(struct page *page, enum ink ink, uint64_t part, uint64_t whole, int width);

/* A hostile text made printable and cut in the middle to at most `width` columns. */
void page_name(const struct page *page, struct buffer *out, const char *name, int width);

/* What was written to two pages, side by side: the right one begins after `width` columns. */
void page_beside(struct page *page, const struct buffer *left, int width,
                 const struct buffer *right);

/* The one or the other, as the terminal can show. */
const char *page_glyph(const struct page *page, const char *utf8, const char *ascii);

#endif
