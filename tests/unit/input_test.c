/* Opening and reading inputs. The corpus is found from the top of the source tree, where tests run.
 */
#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "input/input.h"

#define CORPUS "tests/corpus/npy/"

static const struct input_options no_options;

/* Where the bytes of a test are: in memory, with a path. */

struct place {
    int descriptor;
    char path[40];
};

static struct place place_of(const void *bytes, size_t count)
{
    struct place place = {.descriptor = memfd_create("test", MFD_CLOEXEC)};
    assert_true(place.descriptor >= 0);
    assert_int_equal(write(place.descriptor, bytes, count), count);
    snprintf(place.path, sizeof place.path, "/proc/self/fd/%d", place.descriptor);
    return place;
}

/* Makes the bytes come through a pipe on standard input. */
static void pipe_in(const void *bytes, size_t count)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(count <= 65536); /* what a pipe holds without a reader */
    assert_int_equal(write(ends[1], bytes, count), count);
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
}

static struct buffer slurp(const char *path)
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

static uint64_t data_bytes(const struct tensor *tensor)
{
    return tensor->elements * (uint64_t)tensor->dtype.bytes;
}

/* All that a caller does: open, read, finish, close. */
static bool read_all(const char *path, const struct input_options *options, struct buffer *data,
                     struct error *error)
{
    struct input input;
    if (!input_open(path, options, &input, error))
        return false;
    bool ok = true;
    for (size_t i = 0; ok && i < input.tensor_count; i++) {
        struct tensor *tensor = &input.tensors[i];
        size_t count = (size_t)data_bytes(tensor);
        char *bytes = allocate(count, 1);
        ok = input_read(&input, tensor->offset, bytes, count, error) &&
             input_finish(&input, tensor->offset + count, error);
        if (ok)
            buffer_add(data, bytes, count);
        free(bytes);
    }
    input_close(&input);
    return ok;
}

/* The corpus. */

enum { BIG = 1, FORTRAN = 2, COMPONENTS = 4 };

static const struct good {
    const char *name;
    const char *dtype; /* of the tensor, or of what is skipped */
    const char *shape; /* NULL: skipped */
    int flags;
    const char *warning;
} good[] = {
    {"f2-le", "f16", "3", 0, ""},
    {"f2-be", "f16", "3", BIG, ""},
    {"f4-le", "f32", "3", 0, ""},
    {"f4-be", "f32", "3", BIG, ""},
    {"f8-le", "f64", "3", 0, ""},
    {"f8-be", "f64", "3", BIG, ""},
    {"f4-native", "f32", "3", 0, ""},
    {"f4-no-order", "f32", "3", 0, ""},
    {"f4-bar", "f32", "3", 0, ""},
    {"f1", "e5m2", "3", 0, ""},
    {"f1-bar", "e5m2", "3", 0, ""},
    {"c8-le", "f32", "3x2", COMPONENTS, ""},
    {"c16-be", "f64", "3x2", BIG | COMPONENTS, ""},
    {"c8-fortran", "f32", "2x3x2", FORTRAN | COMPONENTS, ""},
    {"v2-le", "bf16", "3", 0, "dtype V2 taken as bf16"},
    {"v2-bar", "bf16", "3", 0, "dtype V2 taken as bf16"},
    {"v2-no-order", "bf16", "3", 0, "dtype V2 taken as bf16"},
    {"v2-be", "bf16", "3", BIG, "dtype V2 taken as bf16"},
    {"name-bfloat16", "bf16", "3", 0, ""},
    {"name-float8_e4m3fn", "e4m3fn", "3", 0, ""},
    {"skip-bool", "bool", NULL, 0, ""},
    {"skip-i1", "i8", NULL, 0, ""},
    {"skip-u2", "u16", NULL, 0, ""},
    {"skip-u2-be", "u16", NULL, 0, ""},
    {"skip-i8", "i64", NULL, 0, ""},
    {"skip-date", "<M8[ns]", NULL, 0, ""},
    {"skip-bytes", "|S5", NULL, 0, ""},
    {"skip-text", "<U2", NULL, 0, ""},
    {"skip-void", "|V3", NULL, 0, ""},
    {"skip-text-empty", "<U0", NULL, 0, ""},
    {"scalar", "f32", "", 0, ""},
    {"empty", "f32", "0x3", 0, ""},
    {"empty-huge", "f32", "4611686018427387904x0x4611686018427387904", 0, ""},
    {"fortran", "f32", "2x3", FORTRAN, ""},
    {"rank-64", "f32",
     "1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x"
     "1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x3",
     0, ""},
    {"rank-64-complex", "f32",
     "1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x"
     "1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x3x2",
     COMPONENTS, ""},
    {"version-2", "f32", "3", 0, ""},
    {"version-3", "f32", "3", 0, ""},
    {"double-quotes", "f32", "3", 0, ""},
    {"key-order", "f32", "3", 0, ""},
    {"no-last-comma", "f32", "3", 0, ""},
    {"no-padding", "f32", "3", 0, ""},
    {"no-spaces", "f32", "3", 0, ""},
    {"white-space", "f32", "3", 0, ""},
    {"suffix-l", "f32", "3x1", 0, ""},
    {"comma-in-tuple", "f32", "3x1", 0, ""},
    {"tail", "f32", "3", 0, "4 bytes after the data are ignored"},
};

