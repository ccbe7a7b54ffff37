/* From exact sums to the figures of a report: each is the exact result rounded once to binary64, to
 * nearest even. A result beyond the largest binary64 is an infinity. */
#ifndef PRECHECK_EXACT_FIGURE_H
#define PRECHECK_EXACT_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "exact/sum.h"

bool exact_is_zero(const struct exact_sum *sum);
/* sum / n, n > 0 */
double exact_mean(const struct exact_sum *sum, uint64_t n);
/* sqrt(sum / n), sum >= 0, n > 0 */
double exact_root_mean(const struct exact_sum *sum, uint64_t n);
/* sqrt(a / b), a >= 0, b > 0 */
double exact_root_ratio(const struct exact_sum *a, const struct exact_sum *b);
/* 10 log10(a / b), a > 0, b > 0 */
double exact_decibel(const struct exact_sum *a, const struct exact_sum *b);
/* As a hexadecimal float of as many digits as it needs; the caller frees. */
char *exact_hex(const struct exact_sum *sum);

/* Frees what MPFR has put aside for the calling thread: before that ends. */
void exact_leave_thread(void);

#endif
