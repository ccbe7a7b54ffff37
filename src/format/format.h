/* A binary floating-point format: what it can hold, and how its codes read. */
#ifndef PRECHECK_FORMAT_FORMAT_H
#define PRECHECK_FORMAT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum specials { SPECIALS_IEEE, SPECIALS_OCP, SPECIALS_FNUZ, SPECIALS_FINITE };

/* A finite number of the format is n * 2^(e - precision + 1) with n < 2^precision and
 * emin <= e <= emax; its largest is max_significand * 2^(emax - precision + 1). */
struct format {
    char name[16];
    int exponent_bits;
    int precision; /* significand bits, with the hidden one */
    int bias;
    int emin, emax;
    uint64_t max_significand;
    enum specials specials;
    int bits;       /* that one element takes in memory: the report's "bits" */
    int code_bytes; /* that one code takes when written: 1, 2, 4 (8 for f64) */
    int code_shift; /* zero bits below a written code: 13 for tf32 in its 32-bit word */
};

enum {
    FORMAT_NAMED_COUNT =
#define FORMAT(...) +1
#include "format/formats.def"
#undef FORMAT
};

/* Row `index` of formats.def. */
struct format format_named(size_t index);
/* Its aliases as "a,b,c", and its name as an element type (NULL where it cannot be one). */
const char *format_aliases(size_t index);
const char *format_dtype(size_t index);

/* By name or alias, or eXmY bound at run time; false with a message when there is no such format.
 */
bool format_find(const char *name, size_t length, struct format *format, struct error *error);

/* The same, and `fp8`, which stands for both of OCP's 8-bit formats: the number of formats, 0 with
 * a message when there is no such name. */
size_t format_find_all(const char *name, size_t length, struct format formats[2],
                       struct error *error);

/* The largest finite value, the smallest normal and the smallest subnormal one. */
double format_max(const struct format *format);
double format_min_normal(const struct format *format);
double format_min_subnormal(const struct format *format);

bool format_has_inf(const struct format *format);
bool format_has_nan(const struct format *format);

/* Codes of the specials, without code_shift. */
uint64_t format_code_inf(const struct format *format, bool negative);
uint64_t format_code_nan(const struct format *format, bool negative);
uint64_t format_code_max(const struct format *format, bool negative);
/* The code of n * 2^exponent, a finite number of the format with n <= 2^precision. */
uint64_t format_code(const struct format *format, bool negative, uint64_t n, int exponent);

/* The value of a code; exact, since binary64 holds every format here. A NaN keeps its sign. */
double format_decode(const struct format *format, uint64_t code);

/* An element type of an input: one of the formats, or binary64. */
struct dtype {
    char name[16];
    struct format format;
    int bytes; /* that one element takes in a file */
};

/* By the names of formats and dtypes; false with a message when there is no such type. */
bool dtype_find(const char *name, size_t length, struct dtype *dtype, struct error *error);

#endif
