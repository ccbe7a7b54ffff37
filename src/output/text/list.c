/* What files hold, a tensor a line. */
#include "output/text/text.h"

#include <string.h>

#include "output/columns.h"
#include "output/escape.h"
#include "output/number.h"

enum place {
    PLACE_DTYPE,
    PLACE_SHAPE,
    PLACE_ELEMENTS,
    PLACE_BYTES,
    PLACE_CONTAINER,
    PLACE_FILE,
    PLACE_COUNT
};

/* Where it is no terminal, the lines are for other programs: then names are not cut. */
enum { WIDTH_ELSEWHERE = 1000 };

static const struct column list_columns[PLACE_COUNT] = {
    [PLACE_DTYPE] = {"dtype", 5, 1, true, false, 0},
    [PLACE_SHAPE] = {"shape", 5, 2, true, false, 0},
    [PLACE_ELEMENTS] = {"elements", 8, 3, false, false, 0},
    [PLACE_BYTES] = {"bytes", 5, 4, false, false, 0},
    [PLACE_CONTAINER] = {"container", 9, 5, true, false, 0},
    [PLACE_FILE] = {"file", 4, 6, true, false, 0},
};

struct list {
    struct page *page;
    const struct listing *listing;
    struct column columns[PLACE_COUNT];
    int name_width;
};

/* What is in a line, made printable. */
struct line {
    struct buffer name, cells[PLACE_COUNT];
};

static void free_line(struct line *line)
{
    buffer_free(&line->name);
    for (int i = 0; i < PLACE_COUNT; i++)
        buffer_free(&line->cells[i]);
}

static void add_count(struct buffer *out, uint64_t count)
{
    if (count == ELEMENTS_UNKNOWN)
        buffer_puts(out, "?");
    else
        number_count(out, count);
}

/* The file stands for a tensor that has no name. */
static struct line line_of(const struct list *list, const char *file, const char *container,
                           const char *name, const char *dtype)
{
    bool utf8 = list->page->style->utf8;
    struct line line = {0};
    for (int i = 0; i < PLACE_COUNT; i++)
        buffer_puts(&line.cells[i], "");
    escape_terminal(&line.name, *name ? name : file, utf8);
    escape_terminal(&line.cells[PLACE_DTYPE], dtype, utf8);
    buffer_puts(&line.cells[PLACE_CONTAINER], container);
    if (*name)
        escape_terminal(&line.cells[PLACE_FILE], file, utf8);
    return line;
}

static struct line tensor_line(const struct list *list, const struct listed_tensor *listed)
{
    const struct tensor *tensor = listed->tensor;
    struct line line =
        line_of(list, listed->file, listed->container, tensor->name, tensor->dtype.name);
    if (tensor->elements == ELEMENTS_UNKNOWN)
        buffer_puts(&line.cells[PLACE_SHAPE], "?");
    else
        text_shape(&line.cells[PLACE_SHAPE], tensor);
    add_count(&line.cells[PLACE_ELEMENTS], tensor->elements);
    add_count(&line.cells[PLACE_BYTES], listing_bytes(tensor));
    return line;
}

static struct line skipped_line(const struct list *list, const struct listed_skipped *listed)
{
    const struct skipped *skipped = &listed->skipped;
    return line_of(list, listed->file, listed->container, skipped->name, skipped->dtype);
}

/* Numbers are never cut. */
static void widen(struct list *list, struct line *line, int *longest)
{
    int most = list->page->width / 4;
    for (int i = 0; i < PLACE_COUNT; i++) {
        struct column *column = &list->columns[i];
        int width = text_width(line->cells[i].data);
        width = column->left && width > most ? most : width;
        column->width = width > column->width ? width : column->width;
    }
    int width = text_width(line->name.data);
    *longest = width > *longest ? width : *longest;
    free_line(line);
}

