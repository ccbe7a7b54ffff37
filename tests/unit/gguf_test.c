/* .gguf files: the corpus, --view, and headers too long for the corpus. */
#include "places.h"

#include <inttypes.h>

#include "base/bytes.h"

#define FOLDER "tests/corpus/gguf/"

static const struct good {
    const char *name;
    const char *tensors; /* each as NAME DTYPE SHAPE */
    const char *skipped; /* each as NAME DTYPE REASON */
    const char *warning;
} good[] = {
    {"f32", "w f32 3", "", ""},
    {"f16", "w f16 3", "", ""},
    {"f64", "w f64 3", "", ""},
    {"bf16", "w bf16 3", "", ""},
    {"skip-i8", "", "w i8 not floating point", ""},
    {"skip-i16", "", "w i16 not floating point", ""},
    {"skip-i32", "", "w i32 not floating point", ""},
    {"skip-i64", "", "w i64 not floating point", ""},
    {"skip-q4_0", "", "w q4_0 quantized", ""},
    {"skip-q8_0", "", "w q8_0 quantized", ""},
    {"skip-q6_k", "", "w q6_k quantized", ""},
    {"skip-mxfp4", "", "w mxfp4 quantized", ""},
    {"skip-removed", "", "w q4_0_4_4 quantized", ""},
    {"skip-unknown", "", "w type 99 unknown type", ""},
    {"skip-empty", "", "w q4_0 quantized", ""},
    {"shape-2", "w f32 2x3", "", ""},
    {"shape-4", "w f32 2x3x1x2", "", ""},
    {"scalar", "w f32 ", "", ""},
    {"empty", "w f32 0x3", "", ""},
    {"empty-huge", "w f32 4611686018427387904x0x4611686018427387904", "", ""},
    {"empty-two", "b f32 0x3", "a q4_0 quantized", ""},
    {"empty-far", "w f32 0", "", ""},
    {"three", "a f32 3; b bf16 3; c f64 2", "", ""},
    {"three-mixed", "a f32 3; b bf16 3; c f64 2", "", ""},
    {"gap", "a f32 3; c f64 2", "", ""},
    {"between-skipped", "b bf16 3", "a i32 not floating point; c q8_0 quantized", ""},
    {"empty-between", "empty f32 0; a f32 3; b bf16 3", "", ""},
    {"empty-within", "b f32 0; a f32 9", "", ""},
    {"no-padding", "a f32 3; b bf16 3", "", ""},
    {"tail", "w f32 3", "", "4 bytes after the data are ignored"},
    {"none", "", "", ""},
    {"none-at-all", "", "", ""},
    {"name-64", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn f32 3", "", ""},
    {"name-empty", " f32 3", "", ""},
    {"name-bytes", "\033[31m\377\n f32 3", "", ""},
    {"version-2", "w f32 3", "", ""},
    {"big-endian", "a f32 2x3 big; b bf16 3 big", "", ""},
    {"pairs", "w f32 3", "", ""},
    {"arrays", "w f32 3", "", ""},
    {"array-nested", "w f32 3", "", ""},
    {"array-deep", "w f32 3", "", ""},
    {"array-long", "w f32 3", "", ""},
    {"key-like", "w f32 3", "", ""},
    {"alignment-8", "a f32 3; b bf16 3", "", ""},
    {"alignment-24", "a f32 3; b bf16 3", "", ""},
    {"alignment-4096", "a f32 3; b bf16 3", "", ""},
    {"alignment-huge", "w f32 0", "", ""},
};

static const struct bad {
    const char *name;
    const char *message; /* how it begins */
} bad[] = {
    {"magic", "not a "},
    {"magic-cut", "not a "},
    {"version-cut", "truncated gguf header: 4 bytes expected, 2 there"},
    {"counts-cut", "truncated gguf header: 8 bytes expected, 4 there"},
    {"version-0", "gguf version 0 is unknown (2 and 3 are read)"},
    {"version-1", "gguf version 1 is too old (2 and 3 are read)"},
    {"version-4", "gguf version 4 is unknown"},
    {"version-be", "gguf version 4 is unknown"},
    {"tensors-many", "truncated gguf header: 72 bytes expected, 33 there"},
    {"tensors-huge", "gguf header: 1152921504606846976 items do not fit in any file"},
    {"tensors-overflow", "gguf header: 18446744073709551615 items do not fit in any file"},
    {"pairs-huge", "truncated gguf header: 14293651161088 bytes expected, 0 there"},
    {"counts-overflow", "18446744073709551600 bytes at byte 24 do not fit in any file"},
    {"infos-cut", "truncated gguf header: 48 bytes expected, 33 there"},
    {"info-cut", "tensor 'w': truncated gguf header: 8 bytes expected, 7 there"},
    {"value-type", "gguf header: value type 13 is unknown"},
    {"array-type", "gguf header: value type 13 is unknown"},
    {"array-nested-9", "gguf header: arrays are nested more than 8 deep"},
    {"array-nested-many", "gguf header: arrays are nested more than 8 deep"},
    {"array-huge", "truncated gguf header: 1152921504606847000 bytes expected"},
    {"array-overflow", "gguf header: 2305843009213693952 items do not fit in any file"},
    {"strings-huge", "truncated gguf header: 9007199254741016 bytes expected"},
    {"string-huge", "truncated gguf header: 1152921504606846976 bytes expected"},
    {"string-overflow", "18446744073709551615 bytes at byte 45 do not fit in any file"},
    {"string-cut", "truncated gguf header: 5 bytes expected, 4 there"},
    {"key-huge", "gguf header: a key of 1152921504606846976 bytes, over the limit of 65535"},
    {"alignment-0", "gguf header: general.alignment is 0, no multiple of 8"},
    {"alignment-1", "gguf header: general.alignment is 1, no multiple of 8"},
    {"alignment-12", "gguf header: general.alignment is 12, no multiple of 8"},
    {"alignment-type", "gguf header: general.alignment is no uint32"},
    {"alignment-twice", "gguf header: general.alignment is there twice"},
    {"name-65", "gguf header: a tensor's name of 65 bytes, over the limit of 64"},
    {"name-huge", "gguf header: a tensor's name of 1152921504606846976 bytes, over the limit of"},
    {"name-nul", "gguf header: a tensor's name with a NUL in it: 'w'"},
    {"name-twice", "two tensors 'w'"},
    {"name-twice-skipped", "two tensors 'w'"},
    {"rank-5", "tensor 'w': 5 dimensions, over the limit of 4"},
    {"rank-huge", "tensor 'w': 4294967295 dimensions, over the limit of 4"},
    {"shape-overflow", "tensor 'w': the shape is too large: "},
    {"bytes-overflow", "tensor 'w': the shape is too large: "},
    {"dim-negative", "tensor 'w': the shape is too large: "},
    {"shape-overflow-unknown", "tensor 'w': the shape is too large: "},
    {"block", "tensor 'w': rows of 48 elements are no multiple of the 32 of a block"},
    {"block-scalar", "tensor 'w': rows of 1 elements are no multiple of the 32 of a block"},
    {"offset-unaligned", "tensor 'w': its offset 8 is no multiple of the alignment 32"},
    {"offset-overflow", "tensor 'w': its offset 18446744073709551584 does not fit in any file"},
    {"offset-huge", "tensor 'w': its offset 9223372036854775776 does not fit in any file"},
    {"offset-far", "tensor 'w': truncated data: 12 bytes expected, 0 there"},
    {"data-cut", "tensor 'w': truncated data: 12 bytes expected, 11 there"},
    {"data-none", "tensor 'w': truncated data: 12 bytes expected, 0 there"},
    {"data-huge", "tensor 'w': truncated data: 1125899906842624 bytes expected, 32 there"},
    {"data-cut-skipped", "tensor 'w': truncated data: 34 bytes expected, 33 there"},
    {"overlap", "tensors 'a' and 'b' overlap"},
    {"overlap-same", "tensors 'a' and 'b' overlap"},
    {"overlap-skipped", "tensors 'a' and 'b' overlap"},
};

enum { GOOD_COUNT = sizeof good / sizeof *good, BAD_COUNT = sizeof bad / sizeof *bad };

static void corpus_path(char *path, size_t size, const char *kind, const char *name)
{
    snprintf(path, size, FOLDER "%s-%s.gguf", kind, name);
}

static void open_or_fail(const char *path, const struct input_options *options, struct input *input)
{
    struct error error = {""};
    if (!input_open(path, options, input, &error))
        fail_msg("%s: %s", path, error.text);
}

static void check_tensors(const struct input *input, const char *expected)
{
    struct buffer text = {0};
    buffer_puts(&text, "");
    for (size_t i = 0; i < input->tensor_count; i++) {
        const struct tensor *tensor = &input->tensors[i];
        assert_false(tensor->fortran || tensor->components || tensor->strides || tensor->member);
        buffer_printf(&text, "%s%s %s ", i ? "; " : "", tensor->name, tensor->dtype.name);
        for (unsigned d = 0; d < tensor->rank; d++)
            buffer_printf(&text, "%s%" PRIu64, d ? "x" : "", tensor->shape[d]);
        buffer_puts(&text, tensor->big_endian ? " big" : "");
    }
    assert_string_equal(text.data, expected);
    buffer_free(&text);
}

static void check_skipped(const struct input *input, const char *expected)
{
    struct buffer text = {0};
    buffer_puts(&text, "");
    for (size_t i = 0; i < input->skipped_count; i++)
        buffer_printf(&text, "%s%s %s %s", i ? "; " : "", input->skipped[i].name,
                      input->skipped[i].dtype, input->skipped[i].reason);
    assert_string_equal(text.data, expected);
    buffer_free(&text);
}

static void test_good_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        struct input input;
        struct error error;
        corpus_path(path, sizeof path, "good", good[i].name);
        open_or_fail(path, &no_options, &input);
        assert_string_equal(input.container->name, "gguf");
        check_tensors(&input, good[i].tensors);
        check_skipped(&input, good[i].skipped);
        assert_true(input_finish(&input, &error));
        assert_string_equal(input.warning, good[i].warning);
        input_close(&input);
    }
}

