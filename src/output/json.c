/* The report as JSON. The members and their order are those of the contract. */
#include "output/output.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "output/escape.h"
#include "output/number.h"

/* Puts the commas, and each member on a line of its own unless `flat`. */
struct writer {
    struct buffer *out;
    int depth;
    bool one_line; /* always flat */
    bool flat;
    bool first; /* nothing was written yet in the innermost object or array */
};

static void new_line(struct writer *w)
{
    static const char line[] = "\n                ";
    size_t length = 1 + 2 * (size_t)w->depth;
    buffer_add(w->out, line, length < sizeof line ? length : sizeof line - 1);
}

static void next_item(struct writer *w)
{
    if (!w->first)
        buffer_add(w->out, ", ", w->flat ? 2 : 1);
    if (!w->flat)
        new_line(w);
    w->first = false;
}

static void member(struct writer *w, const char *name)
{
    next_item(w);
    buffer_add(w->out, "\"", 1);
    buffer_puts(w->out, name);
    buffer_add(w->out, "\": ", 3);
}

/* Members that follow share this line, which the next `apart` ends. */
static void member_together(struct writer *w, const char *name)
{
    member(w, name);
    w->flat = true;
}

static void apart(struct writer *w)
{
    w->flat = w->one_line;
}

static void open_lines(struct writer *w, const char *bracket)
{
    buffer_puts(w->out, bracket);
    w->depth++;
    w->flat = w->one_line;
    w->first = true;
}

static void close_lines(struct writer *w, const char *bracket)
{
    w->depth--;
    if (!w->first && !w->one_line)
        new_line(w);
    buffer_puts(w->out, bracket);
    w->flat = w->one_line;
    w->first = false;
}

/* The same on one line; the result is what `close_flat` wants back. */
static bool open_flat(struct writer *w, const char *bracket)
{
    bool was_flat = w->flat;
    buffer_puts(w->out, bracket);
    w->flat = true;
    w->first = true;
    return was_flat;
}

static void close_flat(struct writer *w, const char *bracket, bool was_flat)
{
    buffer_puts(w->out, bracket);
    w->flat = was_flat;
    w->first = false;
}

static void write_text(struct writer *w, const char *text)
{
    if (text)
        escape_json(w->out, text);
    else
        buffer_puts(w->out, "null");
}

static void write_integer(struct writer *w, uint64_t value)
{
    number_plain(w->out, value);
}

static void write_integers(struct writer *w, const uint64_t *values, size_t count)
{
    bool was_flat = open_flat(w, "[");
    number_list(w->out, values, count);
    close_flat(w, "]", was_flat);
}

static void write_position(struct writer *w, const struct tensor *tensor, uint64_t position)
{
    uint64_t index[RANK_LIMIT];
    tensor_index(tensor, position, index);
    write_integers(w, index, tensor->rank);
}

/* `tensor` is the one that a position is in. */
static void write_value(struct writer *w, const struct value *value, const struct tensor *tensor)
{
    switch (value->kind) {
    case VALUE_NULL:
        buffer_puts(w->out, "null");
        break;
    case VALUE_COUNT:
        write_integer(w, value->count);
        break;
    case VALUE_REAL:
        number_json(w->out, value->real);
        break;
    case VALUE_INDEX:
        write_position(w, tensor, value->count);
        break;
    }
}

/* How many rows from `i` on, of its group, begin with the same member and a dot. */
static int nested_rows(int i)
{
    const char *name = metric_table[i].name, *dot = strchr(name, '.');
    size_t length = dot ? (size_t)(dot - name) + 1 : 0;
    int rows = 0;
    while (dot && i + rows < METRIC_COUNT &&
           metric_table[i + rows].group == metric_table[i].group &&
           strncmp(metric_table[i + rows].name, name, length) == 0)
        rows++;
    return rows;
}

static bool all_null(const struct value *figures, int count)
{
    int nulls = 0;
    for (int i = 0; i < count; i++)
        nulls += figures[i].kind == VALUE_NULL;
    return nulls == count;
}

