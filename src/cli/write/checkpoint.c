/* All tensors as .safetensors: one file, or one for each input and an index. What is not cast is
 * copied. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "cli/file.h"
#include "cli/write/safetensors.h"
#include "cli/write/scatter.h"
#include "cli/write/shard_index.h"
#include "cli/write/kind.h"
#include "cli/write/path.h"
#include "input/checkpoint.h"
#include "input/elements.h"
#include "input/safetensors.h"
#include "output/escape.h"

/* What is copied and not cast. */
struct copy {
    struct tensor *tensor;
    const struct stored *stored;
};

struct checkpoint_writer {
    struct writer writer;
    const char *dtype; /* the format's, as the file has it */
    bool many;         /* a directory */
    struct temporary *directory;
    struct file *files; /* that were begun; `paths` are theirs */
    char **paths;
    size_t count;
    struct shard_index index;
    struct shard_index foreseen; /* the same before any file is begun, of inputs read twice */
    uint64_t data_bytes;

    /* Of the input that is at hand. */
    struct input *input;
    struct sheet sheet;  /* its tensors, then what is copied */
    uint64_t repeated;   /* bytes of those that repeat elements */
    char *name;          /* owned: of a tensor without one */
    struct copy *copies; /* in the order of the data */
    size_t copy_count, copied;
    size_t lost_count;          /* what is skipped and cannot be copied, */
    const struct skipped *lost; /* and the first of it */
};

static struct checkpoint_writer *checkpoint_of(struct writer *writer)
{
    return (struct checkpoint_writer *)writer;
}

static struct file *file_at_hand(const struct checkpoint_writer *w)
{
    return &w->files[w->count - 1];
}

/* Opening and closing. */

/* As "bf16, fp16": those that the file format has too. */
static void list_formats(struct buffer *to)
{
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
        if (format_dtype(i) && safetensors_dtype(format_dtype(i), false))
            buffer_printf(to, "%s%s", to->length ? ", " : "", format_named(i).name);
}

static const char *find_dtype(const struct format *format, struct error *error)
{
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
        if (format_dtype(i) && strcmp(format_named(i).name, format->name) == 0 &&
            safetensors_dtype(format_dtype(i), false))
            return safetensors_dtype(format_dtype(i), false);
    struct buffer names = {0};
    list_formats(&names);
    fail(error, ".safetensors has no %s; it has %s", format->name, names.data);
    buffer_free(&names);
    return NULL;
}

static struct writer *checkpoint_open_writer(const struct options *options, struct error *error)
{
    struct checkpoint_writer *w = allocate(1, sizeof *w);
    w->many = path_wants_directory(options->write);
    w->dtype = find_dtype(&options->casts[0].format, error);
    if (w->dtype && (!w->many || directory_create(options->write, &w->directory, error)))
        return &w->writer;
    free(w);
    return NULL;
}

static void forget_input(struct checkpoint_writer *w)
{
    sheet_free(&w->sheet);
    free(w->name);
    free(w->copies);
    w->name = NULL;
    w->copies = NULL;
    w->copy_count = w->copied = w->lost_count = 0;
    w->repeated = 0;
}

static void release(struct checkpoint_writer *w)
{
    forget_input(w);
    for (size_t i = 0; i < w->count; i++)
        free(w->paths[i]);
    free(w->files);
    free(w->paths);
    shard_index_free(&w->index);
    shard_index_free(&w->foreseen);
}

static void checkpoint_abandon(struct writer *writer)
{
    struct checkpoint_writer *w = checkpoint_of(writer);
    for (size_t i = 0; i < w->count; i++)
        file_abandon(&w->files[i]);
    if (w->directory)
        directory_settle(w->directory, false);
    release(w);
}

static bool checkpoint_in_order(const struct writer *writer)
{
    (void)writer;
    return false;
}

/* `path` becomes the writer's. */
static bool add_file(struct checkpoint_writer *w, char *path, struct error *error)
{
    struct file file;
    struct error why;
    if (!file_create(path, &file, &why)) {
        output_failed(path, &why, error);
        free(path);
        return false;
    }
    w->files = room_for_one(w->files, w->count, sizeof *w->files);
    w->paths = room_for_one(w->paths, w->count, sizeof *w->paths);
    w->files[w->count] = file;
    w->paths[w->count++] = path;
    return true;
}

