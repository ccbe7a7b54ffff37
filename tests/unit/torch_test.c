/* PyTorch files: the corpus, --view, and what is too large for the corpus. */
#include "places.h"

#include <inttypes.h>

#include "base/bytes.h"

#define TORCH_CORPUS "tests/corpus/torch/"

#define SEVEN_ZEROS "0.0.0.0.0.0.0."
#define MANY_ZEROS SEVEN_ZEROS SEVEN_ZEROS SEVEN_ZEROS SEVEN_ZEROS SEVEN_ZEROS "0.0.0.0."

#define REPEATED "what stands in several places is listed in the first "

/* What there is: tensors with name, dtype, shape, the strides where there are any, B and C for
 * big-endian and components, and the values in storage order; in parentheses what is skipped. */
static const struct good {
    const char *name, *contents, *warning;
} good[] = {
    {"state-dict",
     "fc.weight f32 2x3 = 0 1 2 3 4 5, fc.bias f32 2 = 6 7, "
     "(steps i64: not floating point)",
     ""},
    {"checkpoint",
     "model.w f32 3 = 0 1 2, optimizer.state.0.exp_avg f32 3 = 10 11 12, "
     "history.0 f32 1 = 20",
     ""},
    {"bare", " f32 3 = 0 1 2", ""},
    {"scalar", "s f32  = 5", ""},
    {"empty", "a f32 0x3 =, b f32 2x0 =", ""},
    {"no-tensor", "", ""},

    {"rows", "w f32 3 = 3 4 5", ""},
    {"transposed", "w f32 3x2 by 1x3 = 0 1 2 3 4 5", ""},
    {"every-second", "w f32 3 by 2 = 0 2 4", ""},
    {"expanded", "w f32 4x3 by 0x1 = 0 1 2", ""},
    {"expanded-all", "w f32 4x3 by 0x0 = 5", ""},
    {"length-one", "w f32 1x3x1 = 0 1 2", ""},
    {"channels-last", "w f32 1x3x1x2 by 6x1x6x3 = 0 1 2 3 4 5", ""},
    {"windows", "(w f32: its elements overlap)", ""},
    {"two-views", "a f32 6 = 0 1 2 3 4 5, b f32 2x3 = 0 1 2 3 4 5", ""},
    {"tied", "a f32 3 = 0 1 2, c f32 3 = 3 4 5, (b f32: the same elements as a)", ""},
    {"tied-memo",
     "a f32 3 = 0 1 2, (b f32: the same elements as a), "
     "(c.0 f32: the same elements as a)",
     ""},

    {"f16", "w f16 3 = 0 1 2", ""},
    {"bf16", "w bf16 3 = 0 1 2", ""},
    {"f64", "w f64 3 = 0 1 2", ""},
    {"complex64", "w f32 3x2 C = 0 1 2 3 4 5", ""},
    {"complex128", "w f64 2x2x2 by 2x4x1 C = 0 1 2 3 4 5 6 7", ""},
    {"complex32", "w f16 2x2 C = 0 1 2 3", ""},
    {"fp8", "a e4m3fn 3 = 0 1 2, b e5m2 3 = 0 1 2, c e4m3fnuz 3 = 0 1 2, d e5m2fnuz 3 = 0 1 2", ""},
    {"typed-view", "b f16 2 = 0 2, a f32 1 = 2", ""},
    {"integers",
     "(Long i64: not floating point), (Int i32: not floating point), "
     "(Short i16: not floating point), (Char i8: not floating point), "
     "(Byte u8: not floating point), (Bool bool: not floating point), "
     "(u16 u16: not floating point)",
     ""},
    {"other-types",
     "(scale float8_e8m0fnu: an element type that is not read), "
     "(packed float4_e2m1fn_x2: an element type that is not read), "
     "(new float3_new: an unknown element type)",
     ""},
    {"big-endian", "w f32 3 B = 0 1 2, b e5m2 3 = 0 1 2", ""},
    {"little-endian", "w f32 3 = 0 1 2", ""},

    {"rebuild-1", "w f32 3 = 0 1 2", ""},
    {"parameter", "a f32 3 = 0 1 2, b f32 3 = 3 4 5", ""},
    {"subclass", "w f32 3 = 0 1 2", ""},
    {"size", "w f32 2x3 = 0 1 2 3 4 5", ""},
    {"cuda", "w f32 3 = 0 1 2", ""},
    {"metadata", "w f32 3 = 0 1 2, (n f32: stored as its conjugate or negative)", ""},
    {"other-tensors",
     "(sparse sparse: a sparse tensor), (quantized quantized: a quantized tensor), "
     "(meta meta: a tensor without elements), (parameter sparse: a sparse tensor), "
     "(storage FloatStorage: a storage, not a tensor)",
     ""},

    {"module", "_parameters.w f32 3 = 0 1 2, _modules.fc._parameters.w f32 3 = 3 4 5", ""},
    {"system", "w f32 3 = 0 1 2",
     "2 objects of unknown classes were not looked at: os.system, posix.system"},
    {"system-new", "a.x f32 3 = 0 1 2",
     "3 objects of unknown classes were not looked at: os.system"},
    {"system-as-tensor", "w f32 3 = 0 1 2",
     "1 object of unknown class was not looked at: torch._utils._rebuild_parameter"},
    {"python-2", "a f32 3 = 0 1 2, b f32 3 = 3 4 5", ""},
    {"sets", "a.0 f32 3 = 0 1 2, b.1 f32 3 = 3 4 5", ""},
    {"script", "w f32 3 = 0 1 2", "of TorchScript, constants are not looked at"},
    {"no-folder", "w f32 3 = 0 1 2", ""},

    {"cycle", "w f32 3 = 0 1 2", ""},
    {"doubling",
     MANY_ZEROS "0 f32 3 = 0 1 2, (" MANY_ZEROS "1 f32: the same elements as " MANY_ZEROS "0)",
     REPEATED "(39 times)"},
    {"diamond", "a.w f32 3 = 0 1 2", REPEATED "(1 time)"},
    {"duplicates",
     "a.b f32 3 = 0 1 2, a.b#3 f32 3 = 3 4 5, a.b#2#2 f32 2 = 0 1, a.b#2 f32 3 = 0 1 2", ""},
    {"keys",
     "-5 f32 3 = 0 1 2, 1099511627776 f32 3 = 1 2 3, None f32 3 = 2 3 4, "
     "True f32 3 = 3 4 5, 0.1 f32 3 = 4 5 6, (a,0) f32 3 = 5 6 7, "
     "torch.float32 f32 3 = 6 7 8, () f32 3 = 7 8 9, (...) f32 3 = 8 9 10, "
     "<9> f32 3 = 9 10 11, <10> f32 3 = 10 11 12, -12 f32 3 = 11 12 13",
     ""},
    {"names",
     "two\nlines f32 1 = 0, <script>alert(1)</script> f32 1 = 1, %s%n%x f32 1 = 2, "
     "\033[31mred f32 1 = 3,  f32 1 = 4, \342\200\256ltr f32 1 = 5, "
     "../../etc/passwd f32 1 = 6, \377\376 f32 1 = 7",
     ""},

    {"protocol-0", "w f32 3 = 0 1 2", ""},
    {"protocol-4", "w f32 3 = 0 1 2", ""},
    {"protocol-5", "w f32 3 = 0 1 2", ""},
    {"stack", "w f32 3 = 0 1 2", ""},

    {"legacy-plain", "w f32 3 = 0 1 2", ""},
    {"legacy-several", "a f64 3 = 0 1 2, b f32 2 = 8 9, (n i64: not floating point)", ""},
    {"legacy-view", "w f32 2 = 3 4", ""},
    {"legacy-big", "w f32 3 = 0 1 2", ""},
    {"legacy-tail", "w f32 3 = 0 1 2", "4 bytes after the data are ignored"},
    {"legacy-unread", "w f32 3 = 0 1 2", "1 object of unknown class was not looked at: my.f"},
    {"legacy-none", "", ""},
};

