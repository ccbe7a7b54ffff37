/* Hugging Face's .safetensors: the length of a JSON header, the header, the data. Its rules are
 * those of the format's README: one tensor's data follow the other's, and nothing is left over. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/checked.h"
#include "input/container.h"
#include "input/json.h"
#include "input/safetensors.h"

enum {
    LENGTH_BYTES = 8,
    HEADER_LEAST = 2,           /* {} */
    AXES_LIMIT = RANK_LIMIT - 1 /* one is for the components */
};

/* Element types. Of C64, `dtype` and `bits` are those of a component and of both. */
static const struct type {
    const char *name;
    const char *dtype;  /* as the report names it */
    const char *reason; /* that it is skipped for; NULL: it is one of a format */
    unsigned bits;
    bool components;
} types[] = {
    {"F32", "f32", NULL, 32, false},
    {"F16", "f16", NULL, 16, false},
    {"BF16", "bf16", NULL, 16, false},
    {"F64", "f64", NULL, 64, false},
    {"C64", "f32", NULL, 64, true},
    {"F8_E4M3", "e4m3fn", NULL, 8, false},
    {"F8_E5M2", "e5m2", NULL, 8, false},
    {"F8_E4M3FNUZ", "e4m3fnuz", NULL, 8, false},
    {"F8_E5M2FNUZ", "e5m2fnuz", NULL, 8, false},
    {"F8_E8M0", "f8_e8m0", "a scale, without sign and significand", 8, false},
    {"F6_E2M3", "f6_e2m3", "packed: an element is no whole byte", 6, false},
    {"F6_E3M2", "f6_e3m2", "packed: an element is no whole byte", 6, false},
    {"F4", "f4", "packed: an element is no whole byte", 4, false},
    {"BOOL", "bool", "not floating point", 8, false},
    {"U8", "u8", "not floating point", 8, false},
    {"I8", "i8", "not floating point", 8, false},
    {"U16", "u16", "not floating point", 16, false},
    {"I16", "i16", "not floating point", 16, false},
    {"U32", "u32", "not floating point", 32, false},
    {"I32", "i32", "not floating point", 32, false},
    {"U64", "u64", "not floating point", 64, false},
    {"I64", "i64", "not floating point", 64, false},
};

enum { TYPE_COUNT = sizeof types / sizeof *types };

const char *safetensors_dtype(const char *dtype, bool components)
{
    for (int i = 0; i < TYPE_COUNT; i++)
        if (strcmp(types[i].dtype, dtype) == 0 && types[i].components == components)
            return types[i].name;
    return NULL;
}

/* A tensor of the header. There may be millions. */
struct entry {
    char *name;
    uint64_t *shape;
    uint64_t begin, end; /* of its data, from where all data begin */
    unsigned char rank;
    unsigned char type;
};

/* A key of __metadata__, in its canonical text. */
struct metadata_key {
    uint32_t start, length;
};

struct header {
    struct json json;
    struct buffer metadata; /* canonical JSON */
    struct metadata_key *keys;
    size_t key_count;
    struct entry *entries;
    size_t count;
    bool has_metadata;
};

/* An entry of the header. */

enum key { KEY_DTYPE, KEY_SHAPE, KEY_DATA_OFFSETS, KEY_COUNT };

static const char *const key_names[KEY_COUNT] = {"dtype", "shape", "data_offsets"};

static bool parse_dtype(struct json *json, struct entry *entry)
{
    if (!json_expect(json, JSON_STRING, "the name of a dtype"))
        return false;
    for (entry->type = 0; entry->type < TYPE_COUNT; entry->type++)
        if (strcmp(json->text.data, types[entry->type].name) == 0)
            return json_has_no_nul(json);
    return json_fail(json, ABOUT_TENSOR "dtype '%.40s' is unknown", entry->name, json->text.data);
}

static bool take_whole(struct json *json, enum json_token token, const struct entry *entry,
                       uint64_t *number)
{
    if (token == JSON_NUMBER && json_whole(json, number) && *number <= INT64_MAX)
        return true;
    return json_fail(json, ABOUT_TENSOR "a whole number below 2^63 expected", entry->name);
}

