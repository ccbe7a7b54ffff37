#include "input/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "input/container.h"

static const struct container *const containers[] = {
    &container_npy, &container_gguf, &container_npz, &container_torch, &container_safetensors};

enum { CONTAINER_COUNT = sizeof containers / sizeof *containers };

static bool fail_system(struct error *error)
{
    return fail(error, "%s", strerror(errno));
}

/* Reading. */

static bool file_read(const struct input *input, uint64_t offset, unsigned char *to, size_t count,
                      struct error *error)
{
    uint64_t end;
    if (!checked_add(offset, count, &end) || end > input->size)
        return fail(error, "truncated: ends at byte %" PRIu64 ", before byte %" PRIu64, input->size,
                    end);
    while (count) {
        ssize_t got = pread(input->descriptor, to, count, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_system(error);
        if (got == 0)
            return fail(error, "the file shrank while it was being read");
        to += got;
        offset += (uint64_t)got;
        count -= (size_t)got;
    }
    return true;
}

/* As read(2), but sits out signals, and waits where whoever gave us the descriptor left it
 * non-blocking. */
static ssize_t patient_read(int descriptor, void *to, size_t count)
{
    for (;;) {
        ssize_t got = read(descriptor, to, count);
        if (got >= 0 || (errno != EINTR && errno != EAGAIN))
            return got;
        if (errno == EAGAIN)
            poll(&(struct pollfd){.fd = descriptor, .events = POLLIN}, 1, -1);
    }
}

static bool descriptor_read(int descriptor, unsigned char *to, size_t count, size_t *got,
                            struct error *error)
{
    *got = 0;
    while (*got < count) {
        ssize_t more = patient_read(descriptor, to + *got, count - *got);
        if (more < 0)
            return fail_system(error);
        if (more == 0)
            break;
        *got += (size_t)more;
    }
    return true;
}

bool input_read_some(struct input *input, void *to, size_t count, size_t *got, struct error *error)
{
    unsigned char *at = to; /* NULL is welcome where count is 0 */
    size_t ready = input->head_length - input->head_used;
    if (ready > count)
        ready = count;
    if (ready) {
        memcpy(at, input->head + input->head_used, ready);
        input->head_used += ready;
        at += ready;
    }
    bool ok = descriptor_read(input->descriptor, at, count - ready, got, error);
    *got += ready;
    input->position += *got;
    return ok;
}

static bool stream_read(struct input *input, void *to, size_t count, struct error *error)
{
    uint64_t from = input->position;
    size_t got;
    if (!input_read_some(input, to, count, &got, error))
        return false;
    if (got < count)
        return fail(error, "truncated: ends at byte %" PRIu64 ", before byte %" PRIu64,
                    input->position, from + count);
    return true;
}

static bool stream_skip(struct input *input, uint64_t to, struct error *error)
{
    unsigned char dropped[16384];
    if (to < input->position)
        return fail(error, "byte %" PRIu64 " of a stream has gone by", to);
    while (input->position < to) {
        uint64_t left = to - input->position;
        size_t count = left < sizeof dropped ? (size_t)left : sizeof dropped;
        if (!stream_read(input, dropped, count, error))
            return false;
    }
    return true;
}

bool input_read(struct input *input, uint64_t offset, void *to, size_t count, struct error *error)
{
    if (input->seekable)
        return file_read(input, offset, to, count, error);
    return stream_skip(input, offset, error) && stream_read(input, to, count, error);
}

/* Opening. */

static int patient_open(const char *path)
{
    int descriptor;
    do /* a FIFO without a writer waits here, and a signal may come by */
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (descriptor < 0 && errno == EINTR);
    return descriptor;
}

static bool open_descriptor(struct input *input, struct error *error)
{
    bool standard = strcmp(input->path, "-") == 0;
    input->descriptor = standard ? STDIN_FILENO : patient_open(input->path);
    struct stat status;
    if (input->descriptor < 0 || fstat(input->descriptor, &status) < 0)
        return fail_system(error);
    if (S_ISDIR(status.st_mode))
        return fail(error, "is a directory");

    /* Files under /proc claim to have no bytes and have some, so an empty file is read as a stream
     * too. Standard input that was read from before begins where it is now, not at byte 0. */
    input->seekable = S_ISREG(status.st_mode) && status.st_size > 0 &&
                      (!standard || lseek(input->descriptor, 0, SEEK_CUR) == 0);
    if (input->seekable) {
        input->size = (uint64_t)status.st_size;
        input->modified = status.st_mtim;
    }
    return true;
}

/* Of raw data there is nothing to recognise, and a pipe may have no more than they are. */
static bool read_head(struct input *input, const struct input_options *options, struct error *error)
{
    bool raw = options->raw && !options->raw_if_unknown;
    size_t count = raw ? 1 : sizeof input->head;
    if (!input->seekable) {
        if (!descriptor_read(input->descriptor, input->head, count, &input->head_length, error))
            return false;
    } else {
        if (input->size < count)
            count = (size_t)input->size;
        if (!file_read(input, 0, input->head, count, error))
            return false;
        input->head_length = count;
    }
    return input->head_length || fail(error, "is empty");
}

static bool fail_unknown(struct error *error)
{
    char names[128] = "";
    for (size_t i = 0; i < CONTAINER_COUNT; i++) {
        const char *glue = i == 0 ? "" : i + 1 < CONTAINER_COUNT ? ", " : " or ";
        size_t length = strlen(names);
        snprintf(names + length, sizeof names - length, "%s.%s", glue, containers[i]->name);
    }
    return fail(error, "not a %s file (use --raw for headerless data)", names);
}

static bool open_contents(struct input *input, const struct input_options *options,
                          struct error *error)
{
    if (options->raw && !options->raw_if_unknown)
        return raw_open(input, options->raw, error);
    for (size_t i = 0; i < CONTAINER_COUNT; i++)
        if (containers[i]->recognise(input->head, input->head_length)) {
            input->container = containers[i];
            return containers[i]->open(input, options, error);
        }
    return options->raw ? raw_open(input, options->raw, error) : fail_unknown(error);
}

bool input_open(const char *path, const struct input_options *options, struct input *input,
                struct error *error)
{
    *input = (struct input){.path = path, .descriptor = -1};
    if (open_descriptor(input, error) && read_head(input, options, error) &&
        open_contents(input, options, error))
        return true;
    input_close(input);
    return false;
}

/* Closing. */

static bool unchanged(const struct input *input, struct error *error)
{
    struct stat now;
    if (fstat(input->descriptor, &now) < 0)
        return fail_system(error);
    if ((uint64_t)now.st_size != input->size || now.st_mtim.tv_sec != input->modified.tv_sec ||
        now.st_mtim.tv_nsec != input->modified.tv_nsec)
        return fail(error, "the file changed while it was being read");
    return true;
}

static bool stream_goes_on(struct input *input, bool *more, struct error *error)
{
    unsigned char byte;
    size_t got;
    if (!input_read_some(input, &byte, 1, &got, error))
        return false;
    *more = got;
    return true;
}

bool input_finish(struct input *input, struct error *error)
{
    uint64_t end = input->data_end;
    if (input->seekable) {
        if (!unchanged(input, error))
            return false;
        if (input->size > end && !input->tail_expected)
            input_warn(input, "%" PRIu64 " byte%s after the data %s ignored", input->size - end,
                       input->size - end == 1 ? "" : "s", input->size - end == 1 ? "is" : "are");
        return true;
    }
    bool more = false;
    /* What nobody wanted is to be there all the same, as in a file. */
    uint64_t needed = end - input->padding;
    if (input->position < needed && !stream_skip(input, needed, error))
        return false;
    /* Within the padding, what the next byte is tells nothing. */
    if (input->position == end && !input->tail_expected && !stream_goes_on(input, &more, error))
        return false;
    if (more)
        input_warn(input, "bytes after the data are ignored");
    return true;
}

void input_close(struct input *input)
{
    for (size_t i = 0; i < input->tensor_count; i++)
        tensor_free(&input->tensors[i]);
    for (size_t i = 0; i < input->skipped_count; i++)
        skipped_free(&input->skipped[i]);
    free(input->tensors);
    free(input->skipped);
    free(input->metadata);
    /* Standard input stays open, so that no file opened later takes its number. */
    if (input->descriptor > STDIN_FILENO)
        close(input->descriptor);
    *input = (struct input){.path = input->path, .descriptor = -1};
}

/* What containers need. */

bool shape_elements(const uint64_t *shape, unsigned rank, uint64_t bytes, uint64_t *elements,
                    struct error *error)
{
    *elements = 0;
    for (unsigned i = 0; i < rank; i++)
        if (shape[i] == 0)
            return true;

