/* The pull parser: tokens, what is refused and where, limits, and texts in pieces. */
#include "places.h"

#include "input/json.h"

/* A text in memory; reading past it is the parser's fault. */
struct source {
    const char *text;
    size_t length;
    size_t asked; /* up to here */
};

static bool read_text(void *context, uint64_t offset, void *to, size_t count, struct error *error)
{
    struct source *source = context;
    (void)error;
    assert_int_equal(offset, source->asked);
    assert_true(count > 0 && count <= source->length - offset);
    memcpy(to, source->text + offset, count);
    source->asked += count;
    return true;
}

static struct json json_of(struct source *source, struct error *error)
{
    return (struct json){.read = read_text,
                         .context = source,
                         .end = source->length,
                         .what = "text",
                         .text_limit = 100,
                         .error = error};
}

/* All tokens: { } [ ] as they are, K S N with their texts, L for a literal. */
static bool tokens_of(const char *text, size_t length, struct buffer *tokens, struct error *error)
{
    static const char marks[] = "?{}[]KSNL";
    struct source source = {text, length, 0};
    struct json json = json_of(&source, error);
    enum json_token token;
    buffer_puts(tokens, "");
    while ((token = json_next(&json)) != JSON_FAILED && token != JSON_END) {
        buffer_add(tokens, &marks[token], 1);
        if (token == JSON_KEY || token == JSON_STRING || token == JSON_NUMBER)
            buffer_printf(tokens, "(%s)", json.text.data);
    }
    json_close(&json);
    return token == JSON_END;
}

static void test_tokens(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"{}", "{}"},
        {" [ ] ", "[]"},
        {"0", "N(0)"},
        {"\"\"", "S()"},
        {"null", "L"},
        {"[true,false,null]", "[LLL]"},
        {"{\"a\":1,\"b\":[2,{\"c\":[]},\"x\"],\"d\":{}}", "{K(a)N(1)K(b)[N(2){K(c)[]}S(x)]K(d){}}"},
        {"{\"a\"\n:\r1\t, \"a\":2}", "{K(a)N(1)K(a)N(2)}"},
        {"[[],[[]],{}]", "[[][[]]{}]"},
        {"[0,-0,-1,10,0.5,-1.25e3,1E+2,1e-2,0e0]",
         "[N(0)N(-0)N(-1)N(10)N(0.5)N(-1.25e3)N(1E+2)N(1e-2)N(0e0)]"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "S(\"\\/\b\f\n\r\t)"},
        {"\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\"", "S(A\u00e9\u20ac\U0001f600)"},
        {"\"\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud800\\udc00\\udbff\\udfff\"",
         "S(\x7f\xc2\x80\u07ff\u0800\uffff\U00010000\U0010ffff)"},
        {"\"\xc2\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff\x7f\"",
         "S(\xc2\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff\x7f)"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buffer tokens = {0};
        struct error error = {""};
        if (!tokens_of(texts[i][0], strlen(texts[i][0]), &tokens, &error))
            fail_msg("%s: %s", texts[i][0], error.text);
        assert_string_equal(tokens.data, texts[i][1]);
        buffer_free(&tokens);
    }
}

