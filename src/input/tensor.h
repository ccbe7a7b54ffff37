/* Where the elements of a tensor are, and in which order. */
#ifndef PRECHECK_INPUT_TENSOR_H
#define PRECHECK_INPUT_TENSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "format/format.h"

enum { RANK_LIMIT = 65 }; /* NumPy's 64, and one for the components of complex numbers */

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

void tensor_free(struct tensor *tensor);
void skipped_free(struct skipped *skipped);
/* Frees only what is needed for copying. */
void skipped_free_data(struct skipped *skipped);

/* That the elements take; 0 where their number is not known. */
uint64_t tensor_bytes(const struct tensor *tensor);

/* The axes in storage order, the slowest first: those of more than one element, and none of stride
 * 0. Returns how many; `axes` has room for tensor->rank. */
unsigned tensor_axes(const struct tensor *tensor, unsigned *axes);

/* Whether the elements follow each other, without gap or overlap. */
bool tensor_is_consecutive(const struct tensor *tensor);

/* Whether an axis has one element under several indices: C order would have it several times. */
bool tensor_repeats(const struct tensor *tensor);

/* Whether storage order and C order are the same, of a tensor that does not repeat. */
bool tensor_is_in_c_order(const struct tensor *tensor);

/* How messages about a tensor begin, with as much of its name as leaves room for the rest. */
#define ABOUT_TENSOR "tensor '%.200s': "
/* Says why, and of which tensor; of the only one of a file, which may have no name, why. */
bool fail_tensor(const char *name, const struct error *why, struct error *error);

/* The multi-index, in C order of `shape`, of element `position` of the storage order.
 * `index` has room for tensor->rank numbers. */
void tensor_index(const struct tensor *tensor, uint64_t position, uint64_t *index);

#endif