/* The index. */

static bool write_index(struct checkpoint_writer *w, struct error *error)
{
    const char *directory = w->writer.options->write;
    struct error why;
    if (!shard_index_arrange(&w->index, &why))
        return output_failed(directory, &why, error);
    if (!add_file(w, path_in(directory, CHECKPOINT_INDEX), error))
        return false;
    struct file *file = file_at_hand(w);
    return (shard_index_write(&w->index, w->data_bytes, file, &why) && file_close(file, &why)) ||
           output_failed(file->path, &why, error);
}

static bool checkpoint_commit(struct writer *writer, struct error *error)
{
    struct checkpoint_writer *w = checkpoint_of(writer);
    if (w->many && !write_index(w, error)) {
        checkpoint_abandon(writer);
        return false;
    }
    bool done = file_commit_all(w->files, w->count, error);
    if (w->directory)
        directory_settle(w->directory, done);
    release(w);
    return done;
}

/* The sheet of an input. */

/* Under how many indices each element is. */
static uint64_t times_repeated(const struct tensor *tensor)
{
    uint64_t times = 1;
    for (unsigned axis = 0; tensor->strides && axis < tensor->rank; axis++)
        if (tensor->strides[axis] == 0)
            times *= tensor->shape[axis]; /* the reader has seen that all of them fit */
    return times;
}

/* Four bytes and a stride of 0 stand for any number of elements: all that is repeated may take no
 * more than the input does, or than this. */
enum { REPEATED_BYTES = 16 << 20 };

static bool count_repeated(struct checkpoint_writer *w, const struct tensor *tensor, uint64_t bytes)
{
    uint64_t sum, most = w->input->size < REPEATED_BYTES ? REPEATED_BYTES : w->input->size;
    if (!tensor_repeats(tensor))
        return true;
    if (!checked_add(w->repeated, bytes, &sum) || sum > most)
        return false;
    w->repeated = sum;
    return true;
}

static bool add_stored(struct checkpoint_writer *w, const struct tensor *tensor, const char *name,
                       const char *dtype, int bytes, struct error *error)
{
    uint64_t once, all;
    if (tensor->elements == ELEMENTS_UNKNOWN)
        return fail(error, "the header comes first and needs the shape: give it in --raw");
    if (!checked_multiply(tensor->elements, (uint64_t)bytes, &once) ||
        !checked_multiply(once, times_repeated(tensor), &all))
        return fail(error, ABOUT_TENSOR "it does not fit in any file", name);
    if (!count_repeated(w, tensor, all))
        return fail(error,
                    ABOUT_TENSOR "a stride of 0 repeats its elements to %" PRIu64
                                 " bytes, out of proportion to the file: leave it out with "
                                 "--exclude",
                    name, all);
    struct stored *stored = &w->sheet.stored[w->sheet.count++];
    *stored = (struct stored){.name = name,
                              .dtype = dtype,
                              .shape = tensor->shape,
                              .rank = tensor->rank,
                              .alignment = (unsigned)bytes,
                              .bytes = all};
    return true;
}

static const char *name_of(const struct checkpoint_writer *w, const char *name)
{
    const struct container *container = w->input->container;
    return *name || (container && container != &container_npy) ? name : w->name;
}

/* Complex numbers are one element, where there is a word for them. False where it cannot be done.
 */
static bool add_copy(struct checkpoint_writer *w, const struct skipped *skipped)
{
    struct tensor *tensor = skipped->data;
    struct error unwritten; /* that it is not there is all that is told */
    if (!tensor)
        return false;
    const char *dtype = safetensors_dtype(tensor->dtype.name, tensor->components);
    bool whole = tensor->components && dtype;
    if (!dtype)
        dtype = safetensors_dtype(tensor->dtype.name, false);
    if (!dtype ||
        !add_stored(w, tensor, name_of(w, skipped->name), dtype, tensor->dtype.bytes, &unwritten))
        return false;
    struct stored *stored = &w->sheet.stored[w->sheet.count - 1];
    w->copies[w->copy_count++] = (struct copy){tensor, stored};
    if (whole) {
        stored->rank--;
        stored->alignment *= 2;
    }
    return true;
}

