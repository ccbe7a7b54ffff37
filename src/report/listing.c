#include "report/listing.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/checked.h"

void listing_add(struct listing *listing, struct input *input)
{
    const char *container = input->container ? input->container->name : "raw";
    listing->tensors = reallocate(listing->tensors, listing->tensor_count + input->tensor_count,
                                  sizeof *listing->tensors);
    for (size_t t = 0; t < input->tensor_count; t++)
        listing->tensors[listing->tensor_count++] =
            (struct listed_tensor){input->path, container, &input->tensors[t]};
    listing->arrays = room_for_one(listing->arrays, listing->array_count, sizeof(struct tensor *));
    listing->arrays[listing->array_count++] = input->tensors; /* a copy would double them */
    input->tensors = NULL;
    input->tensor_count = 0;
    listing->skipped = reallocate(listing->skipped, listing->skipped_count + input->skipped_count,
                                  sizeof *listing->skipped);
    for (size_t s = 0; s < input->skipped_count; s++) {
        skipped_free_data(&input->skipped[s]);
        listing->skipped[listing->skipped_count++] =
            (struct listed_skipped){input->path, container, input->skipped[s]};
    }
    input->skipped_count = 0;
}

void listing_free(struct listing *listing)
{
    for (size_t t = 0; t < listing->tensor_count; t++)
        tensor_free(listing->tensors[t].tensor);
    for (size_t a = 0; a < listing->array_count; a++)
        free(listing->arrays[a]);
    for (size_t s = 0; s < listing->skipped_count; s++)
        skipped_free(&listing->skipped[s].skipped);
    free(listing->tensors);
    free(listing->arrays);
    free(listing->skipped);
    *listing = (struct listing){0};
}

uint64_t listing_bytes(const struct tensor *tensor)
{
    return tensor->elements == ELEMENTS_UNKNOWN ? ELEMENTS_UNKNOWN : tensor_bytes(tensor);
}

static void add(uint64_t *sum, uint64_t count)
{
    if (count == ELEMENTS_UNKNOWN || !checked_add(*sum, count, sum))
        *sum = ELEMENTS_UNKNOWN;
}

struct listing_total listing_total(const struct listing *listing)
{
    struct listing_total total = {0};
    for (size_t t = 0; t < listing->tensor_count; t++) {
        const struct tensor *tensor = listing->tensors[t].tensor;
        add(&total.elements, tensor->elements);
        add(&total.bytes, listing_bytes(tensor));
    }
    return total;
}
