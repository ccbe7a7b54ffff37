/* The report as one page for a browser, which loads nothing: what matters most comes first and is
 * there without the script, which then sorts, filters and draws the pictures of each tensor. */
#include "output/html/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/escape.h"
#include "output/number.h"
#include "output/told.h"
#include "report/bits.h"

/* Beyond that many, tensors are counted: a browser takes its time for each. */
enum { ROWS_MOST = 4000 };

/* Sentences are not cut. */
enum { WORDS_WIDTH = 1 << 20 };

const char *html_ink(enum ink ink)
{
    static const char *const classes[] = {
        [INK_PLAIN] = "plain", [INK_TITLE] = "title", [INK_BAD] = "bad",
        [INK_WARN] = "warn",   [INK_GOOD] = "good",   [INK_DIM] = "dim"};
    return classes[ink];
}

void html_element(struct html *html, const char *tag, enum ink ink, const char *text)
{
    buffer_printf(html->out, "<%s", tag);
    if (ink != INK_PLAIN)
        buffer_printf(html->out, " class=\"%s\"", html_ink(ink));
    buffer_puts(html->out, ">");
    escape_markup(html->out, text);
    buffer_printf(html->out, "</%s>", tag);
}

void html_name(struct html *html, const char *name)
{
    struct buffer whole = {0}, text = {0};
    name_shorten(&whole, name);
    escape_markup(&text, whole.data);
    for (const char *at = text.data; at && *at;) {
        size_t part = strcspn(at, "._/-");
        part += at[part] != '\0';
        buffer_add(html->out, at, part);
        at += part;
        buffer_puts(html->out, *at ? "<wbr>" : "");
    }
    buffer_free(&whole);
    buffer_free(&text);
}

void html_link(struct html *html, const struct report_tensor *tensor)
{
    struct buffer label = {0};
    text_label(&label, &html->ranking, tensor);
    buffer_printf(html->out, "<a class=\"name\" href=\"#t%zu\">",
                  (size_t)(tensor - html->report->tensors));
    html_name(html, label.data);
    buffer_puts(html->out, "</a>");
    buffer_free(&label);
}

static void add_sqnr(struct buffer *out, double sqnr)
{
    buffer_puts(out, "✓ ");
    if (isinf(sqnr)) {
        buffer_puts(out, "exact");
        return;
    }
    number_decibels(out, sqnr);
    buffer_puts(out, " dB");
}

enum ink html_standing(struct buffer *out, const struct html *html, size_t tensor, size_t cast)
{
    const struct report *report = html->report;
    const struct standing *standing = &html->ranking.standings[tensor * report->cast_count + cast];
    const struct {
        double share;
        const char *mark, *words;
        enum ink ink;
    } harms[] = {
        {standing->overflow, "▲ ", " overflow", INK_BAD},
        {standing->not_finite, "◆ ", " NaN, Inf", INK_WARN},
        {standing->underflow, "▼ ", " to zero", text_rate_ink(standing->underflow)},
        {standing->lost, "✕ ", report->has_group[GROUP_EMA] ? " stuck" : " lost",
         text_rate_ink(standing->lost)},
    };
    for (size_t i = 0; i < sizeof harms / sizeof *harms; i++) {
        if (harms[i].share == 0)
            continue;
        if (out) {
            buffer_puts(out, harms[i].mark);
            text_rate(out, harms[i].share);
            buffer_puts(out, harms[i].words);
        }
        return harms[i].ink;
    }
    bool empty = report->tensors[tensor].tensor.elements == 0;
    if (out && empty)
        buffer_puts(out, "– empty");
    else if (out)
        add_sqnr(out, standing->sqnr);
    return empty ? INK_DIM : INK_GOOD;
}

