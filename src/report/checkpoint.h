/* What a cast means for a checkpoint as a whole: its size, what is narrow already, and whether an
 * optimizer would be left without a copy in full precision. */
#ifndef PRECHECK_REPORT_CHECKPOINT_H
#define PRECHECK_REPORT_CHECKPOINT_H

#include "report/report.h"

/* Fills report->sizes and the bytes, and adds to the advice. */
void report_checkpoint(struct report *report);

#endif
