/*
 * GGUF, versions 2 and 3, as docs/gguf.md of ggml has it: counts, key-value pairs, tensor infos,
 * and the data. The pairs are walked, not kept; only general.alignment matters here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "input/container.h"

static const char magic[4] = "GGUF";
static const char header[] = "gguf header"; /* all before the data, in messages */

enum {
    NAME_LIMIT = 64,
    KEY_LIMIT = 65535,
    DIMENSIONS = 4, /* at most */
    NESTING = 8,    /* of arrays: ggml writes none, the text has no limit */
    DEFAULT_ALIGNMENT = 32
};

/* What a pair and an info take at least: a key or name of no byte, a type, and one byte of value,
 * or a rank and an offset. */
enum { LEAST_PAIR = 8 + 4 + 1, LEAST_INFO = 8 + 4 + 4 + 8 };

enum { VALUE_UINT32 = 4, VALUE_STRING = 8, VALUE_ARRAY = 9, VALUE_TYPES = 13 };

/* What a value takes: strings and arrays, at least. */
static const unsigned char value_bytes[VALUE_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 12, 8, 8, 8};

static const char not_float[] = "not floating point", quantized[] = "quantized";

/* The types of tensors by their numbers in ggml.h: so many elements of a row share so many bytes.
 * Zero where it is not known, of types that no longer are written. */
static const struct type {
    const char *name;
    const char *skip; /* why it is not cast; NULL: it is, and `name` is that of the dtype */
    unsigned block, bytes;
} types[] = {
    [0] = {"f32", NULL, 1, 4},
    [1] = {"f16", NULL, 1, 2},
    [2] = {"q4_0", quantized, 32, 18},
    [3] = {"q4_1", quantized, 32, 20},
    [4] = {"q4_2", quantized, 0, 0},
    [5] = {"q4_3", quantized, 0, 0},
    [6] = {"q5_0", quantized, 32, 22},
    [7] = {"q5_1", quantized, 32, 24},
    [8] = {"q8_0", quantized, 32, 34},
    [9] = {"q8_1", quantized, 32, 36},
    [10] = {"q2_k", quantized, 256, 84},
    [11] = {"q3_k", quantized, 256, 110},
    [12] = {"q4_k", quantized, 256, 144},
    [13] = {"q5_k", quantized, 256, 176},
    [14] = {"q6_k", quantized, 256, 210},
    [15] = {"q8_k", quantized, 256, 292},
    [16] = {"iq2_xxs", quantized, 256, 66},
    [17] = {"iq2_xs", quantized, 256, 74},
    [18] = {"iq3_xxs", quantized, 256, 98},
    [19] = {"iq1_s", quantized, 256, 50},
    [20] = {"iq4_nl", quantized, 32, 18},
    [21] = {"iq3_s", quantized, 256, 110},
    [22] = {"iq2_s", quantized, 256, 82},
    [23] = {"iq4_xs", quantized, 256, 136},
    [24] = {"i8", not_float, 1, 1},
    [25] = {"i16", not_float, 1, 2},
    [26] = {"i32", not_float, 1, 4},
    [27] = {"i64", not_float, 1, 8},
    [28] = {"f64", NULL, 1, 8},
    [29] = {"iq1_m", quantized, 256, 56},
    [30] = {"bf16", NULL, 1, 2},
    [31] = {"q4_0_4_4", quantized, 0, 0},
    [32] = {"q4_0_4_8", quantized, 0, 0},
    [33] = {"q4_0_8_8", quantized, 0, 0},
    [34] = {"tq1_0", quantized, 256, 54},
    [35] = {"tq2_0", quantized, 256, 66},
    [36] = {"iq4_nl_4_4", quantized, 0, 0},
    [37] = {"iq4_nl_4_8", quantized, 0, 0},
    [38] = {"iq4_nl_8_8", quantized, 0, 0},
    [39] = {"mxfp4", quantized, 32, 17},
    [40] = {"nvfp4", quantized, 64, 36},
    [41] = {"q1_0", quantized, 128, 18},
    [42] = {"q2_0", quantized, 64, 18},
};

static const struct type unknown = {NULL, "unknown type", 0, 0};

/* What is before the data, in sequence. It is read ahead, of a stream never farther than what has
 * been said to follow: the data have to be still there when their turn comes. */
struct reader {
    struct input *input;
    uint64_t at;  /* where the next byte is */
    uint64_t due; /* bytes that follow at least what is being read now, by the counts so far */
    bool big_endian;
    uint32_t alignment;
    bool has_alignment;
    size_t used, filled; /* of `bytes`; the byte at `used` is the next one */
    unsigned char bytes[32768];
};

