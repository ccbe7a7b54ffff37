/* The tensors of one input measured: by threads, into the report and its total. */
#ifndef PRECHECK_CLI_RUN_MEASURE_H
#define PRECHECK_CLI_RUN_MEASURE_H

#include "cli/outputs.h"
#include "cli/run/progress.h"
#include "cli/run/schedule.h"
#include "cli/run/updates.h"
#include "cli/write/write.h"
#include "report/build.h"

/* What a run adds to, file after file. */
struct analysis {
    const struct options *options;
    unsigned threads;
    struct report *report;
    struct total *total;
    struct updates updates;
    struct writer *writer; /* NULL for none */
    struct outputs *outputs;
    struct progress *progress; /* NULL for none */
};

/* Adds the tensors of the input, and what it skips, to the report of `analysis`, which they move
 * to. False with a message where something is wrong; those that could be measured are in the report
 * all the same. */
bool measure_input(void *analysis, struct input *input, bool single, struct error *error);

#endif