#define BEYOND "tensor 'w': its elements lie beyond its storage of 24 bytes"
#define SENSE "tensor 'w': its storage makes no sense"
#define COMPRESSED "is compressed: PyTorch stores what it saves, so that this was compressed "

static const struct bad {
    const char *name;
    const char *message; /* how it begins */
} bad[] = {
    {"opcode", "pickle: opcode 0xff at byte 49 is unknown"},
    {"opcode-extension", "pickle: opcode 0x82 at byte 49 is unknown"},
    {"protocol-6", "pickle: a protocol beyond 5 at byte 46"},
    {"pickle-empty", "truncated pickle: ends at byte 46"},
    {"pickle-cut", "truncated pickle: ends at byte "},
    {"pickle-cut-text", "truncated pickle: ends at byte 56"},
    {"pickle-cut-data", "truncated pickle: ends at byte 60"},
    {"pickle-cut-line", "truncated pickle: ends at byte 54"},
    {"stack-empty", "pickle: too few values on the stack at byte 48"},
    {"stack-reduce", "pickle: too few values on the stack at byte 59"},
    {"stack-mark", "pickle: too few values on the stack at byte 52"},
    {"stack-object", "pickle: an object without a class at byte 49"},
    {"mark-none", "pickle: no mark on the stack at byte 49"},
    {"memo-none", "pickle: nothing in the memo at byte 48"},
    {"memo-huge", "pickle: too large an index of the memo at byte 49"},
    {"memo-number", "pickle: not an index at byte 49"},
    {"append-tuple", "pickle: something is added to what cannot hold it at byte 51"},
    {"set-list", "pickle: something is added to what cannot hold it at byte 53"},
    {"build-none", "pickle: something is added to what cannot hold it at byte 50"},
    {"key-alone", "pickle: a key without a value at byte 52"},
    {"key-alone-dict", "pickle: a key without a value at byte 51"},
    {"class-number", "pickle: a class whose name is no text at byte 52"},
    {"integer", "pickle: not an integer at byte 48"},
    {"integer-empty", "pickle: not an integer at byte 48"},
    {"float", "pickle: not a number at byte 48"},
    {"quotes", "pickle: a string without quotes at byte 48"},
    {"deep", "nested more than 1000 deep"},
    {"name-nul", "a name has a NUL byte"},

    {"count-huge", "tensor 'w': truncated storage: 4611686018427387904 elements of 4 bytes "},
    {"count-large",
     "tensor 'w': truncated storage: 7 elements of 4 bytes expected, 24 bytes there"},
    {"count-negative", SENSE},
    {"storage-missing", "tensor 'w': its storage '1' is missing"},
    {"storage-empty",
     "tensor 'w': truncated storage: 6 elements of 4 bytes expected, 0 bytes there"},
    {"storage-key", "tensor 'w': its storage '0' is missing"},
    {"storage-outside", "tensor 'w': its storage '../version' is missing"},
    {"storage-none", SENSE},
    {"storage-module", SENSE},
    {"deflated", "tensor 'w': its storage " COMPRESSED},
    {"deflated-pickle", "its data.pkl " COMPRESSED},
    {"offset-negative", "tensor 'w': its offset is negative or no integer"},
    {"offset-beyond", BEYOND},
    {"offset-huge", BEYOND},
    {"shape-beyond", BEYOND},
    {"shape-negative", "tensor 'w': one of its dimensions is negative or no integer"},
    {"shape-float", "tensor 'w': one of its dimensions is negative or no integer"},
    {"shape-huge", "tensor 'w': the shape is too large: its size in bytes does not fit in 63 bits"},
    {"shape-none", "tensor 'w': its dimensions are no tuple"},
    {"rank", "tensor 'w': more than 64 dimensions"},
    {"stride-negative", "tensor 'w': one of its strides is negative or no integer"},
    {"stride-beyond", BEYOND},
    {"stride-huge", BEYOND},
    {"strides-few", "tensor 'w': 2 dimensions, but 1 strides"},
    {"arguments-few", "tensor 'w': too few arguments"},
    {"dtype-none", "tensor 'w': its element type is none"},
    {"typed-beyond", "tensor 'w': its elements lie beyond its storage of 7 bytes"},
    {"integers-beyond", BEYOND},

    {"byte-order", "its byte order is neither little nor big"},
    {"byte-order-long", "its byte order is neither little nor big"},
    {"two", "two checkpoints in one archive"},

    {"legacy-version", "an unknown version of PyTorch's legacy format"},
    {"legacy-key", "data of a storage that nothing refers to"},
    {"legacy-key-twice", "a storage has two places"},
    {"legacy-key-missing", "tensor 'w': its storage '0' is missing"},
    {"legacy-count", "a storage of 6 elements is said to have 5"},
    {"legacy-count-huge", "the size of a storage does not fit in 64 bits"},
    {"legacy-kind", "unknown kind of storage: NewStorage"},
    {"legacy-view-beyond", "data of a storage that nothing refers to"},
    {"legacy-cut", "truncated storage: 24 bytes expected, 23 there"},
    {"legacy-cut-count", "truncated: ends at byte "},
    {"legacy-magic", "truncated pickle: ends at byte 15"},
    {"tar", "a tar archive; if PyTorch wrote it, a newer one rewrites it: torch.save(torch.load("},
    {"shard", "a part of a distributed checkpoint; this makes one file of its folder: python -m "
              "torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER FILE"},
};

