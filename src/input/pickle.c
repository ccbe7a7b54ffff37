/* Python's pickle protocols 0 to 5, after Lib/pickletools.py, which describes each opcode. A stack
 * machine builds values; here, those that stand for a call, a class or an object only say so. */
#include "input/pickle.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "input/container.h"

/*
 * Values are `nodes`. What a compound value is made of stands in runs among the `words`: the run
 * that follows (0: none), then count << 2 | role, then as many values (key and value of pairs).
 * Lists and dicts grow run by run, as writers append to them in batches.
 */
struct node {
    uint32_t kind;
    /* By kind: an integer's or a float's 64 bits; a text's start and length among `text`; a
     * global's module and name, which are texts; of compound values the first and the last run. */
    uint32_t a, b;
};

enum { RUN_HEADER = 2 };

/* These values are one for all. */
enum { VALUE_NONE = 1, VALUE_FALSE, VALUE_TRUE, VALUE_EMPTY_TUPLE, VALUES_SHARED };

static struct node *node_of(const struct pickle *pickle, pickle_value value)
{
    return (struct node *)pickle->nodes.data + value;
}

static uint32_t *words_of(const struct pickle *pickle)
{
    return (uint32_t *)pickle->words.data;
}

static uint32_t run_count(const uint32_t *run)
{
    return run[1] >> 2;
}

static enum pickle_role run_role(const uint32_t *run)
{
    return run[1] & 3;
}

static bool is_compound(enum pickle_kind kind)
{
    return kind >= PICKLE_TUPLE && kind != PICKLE_GLOBAL;
}

/* Looking at values. */

size_t pickle_count(const struct pickle *pickle)
{
    return pickle->nodes.length / sizeof(struct node) - 1;
}

enum pickle_kind pickle_kind(const struct pickle *pickle, pickle_value value)
{
    return node_of(pickle, value)->kind;
}

static uint64_t bits_of(const struct node *node)
{
    return (uint64_t)node->b << 32 | node->a;
}

bool pickle_integer(const struct pickle *pickle, pickle_value value, int64_t *integer)
{
    const struct node *node = node_of(pickle, value);
    if (node->kind != PICKLE_INTEGER)
        return false;
    *integer = (int64_t)bits_of(node);
    return true;
}

bool pickle_float(const struct pickle *pickle, pickle_value value, double *number)
{
    const struct node *node = node_of(pickle, value);
    if (node->kind != PICKLE_FLOAT)
        return false;
    *number = double_from_bits(bits_of(node));
    return true;
}

bool pickle_text(const struct pickle *pickle, pickle_value value, struct pickle_text *text)
{
    const struct node *node = node_of(pickle, value);
    if (node->kind != PICKLE_TEXT)
        return false;
    *text = (struct pickle_text){node->b ? pickle->text.data + node->a : "", node->b};
    return true;
}

bool pickle_text_is(struct pickle_text text, const char *string)
{
    return text.length == strlen(string) && memcmp(text.bytes, string, text.length) == 0;
}

bool pickle_global(const struct pickle *pickle, pickle_value value, struct pickle_text *module,
                   struct pickle_text *name)
{
    const struct node *node = node_of(pickle, value);
    return node->kind == PICKLE_GLOBAL && pickle_text(pickle, node->a, module) &&
           pickle_text(pickle, node->b, name);
}

/* Of an object, the call is its first run. */
bool pickle_call(const struct pickle *pickle, pickle_value value, pickle_value *callable,
                 pickle_value *arguments)
{
    const struct node *node = node_of(pickle, value);
    if (node->kind != PICKLE_OBJECT)
        return false;
    const uint32_t *run = words_of(pickle) + node->a;
    *callable = run[RUN_HEADER];
    *arguments = run[RUN_HEADER + 1];
    return true;
}

struct pickle_cursor pickle_parts(const struct pickle *pickle, pickle_value value)
{
    const struct node *node = node_of(pickle, value);
    return (struct pickle_cursor){.run = is_compound(node->kind) ? node->a : 0};
}

