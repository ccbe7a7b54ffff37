/* .npz files: the corpus, and --view. */
#include "places.h"

#include <inttypes.h>

#include "base/bytes.h"

#define NPZ_CORPUS "tests/corpus/npz/"

/* What there is: tensors with name, dtype and shape, and F, B, C, Z for Fortran order, big-endian,
 * components, deflated; in parentheses what is skipped. */
static const struct good {
    const char *name, *contents, *warning;
} good[] = {
    {"stored", "w f32 3, v f32 2x2", ""},
    {"deflated", "d f32 3 Z", ""},
    {"mixed", "w f32 3, d f32 3 Z, v f32 2x2, e f32 2x2 Z", ""},
    {"deflated-stored", "w f32 3 Z", ""},
    {"integers", "w f32 3, (i i64: not floating point), (j i64: not floating point)", ""},
    {"objects", "w f32 3, (o object: not floating point)", ""},
    {"others",
     "w f32 3, (readme.txt -: not a .npy member), (a/ -: not a .npy member), "
     "(A.NPY -: not a .npy member), (empty -: not a .npy member), (zero -: not a .npy member), "
     "(npy -: not a .npy member)",
     ""},
    {"others-unreadable", "w f32 3, (secret -: not a .npy member), (dense -: not a .npy member)",
     ""},
    {"order", "w f32 3, v f32 2x2, d f32 3 Z", ""},
    {"names",
     "/w f32 3, ../../w f32 3, a/b f32 3,  f32 3, \303\251 f32 3, \377\n\033[1m f32 3, x.npy f32 3",
     ""},
    {"types", "f8 f64 3, be f32 3 B, c8 f32 3x2 C, bf bf16 3, bg bf16 3", "dtype V2 taken as bf16"},
    {"shapes", "s f32 , n f32 0x3, f f32 2x3 F", ""},
    {"shapes-deflated", "s f32  Z, n f32 0x3 Z, f f32 2x3 FZ", ""},
    {"unaligned", "w f32 3, ww f32 3", ""},
    {"view", "w f32 3, (u u16: not floating point), (i i64: not floating point)", ""},
    {"tail", "w f32 3, v f32 2x2", "bytes after the data of 1 member are ignored"},
    {"tail-deflated", "w f32 3 Z, v f32 3", "bytes after the data of 2 members are ignored"},
    {"savez", "w f32 3", ""},
    {"savez-pipe", "w f32 3", ""},
    {"descriptor", "w f32 3, d f32 3 Z", ""},
    {"descriptor-both", "w f32 3", ""},
    {"zip64", "w f32 3, v f32 3", ""},
    {"zip64-end", "w f32 3", ""},
    {"zip64-header", "w f32 3, v f32 3", ""},
    {"extra", "w f32 3", ""},
    {"comment", "w f32 3", ""},
    {"empty", "", ""},
    {"gaps", "w f32 3, v f32 2x2", ""},
    {"hidden", "w f32 3, v f32 2x2", ""},
};

#define ARCHIVE "the zip archive"
#define DIRECTORY ARCHIVE "'s central directory"
#define SPLIT "a zip archive in several parts is not supported"
#define CONTRADICTS "tensor 'w': has a local header that contradicts the central directory"

