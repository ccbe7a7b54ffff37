/* The formats: what is derived from formats.def, against the table of REPORT.md typed once more. */
#include "format/cast.h"
#include "format/format.h"
#include "kernel/element.h"

#include <ctype.h>
#include <math.h>

#include "kernel/testing.h"

static const struct {
    const char *name;
    int precision, emin, emax;
    double max;
    enum specials specials;
    int bits, code_bytes, code_shift;
    uint64_t code_inf, code_nan, code_max; /* positive; that of inf where there is one */
    const char *dtype;
} expected[] = {
    {"fp16", 11, -14, 15, 65504, SPECIALS_IEEE, 16, 2, 0, 0x7c00, 0x7e00, 0x7bff, "f16"},
    {"bf16", 8, -126, 127, 0x1.FEp127, SPECIALS_IEEE, 16, 2, 0, 0x7f80, 0x7fc0, 0x7f7f, "bf16"},
    {"e4m3fn", 4, -6, 8, 448, SPECIALS_OCP, 8, 1, 0, 0, 0x7f, 0x7e, "e4m3fn"},
    {"e5m2", 3, -14, 15, 57344, SPECIALS_IEEE, 8, 1, 0, 0x7c, 0x7e, 0x7b, "e5m2"},
    {"e4m3fnuz", 4, -7, 7, 240, SPECIALS_FNUZ, 8, 1, 0, 0, 0x80, 0x7f, "e4m3fnuz"},
    {"e5m2fnuz", 3, -15, 15, 57344, SPECIALS_FNUZ, 8, 1, 0, 0, 0x80, 0x7f, "e5m2fnuz"},
    {"e4m3b11fnuz", 4, -10, 4, 30, SPECIALS_FNUZ, 8, 1, 0, 0, 0x80, 0x7f, "e4m3b11fnuz"},
    {"e4m3ieee", 4, -6, 7, 240, SPECIALS_IEEE, 8, 1, 0, 0x78, 0x7c, 0x77, "e4m3ieee"},
    {"e3m4", 5, -2, 3, 15.5, SPECIALS_IEEE, 8, 1, 0, 0x70, 0x78, 0x6f, "e3m4"},
    {"tf32", 11, -126, 127, 0x1.FFCp127, SPECIALS_IEEE, 32, 4, 13, 0x3fc00, 0x3fe00, 0x3fbff, NULL},
    {"e2m3", 4, 0, 2, 7.5, SPECIALS_FINITE, 6, 1, 0, 0, 0x1f, 0x1f, "e2m3"},
    {"e3m2", 3, -2, 4, 28, SPECIALS_FINITE, 6, 1, 0, 0, 0x1f, 0x1f, "e3m2"},
    {"e2m1", 2, 0, 2, 6, SPECIALS_FINITE, 4, 1, 0, 0, 0x7, 0x7, "e2m1"},
    {"fp32", 24, -126, 127, 0x1.FFFFFEp127, SPECIALS_IEEE, 32, 4, 0, 0x7f800000, 0x7fc00000,
     0x7f7fffff, "f32"},
};

/* One element of the format without code_shift. */
static int code_bits(const struct format *f)
{
    return f->exponent_bits + f->precision;
}

static void test_named_limits(void **state)
{
    (void)state;
    assert_int_equal(FORMAT_NAMED_COUNT, LENGTH(expected));
    for (size_t i = 0; i < LENGTH(expected); i++) {
        struct format f = format_named(i);
        assert_string_equal(f.name, expected[i].name);
        assert_int_equal(f.precision, expected[i].precision);
        assert_int_equal(f.emin, expected[i].emin);
        assert_int_equal(f.emax, expected[i].emax);
        assert_int_equal(f.specials, expected[i].specials);
        assert_int_equal(f.bits, expected[i].bits);
        assert_int_equal(f.code_bytes, expected[i].code_bytes);
        assert_int_equal(f.code_shift, expected[i].code_shift);
        assert_true(format_max(&f) == expected[i].max);
        assert_true(format_min_normal(&f) == ldexp(1, expected[i].emin));
        assert_true(format_min_subnormal(&f) ==
                    ldexp(1, expected[i].emin - expected[i].precision + 1));
    }
}

