/* What the paths on the command line stand for: files, opened one after the other, with the tensors
 * in them that were selected. */
#ifndef PRECHECK_CLI_RUN_INPUTS_H
#define PRECHECK_CLI_RUN_INPUTS_H

#include "cli/options/options.h"
#include "cli/run/progress.h"
#include "input/checkpoint.h"

struct inputs {
    const struct options *options;
    struct progress *progress; /* NULL for none */
    struct selection selection;
    struct checkpoint *checkpoints; /* one a path that can be told, owned, as is */
    size_t checkpoint_count;
    const struct checkpoint *updates; /* files of --update */
    const char **files;               /* all that is read: first the files of the checkpoints */
    size_t tensor_file_count, file_count;
};

/* Finds out which files there are; no tensor is looked at. Tells the user what is wrong; false
 * where something was, and the other paths are there all the same. */
bool inputs_open(const struct options *options, const struct checkpoint *updates,
                 struct inputs *inputs);
void inputs_close(struct inputs *inputs);

/* `single` tells that the input is all that its path stands for, and has one tensor, those that
 * were not selected counted. */
typedef bool input_body(void *context, struct input *input, bool single, struct error *error);

/* Calls the body with every file that can be opened once more later, for its description; says
 * nothing of what is wrong with any. */
void inputs_survey(struct inputs *inputs, void (*body)(void *context, struct input *input),
                   void *context);

/* Calls the body with every file. Tells the user what is wrong, with a file or by the body's
 * message; false where something was, after all files, or where a pattern has matched nothing. */
bool inputs_each(struct inputs *inputs, input_body *body, void *context);

#endif