/* A string, of which so much is kept as a name may have. */
struct text {
    uint64_t length;
    char start[NAME_LIMIT + 1]; /* NUL-terminated */
};

struct info {
    char *name; /* owned */
    uint32_t type;
    unsigned rank;
    uint64_t shape[DIMENSIONS]; /* slowest axis first */
    uint64_t offset;            /* in the file */
    uint64_t bytes;             /* 0 where the size of the type is unknown */
};

/* Reading. */

/* The next `count` bytes, a few; NULL where they are not there. */
static const unsigned char *take(struct reader *reader, size_t count, struct error *error)
{
    const struct input *input = reader->input;
    size_t ready = reader->filled - reader->used;
    if (ready < count) {
        if (!input_holds(input, header, reader->at, count, error))
            return NULL;
        uint64_t ahead = input->seekable ? input->size - reader->at - count : reader->due;
        size_t room = sizeof reader->bytes - count;
        size_t more = count - ready + (ahead < room ? (size_t)ahead : room);
        memmove(reader->bytes, reader->bytes + reader->used, ready);
        reader->used = reader->filled = 0;
        if (!input_read(reader->input, reader->at + ready, reader->bytes + ready, more, error))
            return NULL;
        reader->filled = ready + more;
    }
    reader->used += count;
    reader->at += count;
    return reader->bytes + reader->used - count;
}

static bool skip(struct reader *reader, uint64_t count, struct error *error)
{
    size_t ready = reader->filled - reader->used;
    if (!input_holds(reader->input, header, reader->at, count, error))
        return false;
    reader->used += count < ready ? (size_t)count : ready;
    reader->at += count;
    return true;
}

static bool take32(struct reader *reader, uint32_t *value, struct error *error)
{
    const unsigned char *bytes = take(reader, 4, error);
    if (bytes)
        *value = reader->big_endian ? __builtin_bswap32(load_le32(bytes)) : load_le32(bytes);
    return bytes;
}

static bool take64(struct reader *reader, uint64_t *value, struct error *error)
{
    const unsigned char *bytes = take(reader, 8, error);
    if (bytes)
        *value = reader->big_endian ? __builtin_bswap64(load_le64(bytes)) : load_le64(bytes);
    return bytes;
}

static bool take_text(struct reader *reader, const char *what, uint64_t limit, struct text *text,
                      struct error *error)
{
    if (!take64(reader, &text->length, error))
        return false;
    if (text->length > limit)
        return fail(error, "%s: a %s of %" PRIu64 " bytes, over the limit of %" PRIu64, header,
                    what, text->length, limit);
    size_t kept = text->length < NAME_LIMIT ? (size_t)text->length : NAME_LIMIT;
    const unsigned char *bytes = take(reader, kept, error);
    if (!bytes)
        return false;
    memcpy(text->start, bytes, kept);
    text->start[kept] = '\0';
    return skip(reader, text->length - kept, error);
}

/* A count was read, of things that take `least` bytes each. */
static bool expect(struct reader *reader, uint64_t count, uint64_t least, struct error *error)
{
    uint64_t bytes;
    if (!checked_multiply(count, least, &bytes) || !checked_add(reader->due, bytes, &reader->due))
        return fail(error, "%s: %" PRIu64 " items do not fit in any file", header, count);
    return input_holds(reader->input, header, reader->at, reader->due, error);
}

/* Pairs. */

static bool skip_text(struct reader *reader, struct error *error)
{
    uint64_t length;
    return take64(reader, &length, error) && skip(reader, length, error);
}

static bool check_value_type(uint32_t type, struct error *error)
{
    return type < VALUE_TYPES || fail(error, "%s: value type %" PRIu32 " is unknown", header, type);
}

static bool skip_array(struct reader *reader, unsigned depth, struct error *error)
{
    uint32_t type;
    uint64_t count;
    if (depth == NESTING)
        return fail(error, "%s: arrays are nested more than %d deep", header, NESTING);
    if (!take32(reader, &type, error) || !check_value_type(type, error) ||
        !take64(reader, &count, error) || !expect(reader, count, value_bytes[type], error))
        return false;
    if (type != VALUE_STRING && type != VALUE_ARRAY) {
        reader->due -= count * value_bytes[type];
        return skip(reader, count * value_bytes[type], error);
    }
    for (uint64_t i = 0; i < count; i++) {
        reader->due -= value_bytes[type];
        if (type == VALUE_STRING ? !skip_text(reader, error)
                                 : !skip_array(reader, depth + 1, error))
            return false;
    }
    return true;
}

static bool skip_value(struct reader *reader, uint32_t type, struct error *error)
{
    if (type == VALUE_STRING)
        return skip_text(reader, error);
    if (type == VALUE_ARRAY)
        return skip_array(reader, 0, error);
    return skip(reader, value_bytes[type], error);
}

