/* What files hold, without a look at the elements. */
#ifndef PRECHECK_REPORT_LISTING_H
#define PRECHECK_REPORT_LISTING_H

#include <stddef.h>
#include <stdint.h>

#include "input/input.h"

struct listed_tensor {
    const char *file;      /* not owned */
    const char *container; /* "npy"; "raw" of bare elements */
    struct tensor *tensor; /* in an array of the listing; may have ELEMENTS_UNKNOWN */
};

struct listed_skipped {
    const char *file, *container;
    struct skipped skipped; /* owned; without data */
};

/* In the order of the files, and of their data. */
struct listing {
    struct listed_tensor *tensors; /* owned */
    size_t tensor_count;
    struct tensor **arrays; /* owned: one a file, of the tensors that are listed */
    size_t array_count;
    struct listed_skipped *skipped; /* owned */
    size_t skipped_count;
};

/* Adds what the input holds, which becomes the listing's. */
void listing_add(struct listing *listing, struct input *input);
void listing_free(struct listing *listing);

/* The bytes of the elements, as they are once they are unpacked; ELEMENTS_UNKNOWN where that is the
 * number of elements. */
uint64_t listing_bytes(const struct tensor *tensor);

/* Of the tensors together; ELEMENTS_UNKNOWN where one is, or the sum is beyond 64 bits. */
struct listing_total {
    uint64_t elements, bytes;
};

struct listing_total listing_total(const struct listing *listing);

#endif
