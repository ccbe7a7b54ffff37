/*
 * Updates: what adding a small number to a stored one does, each sum rounded once.
 *
 * With q a stored element and g an element of the updates, u = a w - b q is added to q. For plain
 * updates w = g and u = S g; for a moving average w = g^2 and u = (1 - beta) (S^2 w - q). The
 * factors are the same for all elements, so the sums below go without them, and stay exact.
 */
#ifndef PRECHECK_KERNEL_UPDATE_H
#define PRECHECK_KERNEL_UPDATE_H

#include <stddef.h>

#include "exact/sum.h"
#include "format/cast.h"
#include "kernel/element.h"

enum update_rule { UPDATE_NONE, UPDATE_ADD, UPDATE_EMA };

struct update_plan {
    enum update_rule rule;
    double scale;    /* S */
    double beta;     /* of a moving average, 0 <= beta < 1 */
    uint64_t steps;  /* of plain updates in a row; 0: none */
    uint64_t sample; /* the costly remedies are tried on every so many-th element */
};

/* Exact sums over elements; d is the movement of q, r - q. */
enum movement_sum {
    SUM_D2,
    SUM_DW,
    SUM_W2,
    MOVEMENT_SUMS,
    /* Of moving averages also: */
    SUM_DQ = MOVEMENT_SUMS,
    SUM_WQ,
    SUM_Q2,
    UPDATE_SUMS
};

/* The least update that moves an element is 0, a power of two, or there is none. */
enum { THRESHOLD_FIRST = -1376, THRESHOLD_BINS = 1152 - THRESHOLD_FIRST };

struct update_measure {
    uint64_t count, overflow, lost;
    struct exact_sum sum[UPDATE_SUMS]; /* where r is finite */
    /* Of plain updates: elements by their threshold, 2^(THRESHOLD_FIRST + i). */
    uint64_t at_once, never;
    uint64_t threshold[THRESHOLD_BINS];
};

/* Ways to take many steps. */
enum remedy { REMEDY_NONE, REMEDY_STOCHASTIC, REMEDY_KAHAN, REMEDY_MASTER, REMEDY_COUNT };

struct steps_measure {
    struct {
        uint64_t count, frozen;
        struct exact_sum sum[MOVEMENT_SUMS]; /* d over all steps; where the end is finite */
    } remedy[REMEDY_COUNT];
};

/* Element `position`, x, and its update g, against one cast. `steps` is NULL without steps. */
void update_element(const struct cast *cast, const struct update_plan *plan, double x, double g,
                    uint64_t position, struct update_measure *into, struct steps_measure *steps);

void update_merge(struct update_measure *into, const struct update_measure *from);

/* Adds what a movement from one number to another adds to its sums. */
void movement_add(struct exact_sum sum[MOVEMENT_SUMS], struct number from, struct number to,
                  struct number w);

#endif
