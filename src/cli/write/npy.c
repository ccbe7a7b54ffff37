#include "cli/write/npy.h"

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"

bool npy_can_hold(const struct tensor *tensor, struct error *error)
{
    if (tensor->components && tensor->fortran)
        return fail(error, "a Fortran-ordered complex tensor has no .npy layout once its "
                           "components are an axis: write .raw, or store it in C order first");
    if (tensor->strides && (tensor_repeats(tensor) || !tensor_is_in_c_order(tensor)))
        return fail(error, "the tensor has strides, for which .npy has no layout: write "
                           ".safetensors, or .raw for codes in the order of the input");
    if (tensor->rank >= RANK_LIMIT)
        return fail(error, "one axis too many for .npy: write .raw");
    return true;
}

/* NumPy knows fp16 and float32; the rest is opaque bytes, as ml_dtypes stores them. */
static const char *descriptor(const struct format *format)
{
    if (strcmp(format->name, "fp16") == 0)
        return "<f2";
    if (strcmp(format->name, "tf32") == 0 || strcmp(format->name, "fp32") == 0)
        return "<f4";
    return format->code_bytes == 1 ? "|V1" : format->code_bytes == 2 ? "<V2" : "<u4";
}

void npy_header(const struct tensor *tensor, const struct format *format, size_t least,
                struct buffer *out)
{
    enum { PREFIX = 10, ALIGNMENT = 64 };
    struct buffer text = {0};
    buffer_printf(&text, "{'descr': '%s', 'fortran_order': %s, 'shape': (", descriptor(format),
                  tensor->fortran ? "True" : "False");
    for (unsigned axis = 0; axis < tensor->rank; axis++)
        buffer_printf(&text, "%s%" PRIu64, axis ? ", " : "", tensor->shape[axis]);
    buffer_puts(&text, tensor->rank == 1 ? ",), }" : "), }");
    size_t total = PREFIX + text.length + 1;
    if (total < least)
        total = least;
    total = (total + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    while (PREFIX + text.length + 1 < total)
        buffer_puts(&text, " ");
    buffer_puts(&text, "\n");

    unsigned char prefix[PREFIX] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    store_le16(prefix + 8, (uint16_t)text.length);
    buffer_add(out, prefix, sizeof prefix);
    buffer_add(out, text.data, text.length);
    buffer_free(&text);
}
