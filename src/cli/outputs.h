/* Where reports go: in which style, and that nothing is overwritten that should not be. */
#ifndef PRECHECK_CLI_OUTPUTS_H
#define PRECHECK_CLI_OUTPUTS_H

#include "cli/run/inputs.h"
#include "cli/run/progress.h"
#include "output/output.h"

/* What is rendered: one of the two. */
struct content {
    const struct report *report;
    const struct listing *listing;
};

/* STATUS_OK where no output, --write's among them, replaces what is read or another output. */
int outputs_check(const struct options *options, const struct inputs *inputs);

/* The outputs of a run. */
struct outputs {
    const struct options *options;
    struct progress *progress;     /* NULL for none */
    struct destination *streaming; /* gets tensors before the report is finished; NULL for none */
};

void outputs_open(const struct options *options, struct outputs *outputs);

/* One more tensor of the report, in their order, for the output that is streaming, which there has
 * to be; and passes on what that holds. Where this cannot be written and there is nothing else that
 * the run is for, it ends the program. */
void outputs_tensor(struct outputs *outputs, const struct report *report,
                    const struct report_tensor *tensor);
void outputs_flush(struct outputs *outputs);
/* The same with all tensors of the report that have not been given yet. */
void outputs_catch_up(struct outputs *outputs, const struct report *report);

/* Renders, or what is left of it, to every place; tells the user of failures, and returns the
 * status. A report without a tensor takes the place of older ones in files, and is not printed. */
int outputs_close(struct outputs *outputs, const struct content *content);

/* How text looks where it goes: colour and width belong to a terminal. */
struct style output_style(const char *path, const struct options *options);
/* The text as the whole of the file. */
bool output_write(const char *path, const struct buffer *text, struct error *error);

#endif
