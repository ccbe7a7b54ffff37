/* The report as values: what REPORT.md lists. Renderers read it and compute nothing. */
#ifndef PRECHECK_REPORT_REPORT_H
#define PRECHECK_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/cast.h"
#include "input/input.h"

enum metric {
#define METRIC(id, ...) METRIC_##id,
#include "report/metrics.def"
#undef METRIC
    METRIC_COUNT
};

enum metric_group {
    GROUP_INPUT,
    GROUP_CAST,
    GROUP_ERROR,
    GROUP_UPDATE,
    GROUP_EMA,
    GROUP_STEPS,
    GROUP_COUNT
};
enum metric_type { TYPE_COUNT, TYPE_REAL, TYPE_INDEX };

struct metric_row {
    enum metric_group group;
    const char *name;
    enum metric_type type;
    const char *unit, *help;
};

extern const struct metric_row metric_table[METRIC_COUNT];
/* As members are called; those of a cast itself "". */
extern const char *const metric_group_names[GROUP_COUNT];

enum value_kind { VALUE_NULL, VALUE_COUNT, VALUE_REAL, VALUE_INDEX };

struct value {
    enum value_kind kind;
    union {
        uint64_t count; /* COUNT, and for INDEX the position in storage order */
        double real;    /* never NaN; an infinity is a figure beyond binary64 */
    };
};

/* Bins first .. first + length - 1, without empty ones at either end; length 0 when all are empty.
 */
struct histogram {
    int first;
    size_t length;
    uint64_t *counts; /* owned */
};

struct report_tensor;

struct report_cast {
    const struct cast *cast;            /* format, rounding and policy */
    int scale;                          /* K of this tensor */
    bool scale_varies;                  /* total only: the tensors' scales differ */
    struct value figures[METRIC_COUNT]; /* those of all groups but GROUP_INPUT */
    uint64_t relative_exact;            /* e = 0 among x != 0 */
    struct histogram relative_error;
    char *sum_e, *sum_abs_e, *sum_e2, *sum_x2; /* exact hexadecimal floats, owned */
    /* Not packed. Total only: where the two *_at positions are. */
    const struct report_tensor *max_abs_tensor, *max_rel_tensor;
    /* How the tensor would sit in the format best: the K nearest zero at which nothing overflows
     * and as few elements as possible lie below the smallest normal number. Not known (false) for
     * tensors without a finite nonzero element. */
    bool has_fit;
    int fit_scale;
    uint64_t fit_below; /* elements whose magnitude is below the smallest normal at fit_scale */
    uint64_t below;     /* the same at the scale of this cast */
};

/* What is reported of one tensor, or of all together. */
struct report_figures {
    struct value input[METRIC_COUNT]; /* those of GROUP_INPUT */
    struct histogram exponents;
    char *sum;                 /* exact hexadecimal float or NULL, owned */
    struct report_cast *casts; /* one a format of --to, owned */
    struct cast *bound; /* what they refer to: with this tensor's scale, owned; may be NULL */
};

/* Of many tensors the figures are kept packed: report_figures_of gets at them. */
struct report_tensor {
    const char *file;               /* not owned */
    struct tensor tensor;           /* owned */
    struct report_figures *figures; /* owned; NULL where packed */
    unsigned char *packed;          /* owned */
};

struct report_skipped {
    const char *file;
    struct skipped skipped; /* owned; without data */
};

/* What it means that a gate fails: that the verdict does, or only a warning; GATE_OFF rules are
 * never judged. */
enum gate_level { GATE_ERROR, GATE_WARN, GATE_OFF };

struct report_gate {
    const char *rule; /* as the user wrote it, or would on the command line */
    const struct report_tensor *tensor;
    size_t cast; /* of the report's */
    struct value value;
    bool pass;
    enum gate_level level;
};

extern const char *const gate_level_names[GATE_OFF + 1];

/* What should be done, and the figure that says so. */
struct report_advice {
    const char *code;
    char *text; /* owned */
};

/* The tensors of one dtype. */
struct report_size {
    struct dtype dtype;
    uint64_t tensors, bytes;
};

struct report_settings {
    enum rounding rounding;
    uint64_t seed;
    bool saturate;
    /* As given, NULL where not. */
    const char *scale, *raw, *view, *update, *update_scale, *ema;
    double constant_update; /* S g where all updates are the same number, else 0 */
    uint64_t steps;         /* 0: none */
};

struct report {
    const char *version;
    struct report_settings settings;
    bool has_group[GROUP_COUNT];
    struct cast *casts; /* one a format of --to, owned */
    size_t cast_count;
    struct report_tensor *tensors; /* owned */
    size_t tensor_count;
    struct report_skipped *skipped; /* owned */
    size_t skipped_count;
    struct report_figures total; /* of all tensors; casts NULL before it is known */
    uint64_t total_elements;
    struct report_size *sizes; /* a dtype each, the one of most bytes first, owned */
    size_t size_count;
    uint64_t bytes;               /* of all tensors as they are */
    struct report_advice *advice; /* owned; filled by report/advice.c */
    size_t advice_count;
    struct report_gate *gates; /* owned; filled by gate/ */
    size_t gate_count;
    bool incomplete; /* something could not be read or written: no verdict is "pass" */
    bool has_verdict, pass;
};

void report_free(struct report *report);

/* What the tensors take once they are cast. */
uint64_t report_bytes_after(const struct report *report, size_t cast);

/* The figures of a tensor: its own, or unpacked into `room`, which report_figures_done empties. */
const struct report_figures *report_figures_of(const struct report *report,
                                               const struct report_tensor *tensor,
                                               struct report_figures *room);
void report_figures_done(const struct report *report, struct report_figures *room);
/* Packs the figures of a tensor. */
void report_pack(const struct report *report, struct report_tensor *tensor);

#endif
