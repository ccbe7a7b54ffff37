#include "input/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"

enum { NOTHING = -1 }; /* no byte: the text has ended, or could not be read */

/* The number of the next byte that is not consumed. */
static uint64_t position(const struct json *json)
{
    return json->offset - (json->length - json->used);
}

bool json_fail(struct json *json, const char *format, ...)
{
    char message[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (!json->failed) /* what went wrong first is what is wrong */
        fail(json->error, "%s, byte %" PRIu64 ": %s", json->what, json->at, message);
    json->failed = true;
    return false;
}

/* As json_fail, of the next byte. */
static bool wrong(struct json *json, const char *message)
{
    json->at = position(json);
    if (json->at < json->end)
        return json_fail(json, "%s", message);
    return json_fail(json, "%s, but the text ends", message);
}

static bool refill(struct json *json)
{
    uint64_t left = json->end - json->offset;
    size_t count = left < sizeof json->piece ? (size_t)left : sizeof json->piece;
    if (json->failed || count == 0)
        return false;
    if (!json->read(json->context, json->offset, json->piece, count, json->error)) {
        json->failed = true;
        return false;
    }
    json->offset += count;
    json->length = count;
    json->used = 0;
    return true;
}

/* The next byte, not consumed. */
static int look(struct json *json)
{
    return json->used < json->length || refill(json) ? json->piece[json->used] : NOTHING;
}

static bool accept(struct json *json, char character)
{
    if (look(json) != (unsigned char)character)
        return false;
    json->used++;
    return true;
}

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

/* The next byte that is no white space. */
static int peek(struct json *json)
{
    int byte = look(json);
    while (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t') {
        json->used++;
        byte = look(json);
    }
    return byte;
}

static void text_clear(struct json *json)
{
    json->text.length = 0;
    buffer_add(&json->text, "", 0);
}

static bool text_add(struct json *json, const void *bytes, size_t count)
{
    if (json->skipping)
        return true;
    if (count > json->text_limit - json->text.length)
        return json_fail(json, "a text of more than %zu bytes", json->text_limit);
    buffer_add(&json->text, bytes, count);
    return true;
}

/* Strings. */

static bool add_character(struct json *json, uint32_t code)
{
    unsigned char utf8[4];
    size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[5] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = count - 1; i > 0; i--, code >>= 6)
        utf8[i] = (unsigned char)(0x80 | (code & 0x3F));
    utf8[0] = (unsigned char)(lead[count] | code);
    return text_add(json, utf8, count);
}

/* Bytes that stand for themselves. */
static bool take_plain(struct json *json)
{
    size_t end = json->used;
    while (end < json->length && json->piece[end] >= 0x20 && json->piece[end] < 0x80 &&
           json->piece[end] != '"' && json->piece[end] != '\\')
        end++;
    const unsigned char *run = json->piece + json->used;
    size_t count = end - json->used;
    json->used = end;
    return text_add(json, run, count);
}

static bool is_surrogate(uint32_t code)
{
    return code >= 0xD800 && code <= 0xDFFF;
}

/* A character beyond ASCII: RFC 3629. */
static bool take_utf8(struct json *json)
{
    static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
    uint32_t lead = (uint32_t)look(json);
    unsigned more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    if (lead < 0xC0 || lead > 0xF7)
        return wrong(json, "a byte that is not UTF-8");
    uint32_t code = lead & (0x3Fu >> more);
    json->used++;
    for (unsigned i = 0; i < more; i++) {
        int byte = look(json);
        if (byte == NOTHING || (byte & 0xC0) != 0x80)
            return wrong(json, "a character that is not UTF-8");
        code = code << 6 | ((uint32_t)byte & 0x3F);
        json->used++;
    }
    if (code < least[more] || code > 0x10FFFF || is_surrogate(code))
        return wrong(json, "a character that is not UTF-8");
    return add_character(json, code);
}

static int hex_value(int byte)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *digit = byte > 0 ? strchr(digits, byte) : NULL;
    return digit ? (int)(digit - digits) % 16 : NOTHING;
}

static bool take_hex(struct json *json, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        int value = hex_value(look(json));
        if (value == NOTHING)
            return wrong(json, "four hexadecimal digits expected");
        *code = *code << 4 | (uint32_t)value;
        json->used++;
    }
    return true;
}

/* What follows \u: a character of the BMP, or both halves of a surrogate pair. */
static bool take_code(struct json *json)
{
    uint32_t code, low;
    if (!take_hex(json, &code))
        return false;
    if (!is_surrogate(code))
        return add_character(json, code);
    if (code >= 0xDC00 || !accept(json, '\\') || !accept(json, 'u'))
        return wrong(json, "half of a surrogate pair");
    if (!take_hex(json, &low))
        return false;
    if (low < 0xDC00 || !is_surrogate(low))
        return wrong(json, "half of a surrogate pair");
    return add_character(json, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
}

static bool take_escape(struct json *json)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    json->used++;
    if (accept(json, 'u'))
        return take_code(json);
    int byte = look(json);
    const char *name = byte > 0 ? strchr(names, byte) : NULL;
    if (!name)
        return wrong(json, "no such escape");
    json->used++;
    return text_add(json, &values[name - names], 1);
}

