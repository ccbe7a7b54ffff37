/* Renderings of the report. They take its values as they are; none computes a figure. */
#ifndef PRECHECK_OUTPUT_OUTPUT_H
#define PRECHECK_OUTPUT_OUTPUT_H

#include <stdbool.h>

#include "output/sink.h"
#include "report/listing.h"
#include "report/ranking.h"
#include "report/report.h"

/* How a rendering for people looks; the others ignore it. */
struct style {
    int width;                /* columns; 0 stands for 80, and fewer than 40 for 40 */
    bool utf8;                /* else nothing but ASCII is written, names escaped */
    bool colour;              /* ANSI escapes, reset before each line end */
    bool verbose;             /* every histogram of every tensor, all figures, the exact sums */
    size_t top;               /* lines of a table of tensors or gates; 0: all */
    enum ranking_order order; /* of its tensors */
};

/* What a kind does not have is NULL. */
struct renderer {
    const char *kind; /* as --output names it */
    /* What needs the finished report; it follows what the last two have. */
    void (*render)(const struct report *report, const struct style *style, struct sink *sink);
    /* What --list finds. */
    void (*list)(const struct listing *listing, const struct style *style, struct sink *sink);
    /* What comes first, and a part for each tensor: these need not wait for the others. */
    void (*begin)(struct buffer *out);
    void (*tensor)(const struct report *report, const struct report_tensor *tensor,
                   struct buffer *out);
};

extern const struct renderer renderer_text, renderer_json, renderer_ndjson, renderer_csv,
    renderer_markdown, renderer_html, renderer_junit, renderer_prometheus, renderer_github,
    renderer_names;

/* NULL when there is no such kind. */
const struct renderer *output_find(const char *kind);
/* The kinds in order, for help and messages; NULL after the last. */
const char *output_kind(size_t index);

/* A report in two steps: what comes first, and once it is finished the rest, without the parts of
 * so many tensors that were rendered in between. */
void output_begin(const struct renderer *renderer, struct sink *sink);
void output_rest(const struct renderer *renderer, const struct report *report, size_t rendered,
                 const struct style *style, struct sink *sink);

/* What --formats prints. */
void formats_list(const struct style *style, struct buffer *out);

#endif
