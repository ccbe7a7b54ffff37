/* --select, --exclude and --keep: the tensors that are looked at, and that are cast. */
#ifndef PRECHECK_CLI_RUN_SELECT_H
#define PRECHECK_CLI_RUN_SELECT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "input/input.h"

enum pattern_use { PATTERN_SELECT, PATTERN_EXCLUDE, PATTERN_KEEP, PATTERN_USES };

struct pattern {
    const char *text; /* not owned */
    enum pattern_use use;
    bool matched; /* a name, in any file */
};

/* Zero-initialise. */
struct selection {
    struct pattern *patterns; /* owned */
    size_t count;
};

bool selection_add(struct selection *selection, const char *text, enum pattern_use use,
                   struct error *error);
void selection_free(struct selection *selection);

/* Removes from the input the tensors, and what is skipped, that are not selected; those that are to
 * be kept as they are become skipped. */
void selection_apply(struct selection *selection, struct input *input);

/* After all files: false with a message where a pattern has matched nothing. */
bool selection_finish(const struct selection *selection, struct error *error);

#endif
