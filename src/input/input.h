/* Files and pipes seen as named tensors. One file per container implements `struct container`. */
#ifndef PRECHECK_INPUT_INPUT_H
#define PRECHECK_INPUT_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/error.h"
#include "format/format.h"

enum { RANK_LIMIT = 65 }; /* NumPy's 64, and one for the components of complex numbers */

enum { INPUT_HEAD = 512 }; /* what a container is recognised by: tar archives have it at byte 257 */

/* Of a tensor that goes on until its stream ends: raw data from a pipe, without a shape. It has one
 * axis. The caller reads with input_read_some, sees to it that the last element is whole, and then
 * puts the number of elements in place of this, in `elements` and in `shape`. */
#define ELEMENTS_UNKNOWN UINT64_MAX

/* Where a tensor is a member of a zip archive whose checksum is to hold. */
struct member {
    uint64_t offset; /* of its data in the file */
    uint64_t packed; /* bytes they take there */
    uint64_t bytes;  /* and inflated; the same where it is stored */
    uint64_t start;  /* of the elements among the inflated bytes */
    uint32_t crc;    /* of all inflated bytes */
    bool deflated;   /* else stored */
};

/* Element i in storage order is at byte `offset + i * dtype.bytes` of its input, unless there are
 * `strides` or a deflated `member`: elements_read knows how to get at those. */
struct tensor {
    char *name; /* owned; "" where the container has none; raw bytes of the file, never a NUL among
                   them, escaped when printed */
    struct dtype dtype;
    bool big_endian;
    bool fortran;    /* the first axis is fastest (but for the components) */
    bool components; /* the last axis, of length 2, is the component of a complex number and is
                        fastest whatever `fortran` says */
    unsigned rank;
    uint64_t *shape;   /* owned: rank of them */
    uint64_t elements; /* product of the shape, without the axes of stride 0; elements *
                          dtype.bytes fits in 63 bits; or ELEMENTS_UNKNOWN */
    uint64_t offset;
    /* Owned, NULL where the elements are in C or Fortran order: how far apart, in elements, the
     * neighbours on each axis are. Storage order is then the order in memory, as far as strides
     * tell: the axis of the largest one is slowest, of equal ones the first. An axis of stride 0
     * holds one element under many indices; it counts once, at index 0. */
    uint64_t *strides;
    struct member *member; /* owned; NULL where there is no checksum to look at */
};

/* What is there but is not cast. */
struct skipped {
    char *name;     /* owned, as that of a tensor */
    char dtype[24]; /* as the report names it: i64, u8, bool, or the container's own word */
    char *reason;   /* owned */
    /* Owned: how to get at its elements, for copying; NULL where that is not known. It has no name.
     * Of `dtype` only name and bytes count. Elements that are no whole bytes are taken together:
     * `elements` and `dtype` are then of bytes, the shape is not. */
    struct tensor *data;
};

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
    const struct dtype *view;     /* NULL: elements are what the file says they are */
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

void skipped_free(struct skipped *skipped);
void tensor_free(struct tensor *tensor);
void skipped_free(struct skipped *skipped);

/* The axes in storage order, the slowest first: those of more than one element, and none of stride
 * 0. Returns how many; `axes` has room for tensor->rank. */
unsigned tensor_axes(const struct tensor *tensor, unsigned *axes);

/* Whether the elements follow each other, without gap or overlap. */
bool tensor_is_consecutive(const struct tensor *tensor);

/* The multi-index, in C order of `shape`, of element `position` of the storage order.
 * `index` has room for tensor->rank numbers. */
void tensor_index(const struct tensor *tensor, uint64_t position, uint64_t *index);

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
