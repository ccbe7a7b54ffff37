/* .safetensors files: the corpus, --view, and headers too long for it. */
#include "places.h"

#include <inttypes.h>

#include "base/bytes.h"

#define FOLDER "tests/corpus/safetensors/"

#define INTEGER "not floating point"
#define PACKED "packed: an element is no whole byte"

/* Tensors as NAME:DTYPE[SHAPE]@OFFSET, from where the data begin, and a * behind where the last
 * axis is of components; then what is skipped as -NAME:DTYPE(REASON). */
static const struct good {
    const char *name;
    const char *contents;
    const char *metadata;
} good[] = {
    {"f32", "w:f32[3]@0", NULL},
    {"f16", "w:f16[3]@0", NULL},
    {"bf16", "w:bf16[3]@0", NULL},
    {"f64", "w:f64[3]@0", NULL},
    {"e4m3fn", "w:e4m3fn[3]@0", NULL},
    {"e5m2", "w:e5m2[3]@0", NULL},
    {"e4m3fnuz", "w:e4m3fnuz[3]@0", NULL},
    {"e5m2fnuz", "w:e5m2fnuz[3]@0", NULL},
    {"c64", "w:f32[3,2]@0*", NULL},
    {"c64-scalar", "w:f32[2]@0*", NULL},
    {"skip-bool", "-w:bool(" INTEGER ")", NULL},
    {"skip-u8", "-w:u8(" INTEGER ")", NULL},
    {"skip-i8", "-w:i8(" INTEGER ")", NULL},
    {"skip-u16", "-w:u16(" INTEGER ")", NULL},
    {"skip-i16", "-w:i16(" INTEGER ")", NULL},
    {"skip-u32", "-w:u32(" INTEGER ")", NULL},
    {"skip-i32", "-w:i32(" INTEGER ")", NULL},
    {"skip-u64", "-w:u64(" INTEGER ")", NULL},
    {"skip-i64", "-w:i64(" INTEGER ")", NULL},
    {"skip-f8_e8m0", "-w:f8_e8m0(a scale, without sign and significand)", NULL},
    {"skip-f4", "-w:f4(" PACKED ")", NULL},
    {"skip-f6_e2m3", "-w:f6_e2m3(" PACKED ")", NULL},
    {"skip-f6_e3m2", "-w:f6_e3m2(" PACKED ")", NULL},
    {"scalar", "w:f32[]@0", NULL},
    {"empty", "w:f32[0,3]@0", NULL},
    {"empty-huge", "w:f32[4611686018427387904,0,4611686018427387904]@0", NULL},
    {"rank-64",
     "w:f32[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
     "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,3]@0",
     NULL},
    {"rank-64-c64",
     "w:f32[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
     "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,3,2]@0*",
     NULL},
    {"none", "", NULL},
    {"order", "c:f32[3]@0 b:f32[3]@12 a:f32[3]@24", NULL},
    {"empty-between", "e:f32[0]@0 a:f32[3]@0 y:f32[0]@12 z:f32[0]@12 b:f32[3]@12 x:f32[0]@24",
     NULL},
    {"mixed", "b:f32[3]@8 d:bf16[3]@23 -a:i64(" INTEGER ") -c:u8(" INTEGER ") -e:bool(" INTEGER ")",
     NULL},
    {"space-before", "w:f32[3]@0", NULL},
    {"space-behind", "w:f32[3]@0", NULL},
    {"space-within", "w:f32[3]@0", NULL},
    {"key-order", "w:f32[3]@0", NULL},
    {"name-empty", ":f32[3]@0", NULL},
    {"name-utf-8", "\u00e4\u20ac\U0001f600:f32[3]@0", NULL},
    {"name-escapes", "\u00e4\u20ac\U0001f600\"\\/\b\f\n\r\t:f32[3]@0", NULL},
    {"dtype-escapes", "w:f32[3]@0", NULL},
    {"metadata", "w:f32[3]@0", "{\"format\":\"pt\"}"},
    {"metadata-last", "w:f32[3]@0", "{\"b\":\"2\",\"a\":\"\"}"},
    {"metadata-empty", "w:f32[3]@0", "{}"},
    {"metadata-escapes", "", "{\"\u00e9\\u0000/\":\"\\u001f\\n\\\"\\\\\u00e9\"}"},
};

