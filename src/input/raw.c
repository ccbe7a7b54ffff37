/* Headerless data: where they begin, what they are and how many is told on the command line. */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "input/container.h"

/* The byte order is told by the last two letters, unless they belong to the name ("double"). */
static bool parse_dtype(const char *name, size_t length, struct raw_layout *layout,
                        struct error *error)
{
    if (dtype_find(name, length, &layout->dtype, error))
        return true;
    if (length < 2 || tolower((unsigned char)name[length - 1]) != 'e')
        return false;
    int order = tolower((unsigned char)name[length - 2]);
    if ((order != 'l' && order != 'b') || !dtype_find(name, length - 2, &layout->dtype, error))
        return false;
    layout->big_endian = order == 'b' && layout->dtype.bytes > 1;
    return true;
}

/* Decimal digits up to 2^63 - 1; moves *at behind them. */
static bool parse_number(const char **at, uint64_t *number)
{
    if (!isdigit((unsigned char)**at))
        return false;
    for (*number = 0; isdigit((unsigned char)**at); (*at)++) {
        uint64_t digit = (uint64_t)(**at - '0');
        if (!checked_multiply(*number, 10, number) || !checked_add(*number, digit, number) ||
            *number > INT64_MAX)
            return false;
    }
    return true;
}

static bool parse_shape(const char *at, struct raw_layout *layout, struct error *error)
{
    const char *shape = at;
    layout->has_shape = true;
    for (;;) {
        if (layout->rank == RANK_LIMIT - 1)
            return fail(error, "more than %d dimensions", RANK_LIMIT - 1);
        if (!parse_number(&at, &layout->shape[layout->rank++]))
            return fail(error, "the shape '%.40s' is not of the form 208x1008", shape);
        if (*at == '\0')
            return true;
        if (*at++ != 'x')
            return fail(error, "the shape '%.40s' is not of the form 208x1008", shape);
    }
}

static bool check_extent(const struct raw_layout *layout, struct error *error)
{
    uint64_t bytes = (uint64_t)layout->dtype.bytes, elements, end;
    if (!shape_elements(layout->shape, layout->rank, bytes, &elements, error))
        return false;
    if (!checked_add(layout->offset, elements * bytes, &end) || end > INT64_MAX)
        return fail(error, "offset and shape together do not fit in 63 bits");
    return true;
}

bool raw_layout_parse(const char *text, struct raw_layout *layout, struct error *error)
{
    *layout = (struct raw_layout){0};
    size_t name = strcspn(text, "@:");
    if (!parse_dtype(text, name, layout, error))
        return false;
    const char *at = text + name;
    if (*at == '@') {
        const char *offset = ++at;
        if (!parse_number(&at, &layout->offset) || (*at && *at != ':'))
            return fail(error, "the offset '%.40s' is not a number of bytes", offset);
    }
    if (*at == ':' && !parse_shape(at + 1, layout, error))
        return false;
    return !layout->has_shape || check_extent(layout, error);
}

/* How many elements the rest of the input is. */
static bool count_rest(const struct input *input, struct tensor *tensor, struct error *error)
{
    tensor->elements = ELEMENTS_UNKNOWN;
    if (input->seekable) {
        uint64_t rest = input->size - tensor->offset, bytes = (uint64_t)tensor->dtype.bytes;
        if (rest % bytes)
            return fail(error,
                        "%" PRIu64 " bytes from byte %" PRIu64
                        " on are no whole number of %s elements, of %" PRIu64 " bytes each",
                        rest, tensor->offset, tensor->dtype.name, bytes);
        tensor->elements = rest / bytes;
    }
    return true;
}

bool raw_open(struct input *input, const struct raw_layout *layout, struct error *error)
{
    struct tensor tensor = {.dtype = layout->dtype,
                            .big_endian = layout->big_endian,
                            .rank = layout->has_shape ? layout->rank : 1,
                            .offset = layout->offset};
    if (input->seekable && layout->offset > input->size)
        return fail(error, "the offset %" PRIu64 " lies beyond the end, at byte %" PRIu64,
                    layout->offset, input->size);
    if (layout->has_shape) {
        uint64_t bytes = (uint64_t)layout->dtype.bytes;
        if (!shape_elements(layout->shape, tensor.rank, bytes, &tensor.elements, error) ||
            !input_holds(input, "data", tensor.offset, tensor.elements * bytes, error))
            return false;
    } else if (!count_rest(input, &tensor, error)) {
        return false;
    }
    /* Of a stream, what lies before the data goes by now: a caller that reads until the end has no
     * other use for the offset. */
    if (!input->seekable && !input_read(input, tensor.offset, NULL, 0, error))
        return false;
    input->tail_expected = true; /* checksums and other tensors follow raw data, as a rule */
    if (tensor.elements != ELEMENTS_UNKNOWN)
        input->data_end = tensor.offset + tensor_bytes(&tensor);
    tensor.name = copy_string("");
    tensor.shape = copy_numbers(layout->has_shape ? layout->shape : &tensor.elements, tensor.rank);
    input_add_tensor(input, &tensor);
    return true;
}
