/* A file's bytes seen through a mapping for a while, where that is cheaper than copying them. */
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

/* Whether mapping pays: tries `count` bytes at `offset` both ways, the second time into `buffer`.
 * It does where the page cache holds the file in large pieces, which are mapped at once; where each
 * page is mapped by itself, copying is faster. Changes nothing but the time that things take. */
bool window_pays(struct input *input, uint64_t offset, void *buffer, size_t count);

/* Calls body(context). False, with nothing after the faulting access done, where the body touched
 * bytes of a window that the file no longer has. Nests not; any thread may call it. */
bool window_guard(void (*body)(void *context), void *context);

#endif