static const struct bad {
    const char *name;
    const char *message; /* how it begins */
} bad[] = {
    {"empty", "is empty"},
    {"length-cut", "not a "},
    {"length-only", "not a "},
    {"length-huge", "not a "},
    {"length-one", "not a "},
    {"first-byte", "not a "},
    {"header-cut", "truncated safetensors header: 55 bytes expected, 32 there"},
    {"header-claimed", "truncated safetensors header: 100000000 bytes expected, 67 there"},
    {"header-short", "safetensors header, byte 62: ',' or '}' expected, but the text ends"},
    {"header-long", "safetensors header, byte 63: something behind the value"},
    {"data-cut", "truncated data: 12 bytes expected, 11 there"},
    {"data-none", "truncated data: 12 bytes expected, 0 there"},
    {"data-cut-skipped", "truncated data: 24 bytes expected, 23 there"},
    {"data-huge", "truncated data: 1125899906842624 bytes expected, 12 there"},
    {"tail", "1 byte after the data"},
    {"tail-none", "1 byte after the data"},
    {"gap-first", "tensor 'w': its data begin at offset 4, leaving a gap after 0"},
    {"gap", "tensor 'b': its data begin at offset 16, leaving a gap after 12"},
    {"overlap", "tensor 'b': its data begin at offset 8, overlapping those up to 12"},
    {"same", "tensor 'b': its data begin at offset 0, overlapping those up to 12"},
    {"empty-inside", "tensor 'b': its data begin at offset 4, overlapping those up to 12"},
    {"empty-behind", "tensor 'b': its data begin at offset 16, leaving a gap after 12"},
    {"backward", "safetensors header, byte 59: tensor 'w': data_offsets end before they begin"},
    {"offsets-end", "safetensors header, byte 95: tensor 'w': the shape is too large"},
    {"size-less",
     "safetensors header, byte 61: tensor 'w': shape and dtype make 16 bytes, data_offsets 12"},
    {"size-more",
     "safetensors header, byte 61: tensor 'w': shape and dtype make 8 bytes, data_offsets 12"},
    {"size-wraps", "safetensors header, byte 79: tensor 'w': the shape is too large: "},
    {"shape-overflow", "safetensors header, byte 80: tensor 'w': the shape is too large: "},
    {"bits-overflow", "safetensors header, byte 77: tensor 'w': the shape is too large"},
    {"half-byte",
     "safetensors header, byte 59: tensor 'w': 3 elements of 4 bits are no whole bytes"},
    {"part-byte",
     "safetensors header, byte 64: tensor 'w': 3 elements of 6 bits are no whole bytes"},
    {"dtype-unknown", "safetensors header, byte 22: tensor 'w': dtype 'F128' is unknown"},
    {"dtype-case", "safetensors header, byte 22: tensor 'w': dtype 'f32' is unknown"},
    {"dtype-nul", "safetensors header, byte 22: a NUL in a name"},
    {"dtype-number", "safetensors header, byte 22: the name of a dtype expected"},
    {"dtype-none", "safetensors header, byte 47: tensor 'w': no key 'dtype'"},
    {"shape-none", "safetensors header, byte 49: tensor 'w': no key 'shape'"},
    {"offsets-none", "safetensors header, byte 39: tensor 'w': no key 'data_offsets'"},
    {"entry-empty", "safetensors header, byte 14: tensor 'w': no key 'dtype'"},
    {"key-twice", "safetensors header, byte 40: tensor 'w': two keys 'shape'"},
    {"key-unknown", "safetensors header, byte 62: tensor 'w': unknown key 'stride'"},
    {"key-nul", "safetensors header, byte 14: a NUL in a name"},
    {"entry-array", "safetensors header, byte 13: the object of a tensor expected"},
    {"shape-number", "safetensors header, byte 36: an array of dimensions expected"},
    {"shape-object", "safetensors header, byte 36: an array of dimensions expected"},
    {"shape-string", "safetensors header, byte 37: tensor 'w': a whole number below 2^63 expected"},
    {"shape-nested", "safetensors header, byte 37: tensor 'w': a whole number below 2^63 expected"},
    {"rank-65", "safetensors header, byte 165: tensor 'w': more than 64 dimensions"},
    {"dim-negative", "safetensors header, byte 37: tensor 'w': a whole number below 2^63 expected"},
    {"dim-minus-zero",
     "safetensors header, byte 37: tensor 'w': a whole number below 2^63 expected"},
    {"dim-fraction", "safetensors header, byte 37: tensor 'w': a whole number below 2^63 expected"},
    {"dim-exponent", "safetensors header, byte 37: tensor 'w': a whole number below 2^63 expected"},
    {"dim-huge", "safetensors header, byte 37: tensor 'w': a whole number below 2^63 expected"},
    {"dim-wraps", "safetensors header, byte 37: tensor 'w': a whole number below 2^63 expected"},
    {"dim-null", "safetensors header, byte 37: tensor 'w': a whole number below 2^63 expected"},
    {"offsets-one", "safetensors header, byte 58: tensor 'w': a whole number below 2^63 expected"},
    {"offsets-three", "safetensors header, byte 61: two offsets and no more expected"},
    {"offsets-negative",
     "safetensors header, byte 56: tensor 'w': a whole number below 2^63 expected"},
    {"offsets-string", "safetensors header, byte 55: an array of two offsets expected"},
    {"name-twice", "two tensors 'w'"},
    {"name-twice-escaped", "two tensors 'w'"},
    {"name-nul", "safetensors header, byte 9: a NUL in a name"},
    {"metadata-nul", "safetensors header, byte 9: a NUL in a name"},
    {"metadata-twice", "safetensors header, byte 27: two keys '__metadata__'"},
    {"metadata-key-twice", "safetensors header, byte 52: two keys \"a\" in __metadata__"},
    {"metadata-number", "safetensors header, byte 32: a string in __metadata__ expected"},
    {"metadata-nested", "safetensors header, byte 29: a string in __metadata__ expected"},
    {"metadata-null", "safetensors header, byte 24: the object of __metadata__ expected"},
    {"metadata-tensor", "safetensors header, byte 47: a string in __metadata__ expected"},
    {"comma-last", "safetensors header, byte 63: a key expected"},
    {"comma-last-array", "safetensors header, byte 39: a value expected"},
    {"comma-first", "safetensors header, byte 9: a key expected"},
    {"comma-none", "safetensors header, byte 63: ',' or '}' expected"},
    {"comma-none-array", "safetensors header, byte 39: ',' or ']' expected"},
    {"colon-none", "safetensors header, byte 12: ':' expected"},
    {"key-bare", "safetensors header, byte 9: a key expected"},
    {"quote-single", "safetensors header, byte 9: a key expected"},
    {"open", "safetensors header, byte 62: ',' or '}' expected, but the text ends"},
    {"behind", "safetensors header, byte 63: something behind the value"},
    {"behind-nul", "safetensors header, byte 63: something behind the value"},
    {"comment", "safetensors header, byte 64: something behind the value"},
    {"bracket", "safetensors header, byte 38: ',' or ']' expected"},
    {"deep", "safetensors header, byte 13: the object of a tensor expected"},
    {"zeros", "safetensors header, byte 38: ',' or ']' expected"},
    {"plus", "safetensors header, byte 37: a value expected"},
    {"nan", "safetensors header, byte 37: a value expected"},
    {"literal-cut", "safetensors header, byte 40: a value expected"},
    {"point", "safetensors header, byte 39: a digit expected"},
    {"minus", "safetensors header, byte 38: a digit expected"},
    {"quote-open", "safetensors header, byte 11: '\"' expected, but the text ends"},
    {"control", "safetensors header, byte 11: a control character in a string"},
    {"escape-unknown", "safetensors header, byte 11: no such escape"},
    {"escape-short", "safetensors header, byte 15: four hexadecimal digits expected"},
    {"surrogate-high", "safetensors header, byte 16: half of a surrogate pair"},
    {"surrogate-low", "safetensors header, byte 16: half of a surrogate pair"},
    {"surrogate-twice", "safetensors header, byte 22: half of a surrogate pair"},
    {"latin-1", "safetensors header, byte 11: a character that is not UTF-8"},
    {"utf-8-cut", "safetensors header, byte 12: a character that is not UTF-8"},
    {"utf-8-long", "safetensors header, byte 12: a character that is not UTF-8"},
    {"utf-8-long-3", "safetensors header, byte 13: a character that is not UTF-8"},
    {"utf-8-surrogate", "safetensors header, byte 13: a character that is not UTF-8"},
    {"utf-8-beyond", "safetensors header, byte 14: a character that is not UTF-8"},
    {"utf-8-tail", "safetensors header, byte 10: a byte that is not UTF-8"},
    {"utf-8-five", "safetensors header, byte 10: a byte that is not UTF-8"},
    {"bom", "safetensors header, byte 9: a value expected"},
};