static const struct bad {
    const char *name;
    const char *message; /* how it begins */
} bad[] = {
    {"empty", "is empty"},
    {"magic", "not a "},
    {"magic-cut", "not a "},
    {"version-cut", "npy header: truncated"},
    {"length-cut", "npy header: truncated"},
    {"length-cut-2", "npy header: truncated"},
    {"version-0", "npy version 0.1 is unknown (1.0, 2.0 and 3.0 are)"},
    {"version-4", "npy version 4.0 is unknown"},
    {"version-minor", "npy version 1.1 is unknown"},
    {"header-cut", "truncated npy header: 118 bytes expected, 50 there"},
    {"header-none", "npy header: '{' expected, but the header ends"},
    {"header-huge", "npy header: 4294967295 bytes long, over the limit of 65536"},
    {"header-64k", "npy header: 65537 bytes long, over the limit of 65536"},
    {"header-short", "npy header: fortran_order is neither True nor False at character 38"},
    {"data-cut", "truncated data: 12 bytes expected, 11 there"},
    {"data-none", "truncated data: 12 bytes expected, 0 there"},
    {"data-huge", "truncated data: 1125899906842624 bytes expected, 12 there"},
    {"data-cut-skipped", "truncated data: 24 bytes expected, 23 there"},
    {"shape-overflow", "the shape is too large: "},
    {"bytes-overflow", "the shape is too large: "},
    {"bytes-overflow-complex", "the shape is too large: "},
    {"key-twice", "npy header: two keys 'shape'"},
    {"key-unknown", "npy header: unknown key 'order'"},
    {"key-none-descr", "npy header: no key 'descr'"},
    {"key-none-order", "npy header: no key 'fortran_order'"},
    {"key-none-shape", "npy header: no key 'shape'"},
    {"dict-empty", "npy header: no key 'descr'"},
    {"key-bare", "npy header: a key or '}' expected at character 41"},
    {"shape-list", "npy header: shape is a list, not a tuple at character 50"},
    {"shape-number", "npy header: shape is a number, not a tuple"},
    {"shape-parentheses", "npy header: shape is a number in parentheses"},
    {"shape-none", "npy header: shape is not a tuple"},
    {"shape-open", "npy header: a dimension expected at character 55"},
    {"shape-comma", "npy header: a dimension expected"},
    {"shape-commas", "npy header: a dimension expected"},
    {"shape-no-comma", "npy header: ',' expected"},
    {"shape-nested", "npy header: a dimension expected"},
    {"shape-rank", "npy header: more than 64 dimensions"},
    {"dim-true", "npy header: a boolean as a dimension"},
    {"dim-negative", "npy header: a negative dimension"},
    {"dim-float", "npy header: a dimension that is not a plain decimal integer"},
    {"dim-hex", "npy header: a dimension that is not a plain decimal integer"},
    {"dim-underscore", "npy header: a dimension that is not a plain decimal integer"},
    {"dim-zeros", "npy header: a dimension that is not a plain decimal integer"},
    {"dim-huge", "npy header: too large a dimension"},
    {"dim-wraps", "npy header: too large a dimension"},
    {"dim-name", "npy header: a dimension expected"},
    {"dim-suffix-3", "npy header: a dimension that is not a plain decimal integer"},
    {"order-number", "npy header: fortran_order is neither True nor False"},
    {"order-word", "npy header: fortran_order is neither True nor False"},
    {"descr-object", "npy header: element type '|O' is of Python objects"},
    {"descr-object-8", "npy header: element type '|O8' is of Python objects"},
    {"descr-structured", "npy header: descr is not a string (structured types"},
    {"descr-subarray", "npy header: descr is not a string (structured types"},
    {"descr-number", "npy header: descr is not a string at"},
    {"descr-unknown", "npy header: element type '<q9' is unknown"},
    {"descr-empty", "npy header: element type '' is unknown"},
    {"descr-f3", "npy header: element type '<f3' is unknown"},
    {"descr-i16", "npy header: element type '<i16' is unknown"},
    {"descr-f4-unit", "npy header: element type '<f4[ns]' is unknown"},
    {"descr-size", "npy header: element type '<V99999999999999999999' is unknown"},
    {"descr-void-1",
     "npy header: element type '<V1' may be any 8-bit float: tell which with --view"},
    {"descr-long-double", "npy header: element type '<f16' is long double"},
    {"descr-long-double-be", "npy header: element type '>f16' is long double"},
    {"descr-long-double-12", "npy header: element type '<f12' is long double"},
    {"descr-complex-long", "npy header: element type '<c32' is long double"},
    {"not-dict", "npy header: '{' expected at character 1"},
    {"behind", "npy header: something behind the dictionary"},
    {"behind-nul", "npy header: something behind the dictionary"},
    {"comment", "npy header: something behind the dictionary"},
    {"quote-open", "npy header: a closing quote expected, but the header ends"},
    {"quote-mixed", "npy header: ',' or '}' expected"},
    {"escape", "npy header: a character that has no place in these strings"},
    {"latin-1", "npy header: a character that has no place in these strings"},
    {"utf-8", "npy header: a character that has no place in these strings"},
    {"prefix", "npy header: descr is not a string"},
    {"no-colon", "npy header: ':' expected"},
    {"no-comma", "npy header: ',' or '}' expected"},
    {"open", "npy header: a key or '}' expected, but the header ends"},
    {"deep", "npy header: a dimension expected"},
};

