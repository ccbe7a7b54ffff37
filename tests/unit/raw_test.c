/* Headerless data: --raw. */
#include "places.h"

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
        size_t count = (size_t)tensor_bytes(tensor);
        assert_int_equal(tensor->elements, raw_files[i].elements);
        assert_true(input_read(&input, tensor->offset, bytes, count, &error));
        for (size_t j = 0; j < count; j++)
            assert_int_equal(bytes[j], tensor->offset + j);
        assert_true(input_finish(&input, &error));
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
        assert_true(input_finish(&input, &error));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw_layouts),
        cmocka_unit_test(test_bad_raw_layouts),
        cmocka_unit_test(test_raw_rank_limit),
        cmocka_unit_test(test_raw_files),
        cmocka_unit_test(test_raw_stream_until_its_end),
        cmocka_unit_test(test_raw_stream_too_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