/* The file is told where there are several, and the names do not say it. */
static bool tells_files(const struct listing *listing)
{
    const char *first = NULL;
    bool several = false, named = false;
    for (size_t t = 0; t < listing->tensor_count; t++) {
        const struct listed_tensor *listed = &listing->tensors[t];
        first = first ? first : listed->file;
        several = several || listed->file != first;
        named = named || *listed->tensor->name;
    }
    for (size_t s = 0; s < listing->skipped_count; s++) {
        const struct listed_skipped *listed = &listing->skipped[s];
        first = first ? first : listed->file;
        several = several || listed->file != first;
        named = named || *listed->skipped.name;
    }
    return several && named;
}

static void measure(struct list *list)
{
    int longest = 0;
    memcpy(list->columns, list_columns, sizeof list_columns);
    if (!tells_files(list->listing))
        list->columns[PLACE_FILE].rank = 0;
    for (size_t t = 0; t < list->listing->tensor_count; t++) {
        struct line line = tensor_line(list, &list->listing->tensors[t]);
        widen(list, &line, &longest);
    }
    for (size_t s = 0; s < list->listing->skipped_count; s++) {
        struct line line = skipped_line(list, &list->listing->skipped[s]);
        widen(list, &line, &longest);
    }
    list->name_width = columns_fit(list->page, longest, list->columns, PLACE_COUNT);
}

static void begin_line(const struct list *list, enum ink ink, const struct line *line)
{
    page_pad(list->page, COLUMN_INDENT);
    page_left(list->page, ink, line->name.data, list->name_width);
}

static void put_tensor(const struct list *list, const struct listed_tensor *listed)
{
    struct line line = tensor_line(list, listed);
    begin_line(list, INK_PLAIN, &line);
    for (int i = 0; i < PLACE_COUNT; i++)
        if (list->columns[i].shown)
            column_cell(list->page, &list->columns[i], INK_PLAIN, line.cells[i].data);
    page_end_line(list->page);
    free_line(&line);
}

/* Why it is not cast takes the place of all but the type. */
static void put_skipped(const struct list *list, const struct listed_skipped *listed)
{
    struct line line = skipped_line(list, listed);
    struct buffer reason = {0};
    const struct column *dtype = &list->columns[PLACE_DTYPE];
    int used = COLUMN_INDENT + list->name_width + 2 * COLUMN_GAP + dtype->width;
    begin_line(list, INK_DIM, &line);
    column_cell(list->page, dtype, INK_DIM, line.cells[PLACE_DTYPE].data);
    page_pad(list->page, COLUMN_GAP);
    page_name(list->page, &reason, listed->skipped.reason, list->page->width - used);
    page_paint(list->page, INK_DIM, reason.data);
    page_end_line(list->page);
    buffer_free(&reason);
    free_line(&line);
}

/* "2 tensors, 1,206,233 elements, 4,824,932 bytes; 14 skipped" */
static void put_total(const struct list *list)
{
    const struct listing *listing = list->listing;
    struct listing_total total = listing_total(listing);
    struct buffer text = {0};
    number_count(&text, listing->tensor_count);
    buffer_puts(&text, listing->tensor_count == 1 ? " tensor, " : " tensors, ");
    add_count(&text, total.elements);
    buffer_puts(&text, total.elements == 1 ? " element, " : " elements, ");
    add_count(&text, total.bytes);
    buffer_puts(&text, total.bytes == 1 ? " byte" : " bytes");
    if (listing->skipped_count) {
        buffer_puts(&text, "; ");
        number_count(&text, listing->skipped_count);
        buffer_puts(&text, " skipped");
    }
    page_paragraph(list->page, 0, INK_TITLE, text.data);
    buffer_free(&text);
}

void text_list(const struct listing *listing, const struct style *style, struct sink *sink)
{
    struct style wide = *style;
    if (wide.width == 0)
        wide.width = WIDTH_ELSEWHERE;
    struct page page = page_on(&sink->text, &wide);
    struct list list = {.page = &page, .listing = listing};
    measure(&list);
    column_titles(&page, "tensor", list.name_width, list.columns, PLACE_COUNT);
    for (size_t t = 0; t < listing->tensor_count && sink_goes_on(sink); t++)
        put_tensor(&list, &listing->tensors[t]);
    for (size_t s = 0; s < listing->skipped_count && sink_goes_on(sink); s++)
        put_skipped(&list, &listing->skipped[s]);
    put_total(&list);
}