static bool parse_shape(struct json *json, struct entry *entry)
{
    uint64_t shape[AXES_LIMIT];
    if (!json_expect(json, JSON_ARRAY, "an array of dimensions"))
        return false;
    enum json_token token;
    while ((token = json_next(json)) != JSON_ARRAY_END) {
        if (entry->rank == AXES_LIMIT)
            return json_fail(json, ABOUT_TENSOR "more than %d dimensions", entry->name, AXES_LIMIT);
        if (!take_whole(json, token, entry, &shape[entry->rank]))
            return false;
        entry->rank++;
    }
    entry->shape = copy_numbers(shape, entry->rank);
    return true;
}

static bool parse_data_offsets(struct json *json, struct entry *entry)
{
    if (!json_expect(json, JSON_ARRAY, "an array of two offsets") ||
        !take_whole(json, json_next(json), entry, &entry->begin) ||
        !take_whole(json, json_next(json), entry, &entry->end))
        return false;
    if (entry->end < entry->begin)
        return json_fail(json, ABOUT_TENSOR "data_offsets end before they begin", entry->name);
    return json_expect(json, JSON_ARRAY_END, "two offsets and no more");
}

static bool parse_value(struct json *json, enum key key, struct entry *entry)
{
    switch (key) {
    case KEY_DTYPE:
        return parse_dtype(json, entry);
    case KEY_SHAPE:
        return parse_shape(json, entry);
    default:
        return parse_data_offsets(json, entry);
    }
}

/* KEY_COUNT: none of them. */
static enum key find_key(const char *text)
{
    enum key key = 0;
    while (key < KEY_COUNT && strcmp(text, key_names[key]) != 0)
        key++;
    return key;
}

static bool parse_entry(struct json *json, struct entry *entry)
{
    bool seen[KEY_COUNT] = {false};
    enum json_token token;
    if (!json_expect(json, JSON_OBJECT, "the object of a tensor"))
        return false;
    while ((token = json_next(json)) == JSON_KEY) {
        enum key key = find_key(json->text.data);
        if (key == KEY_COUNT)
            return json_fail(json, ABOUT_TENSOR "unknown key '%.40s'", entry->name,
                             json->text.data);
        if (!json_has_no_nul(json))
            return false;
        if (seen[key])
            return json_fail(json, ABOUT_TENSOR "two keys '%s'", entry->name, key_names[key]);
        seen[key] = true;
        if (!parse_value(json, key, entry))
            return false;
    }
    for (enum key key = 0; token == JSON_OBJECT_END && key < KEY_COUNT; key++)
        if (!seen[key])
            return json_fail(json, ABOUT_TENSOR "no key '%s'", entry->name, key_names[key]);
    return token == JSON_OBJECT_END;
}

/* Whether shape, element type and offsets tell of the same number of bytes. */
static bool check_size(struct json *json, const struct entry *entry)
{
    const struct type *type = &types[entry->type];
    uint64_t elements, bits;
    struct error why;
    if (!shape_elements(entry->shape, entry->rank, (type->bits + 7) / 8, &elements, &why))
        return json_fail(json, ABOUT_TENSOR "%s", entry->name, why.text);
    /* In bits it may be too much for 64 of them, which no file is long enough for either. */
    if (!checked_multiply(elements, type->bits, &bits))
        return json_fail(json, ABOUT_TENSOR "the shape is too large", entry->name);
    if (bits % 8)
        return json_fail(json, ABOUT_TENSOR "%" PRIu64 " elements of %u bits are no whole bytes",
                         entry->name, elements, type->bits);
    if (bits / 8 != entry->end - entry->begin)
        return json_fail(
            json, ABOUT_TENSOR "shape and dtype make %" PRIu64 " bytes, data_offsets %" PRIu64,
            entry->name, bits / 8, entry->end - entry->begin);
    return true;
}

static bool parse_tensor(struct header *header)
{
    struct json *json = &header->json;
    header->entries = room_for_one(header->entries, header->count, sizeof *header->entries);
    struct entry *entry = &header->entries[header->count++];
    *entry = (struct entry){.name = copy_bytes(json->text.data, json->text.length)};
    return parse_entry(json, entry) && check_size(json, entry);
}

/* __metadata__. */