/* A member of members, or null. */
static void write_nested(struct writer *w, int first, int rows, const struct value *figures)
{
    const char *name = metric_table[first].name;
    size_t length = strcspn(name, ".");
    next_item(w);
    buffer_printf(w->out, "\"%.*s\": ", (int)length, name);
    if (all_null(figures + first, rows)) {
        buffer_puts(w->out, "null");
        return;
    }
    bool was_flat = open_flat(w, "{");
    for (int i = first; i < first + rows; i++) {
        member(w, metric_table[i].name + length + 1);
        write_value(w, &figures[i], NULL);
    }
    close_flat(w, "}", was_flat);
}

static void write_figures(struct writer *w, enum metric_group group, const struct value *figures,
                          const struct tensor *tensor)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (metric_table[i].group != group)
            continue;
        int rows = nested_rows(i);
        if (rows) {
            write_nested(w, i, rows, figures);
            i += rows - 1;
        } else {
            member(w, metric_table[i].name);
            write_value(w, &figures[i], tensor);
        }
    }
}

static void histogram_members(struct writer *w, const struct histogram *histogram)
{
    member(w, "first");
    if (histogram->length)
        number_signed(w->out, histogram->first);
    else
        buffer_puts(w->out, "null");
    member(w, "counts");
    write_integers(w, histogram->counts, histogram->length);
}

/* Of the total: a position alone does not say which tensor it is in. */
static void write_place(struct writer *w, const struct value *position,
                        const struct report_tensor *where)
{
    if (position->kind != VALUE_INDEX || !where) {
        buffer_puts(w->out, "null");
        return;
    }
    bool was_flat = open_flat(w, "{");
    member(w, "file");
    write_text(w, where->file);
    member(w, "name");
    write_text(w, where->tensor.name);
    member(w, "index");
    write_position(w, &where->tensor, position->count);
    close_flat(w, "}", was_flat);
}

/* `tensor` is NULL for the total. */
static void write_error(struct writer *w, const struct report_cast *cast,
                        const struct tensor *tensor)
{
    bool was_flat = open_flat(w, "{");
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (metric_table[i].group != GROUP_ERROR)
            continue;
        member(w, metric_table[i].name);
        if (tensor || metric_table[i].type != TYPE_INDEX)
            write_value(w, &cast->figures[i], tensor);
        else
            write_place(w, &cast->figures[i],
                        i == METRIC_ERROR_MAX_ABS_AT ? cast->max_abs_tensor : cast->max_rel_tensor);
    }
    close_flat(w, "}", was_flat);
}

static void write_scale(struct writer *w, const struct report_cast *cast)
{
    if (cast->scale_varies)
        buffer_puts(w->out, "null");
    else if (!number_holds_power(cast->scale))
        buffer_printf(w->out, "\"0x1p%+d\"", cast->scale);
    else
        number_json(w->out, ldexp(1, cast->scale));
}

static void write_sums(struct writer *w, const struct report_cast *cast)
{
    const struct {
        const char *name, *sum;
    } sums[] = {
        {"e", cast->sum_e}, {"abs_e", cast->sum_abs_e}, {"e2", cast->sum_e2}, {"x2", cast->sum_x2}};
    bool was_flat = open_flat(w, "{");
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        member(w, sums[i].name);
        write_text(w, sums[i].sum);
    }
    close_flat(w, "}", was_flat);
}

/* What was asked for beside the cast itself. */
static void write_analyses(struct writer *w, const struct report *report,
                           const struct report_cast *cast)
{
    for (int g = GROUP_ERROR + 1; g < GROUP_COUNT; g++) {
        if (!report->has_group[g])
            continue;
        member(w, metric_group_names[g]);
        bool was_flat = open_flat(w, "{");
        write_figures(w, (enum metric_group)g, cast->figures, NULL);
        close_flat(w, "}", was_flat);
    }
}

