/* Tables of many tensors: a name a line, and as many columns beside it as the page has room for. */
#ifndef PRECHECK_OUTPUT_COLUMNS_H
#define PRECHECK_OUTPUT_COLUMNS_H

#include "output/page.h"

struct column {
    const char *title;
    int width;
    int rank;  /* of two that do not both fit, the lower one is shown; 0: not there */
    bool left; /* else its texts end at its right edge */
    bool shown;
    int after; /* of numbers, from the decimal point on, where points are aligned */
};

enum { COLUMN_INDENT = 2, COLUMN_GAP = 2 };

/* Decides which columns are shown; returns what is left for names, of which the longest takes
 * `longest` columns. */
int columns_fit(const struct page *page, int longest, struct column *columns, size_t count);

/* One of those that are shown, with the gap before it. */
void column_cell(struct page *page, const struct column *column, enum ink ink, const char *text);
/* The line above, `name` over the names. */
void column_titles(struct page *page, const char *name, int name_width,
                   const struct column *columns, size_t count);

/* The columns that `count` takes with its commas. */
int column_count_width(uint64_t count);

#endif
