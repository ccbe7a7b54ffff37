/* How far a run is, on standard error: after a second, on a line that is written over. */
#ifndef PRECHECK_CLI_RUN_PROGRESS_H
#define PRECHECK_CLI_RUN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress;

/* NULL where none is wanted; the others take that. */
struct progress *progress_start(void);
/* Takes the line away. */
void progress_stop(struct progress *progress);

/* So many bytes more (or fewer) are to be done. */
void progress_expect(struct progress *progress, int64_t bytes);
/* So many are; from any thread. `progress` is untyped for the sake of schedule.h. */
void progress_add(void *progress, uint64_t bytes);

/* Takes the line away as the program ends by a signal; for handlers. */
void progress_vanish(void);

/* While something else is written to standard error, the line is away. */
void progress_hide(struct progress *progress);
void progress_show(struct progress *progress);

/* What the line says; for `seconds` since the start. At most `room` bytes. */
void progress_line(char *line, unsigned room, uint64_t done, uint64_t expected, double seconds);

#endif
