/* From tallies to the report's values. */
#ifndef PRECHECK_REPORT_BUILD_H
#define PRECHECK_REPORT_BUILD_H

#include "report/report.h"
#include "tally/tally.h"

/* The total of a run while its tensors come in, of bounded size. */
struct total;

struct total *total_new(size_t cast_count, const struct update_plan *plan);
void total_free(struct total *total);

/* What the tally of a tensor comes to; `bound`, which becomes the figures', is what it was cast to.
 */
struct report_figures *report_figures_new(const struct tally *tally, struct cast *bound);

/* Adds tensor `index` of the report, of these scales, to the total. */
void total_add(struct total *total, const struct report *report, size_t index,
               const struct cast *bound, const struct tally *tally);
/* Adds a total of other tensors of the report: the order makes no difference. */
void total_merge(struct total *total, const struct report *report, const struct total *from);
/* Tensor `from` of the report became tensor `to`, which was another one or is the same. */
void total_moved(struct total *total, size_t from, size_t to);
/* Fills in the report's total, once its array of tensors no longer moves. */
void report_total_figures(struct report *report, const struct total *total);

#endif
