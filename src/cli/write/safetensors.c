#include "cli/write/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "input/safetensors.h"
#include "output/escape.h"

enum { LENGTH_BYTES = 8, ALIGNMENT = 8, PIECE = 64 << 10 };

/* What its reader takes: an axis of components may be one too many. */
enum { AXES_LIMIT = RANK_LIMIT - 1 };

static int by_name(const void *a, const void *b)
{
    const struct stored *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static int by_alignment(const void *a, const void *b)
{
    const struct stored *const *left = a, *const *right = b;
    if ((*left)->alignment != (*right)->alignment)
        return (*left)->alignment > (*right)->alignment ? -1 : 1;
    return (*left > *right) - (*left < *right);
}

static bool check(struct stored **sorted, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sorted[i]->name, "__metadata__") == 0)
            return fail(error, "no tensor may be called __metadata__");
        if (i && by_name(&sorted[i - 1], &sorted[i]) == 0)
            return fail(error, "two tensors '%.200s'", sorted[i]->name);
        if (sorted[i]->rank > AXES_LIMIT)
            return fail(error, ABOUT_TENSOR "one axis too many for .safetensors", sorted[i]->name);
    }
    return true;
}

bool sheet_arrange(struct sheet *sheet, struct error *error)
{
    struct stored **order = sheet->by_place = allocate(sheet->count, sizeof(struct stored *));
    for (size_t i = 0; i < sheet->count; i++)
        order[i] = &sheet->stored[i];
    if (sheet->count)
        qsort(order, sheet->count, sizeof(struct stored *), by_name);
    if (!check(order, sheet->count, error))
        return false;
    if (sheet->count)
        qsort(order, sheet->count, sizeof(struct stored *), by_alignment);
    for (size_t i = 0; i < sheet->count; i++) {
        order[i]->begin = sheet->data_bytes;
        if (!checked_add(sheet->data_bytes, order[i]->bytes, &sheet->data_bytes) ||
            sheet->data_bytes > INT64_MAX / 2)
            return fail(error, "the tensors do not fit in any file");
    }
    return true;
}

/* The text of a header on its way into the file. */
struct text {
    struct file *file;
    struct buffer piece;
    uint64_t written;
};

static bool flush(struct text *text, size_t unless_below, struct error *error)
{
    if (text->piece.length < unless_below)
        return true;
    if (!file_write_at(text->file, LENGTH_BYTES + text->written, text->piece.data,
                       text->piece.length, error))
        return false;
    text->written += text->piece.length;
    text->piece.length = 0;
    return text->written <= SAFETENSORS_HEADER_LIMIT ||
           fail(error, "the header would be longer than the %d bytes that are allowed",
                SAFETENSORS_HEADER_LIMIT);
}

static void add_entry(struct buffer *to, const struct stored *stored)
{
    escape_json(to, stored->name);
    buffer_printf(to, ":{\"dtype\":\"%s\",\"shape\":[", stored->dtype);
    for (unsigned axis = 0; axis < stored->rank; axis++)
        buffer_printf(to, "%s%" PRIu64, axis ? "," : "", stored->shape[axis]);
    buffer_printf(to, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", stored->begin,
                  stored->begin + stored->bytes);
}

static bool write_text(const struct sheet *sheet, const struct buffer *metadata, struct text *text,
                       struct error *error)
{
    buffer_puts(&text->piece, "{\"__metadata__\":");
    buffer_add(&text->piece, metadata->data, metadata->length);
    for (size_t i = 0; i < sheet->count; i++) {
        buffer_puts(&text->piece, ",");
        add_entry(&text->piece, sheet->by_place[i]);
        if (!flush(text, PIECE, error))
            return false;
    }
    buffer_puts(&text->piece, "}");
    while ((LENGTH_BYTES + text->written + text->piece.length) % ALIGNMENT)
        buffer_puts(&text->piece, " ");
    return flush(text, 0, error);
}

bool sheet_write_header(struct sheet *sheet, const struct buffer *metadata, struct file *file,
                        struct error *error)
{
    struct text text = {.file = file};
    unsigned char length[LENGTH_BYTES] = {0};
    bool written = write_text(sheet, metadata, &text, error);
    store_le32(length, (uint32_t)text.written); /* the limit has less than 32 bits */
    sheet->data_start = LENGTH_BYTES + text.written;
    buffer_free(&text.piece);
    return written && file_write_at(file, 0, length, sizeof length, error);
}

void sheet_free(struct sheet *sheet)
{
    free(sheet->stored);
    free(sheet->by_place);
    *sheet = (struct sheet){0};
}