enum { GOOD_COUNT = sizeof good / sizeof *good, BAD_COUNT = sizeof bad / sizeof *bad };

static void corpus_path(char *path, size_t size, const char *kind, const char *name)
{
    snprintf(path, size, FOLDER "%s-%s.safetensors", kind, name);
}

static void describe(const struct input *input, uint64_t start, struct buffer *text)
{
    const char *glue = "";
    buffer_puts(text, "");
    for (size_t i = 0; i < input->tensor_count; i++, glue = " ") {
        const struct tensor *tensor = &input->tensors[i];
        buffer_printf(text, "%s%s:%s[", glue, tensor->name, tensor->dtype.name);
        for (unsigned axis = 0; axis < tensor->rank; axis++)
            buffer_printf(text, "%s%" PRIu64, axis ? "," : "", tensor->shape[axis]);
        buffer_printf(text, "]@%" PRIu64 "%s", tensor->offset - start,
                      tensor->components ? "*" : "");
    }
    for (size_t i = 0; i < input->skipped_count; i++, glue = " ")
        buffer_printf(text, "%s-%s:%s(%s)", glue, input->skipped[i].name, input->skipped[i].dtype,
                      input->skipped[i].reason);
}

static void check_elements(const struct tensor *tensor)
{
    uint64_t product = 1;
    for (unsigned axis = 0; axis < tensor->rank; axis++)
        product *= tensor->shape[axis];
    assert_int_equal(tensor->elements, product);
    assert_false(tensor->big_endian || tensor->fortran || tensor->strides || tensor->member);
}

