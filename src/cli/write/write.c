#include "cli/write/write.h"

#include <stdlib.h>

#include "cli/file.h"
#include "cli/write/kind.h"
#include "cli/write/path.h"

bool output_failed(const char *path, const struct error *why, struct error *error)
{
    if (error_is_silent(why))
        return fail_silently(error);
    return fail(error, "%s: %s", file_label(path), why->text);
}

struct writer *writer_open(const struct options *options, struct error *error)
{
    const struct writer_kind *kind =
        path_wants_checkpoint(options->write) ? &writer_of_checkpoint : &writer_of_array;
    struct writer *writer = kind->open(options, error);
    if (writer) {
        writer->kind = kind;
        writer->options = options;
        writer->format = &options->casts[0].format;
    }
    return writer;
}

bool writer_commit(struct writer *writer, struct error *error)
{
    bool done = writer->kind->commit(writer, error);
    free(writer);
    return done;
}

void writer_abandon(struct writer *writer)
{
    writer->kind->abandon(writer);
    free(writer);
}

bool writer_looks_ahead(const struct writer *writer)
{
    return writer->kind->looks_ahead && writer->kind->looks_ahead(writer);
}

void writer_foresee(struct writer *writer, struct input *input)
{
    writer->kind->foresee(writer, input);
}

bool writer_agrees(struct writer *writer, struct error *error)
{
    return writer->kind->agree(writer, error);
}

bool writer_in_order(const struct writer *writer)
{
    return writer->kind->in_order(writer);
}

bool writer_begin(struct writer *writer, struct input *input, const int *scales,
                  struct error *error)
{
    return writer->kind->begin(writer, input, scales, error);
}

bool writer_reach(struct writer *writer, size_t tensor, struct error *error)
{
    return !writer->kind->reach || writer->kind->reach(writer, tensor, error);
}

bool writer_codes(struct writer *writer, size_t tensor, uint64_t first, const void *codes,
                  size_t bytes, struct error *error)
{
    return writer->kind->codes(writer, tensor, first, codes, bytes, error);
}

bool writer_end(struct writer *writer, struct error *error)
{
    return writer->kind->end(writer, error);
}
