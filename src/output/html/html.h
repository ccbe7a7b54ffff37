/* The parts of the page. Its style is style.css and its script charts.js and table.js,
 * embedded at build time; what is here is there without the script. */
#ifndef PRECHECK_OUTPUT_HTML_HTML_H
#define PRECHECK_OUTPUT_HTML_HTML_H

#include "output/text/text.h"

struct html {
    const struct report *report;
    const struct style *style;
    struct sink *sink;
    struct buffer *out;     /* the text of the sink */
    struct page words;      /* how sentences of the text report are worded: verbatim */
    struct ranking ranking; /* in the order of the table */
    size_t shown;           /* rows of it without the script */
    size_t rows;            /* and with it */
};

/* The class of what deserves this ink. */
const char *html_ink(enum ink ink);

/* Elements with words in them, escaped. */
void html_element(struct html *html, const char *tag, enum ink ink, const char *text);
/* A name from elsewhere, shortened, that lines may break after its dots, dashes and slashes. */
void html_name(struct html *html, const char *name);
/* That name of the tensor, which is a link to its row where the page has that. */
void html_link(struct html *html, const struct report_tensor *tensor);

/* What matters most about a tensor in a cast: its ink, and in a few words with a mark before them
 * what is worst, else the SQNR. */
enum ink html_standing(struct buffer *out, const struct html *html, size_t tensor, size_t cast);

/* All tensors at once: where their magnitudes lie, and how they fare in each format. */
void html_map(struct html *html);

/* The tensors, a row each. */
void html_tensors(struct html *html);
/* All figures of all tensors together, formats side by side. */
void html_figures(struct html *html);

/* For the script: the figures and histograms, as JSON. */
void html_data(struct html *html);

/* What is embedded, and its hashes as a Content-Security-Policy has them. */
extern const char html_style[], html_style_end[], html_script[], html_script_end[];
extern const char html_style_hash[], html_script_hash[];

#endif