static void write_cast(struct writer *w, const struct report *report,
                       const struct report_cast *cast, const struct tensor *tensor)
{
    open_lines(w, "{");
    member_together(w, "to");
    write_text(w, cast->cast->format.name);
    member(w, "bits");
    number_signed(w->out, cast->cast->format.bits);
    member(w, "scale");
    write_scale(w, cast);
    apart(w);

    bool line_begins = true;
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (metric_table[i].group != GROUP_CAST)
            continue;
        if (line_begins)
            member_together(w, metric_table[i].name);
        else
            member(w, metric_table[i].name);
        line_begins = false;
        write_value(w, &cast->figures[i], tensor);
    }
    apart(w);

    member(w, "error");
    write_error(w, cast, tensor);
    member(w, "relative_error");
    bool was_flat = open_flat(w, "{");
    member(w, "exact");
    write_integer(w, cast->relative_exact);
    histogram_members(w, &cast->relative_error);
    close_flat(w, "}", was_flat);
    write_analyses(w, report, cast);
    member(w, "sums");
    write_sums(w, cast);
    close_lines(w, "}");
}

static void write_input(struct writer *w, const struct report_figures *figures)
{
    bool was_flat = open_flat(w, "{");
    write_figures(w, GROUP_INPUT, figures->input, NULL);
    member(w, "sum");
    write_text(w, figures->sum);
    member(w, "exponents");
    bool inner = open_flat(w, "{");
    histogram_members(w, &figures->exponents);
    close_flat(w, "}", inner);
    close_flat(w, "}", was_flat);
}

static void write_tensor(struct writer *w, const struct report *report,
                         const struct report_tensor *tensor)
{
    struct report_figures room = {0};
    const struct report_figures *figures = report_figures_of(report, tensor, &room);
    open_lines(w, "{");
    member(w, "file");
    write_text(w, tensor->file);
    member(w, "name");
    write_text(w, tensor->tensor.name);
    member_together(w, "dtype");
    write_text(w, tensor->tensor.dtype.name);
    member(w, "shape");
    write_integers(w, tensor->tensor.shape, tensor->tensor.rank);
    member(w, "elements");
    write_integer(w, tensor->tensor.elements);
    apart(w);
    member(w, "input");
    write_input(w, figures);
    member(w, "casts");
    open_lines(w, "[");
    for (size_t i = 0; i < report->cast_count; i++) {
        next_item(w);
        write_cast(w, report, &figures->casts[i], &tensor->tensor);
    }
    close_lines(w, "]");
    close_lines(w, "}");
    report_figures_done(report, &room);
}

static void write_settings(struct writer *w, const struct report *report)
{
    const struct report_settings *settings = &report->settings;
    const struct {
        const char *name, *value;
    } given[] = {{"scale", settings->scale},
                 {"raw", settings->raw},
                 {"view", settings->view},
                 {"update", settings->update},
                 {"update_scale", settings->update_scale},
                 {"ema", settings->ema}};

    bool was_flat = open_flat(w, "{");
    member(w, "to");
    bool inner = open_flat(w, "[");
    for (size_t i = 0; i < report->cast_count; i++) {
        next_item(w);
        write_text(w, report->casts[i].format.name);
    }
    close_flat(w, "]", inner);
    member(w, "round");
    if (settings->rounding == ROUND_STOCHASTIC)
        buffer_printf(w->out, "\"%s:%" PRIu64 "\"", rounding_name(settings->rounding),
                      settings->seed);
    else
        write_text(w, rounding_name(settings->rounding));
    member(w, "overflow");
    write_text(w, settings->saturate ? "saturate" : "inf");
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        if (given[i].value) {
            member(w, given[i].name);
            write_text(w, given[i].value);
        }
    if (settings->steps) {
        member(w, "steps");
        write_integer(w, settings->steps);
    }
    close_flat(w, "}", was_flat);
}

