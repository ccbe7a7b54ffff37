/* The parts of the text report. */
#ifndef PRECHECK_OUTPUT_TEXT_TEXT_H
#define PRECHECK_OUTPUT_TEXT_TEXT_H

#include "output/page.h"
#include "report/ranking.h"
#include "report/report.h"

/* What a section is about: one tensor, or all of them. */
struct subject {
    const struct report *report;
    const struct report_tensor *tensor; /* NULL: all of them */
    uint64_t elements;
    const struct value *input; /* figures of GROUP_INPUT */
    const struct histogram *exponents;
    const char *sum; /* of the elements; NULL where there is none */
    const struct report_cast *casts;
    size_t cast_count;
};

/* That of one tensor, or of all for NULL; `figures` are its own and outlive it. */
struct subject text_subject(const struct report *report, const struct report_tensor *tensor,
                            const struct report_figures *figures);

/* Who is told the sentences about a cast, one at a time, each with the ink it deserves. */
struct audience {
    void (*hear)(void *context, enum ink ink, const char *sentence);
    void *context;
};

/* The page tells how names are cut. */
typedef void text_tell(const struct page *page, const struct subject *subject,
                       const struct report_cast *cast, const struct audience *audience);
text_tell text_tell_facts, text_tell_fit;

/* What happens to the elements and how large the error is, in sentences, a format at a time. */
void text_facts(struct page *page, const struct subject *subject);
/* How each format's range suits the elements, and the scale that would suit them best. */
void text_fit(struct page *page, const struct subject *subject);

/* The fate of the updates in a cast as a clause, and the ink it deserves: "4.2 % of the updates
 * vanish". False, with nothing added, where no analysis of updates was asked for. */
bool text_fate(struct buffer *out, const struct subject *subject, const struct report_cast *cast,
               enum ink *ink);
/* How many significand bits would keep 99 % of the updates, where they are all the same number. */
enum ink text_cast_bits(struct buffer *out, const struct subject *subject,
                        const struct report_cast *cast);
void text_bits(struct page *page, const struct subject *subject);

/* The figures, formats side by side; several tables where the page is too narrow for that. */
void text_table(struct page *page, const struct subject *subject);
/* The columns of the page that it takes; 0 where it is several. */
int text_table_width(const struct page *page, const struct subject *subject);
/* All tensors, a table for each format. */
void text_tensors(struct page *page, const struct report *report, struct sink *sink);
/* The exact sums, which are too long for a table. */
void text_sums(struct page *page, const struct subject *subject);

/* The magnitudes of the elements with the limits of the formats, and the relative errors. */
void text_exponents(struct page *page, const struct subject *subject);
void text_relative_errors(struct page *page, const struct subject *subject);

/* What files hold. */
void text_list(const struct listing *listing, const struct style *style, struct sink *sink);
/* What was not cast: the first ones, and how many more of each type. */
void text_skipped(struct page *page, const struct report *report);

/* The range of the elements, and how many are zero, NaN or infinite; nothing without elements. */
void text_input(struct buffer *out, const struct subject *subject);
/* What the tensors take as they are, and once they are cast; nothing without tensors. */
void text_sizes(struct buffer *out, const struct report *report);
/* How the elements were cast, as far as it is the same for all. */
void text_settings(const struct page *page, struct buffer *out, const struct report *report);
/* For people; of a position, its index in this tensor. */
void text_value(struct buffer *out, const struct value *value, const struct tensor *tensor);
/* The verdict, and the gates that do not hold, those of the worst tensors first. */
void text_gates(struct page *page, const struct report *report, struct sink *sink);
/* What the verdict rests on: "2 of 12 gates, 1 warning". */
void text_verdict(struct buffer *text, const struct report *report);
/* 0 where the value is no count. */
uint64_t text_count_of(const struct value *value);
/* ", 2 with overflow, 1 with underflow" */
void text_harmed(struct buffer *out, const struct report *report, const struct ranking_rest *rest);
/* A share from 0 to 1 as number_share has it, and its ink where it is a loss. */
void text_rate(struct buffer *out, double rate);
enum ink text_rate_ink(double rate);
/* "1,000 steps" */
void text_steps(struct buffer *out, const struct subject *subject);
/* A sentence about one format, beside its name. */
void text_sentence(struct page *page, const struct subject *subject, const char *name, enum ink ink,
                   const char *text);
/* The columns that the longest name of a format takes. */
int text_format_width(const struct subject *subject);
/* The largest finite value, or 2^exponent, divided by the scale of the cast. */
void text_largest(struct buffer *out, const struct report_cast *cast);
void text_scaled_power(struct buffer *out, const struct report_cast *cast, int exponent);
/* "[3, 4]" */
void text_shape(struct buffer *out, const struct tensor *tensor);
/* "[1, 2]": the index of a position; nothing for a scalar. */
void text_index(struct buffer *out, const struct tensor *tensor, uint64_t position);
/* The name of a tensor alone where that is clear, as it is. */
void text_label(struct buffer *out, const struct ranking *ranking,
                const struct report_tensor *tensor);
/* The same, shortened. */
void text_short_label(struct buffer *out, const struct ranking *ranking,
                      const struct report_tensor *tensor);
/* The file and the name of a tensor, or just the name where that fits better. */
void text_tensor(const struct page *page, struct buffer *out, const struct report_tensor *tensor,
                 int width);

#endif
