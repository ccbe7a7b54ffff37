/* Which file of a checkpoint has which tensor. */
#ifndef PRECHECK_CLI_WRITE_SHARD_INDEX_H
#define PRECHECK_CLI_WRITE_SHARD_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "cli/file.h"

/* Zero-initialise. */
struct shard_index {
    struct buffer names;
    struct shard_entry *entries; /* owned */
    size_t count;
    size_t file; /* of the entries that are added: where in `names` its own is */
};

/* The file that the tensors which are added next are in, without directories. */
void shard_index_begin_file(struct shard_index *index, const char *file);
void shard_index_add(struct shard_index *index, const char *name);

/* Sorts by name; false where two files have a tensor of one name. */
bool shard_index_arrange(struct shard_index *index, struct error *error);

/* As Hugging Face writes it; `bytes` is what all data take. */
bool shard_index_write(const struct shard_index *index, uint64_t bytes, struct file *file,
                       struct error *error);

void shard_index_free(struct shard_index *index);

#endif
