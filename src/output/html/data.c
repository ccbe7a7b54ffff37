/* What the script draws and sorts, as JSON that says things once: names of figures and formats
 * before all, and then of each tensor the figures in that order. */
#include "output/html/html.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/escape.h"
#include "output/number.h"
#include "report/bits.h"

/* Histograms and sentences are for the first tensors of the table, as many as leave room for the
 * figures of the others in a page of 5 MB. */
enum { PAGE_MOST = 4900000, FIGURES_BYTES = 300, FIGURES_BYTES_CAST = 180 };

/* Sentences without a number are said once, by their place in a list. */
enum { PHRASES_MOST = 64 };

struct data {
    struct html *html;
    struct buffer *out;
    size_t written;   /* bytes before `out` was emptied last */
    size_t *ranks;    /* [place * casts + cast]: of the row, where the worst in the cast is first */
    size_t detailed;  /* tensors with details */
    const char *file; /* of the tensor before */
    char *phrases[PHRASES_MOST]; /* owned */
    size_t phrase_count;
    bool first_fact; /* of the cast */
};

/* Printable, as on the rest of the page; neither the string nor the element can end within. */
static void put_text(struct buffer *out, const char *text)
{
    struct buffer printable = {0};
    escape_terminal(&printable, text, true);
    buffer_puts(out, "\"");
    for (const char *at = printable.data; *at;) {
        size_t plain = strcspn(at, "\"\\<>&");
        buffer_add(out, at, plain);
        at += plain;
        if (*at)
            buffer_printf(out, "\\u%04x", (unsigned char)*at++);
    }
    buffer_puts(out, "\"");
    buffer_free(&printable);
}

static void put_comma(struct buffer *out, size_t index)
{
    buffer_puts(out, index ? "," : "");
}

/* Whether it was asked for. */
static bool is_there(const struct report *report, int metric)
{
    enum metric_group group = metric_table[metric].group;
    return group <= GROUP_ERROR || report->has_group[group];
}

static void put_metrics(struct data *data)
{
    size_t count = 0;
    buffer_puts(data->out, "\"metrics\":[");
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = &metric_table[i];
        if (!is_there(data->html->report, i))
            continue;
        put_comma(data->out, count++);
        buffer_puts(data->out, "[");
        put_text(data->out, metric_group_names[row->group]);
        buffer_puts(data->out, ",");
        put_text(data->out, row->name);
        buffer_puts(data->out, ",");
        put_text(data->out, row->help);
        buffer_printf(data->out, ",%d]", row->type == TYPE_INDEX);
    }
    buffer_puts(data->out, "],\n");
}

static void put_formats(struct data *data)
{
    const struct report *report = data->html->report;
    buffer_puts(data->out, "\"formats\":[");
    for (size_t c = 0; c < report->cast_count; c++) {
        const struct format *format = &report->casts[c].format;
        put_comma(data->out, c);
        buffer_puts(data->out, "{\"name\":");
        put_text(data->out, format->name);
        buffer_printf(data->out, ",\"precision\":%d,\"emin\":%d,\"emax\":%d}", format->precision,
                      format->emin, format->emax);
    }
    buffer_puts(data->out, "],\n");
}

/* In one string, with bars between them; nothing where there is none. */
static void put_figures(struct data *data, const struct value *figures, bool input,
                        const struct tensor *tensor)
{
    size_t count = 0;
    buffer_puts(data->out, "\"");
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (!is_there(data->html->report, i) || (metric_table[i].group == GROUP_INPUT) != input)
            continue;
        buffer_puts(data->out, count++ ? "|" : "");
        if (figures[i].kind != VALUE_NULL && (figures[i].kind != VALUE_INDEX || tensor))
            text_value(data->out, &figures[i], tensor);
    }
    buffer_puts(data->out, "\"");
}

/* The first binade, then the counts. */
static void put_histogram(struct buffer *out, const struct histogram *histogram)
{
    buffer_printf(out, "[%d", histogram->first);
    for (size_t i = 0; i < histogram->length; i++) {
        buffer_puts(out, ",");
        number_plain(out, histogram->counts[i]);
    }
    buffer_puts(out, "]");
}

