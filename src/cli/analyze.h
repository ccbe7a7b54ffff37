/* One input file: its tensors measured, and cast to a file where asked. */
#ifndef PRECHECK_CLI_ANALYZE_H
#define PRECHECK_CLI_ANALYZE_H

#include "cli/file.h"
#include "cli/options.h"
#include "cli/updates.h"
#include "report/build.h"

struct analysis {
    const struct options *options;
    unsigned threads;
    struct report *report;
    struct total *total;
    struct updates updates;
    struct file *write; /* NULL for none */
    bool written;       /* a tensor went there already */
};

/* Adds the tensors of the file to the report. False with a message where something is wrong; what
 * was measured before is in the report. `warning` (of 256 bytes) is "" or for the user. */
bool analyze_file(struct analysis *analysis, const char *path, char *warning, struct error *error);

#endif