static void write_skipped(struct writer *w, const struct report_skipped *skipped)
{
    bool was_flat = open_flat(w, "{");
    member(w, "file");
    write_text(w, skipped->file);
    member(w, "name");
    write_text(w, skipped->skipped.name);
    member(w, "dtype");
    write_text(w, skipped->skipped.dtype);
    member(w, "reason");
    write_text(w, skipped->skipped.reason);
    close_flat(w, "}", was_flat);
}

/* What the files hold as tensors, and will. */
static void write_checkpoint(struct writer *w, const struct report *report)
{
    bool was_flat = open_flat(w, "{");
    member(w, "bytes");
    write_integer(w, report->bytes);
    member(w, "dtypes");
    bool inner = open_flat(w, "[");
    for (size_t s = 0; s < report->size_count; s++) {
        next_item(w);
        bool innermost = open_flat(w, "{");
        member(w, "dtype");
        write_text(w, report->sizes[s].dtype.name);
        member(w, "tensors");
        write_integer(w, report->sizes[s].tensors);
        member(w, "bytes");
        write_integer(w, report->sizes[s].bytes);
        close_flat(w, "}", innermost);
    }
    close_flat(w, "]", inner);
    member(w, "after");
    inner = open_flat(w, "[");
    for (size_t c = 0; c < report->cast_count; c++) {
        next_item(w);
        bool innermost = open_flat(w, "{");
        member(w, "to");
        write_text(w, report->casts[c].format.name);
        member(w, "bytes");
        write_integer(w, report_bytes_after(report, c));
        close_flat(w, "}", innermost);
    }
    close_flat(w, "]", inner);
    close_flat(w, "}", was_flat);
}

static void write_advice(struct writer *w, const struct report_advice *advice)
{
    bool was_flat = open_flat(w, "{");
    member(w, "code");
    write_text(w, advice->code);
    member(w, "text");
    write_text(w, advice->text);
    close_flat(w, "}", was_flat);
}

static void write_gate(struct writer *w, const struct report *report,
                       const struct report_gate *gate)
{
    bool was_flat = open_flat(w, "{");
    member(w, "rule");
    write_text(w, gate->rule);
    member(w, "file");
    write_text(w, gate->tensor->file);
    member(w, "name");
    write_text(w, gate->tensor->tensor.name);
    member(w, "to");
    write_text(w, report->casts[gate->cast].format.name);
    member(w, "value");
    write_value(w, &gate->value, &gate->tensor->tensor);
    member(w, "pass");
    buffer_puts(w->out, gate->pass ? "true" : "false");
    member(w, "level");
    write_text(w, gate_level_names[gate->level]);
    close_flat(w, "}", was_flat);
}

static void write_head(struct writer *w, const struct report *report)
{
    member(w, "schema");
    write_text(w, "precheck/1");
    member(w, "version");
    write_text(w, report->version);
    member(w, "settings");
    write_settings(w, report);
}

/* What follows the tensors. */
static void write_rest(struct writer *w, const struct report *report, struct sink *sink)
{
    member(w, "skipped");
    open_lines(w, "[");
    for (size_t i = 0; i < report->skipped_count && sink_goes_on(sink); i++) {
        next_item(w);
        write_skipped(w, &report->skipped[i]);
    }
    close_lines(w, "]");

    member(w, "total");
    open_lines(w, "[");
    for (size_t i = 0; report->total.casts && i < report->cast_count; i++) {
        next_item(w);
        write_cast(w, report, &report->total.casts[i], NULL);
    }
    close_lines(w, "]");

    member(w, "checkpoint");
    write_checkpoint(w, report);

    member(w, "advice");
    open_lines(w, "[");
    for (size_t i = 0; i < report->advice_count; i++) {
        next_item(w);
        write_advice(w, &report->advice[i]);
    }
    close_lines(w, "]");
    member(w, "gates");
    open_lines(w, "[");
    for (size_t i = 0; i < report->gate_count && sink_goes_on(sink); i++) {
        next_item(w);
        write_gate(w, report, &report->gates[i]);
    }
    close_lines(w, "]");
    member(w, "verdict");
    write_text(w, !report->has_verdict ? NULL : report->pass ? "pass" : "fail");
}