/* The place of a sentence among the phrases; PHRASES_MOST where it is none of them. */
static size_t phrase_of(struct data *data, const char *sentence)
{
    if (strpbrk(sentence, "0123456789"))
        return PHRASES_MOST;
    size_t place = 0;
    while (place < data->phrase_count && strcmp(data->phrases[place], sentence) != 0)
        place++;
    if (place == data->phrase_count && place < PHRASES_MOST)
        data->phrases[data->phrase_count++] = copy_string(sentence);
    return place;
}

/* Its ink, then the sentence or the place of the phrase. */
static void hear(void *context, enum ink ink, const char *sentence)
{
    struct data *data = context;
    size_t phrase = phrase_of(data, sentence);
    buffer_printf(data->out, "%s%d,", data->first_fact ? "" : ",", ink);
    if (phrase < PHRASES_MOST)
        buffer_printf(data->out, "%zu", phrase);
    else
        put_text(data->out, sentence);
    data->first_fact = false;
}

static void put_phrases(struct data *data)
{
    buffer_puts(data->out, ",\n\"phrases\":[");
    for (size_t i = 0; i < data->phrase_count; i++) {
        put_comma(data->out, i);
        put_text(data->out, data->phrases[i]);
        free(data->phrases[i]);
    }
    buffer_puts(data->out, "]");
}

/* By their numbers. */
static void put_inks(struct data *data)
{
    buffer_puts(data->out, "\"inks\":[");
    for (int ink = INK_PLAIN; ink <= INK_DIM; ink++) {
        put_comma(data->out, (size_t)ink);
        put_text(data->out, html_ink((enum ink)ink));
    }
    buffer_puts(data->out, "],\n");
}

/* The relative errors, the binade from which on updates are all lost, and the sentences, which the
 * page has already of all tensors together. */
static void put_cast_details(struct data *data, const struct subject *subject,
                             const struct report_cast *cast)
{
    const struct audience audience = {hear, data};
    const struct report *report = data->html->report;
    int exponent;
    buffer_puts(data->out, ",\"exact\":");
    number_plain(data->out, cast->relative_exact);
    buffer_puts(data->out, ",\"errors\":");
    put_histogram(data->out, &cast->relative_error);
    if (report->has_group[GROUP_UPDATE] &&
        bits_frozen_from(cast->cast, report->settings.constant_update, &exponent))
        buffer_printf(data->out, ",\"frozen\":%d", exponent);
    if (!subject->tensor)
        return;
    buffer_puts(data->out, ",\"facts\":[");
    data->first_fact = true;
    text_tell_facts(&data->html->words, subject, cast, &audience);
    text_tell_fit(&data->html->words, subject, cast, &audience);
    buffer_puts(data->out, "]");
}

/* A scale that varies is null. */
static void put_cast(struct data *data, const struct subject *subject,
                     const struct report_cast *cast, bool details)
{
    buffer_puts(data->out, "\"figures\":");
    put_figures(data, cast->figures, false, subject->tensor ? &subject->tensor->tensor : NULL);
    if (cast->scale_varies)
        buffer_puts(data->out, ",\"scale\":null");
    else if (cast->scale)
        buffer_printf(data->out, ",\"scale\":%d", cast->scale);
    if (details)
        put_cast_details(data, subject, cast);
}

static void put_standing(struct data *data, size_t place, size_t cast)
{
    const struct html *html = data->html;
    struct buffer text = {0};
    enum ink ink = html_standing(&text, html, html->ranking.order[place], cast);
    buffer_printf(data->out, "\"ink\":%d,\"rank\":%zu,\"standing\":", ink,
                  data->ranks[place * html->report->cast_count + cast]);
    put_text(data->out, text.data);
    buffer_puts(data->out, ",");
    buffer_free(&text);
}

/* The place is that of the tensor among the rows. */
static void put_subject(struct data *data, const struct subject *subject, size_t place,
                        bool details)
{
    buffer_puts(data->out, "\"elements\":");
    number_plain(data->out, subject->elements);
    buffer_puts(data->out, ",\"input\":");
    put_figures(data, subject->input, true, NULL);
    if (details) {
        buffer_puts(data->out, ",\"exponents\":");
        put_histogram(data->out, subject->exponents);
    }
    buffer_puts(data->out, ",\"casts\":[");
    for (size_t c = 0; c < subject->cast_count; c++) {
        buffer_puts(data->out, c ? ",{" : "{");
        if (subject->tensor)
            put_standing(data, place, c);
        put_cast(data, subject, &subject->casts[c], details);
        buffer_puts(data->out, "}");
    }
    buffer_puts(data->out, "]");
}

