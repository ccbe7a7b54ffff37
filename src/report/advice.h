/* What should stay in a wider format, and the figure that says so. */
#ifndef PRECHECK_REPORT_ADVICE_H
#define PRECHECK_REPORT_ADVICE_H

#include "report/report.h"

/* Fills report->advice from the figures of its total. `update` is S g where the updates are all the
 * same number, else 0. */
void report_advise(struct report *report, double update);

#endif
