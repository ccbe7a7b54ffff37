/* The renderers: numbers, escapes, JSON against jansson, and the shape of the text. */
#include <ctype.h>
#include <float.h>
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "output/escape.h"
#include "output/number.h"
#include "output/output.h"
#include "output/text/text.h"
#include "report/bits.h"
#include "sample_report.h"

/* cmocka last: its macro `fail` is a function of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static uint64_t test_seed;

static void expect_text(struct buffer *buffer, const char *expected)
{
    assert_non_null(buffer->data);
    assert_string_equal(buffer->data, expected);
    assert_int_equal(buffer->length, strlen(expected));
    buffer_free(buffer);
}

/* Numbers. */

static void check_round_trip(double value)
{
    struct buffer out = {0};
    number_json(&out, value);
    assert_true(strtod(out.data, NULL) == value);
    assert_true(strspn(out.data, "-0123456789.e") == out.length);
    json_t *parsed = json_loads(out.data, JSON_DECODE_ANY, NULL);
    assert_true(json_is_number(parsed));
    json_decref(parsed);
    buffer_free(&out);
}

static void json_numbers_round_trip(void **state)
{
    (void)state;
    uint64_t seed = test_seed;
    for (int i = 0; i < 200000; i++) {
        double value = double_from_bits(sample_random(&seed));
        if (isfinite(value) && value != 0)
            check_round_trip(value);
    }
    for (int exponent = -1074; exponent < 1024; exponent++) {
        check_round_trip(ldexp(1, exponent));
        check_round_trip(-nextafter(ldexp(1, exponent), INFINITY));
        check_round_trip(nextafter(ldexp(1.5, exponent), 0));
    }
}

/* As printf and strtod find it, digit after digit. */
static void check_shortest(double value)
{
    struct buffer out = {0};
    char printed[64];
    int digits = fabs(value) < DBL_MIN ? 1 : DBL_DIG;
    do
        snprintf(printed, sizeof printed, "%.*g", digits++, value);
    while (strtod(printed, NULL) != value);
    number_json(&out, value);
    for (char *e; (e = strstr(printed, "e+")) || (e = strstr(printed, "e0")) ||
                  (e = strstr(printed, "e-0"));)
        memmove(e + 1 + (e[1] == '-'), e + 2 + (e[1] == '-'), strlen(e + 1 + (e[1] == '-')));
    expect_text(&out, printed);
}

static void json_numbers_are_the_shortest(void **state)
{
    (void)state;
    uint64_t seed = test_seed;
    for (int i = 0; i < 200000; i++) {
        double value = double_from_bits(sample_random(&seed));
        if (isfinite(value) && value != 0)
            check_shortest(value);
        check_shortest(ldexp((double)(sample_random(&seed) >> 11) + 1, i % 120 - 110));
        double decimal = (double)(sample_random(&seed) >> (30 + i % 24)) + 1;
        check_shortest(-decimal / pow(10, i % 30));
    }
    for (int exponent = -60; exponent < 60; exponent++)
        for (int away = 0; away < 2; away++) {
            check_shortest(nextafter(ldexp(1, exponent), away ? INFINITY : 0));
            check_shortest(nextafter(pow(10, exponent / 3), away ? INFINITY : 0));
            check_shortest(pow(10, exponent / 3));
        }
}

static void json_numbers_are_tidy(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.0, "0"},
        {-0.0, "0"},
        {1, "1"},
        {-4096, "-4096"},
        {0.1, "0.1"},
        {1e22, "1e22"},
        {1e-9, "1e-9"},
        {-1.5e-10, "-1.5e-10"},
        {1e100, "1e100"},
        {0x1p-1074, "5e-324"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {DBL_MAX, "1.7976931348623157e308"},
        {0x1p-44, "5.684341886080802e-14"}, /* of 16 digits this is not the nearest */
        {-0x1p-140, "-7.174648137343064e-43"},
        {0x1p-1017, "7.120236347223045e-307"},
        {1.0 / 3, "0.3333333333333333"},
        {INFINITY, "\"inf\""},
        {-INFINITY, "\"-inf\""},
        {NAN, "null"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer out = {0};
        number_json(&out, cases[i].value);
        expect_text(&out, cases[i].text);
    }
}

static void numbers_know_no_locale(void **state)
{
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE",
                                          "fr_FR"};
    size_t i = 0;
    while (i < COUNT(locales) && !setlocale(LC_NUMERIC, locales[i]))
        i++;
    if (i == COUNT(locales))
        skip();
    struct buffer out = {0};
    number_json(&out, -1.25e-9);
    number_human(&out, 0.5);
    number_share(&out, 1, 3);
    setlocale(LC_NUMERIC, "C");
    expect_text(&out, "-1.25e-90.533.33 %");
}

static void human_numbers(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *plain, *power;
    } cases[] = {
        {0, "0", "0"},
        {-0.0, "0", "0"},
        {1, "1", "1"},
        {-65504, "-65,504", "-65,504"},
        {9999999, "9,999,999", "9,999,999"},
        {1e7, "1e7", "1e7"},
        {0x1p20, "1,048,576", "1,048,576"},
        {0x1p30, "1.074e9", "2^30"},
        {0.00390625, "0.003906", "2^-8"},
        {-0x1p-126, "-1.175e-38", "-2^-126"},
        {0.125, "0.125", "0.125"},
        {0.0157449, "0.01574", "0.01574"},
        {1.23456e-7, "1.235e-7", "1.235e-7"},
        {54.1003, "54.1", "54.1"},
        {INFINITY, "inf", "inf"},
        {-INFINITY, "-inf", "-inf"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer plain = {0}, power = {0};
        number_human(&plain, cases[i].value);
        number_power(&power, cases[i].value);
        expect_text(&plain, cases[i].plain);
        expect_text(&power, cases[i].power);
    }
}