static void check_contents(const char *path, const struct input_options *options,
                           const char *contents, const char *metadata)
{
    struct input input;
    struct error error = {""};
    struct buffer text = {0}, file = slurp(path);
    if (!input_open(path, options, &input, &error))
        fail_msg("%s: %s", path, error.text);
    describe(&input, 8 + load_le64(file.data), &text);
    assert_string_equal(text.data, contents);
    for (size_t i = 0; i < input.tensor_count; i++)
        check_elements(&input.tensors[i]);
    if (metadata)
        assert_string_equal(input.metadata, metadata);
    else
        assert_null(input.metadata);
    assert_true(input_finish(&input, &error));
    assert_string_equal(input.warning, "");
    assert_string_equal(input.container->name, "safetensors");
    assert_int_equal(input.data_end, file.length);
    input_close(&input);
    buffer_free(&text);
    buffer_free(&file);
}

static void test_good_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        corpus_path(path, sizeof path, "good", good[i].name);
        check_contents(path, &no_options, good[i].contents, good[i].metadata);
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

/* Of a pipe, the end shows only when it is reached: so data that are cut there and read by nobody,
 * or that nobody has memory for, are left out, and what is behind them. */
static bool shows_in_pipe(const char *name)
{
    static const char *const others[] = {"data-cut-skipped", "data-huge", "tail", "tail-none"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(name, others[i]) == 0)
            return false;
    return true;
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

static void test_tail_in_a_pipe(void **state)
{
    (void)state;
    struct buffer contents = slurp(FOLDER "bad-tail.safetensors");
    struct input input;
    struct error error = {""};
    char data[12];
    pipe_in(contents.data, contents.length);
    assert_true(input_open("-", &no_options, &input, &error));
    assert_true(input_read(&input, input.tensors[0].offset, data, sizeof data, &error));
    assert_true(input_finish(&input, &error));
    assert_string_equal(input.warning, "bytes after the data are ignored");
    input_close(&input);
    buffer_free(&contents);
}

static void test_no_file_of_the_corpus_is_forgotten(void **state)
{
    (void)state;
    assert_corpus_count(FOLDER, GOOD_COUNT + BAD_COUNT);
}

/* No good file is good with any byte less, or with one more. */
static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        corpus_path(path, sizeof path, "good", good[i].name);
        struct buffer contents = slurp(path);
        size_t whole = contents.length;
        buffer_add(&contents, "", 1);
        for (size_t length = 0; length <= whole + 1; length++) {
            struct place place = place_of(contents.data, length);
            struct input input;
            struct error error = {""};
            bool opened = input_open(place.path, &no_options, &input, &error);
            assert_int_equal(opened, length == whole);
            assert_int_equal(!error.text[0], opened);
            if (opened)
                input_close(&input);
            close(place.descriptor);
        }
        buffer_free(&contents);
    }
}

