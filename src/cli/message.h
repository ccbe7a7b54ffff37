/* Messages to standard error, one line each: `precheck: FILE: what is wrong`; and the exit status.
 */
#ifndef PRECHECK_CLI_MESSAGE_H
#define PRECHECK_CLI_MESSAGE_H

#include "base/error.h"

/* A higher one outranks a lower one. */
enum { STATUS_OK, STATUS_GATE, STATUS_TROUBLE };

static inline int worse(int a, int b)
{
    return a > b ? a : b;
}

/* `file` is NULL where there is none. Control characters in file and text are escaped. */
void message(const char *file, const char *text);

/* The message, if there is one; STATUS_TROUBLE. */
int trouble(const char *file, const struct error *error);

#endif
