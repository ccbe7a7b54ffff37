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

/* The gate fails where the rule holds, for one cast of one tensor. */
struct gate_rule {
    char *text;    /* [FORMAT:] NAME COMPARISON NUMBER as written, or as a policy's rule would be
                      with its pattern in front; owned */
    char *tensors; /* pattern of names (see glob.h), owned; NULL: every tensor */
    size_t format_count; /* 0: every format */
    struct format formats[2];
    enum quantity kind;
    enum metric metric; /* of QUANTITY_METRIC and QUANTITY_RATE */
    int comparison;
    double bound;
    enum gate_level level;
    bool in_policy; /* of a policy's rules on one figure of one cast, only the last one is judged */
    bool optional;  /* may find nothing to judge */
};

/* Zero-initialise. */
struct gates {
    struct gate_rule *rules; /* owned */
    size_t count;
};

/* The rule that was added, all zero. It stays where it is until the next one comes. */
struct gate_rule *gates_add(struct gates *gates);
void gates_free(struct gates *gates);

/* Adds a rule of --fail-on. */
bool gate_parse(const char *text, struct gates *gates, struct error *error);

/* The names of figures and comparisons; false where there is no such thing. */
bool gate_find_figure(const char *name, struct gate_rule *rule);
bool gate_find_comparison(const char *sign, struct gate_rule *rule);
/* Calls for each name that gate_find_figure knows. */
void gate_each_figure(void (*visit)(void *context, const char *name), void *context);
/* The comparisons in order; NULL after the last. */
const char *gate_comparison(size_t index);

/* Tries every rule on every tensor with elements and every cast that it is for: fills report->gates
 * and the verdict, in the order of rules, tensors and casts. False where a rule that is not
 * optional is for none of them, is about a figure that was not asked for, or names a format that is
 * not cast to. The rules' texts have to outlive the report. */
bool gate_judge(const struct gates *gates, struct report *report, struct error *error);

#endif
