#include "cli/chunks.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/buffer.h"

/* Large enough that a read costs little, small enough for the second-level cache. */
enum { CHUNK_BYTES = 256 << 10 };

struct shared {
    struct input *input;
    struct tensor *tensor;
    chunk_worker *worker;
    pthread_mutex_t lock;
    uint64_t next;  /* first element not handed out */
    bool ended;     /* nothing is left, or something failed */
    bool failed;
    struct error error;
};

struct thread {
    struct shared *shared;
    void *context;
    pthread_t id;
    cpu_set_t processors; /* empty: wherever the system likes */
};

unsigned chunks_processors(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    int count = CPU_COUNT(&allowed);
    return count > 0 ? (unsigned)count : 1;
}

/* A stream whose length is not known: what comes, until it ends. */
static bool read_to_end(struct shared *shared, void *buffer, size_t room, struct chunk *chunk)
{
    struct tensor *tensor = shared->tensor;
    size_t bytes = (size_t)tensor->dtype.bytes, got;
    if (!input_read_some(shared->input, buffer, room, &got, &shared->error))
        return false;
    if (got % bytes != 0)
        return fail(&shared->error, "%zu bytes are left after the last whole %s element",
                    got % bytes, tensor->dtype.name);
    chunk->n = got / bytes;
    if (got < room) {
        tensor->elements = chunk->first + chunk->n;
        tensor->shape[0] = tensor->elements;
        shared->ended = true;
    }
    return true;
}

/* Hands out the next chunk; n = 0 at the end. Streams are read here, under the lock, so one thread
 * reads while the others compute; of files only the place is handed out. */
static bool claim(struct shared *shared, void *buffer, struct chunk *chunk)
{
    struct tensor *tensor = shared->tensor;
    size_t bytes = (size_t)tensor->dtype.bytes, most = CHUNK_BYTES / bytes;
    chunk->n = 0;
    chunk->elements = buffer;
    chunk->first = shared->next;
    if (shared->ended)
        return true;
    if (tensor->elements == UINT64_MAX) {
        if (!read_to_end(shared, buffer, most * bytes, chunk))
            return false;
    } else {
        uint64_t left = tensor->elements - shared->next;
        chunk->n = left < most ? (size_t)left : most;
        shared->ended = chunk->n == left;
        if (!shared->input->seekable &&
            !input_read(shared->input, tensor->offset + shared->next * bytes, buffer,
                        chunk->n * bytes, &shared->error))
            return false;
    }
    shared->next += chunk->n;
    return true;
}

static void stop(struct shared *shared, const struct error *error)
{
    pthread_mutex_lock(&shared->lock);
    if (error && !shared->failed)
        shared->error = *error;
    shared->ended = shared->failed = true;
    pthread_mutex_unlock(&shared->lock);
}

static void work(struct thread *thread)
{
    struct shared *shared = thread->shared;
    struct tensor *tensor = shared->tensor;
    void *buffer = allocate(1, CHUNK_BYTES);
    for (;;) {
        struct chunk chunk;
        struct error error;
        pthread_mutex_lock(&shared->lock);
        bool claimed = claim(shared, buffer, &chunk);
        pthread_mutex_unlock(&shared->lock);
        if (!claimed) {
            stop(shared, NULL);
            break;
        }
        if (chunk.n == 0)
            break;
        size_t bytes = (size_t)tensor->dtype.bytes;
        if ((shared->input->seekable &&
             !input_read(shared->input, tensor->offset + chunk.first * bytes, buffer,
                         chunk.n * bytes, &error)) ||
            !shared->worker(thread->context, &chunk, &error)) {
            stop(shared, &error);
            break;
        }
    }
    free(buffer);
}

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    if (CPU_COUNT(&thread->processors))
        pthread_setaffinity_np(pthread_self(), sizeof thread->processors, &thread->processors);
    work(thread);
    return NULL;
}

/* One processor a thread, as far as they go: short runs do not wait for the scheduler to spread
 * them. */
static void place_threads(struct thread *threads, unsigned count)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || (int)count > CPU_COUNT(&allowed))
        return;
    unsigned t = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && t < count; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            CPU_SET(cpu, &threads[t++].processors);
}

/* Threads that are worth starting for so many bytes. */
static unsigned useful_threads(const struct tensor *tensor, unsigned threads)
{
    if (tensor->elements == UINT64_MAX)
        return threads;
    uint64_t chunks = tensor->elements * (uint64_t)tensor->dtype.bytes / CHUNK_BYTES + 1;
    return chunks < threads ? (unsigned)chunks : threads;
}

bool chunks_each(struct input *input, struct tensor *tensor, unsigned threads, chunk_worker *worker,
                 void **contexts, struct error *error)
{
    struct shared shared = {.input = input,
                            .tensor = tensor,
                            .worker = worker,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .ended = tensor->elements == 0};
    unsigned count = useful_threads(tensor, threads), started = 1;
    struct thread *all = allocate(count, sizeof *all);
    for (unsigned t = 0; t < count; t++) {
        all[t].shared = &shared;
        all[t].context = contexts[t];
    }
    if (count > 1)
        place_threads(all, count);
    for (; started < count; started++)
        if (pthread_create(&all[started].id, NULL, run_thread, &all[started]) != 0)
            break; /* the ones there are will do it all */
    if (count > 1) {
        cpu_set_t before;
        pthread_getaffinity_np(pthread_self(), sizeof before, &before);
        run_thread(&all[0]);
        pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    } else {
        work(&all[0]);
    }
    for (unsigned t = 1; t < started; t++)
        pthread_join(all[t].id, NULL);
    free(all);
    pthread_mutex_destroy(&shared.lock);
    if (shared.failed)
        *error = shared.error;
    return !shared.failed;
}
