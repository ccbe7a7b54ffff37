/* Prints what an input holds, one JSON object a line, for comparison with what others read:
 *   dump FILE [VIEW]
 *   {"name": "a", "dtype": "f32", "shape": [2, 3], "hex": "..."}
 *   {"name": "b", "dtype": "i64", "skipped": "not floating point"}
 *   {"warning": "..."}
 * The bytes are those of all elements in C order, each of them little-endian. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "input/elements.h"
#include "output/escape.h"

static void add_string(struct buffer *line, const char *key, const char *text)
{
    buffer_printf(line, "%s\"%s\": ", line->length > 1 ? ", " : "", key);
    escape_json(line, text);
}

static void end_line(struct buffer *line)
{
    buffer_puts(line, "}\n");
    fwrite(line->data, 1, line->length, stdout);
    buffer_free(line);
}

static bool is_repeated(const struct tensor *tensor, unsigned axis)
{
    return tensor->strides && tensor->strides[axis] == 0;
}

/* Where an index stands in the C order of the elements that are there once. */
static uint64_t place_of(const struct tensor *tensor, const uint64_t *index)
{
    uint64_t place = 0;
    for (unsigned i = 0; i < tensor->rank; i++)
        place = is_repeated(tensor, i) ? place : place * tensor->shape[i] + index[i];
    return place;
}

/* The next index in C order; false after the last. */
static bool next_index(const struct tensor *tensor, uint64_t *index)
{
    for (unsigned i = tensor->rank; i-- > 0;) {
        if (++index[i] < tensor->shape[i])
            return true;
        index[i] = 0;
    }
    return false;
}

static void add_hex(struct buffer *line, const unsigned char *element, size_t bytes, bool reversed)
{
    for (size_t i = 0; i < bytes; i++)
        buffer_printf(line, "%02x", element[reversed ? bytes - 1 - i : i]);
}

/* Puts the elements, which come in storage order, in C order. */
static bool read_elements(struct input *input, struct tensor *tensor, unsigned char *to,
                          struct error *error)
{
    struct elements elements;
    size_t bytes = (size_t)tensor->dtype.bytes;
    uint64_t index[RANK_LIMIT];
    unsigned char element[8];
    if (!elements_open(input, tensor, &elements, error))
        return false;
    bool ok = true;
    for (uint64_t i = 0; ok && i < tensor->elements; i++) {
        ok = elements_read(&elements, i, 1, element, error);
        tensor_index(tensor, i, index);
        if (ok)
            memcpy(to + place_of(tensor, index) * bytes, element, bytes);
    }
    ok = ok && elements_finish(&elements, error);
    elements_close(&elements);
    return ok;
}

static bool dump_tensor(struct input *input, struct tensor *tensor, struct error *error)
{
    struct buffer line = {0};
    size_t bytes = (size_t)tensor->dtype.bytes;
    uint64_t index[RANK_LIMIT] = {0};
    unsigned char *elements = allocate((size_t)tensor->elements, bytes);
    buffer_puts(&line, "{");
    add_string(&line, "name", tensor->name);
    add_string(&line, "dtype", tensor->dtype.name);
    buffer_puts(&line, ", \"shape\": [");
    for (unsigned i = 0; i < tensor->rank; i++)
        buffer_printf(&line, "%s%" PRIu64, i ? ", " : "", tensor->shape[i]);
    buffer_puts(&line, "], \"hex\": \"");
    bool ok = read_elements(input, tensor, elements, error);
    if (ok && tensor->elements)
        do
            add_hex(&line, elements + place_of(tensor, index) * bytes, bytes, tensor->big_endian);
        while (next_index(tensor, index));
    buffer_puts(&line, "\"");
    if (ok)
        end_line(&line);
    buffer_free(&line);
    free(elements);
    return ok;
}

static void dump_skipped(const struct skipped *skipped)
{
    struct buffer line = {0};
    buffer_puts(&line, "{");
    add_string(&line, "name", skipped->name);
    add_string(&line, "dtype", skipped->dtype);
    add_string(&line, "skipped", skipped->reason);
    end_line(&line);
}

static void dump_warning(const char *warning)
{
    struct buffer line = {0};
    buffer_puts(&line, "{");
    add_string(&line, "warning", warning);
    end_line(&line);
}

static bool dump(const char *path, const struct input_options *options, struct error *error)
{
    struct input input;
    if (!input_open(path, options, &input, error))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < input.tensor_count; i++)
        ok = dump_tensor(&input, &input.tensors[i], error);
    ok = ok && input_finish(&input, error);
    for (size_t i = 0; ok && i < input.skipped_count; i++)
        dump_skipped(&input.skipped[i]);
    if (ok && *input.warning)
        dump_warning(input.warning);
    input_close(&input);
    return ok;
}

int main(int count, char **arguments)
{
    struct input_options options = {0};
    struct dtype view;
    struct error error = {""};
    if (count != 2 && count != 3) {
        fputs("usage: dump FILE [VIEW]\n", stderr);
        return 2;
    }
    if (count == 3)
        options.view = &view;
    bool ok = count == 2 || dtype_find(arguments[2], strlen(arguments[2]), &view, &error);
    if (!ok || !dump(arguments[1], &options, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 2;
    }
    return 0;
}
