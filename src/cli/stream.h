/* Tensors of a report passed on in their order while others are measured, by a thread of its own:
 * it renders and writes, and what is ready never waits for what takes long. */
#ifndef PRECHECK_CLI_STREAM_H
#define PRECHECK_CLI_STREAM_H

#include "cli/outputs.h"

struct stream;

/* Those from `first` on, so many, which stay where they are until stream_stop(). NULL where there
 * is no thread to be had; the others take that. */
struct stream *stream_start(struct outputs *outputs, const struct report *report, size_t first,
                            size_t count);
/* One of them, counted from `first`, is in the report, or never will be. By any thread. */
void stream_settle(struct stream *stream, size_t tensor, bool reported);
/* Some may not have been passed on yet: outputs_catch_up() does that. */
void stream_stop(struct stream *stream);

#endif
