/* Elements that come in storage order, written where C order has them. */
#ifndef PRECHECK_CLI_WRITE_SCATTER_H
#define PRECHECK_CLI_WRITE_SCATTER_H

#include "cli/file.h"
#include "input/input.h"

/* Elements first .. first + n - 1 of the storage order, `bytes` bytes each, into a file that has
 * the first one in C order at `offset`: under each of their indices, where axes repeat them. May be
 * called by several threads. */
bool scatter(struct file *file, uint64_t offset, const struct tensor *tensor, uint64_t first,
             size_t n, const void *elements, size_t bytes, struct error *error);

#endif
