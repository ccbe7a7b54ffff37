/* NumPy's .npy: one array. */
#include "input/npy.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "input/container.h"

static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

/* NumPy's element types by kind and bytes. Of a complex type, `name` is that of a component. */
static const struct type {
    char kind;
    unsigned bytes;
    const char *name;
} types[] = {
    {'f', 1, "e5m2"}, /* how ml_dtypes registers it */
    {'f', 2, "f16"},  {'f', 4, "f32"},  {'f', 8, "f64"}, {'c', 8, "f32"}, {'c', 16, "f64"},
    {'V', 2, "bf16"}, {'b', 1, "bool"}, {'i', 1, "i8"},  {'i', 2, "i16"}, {'i', 4, "i32"},
    {'i', 8, "i64"},  {'u', 1, "u8"},   {'u', 2, "u16"}, {'u', 4, "u32"}, {'u', 8, "u64"},
};

/* A descr, taken apart: "<f4", "|V2", "<M8[ns]", "bfloat16". */
struct descr {
    const char *text;
    int length;
    bool big_endian;
    char kind;      /* 0 where it is a name */
    uint64_t bytes; /* that an element takes */
    const struct type *type;
    struct dtype named;
};

/* How much of the text a message shows. */
static int shown(const struct descr *descr)
{
    return descr->length < 40 ? descr->length : 40;
}

static bool fail_descr(const struct descr *descr, const char *why, struct error *error)
{
    return fail(error, "npy header: element type '%.*s' %s", shown(descr), descr->text, why);
}

static bool native_is_big(void)
{
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
}

/* Returns how long the prefix is. */
static int read_order(struct descr *descr)
{
    char order = descr->length ? descr->text[0] : '\0';
    bool prefix = order && strchr("<>=|", order);
    descr->big_endian = order == '>' || (order != '<' && native_is_big());
    return prefix;
}

/* The unit that dates have behind their size, or nothing. */
static bool is_unit(char kind, const char *at, int length)
{
    if (length == 0)
        return true;
    return (kind == 'M' || kind == 'm') && length > 2 && at[0] == '[' && at[length - 1] == ']';
}

/* "f4", or "M8[ns]": a letter, a size, and for some a unit. */
static bool read_kind(struct descr *descr, const char *at, int length)
{
    uint64_t size = 0;
    int used = 1;
    while (used < length && used < 10 && isdigit((unsigned char)at[used]))
        size = size * 10 + (uint64_t)(at[used++] - '0');
    if (!strchr("biufcVSaUMm", at[0]) || used == 1 || !is_unit(at[0], at + used, length - used))
        return false;
    descr->kind = at[0];
    descr->bytes = at[0] == 'U' ? 4 * size : size;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].kind == descr->kind && types[i].bytes == descr->bytes)
            descr->type = &types[i];
    return true;
}

static bool is_long_double(const struct descr *descr)
{
    uint64_t bytes = descr->kind == 'c' ? descr->bytes / 2 : descr->bytes;
    return (descr->kind == 'f' || descr->kind == 'c') && (bytes == 12 || bytes == 16);
}

static bool read_descr(const struct npy_literal *literal, struct descr *descr, struct error *error)
{
    *descr = (struct descr){.text = literal->descr, .length = (int)literal->descr_length};
    int prefix = read_order(descr);
    const char *at = descr->text + prefix;
    int length = descr->length - prefix;
    if (length && *at == 'O')
        return fail_descr(descr, "is of Python objects", error);
    /* Before names: 'f16' is one of 16 bytes here, not of 16 bits. */
    if (length && read_kind(descr, at, length)) {
        if (is_long_double(descr))
            return fail_descr(descr, "is long double, which differs between machines", error);
        if (strchr("biufc", descr->kind) && !descr->type)
            return fail_descr(descr, "is unknown", error);
        return true;
    }
    if (!dtype_find(at, (size_t)length, &descr->named, error))
        return fail_descr(descr, "is unknown", error);
    descr->bytes = (uint64_t)descr->named.bytes;
    return true;
}

static bool apply_view(const struct descr *descr, const struct dtype *view, struct tensor *tensor,
                       struct error *error)
{
    if (descr->kind == 'c')
        return fail_descr(descr, "is complex: --view does not apply to it", error);
    if (descr->bytes != (uint64_t)view->bytes)
        return fail(error, "--view %s is for elements of %d byte%s, '%.*s' has %" PRIu64,
                    view->name, view->bytes, view->bytes == 1 ? "" : "s", shown(descr), descr->text,
                    descr->bytes);
    tensor->dtype = *view;
    return true;
}

