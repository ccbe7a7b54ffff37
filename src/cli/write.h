/* --write: the cast tensors as a file. */
#ifndef PRECHECK_CLI_WRITE_H
#define PRECHECK_CLI_WRITE_H

#include "cli/options.h"
#include "input/input.h"

struct writer;

/* Nothing is in its place before writer_commit. */
struct writer *writer_open(const struct options *options, struct error *error);
bool writer_commit(struct writer *writer, struct error *error);
void writer_abandon(struct writer *writer);

/* Whether the codes have to come in order. */
bool writer_in_order(const struct writer *writer);

/* Before the tensors of an input are measured: decides where the codes of each go, and writes what
 * comes before them. */
bool writer_begin(struct writer *writer, const struct input *input, struct error *error);

/* Codes of the elements of tensor `tensor` of the input, from `first` on; unless they have to come
 * in order, from any thread. `cast` is what the tensor is cast to. */
bool writer_codes(struct writer *writer, size_t tensor, uint64_t first, const void *codes,
                  size_t bytes, struct error *error);

/* After the last of the input. */
bool writer_end(struct writer *writer, const struct input *input, struct error *error);

#endif