enum { GOOD_COUNT = sizeof good / sizeof *good, BAD_COUNT = sizeof bad / sizeof *bad };

static void corpus_path(char *path, size_t size, const char *kind, const char *name)
{
    snprintf(path, size, CORPUS "%s-%s.npy", kind, name);
}

static void shape_text(const struct tensor *tensor, struct buffer *text)
{
    buffer_puts(text, "");
    for (unsigned i = 0; i < tensor->rank; i++)
        buffer_printf(text, "%s%" PRIu64, i ? "x" : "", tensor->shape[i]);
}

static void check_good_tensor(const struct input *input, const struct good *expected)
{
    assert_int_equal(input->tensor_count, 1);
    assert_int_equal(input->skipped_count, 0);
    const struct tensor *tensor = &input->tensors[0];
    struct buffer shape = {0};
    shape_text(tensor, &shape);
    assert_string_equal(tensor->name, "");
    assert_string_equal(tensor->dtype.name, expected->dtype);
    assert_string_equal(shape.data, expected->shape);
    assert_int_equal(tensor->big_endian, !!(expected->flags & BIG));
    assert_int_equal(tensor->fortran, !!(expected->flags & FORTRAN));
    assert_int_equal(tensor->components, !!(expected->flags & COMPONENTS));
    buffer_free(&shape);
}

static void check_good_skipped(const struct input *input, const struct good *expected)
{
    assert_int_equal(input->tensor_count, 0);
    assert_int_equal(input->skipped_count, 1);
    assert_string_equal(input->skipped[0].name, "");
    assert_string_equal(input->skipped[0].dtype, expected->dtype);
    assert_string_equal(input->skipped[0].reason, "not floating point");
}

static void test_good_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        struct input input;
        struct error error = {""};
        corpus_path(path, sizeof path, "good", good[i].name);
        if (!input_open(path, &no_options, &input, &error))
            fail_msg("%s: %s", path, error.text);
        assert_true(input.seekable);
        if (good[i].shape) {
            check_good_tensor(&input, &good[i]);
            const struct tensor *tensor = &input.tensors[0];
            assert_true(input_finish(&input, tensor->offset + data_bytes(tensor), &error));
        } else {
            check_good_skipped(&input, &good[i]);
        }
        assert_string_equal(input.warning, good[i].warning);
        input_close(&input);
    }
}

static void test_good_files_read_the_same_from_a_pipe(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        struct error error = {""};
        struct buffer from_file = {0}, from_pipe = {0};
        corpus_path(path, sizeof path, "good", good[i].name);
        struct buffer contents = slurp(path);
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
}

static void test_bad_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAD_COUNT; i++) {
        char path[128];
        struct input input;
        struct error error = {""};
        corpus_path(path, sizeof path, "bad", bad[i].name);
        if (input_open(path, &no_options, &input, &error))
            fail_msg("%s opens", path);
        if (strncmp(error.text, bad[i].message, strlen(bad[i].message)) != 0)
            fail_msg("%s: %s", path, error.text);
        assert_int_equal(input.descriptor, -1);
        assert_null(input.tensors);
    }
}

/* Of a pipe, data that end early show only when they are read. So the cut data are left out that
 * nobody reads, or that nobody has memory for. */
static bool shows_in_pipe(const char *name)
{
    return strcmp(name, "data-cut-skipped") != 0 && strcmp(name, "data-huge") != 0;
}

static void test_bad_files_are_bad_from_a_pipe(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAD_COUNT; i++) {
        char path[128];
        struct error error = {""};
        struct buffer data = {0};
        if (!shows_in_pipe(bad[i].name))
            continue;
        corpus_path(path, sizeof path, "bad", bad[i].name);
        struct buffer contents = slurp(path);
        pipe_in(contents.data, contents.length);
        if (read_all("-", &no_options, &data, &error))
            fail_msg("%s opens", path);
        bool truncated = strncmp(bad[i].message, "truncated", 9) == 0;
        const char *message = truncated ? "truncated: ends at byte " : bad[i].message;
        if (strncmp(error.text, message, strlen(message)) != 0)
            fail_msg("%s: %s", path, error.text);
        buffer_free(&contents);
        buffer_free(&data);
    }
}