static const char *const refused[][2] = {
    {"", "text, byte 0: a value expected, but the text ends"},
    {"  ", "text, byte 2: a value expected, but the text ends"},
    {"{", "text, byte 1: a key expected, but the text ends"},
    {"[", "text, byte 1: a value expected, but the text ends"},
    {"[1", "text, byte 2: ',' or ']' expected, but the text ends"},
    {"[1,", "text, byte 3: a value expected, but the text ends"},
    {"[1,]", "text, byte 3: a value expected"},
    {"[,1]", "text, byte 1: a value expected"},
    {"[1 2]", "text, byte 3: ',' or ']' expected"},
    {"[1}", "text, byte 2: ',' or ']' expected"},
    {"]", "text, byte 0: a value expected"},
    {"}", "text, byte 0: a value expected"},
    {"{\"a\"}", "text, byte 4: ':' expected"},
    {"{\"a\":}", "text, byte 5: a value expected"},
    {"{\"a\":1,}", "text, byte 7: a key expected"},
    {"{\"a\":1 \"b\":2}", "text, byte 7: ',' or '}' expected"},
    {"{\"a\":1]", "text, byte 6: ',' or '}' expected"},
    {"{1:2}", "text, byte 1: a key expected"},
    {"{} {}", "text, byte 3: something behind the value"},
    {"{},", "text, byte 2: something behind the value"},
    {"1]", "text, byte 1: something behind the value"},
    {"01", "text, byte 1: something behind the value"},
    {"1.", "text, byte 2: a digit expected, but the text ends"},
    {".5", "text, byte 0: a value expected"},
    {"-", "text, byte 1: a digit expected, but the text ends"},
    {"+1", "text, byte 0: a value expected"},
    {"1e", "text, byte 2: a digit expected, but the text ends"},
    {"1e+", "text, byte 3: a digit expected, but the text ends"},
    {"1.e1", "text, byte 2: a digit expected"},
    {"0x1", "text, byte 1: something behind the value"},
    {"-x", "text, byte 1: a digit expected"},
    {"tru", "text, byte 3: a value expected, but the text ends"},
    {"trux", "text, byte 3: a value expected"},
    {"nulll", "text, byte 4: something behind the value"},
    {"True", "text, byte 0: a value expected"},
    {"NaN", "text, byte 0: a value expected"},
    {"\"", "text, byte 1: '\"' expected, but the text ends"},
    {"\"a\nb\"", "text, byte 2: a control character in a string"},
    {"\"\\", "text, byte 2: no such escape, but the text ends"},
    {"\"\\x41\"", "text, byte 2: no such escape"},
    {"\"\\u12g4\"", "text, byte 5: four hexadecimal digits expected"},
    {"\"\\ud800\"", "text, byte 7: half of a surrogate pair"},
    {"\"\\ud800\\n\"", "text, byte 8: half of a surrogate pair"},
    {"\"\\ud800\\u0041\"", "text, byte 13: half of a surrogate pair"},
    {"\"\\udc00\"", "text, byte 7: half of a surrogate pair"},
    {"\"\xff\"", "text, byte 1: a byte that is not UTF-8"},
    {"\"\x80\"", "text, byte 1: a byte that is not UTF-8"},
    {"\"\xc1\xbf\"", "text, byte 3: a character that is not UTF-8"},
    {"\"\xe0\x9f\xbf\"", "text, byte 4: a character that is not UTF-8"},
    {"\"\xf0\x8f\xbf\xbf\"", "text, byte 5: a character that is not UTF-8"},
    {"\"\xed\xa0\x80\"", "text, byte 4: a character that is not UTF-8"},
    {"\"\xf4\x90\x80\x80\"", "text, byte 5: a character that is not UTF-8"},
    {"\"\xe2\x82\"", "text, byte 3: a character that is not UTF-8"},
    {"\xef\xbb\xbf{}", "text, byte 0: a value expected"},
    {"/**/1", "text, byte 0: a value expected"},
    {"'a'", "text, byte 0: a value expected"},
    {"\v1", "text, byte 0: a value expected"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct buffer tokens = {0};
        struct error error = {""};
        if (tokens_of(refused[i][0], strlen(refused[i][0]), &tokens, &error))
            fail_msg("%s: taken", refused[i][0]);
        assert_string_equal(error.text, refused[i][1]);
        buffer_free(&tokens);
    }
}

/* What is skipped is refused for the same reasons. */
static void test_refused_where_skipped(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        struct source source = {refused[i][0], strlen(refused[i][0]), 0};
        struct error error = {""};
        struct json json = json_of(&source, &error);
        assert_false(json_skip(&json) && json_expect(&json, JSON_END, "the end"));
        assert_string_equal(error.text, refused[i][1]);
        json_close(&json);
    }
}