enum { GOOD_COUNT = sizeof good / sizeof *good, BAD_COUNT = sizeof bad / sizeof *bad };

static void corpus_path(char *path, size_t size, const char *kind, const char *name)
{
    const char *suffix = strcmp(name, "shard") == 0 ? "distcp" : "pt";
    snprintf(path, size, TORCH_CORPUS "%s-%s.%s", kind, name, suffix);
}

static void describe_numbers(const uint64_t *numbers, unsigned count, struct buffer *text)
{
    for (unsigned i = 0; i < count; i++)
        buffer_printf(text, "%s%" PRIu64, i ? "x" : "", numbers[i]);
}

static double value(const struct tensor *tensor, const char *from)
{
    uint64_t code = 0;
    int count = tensor->dtype.bytes;
    for (int i = 0; i < count; i++)
        code = code << 8 | (unsigned char)from[tensor->big_endian ? i : count - 1 - i];
    return count == 8 ? double_from_bits(code) : format_decode(&tensor->dtype.format, code);
}

static void describe_tensor(struct input *input, struct tensor *tensor, struct buffer *text)
{
    struct buffer data = {0};
    struct error error = {""};
    buffer_printf(text, "%s%s %s ", text->length ? ", " : "", tensor->name, tensor->dtype.name);
    describe_numbers(tensor->shape, tensor->rank, text);
    if (tensor->strides) {
        buffer_puts(text, " by ");
        describe_numbers(tensor->strides, tensor->rank, text);
    }
    buffer_printf(text, "%s%s =", tensor->big_endian ? " B" : "", tensor->components ? " C" : "");
    assert_false(tensor->fortran);
    if (!read_tensor(input, tensor, &data, &error))
        fail_msg("%s: %s", tensor->name, error.text);
    for (size_t i = 0; i < tensor->elements; i++)
        buffer_printf(text, " %g", value(tensor, data.data + i * (size_t)tensor->dtype.bytes));
    buffer_free(&data);
}