bool pickle_next(const struct pickle *pickle, struct pickle_cursor *cursor,
                 struct pickle_part *part)
{
    const uint32_t *words = words_of(pickle);
    while (cursor->run && cursor->at == run_count(words + cursor->run))
        *cursor = (struct pickle_cursor){words[cursor->run], 0, cursor->position};
    if (!cursor->run)
        return false;
    const uint32_t *run = words + cursor->run, *value = run + RUN_HEADER + cursor->at;
    bool two = run_role(run) == PICKLE_PAIR || run_role(run) == PICKLE_CALL;
    *part = (struct pickle_part){run_role(run), cursor->position, two ? value[0] : PICKLE_NOTHING,
                                 value[two]};
    cursor->at += 1 + two;
    cursor->position += part->role == PICKLE_ELEMENT || part->role == PICKLE_PAIR;
    return true;
}

size_t pickle_elements(const struct pickle *pickle, pickle_value value, pickle_value *elements,
                       size_t most)
{
    struct pickle_cursor cursor = pickle_parts(pickle, value);
    struct pickle_part part;
    size_t count = 0;
    while (count < most && pickle_next(pickle, &cursor, &part) && part.role == PICKLE_ELEMENT)
        elements[count++] = part.value;
    return count;
}

void pickle_free(struct pickle *pickle)
{
    buffer_free(&pickle->nodes);
    buffer_free(&pickle->words);
    buffer_free(&pickle->text);
}

/* The machine. */

struct opcode;

struct machine {
    struct pickle *pickle;
    struct input *input;
    uint64_t at, limit; /* the next byte that is not in `piece`, and where the bytes end */
    unsigned char piece[16384];
    size_t used, ready;
    uint64_t start;
    const struct opcode *opcode; /* the one that is being run */
    uint64_t operand;
    uint64_t opcode_at;
    struct buffer stack; /* of values */
    struct buffer marks; /* how high the stack was */
    struct buffer memo;  /* values, PICKLE_NOTHING where there is none */
    bool stopped;
    struct error *error;
};

struct opcode {
    bool (*run)(struct machine *machine);
    uint8_t width;  /* bytes of the number that follows the opcode: `operand` */
    uint8_t detail; /* what tells it from others with the same function */
};

static bool wrong(const struct machine *m, const char *what)
{
    return fail(m->error, "pickle: %s at byte %" PRIu64, what, m->opcode_at);
}

/* Bytes. */

static uint64_t position(const struct machine *m)
{
    return m->at - (m->ready - m->used);
}

static bool holds(const struct machine *m, uint64_t count)
{
    if (count <= m->limit - position(m))
        return true;
    return fail(m->error, "truncated pickle: ends at byte %" PRIu64, m->limit);
}

static bool refill(struct machine *m)
{
    uint64_t left = m->limit - m->at;
    m->used = 0;
    m->ready = left < sizeof m->piece ? (size_t)left : sizeof m->piece;
    m->at += m->ready;
    return input_read(m->input, m->at - m->ready, m->piece, m->ready, m->error);
}

/* The next bytes, up to `most`, wherever they are. */
static bool take_some(struct machine *m, size_t most, const unsigned char **bytes, size_t *count)
{
    if (m->used == m->ready && (!holds(m, 1) || !refill(m)))
        return false;
    *count = m->ready - m->used < most ? m->ready - m->used : most;
    *bytes = m->piece + m->used;
    m->used += *count;
    return true;
}

static bool take(struct machine *m, void *to, size_t count)
{
    const unsigned char *bytes;
    size_t got;
    for (unsigned char *at = to; count; at += got, count -= got) {
        if (!take_some(m, count, &bytes, &got))
            return false;
        memcpy(at, bytes, got);
    }
    return true;
}

static bool skip(struct machine *m, uint64_t count)
{
    if (!holds(m, count))
        return false;
    size_t here = m->ready - m->used;
    if (count <= here) {
        m->used += (size_t)count;
    } else {
        m->at += count - here;
        m->used = m->ready;
    }
    return true;
}

/* Values and the stack. */

static size_t height(const struct machine *m)
{
    return m->stack.length / sizeof(pickle_value);
}

static size_t mark_count(const struct machine *m)
{
    return m->marks.length / sizeof(uint32_t);
}