static void test_no_file_of_the_corpus_is_forgotten(void **state)
{
    (void)state;
    DIR *folder = opendir(CORPUS);
    assert_non_null(folder);
    size_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += strstr(entry->d_name, ".npy") != NULL;
    closedir(folder);
    assert_int_equal(count, GOOD_COUNT + BAD_COUNT);
}

/* Makes every file of the corpus shorter by each number of bytes. Whatever is said of it, nothing
 * may read out of bounds; and no file that was cut within its data opens. */
static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        corpus_path(path, sizeof path, "good", good[i].name);
        struct buffer contents = slurp(path);
        bool whole = strstr("tail empty empty-huge skip-text-empty", good[i].name);
        for (size_t length = 0; length < contents.length; length++) {
            struct place place = place_of(contents.data, length);
            struct input input;
            struct error error = {""};
            if (input_open(place.path, &no_options, &input, &error)) {
                assert_true(whole);
                input_close(&input);
            } else {
                assert_true(error.text[0]);
            }
            close(place.descriptor);
        }
        buffer_free(&contents);
    }
}

/* --view. */

static struct dtype dtype_named(const char *name)
{
    struct dtype dtype;
    struct error error = {""};
    if (!dtype_find(name, strlen(name), &dtype, &error))
        fail_msg("%s", error.text);
    return dtype;
}

static const struct viewed {
    const char *file;
    const char *view;
    bool big_endian;
    const char *message; /* NULL: opens */
} viewed[] = {
    {"good-skip-u2", "bf16", false, NULL},
    {"good-skip-u2-be", "bf16", true, NULL},
    {"good-skip-u2", "f16", false, NULL},
    {"good-f2-be", "bf16", true, NULL},
    {"good-v2-le", "f16", false, NULL},
    {"bad-descr-void-1", "e4m3fn", false, NULL},
    {"good-f1", "e4m3fnuz", false, NULL},
    {"good-skip-i1", "e5m2", false, NULL},
    {"good-skip-bool", "e2m1", false, NULL},
    {"good-skip-i8", "f64", false, NULL},
    {"good-f4-le", "f32", false, NULL},
    {"good-name-bfloat16", "f16", false, NULL},
    {"good-f4-le", "bf16", false, "--view bf16 is for elements of 2 bytes, '<f4' has 4"},
    {"good-skip-i8", "e5m2", false, "--view e5m2 is for elements of 1 byte, '<i8' has 8"},
    {"good-skip-void", "bf16", false, "--view bf16 is for elements of 2 bytes, '|V3' has 3"},
    {"good-c8-le", "f64", false,
     "npy header: element type '<c8' is complex: --view does not apply to it"},
    {"bad-descr-long-double", "f64", false,
     "npy header: element type '<f16' is long double, "
     "which differs between machines"},
};

static void test_view(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof viewed / sizeof *viewed; i++) {
        char path[128];
        struct input input;
        struct error error = {""};
        struct dtype dtype = dtype_named(viewed[i].view);
        struct input_options options = {.view = &dtype};
        snprintf(path, sizeof path, CORPUS "%s.npy", viewed[i].file);
        bool opened = input_open(path, &options, &input, &error);
        assert_string_equal(error.text, viewed[i].message ? viewed[i].message : "");
        if (!opened)
            continue;
        assert_int_equal(input.tensor_count, 1);
        assert_string_equal(input.tensors[0].dtype.name, viewed[i].view);
        assert_int_equal(input.tensors[0].big_endian, viewed[i].big_endian);
        assert_int_equal(input.tensors[0].elements, 3);
        assert_string_equal(input.warning, "");
        input_close(&input);
    }
}

static void test_view_leaves_text_and_dates(void **state)
{
    (void)state;
    struct dtype dtype = dtype_named("f64");
    struct input_options options = {.view = &dtype};
    static const char *const files[] = {CORPUS "good-skip-text.npy", CORPUS "good-skip-date.npy"};
    for (int i = 0; i < 2; i++) {
        struct input input;
        struct error error;
        assert_true(input_open(files[i], &options, &input, &error));
        assert_int_equal(input.skipped_count, 1);
        input_close(&input);
    }
}

/* Headers too long for the corpus. */

static struct buffer padded_npy(size_t header_length)
{
    static const char text[] = "{'descr':'<f4','fortran_order':False,'shape':(1,)}";
    struct buffer file = {0};
    uint32_t length = (uint32_t)header_length;
    unsigned char start[12] = {0x93,
                               'N',
                               'U',
                               'M',
                               'P',
                               'Y',
                               2,
                               0,
                               (unsigned char)length,
                               (unsigned char)(length >> 8),
                               (unsigned char)(length >> 16),
                               (unsigned char)(length >> 24)};
    buffer_add(&file, start, sizeof start);
    buffer_puts(&file, text);
    for (size_t i = strlen(text); i < header_length; i++)
        buffer_add(&file, " ", 1);
    buffer_add(&file, "\0\0\200?", 4);
    return file;
}

