/* What a checkpoint holds, by the path that leads there: through dicts, lists, tuples and the state
 * of objects. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "input/container.h"
#include "input/torch.h"

enum {
    DEPTH_LIMIT = 1000, /* Python's own, beyond which it cannot have written a pickle */
    FOUND_LIMIT = 1 << 21,
    NAMES_LIMIT = 1 << 28, /* bytes of all names */
    CLASSES_SHOWN = 3
};

/* What a step adds to the path. */
enum component { NO_COMPONENT, KEY, POSITION };

/* A value whose parts are being looked at. */
struct frame {
    pickle_value value;
    struct pickle_cursor cursor;
    enum component component; /* of the step that led here */
    pickle_value key;
    uint64_t position;
    bool pairs;   /* its elements are pairs */
    size_t found; /* before it was looked at */
};

enum seen { NOT_SEEN, SEEN, HOLDS_TENSORS };

struct walk {
    const struct torch_file *file;
    const struct pickle *pickle;
    struct input *input;
    struct frame frames[DEPTH_LIMIT]; /* the outermost first */
    size_t depth;
    unsigned char *seen; /* by value: what was looked at is not again */
    size_t found, names;
    size_t again;   /* places where what holds tensors stands once more */
    size_t unknown; /* objects */
    pickle_value classes[CLASSES_SHOWN];
    size_t class_count;
    struct error *error;
};

/* Names. */

static void add_text(struct buffer *name, struct pickle_text text)
{
    buffer_add(name, text.bytes, text.length);
}

/* False where the key is none of the simple ones. */
static bool add_simple_key(const struct pickle *pickle, struct buffer *name, pickle_value key)
{
    struct pickle_text text, module;
    int64_t integer;
    double number;
    enum pickle_kind kind = pickle_kind(pickle, key);
    if (pickle_text(pickle, key, &text)) {
        add_text(name, text);
    } else if (pickle_integer(pickle, key, &integer)) {
        buffer_printf(name, "%" PRId64, integer);
    } else if (pickle_float(pickle, key, &number)) {
        decimal_put(name, number);
    } else if (kind <= PICKLE_TRUE) {
        buffer_puts(name, kind == PICKLE_NONE ? "None" : kind == PICKLE_TRUE ? "True" : "False");
    } else if (pickle_global(pickle, key, &module, &text)) {
        add_text(name, module);
        buffer_puts(name, ".");
        add_text(name, text);
    } else {
        return false;
    }
    return true;
}

/* ('a', 0) is (a,0); of what has no text, its place in the dict stands in brackets. */
static void add_key(const struct pickle *pickle, struct buffer *name, pickle_value key,
                    uint64_t position)
{
    pickle_value parts[8];
    if (add_simple_key(pickle, name, key))
        return;
    if (pickle_kind(pickle, key) != PICKLE_TUPLE) {
        buffer_printf(name, "<%" PRIu64 ">", position);
        return;
    }
    size_t count = pickle_elements(pickle, key, parts, 8);
    for (size_t i = 0; i < count; i++) {
        buffer_puts(name, i ? "," : "(");
        if (!add_simple_key(pickle, name, parts[i]))
            buffer_puts(name, "...");
    }
    buffer_puts(name, count == 8 ? ",...)" : count ? ")" : "()");
}

static void add_component(const struct walk *w, struct buffer *name, const struct frame *frame,
                          bool *first)
{
    if (frame->component == NO_COMPONENT)
        return;
    if (!*first)
        buffer_puts(name, ".");
    *first = false;
    if (frame->component == KEY)
        add_key(w->pickle, name, frame->key, frame->position);
    else
        buffer_printf(name, "%" PRIu64, frame->position);
}