/* What lies below the last mark is out of reach. */
static size_t reach(const struct machine *m)
{
    size_t count = mark_count(m);
    return height(m) - (count ? ((uint32_t *)m->marks.data)[count - 1] : 0);
}

/* The topmost values, the lowest of them first. */
static pickle_value *top(const struct machine *m, size_t count)
{
    return (pickle_value *)m->stack.data + height(m) - count;
}

static bool needs(const struct machine *m, size_t count)
{
    return reach(m) >= count || wrong(m, "too few values on the stack");
}

static void drop(struct machine *m, size_t count)
{
    m->stack.length -= count * sizeof(pickle_value);
}

static bool push(struct machine *m, pickle_value value)
{
    buffer_add(&m->stack, &value, sizeof value);
    return true;
}

static bool add_node(struct machine *m, enum pickle_kind kind, uint32_t a, uint32_t b,
                     pickle_value *value)
{
    struct node node = {kind, a, b};
    size_t count = m->pickle->nodes.length / sizeof node;
    if (count > PICKLE_VALUES_LIMIT)
        return fail(m->error, "pickle: more than %d values", PICKLE_VALUES_LIMIT);
    buffer_add(&m->pickle->nodes, &node, sizeof node);
    *value = (pickle_value)count;
    return true;
}

static bool push_node(struct machine *m, enum pickle_kind kind, uint32_t a, uint32_t b)
{
    pickle_value value = PICKLE_NOTHING;
    return add_node(m, kind, a, b, &value) && push(m, value);
}

static bool push_bits(struct machine *m, enum pickle_kind kind, uint64_t bits)
{
    return push_node(m, kind, (uint32_t)bits, (uint32_t)(bits >> 32));
}

/* Adds the topmost values to what `value` is made of, and drops them. */
static void give(struct machine *m, pickle_value value, enum pickle_role role, size_t count)
{
    if (count == 0 && role != PICKLE_CALL)
        return;
    struct buffer *words = &m->pickle->words;
    uint32_t run = (uint32_t)(words->length / sizeof run);
    uint32_t header[RUN_HEADER] = {0, (uint32_t)count << 2 | role};
    buffer_add(words, header, sizeof header);
    buffer_add(words, top(m, count), count * sizeof(pickle_value));
    drop(m, count);

    struct node *node = node_of(m->pickle, value);
    if (node->a)
        words_of(m->pickle)[node->b] = run;
    else
        node->a = run;
    node->b = run;
}

/* A new value of the topmost ones, in their place. */
static bool gather(struct machine *m, enum pickle_kind kind, enum pickle_role role, size_t count)
{
    pickle_value value = PICKLE_NOTHING;
    if (!needs(m, count) || !add_node(m, kind, 0, 0, &value))
        return false;
    give(m, value, role, count);
    return push(m, value);
}

/* How many values lie above the last mark, which is gone after that. */
static bool unmark(struct machine *m, size_t *count)
{
    if (!mark_count(m))
        return wrong(m, "no mark on the stack");
    *count = reach(m);
    m->marks.length -= sizeof(uint32_t);
    return true;
}

/* Opcodes: constants, numbers and text. */

static bool run_nothing(struct machine *m)
{
    (void)m;
    return true;
}

static bool run_protocol(struct machine *m)
{
    return m->operand <= 5 || wrong(m, "a protocol beyond 5");
}

static bool run_shared(struct machine *m)
{
    return push(m, m->opcode->detail);
}

static bool run_unsigned(struct machine *m)
{
    return push_bits(m, PICKLE_INTEGER, m->operand);
}

static bool run_signed(struct machine *m)
{
    return push_bits(m, PICKLE_INTEGER, (uint64_t)(int64_t)(int32_t)m->operand);
}

/* Two's complement in as many bytes as the operand tells. */
static bool run_long(struct machine *m)
{
    unsigned char bytes[8] = {0};
    size_t count = (size_t)m->operand;
    if (count > sizeof bytes)
        return skip(m, count) && push_node(m, PICKLE_DATA, 0, 0);
    if (!take(m, bytes, count))
        return false;
    bool negative = count && bytes[count - 1] & 0x80;
    memset(bytes + count, negative ? 0xff : 0, sizeof bytes - count);
    return push_bits(m, PICKLE_INTEGER, load_le64(bytes));
}