static void test_view(void **state)
{
    (void)state;
    static const struct {
        const char *file, *view, *contents;
    } viewed[] = {
        {"skip-u16", "bf16", "w:bf16[3]@0"},
        {"skip-i16", "f16", "w:f16[3]@0"},
        {"f16", "bf16", "w:bf16[3]@0"},
        {"bf16", "bf16", "w:bf16[3]@0"},
        {"skip-u8", "e4m3fn", "w:e4m3fn[3]@0"},
        {"skip-bool", "e2m1", "w:e2m1[3]@0"},
        {"skip-f8_e8m0", "e5m2", "w:e5m2[3]@0"},
        {"e4m3fn", "e4m3fnuz", "w:e4m3fnuz[3]@0"},
        {"skip-i64", "f64", "w:f64[3]@0"},
        {"skip-u32", "f32", "w:f32[3]@0"},
        /* What has another size stays what it is. */
        {"f32", "bf16", "w:f32[3]@0"},
        {"skip-u16", "e5m2", "-w:u16(" INTEGER ")"},
        {"skip-f4", "e2m1", "-w:f4(" PACKED ")"},
        {"skip-f6_e2m3", "e2m3", "-w:f6_e2m3(" PACKED ")"},
        {"c64", "f64", "w:f32[3,2]@0*"},
        {"c64", "f32", "w:f32[3,2]@0*"},
        {"mixed", "e5m2", "b:f32[3]@8 c:e5m2[3]@20 d:bf16[3]@23 e:e5m2[1]@29 -a:i64(" INTEGER ")"},
        {"scalar", "f32", "w:f32[]@0"},
        {"empty-huge", "f32", "w:f32[4611686018427387904,0,4611686018427387904]@0"},
    };
    for (size_t i = 0; i < sizeof viewed / sizeof *viewed; i++) {
        char path[128];
        struct dtype dtype = dtype_named(viewed[i].view);
        corpus_path(path, sizeof path, "good", viewed[i].file);
        check_contents(path, &(struct input_options){.view = &dtype}, viewed[i].contents, NULL);
    }
}

/* Files too long for the corpus. */

static struct buffer file_of(const struct buffer *header, size_t data)
{
    struct buffer file = {0};
    for (int i = 0; i < 8; i++)
        buffer_add(&file, &(unsigned char){(unsigned char)((uint64_t)header->length >> 8 * i)}, 1);
    buffer_add(&file, header->data, header->length);
    for (size_t i = 0; i < data; i++)
        buffer_add(&file, "", 1);
    return file;
}

static bool opens(const struct buffer *header, size_t data, struct input *input,
                  struct error *error)
{
    struct buffer file = file_of(header, data);
    struct place place = place_of(file.data, file.length);
    bool opened = input_open(place.path, &no_options, input, error);
    close(place.descriptor);
    buffer_free(&file);
    return opened;
}