static void test_header_limit(void **state)
{
    (void)state;
    for (size_t length = 65535; length <= 65537; length++) {
        struct buffer file = padded_npy(length), data = {0};
        struct place place = place_of(file.data, file.length);
        struct error error = {""};
        assert_int_equal(read_all(place.path, &no_options, &data, &error), length <= 65536);
        if (length <= 65536)
            assert_memory_equal(data.data, "\0\0\200?", 4);
        else
            assert_string_equal(error.text,
                                "npy header: 65537 bytes long, over the limit of 65536");
        buffer_free(&data);
        buffer_free(&file);
        close(place.descriptor);
    }
}

/* --raw. */

static const struct layout {
    const char *text;
    const char *dtype;
    bool big_endian;
    uint64_t offset;
    bool has_shape;
    unsigned rank;
    uint64_t first, last;
} layouts[] = {
    {"f32", "f32", false, 0, false, 0, 0, 0},
    {"F32LE", "f32", false, 0, false, 0, 0, 0},
    {"f32be", "f32", true, 0, false, 0, 0, 0},
    {"double", "f64", false, 0, false, 0, 0, 0}, /* ends in "le" */
    {"doublele", "f64", false, 0, false, 0, 0, 0},
    {"doublebe", "f64", true, 0, false, 0, 0, 0},
    {"bfloat16be", "bf16", true, 0, false, 0, 0, 0},
    {"e4m3be", "e4m3fn", false, 0, false, 0, 0, 0}, /* one byte has no order */
    {"f32le@72:208x1008", "f32", false, 72, true, 2, 208, 1008},
    {"f16@0", "f16", false, 0, false, 0, 0, 0},
    {"f16@007", "f16", false, 7, false, 0, 0, 0},
    {"f16:5", "f16", false, 0, true, 1, 5, 5},
    {"f16:0x9223372036854775807x9", "f16", false, 0, true, 3, 0, 9},
    {"e5m2@9223372036854775806:1", "e5m2", false, 9223372036854775806U, true, 1, 1, 1},
};

static void test_raw_layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        const struct layout *expected = &layouts[i];
        struct raw_layout layout;
        struct error error;
        if (!raw_layout_parse(expected->text, &layout, &error))
            fail_msg("%s: %s", expected->text, error.text);
        assert_string_equal(layout.dtype.name, expected->dtype);
        assert_int_equal(layout.big_endian, expected->big_endian);
        assert_int_equal(layout.offset, expected->offset);
        assert_int_equal(layout.has_shape, expected->has_shape);
        assert_int_equal(layout.rank, expected->rank);
        if (layout.rank) {
            assert_int_equal(layout.shape[0], expected->first);
            assert_int_equal(layout.shape[layout.rank - 1], expected->last);
        }
    }
}

static const struct {
    const char *text;
    const char *message; /* how it begins */
} bad_layouts[] = {
    {"", "unknown element type ''"},
    {"le", "unknown element type ''"},
    {"e", "unknown element type 'e'"},
    {"i32", "unknown element type 'i32'"},
    {"tf32", "unknown element type 'tf32'"},
    {"f32ne", "unknown element type 'f32ne'"},
    {"f32lebe", "unknown element type 'f32le'"},
    {"f32 @4", "unknown element type 'f32 '"},
    {"f32@", "the offset '' is not a number of bytes"},
    {"f32@-4", "the offset '-4' is not"},
    {"f32@+4", "the offset '+4' is not"},
    {"f32@ 4", "the offset ' 4' is not"},
    {"f32@4k", "the offset '4k' is not"},
    {"f32@0x10", "the offset '0x10' is not"},
    {"f32@4@4", "the offset '4@4' is not"},
    {"f32@9223372036854775808", "the offset '9223372036854775808' is not"},
    {"f32@99999999999999999999999", "the offset '99999999999999999999999' is not"},
    {"f32:", "the shape '' is not of the form 208x1008"},
    {"f32:x", "the shape 'x' is not"},
    {"f32:3x", "the shape '3x' is not"},
    {"f32:x3", "the shape 'x3' is not"},
    {"f32:3xx3", "the shape '3xx3' is not"},
    {"f32:3X3", "the shape '3X3' is not"},
    {"f32:-3", "the shape '-3' is not"},
    {"f32:3,3", "the shape '3,3' is not"},
    {"f32:3:3", "the shape '3:3' is not"},
    {"f32:3@4", "the shape '3@4' is not"},
    {"f32:9223372036854775808", "the shape '9223372036854775808' is not"},
    {"f32:4294967296x4294967296", "the shape is too large"},
    {"f32:2305843009213693952", "the shape is too large"},
    {"f32@4:2305843009213693951", "offset and shape together do not fit"},
};

static void test_bad_raw_layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_layouts / sizeof *bad_layouts; i++) {
        struct raw_layout layout;
        struct error error = {""};
        if (raw_layout_parse(bad_layouts[i].text, &layout, &error))
            fail_msg("'%s' is accepted", bad_layouts[i].text);
        if (strncmp(error.text, bad_layouts[i].message, strlen(bad_layouts[i].message)) != 0)
            fail_msg("'%s': %s", bad_layouts[i].text, error.text);
    }
}

