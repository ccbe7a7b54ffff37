/* The figures of all tensors for the textfile collector of node_exporter, in the text format of
 * Prometheus (0.0.4). */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "output/number.h"
#include "output/output.h"
#include "output/told.h"

/* Everything is a gauge: it tells of this report and does not add up. Texts of strangers are in no
 * label: the names of formats and dtypes are of letters and digits. */
static void family(struct buffer *out, const char *name, const char *help)
{
    buffer_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* `label` NULL: none. */
static void sample(struct buffer *out, const char *name, const char *label, const char *labelled)
{
    buffer_puts(out, name);
    if (label)
        buffer_printf(out, "{%s=\"%s\"}", label, labelled);
    buffer_puts(out, " ");
}

static void count_sample(struct buffer *out, const char *name, const char *label,
                         const char *labelled, uint64_t count)
{
    sample(out, name, label, labelled);
    buffer_printf(out, "%" PRIu64 "\n", count);
}

static void value_sample(struct buffer *out, const char *name, const char *format,
                         const struct value *value)
{
    sample(out, name, format ? "to" : NULL, format);
    if (value->kind == VALUE_COUNT)
        number_plain(out, value->count);
    else if (isinf(value->real))
        buffer_puts(out, value->real < 0 ? "-Inf" : "+Inf");
    else
        number_exact(out, value->real);
    buffer_puts(out, "\n");
}

/* precheck_error_max_abs, precheck_cast_overflow_elements */
static void add_name(struct buffer *out, const struct metric_row *row)
{
    const char *group = metric_group_names[row->group];
    buffer_printf(out, "precheck_%s_", *group ? group : "cast");
    for (const char *at = row->name; *at; at++)
        buffer_add(out, *at == '.' ? "_" : at, 1);
    if (strcmp(row->unit, "elements") == 0)
        buffer_puts(out, "_elements");
}

/* As gates call it, and what it is. */
static void add_help(struct buffer *out, const struct metric_row *row)
{
    const char *group = metric_group_names[row->group];
    buffer_printf(out, "%s%s%s%s%s", group, *group ? "." : "", row->name, *row->help ? ": " : "",
                  row->help);
}

/* The figure of all tensors in one cast; NULL where there is none. */
static const struct value *figure_of(const struct report *report, enum metric metric, size_t cast)
{
    bool input = metric_table[metric].group == GROUP_INPUT;
    const struct value *value =
        input ? &report->total.input[metric] : &report->total.casts[cast].figures[metric];
    return value->kind == VALUE_COUNT || value->kind == VALUE_REAL ? value : NULL;
}

static bool has_figure(const struct report *report, enum metric metric)
{
    enum metric_group group = metric_table[metric].group;
    bool has = false;
    if (!report->total.casts || (group > GROUP_ERROR && !report->has_group[group]))
        return false;
    for (size_t c = 0; c < report->cast_count; c++)
        has |= figure_of(report, metric, c) != NULL;
    return has;
}

static void figures(struct buffer *out, const struct report *report, enum metric metric)
{
    const struct metric_row *row = &metric_table[metric];
    bool input = row->group == GROUP_INPUT;
    struct buffer name = {0}, help = {0};
    add_name(&name, row);
    add_help(&help, row);
    family(out, name.data, help.data);
    for (size_t c = 0; c < (input ? 1 : report->cast_count); c++) {
        const struct value *value = figure_of(report, metric, c);
        if (value)
            value_sample(out, name.data, input ? NULL : report->casts[c].format.name, value);
    }
    buffer_free(&name);
    buffer_free(&help);
}

/* Of a run as a whole. */
static void run_counts(struct buffer *out, const struct report *report)
{
    const struct {
        const char *name, *help;
        uint64_t count;
    } counts[] = {
        {"precheck_complete", "1 where all was read and written, else 0", !report->incomplete},
        {"precheck_tensors", "Tensors that were cast", report->tensor_count},
        {"precheck_skipped_tensors", "Tensors that were not cast", report->skipped_count},
        {"precheck_elements", "Elements of the tensors", report->total_elements},
        {"precheck_gates", "Gates that were judged", report->gate_count},
        {"precheck_gate_failures", "Gates that failed", told_count(report, GATE_ERROR)},
        {"precheck_gate_warnings", "Gates that warned", told_count(report, GATE_WARN)},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        family(out, counts[i].name, counts[i].help);
        count_sample(out, counts[i].name, NULL, NULL, counts[i].count);
    }
}

static void sizes(struct buffer *out, const struct report *report)
{
    static const char bytes[] = "precheck_bytes", after[] = "precheck_bytes_after";
    if (report->size_count)
        family(out, bytes, "Bytes of the tensors as they are");
    for (size_t s = 0; s < report->size_count; s++)
        count_sample(out, bytes, "dtype", report->sizes[s].dtype.name, report->sizes[s].bytes);
    if (report->cast_count)
        family(out, after, "Bytes of the tensors once they are cast");
    for (size_t c = 0; c < report->cast_count; c++)
        count_sample(out, after, "to", report->casts[c].format.name, report_bytes_after(report, c));
}

static void render(const struct report *report, const struct style *style, struct sink *sink)
{
    (void)style;
    run_counts(&sink->text, report);
    sizes(&sink->text, report);
    for (int i = 0; i < METRIC_COUNT; i++)
        if (has_figure(report, (enum metric)i))
            figures(&sink->text, report, (enum metric)i);
}

const struct renderer renderer_prometheus = {"prometheus", render, NULL};
