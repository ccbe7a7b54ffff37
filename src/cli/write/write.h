/* --write: the cast tensors as a file, or as a checkpoint of several. */
#ifndef PRECHECK_CLI_WRITE_WRITE_H
#define PRECHECK_CLI_WRITE_WRITE_H

#include "cli/options/options.h"
#include "input/input.h"

struct writer;

/* The files that --write makes of the inputs; owned by the caller. */
struct targets {
    char **paths;
    size_t count;
};

/* False where they do not go there. */
bool targets_find(const char *write, const char *const *inputs, size_t count,
                  struct targets *targets, struct error *error);
void targets_free(struct targets *targets);

/* Nothing is in its place before writer_commit, whose message names the file. */
struct writer *writer_open(const struct options *options, struct error *error);
bool writer_commit(struct writer *writer, struct error *error);
void writer_abandon(struct writer *writer);

/* Whether it is of use to show the inputs, as many as can be opened twice, before the first one is
 * begun; and after the last: false where they do not go together. */
bool writer_looks_ahead(const struct writer *writer);
void writer_foresee(struct writer *writer, struct input *input);
bool writer_agrees(struct writer *writer, struct error *error);

/* Whether the codes have to come in order. */
bool writer_in_order(const struct writer *writer);

/* Before the tensors of an input are measured: decides where the codes of each go, and writes what
 * comes before them. `scales` has the K of each tensor; NULL where it is that of the options. */
bool writer_begin(struct writer *writer, struct input *input, const int *scales,
                  struct error *error);

/* Before the first element of tensor `tensor` of the input is read; the tensors in their order, one
 * call at a time. */
bool writer_reach(struct writer *writer, size_t tensor, struct error *error);

/* Codes of the elements of tensor `tensor` of the input, from `first` on; unless they have to come
 * in order, from any thread. */
bool writer_codes(struct writer *writer, size_t tensor, uint64_t first, const void *codes,
                  size_t bytes, struct error *error);

/* After the last of the input. */
bool writer_end(struct writer *writer, struct error *error);

#endif