/* The path to a value that a step from the innermost frame leads to. The name is the caller's. */
static bool make_name(struct walk *w, const struct frame *step, char **to)
{
    struct buffer name = {0};
    bool first = true;
    buffer_puts(&name, "");
    for (size_t i = 0; i < w->depth; i++)
        add_component(w, &name, &w->frames[i], &first);
    add_component(w, &name, step, &first);

    w->names += name.length;
    bool whole = !memchr(name.data, '\0', name.length);
    if (whole && w->names <= NAMES_LIMIT && w->found++ < FOUND_LIMIT) {
        *to = copy_bytes(name.data, name.length); /* of a buffer, half may be room */
        buffer_free(&name);
        return true;
    }
    buffer_free(&name);
    if (!whole)
        return fail(w->error, "a name has a NUL byte");
    if (w->names > NAMES_LIMIT)
        return fail(w->error, "the names of its tensors take more than %d bytes", NAMES_LIMIT);
    return fail(w->error, "more than %d tensors", FOUND_LIMIT);
}

/* What a step may lead to. */

static bool fail_named(struct walk *w, char *name)
{
    struct error why = *w->error;
    fail_tensor(name, &why, w->error);
    free(name);
    return false;
}

static bool add_tensor(struct walk *w, const struct torch_call *call, const struct frame *step)
{
    struct torch_made made;
    char *name = NULL;
    if (!make_name(w, step, &name))
        return false;
    if (!torch_make(w->file, call, &made, w->error))
        return fail_named(w, name);
    made.tensor.name = name;
    if (!made.reason)
        input_add_tensor(w->input, &made.tensor);
    else if (made.tensor.dtype.bytes)
        input_add_skipped_data(w->input, &made.tensor, made.reason);
    else
        input_add_skipped(w->input, name, made.dtype, made.reason);
    return true;
}

/* Storages stand in tensors; some programs also save them as they are. */
static bool add_storage(struct walk *w, const struct frame *step)
{
    struct torch_storage storage;
    char type[24], *name = NULL;
    if (!torch_storage(w->pickle, step->value, &storage))
        return true;
    if (!make_name(w, step, &name))
        return false;
    snprintf(type, sizeof type, "%.*s", (int)storage.type.length, storage.type.bytes);
    input_add_skipped(w->input, name, type, "a storage, not a tensor");
    return true;
}

/* Whatever it is made of is looked at, once: what stands in several places is found in the first.
 */
static bool enter(struct walk *w, const struct frame *step)
{
    w->again += w->seen[step->value] == HOLDS_TENSORS;
    if (w->seen[step->value])
        return true;
    w->seen[step->value] = SEEN;
    if (w->depth == DEPTH_LIMIT)
        return fail(w->error, "nested more than %d deep", DEPTH_LIMIT);
    struct frame *frame = &w->frames[w->depth++];
    *frame = *step;
    frame->cursor = pickle_parts(w->pickle, step->value);
    frame->found = w->found;
    return true;
}

static void leave(struct walk *w)
{
    const struct frame *frame = &w->frames[--w->depth];
    if (w->found > frame->found)
        w->seen[frame->value] = HOLDS_TENSORS;
}

static bool same_class(const struct pickle *pickle, pickle_value a, pickle_value b)
{
    struct pickle_text modules[2], names[2];
    return pickle_global(pickle, a, &modules[0], &names[0]) &&
           pickle_global(pickle, b, &modules[1], &names[1]) && names[0].length == names[1].length &&
           modules[0].length == modules[1].length &&
           memcmp(names[0].bytes, names[1].bytes, names[0].length) == 0 &&
           memcmp(modules[0].bytes, modules[1].bytes, modules[0].length) == 0;
}

/* Of an object without arguments, all there is to see is its state. */
static void note_unknown(struct walk *w, pickle_value object)
{
    pickle_value callable, arguments, part;
    if (!pickle_call(w->pickle, object, &callable, &arguments) ||
        pickle_elements(w->pickle, arguments, &part, 1) == 0)
        return;
    w->unknown++;
    for (size_t i = 0; i < w->class_count; i++)
        if (same_class(w->pickle, w->classes[i], callable))
            return;
    if (w->class_count < CLASSES_SHOWN)
        w->classes[w->class_count++] = callable;
}

