#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "input/elements.h"

enum { READ_LIMIT = 1 << 20, PIPE_LIMIT = 60000 };

/* What was made of the bytes. The same must come out of a file and of a stream. */
struct outcome {
    bool opened;
    bool read; /* all elements, or as many as the limit allows */
    bool warned;
    size_t tensors, skipped;
    uint64_t sum;
};

void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_tensor(const struct input *input, const struct tensor *tensor)
{
    uint64_t index[RANK_LIMIT];
    require(tensor->rank <= RANK_LIMIT);
    require(tensor->elements <= INT64_MAX / (uint64_t)tensor->dtype.bytes);
    if (tensor->elements == 0)
        return;
    if (input->seekable && !tensor->strides && !tensor->member)
        require(tensor->offset + tensor->elements * (uint64_t)tensor->dtype.bytes <= input->size);
    tensor_index(tensor, tensor->elements - 1, index);
    for (unsigned i = 0; i < tensor->rank; i++)
        require(index[i] == tensor->shape[i] - 1 || (tensor->strides && !tensor->strides[i]));
}

/* As many elements as the limit allows, in pieces of odd lengths. Of files and streams alike, what
 * is claimed and is not there is an error and no crash. */
static bool read_tensor(struct input *input, struct tensor *tensor, struct outcome *outcome,
                        struct error *error)
{
    static unsigned char bytes[READ_LIMIT];
    struct elements elements;
    uint64_t done = 0, each = (uint64_t)tensor->dtype.bytes, most = sizeof bytes / each;
    size_t piece = 7;
    if (!elements_open(input, tensor, &elements, error))
        return false;
    bool ok = true;
    for (; ok && done < tensor->elements && done < most; piece = piece * 5 % 4099 + 1) {
        size_t n = tensor->elements - done < piece ? (size_t)(tensor->elements - done) : piece;
        n = most - done < n ? (size_t)(most - done) : n;
        ok = elements_read(&elements, done, n, bytes, error);
        for (size_t i = 0; ok && i < n * each; i++)
            outcome->sum = outcome->sum * 31 + bytes[i];
        done += n;
    }
    if (ok && done == tensor->elements)
        ok = elements_finish(&elements, error);
    elements_close(&elements);
    return ok;
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
            check_tensor(&input, &input.tensors[i]);
            outcome.read = read_tensor(&input, &input.tensors[i], &outcome, &error);
        }
        outcome.read = outcome.read && input_finish(&input, &error);
        outcome.warned = input.warning[0];
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

void try_as_file(const uint8_t *data, size_t size, const struct input_options *options)
{
    try_file(data, size, options);
}

void try_as_file_and_stream(const uint8_t *data, size_t size, const struct input_options *options)
{
    struct outcome file = try_file(data, size, options);
    /* A file is known to hold what its header says. */
    require(file.read || !file.opened);
    if (size > PIPE_LIMIT)
        return;
    struct outcome stream = try_stream(data, size, options);
    /* Of a stream, missing data show later; and what is behind the data is never more than a
     * warning. */
    require(stream.opened || !file.opened);
    if (!file.opened) {
        require(!stream.read || stream.warned || !stream.opened);
        return;
    }
    require(stream.read && stream.tensors == file.tensors && stream.skipped == file.skipped &&
            stream.sum == file.sum);
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
    printf("1..1\nok 1 - %d files and nothing aborts\n", count - 1);
    return 0;
}
#endif