static void add_long(struct buffer *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        buffer_add(text, "x", 1);
}

static void test_long_names(void **state)
{
    (void)state;
    for (size_t length = 65535; length <= 65537; length++) {
        struct buffer header = {0};
        struct input input;
        struct error error = {""};
        buffer_puts(&header, "{\"");
        add_long(&header, length);
        buffer_puts(&header, "\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}");
        bool opened = opens(&header, 4, &input, &error);
        assert_int_equal(opened, length <= 65536);
        if (opened) {
            assert_int_equal(strlen(input.tensors[0].name), length);
            input_close(&input);
        } else {
            assert_string_equal(error.text, "safetensors header, byte 9: a text of more than 65536 "
                                            "bytes");
        }
        buffer_free(&header);
    }
}

/* Programs for training leave much in __metadata__. */
static void test_long_metadata(void **state)
{
    (void)state;
    struct buffer header = {0};
    struct input input;
    struct error error = {""};
    buffer_puts(&header, "{\"__metadata__\":{\"a\":\"");
    add_long(&header, 1000000);
    buffer_puts(&header, "\"}}");
    if (!opens(&header, 0, &input, &error))
        fail_msg("%s", error.text);
    assert_int_equal(strlen(input.metadata), 1000000 + strlen("{\"a\":\"\"}"));
    input_close(&input);
    buffer_free(&header);
}

/* A long name in a message is cut, and the message is whole. */
static void test_long_name_in_a_message(void **state)
{
    (void)state;
    struct buffer header = {0};
    struct input input;
    struct error error = {""};
    buffer_puts(&header, "{\"");
    add_long(&header, 1000);
    buffer_puts(&header, "\":{\"dtype\":\"F32\"}}");
    assert_false(opens(&header, 0, &input, &error));
    assert_non_null(strstr(error.text, "xxx': no key 'shape'"));
    buffer_free(&header);
}

static void test_many_tensors(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct buffer header = {0};
    struct input input;
    struct error error = {""};
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned place = i * 7919 % COUNT; /* a permutation */
        buffer_printf(&header,
                      "%c\"t%u\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%u,%u]}",
                      i ? ',' : '{', place, place, place + 1);
    }
    buffer_puts(&header, "}");
    if (!opens(&header, COUNT, &input, &error))
        fail_msg("%s", error.text);
    assert_int_equal(input.skipped_count, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%u", i);
        assert_string_equal(input.skipped[i].name, name);
    }
    input_close(&input);
    buffer_free(&header);
}

/* Raw data are not taken for a header: a length that is no length, and no brace. */
static void test_not_recognised(void **state)
{
    (void)state;
    static const unsigned char heads[][9] = {
        {0, 0, 0, 0, 0, 0, 0, 0, '{'},  {1, 0, 0, 0, 0, 0, 0, 0, '{'},
        {9, 0, 0, 0, 0, 0, 0, 1, '{'},  {1, 0xe1, 0xf5, 5, 0, 0, 0, 0, '{'},
        {9, 0, 0, 0, 0, 0, 0, 0, '['},  {9, 0, 0, 0, 0, 0, 0, 0, 0},
        {9, 0, 0, 0, 0, 0, 0, 0, '\v'},
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        assert_false(container_safetensors.recognise(heads[i], 9));
    assert_true(container_safetensors.recognise((const unsigned char *)"\2\0\0\0\0\0\0\0{", 9));
    assert_true(container_safetensors.recognise((const unsigned char *)"\0\xe1\xf5\5\0\0\0\0 ", 9));
    assert_false(container_safetensors.recognise((const unsigned char *)"\2\0\0\0\0\0\0\0{", 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_files),
        cmocka_unit_test(test_good_files_read_the_same_from_a_pipe),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_bad_files_are_bad_from_a_pipe),
        cmocka_unit_test(test_tail_in_a_pipe),
        cmocka_unit_test(test_no_file_of_the_corpus_is_forgotten),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_long_metadata),
        cmocka_unit_test(test_long_name_in_a_message),
        cmocka_unit_test(test_many_tensors),
        cmocka_unit_test(test_not_recognised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
