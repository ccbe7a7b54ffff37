#include "output/columns.h"

#include <string.h>

#include "output/number.h"

enum { NAME_LEAST = 12 };

/* Names matter more than columns: they may take almost half of the page. */
static int name_demand(const struct page *page, int longest)
{
    int most = page->width / 2 - 2 * COLUMN_GAP;
    int demand = longest < most ? longest : most;
    return demand > NAME_LEAST ? demand : NAME_LEAST;
}

static struct column *next_in_rank(struct column *columns, size_t count, int above)
{
    struct column *next = NULL;
    for (size_t i = 0; i < count; i++)
        if (columns[i].rank > above && (!next || columns[i].rank < next->rank))
            next = &columns[i];
    return next;
}

int columns_fit(const struct page *page, int longest, struct column *columns, size_t count)
{
    int demand = name_demand(page, longest);
    int left = page->width - COLUMN_INDENT - demand;
    struct column *column = NULL;
    while ((column = next_in_rank(columns, count, column ? column->rank : 0))) {
        int needed = COLUMN_GAP + column->width;
        column->shown = needed <= left;
        left -= column->shown ? needed : 0;
    }
    if (longest <= demand)
        return demand;
    return longest < demand + left ? longest : demand + left;
}

void column_cell(struct page *page, const struct column *column, enum ink ink, const char *text)
{
    page_pad(page, COLUMN_GAP);
    if (column->left)
        page_left(page, ink, text, column->width);
    else
        page_number(page, ink, text, column->width, column->after);
}

void column_titles(struct page *page, const char *name, int name_width,
                   const struct column *columns, size_t count)
{
    page_pad(page, COLUMN_INDENT);
    page_left(page, INK_TITLE, name, name_width);
    for (size_t i = 0; i < count; i++)
        if (columns[i].shown)
            column_cell(page, &columns[i], INK_DIM, columns[i].title);
    page_end_line(page);
}

int column_count_width(uint64_t count)
{
    struct buffer text = {0};
    number_count(&text, count);
    int width = (int)text.length;
    buffer_free(&text);
    return width;
}