static void test_nul(void **state)
{
    (void)state;
    static const char text[] = "[\"a\\u0000b\",\"ab\"]";
    struct source source = {text, sizeof text - 1, 0};
    struct error error = {""};
    struct json json = json_of(&source, &error);
    assert_true(json_expect(&json, JSON_ARRAY, "an array"));
    assert_true(json_expect(&json, JSON_STRING, "a string"));
    assert_int_equal(json.text.length, 3);
    assert_memory_equal(json.text.data, "a\0b", 3);
    assert_false(json_has_no_nul(&json));
    assert_string_equal(error.text, "text, byte 1: a NUL in a name");
    json_close(&json);

    static const struct {
        const char *text;
        size_t length;
    } texts[] = {{"1\0", 2}, {"\"\\\0\"", 4}, {"\"\\u\0000\"", 6}, {"\"\0\"", 3}, {"\0", 1}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buffer tokens = {0};
        assert_false(tokens_of(texts[i].text, texts[i].length, &tokens, &error));
        buffer_free(&tokens);
    }
}

/* json_fail keeps what went wrong first. */
static void test_expect(void **state)
{
    (void)state;
    struct source source = {"  [1]", 5, 0};
    struct error error = {""};
    struct json json = json_of(&source, &error);
    assert_false(json_expect(&json, JSON_OBJECT, "an object"));
    assert_string_equal(error.text, "text, byte 2: an object expected");
    assert_false(json_fail(&json, "something else"));
    assert_string_equal(error.text, "text, byte 2: an object expected");
    json_close(&json);
}

static void test_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool ok;
        uint64_t number;
    } numbers[] = {
        {"0", true, 0},
        {"7", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"184467440737095516150", false, 0},
        {"-1", false, 0},
        {"-0", false, 0},
        {"1.0", false, 0},
        {"1e1", false, 0},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct source source = {numbers[i].text, strlen(numbers[i].text), 0};
        struct error error = {""};
        struct json json = json_of(&source, &error);
        uint64_t number;
        assert_int_equal(json_next(&json), JSON_NUMBER);
        assert_int_equal(json_whole(&json, &number), numbers[i].ok);
        if (numbers[i].ok)
            assert_int_equal(number, numbers[i].number);
        json_close(&json);
    }
}

static void test_skip(void **state)
{
    (void)state;
    static const char text[] =
        "{\"a\":[1,{\"x\":[]},\"]\"],\"b\":{},\"c\":\"s\",\"d\":-1.5,\"e\":true}";
    struct source source = {text, sizeof text - 1, 0};
    struct error error = {""};
    struct json json = json_of(&source, &error);
    assert_int_equal(json_next(&json), JSON_OBJECT);
    for (const char *key = "abcde"; *key; key++) {
        assert_int_equal(json_next(&json), JSON_KEY);
        assert_int_equal(json.text.data[0], *key);
        assert_true(json_skip(&json));
    }
    assert_int_equal(json_next(&json), JSON_OBJECT_END);
    assert_int_equal(json_next(&json), JSON_END);
    assert_int_equal(json_next(&json), JSON_END);
    json_close(&json);
}

static struct buffer repeated(const char *text, size_t times)
{
    struct buffer all = {0};
    for (size_t i = 0; i < times; i++)
        buffer_puts(&all, text);
    return all;
}

static void test_depth(void **state)
{
    (void)state;
    for (int object = 0; object < 2; object++)
        for (size_t depth = 63; depth <= 66; depth++) {
            struct buffer text = repeated(object ? "{\"a\":" : "[", depth), tokens = {0};
            struct buffer ends = repeated(object ? "}" : "]", depth);
            struct error error = {""};
            buffer_puts(&text, "1");
            buffer_puts(&text, ends.data);
            assert_int_equal(tokens_of(text.data, text.length, &tokens, &error), depth <= 64);
            if (depth > 64)
                assert_string_equal(error.text, object ? "text, byte 320: more than 64 levels"
                                                       : "text, byte 64: more than 64 levels");
            buffer_free(&text);
            buffer_free(&tokens);
            buffer_free(&ends);
        }
}