/* The element type as the file has it; sets npy->skipped if there is none to cast. */
static bool apply_descr(const struct descr *descr, struct npy *npy, struct error *error)
{
    struct tensor *tensor = &npy->tensor;
    if (descr->kind == 0) {
        tensor->dtype = descr->named;
        return true;
    }
    if (descr->kind == 'V' && descr->bytes == 1)
        return fail_descr(descr, "may be any 8-bit float: tell which with --view", error);
    if (descr->type && strchr("fcV", descr->kind)) {
        const char *name = descr->type->name;
        tensor->components = descr->kind == 'c';
        if (descr->kind == 'V')
            npy->note = "dtype V2 taken as bf16";
        return dtype_find(name, strlen(name), &tensor->dtype, error);
    }
    npy->skipped = true;
    if (!descr->type) {
        snprintf(npy->dtype, sizeof npy->dtype, "%.*s", descr->length, descr->text);
        return true;
    }
    snprintf(tensor->dtype.name, sizeof tensor->dtype.name, "%s", descr->type->name);
    tensor->dtype.bytes = (int)descr->bytes;
    return true;
}

static bool apply_shape(const struct npy_literal *literal, uint64_t element_bytes, struct npy *npy,
                        struct error *error)
{
    struct tensor *tensor = &npy->tensor;
    uint64_t count;
    memcpy(npy->shape, literal->shape, sizeof npy->shape);
    tensor->rank = literal->rank;
    if (!shape_elements(npy->shape, tensor->rank, element_bytes, &count, error))
        return false;
    npy->bytes = count * element_bytes;
    tensor->elements = count;
    if (tensor->components) {
        tensor->elements *= 2;
        npy->shape[tensor->rank++] = 2;
    }
    return true;
}

bool npy_interpret(const struct npy_literal *literal, const struct dtype *view, struct npy *npy,
                   struct error *error)
{
    struct descr descr;
    *npy = (struct npy){.tensor.fortran = literal->fortran};
    if (!read_descr(literal, &descr, error))
        return false;
    /* Text and dates stay what they are. */
    bool viewed = view && (descr.kind == 0 || strchr("biufcV", descr.kind));
    if (viewed ? !apply_view(&descr, view, &npy->tensor, error) : !apply_descr(&descr, npy, error))
        return false;
    npy->tensor.big_endian = descr.big_endian && npy->tensor.dtype.bytes > 1;
    return apply_shape(literal, descr.bytes, npy, error);
}

bool npy_recognise(const unsigned char *head, size_t length)
{
    return length >= sizeof magic && memcmp(head, magic, sizeof magic) == 0;
}

bool npy_preamble_parse(const unsigned char *head, size_t length, struct npy_preamble *preamble,
                        struct error *error)
{
    if (length < 8)
        return fail(error, "npy header: truncated");
    unsigned major = head[6], minor = head[7];
    if (major < 1 || major > 3 || minor != 0)
        return fail(error, "npy version %u.%u is unknown (1.0, 2.0 and 3.0 are)", major, minor);
    preamble->version = major;
    preamble->header_start = major == 1 ? 10 : 12;
    if (length < preamble->header_start)
        return fail(error, "npy header: truncated");
    preamble->header_length = major == 1 ? load_le16(head + 8) : load_le32(head + 8);
    if (preamble->header_length > NPY_HEADER_LIMIT)
        return fail(error, "npy header: %zu bytes long, over the limit of %d",
                    preamble->header_length, NPY_HEADER_LIMIT);
    return true;
}

static bool read_header(struct input *input, const struct dtype *view, struct npy *npy,
                        struct error *error)
{
    struct npy_preamble preamble = {0};
    struct npy_literal literal;
    if (!npy_preamble_parse(input->head, input->head_length, &preamble, error) ||
        !input_holds(input, "npy header", preamble.header_start, preamble.header_length, error))
        return false;
    char *text = allocate(preamble.header_length, 1);
    bool ok = input_read(input, preamble.header_start, text, preamble.header_length, error) &&
              npy_literal_parse(text, preamble.header_length, preamble.version, &literal, error) &&
              npy_interpret(&literal, view, npy, error);
    free(text);
    npy->tensor.offset = preamble.header_start + preamble.header_length;
    return ok;
}

void npy_add(struct input *input, char *name, const struct npy *npy)
{
    static const char reason[] = "not floating point";
    struct tensor tensor = npy->tensor;
    if (npy->skipped && !tensor.dtype.bytes) { /* text, dates and the like */
        input_add_skipped(input, name, npy->dtype, reason);
        free(tensor.member);
        return;
    }
    tensor.name = name;
    tensor.shape = copy_numbers(npy->shape, tensor.rank);
    if (npy->skipped)
        input_add_skipped_data(input, &tensor, reason);
    else
        input_add_tensor(input, &tensor);
}

static bool npy_open(struct input *input, const struct input_options *options, struct error *error)
{
    struct npy npy;
    if (!read_header(input, options->view, &npy, error) ||
        !input_holds(input, "data", npy.tensor.offset, npy.bytes, error))
        return false;
    if (npy.note)
        input_warn(input, "%s", npy.note);
    input->data_end = npy.tensor.offset + npy.bytes;
    npy_add(input, copy_string(""), &npy);
    return true;
}

const struct container container_npy = {"npy", npy_recognise, npy_open};