static void render(const struct report *report, const struct style *style, struct sink *sink)
{
    (void)style;
    struct writer writer = {.out = &sink->text}, *w = &writer;
    open_lines(w, "{");
    write_head(w, report);
    member(w, "tensors");
    open_lines(w, "[");
    for (size_t i = 0; i < report->tensor_count && sink_goes_on(sink); i++) {
        next_item(w);
        write_tensor(w, report, &report->tensors[i]);
    }
    close_lines(w, "]");
    write_rest(w, report, sink);
    close_lines(w, "}");
    buffer_puts(w->out, "\n");
}

/* A line for each tensor, and one for all else. */
static void tensor_line(const struct report *report, const struct report_tensor *tensor,
                        struct buffer *out)
{
    struct writer writer = {.out = out, .one_line = true};
    write_tensor(&writer, report, tensor);
    buffer_puts(out, "\n");
}

static void last_line(const struct report *report, const struct style *style, struct sink *sink)
{
    (void)style;
    struct writer writer = {.out = &sink->text, .one_line = true}, *w = &writer;
    open_lines(w, "{");
    write_head(w, report);
    write_rest(w, report, sink);
    close_lines(w, "}");
    buffer_puts(w->out, "\n");
}

static void listed_members(struct writer *w, const char *file, const char *name, const char *dtype)
{
    member(w, "file");
    write_text(w, file);
    member(w, "name");
    write_text(w, name);
    member(w, "dtype");
    write_text(w, dtype);
}

/* null where the elements end only with the stream */
static void write_listed(struct writer *w, const struct listed_tensor *listed)
{
    const struct tensor *tensor = listed->tensor;
    bool known = tensor->elements != ELEMENTS_UNKNOWN, was_flat = open_flat(w, "{");
    listed_members(w, listed->file, tensor->name, tensor->dtype.name);
    member(w, "shape");
    if (known)
        write_integers(w, tensor->shape, tensor->rank);
    else
        write_text(w, NULL);
    const uint64_t sizes[] = {tensor->elements, listing_bytes(tensor)};
    for (int i = 0; i < 2; i++) {
        member(w, i ? "bytes" : "elements");
        if (known)
            write_integer(w, sizes[i]);
        else
            write_text(w, NULL);
    }
    member(w, "container");
    write_text(w, listed->container);
    close_flat(w, "}", was_flat);
}

static void write_listed_skipped(struct writer *w, const struct listed_skipped *listed)
{
    bool was_flat = open_flat(w, "{");
    listed_members(w, listed->file, listed->skipped.name, listed->skipped.dtype);
    member(w, "reason");
    write_text(w, listed->skipped.reason);
    member(w, "container");
    write_text(w, listed->container);
    close_flat(w, "}", was_flat);
}

static void list(const struct listing *listing, const struct style *style, struct sink *sink)
{
    (void)style;
    struct writer writer = {.out = &sink->text}, *w = &writer;
    open_lines(w, "{");
    member(w, "schema");
    write_text(w, "precheck-list/1");
    member(w, "tensors");
    open_lines(w, "[");
    for (size_t i = 0; i < listing->tensor_count && sink_goes_on(sink); i++) {
        next_item(w);
        write_listed(w, &listing->tensors[i]);
    }
    close_lines(w, "]");
    member(w, "skipped");
    open_lines(w, "[");
    for (size_t i = 0; i < listing->skipped_count && sink_goes_on(sink); i++) {
        next_item(w);
        write_listed_skipped(w, &listing->skipped[i]);
    }
    close_lines(w, "]");
    close_lines(w, "}");
    buffer_puts(w->out, "\n");
}

const struct renderer renderer_json = {.kind = "json", .render = render, .list = list};
const struct renderer renderer_ndjson = {
    .kind = "ndjson", .tensor = tensor_line, .render = last_line};