static void describe(struct input *input, struct buffer *text)
{
    buffer_puts(text, "");
    for (size_t i = 0; i < input->tensor_count; i++)
        describe_tensor(input, &input->tensors[i], text);
    for (size_t i = 0; i < input->skipped_count; i++) {
        const struct skipped *skipped = &input->skipped[i];
        buffer_printf(text, "%s(%s %s: %s)", text->length ? ", " : "", skipped->name,
                      skipped->dtype, skipped->reason);
    }
}

static void check_contents(const char *path, const struct input_options *options,
                           const char *contents, const char *warning)
{
    struct input input;
    struct error error = {""};
    struct buffer text = {0};
    if (!input_open(path, options, &input, &error))
        fail_msg("%s: %s", path, error.text);
    describe(&input, &text);
    assert_string_equal(text.data, contents);
    assert_string_equal(input.container->name, "pt");
    assert_true(input_finish(&input, &error));
    assert_string_equal(input.warning, warning);
    input_close(&input);
    buffer_free(&text);
}

static void test_good_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < GOOD_COUNT; i++) {
        char path[128];
        corpus_path(path, sizeof path, "good", good[i].name);
        check_contents(path, &no_options, good[i].contents, good[i].warning);
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

static void test_no_file_of_the_corpus_is_forgotten(void **state)
{
    (void)state;
    assert_corpus_count(TORCH_CORPUS, GOOD_COUNT + BAD_COUNT);
}

static void test_every_cut(void **state)
{
    (void)state;
    static const char *const names[] = {"checkpoint", "legacy-plain", "legacy-several",
                                        "legacy-unread"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        corpus_path(path, sizeof path, "good", names[i]);
        assert_no_cut_opens(path, 0);
    }
}

static void test_pipes_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"bare", "legacy-plain"};
    static const char *const messages[] = {"a zip archive needs a file, not a pipe",
                                           "a PyTorch file needs a file, not a pipe"};
    for (size_t i = 0; i < 2; i++) {
        char path[128];
        struct input input;
        struct error error = {""};
        corpus_path(path, sizeof path, "good", names[i]);
        struct buffer contents = slurp(path);
        pipe_in(contents.data, contents.length);
        assert_false(input_open("-", &no_options, &input, &error));
        assert_string_equal(error.text, messages[i]);
        buffer_free(&contents);
    }
}

