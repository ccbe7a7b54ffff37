/* Reports for the tests of the renderers: plausible and consistent, not exact. */
#ifndef PRECHECK_TESTS_SAMPLE_REPORT_H
#define PRECHECK_TESTS_SAMPLE_REPORT_H

#include <stdint.h>

#include "report/report.h"

struct sample_tensor {
    const char *file, *name;
    unsigned rank;
    uint64_t shape[RANK_LIMIT];
    const double *values; /* as many as the shape says */
};

/* What the casts of these f32 tensors to the formats (comma-separated) with scale 2^scale come to,
 * worked out with plain double arithmetic in nearest-even and without saturation. The texts are
 * borrowed; report_free releases the rest. */
struct report sample_report(const char *formats, int scale, const struct sample_tensor *tensors,
                            size_t count);

/* Adds what comes of adding `update` to each element (with 0, nothing is there to compare), and of
 * doing so `steps` times where that is not 0; or of moving averages with g = 0. The texts,
 * borrowed, are how they were given. */
void sample_updates(struct report *report, const struct sample_tensor *tensors, double update,
                    const char *text, uint64_t steps);
void sample_averages(struct report *report, const struct sample_tensor *tensors, double beta,
                     const char *text);

/* Adds advice; the text is copied. */
void sample_advice(struct report *report, const char *code, const char *text);

/* Adds gates on the count of overflows, one for each tensor and format, and the verdict. */
void sample_gates(struct report *report, const char *rule);

/* Adds a tensor that was not cast. */
void sample_skip(struct report *report, const char *file, const char *name);

/* Roughly normal, the same for the same seed; the caller frees. */
double *sample_normal(uint64_t seed, size_t count, double sigma);
/* splitmix64 */
uint64_t sample_random(uint64_t *state);

#endif
