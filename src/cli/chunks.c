#include "cli/chunks.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "input/window.h"

/* A chunk that is copied is small enough for the second-level cache; one that is mapped is as large
 * as the memory for all threads' windows allows, since unmapping stops them all for a moment. */
enum { COPY_BYTES = 256 << 10, MAP_BYTES = 2 << 20, ALL_WINDOWS_BYTES = 16 << 20 };

struct shared {
    struct input *input;
    struct tensor *tensor;
    chunk_worker *worker;
    pthread_mutex_t lock;
    size_t chunk_bytes;
    uint64_t next; /* first element not handed out */
    bool ended;    /* nothing is left, or something failed */
    bool failed;
    struct error error;
};

struct thread {
    struct shared *shared;
    void *context;
    void *buffer;
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
    size_t bytes = (size_t)tensor->dtype.bytes, most = shared->chunk_bytes / bytes;
    chunk->n = 0;
    chunk->elements = buffer;
    chunk->first = shared->next;
    if (shared->ended)
        return true;
    if (tensor->elements == ELEMENTS_UNKNOWN) {
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

/* A chunk on its way through the worker. */
struct task {
    struct thread *thread;
    const struct chunk *chunk;
    struct error error;
    bool done;
};

static void run_worker(void *context)
{
    struct task *task = context;
    task->done = task->thread->shared->worker(task->thread->context, task->chunk, &task->error);
}

/* Through a mapping. False where it was not done that way, and nothing of it has been done. */
static bool work_mapped(struct thread *thread, struct chunk *chunk, struct task *task)
{
    struct shared *shared = thread->shared;
    size_t bytes = (size_t)shared->tensor->dtype.bytes;
    struct window window;
    if (!window_open(shared->input, shared->tensor->offset + chunk->first * bytes, chunk->n * bytes,
                     &window))
        return false;
    chunk->elements = window.bytes;
    task->done = false;
    if (!window_guard(run_worker, task))
        fail(&task->error, "the file became shorter while it was read");
    window_close(&window);
    return true;
}

/* The part of a chunk that begins at element `done`, copied into the thread's buffer. */
static bool work_copied(struct thread *thread, const struct chunk *chunk, struct task *task)
{
    struct shared *shared = thread->shared;
    size_t bytes = (size_t)shared->tensor->dtype.bytes, most = COPY_BYTES / bytes;
    for (size_t done = 0; done < chunk->n; done += most) {
        struct chunk part = {.elements = thread->buffer,
                             .n = chunk->n - done < most ? chunk->n - done : most,
                             .first = chunk->first + done};
        if (!input_read(shared->input, shared->tensor->offset + part.first * bytes, thread->buffer,
                        part.n * bytes, &task->error))
            return false;
        task->chunk = &part;
        run_worker(task);
        if (!task->done)
            return false;
    }
    return true;
}

/* Where the page cache holds a file in large pieces, to map it is cheap, and its bytes come near
 * while others are computed with; where it holds single pages, to copy them costs as much. */
static bool work_file(struct thread *thread, struct chunk *chunk, struct task *task)
{
    const struct tensor *tensor = thread->shared->tensor;
    bool large = tensor->elements * (uint64_t)tensor->dtype.bytes >= MAP_BYTES;
    if (large && work_mapped(thread, chunk, task))
        return task->done;
    return work_copied(thread, chunk, task);
}

static void work(struct thread *thread)
{
    struct shared *shared = thread->shared;
    thread->buffer = allocate(1, COPY_BYTES);
    for (;;) {
        struct chunk chunk;
        struct task task = {.thread = thread, .chunk = &chunk};
        pthread_mutex_lock(&shared->lock);
        bool claimed = claim(shared, thread->buffer, &chunk);
        pthread_mutex_unlock(&shared->lock);
        if (!claimed) {
            stop(shared, NULL);
            break;
        }
        if (chunk.n == 0)
            break;
        if (shared->input->seekable)
            task.done = work_file(thread, &chunk, &task);
        else
            run_worker(&task);
        if (!task.done) {
            stop(shared, &task.error);
            break;
        }
    }
    free(thread->buffer);
}

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    if (CPU_COUNT(&thread->processors))
        pthread_setaffinity_np(pthread_self(), sizeof thread->processors, &thread->processors);
    work(thread);
    return NULL;
}

/* One processor a thread where there is a thread for each: short runs do not wait for the scheduler
 * to spread them. With fewer the system knows better which processors are free. */
static void place_threads(struct thread *threads, unsigned count)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || (int)count != CPU_COUNT(&allowed))
        return;
    unsigned t = 0;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && t < count; cpu++)
        if (CPU_ISSET(cpu, &allowed))
            CPU_SET(cpu, &threads[t++].processors);
}

unsigned chunks_useful_threads(const struct tensor *tensor, unsigned threads, unsigned cost)
{
    if (tensor->elements == ELEMENTS_UNKNOWN)
        return threads;
    uint64_t pieces = tensor->elements * (uint64_t)tensor->dtype.bytes / (COPY_BYTES / cost) + 1;
    return pieces < threads ? (unsigned)pieces : threads;
}

/* Streams are copied. Of a file every thread gets several chunks, so that none waits long for the
 * last one. */
static size_t chunk_size(const struct input *input, const struct tensor *tensor, unsigned threads,
                         unsigned cost)
{
    if (!input->seekable || cost > COST_PLAIN)
        return COPY_BYTES / cost;
    uint64_t share = tensor->elements * (uint64_t)tensor->dtype.bytes / (8 * threads);
    uint64_t most =
        ALL_WINDOWS_BYTES / threads < MAP_BYTES ? ALL_WINDOWS_BYTES / threads : MAP_BYTES;
    uint64_t size = share < most ? share : most;
    return size <= COPY_BYTES ? COPY_BYTES : (size_t)size / COPY_BYTES * COPY_BYTES;
}

bool chunks_each(struct input *input, struct tensor *tensor, unsigned threads, unsigned cost,
                 chunk_worker *worker, void **contexts, struct error *error)
{
    struct shared shared = {.input = input,
                            .tensor = tensor,
                            .worker = worker,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .ended = tensor->elements == 0};
    unsigned count = chunks_useful_threads(tensor, threads, cost), started = 1;
    shared.chunk_bytes = chunk_size(input, tensor, count, cost);
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
