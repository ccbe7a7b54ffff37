/* Where the updates of --update come from: one number, or a file whose tensors match. */
#ifndef PRECHECK_CLI_RUN_UPDATES_H
#define PRECHECK_CLI_RUN_UPDATES_H

#include "cli/options/options.h"
#include "input/elements.h"
#include "tally/tally.h"

struct updates {
    bool from_file;
    struct input input;      /* of a file; its warning is for the user */
    struct tensor **by_name; /* its tensors, sorted */
    bool finished;           /* it was read to its end once */
    bool for_single; /* what is analyzed holds one tensor, those that are left out counted */
};

bool updates_open(const struct options *options, struct updates *updates, struct error *error);
void updates_close(struct updates *updates);
/* After updates were read: false with a message where the file has changed meanwhile. */
bool updates_finish(struct updates *updates, struct error *error);

/* The updates of one tensor. */
struct update_source {
    struct update_plan plan;
    double value;             /* where there is no file */
    struct updates *file;     /* NULL for none */
    struct tensor *tensor;    /* in the file, */
    struct elements elements; /* its elements */
    struct decoder decoder;   /* and how they become numbers */
};

/* False with a message where nothing matches the tensor. */
bool updates_match(const struct options *options, struct updates *updates,
                   const struct tensor *tensor, struct update_source *source, struct error *error);
/* After the updates of all elements were measured: false where they are not what their checksum
 * says. */
bool update_source_finish(struct update_source *source, struct error *error);
void update_source_close(struct update_source *source);

/* What is measured twice in a row stays in the second-level cache. */
enum { UPDATES_AT_ONCE = 1 << 15 };

/* Adds the updates of n elements, at most UPDATES_AT_ONCE, the first at position `first`, to the
 * tally. Threads may share the source; `room` is 8 bytes for each. */
bool update_source_measure(struct update_source *source, const struct kernel *kernel,
                           const struct decoder *decoder, const void *elements, size_t n,
                           uint64_t first, const struct plan *plans, void *room,
                           struct tally *tally, struct error *error);

#endif