static bool visit_object(struct walk *w, const struct frame *step)
{
    struct torch_call call = torch_call(w->pickle, step->value);
    if (call.what == TORCH_TENSOR || call.what == TORCH_OTHER_TENSOR)
        return add_tensor(w, &call, step);
    if (call.what == TORCH_UNKNOWN && !w->seen[step->value])
        note_unknown(w, step->value);
    return enter(w, step);
}

static bool visit(struct walk *w, const struct frame *step)
{
    switch (pickle_kind(w->pickle, step->value)) {
    case PICKLE_TUPLE:
    case PICKLE_LIST:
    case PICKLE_DICT:
    case PICKLE_SET:
        return enter(w, step);
    case PICKLE_OBJECT:
        return visit_object(w, step);
    case PICKLE_PERSISTENT:
        return add_storage(w, step);
    default:
        return true;
    }
}

/* OrderedDict([['a', tensor], ...]), as Python 2 wrote it, and set([tensor, ...]). */
static bool visit_arguments(struct walk *w, const struct frame *from, pickle_value arguments)
{
    pickle_value list;
    struct torch_call call = torch_call(w->pickle, from->value);
    if ((call.what != TORCH_MAPPING && call.what != TORCH_SEQUENCE) ||
        pickle_elements(w->pickle, arguments, &list, 1) != 1)
        return true;
    return visit(w, &(struct frame){.value = list, .pairs = call.what == TORCH_MAPPING});
}

static bool visit_part(struct walk *w, const struct frame *from, const struct pickle_part *part)
{
    struct frame step = {.value = part->value, .key = part->key, .position = part->position};
    pickle_value pair[2];
    switch (part->role) {
    case PICKLE_CALL:
        return visit_arguments(w, from, part->value);
    case PICKLE_STATE:
        break;
    case PICKLE_PAIR:
        step.component = KEY;
        break;
    case PICKLE_ELEMENT:
        step.component = POSITION;
        if (from->pairs && pickle_elements(w->pickle, part->value, pair, 2) == 2) {
            step.component = KEY;
            step.key = pair[0];
            step.value = pair[1];
        }
    }
    return visit(w, &step);
}

static void warn_of_repeated(const struct walk *w)
{
    if (w->again)
        input_warn(w->input, "what stands in several places is listed in the first (%zu time%s)",
                   w->again, w->again == 1 ? "" : "s");
}

static void warn_of_unknown(const struct walk *w)
{
    struct buffer classes = {0};
    if (w->unknown == 0)
        return;
    for (size_t i = 0; i < w->class_count; i++) {
        struct pickle_text module, name;
        buffer_puts(&classes, i ? ", " : "");
        if (pickle_global(w->pickle, w->classes[i], &module, &name))
            buffer_printf(&classes, "%.*s.%.*s", module.length < 24 ? (int)module.length : 24,
                          module.bytes, name.length < 24 ? (int)name.length : 24, name.bytes);
        else
            buffer_puts(&classes, "?");
    }
    input_warn(w->input, "%zu object%s of unknown class%s %s not looked at: %s", w->unknown,
               w->unknown == 1 ? "" : "s", w->unknown == 1 ? "" : "es",
               w->unknown == 1 ? "was" : "were", classes.data);
    buffer_free(&classes);
}

bool torch_walk(const struct torch_file *file, struct error *error)
{
    struct walk *w = allocate(1, sizeof *w);
    struct pickle_part part;
    w->file = file;
    w->pickle = &file->pickle;
    w->input = file->input;
    w->error = error;
    w->seen = allocate(pickle_count(&file->pickle) + 1, 1);
    bool ok = visit(w, &(struct frame){.value = file->pickle.root});
    while (ok && w->depth) {
        struct frame *innermost = &w->frames[w->depth - 1];
        if (pickle_next(w->pickle, &innermost->cursor, &part))
            ok = visit_part(w, innermost, &part);
        else
            leave(w);
    }
    if (ok) {
        warn_of_repeated(w);
        warn_of_unknown(w);
    }
    free(w->seen);
    free(w);
    return ok;
}
