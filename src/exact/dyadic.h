/* Dyadic numbers, n * 2^k, of any length: from sums to the figures that are no plain means. */
#ifndef PRECHECK_EXACT_DYADIC_H
#define PRECHECK_EXACT_DYADIC_H

#include "exact/sum.h"

struct dyadic;

/* Each makes a new one, which dyadic_free() takes back. */
struct dyadic *dyadic_of_sum(const struct exact_sum *sum);
struct dyadic *dyadic_of_number(struct number a);
struct dyadic *dyadic_of(double x);
void dyadic_free(struct dyadic *a);

void dyadic_add(struct dyadic *a, const struct dyadic *b);      /* a += b */
void dyadic_multiply(struct dyadic *a, const struct dyadic *b); /* a *= b */
int dyadic_sign(const struct dyadic *a);

/* a cut to a number as number_add() cuts, and a sum that is cut only then. */
struct number dyadic_number(const struct dyadic *a);
struct number dyadic_total(const struct number *terms, int count);

/* Each rounded once to binary64. */
double dyadic_quotient(const struct dyadic *a, const struct dyadic *b);      /* a / b, b > 0 */
double dyadic_root_quotient(const struct dyadic *a, const struct dyadic *b); /* sqrt(a / b) */
double dyadic_over_root(const struct dyadic *a, const struct dyadic *b);     /* a / sqrt(b) */

#endif
