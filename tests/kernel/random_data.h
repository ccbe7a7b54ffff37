/* Kinds of data that kernels are tested with: seeded, and each with a weak spot in mind. */
#ifndef PRECHECK_TESTS_KERNEL_RANDOM_DATA_H
#define PRECHECK_TESTS_KERNEL_RANDOM_DATA_H

#include <stddef.h>

#include "format/cast.h"

struct dice;

/* The element types that kernels have code for. Their numbers are handled as binary64 here. */
struct numbers {
    const char *dtype;
    size_t bytes;
    int least_exponent, last_exponent; /* of a nonzero number */
};

extern const struct numbers f32_numbers, f64_numbers;

/* The nearest number, and the next one towards another. */
double number_of(const struct numbers *numbers, double x);
double number_next(const struct numbers *numbers, double x, double towards);
/* The largest number of a binade. */
double binade_end(const struct numbers *numbers, int exponent);
/* The exponent, or the nearest one that there is. */
int number_exponent(const struct numbers *numbers, int exponent);
/* The numbers as they lie in a file of this machine's byte order. */
void numbers_store(const struct numbers *numbers, const double *x, size_t n, void *to);

struct data_source {
    struct dice *dice;
    const struct numbers *numbers;
    const struct cast *target; /* that the data will meet: some kinds sit on its breakpoints */
};

struct data_kind {
    const char *name;
    void (*fill)(const struct data_source *from, double *x, size_t n);
};

extern const struct data_kind data_kinds[];
extern const size_t data_kind_count;

/* The kind of that name. */
const struct data_kind *data_kind(const char *name);

int any_exponent(const struct data_source *from);
/* +-1.fraction * 2^exponent, all fractions alike. */
double random_number(const struct data_source *from, int exponent);
/* A number of the target, or a middle of two, or one next to these. */
double near_breakpoint(const struct data_source *from);

#endif
