/* The elements of a tensor handed out in chunks to threads, from files and pipes alike. */
#ifndef PRECHECK_CLI_CHUNKS_H
#define PRECHECK_CLI_CHUNKS_H

#include "input/input.h"

struct chunk {
    const void *elements; /* as in the file, at any address */
    size_t n;
    uint64_t first; /* position of the first one in the tensor */
};

/* Called with contexts[t] on thread t only; false stops the whole with its message. */
typedef bool chunk_worker(void *context, const struct chunk *chunk, struct error *error);

/* The processors that this process may use. */
unsigned chunks_processors(void);

/* How many times as long as reading it the work on an element takes, about: longer work is handed
 * out in smaller chunks. */
enum { COST_PLAIN = 1, COST_STEPS = 64 };

/* How many of the threads are worth starting for the tensor: chunks_each uses no more. */
unsigned chunks_useful_threads(const struct tensor *tensor, unsigned threads, unsigned cost);

/* Every element once, in order where `threads` is 1. Memory is bounded by the number of threads. A
 * stream of unknown length (ELEMENTS_UNKNOWN) gets its length in tensor->elements. */
bool chunks_each(struct input *input, struct tensor *tensor, unsigned threads, unsigned cost,
                 chunk_worker *worker, void **contexts, struct error *error);

#endif