static void test_raw_rank_limit(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct raw_layout layout;
    struct error error = {""};
    buffer_puts(&text, "f32:1");
    for (int i = 1; i < 64; i++)
        buffer_puts(&text, "x1");
    assert_true(raw_layout_parse(text.data, &layout, &error));
    assert_int_equal(layout.rank, 64);
    buffer_puts(&text, "x1");
    assert_false(raw_layout_parse(text.data, &layout, &error));
    assert_string_equal(error.text, "more than 64 dimensions");
    buffer_free(&text);
}

static bool open_raw(const char *path, const char *text, struct input *input, struct error *error)
{
    struct raw_layout layout;
    if (!raw_layout_parse(text, &layout, error))
        fail_msg("%s: %s", text, error->text);
    struct input_options options = {.raw = &layout};
    return input_open(path, &options, input, error);
}

static const struct {
    const char *layout; /* of the ten bytes 0..9 */
    uint64_t elements;
    const char *message; /* NULL: opens */
} raw_files[] = {
    {"f16", 5, NULL},
    {"f16@2", 4, NULL},
    {"f32@2", 2, NULL},
    {"f16@10", 0, NULL},
    {"f32@1:2", 2, NULL}, /* what follows a shape is left alone */
    {"f32@10:0x5", 0, NULL},
    {"f32", 0, "10 bytes from byte 0 on are no whole number of f32 elements, of 4 bytes each"},
    {"f16@3", 0, "7 bytes from byte 3 on are no whole number of f16 elements, of 2 bytes each"},
    {"f16@11", 0, "the offset 11 lies beyond the end, at byte 10"},
    {"f16@11:0", 0, "the offset 11 lies beyond the end, at byte 10"},
    {"f32:3", 0, "truncated data: 12 bytes expected, 10 there"},
    {"f32@8:1", 0, "truncated data: 4 bytes expected, 2 there"},
    {"f64:1152921504606846975", 0, "truncated data: 9223372036854775800 bytes expected, 10 there"},
};

static void test_raw_files(void **state)
{
    (void)state;
    struct place place = place_of("\0\1\2\3\4\5\6\7\10\11", 10);
    for (size_t i = 0; i < sizeof raw_files / sizeof *raw_files; i++) {
        struct input input;
        struct error error = {""};
        bool opened = open_raw(place.path, raw_files[i].layout, &input, &error);
        assert_string_equal(error.text, raw_files[i].message ? raw_files[i].message : "");
        if (!opened)
            continue;
        const struct tensor *tensor = &input.tensors[0];
        unsigned char bytes[10];
        size_t count = (size_t)data_bytes(tensor);
        assert_int_equal(tensor->elements, raw_files[i].elements);
        assert_true(input_read(&input, tensor->offset, bytes, count, &error));
        for (size_t j = 0; j < count; j++)
            assert_int_equal(bytes[j], tensor->offset + j);
        assert_true(input_finish(&input, tensor->offset + count, &error));
        assert_string_equal(input.warning, "");
        input_close(&input);
    }
    close(place.descriptor);
}

static void test_raw_stream_until_its_end(void **state)
{
    (void)state;
    static char sent[50000];
    for (size_t i = 0; i < sizeof sent; i++)
        sent[i] = (char)(i * 37);
    /* Offsets within and beyond the bytes that were read ahead. */
    static const char *const texts[] = {"f16", "f16@6", "f16@30000"};
    static const uint64_t offsets[] = {0, 6, 30000};
    for (int i = 0; i < 3; i++) {
        struct input input;
        struct error error = {""};
        char part[999];
        size_t got, total = 0;
        pipe_in(sent, sizeof sent);
        assert_true(open_raw("-", texts[i], &input, &error));
        assert_false(input.seekable);
        assert_int_equal(input.tensors[0].elements, ELEMENTS_UNKNOWN);
        assert_int_equal(input.tensors[0].rank, 1);
        assert_int_equal(input.position, offsets[i]);
        do {
            assert_true(input_read_some(&input, part, sizeof part, &got, &error));
            assert_memory_equal(part, sent + offsets[i] + total, got);
            total += got;
        } while (got == sizeof part);
        assert_int_equal(offsets[i] + total, sizeof sent);
        assert_int_equal(input.position, sizeof sent);
        assert_true(input_finish(&input, sizeof sent, &error));
        assert_string_equal(input.warning, "");
        input_close(&input);
    }
}

static void test_raw_stream_too_short(void **state)
{
    (void)state;
    struct input input;
    struct error error = {""};
    char bytes[40];
    pipe_in("0123456789012345678", 19);
    assert_false(open_raw("-", "f32@20", &input, &error));
    assert_string_equal(error.text, "truncated: ends at byte 19, before byte 20");

    pipe_in("0123456789012345678", 19);
    assert_true(open_raw("-", "f32:5", &input, &error));
    assert_false(input_read(&input, 0, bytes, 20, &error));
    assert_string_equal(error.text, "truncated: ends at byte 19, before byte 20");
    input_close(&input);
}

