/* The header of a .npy file is a Python dictionary literal. Only the literals that describe an
 * array are understood; whatever else Python would evaluate is refused. */
#include <string.h>

#include "base/checked.h"
#include "input/npy.h"

struct cursor {
    const char *start, *at, *end;
    bool suffixes; /* integers may end in L, as Python 2 wrote them */
    struct error *error;
};

enum key { KEY_DESCR, KEY_FORTRAN_ORDER, KEY_SHAPE, KEY_COUNT };

static const char *const key_names[KEY_COUNT] = {"descr", "fortran_order", "shape"};

static bool wrong(const struct cursor *c, const char *what)
{
    if (c->at == c->end)
        return fail(c->error, "npy header: %s, but the header ends", what);
    return fail(c->error, "npy header: %s at character %td", what, c->at - c->start + 1);
}

static bool is_digit(int character)
{
    return character >= '0' && character <= '9';
}

/* In the C locale, whatever the program's is. */
static bool is_word(int character)
{
    return is_digit(character) || (character >= 'A' && character <= 'Z') ||
           (character >= 'a' && character <= 'z') || character == '_';
}

/* The next character after white space, not yet consumed; -1 at the end. */
static int peek(struct cursor *c)
{
    while (c->at < c->end && *c->at && strchr(" \t\r\n\f", *c->at))
        c->at++;
    return c->at < c->end ? (unsigned char)*c->at : -1;
}

/* The next character as it is, white space too. */
static int look(const struct cursor *c)
{
    return c->at < c->end ? (unsigned char)*c->at : -1;
}

static bool accept(struct cursor *c, char character)
{
    if (peek(c) != (unsigned char)character)
        return false;
    c->at++;
    return true;
}

static bool parse_string(struct cursor *c, const char **text, size_t *length)
{
    char quote = *c->at++;
    *text = c->at;
    for (; c->at < c->end && *c->at != quote; c->at++)
        if (*c->at < 0x20 || *c->at > 0x7e || *c->at == '\\')
            return wrong(c, "a character that has no place in these strings");
    if (c->at == c->end)
        return wrong(c, "a closing quote expected");
    *length = (size_t)(c->at++ - *text);
    return true;
}

static bool accept_word(struct cursor *c, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    if ((size_t)(c->end - c->at) > length && is_word((unsigned char)c->at[length]))
        return false;
    c->at += length;
    return true;
}

static bool parse_descr(struct cursor *c, struct npy_literal *literal)
{
    switch (peek(c)) {
    case '\'':
    case '"':
        return parse_string(c, &literal->descr, &literal->descr_length);
    case '[':
    case '(':
    case '{':
        return wrong(c, "descr is not a string (structured types are not supported)");
    default:
        return wrong(c, "descr is not a string");
    }
}

static bool parse_fortran_order(struct cursor *c, struct npy_literal *literal)
{
    peek(c);
    literal->fortran = accept_word(c, "True");
    return literal->fortran || accept_word(c, "False") ||
           wrong(c, "fortran_order is neither True nor False");
}

static bool parse_digits(struct cursor *c, uint64_t *number)
{
    const char *first = c->at;
    for (*number = 0; is_digit(look(c)); c->at++) {
        uint64_t digit = (uint64_t)(*c->at - '0');
        if (!checked_multiply(*number, 10, number) || !checked_add(*number, digit, number) ||
            *number > INT64_MAX) {
            c->at = first;
            return wrong(c, "too large a dimension");
        }
    }
    bool leading_zero = *first == '0' && c->at - first > 1;
    if (c->suffixes && look(c) == 'L')
        c->at++;
    /* What Python reads as another number: 0x10, 1_000, 3.0, 3e2. */
    if (!leading_zero && !is_word(look(c)) && look(c) != '.')
        return true;
    c->at = first;
    return wrong(c, "a dimension that is not a plain decimal integer");
}

static bool parse_dimension(struct cursor *c, uint64_t *dimension)
{
    int first = peek(c);
    if (is_digit(first))
        return parse_digits(c, dimension);
    if (first == '-')
        return wrong(c, "a negative dimension");
    const char *word = c->at;
    if (accept_word(c, "True") || accept_word(c, "False")) {
        c->at = word;
        return wrong(c, "a boolean as a dimension");
    }
    return wrong(c, "a dimension or ')' expected");
}

static bool parse_shape(struct cursor *c, struct npy_literal *literal)
{
    int first = peek(c);
    if (first == '[')
        return wrong(c, "shape is a list, not a tuple");
    if (is_digit(first))
        return wrong(c, "shape is a number, not a tuple");
    if (!accept(c, '('))
        return wrong(c, "shape is not a tuple");

    bool comma = true; /* before the next dimension */
    while (comma && peek(c) != ')') {
        if (literal->rank == RANK_LIMIT - 1)
            return wrong(c, "more than 64 dimensions");
        if (!parse_dimension(c, &literal->shape[literal->rank]))
            return false;
        literal->rank++;
        comma = accept(c, ',');
    }
    if (!comma && literal->rank == 1)
        return peek(c) == ')' ? wrong(c, "shape is a number in parentheses (a tuple needs a comma)")
                              : wrong(c, "',' expected");
    return accept(c, ')') || wrong(c, "',' or ')' expected");
}

static bool parse_key(struct cursor *c, enum key *key)
{
    const char *text = "";
    size_t length = 0;
    int quote = peek(c);
    if (quote != '\'' && quote != '"')
        return wrong(c, "a key or '}' expected");
    if (!parse_string(c, &text, &length))
        return false;
    for (*key = 0; *key < KEY_COUNT; (*key)++)
        if (length == strlen(key_names[*key]) && memcmp(text, key_names[*key], length) == 0)
            return true;
    return fail(c->error, "npy header: unknown key '%.*s'", (int)(length < 40 ? length : 40), text);
}

static bool parse_value(struct cursor *c, enum key key, struct npy_literal *literal)
{
    switch (key) {
    case KEY_DESCR:
        return parse_descr(c, literal);
    case KEY_FORTRAN_ORDER:
        return parse_fortran_order(c, literal);
    default:
        return parse_shape(c, literal);
    }
}

static bool parse_pair(struct cursor *c, bool seen[KEY_COUNT], struct npy_literal *literal)
{
    enum key key;
    if (!parse_key(c, &key))
        return false;
    if (seen[key])
        return fail(c->error, "npy header: two keys '%s'", key_names[key]);
    seen[key] = true;
    if (!accept(c, ':'))
        return wrong(c, "':' expected");
    return parse_value(c, key, literal);
}

bool npy_literal_parse(const char *text, size_t length, unsigned version,
                       struct npy_literal *literal, struct error *error)
{
    struct cursor c = {text, text, text + length, version < 3, error};
    bool seen[KEY_COUNT] = {false};
    *literal = (struct npy_literal){0};

    if (!accept(&c, '{'))
        return wrong(&c, "'{' expected");
    bool comma = true; /* before the next pair */
    while (comma && peek(&c) != '}') {
        if (!parse_pair(&c, seen, literal))
            return false;
        comma = accept(&c, ',');
    }
    if (!accept(&c, '}'))
        return wrong(&c, "',' or '}' expected");
    if (peek(&c) != -1)
        return wrong(&c, "something behind the dictionary");
    for (int key = 0; key < KEY_COUNT; key++)
        if (!seen[key])
            return fail(error, "npy header: no key '%s'", key_names[key]);
    return true;
}
