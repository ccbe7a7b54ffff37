/* What the tests of inputs share: bytes that stand in a file or come through a pipe. To be included
 * first. */
#ifndef PRECHECK_TESTS_UNIT_PLACES_H
#define PRECHECK_TESTS_UNIT_PLACES_H

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buffer.h"
#include "input/elements.h"
#include "input/input.h"

#include <cmocka.h> /* last: its fail() is a macro */

/* Tests run at the top of the source tree. */
#define CORPUS "tests/corpus/npy/"

static const struct input_options no_options;

/* Where the bytes of a test are: in memory, with a path. */

struct place {
    int descriptor;
    char path[40];
};

static inline struct place place_of(const void *bytes, size_t count)
{
    struct place place = {.descriptor = memfd_create("test", MFD_CLOEXEC)};
    assert_true(place.descriptor >= 0);
    assert_int_equal(write(place.descriptor, bytes, count), count);
    snprintf(place.path, sizeof place.path, "/proc/self/fd/%d", place.descriptor);
    return place;
}

/* Makes the bytes come through a pipe on standard input. */
static inline void pipe_in(const void *bytes, size_t count)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(count <= 65536); /* what a pipe holds without a reader */
    assert_int_equal(write(ends[1], bytes, count), count);
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
}

static inline struct buffer slurp(const char *path)
{
    struct buffer contents = {0};
    char part[4096];
    size_t got;
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    while ((got = fread(part, 1, sizeof part, file)))
        buffer_add(&contents, part, got);
    fclose(file);
    return contents;
}

/* All that a caller does: open, read, finish, close. */
static inline bool read_all(const char *path, const struct input_options *options,
                            struct buffer *data, struct error *error)
{
    struct input input;
    if (!input_open(path, options, &input, error))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < input.tensor_count; i++) {
        struct tensor *tensor = &input.tensors[i];
        size_t count = (size_t)tensor_bytes(tensor);
        char *bytes = allocate(count, 1);
        ok = input_read(&input, tensor->offset, bytes, count, error);
        if (ok)
            buffer_add(data, bytes, count);
        free(bytes);
    }
    ok = ok && input_finish(&input, error);
    input_close(&input);
    return ok;
}

/* The elements of one tensor, in pieces of odd lengths, and what is wrong with them in the end. */
static inline bool read_tensor(struct input *input, struct tensor *tensor, struct buffer *data,
                               struct error *error)
{
    struct elements elements;
    char bytes[100 * sizeof(double)];
    if (!elements_open(input, tensor, &elements, error))
        return false;
    bool ok = true;
    uint64_t done = 0;
    for (size_t piece = 1; ok && done < tensor->elements; piece = piece * 7 % 97 + 1) {
        uint64_t left = tensor->elements - done;
        size_t n = left < piece ? (size_t)left : piece;
        ok = elements_read(&elements, done, n, bytes, error);
        if (ok)
            buffer_add(data, bytes, n * (size_t)tensor->dtype.bytes);
        done += n;
    }
    ok = ok && elements_finish(&elements, error);
    elements_close(&elements);
    return ok;
}

/* A file that is not opened, for a reason that begins so, and leaves nothing behind. */
static inline void assert_refused(const char *path, const char *message)
{
    struct input input;
    struct error error = {""};
    if (input_open(path, &no_options, &input, &error))
        fail_msg("%s opens", path);
    if (strncmp(error.text, message, strlen(message)) != 0)
        fail_msg("%s: %s", path, error.text);
    assert_int_equal(input.descriptor, -1);
    assert_null(input.tensors);
    assert_null(input.skipped);
    assert_null(input.metadata);
}

/* Reading ahead must not swallow what comes later. */
static inline void assert_same_from_a_pipe(const char *path)
{
    struct error error = {""};
    struct buffer from_file = {0}, from_pipe = {0}, contents = slurp(path);
    pipe_in(contents.data, contents.length);
    if (!read_all(path, &no_options, &from_file, &error) ||
        !read_all("-", &no_options, &from_pipe, &error))
        fail_msg("%s: %s", path, error.text);
    assert_int_equal(from_file.length, from_pipe.length);
    if (from_file.length)
        assert_memory_equal(from_file.data, from_pipe.data, from_file.length);
    buffer_free(&contents);
    buffer_free(&from_file);
    buffer_free(&from_pipe);
}

/* A file that is refused, or whose elements are, as it comes through a pipe; `message` is how that
 * begins of a file. What is cut shows in another way there: when it has gone by. */
static inline void assert_refused_in_a_pipe(const char *path, const char *message)
{
    struct error error = {""};
    struct buffer data = {0}, contents = slurp(path);
    pipe_in(contents.data, contents.length);
    if (read_all("-", &no_options, &data, &error))
        fail_msg("%s opens", path);
    if (strncmp(message, "truncated", 9) == 0)
        message = "truncated: ends at byte ";
    if (strncmp(error.text, message, strlen(message)) != 0)
        fail_msg("%s: %s", path, error.text);
    buffer_free(&contents);
    buffer_free(&data);
}

/* No beginning of the file opens that is shorter than `needed` bytes; 0 stands for all of them. */
static inline void assert_no_cut_opens(const char *path, size_t needed)
{
    struct buffer contents = slurp(path);
    for (size_t length = 0; length < (needed ? needed : contents.length); length++) {
        struct place place = place_of(contents.data, length);
        struct input input;
        struct error error = {""};
        assert_false(input_open(place.path, &no_options, &input, &error));
        assert_true(error.text[0]);
        close(place.descriptor);
    }
    buffer_free(&contents);
}

/* No file of the folder is forgotten: beside `count` good and bad ones there is what made them. */
static inline void assert_corpus_count(const char *path, size_t count)
{
    DIR *folder = opendir(path);
    size_t found = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        found += strncmp(entry->d_name, "good-", 5) == 0 || strncmp(entry->d_name, "bad-", 4) == 0;
    closedir(folder);
    assert_int_equal(found, count);
}

static inline struct dtype dtype_named(const char *name)
{
    struct dtype dtype;
    struct error error = {""};
    if (!dtype_find(name, strlen(name), &dtype, &error))
        fail_msg("%s", error.text);
    return dtype;
}

#endif