static void test_raw_refuses_view(void **state)
{
    (void)state;
    struct input input;
    struct error error;
    struct raw_layout layout;
    struct dtype dtype = dtype_named("bf16");
    assert_true(raw_layout_parse("f16", &layout, &error));
    struct input_options options = {.raw = &layout, .view = &dtype};
    assert_false(input_open(CORPUS "good-f2-le.npy", &options, &input, &error));
    assert_string_equal(error.text, "--view does not go with --raw, which names the type itself");
}

/* Paths and streams. */

static void check_refused(const char *path, const char *message)
{
    struct input input;
    struct error error = {""};
    assert_false(input_open(path, &no_options, &input, &error));
    assert_string_equal(error.text, message);
}

static void test_odd_paths(void **state)
{
    (void)state;
    check_refused("tests", "is a directory");
    check_refused("tests/no such file", strerror(ENOENT));
    check_refused("", strerror(ENOENT));
    check_refused("/dev/null", "is empty");
    check_refused("/proc/self/stat", "not a .npy file (use --raw for headerless data)");
}

static void test_closed_standard_input(void **state)
{
    (void)state;
    close(STDIN_FILENO);
    check_refused("-", strerror(EBADF));
    assert_int_equal(open("/dev/null", O_RDONLY), STDIN_FILENO);
}

/* A file that something was read from before begins where it is. */
static void test_standard_input_from_a_file(void **state)
{
    (void)state;
    struct buffer file = slurp(CORPUS "good-f4-le.npy");
    for (off_t start = 0; start <= 5; start += 5) {
        struct input input;
        struct error error = {""};
        struct place place = place_of("12345", (size_t)start);
        assert_int_equal(write(place.descriptor, file.data, file.length), file.length);
        assert_int_equal(lseek(place.descriptor, start, SEEK_SET), start);
        assert_int_equal(dup2(place.descriptor, STDIN_FILENO), STDIN_FILENO);
        close(place.descriptor);

        float numbers[3];
        if (!input_open("-", &no_options, &input, &error))
            fail_msg("%s", error.text);
        assert_int_equal(input.seekable, start == 0);
        assert_int_equal(input.tensors[0].offset, 128);
        assert_true(input_read(&input, 128, numbers, sizeof numbers, &error));
        assert_true(numbers[2] == 2.5F);
        assert_true(input_finish(&input, 140, &error));
        assert_string_equal(input.warning, "");
        input_close(&input);
    }
    buffer_free(&file);
}

static void test_a_stream_goes_forward_only(void **state)
{
    (void)state;
    struct input input;
    struct error error = {""};
    char bytes[4];
    struct buffer file = slurp(CORPUS "good-tail.npy");
    pipe_in(file.data, file.length);
    assert_true(input_open("-", &no_options, &input, &error));
    assert_true(input_read(&input, 132, bytes, 4, &error)); /* skips an element */
    assert_memory_equal(bytes, file.data + 132, 4);
    assert_int_equal(input.position, 136);
    assert_false(input_read(&input, 132, bytes, 4, &error));
    assert_string_equal(error.text, "byte 132 of a stream has gone by");

    assert_true(input_finish(&input, 140, &error)); /* an element is still unread */
    assert_string_equal(input.warning, "");
    assert_true(input_read(&input, 136, bytes, 4, &error));
    assert_true(input_finish(&input, 140, &error));
    assert_string_equal(input.warning, "bytes after the data are ignored");
    input_close(&input);
    buffer_free(&file);
}

static void test_one_byte_of_tail_and_a_note(void **state)
{
    (void)state;
    struct input input;
    struct error error = {""};
    struct buffer file = slurp(CORPUS "good-v2-le.npy");
    buffer_add(&file, "", 1);
    struct place place = place_of(file.data, file.length);
    assert_true(input_open(place.path, &no_options, &input, &error));
    assert_true(input_finish(&input, file.length - 1, &error));
    assert_string_equal(input.warning, "dtype V2 taken as bf16; 1 byte after the data is ignored");
    input_close(&input);
    close(place.descriptor);
    buffer_free(&file);
}

static void no_action(int signal)
{
    (void)signal;
}

/* The writer gives byte after byte, a timer interrupts the reader all the while, and the read end
 * does not block. */