static bool take_string(struct json *json)
{
    if (!accept(json, '"'))
        return wrong(json, "'\"' expected");
    text_clear(json);
    for (;;) {
        if (!take_plain(json))
            return false;
        int byte = look(json);
        if (accept(json, '"'))
            return true;
        if (byte == NOTHING)
            return wrong(json, "'\"' expected");
        if (byte < 0x20)
            return wrong(json, "a control character in a string");
        if (byte == '\\' ? !take_escape(json) : byte >= 0x80 && !take_utf8(json))
            return false;
    }
}

/* Numbers and literals. */

static bool take_byte(struct json *json)
{
    char byte = (char)look(json);
    json->used++;
    return text_add(json, &byte, 1);
}

static bool take_digits(struct json *json)
{
    if (!is_digit(look(json)))
        return wrong(json, "a digit expected");
    while (is_digit(look(json)))
        if (!take_byte(json))
            return false;
    return true;
}

static bool take_number(struct json *json)
{
    text_clear(json);
    if (look(json) == '-' && !take_byte(json))
        return false;
    /* A zero stands alone: digits behind it are no part of the number, nor of anything else. */
    if (look(json) == '0' ? !take_byte(json) : !take_digits(json))
        return false;
    if (look(json) == '.' && !(take_byte(json) && take_digits(json)))
        return false;
    if (look(json) != 'e' && look(json) != 'E')
        return true;
    if (!take_byte(json))
        return false;
    if ((look(json) == '+' || look(json) == '-') && !take_byte(json))
        return false;
    return take_digits(json);
}

static bool take_literal(struct json *json)
{
    static const char *const literals[] = {"true", "false", "null"};
    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
        const char *at = literals[i];
        if (look(json) != *at)
            continue;
        while (*at && accept(json, *at))
            at++;
        if (*at == '\0')
            return true;
        break;
    }
    return wrong(json, "a value expected");
}

/* The grammar. */

static enum json_token wrong_token(struct json *json, const char *message)
{
    wrong(json, message);
    return JSON_FAILED;
}

static bool in_object(const struct json *json)
{
    return json->objects & 1;
}

static enum json_token open_container(struct json *json, bool object)
{
    if (json->depth == JSON_DEPTH_LIMIT) {
        json_fail(json, "more than %d levels", JSON_DEPTH_LIMIT);
        return JSON_FAILED;
    }
    json->used++;
    json->depth++;
    json->objects = json->objects << 1 | object;
    json->place = JSON_PLACE_FIRST;
    return object ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_token close_container(struct json *json)
{
    enum json_token token = in_object(json) ? JSON_OBJECT_END : JSON_ARRAY_END;
    json->used++;
    json->depth--;
    json->objects >>= 1;
    json->place = JSON_PLACE_NEXT;
    return token;
}

static enum json_token next_value(struct json *json)
{
    int byte = look(json);
    if (byte == '{' || byte == '[')
        return open_container(json, byte == '{');
    json->place = JSON_PLACE_NEXT;
    if (byte == '"')
        return take_string(json) ? JSON_STRING : JSON_FAILED;
    if (byte == '-' || is_digit(byte))
        return take_number(json) ? JSON_NUMBER : JSON_FAILED;
    return take_literal(json) ? JSON_LITERAL : JSON_FAILED;
}

static enum json_token next_key(struct json *json)
{
    if (look(json) != '"')
        return wrong_token(json, "a key expected");
    if (!take_string(json))
        return JSON_FAILED;
    peek(json);
    if (!accept(json, ':'))
        return wrong_token(json, "':' expected");
    json->place = JSON_PLACE_VALUE;
    return JSON_KEY;
}

/* The comma before what comes next, or the end of what it would be in. */
static enum json_token next_in_sequence(struct json *json)
{
    int byte = look(json);
    if (json->depth == 0) {
        if (byte == NOTHING && !json->failed)
            return JSON_END;
        return wrong_token(json, "something behind the value");
    }
    if (byte == (in_object(json) ? '}' : ']'))
        return close_container(json);
    if (json->place == JSON_PLACE_NEXT) {
        if (!accept(json, ','))
            return wrong_token(json,
                               in_object(json) ? "',' or '}' expected" : "',' or ']' expected");
        peek(json);
        json->at = position(json);
    }
    return in_object(json) ? next_key(json) : next_value(json);
}

enum json_token json_next(struct json *json)
{
    peek(json);
    json->at = position(json);
    return json->place == JSON_PLACE_VALUE ? next_value(json) : next_in_sequence(json);
}

bool json_expect(struct json *json, enum json_token token, const char *what)
{
    return json_next(json) == token || json_fail(json, "%s expected", what);
}

bool json_skip(struct json *json)
{
    unsigned depth = json->depth;
    enum json_token token;
    json->skipping = true;
    do
        token = json_next(json);
    while (token != JSON_FAILED && json->depth > depth);
    json->skipping = false;
    return token != JSON_FAILED;
}

bool json_whole(const struct json *json, uint64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < json->text.length; i++) {
        int digit = json->text.data[i];
        if (!is_digit(digit) || !checked_multiply(*number, 10, number) ||
            !checked_add(*number, (uint64_t)(digit - '0'), number))
            return false;
    }
    return true;
}

bool json_has_no_nul(struct json *json)
{
    return strlen(json->text.data) == json->text.length || json_fail(json, "a NUL in a name");
}

void json_close(struct json *json)
{
    buffer_free(&json->text);
}
