/* Pickles: what each opcode leaves, and that memory follows the bytes. What is refused is told by
 * the corpus in tests/corpus/torch. */
#include "places.h"

#include <inttypes.h>

#include "input/pickle.h"

/* A pickle in memory. */
struct pickled {
    struct place place;
    struct input input;
    struct pickle pickle;
};

static bool try_pickle(struct pickled *p, const void *bytes, size_t count, struct error *error)
{
    struct raw_layout layout = {.dtype = dtype_named("e5m2")};
    p->place = place_of(bytes, count);
    if (!input_open(p->place.path, &(struct input_options){.raw = &layout}, &p->input, error))
        fail_msg("%s", error->text);
    return pickle_read(&p->input, 0, count, &p->pickle, error);
}

static void close_pickle(struct pickled *p)
{
    pickle_free(&p->pickle);
    input_close(&p->input);
    close(p->place.descriptor);
}

static void show_text(struct buffer *out, struct pickle_text text)
{
    buffer_puts(out, "'");
    buffer_add(out, text.bytes, text.length);
    buffer_puts(out, "'");
}

static void show(const struct pickle *pickle, pickle_value value, struct buffer *out, int depth);

static void show_parts(const struct pickle *pickle, pickle_value value, struct buffer *out,
                       int depth)
{
    static const char *const before[] = {"", "", "state ", "call "};
    struct pickle_cursor cursor = pickle_parts(pickle, value);
    struct pickle_part part;
    for (bool first = true; pickle_next(pickle, &cursor, &part); first = false) {
        buffer_printf(out, "%s%s", first ? "" : ", ", before[part.role]);
        if (part.role == PICKLE_PAIR || part.role == PICKLE_CALL) {
            show(pickle, part.key, out, depth - 1);
            buffer_puts(out, part.role == PICKLE_CALL ? " " : ": ");
        }
        show(pickle, part.value, out, depth - 1);
    }
}

/* As Python would write it, roughly; "~" where that is too deep. */
static void show(const struct pickle *pickle, pickle_value value, struct buffer *out, int depth)
{
    static const char *const brackets[] = {
        [PICKLE_TUPLE] = "()", [PICKLE_LIST] = "[]",   [PICKLE_DICT] = "{}",
        [PICKLE_SET] = "{}",   [PICKLE_OBJECT] = "<>", [PICKLE_PERSISTENT] = "@@"};
    struct pickle_text text, module;
    int64_t integer;
    double number;
    enum pickle_kind kind = pickle_kind(pickle, value);
    if (depth == 0) {
        buffer_puts(out, "~");
    } else if (kind <= PICKLE_TRUE) {
        buffer_puts(out, kind == PICKLE_NONE ? "None" : kind == PICKLE_TRUE ? "True" : "False");
    } else if (pickle_integer(pickle, value, &integer)) {
        buffer_printf(out, "%" PRId64, integer);
    } else if (pickle_float(pickle, value, &number)) {
        buffer_printf(out, "%a", number);
    } else if (pickle_text(pickle, value, &text)) {
        show_text(out, text);
    } else if (pickle_global(pickle, value, &module, &text)) {
        show_text(out, module);
        show_text(out, text);
    } else if (kind == PICKLE_DATA) {
        buffer_puts(out, "data");
    } else {
        buffer_add(out, brackets[kind], 1);
        show_parts(pickle, value, out, depth);
        buffer_add(out, brackets[kind] + 1, 1);
    }
}

#define P(literal) literal, sizeof literal - 1