static void head(struct html *html)
{
    const struct report *report = html->report;
    buffer_puts(html->out,
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    buffer_printf(html->out,
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'\">\n",
                  html_style_hash, html_script_hash);
    buffer_puts(html->out,
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n"
                "<meta name=\"referrer\" content=\"no-referrer\">\n"
                "<title>precheck");
    if (report->has_verdict)
        buffer_puts(html->out, report->pass ? ": pass" : ": fail");
    buffer_puts(html->out, "</title>\n<style>");
    buffer_add(html->out, html_style, (size_t)(html_style_end - html_style));
    buffer_puts(html->out, "</style>\n</head>\n<body>\n");
}

static void add_harmed(struct html *html, size_t harmed, const char *mark, enum ink ink,
                       const char *one, const char *many)
{
    if (harmed == 0)
        return;
    buffer_printf(html->out, "<li class=\"%s\"><b>%s</b> ", html_ink(ink), mark);
    number_count(html->out, harmed);
    buffer_printf(html->out, " %s</li>\n", harmed == 1 ? one : many);
}

/* The tensor that fares worst in the cast. */
static size_t worst_in(const struct ranking *ranking, size_t cast)
{
    size_t casts = ranking->report->cast_count, worst = 0;
    for (size_t t = 1; t < ranking->report->tensor_count; t++)
        if (standing_compare(&ranking->standings[t * casts + cast],
                             &ranking->standings[worst * casts + cast]) < 0)
            worst = t;
    return worst;
}

/* How many tensors each format harms, and which one most. */
static void summary_of(struct html *html, size_t cast)
{
    const struct report *report = html->report;
    bool averages = report->has_group[GROUP_EMA];
    struct ranking_rest all = ranking_rest(&html->ranking, 0, cast);
    size_t worst = worst_in(&html->ranking, cast);
    struct buffer standing = {0};
    enum ink ink = html_standing(&standing, html, worst, cast);
    buffer_printf(html->out, "<div><dt>%s</dt><dd><ul>\n", report->casts[cast].format.name);
    add_harmed(html, all.overflow, "▲", INK_BAD, "tensor overflows", "tensors overflow");
    add_harmed(html, all.not_finite, "◆", INK_WARN, "tensor has NaN or Inf",
               "tensors have NaN or Inf");
    add_harmed(html, all.underflow, "▼", INK_BAD, "tensor underflows to zero in places",
               "tensors underflow to zero in places");
    add_harmed(html, all.lost, "✕", INK_BAD,
               averages ? "tensor has averages that are stuck" : "tensor loses updates",
               averages ? "tensors have averages that are stuck" : "tensors lose updates");
    if (!(all.overflow || all.not_finite || all.underflow || all.lost))
        buffer_puts(html->out, "<li class=\"good\"><b>✓</b> no tensor is harmed</li>\n");
    buffer_puts(html->out, "<li>worst: ");
    html_link(html, &report->tensors[worst]);
    buffer_printf(html->out, " <span class=\"standing %s\">%s</span></li>\n</ul></dd></div>\n",
                  html_ink(ink), standing.data);
    buffer_free(&standing);
}

static void summary(struct html *html)
{
    buffer_puts(html->out, "<dl class=\"summary\">\n");
    for (size_t c = 0; c < html->report->cast_count; c++)
        summary_of(html, c);
    buffer_puts(html->out, "</dl>\n");
}

/* "What a cast to fp16 and bf16 does to 4 tensors" */
static void add_question(struct buffer *out, const struct report *report)
{
    buffer_puts(out, "What a cast to ");
    for (size_t c = 0; c < report->cast_count; c++)
        buffer_printf(out, "%s%s",
                      c == 0                       ? ""
                      : c + 1 < report->cast_count ? ", "
                                                   : " and ",
                      report->casts[c].format.name);
    buffer_puts(out, " does to ");
    if (report->tensor_count == 1)
        buffer_puts(out, "a tensor");
    else
        number_counted(out, report->tensor_count, "tensor", "tensors");
}

static void verdict(struct html *html)
{
    const struct report *report = html->report;
    struct buffer text = {0};
    buffer_puts(html->out, "<header>\n<p class=\"brand\">precheck</p>\n");
    if (report->has_verdict) {
        const char *ink = html_ink(report->pass ? INK_GOOD : INK_BAD);
        text_verdict(&text, report);
        buffer_printf(html->out, "<h1 class=\"%s\"><span class=\"stamp\">%s</span> ", ink,
                      report->pass ? "Pass" : "Fail");
        escape_markup(html->out, text.data);
        buffer_puts(html->out, "</h1>\n");
        text.length = 0;
        add_question(&text, report);
        html_element(html, "p", INK_PLAIN, text.data);
    } else {
        add_question(&text, report);
        html_element(html, "h1", INK_PLAIN, text.data);
    }
    if (report->incomplete)
        html_element(html, "p", INK_BAD, "Incomplete: there was trouble, see the messages.");
    buffer_puts(html->out, "\n");
    if (report->tensor_count > 1 && report->total_elements)
        summary(html);
    buffer_puts(html->out, "</header>\n<main>\n");
    buffer_free(&text);
}

static void open_section(struct html *html, const char *id, const char *title)
{
    buffer_printf(html->out,
                  "<section id=\"%s\" aria-labelledby=\"%s-title\">\n<h2 id=\"%s-title\">%s</h2>\n",
                  id, id, id, title);
}

static void close_section(struct html *html)
{
    buffer_puts(html->out, "</section>\n");
}

static void gate_row(struct html *html, const struct report_gate *gate)
{
    buffer_puts(html->out, "<tr><th scope=\"row\"><code>");
    escape_markup(html->out, gate->rule);
    buffer_puts(html->out, "</code></th><td class=\"number\" data-title=\"value\">");
    text_value(html->out, &gate->value, &gate->tensor->tensor);
    buffer_printf(html->out, "</td><td data-title=\"format\">%s</td><td data-title=\"tensor\">",
                  html->report->casts[gate->cast].format.name);
    html_link(html, gate->tensor);
    buffer_puts(html->out, "</td></tr>\n");
}

static void gates_of(struct html *html, enum gate_level level)
{
    static const struct {
        const char *caption, *title, *one, *many;
    } words[] = {[GATE_ERROR] = {"Gates that fail", "fails on", "more fails", "more fail"},
                 [GATE_WARN] = {"Gates that warn", "warns on", "more warns", "more warn"}};
    struct told told = told_worst_first(&html->ranking, level);
    size_t rows = html->style->top && html->style->top < told.count ? html->style->top : told.count;
    if (told.count)
        buffer_printf(html->out,
                      "<table class=\"cards %s\">\n<caption>%s</caption>\n<thead><tr>"
                      "<th scope=\"col\">%s</th><th scope=\"col\" class=\"number\">value</th>"
                      "<th scope=\"col\">format</th><th scope=\"col\">tensor</th></tr></thead>\n"
                      "<tbody>\n",
                      html_ink(level == GATE_WARN ? INK_WARN : INK_BAD), words[level].caption,
                      words[level].title);
    for (size_t i = 0; i < rows && sink_goes_on(html->sink); i++)
        gate_row(html, told.gates[i]);
    if (told.count)
        buffer_puts(html->out, "</tbody>\n</table>\n");
    if (rows < told.count) {
        buffer_puts(html->out, "<p class=\"note\">");
        number_counted(html->out, told.count - rows, words[level].one, words[level].many);
        buffer_puts(html->out, " (<code>--top 0</code> lists all of them)</p>\n");
    }
    told_free(&told);
}

static void gates(struct html *html)
{
    const struct report *report = html->report;
    size_t told = told_count(report, GATE_ERROR) + told_count(report, GATE_WARN);
    if (!report->has_verdict || told == 0)
        return;
    open_section(html, "gates", "Gates");
    gates_of(html, GATE_ERROR);
    gates_of(html, GATE_WARN);
    if (told < report->gate_count) {
        buffer_puts(html->out, "<p class=\"note\">");
        number_counted(html->out, report->gate_count - told, "other gate holds.",
                       "other gates hold.");
        buffer_puts(html->out, "</p>\n");
    }
    close_section(html);
}

static void advice(struct html *html)
{
    const struct report *report = html->report;
    if (report->advice_count == 0)
        return;
    open_section(html, "advice", "Advice");
    buffer_puts(html->out, "<ul class=\"advice\">\n");
    for (size_t i = 0; i < report->advice_count; i++) {
        html_element(html, "li", INK_PLAIN, report->advice[i].text);
        buffer_puts(html->out, "\n");
    }
    buffer_puts(html->out, "</ul>\n");
    close_section(html);
}

static void hear(void *context, enum ink ink, const char *sentence)
{
    struct html *html = context;
    html_element(html, "li", ink, sentence);
    buffer_puts(html->out, "\n");
}

/* The bits that would keep updates, in a sentence of its own. */
static void bits_fact(struct html *html, const struct subject *subject,
                      const struct report_cast *cast)
{
    struct buffer text = {0};
    buffer_puts(&text, "significand bits that keep 99 % of the updates: ");
    enum ink ink = text_cast_bits(&text, subject, cast);
    hear(html, ink, text.data);
    buffer_free(&text);
}

static void cast_facts(struct html *html, const struct subject *subject,
                       const struct report_cast *cast, bool bits)
{
    const struct audience audience = {hear, html};
    buffer_printf(html->out, "<article>\n<h3>%s</h3>\n<ul>\n", cast->cast->format.name);
    text_tell_facts(&html->words, subject, cast, &audience);
    if (bits)
        bits_fact(html, subject, cast);
    text_tell_fit(&html->words, subject, cast, &audience);
    buffer_puts(html->out, "</ul>\n</article>\n");
}

/* The words of `text` as a paragraph, unless there are none. */
static void paragraph(struct html *html, enum ink ink, struct buffer *text)
{
    if (text->length) {
        html_element(html, "p", ink, text->data);
        buffer_puts(html->out, "\n");
    }
    buffer_free(text);
}

static void only_tensor(struct html *html, const struct report_tensor *tensor)
{
    const struct tensor *is = &tensor->tensor;
    buffer_puts(html->out, "<p id=\"t0\"><span class=\"name\">");
    html_name(html, tensor->file);
    if (*is->name) {
        buffer_puts(html->out, ": ");
        html_name(html, is->name);
    }
    buffer_printf(html->out, "</span>, %s, shape ", is->dtype.name);
    text_shape(html->out, is);
    buffer_puts(html->out, "</p>\n");
}

/* What there is to know about all of them. */
static void facts(struct html *html)
{
    const struct report *report = html->report;
    const struct report_tensor *only = report->tensor_count == 1 ? &report->tensors[0] : NULL;
    struct report_figures room = {0};
    const struct subject subject =
        text_subject(report, only, only ? report_figures_of(report, only, &room) : &report->total);
    struct buffer text = {0};
    bool bits = bits_apply(report, report->total.casts);
    open_section(html, "facts", only ? "The tensor" : "All tensors");
    if (only)
        only_tensor(html, only);
    number_counted(&text, report->total_elements, "element", "elements");
    buffer_puts(&text, report->total_elements ? ", " : ": there is nothing to cast");
    text_input(&text, &subject);
    paragraph(html, INK_PLAIN, &text);
    text_sizes(&text, report);
    paragraph(html, INK_PLAIN, &text);
    buffer_puts(html->out, "<div class=\"facts\">\n");
    for (size_t c = 0; c < report->cast_count && report->total_elements; c++)
        cast_facts(html, &subject, &subject.casts[c], bits);
    buffer_puts(html->out, "</div>\n");
    report_figures_done(report, &room);
    close_section(html);
}

static void skipped(struct html *html)
{
    enum { SHOWN = 100 };
    const struct report *report = html->report;
    size_t count = report->skipped_count, shown = count < SHOWN ? count : SHOWN;
    if (count == 0)
        return;
    open_section(html, "skipped", "Not cast");
    buffer_puts(html->out, "<ul>\n");
    for (size_t i = 0; i < shown; i++) {
        const struct report_skipped *one = &report->skipped[i];
        buffer_puts(html->out, "<li><span class=\"name\">");
        html_name(html, one->file);
        buffer_puts(html->out, *one->skipped.name ? ": " : "");
        html_name(html, one->skipped.name);
        buffer_puts(html->out, "</span>, ");
        escape_markup(html->out, one->skipped.dtype);
        buffer_puts(html->out, ", ");
        escape_markup(html->out, one->skipped.reason);
        buffer_puts(html->out, "</li>\n");
    }
    if (shown < count) {
        buffer_puts(html->out, "<li>");
        number_count(html->out, count - shown);
        buffer_puts(html->out, " more</li>\n");
    }
    buffer_puts(html->out, "</ul>\n");
    close_section(html);
}

static void foot(struct html *html)
{
    struct buffer text = {0};
    buffer_puts(html->out, "</main>\n<footer>\n");
    text_settings(&html->words, &text, html->report);
    paragraph(html, INK_PLAIN, &text);
    buffer_printf(html->out,
                  "<p>precheck %s. Figures are correctly rounded once from exact sums; here they "
                  "are cut to four digits, <code>--json</code> has them in full.</p>\n</footer>\n",
                  html->report->version);
}

static void script(struct html *html)
{
    buffer_puts(html->out, "<script>");
    buffer_add(html->out, html_script, (size_t)(html_script_end - html_script));
    buffer_puts(html->out, "</script>\n");
}

static void render(const struct report *report, const struct style *style, struct sink *sink)
{
    size_t count = report->tensor_count;
    const struct style words = {.utf8 = true, .width = WORDS_WIDTH};
    struct html html = {.report = report,
                        .style = style,
                        .sink = sink,
                        .out = &sink->text,
                        .words = page_on(NULL, &words),
                        .ranking = ranking_new(report),
                        .rows = count < ROWS_MOST ? count : ROWS_MOST};
    html.words.verbatim = true;
    html.shown = style->top && style->top < html.rows ? style->top : html.rows;
    ranking_sort(&html.ranking, style->order, report->cast_count);
    head(&html);
    verdict(&html);
    gates(&html);
    advice(&html);
    if (report->total.casts) {
        html_map(&html);
        facts(&html);
        if (count > 1)
            html_tensors(&html);
        html_figures(&html);
    }
    skipped(&html);
    foot(&html);
    if (report->total.casts) {
        html_data(&html);
        script(&html);
    }
    buffer_puts(html.out, "</body>\n</html>\n");
    ranking_free(&html.ranking);
}

const struct renderer renderer_html = {.kind = "html", .render = render};
