/* What the paths on the command line stand for: files, opened one after the other, with the tensors
 * in them that were selected. */
#ifndef PRECHECK_CLI_INPUTS_H
#define PRECHECK_CLI_INPUTS_H

#include "cli/options.h"
#include "cli/progress.h"
#include "input/input.h"

struct inputs {
    const struct options *options;
    struct progress *progress; /* NULL for none */
    struct selection selection;
    char **paths; /* of the files so far; owned, since what is told of tensors names them */
    size_t path_count;
};

struct inputs inputs_new(const struct options *options, struct progress *progress);
void inputs_free(struct inputs *inputs);

typedef bool input_body(void *context, struct input *input, struct error *error);

/* Calls the body with every file of the path. Tells the user what is wrong, with a file or by the
 * body's message; false where something was, after all files. */
bool inputs_each(struct inputs *inputs, const char *path, input_body *body, void *context);

/* After all paths: false with a message where a pattern has matched nothing. */
bool inputs_finish(const struct inputs *inputs, struct error *error);

#endif
