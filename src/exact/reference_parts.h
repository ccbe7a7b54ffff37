/* Inside exact/: what the reference is made of. */
#ifndef PRECHECK_EXACT_REFERENCE_PARTS_H
#define PRECHECK_EXACT_REFERENCE_PARTS_H

#include <mpfr.h>

#include "base/random.h"
#include "exact/reference.h"

/* Ends the program where MPFR's answer was rounded. */
void must_be_exact(int ternary);
/* The same for whatever else must hold. */
void must_hold(bool condition, const char *what);

/* to = a + b and so on, never rounded: `to`, which may be one of the others, grows as it has to. */
void exactly_add(mpfr_t to, const mpfr_t a, const mpfr_t b);
void exactly_subtract(mpfr_t to, const mpfr_t a, const mpfr_t b);
void exactly_multiply(mpfr_t to, const mpfr_t a, const mpfr_t b);

/* The cast of a number: q, another variable, takes what is delivered, a NaN or an infinity
 * included. Stochastic rounding takes the draw. */
void reference_cast_number(mpfr_t q, enum class *class, const struct cast *cast, const mpfr_t x,
                           const struct random_draw *draw);
/* The cast of an element of a tensor. */
void reference_cast_element(mpfr_t q, enum class *class, const struct cast *cast, double x,
                            uint64_t element);

/* As a binary64, rounded once: MPFR rounds to 53 bits in binary64's exponent range, subnormals
 * included. `ternary` is that of a 53-bit result. */
double reference_settle(mpfr_t value, int ternary);
/* a / b, sqrt(a / b) with a >= 0, and a / sqrt(b), as binary64s, rounded once; b > 0. */
double reference_ratio(const mpfr_t a, const mpfr_t b);
double reference_root_ratio(const mpfr_t a, const mpfr_t b);
double reference_over_root(const mpfr_t a, const mpfr_t b);
/* part / all; NaN where all is 0. */
double reference_rate(uint64_t part, uint64_t all);

#endif
