/* The tables of the page: tensors, and the figures of all of them. */
#include "output/html/html.h"

#include <string.h>

#include "output/escape.h"
#include "output/number.h"

static void add_magnitude(struct html *html, const struct value *value, const char *title)
{
    buffer_printf(html->out, "<td class=\"number\" data-title=\"%s\">", title);
    if (value->kind == VALUE_REAL)
        number_human(html->out, value->real);
    else
        buffer_puts(html->out, "–");
    buffer_puts(html->out, "</td>");
}

static void standing_cells(struct html *html, size_t tensor)
{
    for (size_t c = 0; c < html->report->cast_count; c++) {
        struct buffer text = {0};
        enum ink ink = html_standing(&text, html, tensor, c);
        buffer_printf(html->out, "<td class=\"standing %s\" data-title=\"%s\">%s</td>",
                      html_ink(ink), html->report->casts[c].format.name, text.data);
        buffer_free(&text);
    }
}

static void tensor_row(struct html *html, size_t place)
{
    size_t index = html->ranking.order[place];
    const struct report_tensor *tensor = &html->report->tensors[index];
    struct report_figures room = {0};
    const struct report_figures *figures = report_figures_of(html->report, tensor, &room);
    struct buffer label = {0};
    buffer_printf(html->out, "<tr id=\"t%zu\"><th scope=\"row\" class=\"name\">", index);
    text_label(&label, &html->ranking, tensor);
    html_name(html, label.data);
    buffer_free(&label);
    buffer_puts(html->out, "</th><td class=\"number\" data-title=\"elements\">");
    number_count(html->out, tensor->tensor.elements);
    buffer_puts(html->out, "</td>");
    add_magnitude(html, &figures->input[METRIC_INPUT_MIN_ABS], "smallest");
    add_magnitude(html, &figures->input[METRIC_INPUT_MAX_ABS], "largest");
    standing_cells(html, index);
    buffer_puts(html->out, "</tr>\n");
    report_figures_done(html->report, &room);
}

/* The script sorts by what the buttons that it puts into the titles say. */
static void tensor_titles(struct html *html)
{
    static const char *const titles[] = {"elements", "smallest", "largest"};
    buffer_puts(html->out, "<thead><tr><th scope=\"col\">tensor</th>");
    for (size_t i = 0; i < sizeof titles / sizeof *titles; i++)
        buffer_printf(html->out, "<th scope=\"col\" class=\"number\">%s</th>", titles[i]);
    for (size_t c = 0; c < html->report->cast_count; c++)
        buffer_printf(html->out, "<th scope=\"col\">%s</th>", html->report->casts[c].format.name);
    buffer_puts(html->out, "</tr></thead>\n");
}

/* What the rows from `first` on are like, in each format. */
static void rest_list(struct html *html, size_t first)
{
    const struct report *report = html->report;
    buffer_puts(html->out, "<ul>\n");
    for (size_t c = 0; c < report->cast_count; c++) {
        struct ranking_rest rest = ranking_rest(&html->ranking, first, c);
        buffer_printf(html->out, "<li>%s: ", report->casts[c].format.name);
        number_counted(html->out, rest.tensors, "more tensor", "more tensors");
        text_harmed(html->out, report, &rest);
        buffer_puts(html->out, "</li>\n");
    }
    buffer_puts(html->out, "</ul>\n");
}

/* What the table does not have with the script, and what it does not have without. */
static void left_out(struct html *html)
{
    size_t count = html->report->tensor_count;
    if (html->shown < html->rows) {
        buffer_puts(html->out, "<div id=\"rest\">\n<p>The script shows ");
        buffer_puts(html->out, html->rows < count ? "more" : "all");
        buffer_puts(html->out, " tensors; without it the first ");
        number_count(html->out, html->shown);
        buffer_puts(html->out,
                    " are listed (<code>--top</code> tells how many). The others:</p>\n");
        rest_list(html, html->shown);
        buffer_puts(html->out, "</div>\n");
    }
    if (html->rows < count) {
        buffer_puts(html->out, "<p>The page has the first ");
        number_count(html->out, html->rows);
        buffer_puts(html->out, " of ");
        number_count(html->out, count);
        buffer_puts(html->out, " tensors; <code>--select</code> picks others, "
                               "<code>--csv</code> and <code>--json</code> have all.</p>\n");
        rest_list(html, html->rows);
    }
}

