/* Characters of UTF-8 (RFC 3629). */
#ifndef PRECHECK_BASE_UTF8_H
#define PRECHECK_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The first character of a string that is not empty: its length in bytes, or 0 where it is not
 * valid UTF-8: overlong forms, surrogates and what lies above U+10FFFF are not. */
size_t utf8_decode(const char *text, uint32_t *character);

#endif
