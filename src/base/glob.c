#include "base/glob.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

enum { UNICODE_END = 0x110000 };

/* The character at *at, and moves on: a code point, or UNICODE_END plus a byte that is none. Not at
 * the end. */
static uint32_t next_character(const char **at)
{
    uint32_t character;
    size_t length = utf8_decode(*at, &character);
    if (length == 0)
        character = UNICODE_END + (unsigned char)**at;
    *at += length ? length : 1;
    return character;
}

/* A character of a pattern that may be escaped; false at its end. */
static bool next_literal(const char **at, uint32_t *character)
{
    *at += **at == '\\';
    if (!**at)
        return false;
    *character = next_character(at);
    return true;
}

struct brackets {
    bool matches;
    bool backwards; /* a range like z-a: of nothing */
    bool class;     /* [:alpha:], [.a.] or [=a=], which are not to be had */
};

/* From behind the bracket that opens to behind that which closes; false where none does. */
static bool read_brackets(const char **at, uint32_t character, struct brackets *brackets)
{
    const char *p = *at;
    bool negated = *p == '!' || *p == '^', found = false;
    *brackets = (struct brackets){0};
    p += negated;
    for (bool first = true; first || *p != ']'; first = false) {
        uint32_t low, high;
        brackets->class |= *p == '[' && p[1] && strchr(":.=", p[1]);
        if (!next_literal(&p, &low))
            return false;
        high = low;
        if (*p == '-' && p[1] != ']') {
            p++;
            if (!next_literal(&p, &high))
                return false;
        }
        brackets->backwards |= high < low;
        found |= low <= character && character <= high;
    }
    *at = p + 1;
    brackets->matches = found != negated;
    return true;
}

/* Whether the part of the pattern at *at, which is no star, is for this character; moves on, but to
 * nowhere in particular where it is not. */
static bool part_matches(const char **at, uint32_t character)
{
    struct brackets brackets;
    uint32_t literal;
    char kind = **at;
    if (kind != '?' && kind != '[')
        return next_literal(at, &literal) && literal == character;
    (*at)++;
    return kind == '?' || (read_brackets(at, character, &brackets) && brackets.matches);
}

/* Where from `name` on the pattern may begin to match; NULL for nowhere. */
static const char *seek(const char *name, const char *pattern)
{
    bool plain = (unsigned char)*pattern < 0x80 && !strchr("?[\\*", *pattern);
    return plain ? strchr(name, *pattern) : name;
}

bool glob_matches(const char *pattern, const char *name)
{
    /* Behind the last star, and where what it does not swallow begins. An earlier star need never
     * swallow more: the last one can do so in its place. */
    const char *star = NULL, *rest = NULL;
    for (;;) {
        if (*pattern == '*') {
            star = ++pattern;
            rest = name = seek(name, star);
            if (!*star || !rest)
                return rest;
            continue;
        }
        if (!*name)
            return !*pattern; /* a longer star would leave even less */
        const char *behind = name;
        if (part_matches(&pattern, next_character(&behind))) {
            name = behind;
            continue;
        }
        if (!star)
            return false;
        next_character(&rest);
        rest = name = seek(rest, star);
        if (!rest)
            return false;
        pattern = star;
    }
}

bool glob_valid(const char *pattern, struct error *error)
{
    for (const char *at = pattern; *at;) {
        struct brackets brackets = {0};
        uint32_t literal;
        if (*at == '[') {
            at++;
            if (!read_brackets(&at, 0, &brackets))
                return fail(error, "pattern '%s': a [ is not closed", pattern);
        } else if (!next_literal(&at, &literal)) {
            return fail(error, "pattern '%s' ends with a backslash", pattern);
        }
        if (brackets.class)
            return fail(error, "pattern '%s': classes such as [:alpha:] are not known", pattern);
        if (brackets.backwards)
            return fail(error, "pattern '%s': a range that runs backwards", pattern);
    }
    return true;
}
