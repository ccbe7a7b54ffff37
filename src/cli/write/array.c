/* One tensor as .npy, or its bare codes. */
#include <stdlib.h>

#include "base/buffer.h"
#include "cli/file.h"
#include "cli/write/npy.h"
#include "cli/write/kind.h"
#include "cli/write/path.h"

struct array_writer {
    struct writer writer;
    struct file file;
    bool bare;                   /* codes without a header */
    uint64_t start;              /* of the codes in the file */
    bool taken;                  /* it has its tensor */
    const struct tensor *tensor; /* of the input at hand; NULL without one */
};

/* Where the codes start; a header whose shape is not known yet is written at the end. */
enum { HEADER_RESERVE = 128 };

static struct array_writer *array_of(struct writer *writer)
{
    return (struct array_writer *)writer;
}

static bool failed(const struct array_writer *array, const struct error *why, struct error *error)
{
    return output_failed(array->writer.options->write, why, error);
}

static struct writer *array_open(const struct options *options, struct error *error)
{
    struct array_writer *array = allocate(1, sizeof *array);
    array->bare = path_wants_bare_codes(options->write);
    if (file_create(options->write, &array->file, error))
        return &array->writer;
    free(array);
    return NULL;
}

static bool array_commit(struct writer *writer, struct error *error)
{
    struct array_writer *array = array_of(writer);
    struct error why;
    return file_commit(&array->file, &why) || failed(array, &why, error);
}

static void array_abandon(struct writer *writer)
{
    file_abandon(&array_of(writer)->file);
}

static bool array_in_order(const struct writer *writer)
{
    return !((const struct array_writer *)writer)->file.seekable;
}

static bool write_header(struct array_writer *array, struct error *error)
{
    const struct tensor *tensor = array->tensor;
    if (!npy_can_hold(tensor, error))
        return false;
    if (tensor->elements == ELEMENTS_UNKNOWN && !array->file.seekable)
        return fail(error, "a .npy header comes first and needs the shape: give it in --raw");
    if (tensor->elements == ELEMENTS_UNKNOWN) {
        array->start = HEADER_RESERVE;
        return true;
    }
    struct buffer header = {0};
    npy_header(tensor, array->writer.format, 0, &header);
    array->start = header.length;
    bool written = file_write(&array->file, header.data, header.length, error);
    buffer_free(&header);
    return written;
}

static bool array_begin(struct writer *writer, struct input *input, const int *scales,
                        struct error *error)
{
    struct array_writer *array = array_of(writer);
    struct error why;
    (void)scales;
    array->tensor = NULL; /* one before it left with its input */
    if (input->tensor_count == 0)
        return true;
    if (array->taken || input->tensor_count > 1)
        return fail(error, "--write takes one tensor, and there are more: "
                           "name a .safetensors file or a directory/");
    array->taken = true;
    array->tensor = &input->tensors[0];
    return array->bare || write_header(array, &why) || failed(array, &why, error);
}

static bool array_codes(struct writer *writer, size_t tensor, uint64_t first, const void *codes,
                        size_t bytes, struct error *error)
{
    struct array_writer *array = array_of(writer);
    struct error why;
    (void)tensor;
    uint64_t offset = array->start + first * (uint64_t)writer->format->code_bytes;
    bool written = array->file.seekable ? file_write_at(&array->file, offset, codes, bytes, &why)
                                        : file_write(&array->file, codes, bytes, &why);
    return written || failed(array, &why, error);
}

/* With the shape that the tensor turned out to have. */
static bool array_end(struct writer *writer, struct error *error)
{
    struct array_writer *array = array_of(writer);
    struct error why;
    if (!array->file.seekable || array->bare || !array->tensor)
        return true;
    struct buffer header = {0};
    npy_header(array->tensor, writer->format, array->start, &header);
    bool written = file_write_at(&array->file, 0, header.data, header.length, &why);
    buffer_free(&header);
    return written || failed(array, &why, error);
}

const struct writer_kind writer_of_array = {.open = array_open,
                                            .commit = array_commit,
                                            .abandon = array_abandon,
                                            .in_order = array_in_order,
                                            .begin = array_begin,
                                            .codes = array_codes,
                                            .end = array_end};