static const struct bad {
    const char *name;
    const char *message; /* how it begins */
} bad[] = {
    {"cut", "truncated zip archive: no end record"},
    {"cut-half", "truncated zip archive: no end record"},
    {"cut-first", "truncated zip archive: no end record"},
    {"end-cut", "truncated zip archive: no end record"},
    {"end-behind", ARCHIVE " does not end where its end record says"},
    {"end-none", "truncated zip archive: no end record"},
    {"end-comment", ARCHIVE " does not end where its end record says"},
    {"comment-end", ARCHIVE " does not end where its end record says"},
    {"end-offset", DIRECTORY " does not end where its end record begins"},
    {"end-offset-less", DIRECTORY " does not end where its end record begins"},
    {"end-size", DIRECTORY " does not end where its end record begins"},
    {"end-size-wraps", DIRECTORY " does not end where its end record begins"},
    {"prefix", DIRECTORY " does not end where its end record begins"},
    {"disk", SPLIT},
    {"disk-first", SPLIT},
    {"disk-here", SPLIT},
    {"disk-member", SPLIT},
    {"disk-locator", SPLIT},
    {"disks-locator", SPLIT},
    {"count-more", DIRECTORY " has 2 members, not 1 as"},
    {"count-less", DIRECTORY " has 2 members, not 3 as"},
    {"count-huge", DIRECTORY " has 1 members, not 9223372036854775808 as"},
    {"end64-differs", ARCHIVE "'s two end records differ"},
    {"end64-lost", DIRECTORY " is damaged"},
    {"end64-elsewhere", DIRECTORY " is damaged"},
    {"end64-signature", DIRECTORY " is damaged"},
    {"end64-length", DIRECTORY " is damaged"},
    {"end64-none", DIRECTORY " does not end where its end record begins"},
    {"entry-signature", DIRECTORY " is damaged"},
    {"entry-cut", DIRECTORY " is damaged"},
    {"entry-rest", DIRECTORY " is damaged"},
    {"name-nul", ARCHIVE " has a member with a zero byte in its name"},
    {"duplicate", ARCHIVE " has two members 'w.npy'"},
    {"extra-cut", DIRECTORY " is damaged"},
    {"zip64-cut", DIRECTORY " is damaged"},
    {"zip64-none", ARCHIVE "'s member 'w.npy' overlaps the central directory"},
    {"zip64-huge", ARCHIVE "'s member 'w.npy' overlaps the central directory"},
    {"overlap-same", ARCHIVE "'s member 'w.npy' overlaps the next one"},
    {"overlap", ARCHIVE "'s member 'w.npy' overlaps the next one"},
    {"overlap-nested", ARCHIVE "'s member 'w.npy' overlaps the next one"},
    {"overlap-directory", ARCHIVE "'s member 'w.npy' overlaps the central directory"},
    {"overlap-extra", "tensor 'w': overlaps what comes behind it"},
    {"header-beyond", ARCHIVE "'s member 'w.npy' overlaps the central directory"},
    {"header-none", "tensor 'w': has no local header at byte 179"},
    {"local-name", CONTRADICTS},
    {"local-name-longer", CONTRADICTS},
    {"local-method", CONTRADICTS},
    {"local-encrypted", CONTRADICTS},
    {"local-crc", CONTRADICTS},
    {"local-size", CONTRADICTS},
    {"local-zero", CONTRADICTS},
    {"local-packed", CONTRADICTS},
    {"local-descriptor", CONTRADICTS},
    {"encrypted", "tensor 'w': is encrypted"},
    {"method-12", "tensor 'w': is compressed by method 12 (only stored and deflated are"},
    {"method-14", "tensor 'w': is compressed by method 14"},
    {"sizes-differ", "tensor 'w': is stored, but with two sizes: 140 and 139"},
    {"npy-empty", "tensor 'w': npy header: truncated"},
    {"npy-empty-deflated", "tensor 'w': npy header: truncated"},
    {"npy-magic", "tensor 'w': not a .npy file"},
    {"npy-version", "tensor 'w': npy version 4.0 is unknown"},
    {"npy-header-cut", "tensor 'w': npy header: truncated"},
    {"npy-header-cut-deflated", "tensor 'w': npy header: truncated"},
    {"npy-header-huge", "tensor 'w': npy header: 4294967295 bytes long, over the limit"},
    {"npy-header", "tensor 'w': npy header: '{' expected at character 1"},
    {"npy-long-double", "tensor 'l': npy header: element type '<f16' is long double"},
    {"npy-void-1", "tensor 'q': npy header: element type '|V1' may be any 8-bit float"},
    {"npy-data-cut", "tensor 'w': truncated data: 12 bytes expected, 11 there"},
    {"npy-data-cut-skipped", "tensor 'i': truncated data: 24 bytes expected, 23 there"},
    {"npy-data-cut-deflated", "tensor 'w': truncated data: 12 bytes expected, 11 there"},
    {"npy-data-huge", "tensor 'w': truncated data: 1125899906842624 bytes expected, 12"},
    {"npy-shape", "tensor 'w': the shape is too large"},
    {"deflated-none", "tensor 'w': the deflated data end early"},
    {"deflated-type", "tensor 'w': the deflated data are damaged"},
};

/* These open: it is the elements that are wrong. */
static const struct bad bad_elements[] = {
    {"crc-stored", "the data are damaged: their CRC-32 is "},
    {"crc-deflated", "the data are damaged: their CRC-32 is "},
    {"crc-header", "the data are damaged: their CRC-32 is "},
    {"crc-tail", "the data are damaged: their CRC-32 is "},
    {"crc-tail-deflated", "the data are damaged: their CRC-32 is "},
    {"crc-empty", "the data are damaged: their CRC-32 is"},
    {"deflated-huge", "the deflated data end early"},
    {"deflated-more", "the deflated data are not of 140 bytes as the archive says"},
    {"deflated-one-more", "the deflated data are not of 140 bytes as the archive says"},
    {"deflated-less", "the deflated data end early"},
    {"deflated-less-tail", "the deflated data are not of 144 bytes as the archive says"},
    {"deflated-cut", "the deflated data end early"},
    {"deflated-behind", "the deflated data end before the member does"},
    {"deflated-damaged", "the deflated data are damaged"},
};