static void test_good_files_read_the_same_from_a_pipe(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        corpus_path(path, sizeof path, "good", good[i].name);
        assert_same_from_a_pipe(path);
    }
}

static void test_data_are_where_they_belong(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t length;
        const char *bytes;
    } expected[] = {
        {"three-mixed", 34,
         "\0\0\0?\0\0\300?\0\0 @\200?\0@\300?\0\0\0\0\0\0\340?\0\0\0\0\0\0\370?"},
        {"alignment-24", 18, "\0\0\0?\0\0\300?\0\0 @\200?\0@\300?"},
        {"big-endian", 30, "?\0\0\0?\300\0\0@ \0\0@`\0\0@\220\0\0@\260\0\0?\200@\0?\300"},
        {"array-long", 12, "\0\0\0?\0\0\300?\0\0 @"},
        {"between-skipped", 6, "\200?\0@\300?"},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        char path[128];
        struct error error;
        struct buffer data = {0};
        corpus_path(path, sizeof path, "good", expected[i].name);
        assert_true(read_all(path, &no_options, &data, &error));
        assert_int_equal(data.length, expected[i].length);
        assert_memory_equal(data.data, expected[i].bytes, data.length);
        buffer_free(&data);
    }
}

static void test_bad_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAD_COUNT; i++) {
        char path[128];
        corpus_path(path, sizeof path, "bad", bad[i].name);
        assert_refused(path, bad[i].message);
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
        if (!strstr(bad[i].message, "truncated"))
            assert_int_equal(strncmp(error.text, bad[i].message, strlen(bad[i].message)), 0);
        else if (!strstr(error.text, "truncated: ends at byte "))
            fail_msg("%s: %s", path, error.text);
        buffer_free(&contents);
        buffer_free(&data);
    }
}

