/* A table for spreadsheets and data frames: RFC 4180, a row for each tensor and format, and always
 * the same columns. */
#include "output/output.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"
#include "output/escape.h"
#include "output/number.h"

/* Spreadsheets take such a text for a formula (OWASP, CSV Injection), the wide forms too. */
static bool begins_formula(const char *text)
{
    static const uint32_t signs[] = {'=', '+', '-', '@', 0xff1d, 0xff0b, 0xff0d, 0xff20};
    uint32_t first;
    bool formula = false;
    size_t valid = utf8_decode(text, &first);
    for (size_t i = 0; valid && i < sizeof signs / sizeof signs[0]; i++)
        formula |= first == signs[i];
    return formula;
}

/* A text from strangers, always in quotes. What an apostrophe keeps from being a formula stays
 * apart from what had one. */
static void add_text(struct buffer *out, const char *text)
{
    struct buffer printable = {0};
    escape_terminal(&printable, text, true);
    buffer_puts(out, begins_formula(text) || *text == '\'' ? "\"'" : "\"");
    for (const char *at = printable.data; *at;) {
        size_t plain = strcspn(at, "\"");
        buffer_add(out, at, plain);
        at += plain;
        if (*at) {
            buffer_puts(out, "\"\"");
            at++;
        }
    }
    buffer_puts(out, "\"");
    buffer_free(&printable);
}

static void add_shape(struct buffer *out, const struct tensor *tensor)
{
    for (unsigned i = 0; i < tensor->rank; i++) {
        buffer_puts(out, i ? "x" : "");
        number_plain(out, tensor->shape[i]);
    }
}

static void add_position(struct buffer *out, const struct tensor *tensor, uint64_t position)
{
    uint64_t index[RANK_LIMIT];
    tensor_index(tensor, position, index);
    buffer_puts(out, "\"[");
    number_list(out, index, tensor->rank);
    buffer_puts(out, "]\"");
}

static void add_value(struct buffer *out, const struct value *value, const struct tensor *tensor)
{
    switch (value->kind) {
    case VALUE_NULL:
        break;
    case VALUE_COUNT:
        number_plain(out, value->count);
        break;
    case VALUE_REAL:
        number_exact(out, value->real);
        break;
    case VALUE_INDEX:
        add_position(out, tensor, value->count);
        break;
    }
}

static void add_scale(struct buffer *out, int scale)
{
    if (number_holds_power(scale))
        number_exact(out, ldexp(1, scale));
    else
        buffer_printf(out, "0x1p%+d", scale);
}

/* Figures are called as gates call them. */
static void header(struct buffer *out)
{
    buffer_puts(out, "file,name,dtype,shape,elements,to,bits,scale");
    for (int i = 0; i < METRIC_COUNT; i++) {
        const char *group = metric_group_names[metric_table[i].group];
        buffer_printf(out, ",%s%s%s", group, *group ? "." : "", metric_table[i].name);
    }
    buffer_puts(out, "\r\n");
}

/* What the rows of a tensor begin with. */
static void add_tensor(struct buffer *out, const struct report_tensor *tensor)
{
    add_text(out, tensor->file);
    buffer_puts(out, ",");
    add_text(out, tensor->tensor.name);
    buffer_puts(out, ",");
    buffer_puts(out, tensor->tensor.dtype.name);
    buffer_puts(out, ",");
    add_shape(out, &tensor->tensor);
    buffer_puts(out, ",");
    number_plain(out, tensor->tensor.elements);
    buffer_puts(out, ",");
}

/* Those of the input come first in the table, so that they are the same in the rows of a tensor. */
static void add_figures(struct buffer *out, bool of_input, const struct value *figures,
                        const struct tensor *tensor)
{
    for (int i = 0; i < METRIC_COUNT; i++)
        if ((metric_table[i].group == GROUP_INPUT) == of_input) {
            buffer_add(out, ",", 1);
            add_value(out, &figures[i], tensor);
        }
}

static void add_cast(struct buffer *out, const struct cast *cast, int scale)
{
    buffer_puts(out, cast->format.name);
    buffer_puts(out, ",");
    number_signed(out, cast->format.bits);
    buffer_puts(out, ",");
    add_scale(out, scale);
}

static void rows(const struct report *report, const struct report_tensor *tensor,
                 struct buffer *out)
{
    struct report_figures room = {0};
    const struct report_figures *figures = report_figures_of(report, tensor, &room);
    struct buffer start = {0}, input = {0};
    add_tensor(&start, tensor);
    add_figures(&input, true, figures->input, &tensor->tensor);
    for (size_t c = 0; c < report->cast_count; c++) {
        const struct report_cast *cast = &figures->casts[c];
        buffer_add(out, start.data, start.length);
        add_cast(out, cast->cast, cast->scale);
        buffer_add(out, input.data, input.length);
        add_figures(out, false, cast->figures, &tensor->tensor);
        buffer_puts(out, "\r\n");
    }
    buffer_free(&start);
    buffer_free(&input);
    report_figures_done(report, &room);
}

const struct renderer renderer_csv = {.kind = "csv", .begin = header, .tensor = rows};