    uint64_t product = 1, size;
    bool fits = true;
    for (unsigned i = 0; i < rank && fits; i++)
        fits = checked_multiply(product, shape[i], &product);
    if (!fits || !checked_multiply(product, bytes, &size) || product > INT64_MAX ||
        size > INT64_MAX)
        return fail(error, "the shape is too large: its size in bytes does not fit in 63 bits");
    *elements = product;
    return true;
}

bool input_holds(const struct input *input, const char *what, uint64_t offset, uint64_t bytes,
                 struct error *error)
{
    uint64_t end;
    if (!checked_add(offset, bytes, &end) || end > INT64_MAX)
        return fail(error, "%" PRIu64 " bytes at byte %" PRIu64 " do not fit in any file", bytes,
                    offset);
    if (!input->seekable || end <= input->size)
        return true;
    return fail(error, "truncated %s: %" PRIu64 " bytes expected, %" PRIu64 " there", what, bytes,
                offset < input->size ? input->size - offset : 0);
}

void input_add_tensor(struct input *input, const struct tensor *tensor)
{
    input->tensors = room_for_one(input->tensors, input->tensor_count, sizeof *tensor);
    input->tensors[input->tensor_count++] = *tensor;
}

void input_add_skipped(struct input *input, char *name, const char *dtype, const char *reason)
{
    struct skipped skipped = {.name = name, .reason = copy_string(reason)};
    snprintf(skipped.dtype, sizeof skipped.dtype, "%s", dtype);
    input->skipped = room_for_one(input->skipped, input->skipped_count, sizeof skipped);
    input->skipped[input->skipped_count++] = skipped;
}

void input_add_skipped_data(struct input *input, const struct tensor *data, const char *reason)
{
    input_add_skipped(input, data->name, data->dtype.name, reason);
    struct tensor *copy = allocate(1, sizeof *copy);
    *copy = *data;
    copy->name = NULL; /* it is the other's */
    input->skipped[input->skipped_count - 1].data = copy;
}

void input_skip(struct input *input, bool (*skips)(void *context, const char *name), void *context,
                const char *reason)
{
    size_t left = 0;
    for (size_t i = 0; i < input->tensor_count; i++) {
        if (skips(context, input->tensors[i].name))
            input_add_skipped_data(input, &input->tensors[i], reason);
        else
            input->tensors[left++] = input->tensors[i];
    }
    input->tensor_count = left;
}

uint64_t *copy_numbers(const uint64_t *numbers, size_t count)
{
    uint64_t *copy = allocate(count, sizeof *numbers);
    if (count)
        memcpy(copy, numbers, count * sizeof *numbers);
    return copy;
}

bool view_applies(const struct input_options *options, uint64_t element_bytes)
{
    return options->view && (uint64_t)options->view->bytes == element_bytes;
}

void input_warn(struct input *input, const char *format, ...)
{
    size_t length = strlen(input->warning);
    size_t room = sizeof input->warning - length;
    if (length) {
        snprintf(input->warning + length, room, "; ");
        length = strlen(input->warning);
        room = sizeof input->warning - length;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(input->warning + length, room, format, arguments);
    va_end(arguments);
}