enum {
    GOOD_COUNT = sizeof good / sizeof *good,
    BAD_COUNT = sizeof bad / sizeof *bad,
    BAD_ELEMENTS_COUNT = sizeof bad_elements / sizeof *bad_elements
};

static void corpus_path(char *path, size_t size, const char *kind, const char *name)
{
    snprintf(path, size, NPZ_CORPUS "%s-%s.npz", kind, name);
}

static void describe_tensor(const struct tensor *tensor, struct buffer *text)
{
    char flags[8] = "";
    snprintf(flags, sizeof flags, "%s%s%s%s", tensor->fortran ? "F" : "",
             tensor->big_endian ? "B" : "", tensor->components ? "C" : "",
             tensor->member->deflated ? "Z" : "");
    buffer_printf(text, "%s%s %s ", text->length ? ", " : "", tensor->name, tensor->dtype.name);
    for (unsigned i = 0; i < tensor->rank; i++)
        buffer_printf(text, "%s%" PRIu64, i ? "x" : "", tensor->shape[i]);
    buffer_printf(text, "%s%s", flags[0] ? " " : "", flags);
}

static void describe(const struct input *input, struct buffer *text)
{
    buffer_puts(text, "");
    for (size_t i = 0; i < input->tensor_count; i++)
        describe_tensor(&input->tensors[i], text);
    for (size_t i = 0; i < input->skipped_count; i++) {
        const struct skipped *skipped = &input->skipped[i];
        buffer_printf(text, "%s(%s %s: %s)", text->length ? ", " : "", skipped->name,
                      skipped->dtype, skipped->reason);
    }
}

static double value(const struct tensor *tensor, const char *from)
{
    char bytes[8];
    int count = tensor->dtype.bytes;
    for (int i = 0; i < count; i++)
        bytes[i] = from[tensor->big_endian ? count - 1 - i : i];
    switch (count) {
    case 2:
        return float_from_bits((uint32_t)load_le16(bytes) << 16);
    case 4:
        return float_from_bits(load_le32(bytes));
    default:
        return double_from_bits(load_le64(bytes));
    }
}

/* 0.5, 1.5, 2.5, ... in all good files. */
static void check_elements(struct input *input, struct tensor *tensor)
{
    struct buffer data = {0};
    struct error error = {""};
    if (!read_tensor(input, tensor, &data, &error))
        fail_msg("%s: %s", tensor->name, error.text);
    assert_int_equal(data.length, tensor_bytes(tensor));
    for (size_t i = 0; i < tensor->elements; i++)
        assert_true(value(tensor, data.data + i * (size_t)tensor->dtype.bytes) == 0.5 + (double)i);
    buffer_free(&data);
}

static void test_good_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        struct input input;
        struct error error = {""};
        struct buffer text = {0};
        corpus_path(path, sizeof path, "good", good[i].name);
        if (!input_open(path, &no_options, &input, &error))
            fail_msg("%s: %s", path, error.text);
        describe(&input, &text);
        assert_string_equal(text.data, good[i].contents);
        for (size_t k = 0; k < input.tensor_count; k++)
            check_elements(&input, &input.tensors[k]);
        assert_true(input_finish(&input, &error));
        assert_string_equal(input.warning, good[i].warning);
        input_close(&input);
        buffer_free(&text);
    }
}

