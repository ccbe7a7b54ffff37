#include "input/elements.h"

#include <string.h>

#include "input/inflate.h"

static bool is_deflated(const struct tensor *tensor)
{
    return tensor->member && tensor->member->deflated;
}

bool elements_open(struct input *input, struct tensor *tensor, struct elements *elements,
                   struct error *error)
{
    *elements = (struct elements){.input = input, .tensor = tensor};
    elements->mappable = input->seekable && tensor_is_consecutive(tensor) && !is_deflated(tensor);
    if (!tensor->member)
        return true;
    uint64_t start = tensor->member->start;
    char head[4096];
    if (is_deflated(tensor))
        elements->inflater = inflater_open(input, tensor->member);
    for (uint64_t done = 0; done < start;) {
        size_t count = start - done < sizeof head ? (size_t)(start - done) : sizeof head;
        bool read = elements->inflater
                        ? inflater_read(elements->inflater, head, count, error)
                        : input_read(input, tensor->member->offset + done, head, count, error);
        if (!read) {
            elements_close(elements);
            return false;
        }
        done += count;
        if (!elements->inflater)
            elements->crc ^= crc_part(crc_add(0, head, count), tensor->member->bytes - done);
    }
    return true;
}

void elements_close(struct elements *elements)
{
    if (elements->inflater)
        inflater_close(elements->inflater);
    elements->inflater = NULL;
}

bool elements_in_sequence(const struct elements *elements)
{
    return elements->inflater || !elements->input->seekable;
}

void elements_saw(struct elements *elements, uint64_t first, size_t n, const void *bytes)
{
    const struct tensor *tensor = elements->tensor;
    const struct member *member = tensor->member;
    if (!member || member->deflated)
        return;
    size_t each = (size_t)tensor->dtype.bytes;
    uint64_t end = member->start + (first + n) * each;
    atomic_fetch_xor(&elements->crc, crc_part(crc_add(0, bytes, n * each), member->bytes - end));
}

/* A place in a tensor with strides. */
struct place {
    unsigned axes[RANK_LIMIT], count; /* as tensor_axes has them */
    uint64_t index[RANK_LIMIT];
    uint64_t at; /* in elements */
};

static void place_set(struct place *place, const struct tensor *tensor, uint64_t position)
{
    place->count = tensor_axes(tensor, place->axes);
    place->at = 0;
    tensor_index(tensor, position, place->index);
    for (unsigned i = 0; i < place->count; i++)
        place->at += place->index[place->axes[i]] * tensor->strides[place->axes[i]];
}

static void place_next(struct place *place, const struct tensor *tensor)
{
    for (unsigned i = place->count; i-- > 0;) {
        unsigned axis = place->axes[i];
        place->at += tensor->strides[axis];
        if (++place->index[axis] < tensor->shape[axis])
            return;
        place->at -= tensor->shape[axis] * tensor->strides[axis];
        place->index[axis] = 0;
    }
}

/* How much of the storage, from a place on, is worth reading at once: up to the first gap of `most`
 * elements, or more. */
static uint64_t reach(const struct place *place, const struct tensor *tensor, uint64_t most)
{
    uint64_t span = 1;
    for (unsigned i = place->count; i-- > 0;) {
        unsigned axis = place->axes[i];
        if (tensor->strides[axis] >= most)
            break;
        span += (tensor->shape[axis] - 1) * tensor->strides[axis];
    }
    return span < most ? span : most;
}

/* Of the file, what lies around is read in pieces: neighbours in storage order are often near. */
static bool read_strided(struct elements *elements, uint64_t first, size_t n, char *to,
                         struct error *error)
{
    const struct tensor *tensor = elements->tensor;
    size_t bytes = (size_t)tensor->dtype.bytes;
    char near[16384];
    uint64_t near_first = 0, near_count = 0; /* elements of the storage */
    struct place place, last;
    place_set(&place, tensor, first);
    place_set(&last, tensor, first + n - 1);
    uint64_t most = reach(&place, tensor, sizeof near / bytes);
    for (size_t i = 0; i < n; i++, place_next(&place, tensor)) {
        if (place.at < near_first || place.at - near_first >= near_count) {
            uint64_t left = last.at >= place.at ? last.at - place.at + 1 : 1;
            near_first = place.at;
            near_count = left < most ? left : most;
            if (!input_read(elements->input, tensor->offset + near_first * bytes, near,
                            (size_t)near_count * bytes, error))
                return false;
        }
        memcpy(to + i * bytes, near + (place.at - near_first) * bytes, bytes);
    }
    return true;
}

bool elements_read(struct elements *elements, uint64_t first, size_t n, void *to,
                   struct error *error)
{
    const struct tensor *tensor = elements->tensor;
    size_t bytes = (size_t)tensor->dtype.bytes;
    if (n == 0)
        return true;
    if (!tensor_is_consecutive(tensor))
        return read_strided(elements, first, n, to, error);
    if (elements->inflater)
        return inflater_read(elements->inflater, to, n * bytes, error);
    if (!input_read(elements->input, tensor->offset + first * bytes, to, n * bytes, error))
        return false;
    elements_saw(elements, first, n, to);
    return true;
}

bool elements_finish(struct elements *elements, struct error *error)
{
    const struct tensor *tensor = elements->tensor;
    const struct member *member = tensor->member;
    if (!member)
        return true;
    if (elements->inflater)
        return inflater_finish(elements->inflater, error);
    char tail[4096];
    uint64_t at = member->start + tensor_bytes(tensor);
    while (at < member->bytes) {
        uint64_t left = member->bytes - at;
        size_t count = left < sizeof tail ? (size_t)left : sizeof tail;
        if (!input_read(elements->input, member->offset + at, tail, count, error))
            return false;
        at += count;
        elements->crc ^= crc_part(crc_add(0, tail, count), member->bytes - at);
    }
    return crc_check(elements->crc, member->crc, error);
}
