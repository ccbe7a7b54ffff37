/* .npy files: the corpus, and --view. */
#include "places.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "base/bytes.h"

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
    {"header-short", "npy header: fortran_order is neither True nor False at character 35"},
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
    {"key-bare", "npy header: a key or '}' expected at character 42"},
    {"shape-list", "npy header: shape is a list, not a tuple at character 51"},
    {"shape-number", "npy header: shape is a number, not a tuple"},
    {"shape-parentheses", "npy header: shape is a number in parentheses"},
    {"shape-none", "npy header: shape is not a tuple"},
    {"shape-open", "npy header: a dimension or ')' expected at character 54"},
    {"shape-comma", "npy header: a dimension or ')' expected"},
    {"shape-commas", "npy header: a dimension or ')' expected"},
    {"shape-no-comma", "npy header: ',' expected"},
    {"shape-nested", "npy header: a dimension or ')' expected"},
    {"shape-rank", "npy header: more than 64 dimensions"},
    {"dim-true", "npy header: a boolean as a dimension"},
    {"dim-negative", "npy header: a negative dimension"},
    {"dim-float", "npy header: a dimension that is not a plain decimal integer"},
    {"dim-hex", "npy header: a dimension that is not a plain decimal integer"},
    {"dim-underscore", "npy header: a dimension that is not a plain decimal integer"},
    {"dim-zeros", "npy header: a dimension that is not a plain decimal integer"},
    {"dim-huge", "npy header: too large a dimension"},
    {"dim-wraps", "npy header: too large a dimension"},
    {"dim-name", "npy header: a dimension or ')' expected"},
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
    {"deep", "npy header: a dimension or ')' expected"},
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
            assert_true(input_finish(&input, &error));
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
        corpus_path(path, sizeof path, "good", good[i].name);
        assert_same_from_a_pipe(path);
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
        corpus_path(path, sizeof path, "bad", bad[i].name);
        if (shows_in_pipe(bad[i].name))
            assert_refused_in_a_pipe(path, bad[i].message);
    }
}

static void test_no_file_of_the_corpus_is_forgotten(void **state)
{
    (void)state;
    assert_corpus_count(CORPUS, GOOD_COUNT + BAD_COUNT);
}

/* No good file is good without its last byte, or with any fewer. */
static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        corpus_path(path, sizeof path, "good", good[i].name);
        struct stat status;
        assert_int_equal(stat(path, &status), 0);
        size_t tail = strcmp(good[i].name, "tail") == 0 ? 4 : 0;
        assert_no_cut_opens(path, (size_t)status.st_size - tail);
    }
}

/* --view. */

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
    unsigned char start[12] = "\x93NUMPY\2";
    store_le32(start + 8, (uint32_t)header_length);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
