/* What write.c and the kinds of writers share. */
#ifndef PRECHECK_CLI_WRITE_KIND_H
#define PRECHECK_CLI_WRITE_KIND_H

#include "cli/write/write.h"

/* The first member of every writer. The functions are what write.h says of those named alike; those
 * that end a writer leave it to be freed. */
struct writer {
    const struct writer_kind *kind;
    const struct options *options;
    const struct format *format;
};

struct writer_kind {
    struct writer *(*open)(const struct options *options, struct error *error);
    bool (*looks_ahead)(const struct writer *writer); /* may be NULL, and the next two then */
    void (*foresee)(struct writer *writer, struct input *input);
    bool (*agree)(struct writer *writer, struct error *error);
    bool (*commit)(struct writer *writer, struct error *error);
    void (*abandon)(struct writer *writer);
    bool (*in_order)(const struct writer *writer);
    bool (*begin)(struct writer *writer, struct input *input, const int *scales,
                  struct error *error);
    bool (*reach)(struct writer *writer, size_t tensor, struct error *error); /* may be NULL */
    bool (*codes)(struct writer *writer, size_t tensor, uint64_t first, const void *codes,
                  size_t bytes, struct error *error);
    bool (*end)(struct writer *writer, struct error *error);
};

/* One tensor, as .npy or bare. */
extern const struct writer_kind writer_of_array;
/* All tensors, as .safetensors. */
extern const struct writer_kind writer_of_checkpoint;

/* The input is what messages are about by default: names the output. */
bool output_failed(const char *path, const struct error *why, struct error *error);

#endif
