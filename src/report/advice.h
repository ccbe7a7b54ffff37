/* What should stay in a wider format, and the figure that says so. */
#ifndef PRECHECK_REPORT_ADVICE_H
#define PRECHECK_REPORT_ADVICE_H

#include "report/report.h"

/* Fills report->advice from the figures of its total. */
void report_advise(struct report *report);

#endif
