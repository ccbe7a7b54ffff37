/* Where the updates of --update come from: one number, or files whose tensors match. */
#ifndef PRECHECK_CLI_RUN_UPDATES_H
#define PRECHECK_CLI_RUN_UPDATES_H

#include "cli/options/options.h"
#include "input/checkpoint.h"
#include "input/elements.h"
#include "tally/tally.h"

struct updates {
    const char *path;              /* that the user gave */
    struct input *files;           /* owned; all are open */
    size_t file_count;             /* 0 where there is one number, or nothing */
    struct update_tensor *by_name; /* theirs, owned */
    size_t tensor_count;
    bool finished;   /* the files were read to their end once */
    bool for_single; /* what is analyzed holds one tensor, those that are left out counted */
};

/* Finds out which files there are, if any; as checkpoint_open. */
bool updates_find(const struct options *options, struct checkpoint *files, struct error *error);

/* The message names the file. */
bool updates_open(const struct options *options, const struct checkpoint *files,
                  struct updates *updates, struct error *error);
/* Tells the user what should be known about the files. */
void updates_warn(const struct updates *updates);
void updates_close(struct updates *updates);
/* After updates were read: false with a message where a file has changed meanwhile. */
bool updates_finish(struct updates *updates, struct error *error);

/* The updates of one tensor. */
struct update_source {
    struct update_plan plan;
    double value;             /* where there is no file */
    struct input *file;       /* NULL for none */
    struct tensor *tensor;    /* in the file, */
    struct elements elements; /* its elements */
    struct decoder decoder;   /* and how they become numbers */
};

/* The k of a tensor: every k-th element takes the steps that cost most. */
uint64_t updates_sample(uint64_t elements, uint64_t steps);

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