/* --view. */

static const struct viewed {
    const char *file, *view, *contents;
} viewed[] = {
    {"integers", "bf16",
     "Short bf16 1 = 0, u16 bf16 1 = 0, (Long i64: not floating point), "
     "(Int i32: not floating point), (Char i8: not floating point), (Byte u8: not floating point), "
     "(Bool bool: not floating point)"},
    {"integers", "e4m3fn",
     "Char e4m3fn 1 = 0, Byte e4m3fn 1 = 0, Bool e4m3fn 1 = 0, (Long i64: not floating point), "
     "(Int i32: not floating point), (Short i16: not floating point), (u16 u16: not floating "
     "point)"},
    {"big-endian", "e4m3fn", "w f32 3 B = 0 1 2, b e4m3fn 3 = 0 1.5 2"},
    {"complex32", "f32", "w f16 2x2 C = 0 1 2 3"},
    {"transposed", "f32", "w f32 3x2 by 1x3 = 0 1 2 3 4 5"},
    {"legacy-several", "f64", "a f64 3 = 0 1 2, n f64 1 = 0, b f32 2 = 8 9"},
};

static void test_view(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof viewed / sizeof *viewed; i++) {
        char path[128];
        struct dtype dtype = dtype_named(viewed[i].view);
        struct input_options options = {.view = &dtype};
        corpus_path(path, sizeof path, "good", viewed[i].file);
        check_contents(path, &options, viewed[i].contents, "");
    }
}

/* Larger files: of the legacy form, which needs no archive around it. */

static void add_u32(struct buffer *file, size_t number)
{
    unsigned char bytes[4];
    store_le32(bytes, (uint32_t)number);
    buffer_add(file, bytes, sizeof bytes);
}

