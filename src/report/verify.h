/* A report's figures against those of the reference. */
#ifndef PRECHECK_REPORT_VERIFY_H
#define PRECHECK_REPORT_VERIFY_H

#include "exact/reference.h"
#include "exact/reference_update.h"
#include "report/report.h"

/* False with a message that names the first figure that differs, and both values. `updates` is NULL
 * where the report has none. */
bool report_verify(const struct report_cast *cast, const struct reference_figures *reference,
                   const struct reference_update_figures *updates, struct error *error);

bool report_verify_input(const struct report_figures *figures,
                         const struct reference_input_figures *reference, struct error *error);

#endif