/* Kinds of brackets are told apart at all depths. */
static void test_bit_stack(void **state)
{
    (void)state;
    struct buffer text = repeated("[{\"a\":", 32), tokens = {0}, ends = repeated("}]", 32);
    struct error error = {""};
    buffer_puts(&text, "1");
    buffer_puts(&text, ends.data);
    assert_true(tokens_of(text.data, text.length, &tokens, &error));
    assert_int_equal(tokens.length, 32 * 6 + 4 + 32 * 2);
    text.data[text.length - 1] = '}';
    assert_false(tokens_of(text.data, text.length, &tokens, &error));
    buffer_free(&text);
    buffer_free(&tokens);
    buffer_free(&ends);
}

static void test_text_limit(void **state)
{
    (void)state;
    for (size_t length = 99; length <= 101; length++)
        for (int skip = 0; skip < 2; skip++) {
            struct buffer text = {0}, filling = repeated("x", length);
            struct error error = {""};
            buffer_printf(&text, " \"%s\"", filling.data);
            struct source source = {text.data, text.length, 0};
            struct json json = json_of(&source, &error);
            bool ok = skip ? json_skip(&json) : json_next(&json) == JSON_STRING;
            assert_int_equal(ok, skip || length <= 100);
            if (!ok)
                assert_string_equal(error.text, "text, byte 1: a text of more than 100 bytes");
            assert_true(!skip || json.text.length == 0);
            json_close(&json);
            buffer_free(&text);
            buffer_free(&filling);
        }
    struct buffer digits = repeated("1", 101), tokens = {0};
    struct error error = {""};
    assert_false(tokens_of(digits.data, digits.length, &tokens, &error));
    buffer_free(&digits);
    buffer_free(&tokens);
}

/* Wherever the end of a piece falls. */
static void test_pieces(void **state)
{
    (void)state;
    static const char text[] =
        "{\"k\\u00e9\\ud83d\\ude00\u20ac\":[-12.5e+3,true,null],\"\\n\":\"\U0001f600\"}";
    static const char expected[] = "{K(k\u00e9\U0001f600\u20ac)[N(-12.5e+3)LL]K(\n)S(\U0001f600)}";
    for (size_t before = JSON_PIECE - sizeof text; before <= JSON_PIECE; before++) {
        struct buffer padded = repeated(" ", before), tokens = {0};
        struct error error = {""};
        buffer_puts(&padded, text);
        if (!tokens_of(padded.data, padded.length, &tokens, &error))
            fail_msg("%zu: %s", before, error.text);
        assert_string_equal(tokens.data, expected);
        buffer_free(&padded);
        buffer_free(&tokens);
    }
}

/* Every beginning of a text is refused, at its end; no piece is read twice. */
static void test_every_cut(void **state)
{
    (void)state;
    static const char text[] = "{\"a\\u00e9\":[-12.5e+3,true,null,\"\U0001f600\"],\"b\":{}}";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        struct buffer tokens = {0};
        struct error error = {""};
        assert_false(tokens_of(text, length, &tokens, &error));
        assert_non_null(strstr(error.text, "but the text ends"));
        buffer_free(&tokens);
    }
}

static bool read_nothing(void *context, uint64_t offset, void *to, size_t count,
                         struct error *error)
{
    (void)context, (void)offset, (void)to, (void)count;
    snprintf(error->text, sizeof error->text, "no luck");
    return false;
}

static void test_failing_reads(void **state)
{
    (void)state;
    struct error error = {""};
    struct json json = {
        .read = read_nothing, .end = 5, .what = "text", .text_limit = 1, .error = &error};
    assert_int_equal(json_next(&json), JSON_FAILED);
    assert_string_equal(error.text, "no luck");
    assert_false(json_skip(&json));
    assert_string_equal(error.text, "no luck");
    json_close(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_refused_where_skipped),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_expect),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_skip),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_bit_stack),
        cmocka_unit_test(test_text_limit),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_failing_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
