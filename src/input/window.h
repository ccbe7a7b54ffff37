/* A file's bytes seen through a mapping for a while. */
#ifndef PRECHECK_INPUT_WINDOW_H
#define PRECHECK_INPUT_WINDOW_H

#include "input/input.h"

struct window {
    const void *bytes; /* what was asked for */
    void *mapping;
    size_t length;
};

/* Maps `count` bytes at `offset` of a seekable input. False where that cannot be: read them then.
 */
bool window_open(const struct input *input, uint64_t offset, size_t count, struct window *window);
void window_close(struct window *window);

/* Calls body(context). False, with nothing after the faulting access done, where the body touched
 * bytes of a window that the file no longer has. Nests not; any thread may call it. */
bool window_guard(void (*body)(void *context), void *context);

#endif
