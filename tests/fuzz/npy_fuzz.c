/* Any bytes as an input: as a file, and as a stream. libFuzzer calls the first function; compiled
 * with -DREPLAY, the program runs over the files on its command line. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "input/input.h"

enum { READ_LIMIT = 1 << 20, PIPE_LIMIT = 60000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was made of the bytes. The same must come out of a file and of a stream. */
struct outcome {
    bool opened;
    bool read; /* all elements, or as many as the limit allows */
    size_t tensors, skipped;
    uint64_t sum;
};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static uint64_t data_bytes(const struct tensor *tensor)
{
    return tensor->elements * (uint64_t)tensor->dtype.bytes;
}

static void check_tensor(const struct tensor *tensor)
{
    uint64_t index[RANK_LIMIT];
    require(tensor->rank <= RANK_LIMIT);
    require(tensor->elements <= INT64_MAX / (uint64_t)tensor->dtype.bytes);
    if (tensor->elements == 0)
        return;
    tensor_index(tensor, tensor->elements - 1, index);
    for (unsigned i = 0; i < tensor->rank; i++)
        require(index[i] == tensor->shape[i] - 1);
}

static bool read_tensor(struct input *input, const struct tensor *tensor, struct outcome *outcome,
                        struct error *error)
{
    static unsigned char bytes[READ_LIMIT];
    uint64_t length = data_bytes(tensor);
    size_t count = length < sizeof bytes ? (size_t)length : sizeof bytes;
    if (!input_read(input, tensor->offset, bytes, count, error))
        return false;
    for (size_t i = 0; i < count; i++)
        outcome->sum = outcome->sum * 31 + bytes[i];
    return input_finish(input, tensor->offset + length, error);
}

static struct outcome try_path(const char *path, const struct input_options *options)
{
    struct outcome outcome = {0};
    struct input input;
    struct error error = {""};
    outcome.opened = input_open(path, options, &input, &error);
    if (outcome.opened) {
        outcome.read = true;
        outcome.tensors = input.tensor_count;
        outcome.skipped = input.skipped_count;
        for (size_t i = 0; i < input.tensor_count && outcome.read; i++) {
            check_tensor(&input.tensors[i]);
            outcome.read = read_tensor(&input, &input.tensors[i], &outcome, &error);
        }
        require(!input.seekable || outcome.read);
        input_close(&input);
    }
    require((outcome.opened && outcome.read) || error.text[0]);
    return outcome;
}

static struct outcome try_file(const uint8_t *data, size_t size,
                               const struct input_options *options)
{
    char path[40];
    int descriptor = memfd_create("input", MFD_CLOEXEC);
    require(descriptor >= 0 && write(descriptor, data, size) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    struct outcome outcome = try_path(path, options);
    close(descriptor);
    return outcome;
}

static struct outcome try_stream(const uint8_t *data, size_t size,
                                 const struct input_options *options)
{
    char path[40];
    int ends[2];
    require(pipe(ends) == 0 && write(ends[1], data, size) == (ssize_t)size);
    close(ends[1]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    struct outcome outcome = try_path(path, options);
    close(ends[0]);
    return outcome;
}

static void try_both(const uint8_t *data, size_t size, const struct input_options *options)
{
    struct outcome file = try_file(data, size, options);
    if (size > PIPE_LIMIT)
        return;
    struct outcome stream = try_stream(data, size, options);
    /* Of a stream, missing data show later, or never where they are skipped. */
    require(stream.opened || !file.opened);
    if (!file.opened) {
        require(!stream.read || stream.skipped || !stream.opened);
        return;
    }
    require(stream.read && stream.tensors == file.tensors && stream.skipped == file.skipped &&
            stream.sum == file.sum);
}

static void try_layout(const uint8_t *data, size_t size)
{
    struct raw_layout layout;
    struct error error;
    char *text = copy_bytes(data, size);
    if (raw_layout_parse(text, &layout, &error))
        require(layout.rank < RANK_LIMIT && layout.offset <= INT64_MAX);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dtype view;
    struct error error;
    const char *name = size % 2 ? "bf16" : "e4m3fn";
    require(dtype_find(name, strlen(name), &view, &error));
    try_both(data, size, &(struct input_options){0});
    try_both(data, size, &(struct input_options){.view = &view});
    try_layout(data, size);
    return 0;
}

#ifdef REPLAY
int main(int count, char **paths)
{
    for (int i = 1; i < count; i++) {
        struct buffer contents = {0};
        char part[4096];
        size_t got;
        FILE *file = fopen(paths[i], "rb");
        if (!file) {
            perror(paths[i]);
            return 2;
        }
        while ((got = fread(part, 1, sizeof part, file)))
            buffer_add(&contents, part, got);
        fclose(file);
        LLVMFuzzerTestOneInput((const uint8_t *)contents.data, contents.length);
        buffer_free(&contents);
    }
    return 0;
}
#endif