static void test_a_slow_stream_among_signals(void **state)
{
    (void)state;
    struct buffer file = slurp(CORPUS "good-f4-le.npy"), data = {0};
    struct error error = {""};
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0) {
        for (size_t i = 0; i < file.length; i++) {
            usleep(1000);
            if (write(ends[1], file.data + i, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);

    struct sigaction action = {.sa_handler = no_action}, before; /* no SA_RESTART */
    struct itimerval often = {{0, 300}, {0, 300}}, never = {0};
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    setitimer(ITIMER_REAL, &often, NULL);
    bool ok = read_all("-", &no_options, &data, &error);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &before, NULL);

    if (!ok)
        fail_msg("%s", error.text);
    assert_memory_equal(data.data, file.data + 128, 12);
    int status;
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
    buffer_free(&file);
    buffer_free(&data);
}

/* Files that change under the reader. */

static struct place open_copy(struct input *input)
{
    struct error error = {""};
    struct buffer file = slurp(CORPUS "good-f4-le.npy");
    struct place place = place_of(file.data, file.length);
    assert_true(input_open(place.path, &no_options, input, &error));
    buffer_free(&file);
    return place;
}

static void test_a_file_that_shrinks(void **state)
{
    (void)state;
    struct input input;
    struct error error = {""};
    char bytes[12];
    struct place place = open_copy(&input);
    assert_int_equal(ftruncate(place.descriptor, 132), 0);
    assert_true(input_read(&input, 128, bytes, 4, &error));
    assert_false(input_read(&input, 128, bytes, 12, &error));
    assert_string_equal(error.text, "the file shrank while it was being read");
    assert_false(input_finish(&input, 140, &error));
    assert_string_equal(error.text, "the file changed while it was being read");
    input_close(&input);
    close(place.descriptor);
}

static void test_a_file_that_changes(void **state)
{
    (void)state;
    struct input input;
    struct error error = {""};
    struct place place = open_copy(&input);
    assert_true(input_finish(&input, 140, &error));
    struct timespec then[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = 1000000000}};
    assert_int_equal(futimens(place.descriptor, then), 0);
    assert_false(input_finish(&input, 140, &error));
    assert_string_equal(error.text, "the file changed while it was being read");
    input_close(&input);
    close(place.descriptor);
}

static void test_no_read_beyond_the_end(void **state)
{
    (void)state;
    struct input input;
    struct error error = {""};
    char bytes[12];
    struct place place = open_copy(&input);
    assert_false(input_read(&input, 132, bytes, 12, &error));
    assert_string_equal(error.text, "truncated: ends at byte 140, before byte 144");
    assert_false(input_read(&input, UINT64_MAX - 4, bytes, 12, &error));
    assert_true(input_read(&input, 140, NULL, 0, &error));
    input_close(&input);
    input_close(&input); /* twice is no harm */
    close(place.descriptor);
}

/* Indices. */

static void check_index(const struct tensor *tensor, uint64_t position, uint64_t i, uint64_t j,
                        uint64_t k)
{
    uint64_t index[3];
    tensor_index(tensor, position, index);
    assert_int_equal(index[0], i);
    assert_int_equal(index[1], j);
    assert_int_equal(index[2], k);
}

static void test_indices(void **state)
{
    (void)state;
    struct tensor tensor = {.rank = 3, .shape = {2, 3, 2}, .elements = 12};
    check_index(&tensor, 0, 0, 0, 0);
    check_index(&tensor, 1, 0, 0, 1);
    check_index(&tensor, 7, 1, 0, 1);
    check_index(&tensor, 11, 1, 2, 1);
    tensor.fortran = true;
    check_index(&tensor, 1, 1, 0, 0);
    check_index(&tensor, 7, 1, 0, 1);
    check_index(&tensor, 10, 0, 2, 1);
    tensor.components = true;
    check_index(&tensor, 1, 0, 0, 1);
    check_index(&tensor, 2, 1, 0, 0);
    check_index(&tensor, 7, 1, 1, 1);
    tensor.fortran = false;
    check_index(&tensor, 7, 1, 0, 1);

    struct tensor scalar = {.elements = 1};
    tensor_index(&scalar, 0, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_files),
        cmocka_unit_test(test_good_files_read_the_same_from_a_pipe),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_files_are_bad_from_a_pipe),
        cmocka_unit_test(test_no_file_of_the_corpus_is_forgotten),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_view_leaves_text_and_dates),
        cmocka_unit_test(test_header_limit),
        cmocka_unit_test(test_raw_layouts),
        cmocka_unit_test(test_bad_raw_layouts),
        cmocka_unit_test(test_raw_rank_limit),
        cmocka_unit_test(test_raw_files),
        cmocka_unit_test(test_raw_stream_until_its_end),
        cmocka_unit_test(test_raw_stream_too_short),
        cmocka_unit_test(test_raw_refuses_view),
        cmocka_unit_test(test_odd_paths),
        cmocka_unit_test(test_closed_standard_input),
        cmocka_unit_test(test_standard_input_from_a_file),
        cmocka_unit_test(test_a_stream_goes_forward_only),
        cmocka_unit_test(test_one_byte_of_tail_and_a_note),
        cmocka_unit_test(test_a_slow_stream_among_signals),
        cmocka_unit_test(test_a_file_that_shrinks),
        cmocka_unit_test(test_a_file_that_changes),
        cmocka_unit_test(test_no_read_beyond_the_end),
        cmocka_unit_test(test_indices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