static bool take_alignment(struct reader *reader, uint32_t type, struct error *error)
{
    if (reader->has_alignment)
        return fail(error, "%s: general.alignment is there twice", header);
    reader->has_alignment = true;
    if (type != VALUE_UINT32)
        return fail(error, "%s: general.alignment is no uint32", header);
    if (!take32(reader, &reader->alignment, error))
        return false;
    if (reader->alignment == 0 || reader->alignment % 8)
        return fail(error, "%s: general.alignment is %" PRIu32 ", no multiple of 8", header,
                    reader->alignment);
    return true;
}

static bool take_pair(struct reader *reader, struct error *error)
{
    struct text key;
    uint32_t type;
    if (!take_text(reader, "key", KEY_LIMIT, &key, error) || !take32(reader, &type, error) ||
        !check_value_type(type, error))
        return false;
    if (key.length == strlen("general.alignment") && strcmp(key.start, "general.alignment") == 0)
        return take_alignment(reader, type, error);
    return skip_value(reader, type, error);
}

/* Tensor infos. */

static const struct type *type_of(const struct info *info)
{
    return info->type < sizeof types / sizeof *types ? &types[info->type] : &unknown;
}

static bool take_shape(struct reader *reader, struct info *info, struct error *error)
{
    uint32_t rank;
    if (!take32(reader, &rank, error))
        return false;
    if (rank > DIMENSIONS)
        return fail(error, "%" PRIu32 " dimensions, over the limit of %d", rank, DIMENSIONS);
    info->rank = rank;
    while (rank--)
        if (!take64(reader, &info->shape[rank], error))
            return false;
    return true;
}

/* Blocks do not reach over the end of a row. */
static bool measure(struct info *info, struct error *error)
{
    const struct type *type = type_of(info);
    uint64_t blocks[DIMENSIONS], count, row = info->rank ? info->shape[info->rank - 1] : 1;
    unsigned block = type->block ? type->block : 1;
    memcpy(blocks, info->shape, sizeof blocks);
    if (row % block)
        return fail(error, "rows of %" PRIu64 " elements are no multiple of the %u of a block", row,
                    block);
    if (info->rank)
        blocks[info->rank - 1] = row / block;
    if (!shape_elements(blocks, info->rank, type->bytes, &count, error))
        return false;
    info->bytes = count * type->bytes;
    return true;
}

static bool take_info(struct reader *reader, struct info *info, struct error *error)
{
    struct text name;
    struct error why;
    *info = (struct info){0};
    if (!take_text(reader, "tensor's name", NAME_LIMIT, &name, error))
        return false;
    if (strlen(name.start) != name.length)
        return fail(error, "%s: a tensor's name with a NUL in it: '%s'", header, name.start);
    info->name = copy_string(name.start);
    if (take_shape(reader, info, &why) && take32(reader, &info->type, &why) &&
        take64(reader, &info->offset, &why) && measure(info, &why))
        return true;
    fail_tensor(info->name, &why, error);
    free(info->name);
    return false;
}

/* Where in the file the data are. What has none is read nowhere: it lies before them all. */
static bool place(const struct reader *reader, uint64_t data, struct info *info,
                  struct error *error)
{
    struct error why;
    uint64_t offset = info->offset;
    bool ok = true;
    if (offset % reader->alignment)
        ok = fail(&why, "its offset %" PRIu64 " is no multiple of the alignment %" PRIu32, offset,
                  reader->alignment);
    else if (!checked_add(data, offset, &info->offset) || info->offset > INT64_MAX)
        ok = fail(&why, "its offset %" PRIu64 " does not fit in any file", offset);
    else if (info->bytes)
        ok = input_holds(reader->input, "data", info->offset, info->bytes, &why);
    else if (type_of(info)->bytes)
        info->offset = reader->at;
    return ok || fail_tensor(info->name, &why, error);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct info *)a)->name, ((const struct info *)b)->name);
}

static int by_offset(const void *a, const void *b)
{
    const struct info *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return by_name(a, b);
}

/* Leaves the infos in the order of their data; *end grows to where these end. */
static bool sort_infos(struct info *infos, size_t count, uint64_t *end, struct error *error)
{
    if (count == 0)
        return true;
    qsort(infos, count, sizeof *infos, by_name);
    for (size_t i = 1; i < count; i++)
        if (strcmp(infos[i - 1].name, infos[i].name) == 0)
            return fail(error, "two tensors '%.200s'", infos[i].name);
    qsort(infos, count, sizeof *infos, by_offset);
    for (size_t i = 0; i < count; i++) {
        if (infos[i].offset < *end)
            return fail(error, "tensors '%.200s' and '%.200s' overlap", infos[i - 1].name,
                        infos[i].name);
        if (infos[i].bytes)
            *end = infos[i].offset + infos[i].bytes;
    }
    return true;
}

