#include "cli/write.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "cli/file.h"
#include "cli/npy_write.h"

struct writer {
    const struct options *options;
    const struct format *format;
    struct file file;
    bool bare;      /* codes without a header */
    bool used;      /* a tensor went there already */
    uint64_t start; /* of the codes in the file */
};

/* Where the codes start; a header whose shape is not known yet is written at the end. */
enum { HEADER_RESERVE = 128 };

/* The input is what messages are about by default: name the output. */
static bool output_failed(const struct writer *writer, const struct error *why, struct error *error)
{
    if (!*why->text) /* a closed pipe */
        return fail(error, "%s", "");
    const char *path = writer->options->write;
    return fail(error, "%s: %s", file_is_standard_output(path) ? "standard output" : path,
                why->text);
}

struct writer *writer_open(const struct options *options, struct error *error)
{
    struct writer *writer = allocate(1, sizeof *writer);
    writer->options = options;
    writer->format = &options->casts[0].format;
    writer->bare = wants_bare_codes(options->write);
    if (file_create(options->write, &writer->file, error))
        return writer;
    free(writer);
    return NULL;
}

bool writer_commit(struct writer *writer, struct error *error)
{
    bool done = file_commit(&writer->file, error);
    free(writer);
    return done;
}

void writer_abandon(struct writer *writer)
{
    file_abandon(&writer->file);
    free(writer);
}

bool writer_in_order(const struct writer *writer)
{
    return !writer->file.seekable;
}

static bool write_header(struct writer *writer, const struct tensor *tensor, struct error *error)
{
    if (!npy_can_hold(tensor, error))
        return false;
    if (tensor->elements == ELEMENTS_UNKNOWN && !writer->file.seekable)
        return fail(error, "a .npy header comes first and needs the shape: give it in --raw");
    if (tensor->elements == ELEMENTS_UNKNOWN) {
        writer->start = HEADER_RESERVE;
        return true;
    }
    struct buffer header = {0};
    npy_header(tensor, writer->format, 0, &header);
    writer->start = header.length;
    bool written = file_write(&writer->file, header.data, header.length, error);
    buffer_free(&header);
    return written;
}

bool writer_begin(struct writer *writer, const struct input *input, struct error *error)
{
    struct error why;
    if (input->tensor_count == 0)
        return true;
    if (writer->used || input->tensor_count > 1)
        return fail(error, "--write takes one tensor, and there are more");
    writer->used = true;
    return writer->bare || write_header(writer, &input->tensors[0], &why) ||
           output_failed(writer, &why, error);
}

bool writer_codes(struct writer *writer, size_t tensor, uint64_t first, const void *codes,
                  size_t bytes, struct error *error)
{
    struct error why;
    (void)tensor;
    uint64_t offset = writer->start + first * (uint64_t)writer->format->code_bytes;
    bool written = writer->file.seekable ? file_write_at(&writer->file, offset, codes, bytes, &why)
                                         : file_write(&writer->file, codes, bytes, &why);
    return written || output_failed(writer, &why, error);
}

bool writer_end(struct writer *writer, const struct input *input, struct error *error)
{
    struct error why;
    if (!writer->file.seekable || writer->bare || input->tensor_count == 0)
        return true;
    struct buffer header = {0};
    npy_header(&input->tensors[0], writer->format, writer->start, &header);
    bool written = file_write_at(&writer->file, 0, header.data, header.length, &why);
    buffer_free(&header);
    return written || output_failed(writer, &why, error);
}
