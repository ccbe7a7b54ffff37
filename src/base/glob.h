/*
 * Patterns of names, as shells have them. The whole name has to match.
 *   *       any characters, also none; dots and slashes too
 *   ?       one character
 *   [a-z]   one of these characters, [!a-z] or [^a-z] one of the others; a ] that comes first is
 *           one of them
 *   \c      the character c
 * A character is one of UTF-8; a byte that is not part of one stands for itself.
 */
#ifndef PRECHECK_BASE_GLOB_H
#define PRECHECK_BASE_GLOB_H

#include <stdbool.h>

#include "base/error.h"

/* False with a message for a pattern that means nothing. */
bool glob_valid(const char *pattern, struct error *error);

/* In time proportional to the product of the lengths at most. A pattern that ends within brackets
 * or after a backslash matches nothing. */
bool glob_matches(const char *pattern, const char *name);

#endif
