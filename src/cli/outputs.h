/* Where reports go: in which style, and that nothing is overwritten that should not be. */
#ifndef PRECHECK_CLI_OUTPUTS_H
#define PRECHECK_CLI_OUTPUTS_H

#include "cli/inputs.h"
#include "output/output.h"

/* What is rendered: one of the two. */
struct content {
    const struct report *report;
    const struct listing *listing;
};

/* STATUS_OK where no output, --write's among them, replaces what is read or another output. */
int outputs_check(const struct options *options, const struct inputs *inputs);

/* Renders to every place; tells the user of failures, and returns the status. A report without a
 * tensor takes the place of older ones in files, and is not printed. */
int outputs_write(const struct options *options, const struct content *content);

/* How text looks where it goes: colour and width belong to a terminal. */
struct style output_style(const char *path, const struct options *options);
/* The text as the whole of the file. */
bool output_write(const char *path, const struct buffer *text, struct error *error);

#endif
