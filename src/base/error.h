/* One line that says what is wrong. */
#ifndef PRECHECK_BASE_ERROR_H
#define PRECHECK_BASE_ERROR_H

#include <stdbool.h>

/* Filled in by the function that fails; never allocates, so running out of memory can be told too.
 */
struct error {
    char text[512];
};

/* Writes the message, cut to fit, and returns false: `return fail(error, "...")`. The message may
 * carry bytes of a hostile file; whoever prints it escapes them. */
bool fail(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A pipe that nobody reads any more, where SIGPIPE is ignored, is no news to anyone: a failure
 * without a message. Whoever adds to the message of another failure leaves it as it is. */
bool fail_silently(struct error *error);
bool error_is_silent(const struct error *error);

#endif
