/* The header of a .safetensors file, and where it has the tensors. */
#ifndef PRECHECK_CLI_WRITE_SAFETENSORS_H
#define PRECHECK_CLI_WRITE_SAFETENSORS_H

#include "base/buffer.h"
#include "cli/file.h"
#include "input/input.h"

/* A tensor of the file; nothing is owned. */
struct stored {
    const char *name, *dtype; /* the latter in the format's word */
    const uint64_t *shape;
    unsigned rank;
    unsigned alignment; /* bytes of an element */
    uint64_t bytes;     /* of all */
    uint64_t begin;     /* from where the data begin; set by sheet_arrange */
};

/* The file. Zero-initialise. */
struct sheet {
    struct stored *stored; /* owned */
    size_t count;
    struct stored **by_place; /* owned */
    uint64_t data_start, data_bytes;
};

/* Gives each tensor its place: without gaps, as the format wants it, and those of larger elements
 * first, so that each is aligned; else in the order of the sheet. False where names do not go
 * together, or a shape is none for this format. */
bool sheet_arrange(struct sheet *sheet, struct error *error);

/* Writes the header and sets data_start, a multiple of 8. `metadata` is JSON text. */
bool sheet_write_header(struct sheet *sheet, const struct buffer *metadata, struct file *file,
                        struct error *error);

void sheet_free(struct sheet *sheet);

#endif
