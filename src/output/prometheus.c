/* The figures of all tensors for the textfile collector of node_exporter, in the text format of
 * Prometheus (0.0.4). */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "output/escape.h"
#include "output/number.h"
#include "output/output.h"
#include "output/told.h"

/* Everything is a gauge: it tells of this report and does not add up. */
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

static void add_value(struct buffer *out, const struct value *value)
{
    if (value->kind == VALUE_COUNT)
        number_plain(out, value->count);
    else if (isinf(value->real))
        buffer_puts(out, value->real < 0 ? "-Inf" : "+Inf");
    else
        number_exact(out, value->real);
    buffer_puts(out, "\n");
}

/* precheck_error_max_abs, precheck_cast_overflow_elements, precheck_tensor_error_max_abs */
static void add_name(struct buffer *out, const char *prefix, const struct metric_row *row)
{
    const char *group = metric_group_names[row->group];
    buffer_printf(out, "%s_%s_", prefix, *group ? group : "cast");
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

/* In one cast; NULL where there is no number. */
static const struct value *figure_of(const struct report_figures *figures, enum metric metric,
                                     size_t cast)
{
    bool input = metric_table[metric].group == GROUP_INPUT;
    const struct value *value =
        input ? &figures->input[metric] : &figures->casts[cast].figures[metric];
    return value->kind == VALUE_COUNT || value->kind == VALUE_REAL ? value : NULL;
}

/* Of the total; a tensor has no figure that the total does not have. */
static bool has_figure(const struct report *report, enum metric metric)
{
    enum metric_group group = metric_table[metric].group;
    bool has = false;
    if (!report->total.casts || (group > GROUP_ERROR && !report->has_group[group]))
        return false;
    for (size_t c = 0; c < report->cast_count; c++)
        has |= figure_of(&report->total, metric, c) != NULL;
    return has;
}

/* Those of the input are the same in all casts: there is one, without a format. */
static size_t cast_count(const struct report *report, enum metric metric)
{
    return metric_table[metric].group == GROUP_INPUT ? 1 : report->cast_count;
}

static void total_samples(struct buffer *out, const struct report *report, enum metric metric,
                          const char *name)
{
    bool input = metric_table[metric].group == GROUP_INPUT;
    for (size_t c = 0; c < cast_count(report, metric); c++) {
        const struct value *value = figure_of(&report->total, metric, c);
        if (!value)
            continue;
        sample(out, name, input ? NULL : "to", report->casts[c].format.name);
        add_value(out, value);
    }
}

/* tensor="layer.0.weight", */
static void add_text_label(struct buffer *out, const char *label, const char *text)
{
    struct buffer printable = {0};
    escape_terminal(&printable, text, true);
    buffer_puts(out, label);
    buffer_puts(out, "=\"");
    for (const char *at = printable.data; *at;) {
        size_t plain = strcspn(at, "\\\"");
        buffer_add(out, at, plain);
        at += plain;
        if (*at) {
            buffer_puts(out, "\\");
            buffer_add(out, at++, 1);
        }
    }
    buffer_puts(out, "\",");
    buffer_free(&printable);
}

/* {file="w.npz",tensor="layer.0.weight",dtype="f32" */
static void add_labels(struct buffer *out, const struct report_tensor *tensor, size_t copy)
{
    buffer_puts(out, "{");
    add_text_label(out, "file", tensor->file);
    add_text_label(out, "tensor", tensor->tensor.name);
    if (copy)
        buffer_printf(out, "copy=\"%zu\",", copy + 1);
    buffer_puts(out, "dtype=\"");
    buffer_puts(out, tensor->tensor.dtype.name);
    buffer_puts(out, "\"");
}

/* Which of the tensors of one name in one file the tensor at a place is, from 0: the same labels
 * must not come twice, and tensors of PyTorch may share a name. They follow each other. */
static size_t copy_at(const struct ranking *by_name, size_t place, size_t copy)
{
    if (place == 0)
        return 0;
    const struct report_tensor *tensors = by_name->report->tensors;
    const struct report_tensor *tensor = &tensors[by_name->order[place]];
    const struct report_tensor *other = &tensors[by_name->order[place - 1]];
    return strcmp(tensor->tensor.name, other->tensor.name) == 0 &&
                   strcmp(tensor->file, other->file) == 0
               ? copy + 1
               : 0;
}

static void tensor_samples(struct buffer *out, const struct report *report,
                           const struct report_tensor *tensor, size_t copy, enum metric metric,
                           const char *name)
{
    bool input = metric_table[metric].group == GROUP_INPUT;
    struct report_figures room = {0};
    const struct report_figures *figures = report_figures_of(report, tensor, &room);
    struct buffer labels = {0};
    add_labels(&labels, tensor, copy);
    for (size_t c = 0; c < cast_count(report, metric); c++) {
        const struct value *value = figure_of(figures, metric, c);
        if (!value)
            continue;
        buffer_puts(out, name);
        buffer_add(out, labels.data, labels.length);
        if (!input) {
            buffer_puts(out, ",to=\"");
            buffer_puts(out, report->casts[c].format.name);
            buffer_puts(out, "\"");
        }
        buffer_puts(out, "} ");
        add_value(out, value);
    }
    buffer_free(&labels);
    report_figures_done(report, &room);
}

/* A figure of the total or, where there is a ranking, of each tensor. All samples of a name have to
 * follow each other. */
static void figures(struct sink *sink, const struct report *report, enum metric metric,
                    const struct ranking *by_name)
{
    const struct metric_row *row = &metric_table[metric];
    struct buffer name = {0}, help = {0};
    add_name(&name, by_name ? "precheck_tensor" : "precheck", row);
    add_help(&help, row);
    family(&sink->text, name.data, help.data);
    if (!by_name)
        total_samples(&sink->text, report, metric, name.data);
    size_t copy = 0;
    for (size_t place = 0; by_name && place < report->tensor_count && sink_goes_on(sink); place++) {
        const struct report_tensor *tensor = &report->tensors[by_name->order[place]];
        copy = copy_at(by_name, place, copy);
        tensor_samples(&sink->text, report, tensor, copy, metric, name.data);
    }
    buffer_free(&name);
    buffer_free(&help);
}

static void all_figures(struct sink *sink, const struct report *report,
                        const struct ranking *by_name)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        if (has_figure(report, (enum metric)i))
            figures(sink, report, (enum metric)i, by_name);
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

/* Series for each tensor are many, so on request only. */
static void render(const struct report *report, const struct style *style, struct sink *sink)
{
    run_counts(&sink->text, report);
    sizes(&sink->text, report);
    all_figures(sink, report, NULL);
    if (!style->verbose || !report->tensor_count)
        return;
    struct ranking by_name = ranking_new(report);
    ranking_sort(&by_name, ORDER_NAME, 0);
    all_figures(sink, report, &by_name);
    ranking_free(&by_name);
}

const struct renderer renderer_prometheus = {.kind = "prometheus", .render = render};
