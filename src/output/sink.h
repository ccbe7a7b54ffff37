/* Where a rendering goes: its text is passed on in large pieces, so that it takes little memory
 * however long it becomes. */
#ifndef PRECHECK_OUTPUT_SINK_H
#define PRECHECK_OUTPUT_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct sink {
    struct buffer text; /* what was not passed on yet; the owner frees */
    /* Takes the bytes, or returns false. NULL: all stays in `text`. */
    bool (*write)(void *context, const void *bytes, size_t count);
    void *context;
    bool failed; /* a write did; nothing is passed on after that */
};

/* Between the parts of a rendering, at the end of a line of text: passes on what there is once that
 * is much. False where writing failed and the rest is not worth rendering. */
bool sink_goes_on(struct sink *sink);
/* At the end: passes on the rest. */
bool sink_flush(struct sink *sink);

#endif