static const char *const orders[ORDER_COUNT] = {
    [ORDER_WORST] = "the worst in any format first",
    [ORDER_NAME] = "by name",
    [ORDER_SIZE] = "the largest first",
    [ORDER_OVERFLOW] = "the most overflow in any format first",
    [ORDER_UNDERFLOW] = "the most underflow in any format first",
    [ORDER_SQNR] = "the lowest SQNR in any format first",
    [ORDER_LOST] = "the most lost in any format first",
};

void html_tensors(struct html *html)
{
    buffer_puts(html->out, "<section id=\"tensors\" aria-labelledby=\"tensors-title\">\n"
                           "<h2 id=\"tensors-title\">Tensors</h2>\n<div id=\"controls\"></div>\n"
                           "<div class=\"scroll\"><table class=\"cards\" id=\"table\">\n<caption>");
    number_count(html->out, html->report->tensor_count);
    buffer_printf(html->out, " %s, %s</caption>\n",
                  html->report->tensor_count == 1 ? "tensor" : "tensors",
                  orders[html->style->order]);
    tensor_titles(html);
    buffer_puts(html->out, "<tbody>\n");
    for (size_t place = 0; place < html->shown && sink_goes_on(html->sink); place++)
        tensor_row(html, place);
    buffer_puts(html->out, "</tbody>\n</table></div>\n");
    left_out(html);
    buffer_puts(html->out, "</section>\n");
}

static void figure_name(struct html *html, const struct metric_row *row)
{
    const char *group = metric_group_names[row->group];
    buffer_printf(html->out, "<tr><th scope=\"row\"><code>%s%s%s</code> <small>", group,
                  *group ? "." : "", row->name);
    escape_markup(html->out, row->help);
    buffer_puts(html->out, "</small></th>");
}

/* A position says which tensor it is in. */
static void add_total(struct html *html, const struct report_cast *cast, enum metric metric)
{
    const struct value *value = &cast->figures[metric];
    const struct report_tensor *where =
        metric == METRIC_ERROR_MAX_ABS_AT ? cast->max_abs_tensor : cast->max_rel_tensor;
    buffer_printf(html->out, "<td class=\"number\" data-title=\"%s\">", cast->cast->format.name);
    if (value->kind != VALUE_INDEX) {
        text_value(html->out, value, NULL);
    } else if (where) {
        if (html->report->tensor_count > 1) {
            html_link(html, where);
            buffer_puts(html->out, " ");
        }
        text_index(html->out, &where->tensor, value->count);
    }
    buffer_puts(html->out, "</td>");
}

static void open_figures(struct html *html, const char *caption)
{
    buffer_printf(
        html->out,
        "<div class=\"scroll\"><table class=\"figures cards\">\n<caption>%s</caption>\n<thead><tr>"
        "<th scope=\"col\">figure</th>",
        caption);
}

static void close_figures(struct html *html)
{
    buffer_puts(html->out, "</tbody>\n</table></div>\n");
}

static void input_figures(struct html *html)
{
    open_figures(html, "Input");
    buffer_puts(html->out, "<th scope=\"col\" class=\"number\">value</th></tr></thead>\n<tbody>\n");
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (metric_table[i].group != GROUP_INPUT)
            continue;
        figure_name(html, &metric_table[i]);
        buffer_puts(html->out, "<td class=\"number\" data-title=\"value\">");
        text_value(html->out, &html->report->total.input[i], NULL);
        buffer_puts(html->out, "</td></tr>\n");
    }
    close_figures(html);
}

static void cast_figures(struct html *html)
{
    const struct report *report = html->report;
    open_figures(html, "Casts");
    for (size_t c = 0; c < report->cast_count; c++)
        buffer_printf(html->out, "<th scope=\"col\" class=\"number\">%s</th>",
                      report->casts[c].format.name);
    buffer_puts(html->out, "</tr></thead>\n<tbody>\n");
    for (int i = 0; i < METRIC_COUNT; i++) {
        enum metric_group group = metric_table[i].group;
        if (group == GROUP_INPUT || (group > GROUP_ERROR && !report->has_group[group]))
            continue;
        figure_name(html, &metric_table[i]);
        for (size_t c = 0; c < report->cast_count; c++)
            add_total(html, &report->total.casts[c], (enum metric)i);
        buffer_puts(html->out, "</tr>\n");
    }
    close_figures(html);
}

void html_figures(struct html *html)
{
    buffer_puts(html->out, "<section id=\"figures\" aria-labelledby=\"figures-title\">\n"
                           "<h2 id=\"figures-title\">All of them in figures</h2>\n<details>\n"
                           "<summary>Every figure, formats side by side</summary>\n");
    input_figures(html);
    cast_figures(html);
    buffer_puts(html->out, "</details>\n</section>\n");
}