/* The operand was read as little-endian; these are the only big-endian bytes in a pickle. */
static bool run_float(struct machine *m)
{
    return push_bits(m, PICKLE_FLOAT, __builtin_bswap64(m->operand));
}

/* Up to a newline, which is not part of it: a text that is not yet a value. */
static bool take_line(struct machine *m, struct node *line)
{
    struct buffer *text = &m->pickle->text;
    size_t start = text->length, length = 0;
    const unsigned char *bytes, *newline = NULL;
    while (!newline) {
        size_t got;
        if (!take_some(m, sizeof m->piece, &bytes, &got))
            return false;
        newline = memchr(bytes, '\n', got);
        size_t kept = newline ? (size_t)(newline - bytes) : got;
        length += kept;
        if (length > PICKLE_TEXT_LIMIT)
            return wrong(m, "too long a line");
        buffer_add(text, bytes, kept);
        if (newline)
            m->used -= got - kept - 1;
    }
    *line = (struct node){PICKLE_TEXT, (uint32_t)start, (uint32_t)length};
    return true;
}

static bool run_line(struct machine *m)
{
    struct node line = {0};
    return take_line(m, &line) && push_node(m, line.kind, line.a, line.b);
}

/* A line that is not kept; `text` has room for `size` bytes with a NUL. */
static bool take_short_line(struct machine *m, char *text, size_t size)
{
    struct node line = {0};
    if (!take_line(m, &line))
        return false;
    if (line.b >= size)
        return wrong(m, "too long a number");
    if (line.b)
        memcpy(text, m->pickle->text.data + line.a, line.b);
    text[line.b] = '\0';
    m->pickle->text.length = line.a;
    return strlen(text) == line.b || wrong(m, "not a number");
}

/* "12", "-3L"; of INT, "00" and "01" are the booleans. */
static bool run_decimal(struct machine *m)
{
    struct node line = {0};
    if (!take_line(m, &line))
        return false;
    const char *text = m->pickle->text.data + line.a, *end = text + line.b;
    m->pickle->text.length = line.a;
    bool boolean = m->opcode->detail && line.b == 2 && text[0] == '0';
    bool negative = line.b && text[0] == '-', fits = true;
    uint64_t number = 0;
    const char *at = text + negative;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        fits = fits && checked_multiply(number, 10, &number) &&
               checked_add(number, (uint64_t)(*at - '0'), &number) && number <= INT64_MAX;
    bool digits = at > text + negative;
    if (!digits || (at != end && (at + 1 != end || *at != 'L')))
        return wrong(m, "not an integer");
    if (boolean)
        return push(m, number ? VALUE_TRUE : VALUE_FALSE);
    return fits ? push_bits(m, PICKLE_INTEGER, negative ? -number : number)
                : push_node(m, PICKLE_DATA, 0, 0);
}

static bool run_float_line(struct machine *m)
{
    char line[64], *end;
    if (!take_short_line(m, line, sizeof line))
        return false;
    double number = strtod(line, &end);
    if (end == line || *end)
        return wrong(m, "not a number");
    return push_bits(m, PICKLE_FLOAT, double_bits(number));
}

static bool run_text(struct machine *m)
{
    if (m->operand > PICKLE_TEXT_LIMIT)
        return skip(m, m->operand) && push_node(m, PICKLE_DATA, 0, 0);
    if (!holds(m, m->operand))
        return false;
    struct buffer *text = &m->pickle->text;
    size_t start = text->length, left = (size_t)m->operand, got;
    for (const unsigned char *bytes; left; left -= got) {
        if (!take_some(m, left, &bytes, &got))
            return false;
        buffer_add(text, bytes, got);
    }
    return push_node(m, PICKLE_TEXT, (uint32_t)start, (uint32_t)m->operand);
}

