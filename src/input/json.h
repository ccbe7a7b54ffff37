/* A pull parser for JSON (RFC 8259), for texts from strangers: one token after the other, in memory
 * that grows with neither the text nor its nesting. It accepts what the grammar has and nothing
 * else: no comments, no trailing commas, UTF-8 only, no half of a surrogate pair. */
#ifndef PRECHECK_INPUT_JSON_H
#define PRECHECK_INPUT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

enum {
    JSON_DEPTH_LIMIT = 64,
    JSON_PIECE = 16384,
    JSON_NAME_LIMIT = 65536 /* a text_limit that is enough for names */
};

enum json_token {
    JSON_FAILED, /* the error says why */
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY, /* of an object: its value comes next */
    JSON_STRING,
    JSON_NUMBER,
    JSON_LITERAL, /* true, false, null */
    JSON_END      /* of the text, after its one value */
};

enum json_place { JSON_PLACE_VALUE, JSON_PLACE_FIRST, JSON_PLACE_NEXT };

struct json {
    /* The caller's. The text is bytes `offset` .. `end - 1` of whatever `read` reads, which is
     * asked for exactly `count` of them, in order, and fails with a message. */
    bool (*read)(void *context, uint64_t offset, void *to, size_t count, struct error *error);
    void *context;
    uint64_t offset, end;
    const char *what;  /* the text is, as messages begin */
    size_t text_limit; /* bytes of a string, a key, or a number; may change between tokens */
    struct error *error;

    /* Of the last token: where it begins, and what a key, a string (decoded; there may be a NUL in
     * it) or a number is. Overwritten by the next one. */
    uint64_t at;
    struct buffer text;

    /* The parser's; zero at first. */
    size_t length, used; /* of the piece, which ends at `offset` */
    bool failed;
    bool skipping; /* texts are checked and not kept */
    enum json_place place;
    unsigned depth;
    uint64_t objects; /* bit d: the container d levels above the innermost is an object */
    unsigned char piece[JSON_PIECE];
};

/* Frees what the parser owns. */
void json_close(struct json *json);

enum json_token json_next(struct json *json);

/* Takes the next token, which is to be this one: else fails with "WHAT expected". */
bool json_expect(struct json *json, enum json_token token, const char *what);

/* Skips the value that comes next, however deep. */
bool json_skip(struct json *json);

/* The last token's text, as a number below 2^64: false, without a message, where it is negative,
 * has a fraction or an exponent, or is larger. */
bool json_whole(const struct json *json, uint64_t *number);

/* Whether the last token's text is a string of C: fails where there is a NUL in it. */
bool json_has_no_nul(struct json *json);

/* "WHAT, byte N: MESSAGE", where the last token begins at byte N; returns false. */
bool json_fail(struct json *json, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