static bool fill_sheet(struct checkpoint_writer *w, struct error *error)
{
    struct input *input = w->input;
    const struct format *format = w->writer.format;
    for (size_t t = 0; t < input->tensor_count; t++)
        if (!add_stored(w, &input->tensors[t], name_of(w, input->tensors[t].name), w->dtype,
                        format->code_bytes, error))
            return false;
    for (size_t s = 0; s < input->skipped_count; s++)
        if (!add_copy(w, &input->skipped[s]) && w->lost_count++ == 0)
            w->lost = &input->skipped[s];
    return true;
}

/* Once: there may be thousands. */
static void warn_of_lost(const struct checkpoint_writer *w)
{
    char others[40] = "";
    if (!w->lost_count)
        return;
    if (w->lost_count > 1)
        snprintf(others, sizeof others, ", nor are %zu more", w->lost_count - 1);
    input_warn(w->input, "'%.80s' (%s, %.80s) is not written%s", name_of(w, w->lost->name),
               w->lost->dtype, w->lost->reason, others);
}

static int by_offset(const void *a, const void *b)
{
    const struct copy *left = a, *right = b;
    uint64_t l = left->tensor->offset, r = right->tensor->offset;
    return (l > r) - (l < r);
}

static bool make_sheet(struct checkpoint_writer *w, struct error *error)
{
    const char *base = path_base(w->input->path);
    w->name = copy_bytes(base, (size_t)path_stem_length(base));
    w->sheet.stored =
        allocate(w->input->tensor_count + w->input->skipped_count, sizeof *w->sheet.stored);
    w->copies = allocate(w->input->skipped_count, sizeof *w->copies);
    if (!fill_sheet(w, error))
        return false;
    if (w->copy_count)
        qsort(w->copies, w->copy_count, sizeof *w->copies, by_offset);
    warn_of_lost(w);
    return sheet_arrange(&w->sheet, error);
}

/* __metadata__: that of the input, and how this file came to be. */

#define OWN_KEY "precheck."
#define SCALE_KEY OWN_KEY "scale"

static const char *behind_string(const char *at)
{
    for (at++; *at != '"'; at++)
        at += *at == '\\';
    return at + 1;
}

/* `metadata` is canonical: without white space. What an earlier cast said of itself goes, but not
 * what its scales were. */
static bool keep_metadata(const char *metadata, bool scaled, struct buffer *to, struct error *error)
{
    for (const char *at = metadata + 1; *at == '"'; at += *at == ',') {
        const char *key = at;
        bool scale = strncmp(key + 1, SCALE_KEY, strlen(SCALE_KEY)) == 0;
        at = behind_string(behind_string(at) + 1);
        if (scale && scaled)
            return fail(error, "its tensors have a scale already (" SCALE_KEY
                               " in __metadata__): --scale would hide it");
        if (!scale && strncmp(key + 1, OWN_KEY, strlen(OWN_KEY)) == 0)
            continue;
        buffer_add(to, key, (size_t)(at - key));
        buffer_puts(to, ",");
    }
    return true;
}

static void add_pair(struct buffer *to, const char *key, const char *value)
{
    escape_json(to, key);
    buffer_puts(to, ":");
    escape_json(to, value);
    buffer_puts(to, ",");
}

static void add_rounding(struct buffer *to, const struct options *options)
{
    struct buffer mode = {0};
    enum rounding rounding = options->casts[0].rounding;
    buffer_puts(&mode, rounding_name(rounding));
    if (rounding == ROUND_STOCHASTIC)
        buffer_printf(&mode, ":%" PRIu64, options->seed);
    add_pair(to, OWN_KEY "round", mode.data);
    buffer_free(&mode);
}