/* In quotes, with escapes that stay as they are. */
static bool run_quoted(struct machine *m)
{
    struct node line = {0};
    if (!take_line(m, &line))
        return false;
    const char *text = m->pickle->text.data + line.a;
    if (line.b < 2 || (text[0] != '\'' && text[0] != '"') || text[line.b - 1] != text[0])
        return wrong(m, "a string without quotes");
    return push_node(m, PICKLE_TEXT, line.a + 1, line.b - 2);
}

/* Opcodes: the stack and the memo. */

static bool run_mark(struct machine *m)
{
    uint32_t mark = (uint32_t)height(m);
    buffer_add(&m->marks, &mark, sizeof mark);
    return true;
}

static bool run_pop_mark(struct machine *m)
{
    size_t count = 0;
    if (!unmark(m, &count))
        return false;
    drop(m, count);
    return true;
}

/* A mark is popped as if it were a value. */
static bool run_pop(struct machine *m)
{
    if (!reach(m) && mark_count(m))
        return run_pop_mark(m);
    if (!needs(m, 1))
        return false;
    drop(m, 1);
    return true;
}

static bool run_dup(struct machine *m)
{
    return needs(m, 1) && push(m, *top(m, 1));
}

static size_t memo_count(const struct machine *m)
{
    return m->memo.length / sizeof(pickle_value);
}

/* Writers count from 0 or 1. An index beyond the bytes that were read is none of theirs, so that
 * the memo is never larger than what was read. */
static bool put(struct machine *m, uint64_t index)
{
    static const pickle_value nothing = PICKLE_NOTHING;
    if (!needs(m, 1))
        return false;
    if (index > position(m) - m->start)
        return wrong(m, "too large an index of the memo");
    while (memo_count(m) <= index)
        buffer_add(&m->memo, &nothing, sizeof nothing);
    ((pickle_value *)m->memo.data)[index] = *top(m, 1);
    return true;
}

static bool get(struct machine *m, uint64_t index)
{
    pickle_value value = PICKLE_NOTHING;
    if (index < memo_count(m))
        value = ((pickle_value *)m->memo.data)[index];
    return value == PICKLE_NOTHING ? wrong(m, "nothing in the memo") : push(m, value);
}

static bool run_put(struct machine *m)
{
    return put(m, m->operand);
}

static bool run_get(struct machine *m)
{
    return get(m, m->operand);
}

static bool run_memoize(struct machine *m)
{
    return put(m, memo_count(m));
}

static bool take_index(struct machine *m, uint64_t *index)
{
    char line[32], *end;
    if (!take_short_line(m, line, sizeof line))
        return false;
    *index = strtoull(line, &end, 10);
    return (line[0] >= '0' && line[0] <= '9' && !*end) || wrong(m, "not an index");
}

static bool run_put_line(struct machine *m)
{
    uint64_t index = 0;
    return take_index(m, &index) && put(m, index);
}

static bool run_get_line(struct machine *m)
{
    uint64_t index = 0;
    return take_index(m, &index) && get(m, index);
}

/* Opcodes: compound values. */

static bool run_empty(struct machine *m)
{
    return push_node(m, m->opcode->detail, 0, 0);
}

static bool run_tuple(struct machine *m)
{
    return gather(m, PICKLE_TUPLE, PICKLE_ELEMENT, m->opcode->detail);
}

static bool run_collect(struct machine *m)
{
    size_t count = 0;
    bool pairs = m->opcode->detail == PICKLE_DICT;
    if (!unmark(m, &count))
        return false;
    if (pairs && count % 2)
        return wrong(m, "a key without a value");
    return gather(m, m->opcode->detail, pairs ? PICKLE_PAIR : PICKLE_ELEMENT, count);
}

/* Adds the topmost values to the one below them. */
static bool extend(struct machine *m, enum pickle_role role, size_t count)
{
    if (!needs(m, count + 1))
        return false;
    pickle_value value = *top(m, count + 1);
    enum pickle_kind kind = pickle_kind(m->pickle, value);
    bool fits = kind == PICKLE_OBJECT ||
                (role == PICKLE_ELEMENT && (kind == PICKLE_LIST || kind == PICKLE_SET)) ||
                (role == PICKLE_PAIR && kind == PICKLE_DICT);
    if (!fits)
        return wrong(m, "something is added to what cannot hold it");
    if (role == PICKLE_PAIR && count % 2)
        return wrong(m, "a key without a value");
    give(m, value, role, count);
    return true;
}

