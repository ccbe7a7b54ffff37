/* What should stay in a wider format, and the figure that says so. */
#ifndef PRECHECK_REPORT_ADVICE_H
#define PRECHECK_REPORT_ADVICE_H

#include "base/buffer.h"
#include "report/report.h"

/* Fills report->advice from the figures of its total. */
void report_advise(struct report *report);

/* Adds a sentence; takes the text. */
void report_advise_with(struct report *report, const char *code, struct buffer *text);

#endif