#define MAGIC "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19."
#define VERSION "\x80\x02M\xe9\x03."
#define SYSTEM "}."
/* An empty tensor, which stays in the memo as 0. */
#define TENSOR                                                                          \
    "ctorch._utils\n_rebuild_tensor\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" \
    "0X\3\0\0\0cpuK\0tQK\0K\0\x85K\1\x85tRq\0"

static void add(struct buffer *file, const void *bytes, size_t count)
{
    buffer_add(file, bytes, count);
}

#define ADD(file, literal) add(file, literal, sizeof literal - 1)

static void begin(struct buffer *file)
{
    ADD(file, MAGIC);
    ADD(file, VERSION);
    ADD(file, SYSTEM);
}

/* STOP, and one storage without elements. */
static void end(struct buffer *file)
{
    ADD(file, ".](X\1\0\0\0"
              "0e.\0\0\0\0\0\0\0\0");
}

static void check_refused(const struct buffer *file, const char *message)
{
    struct place place = place_of(file->data, file->length);
    struct input input;
    struct error error = {""};
    if (input_open(place.path, &no_options, &input, &error))
        fail_msg("opens");
    assert_string_equal(error.text, message);
    close(place.descriptor);
}

static void test_deep_nesting(void **state)
{
    (void)state;
    struct buffer file = {0};
    begin(&file);
    ADD(&file, TENSOR);
    for (int i = 0; i < 100000; i++)
        ADD(&file, "\x85");
    end(&file);
    check_refused(&file, "nested more than 1000 deep");
    buffer_free(&file);
}

/* One long name, by its place in the memo, for one tensor, by its. */
static void test_names_multiplied(void **state)
{
    (void)state;
    struct buffer file = {0};
    char *name = allocate(65536, 1);
    memset(name, 'n', 65536);
    begin(&file);
    ADD(&file, TENSOR "0X");
    add_u32(&file, 65536);
    add(&file, name, 65536);
    ADD(&file, "q\1"
               "0}(");
    for (int i = 0; i < 5000; i++)
        ADD(&file, "h\1h\0");
    ADD(&file, "u");
    end(&file);
    check_refused(&file, "the names of its tensors take more than 268435456 bytes");
    buffer_free(&file);
    free(name);
}

/* Nobody calls a tensor by a text of more than 64 KiB, so that its place stands for it. */
static void test_long_key(void **state)
{
    (void)state;
    struct buffer file = {0}, key = {0};
    for (int i = 0; i < 65537; i++)
        ADD(&key, "n");
    begin(&file);
    ADD(&file, "}X");
    add_u32(&file, key.length);
    add(&file, key.data, key.length);
    ADD(&file, TENSOR "s");
    end(&file);
    struct place place = place_of(file.data, file.length);
    check_contents(place.path, &no_options, "<0> f32 0 =", "");
    close(place.descriptor);
    buffer_free(&file);
    buffer_free(&key);
}

/* Every opcode behind every other one: nothing but errors, and no crash. */
static void test_pairs_of_opcodes(void **state)
{
    (void)state;
    for (unsigned pair = 0; pair < 65536; pair += 7) { /* seven is no factor of 256 */
        struct buffer file = {0};
        unsigned char codes[] = {'(', '}', (unsigned char)(pair >> 8), (unsigned char)pair};
        struct input input;
        struct error error = {""};
        begin(&file);
        add(&file, codes, sizeof codes);
        end(&file);
        struct place place = place_of(file.data, file.length);
        if (input_open(place.path, &no_options, &input, &error))
            input_close(&input);
        else
            assert_true(error.text[0]);
        close(place.descriptor);
        buffer_free(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_files),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_no_file_of_the_corpus_is_forgotten),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_pipes_are_refused),
        cmocka_unit_test(test_view),
        cmocka_unit_test(test_deep_nesting),
        cmocka_unit_test(test_names_multiplied),
        cmocka_unit_test(test_long_key),
        cmocka_unit_test(test_pairs_of_opcodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
