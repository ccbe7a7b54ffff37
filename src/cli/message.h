/* Messages to standard error, one line each: `precheck: FILE: what is wrong`. */
#ifndef PRECHECK_CLI_MESSAGE_H
#define PRECHECK_CLI_MESSAGE_H

/* `file` is NULL where there is none. Control characters in file and text are escaped. */
void message(const char *file, const char *text);

#endif
