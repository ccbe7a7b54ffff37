/* What a Python pickle says, without doing any of it: nothing is imported, called or built. Calls
 * become values that tell what would be called with what. */
#ifndef PRECHECK_INPUT_PICKLE_H
#define PRECHECK_INPUT_PICKLE_H

#include "base/buffer.h"
#include "input/input.h"

/* Of one pickle. A million tensors take a third of the bytes, and a quarter of the values. */
enum {
    PICKLE_BYTES_LIMIT = 1 << 29,
    PICKLE_VALUES_LIMIT = 1 << 26,
    PICKLE_TEXT_LIMIT = 65536 /* of one text; longer ones are PICKLE_DATA */
};

/* A value: its index among all of a pickle, which has no use but to tell one from the other. What
 * a value is made of may be the value itself: lists that hold themselves are legal. */
typedef uint32_t pickle_value;
enum { PICKLE_NOTHING = 0 }; /* is no value */

enum pickle_kind {
    PICKLE_NONE,
    PICKLE_FALSE,
    PICKLE_TRUE,
    PICKLE_INTEGER, /* of 64 bits */
    PICKLE_FLOAT,
    PICKLE_TEXT, /* text and bytes alike */
    PICKLE_DATA, /* what is not kept: long strings, long integers */
    PICKLE_TUPLE,
    PICKLE_LIST,
    PICKLE_DICT,
    PICKLE_SET,
    PICKLE_GLOBAL,    /* a class or function by its name */
    PICKLE_OBJECT,    /* what a call would return */
    PICKLE_PERSISTENT /* what only the program that wrote the pickle knows; its id is an element */
};

struct pickle {
    struct buffer nodes, words, text; /* see pickle.c */
    pickle_value root;
    uint64_t end; /* the byte of the file behind it */
};

struct pickle_text {
    const char *bytes; /* the pickle's; no NUL after them */
    size_t length;
};

/* Reads the pickle that begins at byte `start` of a file and ends at or before byte `limit`. Memory
 * grows with the bytes that are read. On failure there is nothing to free. */
bool pickle_read(struct input *input, uint64_t start, uint64_t limit, struct pickle *pickle,
                 struct error *error);
void pickle_free(struct pickle *pickle);

/* Values are 1 .. pickle_count(); what came later in the pickle has the larger number. */
size_t pickle_count(const struct pickle *pickle);
enum pickle_kind pickle_kind(const struct pickle *pickle, pickle_value value);

/* These are false, and leave what they would set, where the value is of another kind. */
bool pickle_integer(const struct pickle *pickle, pickle_value value, int64_t *integer);
bool pickle_float(const struct pickle *pickle, pickle_value value, double *number);
bool pickle_text(const struct pickle *pickle, pickle_value value, struct pickle_text *text);
bool pickle_global(const struct pickle *pickle, pickle_value value, struct pickle_text *module,
                   struct pickle_text *name);
bool pickle_call(const struct pickle *pickle, pickle_value value, pickle_value *callable,
                 pickle_value *arguments);

/* The first elements of a tuple, list or set, or the id of a persistent value; returns how many
 * were put into `elements`, which has room for `most`. */
size_t pickle_elements(const struct pickle *pickle, pickle_value value, pickle_value *elements,
                       size_t most);

bool pickle_text_is(struct pickle_text text, const char *string);

/* What a value has been given, in the order in which it was. An object has elements and pairs where
 * it is a kind of list or dict. */
enum pickle_role {
    PICKLE_ELEMENT,
    PICKLE_PAIR,  /* `key` is its key */
    PICKLE_STATE, /* what the object would set its attributes from */
    PICKLE_CALL   /* the arguments; `key` is what is called */
};

struct pickle_part {
    enum pickle_role role;
    uint64_t position; /* among the elements and pairs */
    pickle_value key, value;
};

struct pickle_cursor {
    uint32_t run, at;
    uint64_t position;
};

struct pickle_cursor pickle_parts(const struct pickle *pickle, pickle_value value);
bool pickle_next(const struct pickle *pickle, struct pickle_cursor *cursor,
                 struct pickle_part *part);

#endif