static void test_no_file_of_the_corpus_is_forgotten(void **state)
{
    (void)state;
    assert_corpus_count(FOLDER, GOOD_COUNT + BAD_COUNT);
}

/* A file that is cut is refused, or what is cut off is no tensor's. */
static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        struct error error = {""};
        struct buffer whole = {0};
        corpus_path(path, sizeof path, "good", good[i].name);
        struct buffer contents = slurp(path);
        assert_true(read_all(path, &no_options, &whole, &error));
        for (size_t length = 0; length < contents.length; length += 1 + contents.length / 4096) {
            struct place place = place_of(contents.data, length);
            struct buffer data = {0};
            error = (struct error){""};
            if (read_all(place.path, &no_options, &data, &error)) {
                assert_int_equal(data.length, whole.length);
                assert_true(!data.length || memcmp(data.data, whole.data, data.length) == 0);
            } else {
                assert_true(error.text[0]);
            }
            buffer_free(&data);
            close(place.descriptor);
        }
        buffer_free(&contents);
        buffer_free(&whole);
    }
}

/* Integers of the size too, nothing of another size, and nothing quantized. */
static void test_view(void **state)
{
    (void)state;
    static const struct {
        const char *file, *view, *tensors, *skipped;
    } viewed[] = {
        {"skip-i16", "bf16", "w bf16 3", ""},
        {"skip-i8", "e4m3fn", "w e4m3fn 3", ""},
        {"skip-i32", "f32", "w f32 3", ""},
        {"skip-i64", "f64", "w f64 3", ""},
        {"f16", "bf16", "w bf16 3", ""},
        {"skip-i8", "bf16", "", "w i8 not floating point"},
        {"three", "f16", "a f32 3; b f16 3; c f64 2", ""},
        {"between-skipped", "f32", "a f32 3; b bf16 3", "c q8_0 quantized"},
        {"skip-mxfp4", "e2m1", "", "w mxfp4 quantized"},
        {"skip-unknown", "f32", "", "w type 99 unknown type"},
        {"big-endian", "f16", "a f32 2x3 big; b f16 3 big", ""},
    };
    for (size_t i = 0; i < sizeof viewed / sizeof *viewed; i++) {
        char path[128];
        struct input input;
        struct dtype dtype = dtype_named(viewed[i].view);
        corpus_path(path, sizeof path, "good", viewed[i].file);
        open_or_fail(path, &(struct input_options){.view = &dtype}, &input);
        check_tensors(&input, viewed[i].tensors);
        check_skipped(&input, viewed[i].skipped);
        input_close(&input);
    }
}

