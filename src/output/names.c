/* The names of the tensors, a line each, as patterns that match them: for scripts, and for shells
 * that complete the arguments of --select. */
#include <string.h>

#include "base/utf8.h"
#include "output/escape.h"
#include "output/output.h"

/* What would not stay on its line, or is more than a shell should be told, any character matches.
 * See glob.h. */
static void add_pattern(struct buffer *out, const char *name, bool utf8)
{
    while (*name) {
        uint32_t character = 0;
        size_t length = utf8_decode(name, &character);
        if (length == 0 || !character_is_plain(character, utf8)) {
            buffer_puts(out, "?");
        } else {
            if (strchr("*?[\\", *name))
                buffer_puts(out, "\\");
            buffer_add(out, name, length);
        }
        name += length ? length : 1;
    }
}

static void add_line(struct sink *sink, const char *name, const struct style *style)
{
    if (!*name)
        return;
    add_pattern(&sink->text, name, style->utf8);
    buffer_puts(&sink->text, "\n");
}

static void render(const struct report *report, const struct style *style, struct sink *sink)
{
    for (size_t t = 0; t < report->tensor_count && sink_goes_on(sink); t++)
        add_line(sink, report->tensors[t].tensor.name, style);
}

static void list(const struct listing *listing, const struct style *style, struct sink *sink)
{
    for (size_t t = 0; t < listing->tensor_count && sink_goes_on(sink); t++)
        add_line(sink, listing->tensors[t].tensor->name, style);
}

const struct renderer renderer_names = {.kind = "names", .render = render, .list = list};
