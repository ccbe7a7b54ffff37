#include "input/tensor.h"

#include <stdlib.h>

void tensor_free(struct tensor *tensor)
{
    free(tensor->name);
    free(tensor->shape);
    free(tensor->strides);
    free(tensor->member);
    *tensor = (struct tensor){0};
}

void skipped_free_data(struct skipped *skipped)
{
    if (skipped->data)
        tensor_free(skipped->data);
    free(skipped->data);
    skipped->data = NULL;
}

void skipped_free(struct skipped *skipped)
{
    free(skipped->name);
    free(skipped->reason);
    skipped_free_data(skipped);
    *skipped = (struct skipped){0};
}

uint64_t tensor_bytes(const struct tensor *tensor)
{
    if (tensor->elements == ELEMENTS_UNKNOWN)
        return 0;
    return tensor->elements * (uint64_t)tensor->dtype.bytes;
}

/* Slower axes stand before faster ones, which there are few of. */
static void sort_by_stride(const struct tensor *tensor, unsigned *axes, unsigned count)
{
    for (unsigned i = 1; i < count; i++)
        for (unsigned k = i; k > 0; k--) {
            unsigned slower = axes[k - 1], faster = axes[k];
            if (tensor->strides[slower] >= tensor->strides[faster])
                break;
            axes[k - 1] = faster;
            axes[k] = slower;
        }
}

unsigned tensor_axes(const struct tensor *tensor, unsigned *axes)
{
    unsigned count = 0, parts = tensor->components && tensor->fortran, rank = tensor->rank - parts;
    for (unsigned i = 0; i < rank; i++) {
        unsigned axis = tensor->fortran ? rank - 1 - i : i;
        if (tensor->shape[axis] != 1 && !(tensor->strides && tensor->strides[axis] == 0))
            axes[count++] = axis;
    }
    if (parts)
        axes[count++] = rank;
    if (tensor->strides)
        sort_by_stride(tensor, axes, count);
    return count;
}

bool tensor_is_consecutive(const struct tensor *tensor)
{
    unsigned axes[RANK_LIMIT];
    uint64_t expected = 1;
    if (!tensor->strides)
        return true;
    for (unsigned i = tensor_axes(tensor, axes); i-- > 0;) {
        if (tensor->strides[axes[i]] != expected)
            return false;
        expected *= tensor->shape[axes[i]];
    }
    return true;
}

bool tensor_repeats(const struct tensor *tensor)
{
    for (unsigned axis = 0; tensor->strides && axis < tensor->rank; axis++)
        if (tensor->strides[axis] == 0 && tensor->shape[axis] != 1)
            return true;
    return false;
}

bool tensor_is_in_c_order(const struct tensor *tensor)
{
    unsigned axes[RANK_LIMIT], count = tensor_axes(tensor, axes);
    for (unsigned i = 1; i < count; i++)
        if (axes[i] < axes[i - 1])
            return false;
    return true;
}

void tensor_index(const struct tensor *tensor, uint64_t position, uint64_t *index)
{
    unsigned axes[RANK_LIMIT];
    for (unsigned i = 0; i < tensor->rank; i++)
        index[i] = 0;
    for (unsigned i = tensor_axes(tensor, axes); i-- > 0;) {
        index[axes[i]] = position % tensor->shape[axes[i]];
        position /= tensor->shape[axes[i]];
    }
}

bool fail_tensor(const char *name, const struct error *why, struct error *error)
{
    if (error_is_silent(why))
        return fail_silently(error);
    return *name ? fail(error, ABOUT_TENSOR "%s", name, why->text) : fail(error, "%s", why->text);
}
