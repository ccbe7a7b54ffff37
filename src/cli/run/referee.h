/* --reference: one tensor measured again through MPFR, and compared. Elements come in order. */
#ifndef PRECHECK_CLI_RUN_REFEREE_H
#define PRECHECK_CLI_RUN_REFEREE_H

#include "cli/run/updates.h"
#include "report/report.h"

struct referee;

/* The decoder, and where the updates come from, are used until the end. */
struct referee *referee_new(const struct options *options, const struct decoder *decoder,
                            const struct update_source *updates, const struct cast *casts);
void referee_free(struct referee *referee);

/* n elements as they are in the file, and their updates as they are in theirs (NULL where there is
 * no file of them). At most UPDATES_AT_ONCE. */
void referee_add(struct referee *referee, const void *elements, const void *updates, size_t n,
                 uint64_t first);

/* False with a message that names the first figure that differs. Once. */
bool referee_agrees(struct referee *referee, const struct report_figures *figures,
                    struct error *error);

#endif
