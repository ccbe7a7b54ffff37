/* Files and pipes seen as named tensors. One file per container implements `struct container`. */
#ifndef PRECHECK_INPUT_INPUT_H
#define PRECHECK_INPUT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "format/format.h"
#include "input/tensor.h"

enum { INPUT_HEAD = 512 }; /* what a container is recognised by: tar archives have it at byte 257 */

/* --raw DTYPE[le|be][@OFFSET][:SHAPE] */
struct raw_layout {
    struct dtype dtype;
    bool big_endian;
    uint64_t offset;
    bool has_shape; /* else all that is left, one axis */
    unsigned rank;
    uint64_t shape[RANK_LIMIT];
};

bool raw_layout_parse(const char *text, struct raw_layout *layout, struct error *error);

struct input_options {
    const struct raw_layout *raw; /* NULL: recognise the container */
    bool raw_if_unknown;          /* raw is only for what is no container */
    const struct dtype *view;     /* NULL: elements are what the file says they are; not of raw */
};

struct input {
    const char *path;                  /* not owned; "-" is standard input */
    const struct container *container; /* NULL: raw */
    int descriptor;
    bool seekable; /* a regular file: input_read may be called from any thread, in any order */
    uint64_t size; /* seekable only, as is the next */
    struct timespec modified;
    uint64_t position; /* of a stream: the next byte that input_read can give */
    /* In the order of their data in the file, so that a stream gives one after the other. */
    struct tensor *tensors;
    size_t tensor_count;
    struct skipped *skipped;
    size_t skipped_count;
    char *metadata;     /* owned: the JSON text of a safetensors file's __metadata__; or NULL */
    uint64_t data_end;  /* where the data of the container end */
    uint64_t padding;   /* the last bytes of them, which may be missing */
    bool tail_expected; /* bytes after that are nothing to warn of: raw data with a shape */
    char warning[256];  /* "" or something the user should know about this file */
    unsigned char head[INPUT_HEAD]; /* of a stream: bytes read to recognise it, not yet consumed */
    size_t head_length, head_used;
};

/* Opens and reads the description, no element. On failure nothing is left open; the message does
 * not name the file. Memory is bounded whatever the file claims. */
bool input_open(const char *path, const struct input_options *options, struct input *input,
                struct error *error);

/* Exactly `count` bytes at `offset`; a file that ends early is an error. A stream can only be read
 * forward: the offset may not lie before `position`, and what lies between is read and dropped. */
bool input_read(struct input *input, uint64_t offset, void *to, size_t count, struct error *error);

/* Up to `count` bytes of a stream, from `position` on; fewer (in *got) only where it ends. */
bool input_read_some(struct input *input, void *to, size_t count, size_t *got, struct error *error);

/* After the last element was read: false if the file has changed since it was opened, so that what
 * was read may be of two minds, or if a stream ends before the data do that nobody wanted; sets
 * `warning` where bytes follow the data. */
bool input_finish(struct input *input, struct error *error);

void input_close(struct input *input);

/* Tensors that `skips` wants become skipped, for that reason. */
void input_skip(struct input *input, bool (*skips)(void *context, const char *name), void *context,
                const char *reason);

/* Adds to the warning. */
void input_warn(struct input *input, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a container must do. */
struct container {
    const char *name;
    /* `head` is the first INPUT_HEAD bytes, or all there are. */
    bool (*recognise)(const unsigned char *head, size_t length);
    bool (*open)(struct input *input, const struct input_options *options, struct error *error);
};

extern const struct container container_npy, container_gguf, container_npz, container_torch,
    container_safetensors;

#endif