/* What stored elements are mapped by. */
static void test_offsets_of_stored_members(void **state)
{
    (void)state;
    struct input input;
    struct error error = {""};
    char bytes[12];
    assert_true(input_open(NPZ_CORPUS "good-unaligned.npz", &no_options, &input, &error));
    assert_int_equal(input.tensor_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct tensor *tensor = &input.tensors[i];
        assert_int_equal(tensor->offset % 2, 1);
        assert_int_equal(tensor->offset, tensor->member->offset + tensor->member->start);
        assert_true(input_read(&input, tensor->offset, bytes, sizeof bytes, &error));
        assert_memory_equal(bytes, "\0\0\0\077\0\0\300\077\0\0\040\100", sizeof bytes);
    }
    input_close(&input);
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

static void test_bad_elements(void **state)
{
    (void)state;
    for (size_t i = 0; i < BAD_ELEMENTS_COUNT; i++) {
        const char *message = bad_elements[i].message;
        char path[128];
        struct input input;
        struct error error = {""};
        struct buffer data = {0};
        corpus_path(path, sizeof path, "bad", bad_elements[i].name);
        if (!input_open(path, &no_options, &input, &error))
            fail_msg("%s: %s", path, error.text);
        assert_int_equal(input.tensor_count, 1);
        if (read_tensor(&input, &input.tensors[0], &data, &error))
            fail_msg("%s is read", path);
        if (strncmp(error.text, message, strlen(message)) != 0)
            fail_msg("%s: %s", path, error.text);
        input_close(&input);
        buffer_free(&data);
    }
}

static void test_no_file_of_the_corpus_is_forgotten(void **state)
{
    (void)state;
    assert_corpus_count(NPZ_CORPUS, GOOD_COUNT + BAD_COUNT + BAD_ELEMENTS_COUNT);
}

static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        corpus_path(path, sizeof path, "good", good[i].name);
        assert_no_cut_opens(path, 0);
    }
}

/* Most of an archive is said twice or has a checksum. What has not, like dates, does no harm: no
 * bit makes other elements of those that are there. */
static void test_every_damaged_bit(void **state)
{
    (void)state;
    static const char *const files[] = {NPZ_CORPUS "good-stored.npz", NPZ_CORPUS "good-mixed.npz"};
    for (int i = 0; i < 2; i++) {
        struct buffer contents = slurp(files[i]);
        for (size_t bit = 0; bit < 8 * contents.length; bit++) {
            contents.data[bit / 8] ^= (char)(1 << bit % 8);
            struct place place = place_of(contents.data, contents.length);
            struct input input;
            struct error error = {""};
            struct buffer data = {0};
            bool ok = input_open(place.path, &no_options, &input, &error);
            for (size_t k = 0; ok && k < input.tensor_count; k++) {
                data.length = 0;
                ok = read_tensor(&input, &input.tensors[k], &data, &error);
                if (ok)
                    check_elements(&input, &input.tensors[k]);
            }
            assert_true(ok || error.text[0]);
            input_close(&input);
            close(place.descriptor);
            buffer_free(&data);
            contents.data[bit / 8] ^= (char)(1 << bit % 8);
        }
        buffer_free(&contents);
    }
}

static void test_a_pipe_is_refused(void **state)
{
    (void)state;
    struct buffer contents = slurp(NPZ_CORPUS "good-stored.npz");
    struct input input;
    struct error error = {""};
    pipe_in(contents.data, contents.length);
    assert_false(input_open("-", &no_options, &input, &error));
    assert_string_equal(error.text, "a zip archive needs a file, not a pipe");
    buffer_free(&contents);
}

static const struct viewed {
    const char *file, *view, *contents;
} viewed[] = {
    {"good-view", "bf16", "u bf16 3, w f32 3, (i i64: not floating point)"},
    {"good-view", "f64", "w f32 3, i f64 3, (u u16: not floating point)"},
    {"good-view", "f32", "w f32 3, (u u16: not floating point), (i i64: not floating point)"},
    {"good-types", "f16", "f8 f64 3, be f32 3 B, c8 f32 3x2 C, bf f16 3, bg f16 3"},
    {"good-objects", "f64", "w f32 3, (o object: not floating point)"},
    {"bad-npy-void-1", "e4m3fn", "w f32 3, q e4m3fn 3"},
};

static void test_view(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof viewed / sizeof *viewed; i++) {
        char path[128];
        struct input input;
        struct error error = {""};
        struct buffer text = {0};
        struct dtype dtype = dtype_named(viewed[i].view);
        struct input_options options = {.view = &dtype};
        snprintf(path, sizeof path, NPZ_CORPUS "%s.npz", viewed[i].file);
        if (!input_open(path, &options, &input, &error))
            fail_msg("%s: %s", path, error.text);
        describe(&input, &text);
        assert_string_equal(text.data, viewed[i].contents);
        input_close(&input);
        buffer_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_files),
        cmocka_unit_test(test_offsets_of_stored_members),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_elements),
        cmocka_unit_test(test_no_file_of_the_corpus_is_forgotten),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_every_damaged_bit),
        cmocka_unit_test(test_a_pipe_is_refused),
        cmocka_unit_test(test_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
