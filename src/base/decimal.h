/* Numbers in decimal, without printf: it is slow, and its decimal point is the locale's. */
#ifndef PRECHECK_BASE_DECIMAL_H
#define PRECHECK_BASE_DECIMAL_H

#include <stdint.h>

#include "base/buffer.h"

enum { DECIMAL_DIGITS = 20 }; /* the most of 64 bits */

/* Returns how many there are; no NUL follows. */
size_t decimal_digits(char digits[DECIMAL_DIGITS], uint64_t number);

/* The shortest decimal that reads back as the same binary64, the nearest of these: whole numbers
 * below 10^15 in full, else as %g has it, without a plus sign and zeros that tell nothing. Both
 * zeros are 0, an infinity is inf or -inf, and what is no number nan. */
void decimal_put(struct buffer *out, double value);

#endif
