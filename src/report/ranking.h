/* The tensors of a report in an order: worst first, or by one figure. */
#ifndef PRECHECK_REPORT_RANKING_H
#define PRECHECK_REPORT_RANKING_H

#include "report/report.h"

/* What harms a tensor in one cast; shares are of its elements, 0 where it has none. */
struct standing {
    double overflow, not_finite, underflow;
    double lost; /* of the updates, or of the moving averages; 0 where there is none to compare */
    double sqnr; /* dB; infinity where no error was measured */
};

/* As qsort wants it, the worse one first: overflow, not_finite, underflow, lost, then sqnr. */
int standing_compare(const struct standing *a, const struct standing *b);

enum ranking_order {
    ORDER_WORST, /* overflow, not_finite, underflow, lost (largest first), then sqnr */
    ORDER_NAME,
    ORDER_SIZE, /* elements, largest first */
    ORDER_OVERFLOW,
    ORDER_UNDERFLOW,
    ORDER_SQNR, /* lowest first */
    ORDER_LOST,
    ORDER_COUNT
};

struct ranking {
    const struct report *report;
    struct standing *standings; /* [tensor * report->cast_count + cast]; owned */
    size_t *order;              /* positions in report->tensors, as last put in order; owned */
    bool names_repeat;          /* two files have a tensor of the same name */
};

/* Goes through the report once. */
struct ranking ranking_new(const struct report *report);
void ranking_free(struct ranking *ranking);

/* Puts `order` in order for one of the report's casts, or for all of them where `cast` is their
 * number: a tensor then goes by the cast in which it comes first. Equals are in the order of (name,
 * file), as bytes, then of the report. */
void ranking_sort(struct ranking *ranking, enum ranking_order by, size_t cast);

const struct standing *ranking_standing(const struct ranking *ranking, size_t place, size_t cast);

/* What is to be told of the places from `first` on: how many tensors are harmed, and how low the
 * lowest SQNR is. */
struct ranking_rest {
    size_t tensors, overflow, not_finite, underflow, lost;
    double sqnr; /* infinity where none was measured, or all is exact */
};

struct ranking_rest ranking_rest(const struct ranking *ranking, size_t first, size_t cast);

#endif
