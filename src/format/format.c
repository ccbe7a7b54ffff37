#include "format/format.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { STANDARD = -1 };

struct row {
    const char *name;
    const char *dtype;
    int exponent_bits, fraction_bits, bias;
    enum specials specials;
    int bits;
    const char *aliases;
};

static const struct row rows[] = {
#define FORMAT(name, dtype, x, y, bias, specials, bits, aliases) \
    {name, dtype, x, y, bias, SPECIALS_##specials, bits, aliases},
#include "format/formats.def"
#undef FORMAT
};

/* Not a target: it is what every source fits into. */
static const struct row binary64 = {
    "f64", "f64", 11, 52, STANDARD, SPECIALS_IEEE, 64, "fp64,float64,double,binary64,e11m52"};

static int smallest_word(int bits)
{
    return bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8;
}

static struct format derive(const struct row *row)
{
    struct format f = {.exponent_bits = row->exponent_bits,
                       .precision = row->fraction_bits + 1,
                       .specials = row->specials,
                       .bits = row->bits,
                       .code_bytes = smallest_word(row->bits)};
    snprintf(f.name, sizeof f.name, "%s", row->name);

    int top = (1 << f.exponent_bits) - 1; /* the largest exponent field */
    f.bias = (1 << (f.exponent_bits - 1)) - 1 + (f.specials == SPECIALS_FNUZ);
    if (row->bias != STANDARD)
        f.bias = row->bias;
    f.emin = 1 - f.bias;
    f.emax = top - f.bias - (f.specials == SPECIALS_IEEE);
    f.max_significand = (UINT64_C(1) << f.precision) - 1 - (f.specials == SPECIALS_OCP);

    f.code_shift = f.bits - (1 + f.exponent_bits + row->fraction_bits);
    return f;
}

struct format format_named(size_t index)
{
    return derive(&rows[index]);
}

const char *format_aliases(size_t index)
{
    return rows[index].aliases;
}

const char *format_dtype(size_t index)
{
    return rows[index].dtype;
}

static bool same_name(const char *a, size_t a_length, const char *b, size_t b_length)
{
    if (a_length != b_length)
        return false;
    for (size_t i = 0; i < a_length; i++)
        if (tolower((unsigned char)a[i]) != b[i])
            return false;
    return true;
}

static bool answers_to(const struct row *row, const char *name, size_t length)
{
    if (same_name(name, length, row->name, strlen(row->name)))
        return true;
    for (const char *alias = row->aliases; *alias;) {
        size_t alias_length = strcspn(alias, ",");
        if (same_name(name, length, alias, alias_length))
            return true;
        alias += alias_length + (alias[alias_length] == ',');
    }
    return false;
}

/* One or two digits, no leading zero. */
static const char *read_width(const char *at, const char *end, int *width)
{
    if (at == end || !isdigit((unsigned char)*at) || *at == '0')
        return NULL;
    *width = *at++ - '0';
    if (at != end && isdigit((unsigned char)*at))
        *width = *width * 10 + (*at++ - '0');
    return at;
}

static bool generic(const char *name, size_t length, struct row *row)
{
    const char *at = name, *end = name + length;
    int x, y;
    if (at == end || tolower((unsigned char)*at++) != 'e' || !(at = read_width(at, end, &x)) ||
        at == end || tolower((unsigned char)*at++) != 'm' || !(at = read_width(at, end, &y)) ||
        at != end || x < 2 || x > 8 || y > 23)
        return false;
    *row = (struct row){"", NULL, x, y, STANDARD, SPECIALS_IEEE, 1 + x + y, ""};
    return true;
}

bool format_find(const char *name, size_t length, struct format *format, struct error *error)
{
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
        if (answers_to(&rows[i], name, length)) {
            *format = derive(&rows[i]);
            return true;
        }
    struct row row;
    if (!generic(name, length, &row))
        return fail(error, "unknown format '%.*s' (--formats lists them)",
                    (int)(length < 40 ? length : 40), name);
    *format = derive(&row);
    snprintf(format->name, sizeof format->name, "e%dm%d", row.exponent_bits, row.fraction_bits);
    return true;
}

size_t format_find_all(const char *name, size_t length, struct format formats[2],
                       struct error *error)
{
    if (!same_name(name, length, "fp8", 3))
        return format_find(name, length, &formats[0], error);
    return format_find("e4m3fn", 6, &formats[0], error) &&
                   format_find("e5m2", 4, &formats[1], error)
               ? 2
               : 0;
}

double format_max(const struct format *f)
{
    return ldexp((double)f->max_significand, f->emax - f->precision + 1);
}

double format_min_normal(const struct format *f)
{
    return ldexp(1, f->emin);
}

double format_min_subnormal(const struct format *f)
{
    return ldexp(1, f->emin - f->precision + 1);
}

bool format_has_inf(const struct format *f)
{
    return f->specials == SPECIALS_IEEE;
}

bool format_has_nan(const struct format *f)
{
    return f->specials != SPECIALS_FINITE;
}

static uint64_t sign_bit(const struct format *f, bool negative)
{
    return (uint64_t)negative << (f->exponent_bits + f->precision - 1);
}

static uint64_t top_exponent(const struct format *f)
{
    return ((UINT64_C(1) << f->exponent_bits) - 1) << (f->precision - 1);
}

uint64_t format_code_inf(const struct format *f, bool negative)
{
    return sign_bit(f, negative) | top_exponent(f);
}

uint64_t format_code_nan(const struct format *f, bool negative)
{
    switch (f->specials) {
    case SPECIALS_IEEE: /* quiet: the first bit of the trailing significand is set */
        return sign_bit(f, negative) | top_exponent(f) | UINT64_C(1) << (f->precision - 2);
    case SPECIALS_OCP:
        return sign_bit(f, negative) | (sign_bit(f, true) - 1);
    case SPECIALS_FNUZ:
        return sign_bit(f, true);
    case SPECIALS_FINITE:
        break;
    }
    return format_code_max(f, false);
}

uint64_t format_code_max(const struct format *f, bool negative)
{
    return format_code(f, negative, f->max_significand, f->emax - f->precision + 1);
}

uint64_t format_code(const struct format *f, bool negative, uint64_t n, int exponent)
{
    if (n == 0)
        return f->specials == SPECIALS_FNUZ ? 0 : sign_bit(f, negative);
    /* The hidden bit, where n has it, adds one to the exponent field; n = 2^precision adds two. So
     * one formula serves subnormal and normal numbers. */
    uint64_t steps = (uint64_t)(exponent - (f->emin - f->precision + 1));
    return sign_bit(f, negative) | (n + (steps << (f->precision - 1)));
}

double format_decode(const struct format *f, uint64_t code)
{
    uint64_t hidden = UINT64_C(1) << (f->precision - 1);
    bool negative = code & sign_bit(f, true);
    uint64_t magnitude = code & (sign_bit(f, true) - 1);
    uint64_t field = magnitude >> (f->precision - 1);
    uint64_t fraction = magnitude & (hidden - 1);
    uint64_t sign64 = (uint64_t)negative << 63;

    bool inf = f->specials == SPECIALS_IEEE && magnitude == top_exponent(f);
    bool nan = (f->specials == SPECIALS_IEEE && magnitude > top_exponent(f)) ||
               (f->specials == SPECIALS_OCP && magnitude == sign_bit(f, true) - 1) ||
               (f->specials == SPECIALS_FNUZ && code == sign_bit(f, true));
    if (inf || nan)
        return double_from_bits(sign64 | UINT64_C(0x7ff) << 52 | (uint64_t)nan << 51);

    int exponent = f->emin - f->precision + 1;
    if (field) {
        exponent += (int)field - 1;
        fraction |= hidden;
    }
    double value = ldexp((double)fraction, exponent);
    return double_from_bits(double_bits(value) | sign64);
}

static bool dtype_of(const struct row *row, struct dtype *dtype)
{
    if (!row->dtype)
        return false;
    *dtype = (struct dtype){.format = derive(row), .bytes = smallest_word(row->bits)};
    snprintf(dtype->name, sizeof dtype->name, "%s", row->dtype);
    return true;
}

bool dtype_find(const char *name, size_t length, struct dtype *dtype, struct error *error)
{
    if (answers_to(&binary64, name, length))
        return dtype_of(&binary64, dtype);
    for (size_t i = 0; i < FORMAT_NAMED_COUNT; i++)
        if (answers_to(&rows[i], name, length) && dtype_of(&rows[i], dtype))
            return true;
    return fail(error, "unknown element type '%.*s'", (int)(length < 40 ? length : 40), name);
}
