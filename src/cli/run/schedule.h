/* The tensors of an input handed out in chunks to threads, from files and pipes alike: many small
 * tensors keep all threads busy as one large one does. */
#ifndef PRECHECK_CLI_RUN_SCHEDULE_H
#define PRECHECK_CLI_RUN_SCHEDULE_H

#include "input/input.h"

struct chunk {
    const void *elements; /* as in the file, at any address */
    size_t n;
    uint64_t first; /* position of the first one in the tensor */
};

/* How many times as long as reading it the work on an element takes, about: longer work is handed
 * out in smaller chunks, down to an element or a few. */
enum { COST_PLAIN = 1, COST_MOST = 32768 };

/* What is done with the tensors. A job is the caller's, one a tensor; `thread` is the number of the
 * calling thread. */
struct schedule_work {
    void *context;
    /* Of the elements of a tensor, from COST_PLAIN to COST_MOST; NULL where they are plain. */
    unsigned (*cost)(const void *context, const struct tensor *tensor);
    /* Before the first chunk of a tensor; one call at a time, in the order of the tensors. */
    bool (*begin)(void *context, size_t tensor, void **job, struct error *error);
    /* Every element once; in order where there is one thread. */
    bool (*chunk)(void *context, void *job, unsigned thread, const struct chunk *chunk,
                  struct error *error);
    /* This thread did chunks of the job, and does no more, or does some again later. May
     * be NULL. */
    void (*leave)(void *context, void *job, unsigned thread);
    /* After the last thread has left, by that: all elements were seen, or something went wrong
     * (!done). The job is the callee's to free. Any order, several at a time. */
    bool (*end)(void *context, void *job, unsigned thread, bool done, struct error *error);
    /* By each thread, after all it does. May be NULL. */
    void (*depart)(void);
    /* Now and then, with the bytes seen since the last call; by any thread. May be NULL. */
    void (*progress)(void *context, uint64_t bytes);
};

/* The processors that this process may use. */
unsigned schedule_processors(void);

/* How many of the threads are worth starting for the input: schedule_run uses no more. */
unsigned schedule_useful_threads(const struct input *input, unsigned threads,
                                 const struct schedule_work *work);

/* Tensors with which something went wrong, and the number of the first one. */
struct schedule_failures {
    size_t count, first;
};

/* Memory is bounded by the number of threads. Tensors that cannot be read are passed over; what
 * chunk() refuses stops the whole. False with the message of the first failure. A stream of unknown
 * length (ELEMENTS_UNKNOWN) gets its length in tensor->elements. */
bool schedule_run(struct input *input, unsigned threads, const struct schedule_work *work,
                  struct schedule_failures *failures, struct error *error);

#endif
