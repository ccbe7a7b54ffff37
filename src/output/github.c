/* Annotations of a GitHub Actions workflow: the gates that do not hold, as workflow commands. */
#include <string.h>

#include "output/escape.h"
#include "output/text/text.h"
#include "output/told.h"

/* GitHub shows so many of each kind that a step prints, and drops the others. */
enum { SHOWN_BY_GITHUB = 10 };

static const char *const commands[] = {[GATE_ERROR] = "error", [GATE_WARN] = "warning"};

/* What would end a message, and beside it what would end a property: percent and two digits each,
 * as escapeData and escapeProperty of @actions/core have it. */
static const char in_message[] = "%\r\n", in_property[] = "%\r\n:,";

static void add_text(struct buffer *out, const char *text, const char *special)
{
    struct buffer printable = {0};
    escape_terminal(&printable, text, true);
    for (const char *at = printable.data; *at; at++) {
        if (strchr(special, *at))
            buffer_printf(out, "%%%02X", (unsigned char)*at);
        else
            buffer_add(out, at, 1);
    }
    buffer_free(&printable);
}

/* "layer.0.weight: overflow > 0 in fp16 (value 3)" */
static void annotation(struct buffer *out, const struct report *report,
                       const struct report_gate *gate)
{
    const char *name = gate->tensor->tensor.name;
    struct buffer value = {0}, short_name = {0};
    name_shorten(&short_name, *name ? name : gate->tensor->file);
    text_value(&value, &gate->value, &gate->tensor->tensor);
    buffer_printf(out, "::%s file=", commands[gate->level]);
    add_text(out, gate->tensor->file, in_property);
    buffer_puts(out, ",title=");
    add_text(out, gate->rule, in_property);
    buffer_puts(out, "::");
    add_text(out, short_name.data, in_message);
    buffer_puts(out, ": ");
    add_text(out, gate->rule, in_message);
    buffer_printf(out, " in %s (value %s)\n", report->casts[gate->cast].format.name, value.data);
    buffer_free(&short_name);
    buffer_free(&value);
}

/* The worst, so that with what else there is to say they are as many as GitHub shows. */
static void annotations(struct buffer *out, const struct ranking *ranking, enum gate_level level,
                        size_t room)
{
    struct told told = told_worst_first(ranking, level);
    size_t shown = told.count <= room ? told.count : room - 1;
    for (size_t i = 0; i < shown; i++)
        annotation(out, ranking->report, told.gates[i]);
    if (shown < told.count)
        buffer_printf(out, "::%s title=precheck::%zu more\n", commands[level], told.count - shown);
    told_free(&told);
}

static void render(const struct report *report, const struct style *style, struct sink *sink)
{
    (void)style;
    struct ranking ranking = ranking_new(report);
    if (report->incomplete)
        buffer_puts(&sink->text,
                    "::error title=precheck::incomplete: there was trouble, see the messages\n");
    annotations(&sink->text, &ranking, GATE_ERROR, SHOWN_BY_GITHUB - report->incomplete);
    annotations(&sink->text, &ranking, GATE_WARN, SHOWN_BY_GITHUB);
    ranking_free(&ranking);
}

const struct renderer renderer_github = {.kind = "github", .render = render};