static const struct case_ {
    const char *bytes;
    size_t count;
    const char *shown;
} cases[] = {
    {P("N."), "None"},
    {P("\x88."), "True"},
    {P("\x89."), "False"},
    {P("\x80\2K\xff."), "255"},
    {P("M\1\2."), "513"},
    {P("J\xfe\xff\xff\xff."), "-2"},
    {P("J\xff\xff\xff\x7f."), "2147483647"},
    {P("\x8a\0."), "0"},
    {P("\x8a\1\xff."), "-1"},
    {P("\x8a\2\xff\0."), "255"},
    {P("\x8a\x08\0\0\0\0\0\0\0\x80."), "-9223372036854775808"},
    {P("\x8a\x09\0\0\0\0\0\0\0\x80\0."), "data"},
    {P("\x8b\2\0\0\0\1\1."), "257"},
    {P("I-12\n."), "-12"},
    {P("I00\n."), "False"},
    {P("I01\n."), "True"},
    {P("L01\n."), "1"},
    {P("L9223372036854775807L\n."), "9223372036854775807"},
    {P("L9223372036854775808L\n."), "data"},
    {P("G\x3f\xf8\0\0\0\0\0\0."), "0x1.8p+0"},
    {P("F-0.5\n."), "-0x1p-1"},

    {P("U\2ab."), "'ab'"},
    {P("T\2\0\0\0ab."), "'ab'"},
    {P("X\2\0\0\0ab."), "'ab'"},
    {P("\x8c\2ab."), "'ab'"},
    {P("\x8d\2\0\0\0\0\0\0\0ab."), "'ab'"},
    {P("C\2ab."), "'ab'"},
    {P("B\2\0\0\0ab."), "'ab'"},
    {P("\x8e\2\0\0\0\0\0\0\0ab."), "'ab'"},
    {P("\x96\2\0\0\0\0\0\0\0ab."), "'ab'"},
    {P("S'ab'\n."), "'ab'"},
    {P("S\"\"\n."), "''"},
    {P("Vab\n."), "'ab'"},
    {P("U\0."), "''"},

    {P(")."), "()"},
    {P("K\1K\2K\3\x87."), "(1, 2, 3)"},
    {P("K\1K\2\x86."), "(1, 2)"},
    {P("K\1\x85."), "(1)"},
    {P("(K\1K\2K\3K\4t."), "(1, 2, 3, 4)"},
    {P("(t."), "()"},
    {P("(K\1l."), "[1]"},
    {P("(K\1K\2d."), "{1: 2}"},
    {P("(K\1\x91."), "{1}"},
    {P("]K\1aK\2a(K\3K\4e(e."), "[1, 2, 3, 4]"},
    {P("}K\1K\2s(K\3K\4K\5K\6u."), "{1: 2, 3: 4, 5: 6}"},
    {P("\x8f(K\1\x90(K\2\x90."), "{1, 2}"},
    {P("(K\1(K\2l(K\3tt."), "(1, [2], (3))"},

    {P("cos\nsystem\n."), "'os''system'"},
    {P("X\2\0\0\0osX\6\0\0\0system\x93."), "'os''system'"},
    {P("cos\nsystem\nK\1\x85R."), "<call 'os''system' (1)>"},
    {P("cos\nsystem\n)\x81."), "<call 'os''system' ()>"},
    {P("cos\nsystem\n)}\x92."), "<call 'os''system' ()>"},
    {P("(K\1ios\nsystem\n."), "<call 'os''system' (1)>"},
    {P("(cos\nsystem\nK\1o."), "<call 'os''system' (1)>"},
    {P("ca\nb\n)R}b."), "<call 'a''b' (), state {}>"},
    {P("ca\nb\n)R(K\1K\2u(K\3e}b."), "<call 'a''b' (), 1: 2, 3, state {}>"},
    {P("K\1Q."), "@1@"},
    {P("Pab\n."), "@'ab'@"},
    {P("NNR."), "<call None None>"},

    {P("K\1K\2"
       "0."),
     "1"},
    {P("K\1(K\2K\3"
       "1."),
     "1"},
    {P("K\1(0."), "1"},
    {P("K\1"
       "2\x86."),
     "(1, 1)"},
    {P("K\1q\0"
       "0h\0."),
     "1"},
    {P("K\1r\0\0\0\0"
       "0j\0\0\0\0."),
     "1"},
    {P("K\1p0\n0g0\n."), "1"},
    {P("K\1\x94K\2\x94\x86h\0h\1\x87."), "((1, 2), 1, 2)"},
    {P("K\1\x94K\2\x94h\0\x87."), "(1, 2, 1)"},
    {P("]q\0h\0a."), "[[[[~]]]]"},
    {P("\x80\4\x95\xff\xff\xff\xff\xff\xff\xff\xffN."), "None"},
    {P("(N."), "None"},
};