static void test_named_specials(void **state)
{
    (void)state;
    for (size_t i = 0; i < LENGTH(expected); i++) {
        struct format f = format_named(i);
        uint64_t sign = UINT64_C(1) << (code_bits(&f) - 1);
        bool ieee = expected[i].specials == SPECIALS_IEEE;
        assert_int_equal(format_has_inf(&f), ieee);
        assert_int_equal(format_has_nan(&f), expected[i].specials != SPECIALS_FINITE);
        assert_int_equal(format_code_max(&f, false), expected[i].code_max);
        assert_int_equal(format_code_max(&f, true), expected[i].code_max | sign);
        if (ieee) {
            assert_int_equal(format_code_inf(&f, false), expected[i].code_inf);
            assert_int_equal(format_code_inf(&f, true), expected[i].code_inf | sign);
        }
        assert_int_equal(format_code_nan(&f, false), expected[i].code_nan);
        bool signed_nan = ieee || expected[i].specials == SPECIALS_OCP;
        assert_int_equal(format_code_nan(&f, true), expected[i].code_nan | (signed_nan ? sign : 0));
    }
}

static const struct {
    const char *name, *aliases[6];
} names[] = {
    {"fp16", {"f16", "half", "float16", "binary16", "e5m10"}},
    {"bf16", {"bfloat16", "e8m7"}},
    {"e4m3fn", {"e4m3", "fp8_e4m3", "float8_e4m3fn"}},
    {"e5m2", {"fp8_e5m2", "float8_e5m2"}},
    {"e4m3fnuz", {"float8_e4m3fnuz"}},
    {"e5m2fnuz", {"float8_e5m2fnuz"}},
    {"e4m3b11fnuz", {"float8_e4m3b11fnuz"}},
    {"tf32", {"e8m10"}},
    {"fp32", {"f32", "float32", "e8m23"}},
};

static bool found_as(const char *name, size_t length, struct format *format)
{
    struct error error = {""};
    bool found = format_find(name, length, format, &error);
    if (!found)
        assert_true(*error.text);
    return found;
}

/* As it is, in capitals, in mixed case, and cut out of a longer text. */
static void assert_named(const char *alias, const char *name)
{
    char text[64];
    size_t length = strlen(alias);
    for (int spelling = 0; spelling < 4; spelling++) {
        snprintf(text, sizeof text, "%s%s", alias, spelling == 3 ? "m1" : "");
        for (size_t i = 0; i < length; i++)
            if (spelling == 1 || (spelling == 2 && i % 2))
                text[i] = (char)toupper((unsigned char)text[i]);
        struct format format;
        if (!found_as(text, length, &format))
            fail_msg("no format %s", text);
        assert_string_equal(format.name, name);
    }
}

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
        assert_named(format_named(i).name, format_named(i).name);
    for (size_t i = 0; i < LENGTH(names); i++)
        for (size_t j = 0; names[i].aliases[j]; j++)
            assert_named(names[i].aliases[j], names[i].name);
}

static void test_refused_names(void **state)
{
    static const char *const refused[] = {
        "",
        "e",
        "m",
        "em",
        "e4",
        "e4m",
        "m3",
        "4m3",
        "e1m3",
        "e0m3",
        "e9m1",
        "e10m5",
        "e4m0",
        "e4m24",
        "e8m24",
        "e04m3",
        "e4m03",
        "e00m1",
        "e4m99",
        "e4m100",
        "e100m1",
        " e5m7",
        "e5m7 ",
        "e5m7fn",
        "e5m7.",
        "e5.m7",
        "e+5m7",
        "e-5m7",
        "e5m-7",
        "e5m+7",
        "e5 m7",
        "ee5m7",
        "e5mm7",
        "e5m7m7",
        "fp1",
        "fp16x",
        "fp",
        "f",
        "f16,",
        "f16,half",
        ",",
        "half,",
        "fp64",
        "f64",
        "double",
        "int8",
        "e4m3f",
        "e11m52",
        "nearest",
        "e5m1o",
        "e4294967300m3",
        "e4m4294967299",
    };
    (void)state;
    struct format format;
    for (size_t i = 0; i < LENGTH(refused); i++)
        if (found_as(refused[i], strlen(refused[i]), &format))
            fail_msg("'%s' became %s", refused[i], format.name);
    assert_false(found_as("fp16", 0, &format));
    assert_false(found_as("fp16\0", 5, &format));
    assert_false(found_as("e5\0m7", 5, &format));
    char longest[1000];
    memset(longest, 'e', sizeof longest);
    assert_false(found_as(longest, sizeof longest, &format));
}

