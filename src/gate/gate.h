/* Rules on a report's figures, and the verdict. */
#ifndef PRECHECK_GATE_GATE_H
#define PRECHECK_GATE_GATE_H

#include "report/report.h"

enum quantity {
    QUANTITY_METRIC,
    QUANTITY_RATE,
    QUANTITY_BITS,
    QUANTITY_SCALE,
    QUANTITY_RELATIVE_EXACT
};

/* [FORMAT:] NAME COMPARISON NUMBER; the gate fails where it holds. */
struct gate_rule {
    const char *text;    /* as written, not owned */
    size_t format_count; /* 0: every format */
    struct format formats[2];
    enum quantity kind;
    enum metric metric; /* of QUANTITY_METRIC and QUANTITY_RATE */
    int comparison;
    double bound;
};

bool gate_parse(const char *text, struct gate_rule *rule, struct error *error);

/* Tries every rule on every tensor with elements and every cast: fills report->gates, a tensor
 * after the other, and the verdict. False where a rule had nothing to judge, or names a format that
 * is not cast to. */
bool gate_judge(const struct gate_rule *rules, size_t count, struct report *report,
                struct error *error);

#endif
