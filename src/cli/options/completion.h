/* Scripts that make shells complete the command line. */
#ifndef PRECHECK_CLI_OPTIONS_COMPLETION_H
#define PRECHECK_CLI_OPTIONS_COMPLETION_H

#include "base/buffer.h"
#include "cli/options/option_table.h"

/* What --completion prints. */
void completion_script(enum shell shell, struct buffer *out);

#endif