/* The ones of the table that a generic name stands for, and what they are called. */
static const char *special_name(int x, int y)
{
    static const struct {
        int x, y;
        const char *name;
    } taken[] = {{5, 10, "fp16"}, {8, 7, "bf16"},  {4, 3, "e4m3fn"}, {5, 2, "e5m2"},
                 {3, 4, "e3m4"},  {8, 10, "tf32"}, {2, 3, "e2m3"},   {3, 2, "e3m2"},
                 {2, 1, "e2m1"},  {8, 23, "fp32"}};
    for (size_t i = 0; i < LENGTH(taken); i++)
        if (taken[i].x == x && taken[i].y == y)
            return taken[i].name;
    return NULL;
}

static void assert_generic(const struct format *f, int x, int y, const char *name)
{
    int bias = (1 << (x - 1)) - 1, bits = 1 + x + y;
    assert_string_equal(f->name, name);
    assert_int_equal(f->specials, SPECIALS_IEEE);
    assert_int_equal(f->exponent_bits, x);
    assert_int_equal(f->precision, y + 1);
    assert_int_equal(f->emin, 1 - bias);
    assert_int_equal(f->emax, bias);
    assert_int_equal(f->bits, bits);
    assert_int_equal(f->code_shift, 0);
    assert_int_equal(f->code_bytes, bits <= 8 ? 1 : bits <= 16 ? 2 : 4);
    assert_true(format_max(f) == ldexp(2 - ldexp(1, -y), bias));
}

static void test_generic(void **state)
{
    (void)state;
    for (int x = 0; x <= 20; x++)
        for (int y = 0; y <= 40; y++) {
            char name[16];
            struct format format;
            int length = snprintf(name, sizeof name, "e%dm%d", x, y);
            bool found = found_as(name, (size_t)length, &format);
            assert_int_equal(found, x >= 2 && x <= 8 && y >= 1 && y <= 23);
            if (found && special_name(x, y))
                assert_string_equal(format.name, special_name(x, y));
            else if (found)
                assert_generic(&format, x, y, name);
        }
    struct format format = format_by_name("E6M9");
    assert_string_equal(format.name, "e6m9");
}

/* Neighbouring numbers differ by the quantum of the lower one's binade; with the two ends, that
 * fixes every value without decoding once more. */
static void assert_values(const struct format *f)
{
    uint64_t sign = UINT64_C(1) << (code_bits(f) - 1);
    double before = format_decode(f, 0);
    assert_true(before == 0 && !signbit(before));
    for (uint64_t code = 1; code <= format_code_max(f, false); code++) {
        int exponent = before == 0 ? f->emin : ilogb(before);
        double quantum = ldexp(1, (exponent > f->emin ? exponent : f->emin) - f->precision + 1);
        double value = format_decode(f, code);
        assert_true(value - before == quantum);
        assert_true(format_decode(f, code | sign) == -value);
        before = value;
    }
    assert_true(before == format_max(f));
    double minus = format_decode(f, sign);
    if (f->specials == SPECIALS_FNUZ)
        assert_true(isnan(minus));
    else
        assert_true(minus == 0 && signbit(minus));
}

static int class_of(const struct format *f, double value)
{
    if (isnan(value))
        return CLASS_NAN;
    if (isinf(value))
        return CLASS_INF;
    if (value == 0)
        return CLASS_ZERO;
    return fabs(value) < format_min_normal(f) ? CLASS_SUBNORMAL : CLASS_NORMAL;
}

/* decode, cast, encode gives the code again, a NaN the canonical one with its sign. */
static void assert_round_trip(const struct format *f)
{
    struct cast cast = {.format = *f};
    for (uint64_t code = 0; code < UINT64_C(1) << code_bits(f); code++) {
        double value = format_decode(f, code);
        bool negative = signbit(value);
        uint64_t wanted = isnan(value) ? format_code_nan(f, negative) : code;
        if (isinf(value))
            assert_int_equal(code, format_code_inf(f, negative));
        for (int rounding = 0; rounding < ROUND_COUNT; rounding++) {
            cast.rounding = (enum rounding)rounding;
            struct outcome outcome = cast_element(&cast, value, code);
            uint64_t got = outcome_code(&cast, &outcome);
            if (got != wanted << f->code_shift || (int)outcome.class != class_of(f, value))
                fail_msg("%s: code 0x%llx, %a, came back as 0x%llx, class %d", f->name,
                         (unsigned long long)code, value, (unsigned long long)got, outcome.class);
        }
    }
}

