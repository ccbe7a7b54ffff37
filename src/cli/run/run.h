/* What the options ask for, from the inputs to the outputs. */
#ifndef PRECHECK_CLI_RUN_RUN_H
#define PRECHECK_CLI_RUN_RUN_H

#include "cli/options/options.h"

/* Of ACTION_RUN and ACTION_LIST; returns the exit status. */
int run(const struct options *options);

#endif