/* K is what an element was multiplied with 2^K for. */
static void add_scales(struct buffer *to, const struct checkpoint_writer *w, const int *scales)
{
    struct buffer key = {0};
    add_pair(to, SCALE_KEY, w->writer.options->scale_text);
    for (size_t t = 0; scales && t < w->input->tensor_count; t++) {
        char value[16];
        key.length = 0;
        buffer_printf(&key, SCALE_KEY ".%s", w->sheet.stored[t].name);
        snprintf(value, sizeof value, "2^%d", scales[t]);
        add_pair(to, key.data, value);
    }
    buffer_free(&key);
}

static bool make_metadata(const struct checkpoint_writer *w, const int *scales, struct buffer *to,
                          struct error *error)
{
    const struct options *options = w->writer.options;
    const char *earlier = w->input->metadata;
    bool scaled = scales || options->casts[0].scale != 0;
    buffer_puts(to, "{");
    if (earlier && !keep_metadata(earlier, scaled, to, error))
        return false;
    if (!earlier && w->input->container && strcmp(w->input->container->name, "pt") == 0)
        add_pair(to, "format", "pt"); /* without it, transformers loads no .safetensors */
    add_pair(to, OWN_KEY "to", w->writer.format->name);
    add_rounding(to, options);
    add_pair(to, OWN_KEY "overflow", options->casts[0].saturate ? "saturate" : "inf");
    add_pair(to, OWN_KEY "source", path_base(w->input->path));
    if (scaled)
        add_scales(to, w, scales);
    to->data[to->length - 1] = '}'; /* in place of the last comma */
    return true;
}

static bool begin_file(struct checkpoint_writer *w, const int *scales, struct error *error)
{
    struct file *file = file_at_hand(w);
    struct buffer metadata = {0};
    if (!file->seekable)
        return fail(error, "is no regular file: tensors are not written in order");
    bool begun = make_metadata(w, scales, &metadata, error) &&
                 sheet_write_header(&w->sheet, &metadata, file, error) &&
                 file_reserve(file, w->sheet.data_start + w->sheet.data_bytes, error);
    buffer_free(&metadata);
    return begun;
}

static bool checkpoint_begin(struct writer *writer, struct input *input, const int *scales,
                             struct error *error)
{
    struct checkpoint_writer *w = checkpoint_of(writer);
    struct error why;
    forget_input(w); /* one before it may have failed half-way */
    w->input = input;
    if (!make_sheet(w, error) || !add_file(w, path_for(writer->options->write, input->path), error))
        return false;
    return begin_file(w, scales, &why) || output_failed(file_at_hand(w)->path, &why, error);
}

/* Looking ahead. */

/* What the sheet has, into a file that is called as this one. */
static void note_tensors(const struct checkpoint_writer *w, const char *path,
                         struct shard_index *index)
{
    shard_index_begin_file(index, path_base(path));
    for (size_t i = 0; i < w->sheet.count; i++)
        shard_index_add(index, w->sheet.stored[i].name);
}

static bool checkpoint_looks_ahead(const struct writer *writer)
{
    return ((const struct checkpoint_writer *)writer)->many;
}

/* What is wrong with an input by itself shows when it is begun. */
static void checkpoint_foresee(struct writer *writer, struct input *input)
{
    struct checkpoint_writer *w = checkpoint_of(writer);
    struct error later;
    w->input = input;
    if (make_sheet(w, &later)) {
        char *path = path_for(writer->options->write, input->path);
        note_tensors(w, path, &w->foreseen);
        free(path);
    }
    forget_input(w);
}

static bool checkpoint_agree(struct writer *writer, struct error *error)
{
    struct checkpoint_writer *w = checkpoint_of(writer);
    bool agree = shard_index_arrange(&w->foreseen, error);
    shard_index_free(&w->foreseen);
    return agree;
}

/* Copying. */

enum { WINDOW_BYTES = 1 << 20 };

static void swap_bytes(unsigned char *elements, size_t n, size_t bytes)
{
    for (size_t i = 0; i < n; i++, elements += bytes)
        for (size_t low = 0, high = bytes - 1; low < high; low++, high--) {
            unsigned char byte = elements[low];
            elements[low] = elements[high];
            elements[high] = byte;
        }
}