static void test_round_trips_of_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++) {
        struct format f = format_named(i);
        if (code_bits(&f) > 19)
            continue;
        assert_values(&f);
        assert_round_trip(&f);
    }
}

static void test_round_trips_of_generic(void **state)
{
    (void)state;
    for (int x = 2; x <= 8; x++)
        for (int y = 1; 1 + x + y <= 16; y++) {
            char name[16];
            snprintf(name, sizeof name, "e%dm%d", x, y);
            struct format f = format_by_name(name);
            assert_values(&f);
            assert_round_trip(&f);
        }
}

/* The patterns of NaN that no code word is: any of them becomes the canonical one. */
static void test_nan_of_any_payload(void **state)
{
    (void)state;
    struct dice dice = dice_for("nan");
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++) {
        struct cast cast = {.format = format_named(i)};
        for (int round = 0; round < 100; round++) {
            uint64_t payload = dice_u64(&dice) >> 12 | (uint64_t)(round == 0);
            bool negative = round % 2;
            double nan =
                double_from_bits((uint64_t)negative << 63 | UINT64_C(0x7ff) << 52 | payload);
            struct outcome outcome = cast_element(&cast, nan, 0);
            assert_int_equal(outcome.class, payload ? CLASS_NAN : CLASS_INF);
            if (payload)
                assert_int_equal(outcome_code(&cast, &outcome),
                                 format_code_nan(&cast.format, negative) << cast.format.code_shift);
        }
    }
}

static void test_dtypes(void **state)
{
    static const struct {
        const char *alias, *name;
        int bytes;
    } found[] = {
        {"f64", "f64", 8},          {"double", "f64", 8},    {"FLOAT64", "f64", 8},
        {"f32", "f32", 4},          {"fp32", "f32", 4},      {"float32", "f32", 4},
        {"f16", "f16", 2},          {"fp16", "f16", 2},      {"half", "f16", 2},
        {"bf16", "bf16", 2},        {"bfloat16", "bf16", 2}, {"e4m3", "e4m3fn", 1},
        {"float8_e5m2", "e5m2", 1},
    };
    static const char *const refused[] = {"", "tf32", "e8m10", "e5m7", "f8", "i32", "f32 ", "f"};
    (void)state;
    struct dtype dtype;
    struct error error;
    for (size_t i = 0; i < LENGTH(found); i++) {
        if (!dtype_find(found[i].alias, strlen(found[i].alias), &dtype, &error))
            fail_msg("%s", error.text);
        assert_string_equal(dtype.name, found[i].name);
        assert_int_equal(dtype.bytes, found[i].bytes);
    }
    for (size_t i = 0; i < LENGTH(refused); i++)
        assert_false(dtype_find(refused[i], strlen(refused[i]), &dtype, &error));
    for (size_t i = 0; i < LENGTH(expected); i++) {
        bool is_one = dtype_find(expected[i].name, strlen(expected[i].name), &dtype, &error);
        assert_int_equal(is_one, expected[i].dtype != NULL);
        if (!is_one)
            continue;
        assert_string_equal(dtype.name, expected[i].dtype);
        assert_int_equal(dtype.bytes, expected[i].code_bytes);
        assert_string_equal(dtype.format.name, expected[i].name);
    }
}

/* A binary64 comes back from its own bits: that format is a source only. */
static void test_binary64(void **state)
{
    (void)state;
    struct dtype dtype;
    struct error error;
    assert_true(dtype_find("f64", 3, &dtype, &error));
    struct dice dice = dice_for("binary64");
    for (int round = 0; round < 10000; round++) {
        double value = double_from_bits(dice_u64(&dice));
        double decoded = format_decode(&dtype.format, double_bits(value));
        assert_true(isnan(value) ? isnan(decoded) : double_bits(value) == double_bits(decoded));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_named_limits),
        cmocka_unit_test(test_named_specials),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_refused_names),
        cmocka_unit_test(test_generic),
        cmocka_unit_test(test_round_trips_of_named),
        cmocka_unit_test(test_round_trips_of_generic),
        cmocka_unit_test(test_nan_of_any_payload),
        cmocka_unit_test(test_dtypes),
        cmocka_unit_test(test_binary64),
    };
    print_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
