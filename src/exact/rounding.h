/* Inside exact/: from integers of any length to binary64, rounded once to nearest even. A result
 * beyond the largest binary64 is an infinity. */
#ifndef PRECHECK_EXACT_ROUNDING_H
#define PRECHECK_EXACT_ROUNDING_H

#include <gmp.h>

#include "exact/sum.h"

/* sum = n * 2^exponent; returns the exponent, an even one. n is as short as whole digits allow. */
long exact_integer(mpz_t n, const struct exact_sum *sum);

/* n / d * 2^exponent, d > 0; n is lost. */
double round_quotient(mpz_t n, const mpz_t d, long exponent);
/* sqrt(n / d * 2^exponent), n >= 0, d > 0 and an even exponent; n is lost. */
double round_root(mpz_t n, const mpz_t d, long exponent);

#endif