/* Any number of whole elements, from `first` of the storage order on. */
static bool put(struct checkpoint_writer *w, const struct stored *stored,
                const struct tensor *tensor, uint64_t first, const void *elements, size_t n,
                size_t bytes, struct error *error)
{
    struct error why;
    uint64_t offset = w->sheet.data_start + stored->begin;
    struct file *file = file_at_hand(w);
    bool written = tensor_is_in_c_order(tensor) && !tensor_repeats(tensor)
                       ? file_write_at(file, offset + first * bytes, elements, n * bytes, &why)
                       : scatter(file, offset, tensor, first, n, elements, bytes, &why);
    return written || output_failed(file->path, &why, error);
}

static bool copy_elements(struct checkpoint_writer *w, const struct copy *copy,
                          struct elements *elements, unsigned char *window, struct error *error)
{
    const struct tensor *tensor = copy->tensor;
    size_t bytes = (size_t)tensor->dtype.bytes, most = WINDOW_BYTES / bytes;
    for (uint64_t first = 0; first < tensor->elements; first += most) {
        uint64_t left = tensor->elements - first;
        size_t n = left < most ? (size_t)left : most;
        if (!elements_read(elements, first, n, window, error))
            return false;
        if (tensor->big_endian)
            swap_bytes(window, n, bytes);
        if (!put(w, copy->stored, tensor, first, window, n, bytes, error))
            return false;
    }
    return elements_finish(elements, error);
}

static bool copy_tensor(struct checkpoint_writer *w, const struct copy *copy, struct error *error)
{
    struct elements elements;
    struct error why;
    bool copied = elements_open(w->input, copy->tensor, &elements, &why);
    if (copied) {
        unsigned char *window = allocate(1, WINDOW_BYTES);
        copied = copy_elements(w, copy, &elements, window, &why);
        free(window);
        elements_close(&elements);
    }
    return copied || fail_tensor(copy->stored->name, &why, error);
}

/* What lies before the offset in the input. */
static bool copy_until(struct checkpoint_writer *w, uint64_t offset, struct error *error)
{
    while (w->copied < w->copy_count && w->copies[w->copied].tensor->offset < offset)
        if (!copy_tensor(w, &w->copies[w->copied++], error))
            return false;
    return true;
}

/* A stream does not come by again. */
static bool checkpoint_reach(struct writer *writer, size_t tensor, struct error *error)
{
    struct checkpoint_writer *w = checkpoint_of(writer);
    return w->input->seekable || copy_until(w, w->input->tensors[tensor].offset, error);
}

static bool checkpoint_codes(struct writer *writer, size_t tensor, uint64_t first,
                             const void *codes, size_t bytes, struct error *error)
{
    struct checkpoint_writer *w = checkpoint_of(writer);
    size_t each = (size_t)writer->format->code_bytes;
    return put(w, &w->sheet.stored[tensor], &w->input->tensors[tensor], first, codes, bytes / each,
               each, error);
}

static bool checkpoint_end(struct writer *writer, struct error *error)
{
    struct checkpoint_writer *w = checkpoint_of(writer);
    struct error why;
    if (!copy_until(w, UINT64_MAX, error))
        return false;
    if (w->many) {
        note_tensors(w, file_at_hand(w)->path, &w->index);
        w->data_bytes += w->sheet.data_bytes;
    }
    forget_input(w);
    return file_close(file_at_hand(w), &why) || output_failed(file_at_hand(w)->path, &why, error);
}

const struct writer_kind writer_of_checkpoint = {.open = checkpoint_open_writer,
                                                 .looks_ahead = checkpoint_looks_ahead,
                                                 .foresee = checkpoint_foresee,
                                                 .agree = checkpoint_agree,
                                                 .commit = checkpoint_commit,
                                                 .abandon = checkpoint_abandon,
                                                 .in_order = checkpoint_in_order,
                                                 .begin = checkpoint_begin,
                                                 .reach = checkpoint_reach,
                                                 .codes = checkpoint_codes,
                                                 .end = checkpoint_end};
