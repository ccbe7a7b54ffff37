/* Names and paths come from strangers: how their bytes are written. */
#ifndef PRECHECK_OUTPUT_ESCAPE_H
#define PRECHECK_OUTPUT_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/*
 * A byte that is not part of valid UTF-8 is written \xNN (lower-case hexadecimal), and a backslash
 * that stands before x and two hexadecimal digits is written \x5c. So every \xNN in the result is
 * an escape, and different names stay different. Overlong forms, surrogates and what lies above
 * U+10FFFF are not valid.
 */

/* As a JSON string, with its quotes. The text of above; quotes, backslashes, C0, DEL and C1 are
 * then escaped as JSON has it. */
void escape_json(struct buffer *out, const char *text);

/* On one line of a terminal: also C0, DEL, C1, line separators and the characters that change the
 * direction of text have each of their bytes written \xNN; without `utf8`, all but ASCII. */
void escape_terminal(struct buffer *out, const char *text, bool utf8);
/* Whether that leaves it as it is, but for a backslash. */
bool character_is_plain(uint32_t character, bool utf8);

/* In XML and HTML, for an attribute in double quotes as well as between tags: as on a terminal of
 * UTF-8, with entities for what is markup. */
void escape_markup(struct buffer *out, const char *text);

/* A name that takes more than NAME_MOST characters, with what the above make of it, without its
 * middle; it is still to be escaped. For people: a file may have names of 64 KiB. */
enum { NAME_MOST = 200 };
void name_shorten(struct buffer *out, const char *name);

/* The columns that a character takes, roughly: never fewer than a terminal would use for the
 * scripts that are in use. */
int character_width(uint32_t character);
/* Of valid UTF-8 without controls. */
int text_width(const char *text);

#endif
