/* One path on the command line: its files opened, their tensors chosen and measured. */
#ifndef PRECHECK_CLI_ANALYZE_H
#define PRECHECK_CLI_ANALYZE_H

#include "cli/measure.h"

/* Adds the tensors of what the path stands for to the report. Tells the user what is wrong; false
 * where something was, and what could be measured is in the report all the same. */
bool analyze_path(struct analysis *analysis, const char *path);

#endif
