/* Numbers as text, the same in every locale. */
#ifndef PRECHECK_OUTPUT_NUMBER_H
#define PRECHECK_OUTPUT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

/* A JSON number that reads back as the same binary64, as short as can be; both zeros are 0, an
 * infinity is the string "inf" or "-inf". */
void number_json(struct buffer *out, double value);
/* The same where there are no strings: an infinity is inf or -inf. See decimal_put(). */
void number_exact(struct buffer *out, double value);

/* For people: four significant digits; whole numbers below ten million in full. */
void number_human(struct buffer *out, double value);
/* The same, but a power of two that would need an exponent or many digits as 2^-14. */
void number_power(struct buffer *out, double value);
/* 2^exponent as 2^-14. */
void number_exponent(struct buffer *out, int exponent);
/* -14 */
void number_signed(struct buffer *out, int number);
/* 16384, and 16,384 */
void number_plain(struct buffer *out, uint64_t count);
/* 16384, 3, 0 */
void number_list(struct buffer *out, const uint64_t *counts, size_t count);
void number_count(struct buffer *out, uint64_t count);
/* "1 tensor", "16,384 tensors" */
void number_counted(struct buffer *out, uint64_t count, const char *one, const char *many);
/* Two decimals, as far as there are fewer than four digits before them. */
void number_decibels(struct buffer *out, double value);
/* `part` of `whole` as "6.25 %". Only nothing is "0 %" and only all is "100 %"; what comes closer
 * than two decimals tell is "<0.01 %" or ">99.99 %". */
void number_share(struct buffer *out, uint64_t part, uint64_t whole);

/* Whether 2^exponent is a binary64 number. */
bool number_holds_power(int exponent);

#endif
