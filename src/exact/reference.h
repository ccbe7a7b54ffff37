/*
 * The referee: the same report computed through MPFR, element by element, from the definitions. It
 * shares the table of formats and the stream of random bits with the rest of the program, and no
 * arithmetic.
 */
#ifndef PRECHECK_EXACT_REFERENCE_H
#define PRECHECK_EXACT_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/cast.h"

/* The cast of one element. */
struct reference_outcome {
    enum class class;
    bool finite;   /* what is delivered is a number */
    double value;  /* that number, rounded to binary64 where it has to be */
    uint64_t code; /* as it is written */
};

struct reference_outcome reference_cast(const struct cast *cast, double x, uint64_t element);

/* A histogram without empty bins at either end. */
struct reference_bins {
    int first;
    size_t length;
    uint64_t *counts; /* owned */
};

/* A tensor's figures against one cast. */
struct reference_figures {
    uint64_t classes[CLASS_COUNT];
    uint64_t exact, count, relative_exact;
    /* NaN where REPORT.md says null. */
    double mean, mean_abs, rms, max_abs, max_abs_input, max_rel, max_rel_input, sqnr_db, rel_l2;
    uint64_t max_abs_at, max_rel_at; /* where max_* is not 0 */
    struct reference_bins relative;
    char *sum_e, *sum_abs_e, *sum_e2, *sum_x2; /* exact hexadecimal floats, owned */
};

struct reference;

struct reference *reference_new(const struct cast *cast);
/* Elements in storage order; the first one is at position `first`. */
void reference_add(struct reference *reference, const double *x, size_t n, uint64_t first);
/* Ends it and frees the reference. */
struct reference_figures reference_finish(struct reference *reference);
void reference_figures_free(struct reference_figures *figures);

/* The figures of the input itself; NaN and NULL where REPORT.md says null. */
struct reference_input_figures {
    uint64_t nan, inf, zero;
    double min_abs, max_abs, mean, rms;
    struct reference_bins exponents;
    char *sum; /* owned */
};

struct reference_input;

struct reference_input *reference_input_new(void);
void reference_input_add(struct reference_input *reference, const double *x, size_t n);
struct reference_input_figures reference_input_finish(struct reference_input *reference);
void reference_input_figures_free(struct reference_input_figures *figures);

#endif
