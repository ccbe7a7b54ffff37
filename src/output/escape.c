#include "output/escape.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "base/utf8.h"

struct range {
    uint32_t first, last;
};

static bool within(const struct range *ranges, size_t count, uint32_t character)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

#define WITHIN(ranges, character) within(ranges, sizeof(ranges) / sizeof(ranges)[0], character)

static const struct range controls[] = {{0x00, 0x1f}, {0x7f, 0x9f}};

/* Line separators, and what changes the direction of the text that follows. */
static const struct range unruly[] = {
    {0x061c, 0x061c}, {0x200e, 0x200f}, {0x2028, 0x202e}, {0x2066, 0x2069}};

static const struct range zero_width[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200d},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}};

static const struct range double_width[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},  {0x23e9, 0x23ec}, {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x26a1, 0x26ff},  {0x2705, 0x27bf}, {0x2b1b, 0x2b55},   {0x2e80, 0x303e},
    {0x3041, 0xa4cf},   {0xa960, 0xa97f},  {0xac00, 0xd7a3}, {0xf900, 0xfaff},   {0xfe10, 0xfe19},
    {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6}, {0x16fe0, 0x18fff}, {0x1b000, 0x1b2ff},
    {0x1f000, 0x1faff}, {0x20000, 0x3fffd}};

static bool looks_like_escape(const char *text)
{
    return text[0] == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) &&
           isxdigit((unsigned char)text[3]);
}

/* A single character as it stands in a JSON string. */
static void json_character(struct buffer *out, const char *bytes, size_t length, uint32_t character)
{
    if (character == '"' || character == '\\')
        buffer_printf(out, "\\%c", (char)character);
    else if (WITHIN(controls, character))
        buffer_printf(out, "\\u%04x", (unsigned)character);
    else
        buffer_add(out, bytes, length);
}

/* The bytes up to the next that needs a look: most texts are one such run. */
static size_t plain_run(const char *text)
{
    size_t length = 0;
    while (text[length] >= ' ' && text[length] < 0x7f && text[length] != '"' &&
           text[length] != '\\')
        length++;
    return length;
}

void escape_json(struct buffer *out, const char *text)
{
    buffer_puts(out, "\"");
    while (*text) {
        size_t plain = plain_run(text);
        buffer_add(out, text, plain);
        text += plain;
        if (!*text)
            break;
        uint32_t character;
        size_t length = utf8_decode(text, &character);
        if (length == 0 || looks_like_escape(text)) {
            buffer_printf(out, "\\\\x%02x", (unsigned char)*text++);
            continue;
        }
        json_character(out, text, length, character);
        text += length;
    }
    buffer_puts(out, "\"");
}

bool character_is_plain(uint32_t character, bool utf8)
{
    return !WITHIN(controls, character) && !WITHIN(unruly, character) && (utf8 || character < 0x80);
}

static bool fit_for_terminal(const char *text, size_t length, uint32_t character, bool utf8)
{
    return length > 0 && !looks_like_escape(text) && character_is_plain(character, utf8);
}

void escape_terminal(struct buffer *out, const char *text, bool utf8)
{
    buffer_puts(out, "");
    for (;;) {
        size_t plain = plain_run(text);
        buffer_add(out, text, plain);
        text += plain;
        if (!*text)
            return;
        uint32_t character = 0;
        size_t length = utf8_decode(text, &character);
        if (fit_for_terminal(text, length, character, utf8)) {
            buffer_add(out, text, length);
            text += length;
            continue;
        }
        for (size_t i = 0; i < (length ? length : 1); i++)
            buffer_printf(out, "\\x%02x", (unsigned char)*text++);
    }
}

/* How many characters the first one of `text` is printed as, and its bytes. */
static size_t printed_size(const char *text, size_t *length)
{
    uint32_t character = 0;
    size_t valid = utf8_decode(text, &character);
    *length = valid ? valid : 1;
    return fit_for_terminal(text, valid, character, true) ? 1 : strlen("\\xNN") * *length;
}

void name_shorten(struct buffer *out, const char *name)
{
    const char *head = name, *tail = name;
    size_t size = 0, length;
    for (const char *at = name; *at; at += length) {
        size += printed_size(at, &length);
        if (size < NAME_MOST / 2)
            head = at + length;
    }
    if (size <= NAME_MOST) {
        buffer_puts(out, name);
        return;
    }
    for (; size > NAME_MOST / 2; tail += length)
        size -= printed_size(tail, &length);
    buffer_add(out, name, (size_t)(head - name));
    buffer_puts(out, "…");
    buffer_puts(out, tail);
}

/* The only valid UTF-8 without control characters that is not in the production Char of XML 1.0,
 * and an error in HTML. */
static bool is_no_markup(const char *at)
{
    return memcmp(at, "\xef\xbf", 2) == 0 && (unsigned char)at[2] >= 0xbe;
}

static const char *entity_of(char character)
{
    switch (character) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return NULL;
    }
}

void escape_markup(struct buffer *out, const char *text)
{
    struct buffer printable = {0};
    escape_terminal(&printable, text, true);
    for (const char *at = printable.data; *at; at++) {
        const char *entity = entity_of(*at);
        if (entity) {
            buffer_puts(out, entity);
        } else if (*at == '\xef' && is_no_markup(at)) {
            buffer_printf(out, "\\xef\\xbf\\x%02x", (unsigned char)at[2]);
            at += 2;
        } else {
            buffer_add(out, at, 1);
        }
    }
    buffer_free(&printable);
}

int character_width(uint32_t character)
{
    if (character < 0x300)
        return 1;
    return WITHIN(zero_width, character) ? 0 : WITHIN(double_width, character) ? 2 : 1;
}

int text_width(const char *text)
{
    int width = 0;
    while (*text && width < INT_MAX - 2) {
        uint32_t character;
        size_t length = utf8_decode(text, &character);
        width += length ? character_width(character) : 1;
        text += length ? length : 1;
    }
    return width;
}