/* What is too long for the corpus. */

static void add_number(struct buffer *file, uint64_t number, size_t bytes)
{
    unsigned char le[8];
    store_le32(le, (uint32_t)number);
    store_le32(le + 4, (uint32_t)(number >> 32));
    buffer_add(file, le, bytes);
}

static struct buffer start_file(uint64_t tensors, uint64_t pairs)
{
    struct buffer file = {0};
    buffer_puts(&file, "GGUF");
    add_number(&file, 3, 4);
    add_number(&file, tensors, 8);
    add_number(&file, pairs, 8);
    return file;
}

static void test_key_limit(void **state)
{
    (void)state;
    for (uint64_t length = 65535; length <= 65536; length++) {
        struct buffer file = start_file(0, 1), data = {0};
        struct error error = {""};
        add_number(&file, length, 8);
        for (uint64_t i = 0; i < length; i++)
            buffer_puts(&file, "k");
        add_number(&file, 0, 4);
        add_number(&file, 1, 1);
        struct place place = place_of(file.data, file.length);
        assert_int_equal(read_all(place.path, &no_options, &data, &error), length == 65535);
        assert_string_equal(error.text, length == 65535 ? ""
                                                        : "gguf header: a key of 65536 bytes, over "
                                                          "the limit of 65535");
        buffer_free(&file);
        buffer_free(&data);
        close(place.descriptor);
    }
}

/* In an order that is not that of the data. */
static void test_many_tensors(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    struct buffer file = start_file(COUNT, 0);
    struct error error;
    struct input input;
    for (uint64_t i = 0; i < COUNT; i++) {
        char name[16];
        uint64_t at = i * 7 % COUNT;
        add_number(&file, (uint64_t)snprintf(name, sizeof name, "t%" PRIu64, at), 8);
        buffer_puts(&file, name);
        add_number(&file, 1, 4);
        add_number(&file, 1, 8);
        add_number(&file, 0, 4);
        add_number(&file, at * 32, 8);
    }
    add_number(&file, 0, -file.length % 8);
    while (file.length % 32)
        add_number(&file, 0, 8);
    for (uint64_t i = 0; i < COUNT; i++) {
        add_number(&file, i, 8);
        for (int word = 0; word < 3; word++)
            add_number(&file, 0, 8);
    }
    struct place place = place_of(file.data, file.length);
    open_or_fail(place.path, &no_options, &input);
    assert_int_equal(input.tensor_count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        unsigned char bytes[4];
        char name[16];
        snprintf(name, sizeof name, "t%zu", i);
        assert_string_equal(input.tensors[i].name, name);
        assert_true(input_read(&input, input.tensors[i].offset, bytes, 4, &error));
        assert_int_equal(load_le32(bytes), i);
    }
    assert_int_equal(input.data_end, file.length);
    input_close(&input);
    buffer_free(&file);
    close(place.descriptor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_files),
        cmocka_unit_test(test_good_files_read_the_same_from_a_pipe),
        cmocka_unit_test(test_data_are_where_they_belong),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_files_are_bad_from_a_pipe),
        cmocka_unit_test(test_no_file_of_the_corpus_is_forgotten),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_key_limit),
        cmocka_unit_test(test_many_tensors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