static void put_total(struct data *data)
{
    const struct report *report = data->html->report;
    const struct subject subject = text_subject(report, NULL, &report->total);
    buffer_puts(data->out, "\"total\":{");
    put_subject(data, &subject, 0, true);
    buffer_puts(data->out, "},\n");
}

static void put_tensor(struct data *data, size_t place, bool details)
{
    const struct report *report = data->html->report;
    size_t index = data->html->ranking.order[place];
    const struct report_tensor *tensor = &report->tensors[index];
    struct report_figures room = {0};
    struct subject subject = text_subject(report, tensor, report_figures_of(report, tensor, &room));
    struct buffer label = {0};
    text_short_label(&label, &data->html->ranking, tensor);
    buffer_printf(data->out, "{\"id\":%zu,\"name\":", index);
    put_text(data->out, label.data);
    if (data->file != tensor->file) { /* else it is that of the one before */
        buffer_puts(data->out, ",\"file\":");
        put_text(data->out, tensor->file);
        data->file = tensor->file;
    }
    buffer_puts(data->out, ",\"dtype\":");
    put_text(data->out, tensor->tensor.dtype.name);
    buffer_puts(data->out, ",\"shape\":\"");
    text_shape(data->out, &tensor->tensor);
    buffer_puts(data->out, "\",");
    put_subject(data, &subject, place, details);
    buffer_puts(data->out, "}");
    buffer_free(&label);
    report_figures_done(report, &room);
}

static void put_tensors(struct data *data)
{
    struct html *html = data->html;
    size_t row = FIGURES_BYTES + html->report->cast_count * FIGURES_BYTES_CAST;
    buffer_puts(data->out, "\"tensors\":[");
    for (size_t place = 0; place < html->rows; place++) {
        size_t before = data->out->length;
        if (!sink_goes_on(html->sink))
            break;
        data->written += before > data->out->length ? before : 0;
        bool details = data->written + data->out->length + (html->rows - place) * row < PAGE_MOST;
        data->detailed += details;
        buffer_puts(data->out, place ? ",\n" : "\n");
        put_tensor(data, place, details);
    }
    buffer_printf(data->out, "],\n\"detailed\":%zu", data->detailed);
}

struct sorting {
    const struct ranking *ranking;
    size_t cast;
};

/* Of two rows, by their places. */
static int worse_first(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    size_t one = *(const size_t *)a, other = *(const size_t *)b;
    int order = standing_compare(ranking_standing(sorting->ranking, one, sorting->cast),
                                 ranking_standing(sorting->ranking, other, sorting->cast));
    return order ? order : (one > other) - (one < other);
}

static void find_ranks(struct data *data)
{
    const struct html *html = data->html;
    size_t casts = html->report->cast_count, *places = allocate(html->rows, sizeof *places);
    data->ranks = allocate(html->rows * casts, sizeof *data->ranks);
    for (size_t c = 0; c < casts; c++) {
        for (size_t place = 0; place < html->rows; place++)
            places[place] = place;
        qsort_r(places, html->rows, sizeof *places, worse_first,
                &(struct sorting){&html->ranking, c});
        for (size_t rank = 0; rank < html->rows; rank++)
            data->ranks[places[rank] * casts + c] = rank;
    }
    free(places);
}

void html_data(struct html *html)
{
    struct data data = {.html = html, .out = html->out};
    find_ranks(&data);
    buffer_puts(data.out, "<script type=\"application/json\" id=\"data\">\n{");
    put_formats(&data);
    put_inks(&data);
    put_metrics(&data);
    buffer_printf(data.out, "\"count\":%zu,\"update\":", html->report->tensor_count);
    number_json(data.out, html->report->settings.constant_update);
    buffer_puts(data.out, ",\n");
    put_total(&data);
    put_tensors(&data);
    put_phrases(&data);
    buffer_puts(data.out, "}\n</script>\n");
    free(data.ranks);
}
