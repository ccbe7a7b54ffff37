/* The command line as a struct. */
#ifndef PRECHECK_CLI_OPTIONS_OPTIONS_H
#define PRECHECK_CLI_OPTIONS_OPTIONS_H

#include "format/cast.h"
#include "cli/options/option_table.h"
#include "cli/run/select.h"
#include "gate/gate.h"
#include "input/input.h"
#include "kernel/kernel.h"
#include "kernel/update.h"
#include "output/output.h"

enum { OUTPUT_LIMIT = 32, THREAD_LIMIT = 128 };

struct output_request {
    const struct renderer *renderer;
    const char *path; /* "-" is standard output */
};

enum scaling { SCALING_FIXED, SCALING_AMAX };
enum action {
    ACTION_RUN,
    ACTION_LIST,
    ACTION_FORMATS,
    ACTION_COMPLETION,
    ACTION_VERSION,
    ACTION_HELP
};

struct options {
    enum action action;
    enum shell shell; /* of ACTION_COMPLETION */
    char **files;     /* of argv, NULL at the end */
    size_t file_count;
    bool has_raw, has_view;
    struct raw_layout raw;
    struct dtype view;
    struct selection selection;
    struct cast *casts; /* owned; all but `key` and, for amax, `scale` */
    size_t cast_count;
    enum scaling scaling;
    const char *raw_text, *view_text, *scale_text;
    uint64_t seed;
    struct update_plan update_plan; /* without what belongs to a tensor */
    const char *update;             /* NULL for none; the next two where it is a number */
    bool update_is_number;
    double update_value;
    const char *update_scale_text, *ema_text;
    bool reference;
    const char *write; /* NULL for none */
    struct output_request outputs[OUTPUT_LIMIT];
    size_t output_count;
    bool quiet, verbose, exit_zero;
    size_t top;               /* lines of tensors in the text; 0: all */
    enum ranking_order order; /* of them */
    enum when colour, progress;
    struct gates gates; /* of --fail-on, then of the policy; owned */
    const char *policy; /* NULL for none */
    unsigned threads;   /* 0: as many as processors may be used */
    const struct kernel *kernel;
};

/* False with a message where the command line is wrong. */
bool options_parse(int argc, char **argv, struct options *options, struct error *error);
void options_free(struct options *options);
/* What --help prints. */
void options_help(struct buffer *out);

#endif