static bool run_append(struct machine *m)
{
    return extend(m, PICKLE_ELEMENT, 1);
}

static bool run_set_item(struct machine *m)
{
    return extend(m, PICKLE_PAIR, 2);
}

static bool run_build(struct machine *m)
{
    return extend(m, PICKLE_STATE, 1);
}

static bool run_extend(struct machine *m)
{
    size_t count = 0;
    return unmark(m, &count) && extend(m, m->opcode->detail, count);
}

/* Opcodes: what would make Python act. */

/* The two topmost values, which are texts, become a class. */
static bool make_global(struct machine *m)
{
    struct pickle_text text;
    if (!needs(m, 2))
        return false;
    pickle_value module = top(m, 2)[0], name = top(m, 2)[1];
    if (!pickle_text(m->pickle, module, &text) || !pickle_text(m->pickle, name, &text))
        return wrong(m, "a class whose name is no text");
    drop(m, 2);
    return push_node(m, PICKLE_GLOBAL, module, name);
}

static bool run_global(struct machine *m)
{
    return run_line(m) && run_line(m) && make_global(m);
}

/* The two topmost values are what is called, and its arguments. */
static bool run_reduce(struct machine *m)
{
    return gather(m, PICKLE_OBJECT, PICKLE_CALL, 2);
}

/* Keyword arguments change nothing for us. */
static bool run_new_object_keywords(struct machine *m)
{
    if (!needs(m, 3))
        return false;
    drop(m, 1);
    return run_reduce(m);
}

/* Of the protocols before 2: the arguments lie above a mark, here with the class below them. */
static bool run_object(struct machine *m)
{
    size_t count = 0;
    if (!unmark(m, &count) || (count == 0 && !wrong(m, "an object without a class")))
        return false;
    return gather(m, PICKLE_TUPLE, PICKLE_ELEMENT, count - 1) && run_reduce(m);
}

/* And here with the class in two lines. */
static bool run_instance(struct machine *m)
{
    size_t count = 0;
    if (!unmark(m, &count) || !gather(m, PICKLE_TUPLE, PICKLE_ELEMENT, count))
        return false;
    pickle_value arguments = *top(m, 1);
    drop(m, 1);
    return run_global(m) && push(m, arguments) && run_reduce(m);
}

static bool run_persistent(struct machine *m)
{
    return gather(m, PICKLE_PERSISTENT, PICKLE_ELEMENT, 1);
}

static bool run_persistent_line(struct machine *m)
{
    return run_line(m) && run_persistent(m);
}

static bool run_stop(struct machine *m)
{
    if (!needs(m, 1))
        return false;
    m->pickle->root = *top(m, 1);
    m->pickle->end = position(m);
    m->stopped = true;
    return true;
}