static void test_opcodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pickled p;
        struct error error = {""};
        struct buffer shown = {0};
        bool ok = try_pickle(&p, cases[i].bytes, cases[i].count, &error);
        if (!ok)
            fail_msg("%s: %s", cases[i].shown, error.text);
        show(&p.pickle, p.pickle.root, &shown, 4);
        assert_string_equal(shown.data, cases[i].shown);
        assert_int_equal(p.pickle.end, cases[i].count);
        buffer_free(&shown);
        close_pickle(&p);
    }
}

/* No beginning of a pickle is one. */
static void test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t count = 1; count < cases[i].count; count++) {
            struct pickled p;
            struct error error = {""};
            assert_false(try_pickle(&p, cases[i].bytes, count, &error));
            assert_true(error.text[0]);
            close_pickle(&p);
        }
}

static void test_where_it_ends(void **state)
{
    (void)state;
    static const char bytes[] = "K\1.K\2.";
    struct pickled p;
    struct pickle second;
    struct error error = {""};
    int64_t integer = 0;
    assert_true(try_pickle(&p, bytes, sizeof bytes - 1, &error));
    assert_int_equal(p.pickle.end, 3);
    assert_true(pickle_read(&p.input, p.pickle.end, sizeof bytes - 1, &second, &error));
    assert_int_equal(second.end, 6);
    assert_true(pickle_integer(&second, second.root, &integer));
    assert_int_equal(integer, 2);
    pickle_free(&second);
    /* The limit holds, although the file goes on. */
    assert_false(pickle_read(&p.input, 3, 5, &second, &error));
    assert_string_equal(error.text, "truncated pickle: ends at byte 5");
    close_pickle(&p);
}

static void add(struct buffer *buffer, const char *bytes, size_t count)
{
    buffer_add(buffer, bytes, count);
}

/* Across the pieces in which a file is read, and across runs of a list. */
static void test_long_list(void **state)
{
    (void)state;
    struct buffer bytes = {0};
    struct pickled p;
    struct error error = {""};
    add(&bytes, P("]"));
    for (int i = 0; i < 30000; i++) {
        char number[6] = {'J', (char)i, (char)(i >> 8), 0, 0, 0};
        add(&bytes, i % 1000 == 0 ? "(" : "", i % 1000 == 0);
        add(&bytes, number, 5);
        add(&bytes, "e", i % 1000 == 999);
    }
    add(&bytes, P("."));
    assert_true(try_pickle(&p, bytes.data, bytes.length, &error));
    struct pickle_cursor cursor = pickle_parts(&p.pickle, p.pickle.root);
    struct pickle_part part;
    int64_t expected = 0, integer = -1;
    for (; pickle_next(&p.pickle, &cursor, &part); expected++) {
        assert_int_equal(part.role, PICKLE_ELEMENT);
        assert_int_equal(part.position, expected);
        assert_true(pickle_integer(&p.pickle, part.value, &integer));
        assert_int_equal(integer, expected);
    }
    assert_int_equal(expected, 30000);
    close_pickle(&p);
    buffer_free(&bytes);
}

/* Text up to the limit is kept, also where it lies across pieces. */
static void test_long_text(void **state)
{
    (void)state;
    for (uint32_t length = PICKLE_TEXT_LIMIT - 1; length <= PICKLE_TEXT_LIMIT + 1; length++) {
        struct buffer bytes = {0};
        struct pickled p;
        struct error error = {""};
        struct pickle_text text;
        char header[5] = {'X', (char)length, (char)(length >> 8), (char)(length >> 16), 0};
        add(&bytes, header, sizeof header);
        for (uint32_t i = 0; i < length; i++)
            add(&bytes, &"abcdefg"[i % 7], 1);
        add(&bytes, P("."));
        assert_true(try_pickle(&p, bytes.data, bytes.length, &error));
        if (length > PICKLE_TEXT_LIMIT) {
            assert_int_equal(pickle_kind(&p.pickle, p.pickle.root), PICKLE_DATA);
        } else {
            assert_true(pickle_text(&p.pickle, p.pickle.root, &text));
            assert_int_equal(text.length, length);
            assert_memory_equal(text.bytes, bytes.data + 5, length);
        }
        close_pickle(&p);
        buffer_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opcodes),       cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_where_it_ends), cmocka_unit_test(test_long_list),
        cmocka_unit_test(test_long_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