static void counts_and_shares(void **state)
{
    (void)state;
    static const struct {
        uint64_t part, whole;
        const char *count, *share;
    } cases[] = {
        {0, 7, "0", "0 %"},
        {7, 7, "7", "100 %"},
        {1024, 16384, "1,024", "6.25 %"},
        {1, 1000000, "1", "<0.01 %"},
        {999999, 1000000, "999,999", ">99.99 %"},
        {1, 10000, "1", "0.01 %"},
        {9999, 10000, "9,999", "99.99 %"},
        {1, 20000, "1", "<0.01 %"},
        {UINT64_MAX - 1, UINT64_MAX, "18,446,744,073,709,551,614", ">99.99 %"},
        {1, UINT64_MAX, "1", "<0.01 %"},
        {0, 0, "0", "0 %"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer count = {0}, share = {0};
        number_count(&count, cases[i].part);
        number_share(&share, cases[i].part, cases[i].whole);
        expect_text(&count, cases[i].count);
        expect_text(&share, cases[i].share);
    }
}

/* Escapes. */

static void escaping(void **state)
{
    (void)state;
    static const struct {
        const char *text, *json, *terminal, *ascii;
    } cases[] = {
        {"", "\"\"", "", ""},
        {"layer.0.weight", "\"layer.0.weight\"", "layer.0.weight", "layer.0.weight"},
        {"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\"", "gr\xc3\xbc\xc3\x9f",
         "gr\\xc3\\xbc\\xc3\\x9f"},
        {"a\"b\\c", "\"a\\\"b\\\\c\"", "a\"b\\c", "a\"b\\c"},
        {"\n\x1b[31m\x7f", "\"\\u000a\\u001b[31m\\u007f\"", "\\x0a\\x1b[31m\\x7f",
         "\\x0a\\x1b[31m\\x7f"},
        {"\xc2\x85", "\"\\u0085\"", "\\xc2\\x85", "\\xc2\\x85"},
        {"\xe2\x80\xae", "\"\xe2\x80\xae\"", "\\xe2\\x80\\xae", "\\xe2\\x80\\xae"},
        {"\xe2\x80\xa8\xe2\x81\xa9", "\"\xe2\x80\xa8\xe2\x81\xa9\"",
         "\\xe2\\x80\\xa8\\xe2\\x81\\xa9", "\\xe2\\x80\\xa8\\xe2\\x81\\xa9"},
        /* invalid: a lone byte, cut short, overlong, a surrogate, too large */
        {"a\xff", "\"a\\\\xff\"", "a\\xff", "a\\xff"},
        {"\xe2\x82", "\"\\\\xe2\\\\x82\"", "\\xe2\\x82", "\\xe2\\x82"},
        {"\xc0\xaf", "\"\\\\xc0\\\\xaf\"", "\\xc0\\xaf", "\\xc0\\xaf"},
        {"\xed\xa0\x80", "\"\\\\xed\\\\xa0\\\\x80\"", "\\xed\\xa0\\x80", "\\xed\\xa0\\x80"},
        {"\xf4\x90\x80\x80", "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"", "\\xf4\\x90\\x80\\x80",
         "\\xf4\\x90\\x80\\x80"},
        {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"", "\xf0\x9f\x98\x80", "\\xf0\\x9f\\x98\\x80"},
        /* what looks like an escape is not one */
        {"\\xff", "\"\\\\x5cxff\"", "\\x5cxff", "\\x5cxff"},
        {"\\x4g", "\"\\\\x4g\"", "\\x4g", "\\x4g"},
        {"\\\xff", "\"\\\\\\\\xff\"", "\\\\xff", "\\\\xff"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer json = {0}, terminal = {0}, ascii = {0};
        escape_json(&json, cases[i].text);
        escape_terminal(&terminal, cases[i].text, true);
        escape_terminal(&ascii, cases[i].text, false);
        expect_text(&json, cases[i].json);
        expect_text(&terminal, cases[i].terminal);
        expect_text(&ascii, cases[i].ascii);
    }
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

/* Undoes the escapes, in place. */
static void decode(char *text)
{
    char *to = text;
    while (*text) {
        bool escape = text[0] == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) &&
                      isxdigit((unsigned char)text[3]);
        *to++ = (char)(escape ? hex_digit(text[2]) << 4 | hex_digit(text[3]) : *text);
        text += escape ? 4 : 1;
    }
    *to = '\0';
}

static void escapes_are_injective(void **state)
{
    (void)state;
    static const char alphabet[] = "\\\\\\xx05cCfF\"\n\x7f\xc2\x85\xa9\xe2\x80\xae\xff\xf0\x9f\x98";
    uint64_t seed = test_seed;
    for (int i = 0; i < 100000; i++) {
        char text[16] = {0};
        for (size_t k = 0; k < sample_random(&seed) % sizeof text; k++)
            text[k] = alphabet[sample_random(&seed) % (sizeof alphabet - 1)];
        for (int utf8 = 0; utf8 < 2; utf8++) {
            struct buffer terminal = {0};
            escape_terminal(&terminal, text, utf8);
            decode(terminal.data);
            assert_string_equal(terminal.data, text);
            buffer_free(&terminal);
        }
        struct buffer json = {0};
        escape_json(&json, text);
        json_t *parsed = json_loads(json.data, JSON_DECODE_ANY, NULL);
        assert_non_null(parsed);
        char *decoded = copy_string(json_string_value(parsed));
        decode(decoded);
        assert_string_equal(decoded, text);
        free(decoded);
        json_decref(parsed);
        buffer_free(&json);
    }
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(text_width(""), 0);
    assert_int_equal(text_width("abc"), 3);
    assert_int_equal(text_width("gr\xc3\xbc\xc3\x9f"), 4);
    assert_int_equal(text_width("e\xcc\x81"), 1);
    assert_int_equal(text_width("\xe5\xb1\xa4"), 2);
    assert_int_equal(text_width("\xff\xff"), 2);
}

static struct buffer repeated(const char *part, size_t times)
{
    struct buffer text = {0};
    for (size_t i = 0; i < times; i++)
        buffer_puts(&text, part);
    return text;
}

/* Of a name that is many times `part`, so many are left before and behind the ellipsis. */
static void expect_short(const char *part, size_t before, size_t behind)
{
    struct buffer name = repeated(part, 60000), wanted = repeated(part, before);
    struct buffer end = repeated(part, behind), got = {0}, again = {0};
    buffer_puts(&wanted, "\xe2\x80\xa6");
    buffer_puts(&wanted, end.data);
    name_shorten(&got, name.data);
    name_shorten(&again, got.data);
    expect_text(&got, wanted.data);
    expect_text(&again, wanted.data);
    buffer_free(&name);
    buffer_free(&wanted);
    buffer_free(&end);
}

/* People see names of so many characters, once they are printable, and no more. */
static void long_names_lose_their_middle(void **state)
{
    (void)state;
    struct buffer whole = repeated("\xc3\xbc", NAME_MOST), same = {0};
    name_shorten(&same, whole.data);
    expect_text(&same, whole.data);
    buffer_free(&whole);
    expect_short("x", NAME_MOST / 2 - 1, NAME_MOST / 2);
    expect_short("\xcc\x81", NAME_MOST / 2 - 1, NAME_MOST / 2); /* no column, but a character */
    expect_short("\x01", NAME_MOST / 2 / 4 - 1, NAME_MOST / 2 / 4);
    expect_short("\xff", NAME_MOST / 2 / 4 - 1, NAME_MOST / 2 / 4);
}

/* Reports. */

enum { SAMPLE_COUNT = 6, WEIGHTS = 96 * 64, ACTIVATIONS = 30 * 40 };

/* Tensors of all kinds, and the report on them. */
struct fixture {
    double *weights, *activations;
    double zeros[3], few[4], nothing[1], scalar[1];
    struct sample_tensor tensors[SAMPLE_COUNT];
};

static const char hostile[] = "\x1b]0;gotcha\x07\n\xe2\x80\xae\xff\\x41\"\xe5\xb1\xa4"
                              "\xe5\xb1\xa4\xe5\xb1\xa4 a name that is much longer than any line "
                              "of the page can be, so that it has to be cut or wrapped somewhere";

static void set_up(struct fixture *f)
{
    f->weights = sample_normal(test_seed, WEIGHTS, 0.02);
    f->activations = sample_normal(test_seed + 1, ACTIVATIONS, 300);
    f->activations[7] = NAN;
    f->activations[8] = -INFINITY;
    f->activations[9] = 0;
    memset(f->zeros, 0, sizeof f->zeros);
    memcpy(f->few, (double[]){1, 0.5, -2, 4}, sizeof f->few);
    f->scalar[0] = 0.1f;
    const struct sample_tensor tensors[SAMPLE_COUNT] = {
        {"model.safetensors", "layer.0.weight", 2, {96, 64}, f->weights},
        {"model.safetensors", hostile, 2, {30, 40}, f->activations},
        {"model.safetensors", "bias", 1, {3}, f->zeros},
        {hostile, "", 2, {2, 2}, f->few},
        {"empty.npy", "", 2, {0, 5}, f->nothing},
        {"scalar.npy", "", 0, {0}, f->scalar},
    };
    memcpy(f->tensors, tensors, sizeof tensors);
}

static void tear_down(struct fixture *f)
{
    free(f->weights);
    free(f->activations);
}

static struct buffer render(const char *kind, const struct report *report,
                            const struct style *style)
{
    struct sink sink = {.text = {0}};
    output_begin(output_find(kind), &sink);
    output_rest(output_find(kind), report, 0, style, &sink);
    assert_non_null(sink.text.data);
    assert_int_equal(sink.text.data[sink.text.length - 1], '\n');
    return sink.text;
}

static json_t *render_json(const struct report *report)
{
    struct buffer out = render("json", report, &(struct style){0});
    json_error_t error;
    json_t *root = json_loadb(out.data, out.length, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        fail_msg("line %d: %s", error.line, error.text);
    buffer_free(&out);
    return root;
}

/* The members of an object are these, in this order. */
static void expect_keys(json_t *object, const char *keys)
{
    struct buffer found = {0};
    const char *key;
    json_t *value;
    buffer_puts(&found, "");
    json_object_foreach (object, key, value)
        buffer_printf(&found, "%s%s", found.length ? " " : "", key);
    expect_text(&found, keys);
}

static json_t *at(json_t *array, size_t index)
{
    json_t *item = json_array_get(array, index);
    assert_non_null(item);
    return item;
}

static json_t *member(json_t *object, const char *key)
{
    json_t *item = json_object_get(object, key);
    assert_non_null(item);
    return item;
}

static const char cast_keys[] =
    "to bits scale nan inf zero overflow underflow subnormal normal exact error relative_error "
    "sums";
static const char error_keys[] =
    "count mean mean_abs rms max_abs max_abs_at max_abs_input max_rel max_rel_at max_rel_input "
    "sqnr_db rel_l2";

static void check_figures(json_t *object, const struct value *figures, enum metric_group group)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (metric_table[i].group != group)
            continue;
        json_t *found = member(object, metric_table[i].name);
        if (figures[i].kind == VALUE_NULL)
            assert_true(json_is_null(found));
        else if (figures[i].kind == VALUE_COUNT)
            assert_int_equal(json_integer_value(found), figures[i].count);
        else if (figures[i].kind == VALUE_REAL && isfinite(figures[i].real))
            assert_true(json_number_value(found) == figures[i].real);
        else if (figures[i].kind == VALUE_REAL)
            assert_string_equal(json_string_value(found), figures[i].real < 0 ? "-inf" : "inf");
        else
            assert_true(json_is_array(found));
    }
}

static void check_histogram(json_t *object, const struct histogram *histogram)
{
    json_t *counts = member(object, "counts");
    assert_int_equal(json_array_size(counts), histogram->length);
    if (histogram->length == 0) {
        assert_true(json_is_null(member(object, "first")));
        return;
    }
    assert_int_equal(json_integer_value(member(object, "first")), histogram->first);
    for (size_t i = 0; i < histogram->length; i++)
        assert_int_equal(json_integer_value(at(counts, i)), histogram->counts[i]);
}

static void check_tensor(json_t *object, const struct report *report,
                         const struct report_tensor *tensor)
{
    expect_keys(object, "file name dtype shape elements input casts");
    assert_int_equal(json_array_size(member(object, "shape")), tensor->tensor.rank);
    assert_int_equal(json_integer_value(member(object, "elements")), tensor->tensor.elements);
    json_t *input = member(object, "input");
    expect_keys(input, "nan inf zero min_abs max_abs mean rms sum exponents");
    check_figures(input, tensor->figures->input, GROUP_INPUT);
    check_histogram(member(input, "exponents"), &tensor->figures->exponents);
    for (size_t c = 0; c < report->cast_count; c++) {
        const struct report_cast *cast = &tensor->figures->casts[c];
        json_t *found = at(member(object, "casts"), c), *error = member(found, "error");
        expect_keys(found, cast_keys);
        expect_keys(error, error_keys);
        check_figures(found, cast->figures, GROUP_CAST);
        check_figures(error, cast->figures, GROUP_ERROR);
        json_t *relative = member(found, "relative_error");
        expect_keys(relative, "exact first counts");
        check_histogram(relative, &cast->relative_error);
        expect_keys(member(found, "sums"), "e abs_e e2 x2");
    }
}

static void json_holds_the_report(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct report report = sample_report("fp16,bf16,e4m3fn,e2m1", 0, f.tensors, SAMPLE_COUNT);
    sample_gates(&report, "overflow > 0");
    sample_skip(&report, "model.safetensors", "step");
    report.settings.raw = "f32@16";
    json_t *root = render_json(&report);
    expect_keys(root,
                "schema version settings tensors skipped total checkpoint advice gates verdict");
    assert_string_equal(json_string_value(member(root, "schema")), "precheck/1");
    assert_int_equal(json_array_size(member(root, "advice")), 0);
    assert_string_equal(json_string_value(member(root, "verdict")), "fail");

    json_t *settings = member(root, "settings");
    expect_keys(settings, "to round overflow raw");
    assert_string_equal(json_string_value(at(member(settings, "to"), 2)), "e4m3fn");
    assert_string_equal(json_string_value(member(settings, "round")), "nearest-even");

    for (size_t t = 0; t < SAMPLE_COUNT; t++)
        check_tensor(at(member(root, "tensors"), t), &report, &report.tensors[t]);

    json_t *total = at(member(root, "total"), 2), *error = member(total, "error");
    expect_keys(total, cast_keys);
    expect_keys(error, error_keys);
    expect_keys(member(error, "max_rel_at"), "file name index");
    check_figures(total, report.total.casts[2].figures, GROUP_CAST);

    json_t *gate = at(member(root, "gates"), 1);
    expect_keys(gate, "rule file name to value pass level");
    assert_true(json_is_true(member(gate, "pass")));
    expect_keys(at(member(root, "skipped"), 0), "file name dtype reason");
    json_decref(root);
    report_free(&report);
    tear_down(&f);
}

static void json_of_edge_cases(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct report report = sample_report("e4m3fn", 0, f.tensors, SAMPLE_COUNT);
    report.settings = (struct report_settings){
        .rounding = ROUND_STOCHASTIC, .seed = UINT64_MAX, .saturate = true, .scale = "amax"};
    report.tensors[0].figures->casts[0].scale = 1100;
    report.tensors[1].figures->casts[0].scale = -1074;
    report.tensors[2].figures->casts[0].scale = 1023;
    report.total.casts[0].scale_varies = true;
    report.tensors[0].figures->casts[0].figures[METRIC_ERROR_MEAN].real = -INFINITY;
    json_t *root = render_json(&report), *tensors = member(root, "tensors");

    json_t *settings = member(root, "settings");
    expect_keys(settings, "to round overflow scale");
    assert_string_equal(json_string_value(member(settings, "round")),
                        "stochastic:18446744073709551615");
    assert_string_equal(json_string_value(member(settings, "overflow")), "saturate");

    json_t *casts[SAMPLE_COUNT];
    for (size_t t = 0; t < SAMPLE_COUNT; t++)
        casts[t] = at(member(at(tensors, t), "casts"), 0);
    assert_string_equal(json_string_value(member(casts[0], "scale")), "0x1p+1100");
    assert_true(json_number_value(member(casts[1], "scale")) == 0x1p-1074);
    assert_true(json_number_value(member(casts[2], "scale")) == 0x1p1023);
    assert_true(json_is_null(member(at(member(root, "total"), 0), "scale")));
    assert_string_equal(json_string_value(member(member(casts[0], "error"), "mean")), "-inf");

    /* All exact: no position, and an infinite ratio. */
    json_t *exact = member(casts[2], "error");
    assert_true(json_is_null(member(exact, "max_rel_at")));
    assert_string_equal(json_string_value(member(exact, "sqnr_db")), "inf");
    /* Nothing at all. */
    json_t *empty = at(tensors, 4);
    assert_true(json_is_null(member(member(empty, "input"), "sum")));
    assert_true(json_is_null(member(member(casts[4], "error"), "rms")));
    /* The position in a scalar. */
    json_t *position = member(member(casts[5], "error"), "max_abs_at");
    assert_int_equal(json_array_size(position), 0);
    assert_true(json_is_array(position));

    char *name = copy_string(json_string_value(member(at(tensors, 1), "name")));
    decode(name);
    assert_string_equal(name, hostile);
    free(name);
    assert_true(json_is_null(member(root, "verdict")));
    json_decref(root);
    report_free(&report);
    tear_down(&f);
}

static void json_of_nothing(void **state)
{
    (void)state;
    struct report report = {.version = "0"};
    json_t *root = render_json(&report);
    assert_int_equal(json_array_size(member(root, "tensors")), 0);
    assert_int_equal(json_array_size(member(root, "total")), 0);
    json_decref(root);
    struct buffer text = render("text", &report, &(struct style){0});
    buffer_free(&text);
}

struct kept {
    struct buffer text;
    size_t pieces, largest, room; /* what goes beyond `room` is refused */
};

static bool keep(void *context, const void *bytes, size_t count)
{
    struct kept *kept = context;
    if (kept->text.length + count > kept->room)
        return false;
    buffer_add(&kept->text, bytes, count);
    kept->pieces++;
    kept->largest = count > kept->largest ? count : kept->largest;
    return true;
}

/* Long renderings come in pieces, which are the whole; after a failure there are no more. */
static void renderings_come_in_pieces(void **state)
{
    (void)state;
    enum { MANY = 600 };
    struct fixture f;
    set_up(&f);
    struct sample_tensor *tensors = allocate(MANY, sizeof *tensors);
    for (size_t t = 0; t < MANY; t++)
        tensors[t] = f.tensors[2 + t % 4];
    struct report report = sample_report("fp16,bf16", 0, tensors, MANY);
    static const char *const kinds[] = {"json", "text", "ndjson", "csv"};
    for (size_t k = 0; k < COUNT(kinds); k++) {
        struct style style = {.width = 80, .verbose = true};
        struct buffer whole = render(kinds[k], &report, &style);
        struct kept kept = {.room = SIZE_MAX};
        struct sink sink = {.write = keep, .context = &kept};
        output_begin(output_find(kinds[k]), &sink);
        output_rest(output_find(kinds[k]), &report, 0, &style, &sink);
        assert_true(sink_flush(&sink));
        assert_true(whole.length > 200000 && kept.largest < 100000 && kept.pieces > 1);
        assert_string_equal(kept.text.data, whole.data);
        buffer_free(&kept.text);

        kept = (struct kept){.room = 100000};
        sink.failed = false;
        output_begin(output_find(kinds[k]), &sink);
        output_rest(output_find(kinds[k]), &report, 0, &style, &sink);
        assert_false(sink_flush(&sink));
        assert_int_equal(kept.pieces, 1);
        buffer_free(&kept.text);
        buffer_free(&sink.text);
        buffer_free(&whole);
    }
    report_free(&report);
    free(tensors);
    tear_down(&f);
}

/* Text. */

/* Takes the colours out of a line; each has to be reset before its end. */
static void take_colours(char *line)
{
    bool coloured = false;
    char *to = line;
    while (*line) {
        if (*line != '\033') {
            *to++ = *line++;
            continue;
        }
        assert_int_equal(line[1], '[');
        char *end = strchr(line, 'm');
        assert_non_null(end);
        coloured = strncmp(line, "\033[0m", 4) != 0;
        line = end + 1;
    }
    *to = '\0';
    assert_false(coloured);
}

static void check_line(char *line, const struct style *style)
{
    if (style->colour)
        take_colours(line);
    size_t length = strlen(line);
    assert_true(length == 0 || line[length - 1] != ' ');
    if (text_width(line) > style->width)
        fail_msg("wider than %d: %s", style->width, line);
    for (const char *text = line; *text;) {
        uint32_t character;
        size_t bytes = utf8_decode(text, &character);
        assert_true(bytes > 0 && character >= 0x20 && character != 0x7f);
        assert_true(style->utf8 || character < 0x80);
        text += bytes;
    }
}

static void check_text(struct buffer *text, const struct style *style)
{
    assert_int_equal(strlen(text->data), text->length);
    for (char *line = text->data, *end; *line; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        *end = '\0';
        check_line(line, style);
    }
    buffer_free(text);
}

static void check_styles(const struct report *report)
{
    static const int page_widths[] = {40, 60, 80, 120, 200};
    for (size_t w = 0; w < COUNT(page_widths); w++)
        for (unsigned flags = 0; flags < 8; flags++) {
            struct style style = {.width = page_widths[w],
                                  .utf8 = flags & 1,
                                  .colour = flags & 2,
                                  .verbose = flags & 4};
            struct buffer text = render("text", report, &style);
            check_text(&text, &style);
        }
}

static void text_keeps_to_the_page(void **state)
{
    (void)state;
    static const struct {
        const char *formats;
        int scale;
    } cases[] = {
        {"fp16", 0},
        {"fp16,bf16", 0},
        {"fp16,bf16,e4m3fn,e5m2", 12},
        {"e4m3b11fnuz,e2m1,e5m2fnuz,fp32,tf32,e3m2,e8m23,e2m22,e4m3ieee,e7m22,bf16", -40},
        {"e4m3fn,bf16", -1023},
        {"e4m3fn,bf16", 1000},
    };
    struct fixture f;
    set_up(&f);
    static const struct {
        size_t first, count;
    } slices[] = {{0, SAMPLE_COUNT}, {0, 1}, {1, 1}, {4, 1}, {5, 1}};
    for (size_t i = 0; i < COUNT(cases); i++)
        for (size_t s = 0; s < COUNT(slices); s++) {
            struct report report = sample_report(cases[i].formats, cases[i].scale,
                                                 f.tensors + slices[s].first, slices[s].count);
            sample_gates(&report, hostile);
            sample_skip(&report, hostile, hostile);
            report.settings.view = hostile;
            check_styles(&report);
            report_free(&report);
        }
    tear_down(&f);
}

static void text_of_updates_keeps_to_the_page(void **state)
{
    (void)state;
    static const char *const formats[] = {"bf16", "fp16,bf16,e4m3fn,fp32",
                                          "e4m3b11fnuz,e2m1,e5m2fnuz,fp32,tf32,e7m22"};
    static const struct {
        size_t first, count;
    } slices[] = {{0, SAMPLE_COUNT}, {0, 1}, {4, 1}, {5, 1}};
    struct fixture f;
    set_up(&f);
    for (size_t i = 0; i < COUNT(formats); i++)
        for (size_t s = 0; s < COUNT(slices); s++)
            for (int kind = 0; kind < 4; kind++) {
                const struct sample_tensor *tensors = f.tensors + slices[s].first;
                struct report report = sample_report(formats[i], 0, tensors, slices[s].count);
                if (kind == 3)
                    sample_averages(&report, tensors, 0.999, "0.999");
                else
                    sample_updates(&report, tensors, ldexp(kind, -13),
                                   kind == 1 ? "0x1p-13" : hostile, kind == 1 ? 3 : 0);
                report.settings.update_scale = kind == 1 ? "1" : NULL;
                sample_advice(&report, "hostile", hostile);
                sample_advice(&report, "long",
                              "Keep the weights in fp32 and cast them when the "
                              "model is run: 99.97 % of the updates vanish.");
                check_styles(&report);
                report_free(&report);
            }
    tear_down(&f);
}

/* Huge counts, positions, ranks and exponents, varying scales, missing values. */
static void text_of_extremes(void **state)
{
    (void)state;
    struct fixture f;
    set_up(&f);
    struct report report = sample_report("fp16,e4m3fn,e2m1", 0, f.tensors, 2);
    struct tensor *tensor = &report.tensors[0].tensor;
    tensor->rank = RANK_LIMIT;
    for (unsigned i = 0; i < RANK_LIMIT; i++)
        tensor->shape[i] = i < RANK_LIMIT - 1 ? 1 : UINT64_MAX / 4;
    tensor->elements = UINT64_MAX / 4;
    struct report_cast *casts = report.tensors[0].figures->casts;
    casts[0].figures[METRIC_OVERFLOW].count = UINT64_MAX / 5;
    casts[0].figures[METRIC_ERROR_MAX_ABS_AT].count = UINT64_MAX / 5;
    casts[0].figures[METRIC_ERROR_MAX_REL_AT].count = UINT64_MAX / 5;
    casts[1].figures[METRIC_ERROR_MAX_ABS].kind = VALUE_NULL;
    casts[1].figures[METRIC_ERROR_RMS].real = INFINITY;
    casts[1].scale = 1100;
    casts[2].scale = -1023;
    casts[2].fit_scale = -1040;
    report.tensors[0].figures->exponents.counts[3] = UINT64_MAX / 5;
    report.tensors[0].figures->exponents.first = -1074;
    report.total.casts[1].scale_varies = true;
    report.total.exponents.first = 900;
    check_styles(&report);
    static const enum rounding modes[] = {ROUND_UP, ROUND_DOWN, ROUND_TOWARD_ZERO,
                                          ROUND_STOCHASTIC};
    for (size_t i = 0; i < COUNT(modes); i++) {
        report.settings.rounding = modes[i];
        report.settings.saturate = i & 1;
        for (size_t c = 0; c < report.cast_count; c++) {
            report.casts[c].rounding = modes[i];
            report.casts[c].saturate = i & 1;
        }
        check_styles(&report);
    }
    report_free(&report);
    tear_down(&f);
}

static void expect_in(const struct buffer *text, const char *expected)
{
    if (!strstr(text->data, expected))
        fail_msg("not found: %s\nin:\n%s", expected, text->data);
}

static void text_says_what_happens(void **state)
{
    (void)state;
    static const double values[] = {1, 2, 3, 1e6, 1e6, 1e-12, 0x1p-8, NAN, INFINITY, 0};
    const struct sample_tensor tensor = {"x.npy", "", 1, {10}, values};
    struct report report = sample_report("e4m3fn,e2m1", 0, &tensor, 1);
    struct buffer text = render("text", &report, &(struct style){.width = 120});
    expect_in(&text, "2 of 10 elements (20.00 %) overflow and become NaN\n");
    expect_in(&text, "1 of 10 elements (10.00 %) underflows to zero\n");
    expect_in(&text, "1 of 10 elements (10.00 %) becomes subnormal (fewer bits)\n");
    expect_in(&text, "1 infinity becomes NaN: e4m3fn has no infinity\n");
    expect_in(&text, "1 NaN stays what it is\n");
    expect_in(&text, "relative error up to 1 at [5] (value 1e-12)");
    expect_in(&text, "2 of 10 elements (20.00 %) overflow and are clamped to +-6\n");
    expect_in(&text, "1 NaN becomes 6: e2m1 has no NaN\n");
    expect_in(&text, "1 infinity is clamped to +-6: e2m1 has no infinity\n");
    expect_in(&text, "--scale 2^-12 would fit best: ");
    assert_null(strstr(text.data, "FAIL"));
    buffer_free(&text);

    sample_gates(&report, "overflow > 0");
    text = render("text", &report, &(struct style){.width = 120});
    assert_int_equal(strncmp(text.data, "FAIL  2 of 2 gates\n", 19), 0);
    expect_in(&text, "overflow > 0  2      e4m3fn  x.npy\n");
    buffer_free(&text);
    report_free(&report);
}

static void expect_not_in(const struct buffer *text, const char *unexpected)
{
    if (strstr(text->data, unexpected))
        fail_msg("found: %s\nin:\n%s", unexpected, text->data);
}

static const double ones[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 0.5, 65504};
static const struct sample_tensor one_tensor = {"x.npy", "", 1, {12}, ones};

static void text_tells_which_updates_vanish(void **state)
{
    (void)state;
    struct report report = sample_report("bf16,fp16,fp32", 0, &one_tensor, 1);
    struct buffer text = render("text", &report, &(struct style){.width = 80});
    expect_not_in(&text, "update");
    buffer_free(&text);

    sample_updates(&report, &one_tensor, 0x1.8p-10, "0x1.8p-11", 1000);
    report.settings.update_scale = "2";
    report.tensors[0].figures->casts[0].figures[METRIC_STEPS_SAMPLED].count = 4096;
    text = render("text", &report, &(struct style){.width = 80});
    expect_in(&text, "\n  bf16  100 % of the updates vanish; 100 % frozen after 1,000 steps\n");
    expect_in(&text, "\n  fp16  8.33 % of the updates vanish; 8.33 % frozen after 1,000 steps\n");
    expect_in(&text, "\n  fp32  8.33 % of the updates vanish; 8.33 % frozen after 1,000 steps\n");
    expect_in(&text, "\nupdates\n"
                     "  updates compared               12           12           12\n"
                     "  overflow                        0            0            0\n"
                     "  vanish                         12            1            1\n"
                     "  share that vanishes         100 %       8.33 %       8.33 %\n"
                     "  effective ratio            0            1.194        0.9167\n");
    expect_in(&text, "\nany update above this moves\n"
                     "  50 % of the weights         2^-8         2^-11        2^-24\n"
                     "  90 % of the weights         2^-7         2^-10        2^-23\n"
                     "  99 % of the weights       256           16            2^-9\n"
                     "  100 % of the weights      256           16            2^-9\n");
    expect_in(&text, "\nshare frozen after 1,000 steps\n"
                     "  as it is                    100 %       8.33 %       8.33 %\n"
                     "  stochastic rounding ");
    expect_in(&text, "\nerror of the movement after 1,000 steps\n"
                     "  as it is                   1            0.4242       0.2887\n");
    expect_in(&text, "\n  stochastic and Kahan: one element of 4,096\n");
    expect_in(&text, " Update:\n0x1.8p-11. Update scale: 2. Steps: 1,000.\n");
    expect_not_in(&text, "EDQ");
    expect_not_in(&text, "elements frozen");
    expect_not_in(&text, "\n-- advice");
    buffer_free(&text);

    sample_advice(&report, "code", "Keep fp32 weights\x1b");
    text = render("text", &report, &(struct style){.width = 80, .verbose = true, .colour = true});
    expect_in(&text,
              "\033[31m100 % of the updates vanish; 100 % frozen after 1,000 steps\033[0m\n");
    expect_in(&text, "\033[33m8.33 % of the updates vanish; 8.33 % frozen");
    expect_in(&text, "\n  EDQ ");
    expect_in(&text, "elements frozen after 1,000 steps\033[0m\n"
                     "  as it is                          12 ");
    expect_in(&text, "\n  \033[1m- \033[0mKeep fp32 weights\\x1b\n\n");
    buffer_free(&text);
    report_free(&report);
}

static void text_tells_which_bits_keep_updates(void **state)
{
    (void)state;
    static const char title[] =
        "\nSignificand bits that keep 99 % of the updates, exponent range aside\n";
    struct report report = sample_report("bf16,fp16,fp32,e4m3fn", 0, &one_tensor, 1);
    struct report_cast *casts = report.tensors[0].figures->casts;
    sample_updates(&report, &one_tensor, 0x1.8p-10, "0x1.8p-11", 0);
    report.settings.update_scale = "-2";
    report.settings.constant_update *= -1;
    casts[2].figures[METRIC_UPDATE_LOST_RATE].real = 0.0099;
    casts[3].figures[METRIC_UPDATE_P99].real = INFINITY;
    struct buffer text = render("text", &report, &(struct style){.width = 80});
    expect_in(&text, title);
    expect_in(&text, "\n  bf16    26 (its 8 lose 100 %); no known format has that "
                     "(fp32 has 24)\n");
    expect_in(&text, "\n  fp16    25 (its 11 lose 8.33 %); no known format has that "
                     "(fp32 has 24)\n");
    expect_in(&text, "\n  fp32    its 24, which lose 0.99 %\n");
    expect_in(&text, "\n  e4m3fn  cannot be told: 99 % take an update above inf\n");
    buffer_free(&text);

    for (size_t c = 0; c < report.cast_count; c++)
        casts[c].figures[METRIC_UPDATE_P99].real = 0x1p-12;
    casts[1].figures[METRIC_UPDATE_LOST_RATE].real = 0;
    casts[3].figures[METRIC_UPDATE_P99].kind = VALUE_NULL;
    text = render("text", &report, &(struct style){.width = 80});
    expect_in(&text, "\n  fp16    9 (its 11 lose none); the narrowest format with "
                     "that is fp16\n");
    expect_in(&text, "\n  e4m3fn  no update to compare\n");
    buffer_free(&text);

    report.settings.constant_update = 1e-300;
    text = render("text", &report, &(struct style){.width = 80});
    expect_in(&text, "\n  bf16    more than 53 (its 8 lose 100 %); no known format has that");
    buffer_free(&text);

    static const double none[] = {0, INFINITY, -INFINITY}; /* a file, say, or beyond binary64 */
    for (size_t i = 0; i < COUNT(none); i++) {
        report.settings.constant_update = none[i];
        text = render("text", &report, &(struct style){.width = 80});
        expect_not_in(&text, title);
        buffer_free(&text);
    }
    report.settings.constant_update = 1e-3;
    report.settings.rounding = ROUND_STOCHASTIC;
    text = render("text", &report, &(struct style){.width = 80});
    expect_not_in(&text, title);
    buffer_free(&text);
    report_free(&report);
}

static void text_tells_which_averages_are_stuck(void **state)
{
    (void)state;
    struct report report = sample_report("bf16,fp32", 0, &one_tensor, 1);
    sample_averages(&report, &one_tensor, 0x1.ffp-1, "0x1.ffp-1");
    report.tensors[0].figures->casts[1].figures[METRIC_EMA_OVERFLOW].count = 1;
    struct buffer text = render("text", &report, &(struct style){.width = 80});
    expect_in(&text, "\n  bf16  100 % of the averages are stuck\n");
    expect_in(&text, "\n  fp32  no average is stuck, 1 overflows\n");
    expect_in(&text, "\nmoving averages\n"
                     "  averages compared              12                    12\n"
                     "  overflow                        0                     1\n"
                     "  stuck                          12                     0\n"
                     "  share that is stuck         100 %                   0 %\n"
                     "  effective ratio                 0                     1\n"
                     "  movement over update            0                     1\n"
                     "format\n");
    expect_in(&text, " Moving\naverage: 0x1.ffp-1.\n");
    buffer_free(&text);
    report_free(&report);
}

/* Rates that are null, thresholds that are not there, a sample that differs. */
static void text_of_updates_that_are_not_there(void **state)
{
    (void)state;
    struct report report = sample_report("bf16,fp16", 0, &one_tensor, 1);
    sample_updates(&report, &one_tensor, 0, "0", 7);
    report.tensors[0].figures->casts[0].figures[METRIC_STEPS_SAMPLED].kind = VALUE_NULL;
    struct buffer text = render("text", &report, &(struct style){.width = 80});
    expect_in(&text, "\n  bf16  no update to compare\n");
    expect_in(&text, "\n  share that vanishes             -                     -\n");
    expect_in(&text, "\n  movement over update            -                     -\n"
                     "share frozen after 7 steps\n"
                     "  as it is                        -                     -\n");
    expect_in(&text, "\n  stochastic and Kahan: not on all elements of each tensor\n");
    buffer_free(&text);

    struct value *figures = report.tensors[0].figures->casts[0].figures;
    report.settings.steps = 1;
    figures[METRIC_UPDATE_LOST_RATE] = (struct value){.kind = VALUE_REAL, .real = 0};
    figures[METRIC_STEPS_FROZEN_RATE] = (struct value){.kind = VALUE_REAL, .real = 1e-300};
    figures[METRIC_STEPS_SAMPLED] = (struct value){.kind = VALUE_COUNT, .count = 1};
    figures[METRIC_UPDATE_P100] = (struct value){.kind = VALUE_REAL, .real = INFINITY};
    text = render("text", &report, &(struct style){.width = 80});
    expect_in(&text, "\n  bf16  no update vanishes; <0.01 % frozen after 1 step\n");
    expect_in(&text, "\n  100 % of the weights          inf                     -\n");
    expect_not_in(&text, "50 % of the weights");
    expect_not_in(&text, "Kahan:");
    buffer_free(&text);
    report_free(&report);
}

/* The lines of the table of a format, without their titles. */
static char *table_of(const struct report *report, const struct style *style, const char *format)
{
    struct buffer text = render("text", report, style), title = {0};
    const char *tables = strstr(text.data, " tensors, ");
    assert_non_null(tables);
    buffer_printf(&title, "\n  %s ", format);
    const char *table = strstr(tables, title.data);
    assert_non_null(table);
    table = strchr(table + 1, '\n') + 1;
    const char *end = strstr(table, "\n\n");
    assert_non_null(end);
    char *lines = copy_bytes(table, (size_t)(end + 1 - table));
    buffer_free(&text);
    buffer_free(&title);
    return lines;
}

/* The first words of the lines of a table, apart by spaces. */
static void expect_names(const struct report *report, const struct style *style, const char *format,
                         const char *expected)
{
    char *lines = table_of(report, style, format);
    struct buffer names = {0};
    for (char *line = lines; *line; line = strchr(line, '\n') + 1) {
        buffer_puts(&names, names.length ? " " : "");
        buffer_add(&names, line + 2, strcspn(line + 2, " "));
    }
    expect_text(&names, expected);
    free(lines);
}

static const double tame[] = {1, 2, 0.5, 4}, rough[] = {1.001, 0.7, 3.3, 0.1};
static const double rougher[] = {1.1e-4, 1.3e-6, 1.7e-6, 2.3e-6}; /* subnormal in fp16 */
static const double tiny[] = {1, 1e-9, 1e-9, 1}, tinier[] = {1e-9, 1e-9, 1e-9, 1};
static const double large[] = {1, 1e5, 2, 1}, larger[] = {1e5, 1e5, 1e5, 1e-9};
static const double bad[] = {1, NAN, INFINITY, 1}, longer[] = {1, 1e5, 1, 1, 1, 1, 1, 1};
static const struct sample_tensor ranked[] = {
    {"m.npz", "tame", 1, {4}, tame},       {"m.npz", "tiny", 1, {4}, tiny},
    {"m.npz", "rough", 1, {4}, rough},     {"m.npz", "large", 1, {4}, large},
    {"m.npz", "bad", 2, {2, 2}, bad},      {"m.npz", "larger", 1, {4}, larger},
    {"m.npz", "rougher", 1, {4}, rougher}, {"m.npz", "tinier", 1, {4}, tinier},
    {"m.npz", "longer", 1, {8}, longer},   {"m.npz", "empty", 1, {0}, tame},
    {"m.npz", "also-tame", 1, {4}, tame}};

static void many_tensors_are_ranked(void **state)
{
    (void)state;
    static const struct {
        enum ranking_order order;
        const char *fp16, *bf16;
    } cases[] = {
        {ORDER_WORST, "larger large longer bad tinier tiny rougher rough also-tame empty tame",
         NULL},
        {ORDER_NAME, "also-tame bad empty large larger longer rough rougher tame tinier tiny",
         "also-tame bad empty large larger longer rough rougher tame tinier tiny"},
        {ORDER_SIZE, "longer also-tame bad large larger rough rougher tame tinier tiny empty",
         "longer also-tame bad large larger rough rougher tame tinier tiny empty"},
        {ORDER_OVERFLOW, "larger large longer also-tame bad empty rough rougher tame tinier tiny",
         "also-tame bad empty large larger longer rough rougher tame tinier tiny"},
        {ORDER_UNDERFLOW, "tinier tiny larger also-tame bad empty large longer rough rougher tame",
         "also-tame bad empty large larger longer rough rougher tame tinier tiny"},
    };
    struct report report = sample_report("fp16,bf16", 0, ranked, COUNT(ranked));
    for (int packed = 0; packed < 2; packed++) {
        for (size_t i = 0; i < COUNT(cases); i++) {
            struct style style = {.width = 80, .order = cases[i].order};
            expect_names(&report, &style, "fp16", cases[i].fp16);
            if (cases[i].bf16)
                expect_names(&report, &style, "bf16", cases[i].bf16);
        }
        for (size_t t = 0; t < report.tensor_count && !packed; t++)
            report_pack(&report, &report.tensors[t]);
    }
    report_free(&report);
}

static void ranks_are_of_figures(void **state)
{
    (void)state;
    struct report report = sample_report("fp16", 0, ranked, COUNT(ranked));
    static const double sqnr[] = {20, 10, 30, -10, 15, 25, 20, 12, 50, 0, 20};
    for (size_t t = 0; t < COUNT(ranked); t++)
        report.tensors[t].figures->casts[0].figures[METRIC_ERROR_SQNR_DB].real = sqnr[t];
    expect_names(&report, &(struct style){.width = 80, .order = ORDER_SQNR}, "fp16",
                 "large tiny tinier bad also-tame rougher tame larger rough longer empty");
    sample_updates(&report, ranked, 0x1p-12, "0x1p-12", 0);
    char *lines =
        table_of(&report, &(struct style){.width = 80, .order = ORDER_LOST, .top = 3}, "fp16");
    struct buffer text = {lines, strlen(lines), 0};
    expect_in(&text,
              "\n  large         100,000         0   25.00 %          0     100 %    -10.00\n"
              "  8 more tensors, 2 with overflow, 3 with underflow, 5 with updates lost,\n"
              "    SQNR from 10.00 dB\n");
    free(lines);
    report_free(&report);
}

static void tables_of_many_tensors(void **state)
{
    (void)state;
    struct report report = sample_report("fp16,bf16", 0, ranked, COUNT(ranked));
    struct style style = {.width = 80, .top = 3};
    struct buffer text = render("text", &report, &style);
    expect_in(&text, "\n-- 3 of 11 tensors, worst first ---");
    expect_in(&text,
              "\n  fp16          elements  largest  NaN, Inf  overflow  underflow  SQNR, dB\n"
              "  larger               4  100,000         0   75.00 %    25.00 %      0.00\n"
              "  large                4  100,000         0   25.00 %          0       inf\n"
              "  longer               8  100,000         0   12.50 %          0       inf\n"
              "  8 more tensors, 2 with underflow, 1 with NaN or Inf, none with overflow,\n"
              "    SQNR from 67.01 dB\n");
    expect_not_in(&text, "-- larger");
    buffer_free(&text);
    style = (struct style){.width = 200, .verbose = true};
    text = render("text", &report, &style);
    expect_in(&text, "\n-- 11 tensors, worst first ---");
    expect_in(&text, "  underflow  subnormal  max. rel.  SQNR, dB  dtype  shape\n");
    expect_in(&text, "  tinier               4    1e-9            1 ");
    expect_in(&text, "  rougher              4    1.3e-6    0.00011 ");
    expect_in(&text, "  rough                4    0.1           3.3 ");
    expect_in(&text, "f32    [2, 2]\n");
    expect_not_in(&text, " more tensor");
    /* In full, in the order of the file. */
    const char *tame_section = strstr(text.data, "\n-- tame --");
    assert_non_null(tame_section);
    assert_true(strstr(text.data, "\n-- tiny --") > tame_section);
    assert_true(strstr(text.data, "-- 11 tensors") < tame_section);
    buffer_free(&text);
    report_free(&report);

    const struct sample_tensor well[] = {ranked[0], ranked[10], ranked[0], ranked[10]};
    report = sample_report("fp16", 0, well, COUNT(well));
    style = (struct style){.width = 80, .top = 2};
    text = render("text", &report, &style);
    expect_in(&text, "  also-tame            4       0.5        4         0          0       inf\n"
                     "  2 more tensors, none with overflow or underflow\n");
    buffer_free(&text);
    report_free(&report);
}

/* The file is named where names alone are not clear, and of equals the first comes first. */
static void tables_of_several_files(void **state)
{
    (void)state;
    struct sample_tensor tensors[] = {{"b.npz", "w", 1, {4}, tame},
                                      {"a.npz", "w", 1, {4}, tame},
                                      {"c.npy", "", 1, {4}, tame},
                                      {"a.npz", "v", 1, {4}, tame}};
    struct report report = sample_report("fp16", 0, tensors, COUNT(tensors));
    char *lines = table_of(&report, &(struct style){.width = 60}, "fp16");
    const char *expected[] = {"  c.npy ", "  a.npz: v ", "  a.npz: w ", "  b.npz: w "};
    char *line = lines;
    for (size_t i = 0; i < COUNT(expected); i++, line = strchr(line, '\n') + 1)
        assert_int_equal(strncmp(line, expected[i], strlen(expected[i])), 0);
    free(lines);
    report_free(&report);
    tensors[0].name = "u";
    report = sample_report("fp16", 0, tensors, COUNT(tensors));
    expect_names(&report, &(struct style){.width = 60}, "fp16", "c.npy u v w");
    report_free(&report);
}

static void tables_keep_to_the_page(void **state)
{
    (void)state;
    enum { MANY = 30 };
    struct fixture f;
    set_up(&f);
    struct sample_tensor tensors[MANY];
    for (size_t t = 0; t < MANY; t++)
        tensors[t] = f.tensors[(t * 5) % SAMPLE_COUNT];
    tensors[3].rank = 9;
    for (int i = 0; i < 9; i++)
        tensors[3].shape[i] = i == 4 ? 2 : 1;
    static const int page_widths[] = {40, 61, 80, 111, 200};
    struct report report = sample_report("fp16,e4m3b11fnuz,bf16", 0, tensors, MANY);
    sample_gates(&report, hostile);
    for (int i = 0; i < 40; i++) {
        sample_skip(&report, hostile, i % 3 ? hostile : "");
        snprintf(report.skipped[i].skipped.dtype, sizeof report.skipped[i].skipped.dtype, "%s%d",
                 i % 2 ? "type" : "\x1b[2J\xff", i % 14);
    }
    for (int updates = 0; updates < 2; updates++) {
        if (updates)
            sample_updates(&report, tensors, 1e-5, "1e-5", 2);
        report.tensors[5].figures->casts[0].figures[METRIC_ERROR_SQNR_DB].real = -6012.3;
        report.tensors[5].figures->casts[1].figures[METRIC_ERROR_SQNR_DB].real = -999.999;
        report.tensors[5].figures->input[METRIC_INPUT_MIN_ABS].real = 0x1p-1074;
        report.tensors[5].figures->input[METRIC_INPUT_MAX_ABS].real = 0x1p1023;
        report.tensors[5].tensor.elements = UINT64_MAX / 3;
        for (size_t w = 0; w < COUNT(page_widths); w++)
            for (unsigned flags = 0; flags < 4; flags++)
                for (int order = ORDER_WORST; order < ORDER_COUNT; order++) {
                    struct style style = {.width = page_widths[w],
                                          .utf8 = flags & 1,
                                          .colour = flags & 2,
                                          .top = flags == 3 ? 0 : flags,
                                          .order = (enum ranking_order)order};
                    struct buffer text = render("text", &report, &style);
                    check_text(&text, &style);
                }
        report.tensors[5].tensor.elements = 0;
    }
    report_free(&report);
    tear_down(&f);
}

static void gates_and_skipped_ones_are_counted(void **state)
{
    (void)state;
    enum { MANY = 30 };
    struct sample_tensor tensors[MANY];
    for (size_t t = 0; t < MANY; t++)
        tensors[t] = ranked[t == 7 ? 0 : 3];
    struct report report = sample_report("fp16", 0, tensors, MANY);
    sample_gates(&report, "overflow > 0");
    for (int i = 0; i < 34; i++) {
        sample_skip(&report, "m.npz", "step");
        if (i % 11 == 0)
            strcpy(report.skipped[i].skipped.dtype, "bool");
    }
    struct buffer text = render("text", &report, &(struct style){.width = 80, .top = 20});
    expect_in(&text, "FAIL  29 of 30 gates\n");
    expect_in(&text, "\n  9 more fail\n  the other one holds\n");
    expect_in(&text, "\n  m.npz: step, i64, not floating point\n  24 more: 21 i64, 3 bool\n");
    buffer_free(&text);
    text = render("text", &report, &(struct style){.width = 80});
    expect_not_in(&text, "more fail");
    buffer_free(&text);
    report_free(&report);
}

/* Of several files, with names and without, and one whose length is not known. */
static struct listing sample_listing(void)
{
    static const uint64_t shape[] = {3, 5};
    struct listing listing = {0};
    struct error error;
    struct input files[] = {{.path = "m.npz"}, {.path = "-"}, {.path = hostile}};
    for (size_t i = 0; i < COUNT(files); i++) {
        struct input *file = &files[i];
        bool raw = i == 1;
        file->container = raw ? NULL : &container_npy;
        struct tensor tensor = {.name = copy_string(i == 2 ? hostile
                                                    : raw  ? ""
                                                           : "w"),
                                .rank = raw ? 1 : 2,
                                .shape = allocate(2, sizeof *tensor.shape),
                                .elements = raw ? ELEMENTS_UNKNOWN : 15};
        assert_true(dtype_find("f16", 3, &tensor.dtype, &error));
        memcpy(tensor.shape, shape, sizeof shape);
        file->tensors = allocate(1, sizeof tensor);
        file->tensors[0] = tensor;
        file->tensor_count = 1;
        file->skipped = allocate(1, sizeof *file->skipped);
        file->skipped[0].name = copy_string(i == 2 ? hostile : "step");
        file->skipped[0].reason = copy_string("not floating point");
        strcpy(file->skipped[0].dtype, i == 2 ? "\x1b[2J" : "i64");
        file->skipped_count = i != 1;
        listing_add(&listing, file);
        assert_int_equal(file->skipped_count, 0);
        if (i == 1) {
            free(file->skipped[0].name);
            free(file->skipped[0].reason);
        }
        free(file->tensors);
        free(file->skipped);
    }
    return listing;
}

static struct buffer render_list(const char *kind, const struct listing *listing,
                                 const struct style *style)
{
    struct sink sink = {.text = {0}};
    output_find(kind)->list(listing, style, &sink);
    return sink.text;
}

static void lists_of_tensors(void **state)
{
    (void)state;
    struct listing listing = sample_listing();
    struct buffer text = render_list("json", &listing, &(struct style){0});
    json_t *root = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    expect_keys(root, "schema tensors skipped");
    assert_string_equal(json_string_value(member(root, "schema")), "precheck-list/1");
    json_t *tensors = member(root, "tensors"), *raw = at(tensors, 1);
    assert_int_equal(json_array_size(tensors), 3);
    for (size_t t = 0; t < 3; t++)
        expect_keys(at(tensors, t), "file name dtype shape elements bytes container");
    assert_int_equal(json_integer_value(member(at(tensors, 0), "bytes")), 30);
    assert_int_equal(json_array_size(member(at(tensors, 0), "shape")), 2);
    assert_string_equal(json_string_value(member(at(tensors, 0), "container")), "npy");
    assert_string_equal(json_string_value(member(raw, "container")), "raw");
    assert_true(json_is_null(member(raw, "shape")) && json_is_null(member(raw, "bytes")));
    assert_int_equal(json_array_size(member(root, "skipped")), 2);
    expect_keys(at(member(root, "skipped"), 0), "file name dtype reason container");
    json_decref(root);
    buffer_free(&text);

    static const int page_widths[] = {40, 80, 200};
    for (size_t w = 0; w < COUNT(page_widths); w++)
        for (unsigned flags = 0; flags < 4; flags++) {
            struct style style = {.width = page_widths[w], .utf8 = flags & 1, .colour = flags & 2};
            text = render_list("text", &listing, &style);
            check_text(&text, &style);
        }
    text = render_list("text", &listing, &(struct style){0});
    expect_in(&text, "\n3 tensors, ? elements, ? bytes; 2 skipped\n");
    expect_in(&text, " a name that is much longer than any line of the page can be, ");
    buffer_free(&text);
    listing_free(&listing);

    text = render_list("text", &listing, &(struct style){0});
    expect_in(&text, "0 tensors, 0 elements, 0 bytes\n");
    buffer_free(&text);
}

static void bits_that_keep_updates(void **state)
{
    (void)state;
    static const struct {
        int precision;
        double threshold, update;
        int bits;
    } cases[] = {
        {8, 0x1p-11, 1e-8, 24},
        {11, 0x1p-14, 1e-8, 24},
        {24, 0x1p-27, 1e-8, 24},
        {8, 0x1p-11, -1e-8, 24},
        {8, 0x1p-8, 0x1p-8, 9}, /* it has to be larger */
        {8, 0x1p-8, 0x1.00001p-8, 8},
        {8, 0x1p-8, 0x1p-7, 8},
        {8, 0x1p-8, 0x1.8p-7, 7},
        {8, 0x1p-8, 1e300, 2},
        {8, 0x1p-8, 0x1.8p-53, 53},
        {8, 0x1p-8, 0x1p-53, 0},
        {8, 0x1p-8, 0, 0},
        {8, INFINITY, 1, 0},
        {24, 0x1p-1074, 0x1p-1074, 25},
        {2, 0x1p1023, 0x1p-1074, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(bits_to_keep(cases[i].precision, cases[i].threshold, cases[i].update),
                         cases[i].bits);
}

static void narrowest_formats(void **state)
{
    (void)state;
    static const struct {
        int precision;
        const char *name;
    } cases[] = {{2, "e2m1"}, {3, "e3m2"}, {4, "e2m3"},  {5, "e3m4"},  {6, "bf16"},
                 {8, "bf16"}, {9, "fp16"}, {11, "fp16"}, {12, "fp32"}, {24, "fp32"}};
    struct format format;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_true(bits_narrowest(cases[i].precision, &format));
        assert_string_equal(format.name, cases[i].name);
    }
    assert_false(bits_narrowest(25, &format));
    assert_string_equal(format.name, "fp32");
}

static void rates(void **state)
{
    (void)state;
    static const struct {
        double rate;
        const char *text;
        enum ink ink;
    } cases[] = {{0, "0 %", INK_GOOD},
                 {0x1p-1074, "<0.01 %", INK_WARN},
                 {0.0001, "0.01 %", INK_WARN},
                 {25.0 / 16384, "0.15 %", INK_WARN},
                 {0.1, "10.00 %", INK_BAD},
                 {0.9997, "99.97 %", INK_BAD},
                 {1 - 0x1p-53, ">99.99 %", INK_BAD},
                 {1, "100 %", INK_BAD}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer text = {0};
        text_rate(&text, cases[i].rate);
        expect_text(&text, cases[i].text);
        assert_int_equal(text_rate_ink(cases[i].rate), cases[i].ink);
    }
}

static void text_says_when_all_is_well(void **state)
{
    (void)state;
    static const double values[] = {1, 2, 4, 0.5};
    const struct sample_tensor tensor = {"x.npy", "", 2, {2, 2}, values};
    struct report report = sample_report("fp16", 0, &tensor, 1);
    sample_gates(&report, "overflow > 0");
    struct buffer text = render("text", &report, &(struct style){.width = 80});
    assert_int_equal(strncmp(text.data, "PASS  1 gate holds\n", 19), 0);
    expect_in(&text, "every finite element keeps its exact value\n");
    expect_in(&text, "fits as it is: all within the normal range\n");
    buffer_free(&text);
    report_free(&report);
}

static void formats_are_listed(void **state)
{
    (void)state;
    for (unsigned flags = 0; flags < 4; flags++) {
        const struct style style = {.width = 80, .utf8 = flags & 1, .colour = flags & 2};
        struct buffer text = {0};
        formats_list(&style, &text);
        for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
            expect_in(&text, format_named(i).name);
        check_text(&text, &style);
    }
}

static void renderers_are_found_by_kind(void **state)
{
    (void)state;
    for (size_t i = 0; output_kind(i); i++)
        assert_string_equal(output_find(output_kind(i))->kind, output_kind(i));
    assert_null(output_find("texts"));
    assert_null(output_find(""));
}

int main(void)
{
    const char *given = getenv("PRECHECK_TEST_SEED");
    test_seed = given ? strtoull(given, NULL, 0) : 20260301;
    print_message("seed %llu (PRECHECK_TEST_SEED)\n", (unsigned long long)test_seed);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_numbers_round_trip),
        cmocka_unit_test(json_numbers_are_the_shortest),
        cmocka_unit_test(json_numbers_are_tidy),
        cmocka_unit_test(numbers_know_no_locale),
        cmocka_unit_test(human_numbers),
        cmocka_unit_test(counts_and_shares),
        cmocka_unit_test(escaping),
        cmocka_unit_test(escapes_are_injective),
        cmocka_unit_test(widths),
        cmocka_unit_test(long_names_lose_their_middle),
        cmocka_unit_test(json_holds_the_report),
        cmocka_unit_test(json_of_edge_cases),
        cmocka_unit_test(json_of_nothing),
        cmocka_unit_test(renderings_come_in_pieces),
        cmocka_unit_test(text_keeps_to_the_page),
        cmocka_unit_test(text_of_updates_keeps_to_the_page),
        cmocka_unit_test(text_of_extremes),
        cmocka_unit_test(text_says_what_happens),
        cmocka_unit_test(text_tells_which_updates_vanish),
        cmocka_unit_test(text_tells_which_bits_keep_updates),
        cmocka_unit_test(text_tells_which_averages_are_stuck),
        cmocka_unit_test(text_of_updates_that_are_not_there),
        cmocka_unit_test(many_tensors_are_ranked),
        cmocka_unit_test(ranks_are_of_figures),
        cmocka_unit_test(tables_of_many_tensors),
        cmocka_unit_test(tables_of_several_files),
        cmocka_unit_test(tables_keep_to_the_page),
        cmocka_unit_test(gates_and_skipped_ones_are_counted),
        cmocka_unit_test(lists_of_tensors),
        cmocka_unit_test(bits_that_keep_updates),
        cmocka_unit_test(narrowest_formats),
        cmocka_unit_test(rates),
        cmocka_unit_test(text_says_when_all_is_well),
        cmocka_unit_test(formats_are_listed),
        cmocka_unit_test(renderers_are_found_by_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
