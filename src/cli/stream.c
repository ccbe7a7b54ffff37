#include "cli/stream.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "cli/run/pause.h"

/* A tensor leaves at once where none did so shortly before; many small ones leave together. */
enum { PAUSE_MILLISECONDS = 20 };

enum fate { PENDING, REPORTED, LOST };

struct stream {
    struct outputs *outputs;
    const struct report *report;
    size_t first, count;
    pthread_t thread;
    pthread_mutex_t lock; /* of the following */
    pthread_cond_t changed;
    enum fate *fates; /* one a tensor; what is not pending never changes */
    size_t next;      /* the first that was not passed on */
    bool waiting;     /* for that one */
    bool over;
};

/* With the lock held. The tensors from `next` on that are settled end before the result. */
static size_t settled(const struct stream *stream)
{
    size_t end = stream->next;
    while (end < stream->count && stream->fates[end] != PENDING)
        end++;
    return end;
}

static void pass_on(struct stream *stream, size_t begin, size_t end)
{
    const struct report_tensor *tensors = &stream->report->tensors[stream->first];
    for (size_t t = begin; t < end; t++)
        if (stream->fates[t] == REPORTED)
            outputs_tensor(stream->outputs, stream->report, &tensors[t]);
    outputs_flush(stream->outputs);
}

static void *run(void *argument)
{
    struct stream *stream = argument;
    pthread_mutex_lock(&stream->lock);
    while (!stream->over) {
        size_t begin = stream->next, end = settled(stream);
        stream->waiting = begin == end;
        if (stream->waiting) {
            pthread_cond_wait(&stream->changed, &stream->lock);
            continue;
        }
        pthread_mutex_unlock(&stream->lock);
        pass_on(stream, begin, end);
        pthread_mutex_lock(&stream->lock);
        stream->next = end;
        pause_for(&stream->changed, &stream->lock, &stream->over, PAUSE_MILLISECONDS);
    }
    pthread_mutex_unlock(&stream->lock);
    return NULL;
}

static void free_stream(struct stream *stream)
{
    pthread_cond_destroy(&stream->changed);
    pthread_mutex_destroy(&stream->lock);
    free(stream->fates);
    free(stream);
}

/* Signals to the program are for the threads that make files, which hold them off meanwhile; what
 * writing raises is for the one that writes. */
static bool start_thread(struct stream *stream)
{
    static const int own[] = {SIGPIPE, SIGXFSZ, SIGABRT};
    sigset_t others, before;
    sigfillset(&others);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(&others, own[i]);
    pthread_sigmask(SIG_BLOCK, &others, &before);
    int status = pthread_create(&stream->thread, NULL, run, stream);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return status == 0;
}

struct stream *stream_start(struct outputs *outputs, const struct report *report, size_t first,
                            size_t count)
{
    struct stream *stream = allocate(1, sizeof *stream);
    *stream = (struct stream){.outputs = outputs,
                              .report = report,
                              .first = first,
                              .count = count,
                              .lock = PTHREAD_MUTEX_INITIALIZER,
                              .fates = allocate(count, sizeof(enum fate))};
    pause_init(&stream->changed);
    if (start_thread(stream))
        return stream;
    free_stream(stream);
    return NULL;
}

void stream_settle(struct stream *stream, size_t tensor, bool reported)
{
    if (!stream)
        return;
    pthread_mutex_lock(&stream->lock);
    stream->fates[tensor] = reported ? REPORTED : LOST;
    if (stream->waiting && tensor == stream->next)
        pthread_cond_signal(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
}

void stream_stop(struct stream *stream)
{
    if (!stream)
        return;
    pthread_mutex_lock(&stream->lock);
    stream->over = true;
    pthread_cond_signal(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
    pthread_join(stream->thread, NULL);
    free_stream(stream);
}
