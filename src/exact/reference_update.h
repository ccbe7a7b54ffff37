/*
 * The referee of updates, moving averages and steps: from REPORT.md's definitions, through MPFR,
 * each step taken by itself. As in reference.h it shares no arithmetic with the rest of the
 * program.
 */
#ifndef PRECHECK_EXACT_REFERENCE_UPDATE_H
#define PRECHECK_EXACT_REFERENCE_UPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/cast.h"

/* With q = cast(x) and g its update: u = scale g, or for a moving average
 * u = (1 - beta) ((scale g)^2 - q). */
struct reference_update_plan {
    bool average;
    double scale, beta;
    uint64_t steps;  /* of plain updates in a row; 0: none */
    uint64_t sample; /* stochastic steps and Kahan's are taken at multiples of it */
};

struct reference_remedy_figures {
    uint64_t frozen;
    double frozen_rate, movement_error;
};

/* A tensor's figures against one cast. Reals are NaN where REPORT.md says null. */
struct reference_update_figures {
    struct reference_update_plan plan;
    uint64_t count, overflow, lost;
    double lost_rate, effective_ratio, edq, norm_ratio;
    double p50, p90, p99, p100; /* of smallest_surviving */
    struct reference_remedy_figures none, stochastic, kahan, master;
};

struct reference_update;

struct reference_update *reference_update_new(const struct cast *cast,
                                              const struct reference_update_plan *plan);
/* Elements in storage order and the update of each; the first one is at position `first`. */
void reference_update_add(struct reference_update *reference, const double *x, const double *g,
                          size_t n, uint64_t first);
/* Ends it and frees the reference. */
struct reference_update_figures reference_update_finish(struct reference_update *reference);

#endif