/* What is missing: the registry of extensions, buffers out of band. */
static const struct opcode opcodes[256] = {
    [0x80] = {run_protocol, 1},
    [0x95] = {run_nothing, 8}, /* FRAME: how much to read at once */
    ['.'] = {run_stop},

    ['N'] = {run_shared, .detail = VALUE_NONE},
    [0x88] = {run_shared, .detail = VALUE_TRUE},
    [0x89] = {run_shared, .detail = VALUE_FALSE},
    [')'] = {run_shared, .detail = VALUE_EMPTY_TUPLE},
    ['K'] = {run_unsigned, 1},
    ['M'] = {run_unsigned, 2},
    ['J'] = {run_signed, 4},
    [0x8a] = {run_long, 1},
    [0x8b] = {run_long, 4},
    ['I'] = {run_decimal, .detail = true},
    ['L'] = {run_decimal},
    ['G'] = {run_float, 8},
    ['F'] = {run_float_line},

    ['U'] = {run_text, 1}, /* str of Python 2 */
    ['T'] = {run_text, 4},
    ['S'] = {run_quoted},
    ['V'] = {run_line}, /* Unicode */
    [0x8c] = {run_text, 1},
    ['X'] = {run_text, 4},
    [0x8d] = {run_text, 8},
    ['C'] = {run_text, 1}, /* bytes */
    ['B'] = {run_text, 4},
    [0x8e] = {run_text, 8},
    [0x96] = {run_text, 8}, /* a bytearray */

    ['('] = {run_mark},
    ['1'] = {run_pop_mark},
    ['0'] = {run_pop},
    ['2'] = {run_dup},
    ['q'] = {run_put, 1},
    ['r'] = {run_put, 4},
    ['p'] = {run_put_line},
    [0x94] = {run_memoize},
    ['h'] = {run_get, 1},
    ['j'] = {run_get, 4},
    ['g'] = {run_get_line},

    [0x85] = {run_tuple, .detail = 1},
    [0x86] = {run_tuple, .detail = 2},
    [0x87] = {run_tuple, .detail = 3},
    ['t'] = {run_collect, .detail = PICKLE_TUPLE},
    ['l'] = {run_collect, .detail = PICKLE_LIST},
    ['d'] = {run_collect, .detail = PICKLE_DICT},
    [0x91] = {run_collect, .detail = PICKLE_SET}, /* a frozen one */
    [']'] = {run_empty, .detail = PICKLE_LIST},
    ['}'] = {run_empty, .detail = PICKLE_DICT},
    [0x8f] = {run_empty, .detail = PICKLE_SET},
    ['a'] = {run_append},
    ['s'] = {run_set_item},
    ['e'] = {run_extend, .detail = PICKLE_ELEMENT},
    [0x90] = {run_extend, .detail = PICKLE_ELEMENT},
    ['u'] = {run_extend, .detail = PICKLE_PAIR},

    ['c'] = {run_global},
    [0x93] = {make_global},
    ['R'] = {run_reduce},
    [0x81] = {run_reduce}, /* NEWOBJ */
    [0x92] = {run_new_object_keywords},
    ['o'] = {run_object},
    ['i'] = {run_instance},
    ['b'] = {run_build},
    ['Q'] = {run_persistent},
    ['P'] = {run_persistent_line},
};

static bool step(struct machine *m)
{
    unsigned char code, operand[8] = {0};
    m->opcode_at = position(m);
    if (!take(m, &code, 1))
        return false;
    m->opcode = &opcodes[code];
    if (!m->opcode->run)
        return fail(m->error, "pickle: opcode 0x%02x at byte %" PRIu64 " is unknown", code,
                    m->opcode_at);
    if (!take(m, operand, m->opcode->width))
        return false;
    m->operand = load_le64(operand);
    return m->opcode->run(m);
}

/* The values that are shared, and the first word, which no run is at. */
static void prepare(struct pickle *pickle)
{
    static const struct node shared[VALUES_SHARED] = {[VALUE_NONE] = {PICKLE_NONE, 0, 0},
                                                      [VALUE_FALSE] = {PICKLE_FALSE, 0, 0},
                                                      [VALUE_TRUE] = {PICKLE_TRUE, 0, 0},
                                                      [VALUE_EMPTY_TUPLE] = {PICKLE_TUPLE, 0, 0}};
    static const uint32_t no_run = 0;
    *pickle = (struct pickle){.root = PICKLE_NOTHING};
    buffer_add(&pickle->nodes, shared, sizeof shared);
    buffer_add(&pickle->words, &no_run, sizeof no_run);
}

bool pickle_read(struct input *input, uint64_t start, uint64_t limit, struct pickle *pickle,
                 struct error *error)
{
    struct machine machine = {.pickle = pickle,
                              .input = input,
                              .at = start,
                              .limit = limit,
                              .start = start,
                              .error = error};
    bool ok = true;
    prepare(pickle);
    while (ok && !machine.stopped)
        ok = step(&machine) &&
             (position(&machine) - start <= PICKLE_BYTES_LIMIT ||
              fail(error, "the pickle is over the limit of %d bytes", PICKLE_BYTES_LIMIT));
    buffer_free(&machine.stack);
    buffer_free(&machine.marks);
    buffer_free(&machine.memo);
    if (!ok)
        pickle_free(pickle);
    return ok;
}