/* The name becomes the input's. */
static void add(struct reader *reader, const struct input_options *options, struct info *info)
{
    const struct type *type = type_of(info);
    bool viewed = type->block == 1 && view_applies(options, type->bytes);
    if (!type->bytes)
        reader->input->tail_expected = true; /* its data */
    if (!viewed && type->skip) {
        char number[24];
        snprintf(number, sizeof number, "type %" PRIu32, info->type);
        input_add_skipped(reader->input, info->name, type->name ? type->name : number, type->skip);
        return;
    }
    struct tensor tensor = {.name = info->name, .rank = info->rank, .offset = info->offset};
    struct error never;
    if (viewed)
        tensor.dtype = *options->view;
    else
        dtype_find(type->name, strlen(type->name), &tensor.dtype, &never);
    tensor.big_endian = reader->big_endian && tensor.dtype.bytes > 1;
    tensor.elements = info->bytes / type->bytes;
    tensor.shape = copy_numbers(info->shape, info->rank);
    input_add_tensor(reader->input, &tensor);
}

/* The file. */

static bool take_version(struct reader *reader, struct error *error)
{
    uint32_t version = 0;
    if (!take(reader, sizeof magic, error) || !take32(reader, &version, error))
        return false;
    /* Nothing else tells a big-endian file. */
    reader->big_endian = version && version % 65536 == 0;
    if (reader->big_endian)
        version = __builtin_bswap32(version);
    if (version == 1)
        return fail(error, "gguf version 1 is too old (2 and 3 are read)");
    if (version != 2 && version != 3)
        return fail(error, "gguf version %" PRIu32 " is unknown (2 and 3 are read)", version);
    return true;
}

/* All before the data; what infos there are is added to `infos`, even where it fails. */
static bool take_header(struct reader *reader, struct buffer *infos, struct error *error)
{
    uint64_t tensors, pairs;
    if (!take_version(reader, error) || !take64(reader, &tensors, error) ||
        !take64(reader, &pairs, error) || !expect(reader, tensors, LEAST_INFO, error) ||
        !expect(reader, pairs, LEAST_PAIR, error))
        return false;
    for (; pairs; pairs--) {
        reader->due -= LEAST_PAIR;
        if (!take_pair(reader, error))
            return false;
    }
    for (; tensors; tensors--) {
        struct info info;
        reader->due -= LEAST_INFO;
        if (!take_info(reader, &info, error))
            return false;
        buffer_add(infos, &info, sizeof info);
    }
    /* What was skipped last may not be there in a stream. */
    return input_read(reader->input, reader->at, NULL, 0, error);
}

static bool aligned(uint64_t at, uint32_t alignment, uint64_t *result, struct error *error)
{
    uint64_t padding = (alignment - at % alignment) % alignment;
    return checked_add(at, padding, result) || fail(error, "the data do not fit in any file");
}

static bool place_all(struct reader *reader, struct info *infos, size_t count, struct error *error)
{
    uint64_t data, end = 0;
    if (!aligned(reader->at, reader->alignment, &data, error))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!place(reader, data, &infos[i], error))
            return false;
    if (!sort_infos(infos, count, &end, error))
        return false;
    /* The last tensor is padded as the others are, by most writers. */
    struct input *input = reader->input;
    if (!aligned(end > data ? end : data, reader->alignment, &input->data_end, error))
        return false;
    input->padding = input->data_end - (end > data ? end : reader->at);
    return true;
}

static bool gguf_open(struct input *input, const struct input_options *options, struct error *error)
{
    struct reader *reader = allocate(1, sizeof *reader);
    struct buffer buffer = {0};
    reader->input = input;
    reader->alignment = DEFAULT_ALIGNMENT;
    bool ok = take_header(reader, &buffer, error);
    struct info *infos = (struct info *)buffer.data;
    size_t count = buffer.length / sizeof *infos;
    ok = ok && place_all(reader, infos, count, error);
    for (size_t i = 0; i < count; i++) {
        if (ok)
            add(reader, options, &infos[i]);
        else
            free(infos[i].name);
    }
    buffer_free(&buffer);
    free(reader);
    return ok;
}

static bool gguf_recognise(const unsigned char *head, size_t length)
{
    return length >= sizeof magic && memcmp(head, magic, sizeof magic) == 0;
}

const struct container container_gguf = {"gguf", gguf_recognise, gguf_open};
