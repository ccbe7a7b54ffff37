/* The elements of a tensor, wherever and however its input holds them. */
#ifndef PRECHECK_INPUT_ELEMENTS_H
#define PRECHECK_INPUT_ELEMENTS_H

#include <stdatomic.h>

#include "input/input.h"

struct elements {
    struct input *input;
    struct tensor *tensor;
    struct inflater *inflater; /* of a deflated member, else NULL */
    _Atomic uint32_t crc;      /* of a stored member: what the bytes so far add to its checksum */
    bool mappable;             /* element i is at byte tensor->offset + i * dtype.bytes of a file */
};

/* The tensor's length may become known while it is read (ELEMENTS_UNKNOWN). */
bool elements_open(struct input *input, struct tensor *tensor, struct elements *elements,
                   struct error *error);
void elements_close(struct elements *elements);

/* Whether the elements come only in order, to one reader at a time: of streams and of deflated
 * members. Others may be read by several threads, in any order. */
bool elements_in_sequence(const struct elements *elements);

/* Elements first .. first + n - 1 of the storage order, as they are in the file. In sequence, they
 * follow those of the last call. */
bool elements_read(struct elements *elements, uint64_t first, size_t n, void *to,
                   struct error *error);

/* What was seen of a file through a mapping counts for the checksum too. Any thread may call it. */
void elements_saw(struct elements *elements, uint64_t first, size_t n, const void *bytes);

/* After all were read, once each: false where the data are not what their checksum says. */
bool elements_finish(struct elements *elements, struct error *error);

#endif