/* As RFC 8785 writes strings: equal ones look equal. */
static void add_canonical(struct buffer *to, const struct buffer *text)
{
    static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
    size_t done = 0; /* all up to here is written */
    buffer_puts(to, "\"");
    for (size_t i = 0; i < text->length; i++) {
        unsigned char byte = (unsigned char)text->data[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        buffer_add(to, text->data + done, i - done);
        done = i + 1;
        const char *value = byte ? strchr(values, byte) : NULL;
        if (value)
            buffer_add(to, (char[]){'\\', names[value - values]}, 2);
        else
            buffer_printf(to, "\\u%04x", byte);
    }
    buffer_add(to, text->data + done, text->length - done);
    buffer_puts(to, "\"");
}

static void add_metadata_key(struct header *header)
{
    struct buffer *metadata = &header->metadata;
    if (header->key_count)
        buffer_puts(metadata, ",");
    struct metadata_key key = {.start = (uint32_t)metadata->length};
    add_canonical(metadata, &header->json.text);
    key.length = (uint32_t)metadata->length - key.start;
    buffer_puts(metadata, ":");
    header->keys = room_for_one(header->keys, header->key_count, sizeof key);
    header->keys[header->key_count++] = key;
}

static int compare_keys(const void *a, const void *b, void *text)
{
    const struct metadata_key *left = a, *right = b;
    size_t length = left->length < right->length ? left->length : right->length;
    int order = memcmp((char *)text + left->start, (char *)text + right->start, length);
    return order ? order : (left->length > right->length) - (left->length < right->length);
}

static bool keys_differ(struct header *header)
{
    char *text = header->metadata.data;
    const struct metadata_key *keys = header->keys;
    if (header->key_count)
        qsort_r(header->keys, header->key_count, sizeof *keys, compare_keys, text);
    for (size_t i = 1; i < header->key_count; i++)
        if (compare_keys(&keys[i - 1], &keys[i], text) == 0)
            return json_fail(&header->json, "two keys %.*s in __metadata__",
                             (int)(keys[i].length < 200 ? keys[i].length : 200),
                             text + keys[i].start);
    return true;
}

/* What is written here is no longer than what was read, so it is bounded as the header is. */
static bool parse_metadata(struct header *header)
{
    struct json *json = &header->json;
    enum json_token token;
    if (header->has_metadata)
        return json_fail(json, "two keys '__metadata__'");
    header->has_metadata = true;
    if (!json_expect(json, JSON_OBJECT, "the object of __metadata__"))
        return false;
    json->text_limit = SAFETENSORS_HEADER_LIMIT;
    buffer_puts(&header->metadata, "{");
    while ((token = json_next(json)) == JSON_KEY) {
        add_metadata_key(header);
        if (!json_expect(json, JSON_STRING, "a string in __metadata__"))
            return false;
        add_canonical(&header->metadata, &json->text);
    }
    buffer_puts(&header->metadata, "}");
    json->text_limit = JSON_NAME_LIMIT;
    return token == JSON_OBJECT_END && keys_differ(header);
}

static bool parse_header(struct header *header)
{
    struct json *json = &header->json;
    enum json_token token;
    if (!json_expect(json, JSON_OBJECT, "'{'"))
        return false;
    while ((token = json_next(json)) == JSON_KEY) {
        if (!json_has_no_nul(json))
            return false;
        bool metadata = strcmp(json->text.data, "__metadata__") == 0;
        if (metadata ? !parse_metadata(header) : !parse_tensor(header))
            return false;
    }
    return token == JSON_OBJECT_END && json_expect(json, JSON_END, "the end");
}

/* The tensors together. */

static int compare_names(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    return strcmp(left->name, right->name);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* One without data comes before the one that begins at the same byte. */
static int compare_places(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    int order = compare_numbers(left->begin, right->begin);
    order = order ? order : compare_numbers(left->end, right->end);
    return order ? order : compare_names(a, b);
}

static bool names_differ(struct header *header, struct error *error)
{
    const struct entry *entries = header->entries;
    if (header->count)
        qsort(header->entries, header->count, sizeof *entries, compare_names);
    for (size_t i = 1; i < header->count; i++)
        if (compare_names(&entries[i - 1], &entries[i]) == 0)
            return fail(error, "two tensors '%.200s'", entries[i].name);
    return true;
}

static bool data_are_seamless(struct header *header, uint64_t *end, struct error *error)
{
    const struct entry *entries = header->entries;
    *end = 0;
    if (header->count)
        qsort(header->entries, header->count, sizeof *entries, compare_places);
    for (size_t i = 0; i < header->count; i++) {
        if (entries[i].begin != *end)
            return fail(error, ABOUT_TENSOR "its data begin at offset %" PRIu64 ", %s %" PRIu64,
                        entries[i].name, entries[i].begin,
                        entries[i].begin > *end ? "leaving a gap after" : "overlapping those up to",
                        *end);
        *end = entries[i].end;
    }
    return true;
}

static bool fits_file(const struct input *input, uint64_t start, uint64_t bytes,
                      struct error *error)
{
    if (!input_holds(input, "data", start, bytes, error))
        return false;
    if (!input->seekable || start + bytes == input->size)
        return true;
    uint64_t more = input->size - start - bytes;
    return fail(error, "%" PRIu64 " byte%s after the data", more, more == 1 ? "" : "s");
}

static void add_skipped(struct input *input, struct tensor *tensor, const struct type *type,
                        uint64_t bytes)
{
    tensor->dtype.bytes = type->bits < 8 ? 1 : (int)type->bits / 8;
    tensor->elements = bytes / (uint64_t)tensor->dtype.bytes;
    snprintf(tensor->dtype.name, sizeof tensor->dtype.name, "%s", type->dtype);
    input_add_skipped_data(input, tensor, type->reason);
}

/* The name and the shape become the input's. */
static void add_entry(struct input *input, const struct dtype *view, uint64_t start,
                      struct entry *entry)
{
    const struct type *type = &types[entry->type];
    struct tensor tensor = {.name = entry->name, .shape = entry->shape, .rank = entry->rank};
    struct error unused; /* the table's names are known */
    tensor.offset = start + entry->begin;
    if (type->reason && !view) {
        add_skipped(input, &tensor, type, entry->end - entry->begin);
        return;
    }
    if (view)
        tensor.dtype = *view;
    else
        dtype_find(type->dtype, strlen(type->dtype), &tensor.dtype, &unused);
    tensor.elements = (entry->end - entry->begin) / (uint64_t)tensor.dtype.bytes;
    tensor.components = type->components;
    if (type->components) {
        tensor.shape = reallocate(tensor.shape, tensor.rank + 1u, sizeof *tensor.shape);
        tensor.shape[tensor.rank++] = 2;
    }
    input_add_tensor(input, &tensor);
}

static void add_entries(struct input *input, const struct input_options *options, uint64_t start,
                        struct header *header)
{
    for (size_t i = 0; i < header->count; i++) {
        const struct type *type = &types[header->entries[i].type];
        bool viewed =
            type->bits % 8 == 0 && !type->components && view_applies(options, type->bits / 8);
        add_entry(input, viewed ? options->view : NULL, start, &header->entries[i]);
    }
    header->count = 0;
    input->metadata = header->metadata.data;
    header->metadata = (struct buffer){0};
}

static bool read_bytes(void *input, uint64_t offset, void *to, size_t count, struct error *error)
{
    return input_read(input, offset, to, count, error);
}

static void header_close(struct header *header)
{
    for (size_t i = 0; i < header->count; i++) {
        free(header->entries[i].name);
        free(header->entries[i].shape);
    }
    free(header->entries);
    free(header->keys);
    buffer_free(&header->metadata);
    json_close(&header->json);
}

static bool safetensors_open(struct input *input, const struct input_options *options,
                             struct error *error)
{
    uint64_t length = load_le64(input->head), start = LENGTH_BYTES + length, bytes;
    if (!input_holds(input, "safetensors header", LENGTH_BYTES, length, error))
        return false;
    struct header header = {.json = {.read = read_bytes,
                                     .context = input,
                                     .offset = LENGTH_BYTES,
                                     .end = start,
                                     .what = "safetensors header",
                                     .text_limit = JSON_NAME_LIMIT,
                                     .error = error}};
    bool ok = parse_header(&header) && names_differ(&header, error) &&
              data_are_seamless(&header, &bytes, error) && fits_file(input, start, bytes, error);
    if (ok) {
        input->data_end = start + bytes;
        add_entries(input, options, start, &header);
    }
    header_close(&header);
    return ok;
}

static bool safetensors_recognise(const unsigned char *head, size_t length)
{
    if (length <= LENGTH_BYTES || !memchr("{ \t\r\n", head[LENGTH_BYTES], 5))
        return false;
    uint64_t header = load_le64(head);
    return header >= HEADER_LEAST && header <= SAFETENSORS_HEADER_LIMIT;
}

const struct container container_safetensors = {"safetensors", safetensors_recognise,
                                                safetensors_open};
