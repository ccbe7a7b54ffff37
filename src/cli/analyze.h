/* One path on the command line: its files opened, their tensors chosen and measured. */
#ifndef PRECHECK_CLI_ANALYZE_H
#define PRECHECK_CLI_ANALYZE_H

#include "cli/measure.h"

/* Adds the tensors of the file to the report. False with a message where something is wrong; what
 * could be measured is in the report. `warning` (of 256 bytes) is "" or for the user. */
bool analyze_file(struct analysis *analysis, const char *path, char *warning, struct error *error);

#endif
