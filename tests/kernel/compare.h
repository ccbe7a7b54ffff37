/* Measuring with one kernel and with the plain one, and what differs. */
#ifndef PRECHECK_TESTS_KERNEL_COMPARE_H
#define PRECHECK_TESTS_KERNEL_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "kernel/random_data.h"
#include "tally/tally.h"

enum { MOST_CASTS = 16 };

/* One tensor for several casts. */
struct trial {
    const struct kernel *kernel;
    const struct numbers *numbers;
    const char *data; /* what it is, for messages */
    const double *x;
    size_t n;
    uint64_t first;
    const struct plan *plans;
    size_t plan_count; /* MOST_CASTS or less */
};

/* The last one of the table. */
const struct kernel *plain_kernel(void);

struct dtype dtype_by_name(const char *name);

/* Numbers in this machine's byte order at any address, added to the tally; the same from binary64.
 */
void measure_bytes(const struct kernel *kernel, const struct numbers *numbers, const void *x,
                   size_t n, uint64_t first, const struct plan *plans, size_t plan_count,
                   struct tally *into);
void measure_numbers(const struct kernel *kernel, const struct numbers *numbers, const double *x,
                     size_t n, uint64_t first, const struct plan *plans, size_t plan_count,
                     struct tally *into);

/* Zeroes a tally that has room for MOST_CASTS. */
void tally_reset(struct tally *tally, size_t cast_count);

/* Sums are brought into their one canonical form meanwhile. */
bool same_input(struct input_measure *got, struct input_measure *wanted);
bool same_cast(struct cast_measure *got, struct cast_measure *wanted);
/* Fails, telling the first member that differs. */
void assert_same_tally(struct tally *got, struct tally *wanted, const struct plan *plans,
                       const char *what);

/* Fails unless the kernel's whole tally is the plain one's; the message has the least part of the
 * data that still differs. */
void assert_trial(const struct trial *trial);

#endif
