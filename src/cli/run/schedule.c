#include "cli/run/schedule.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "input/elements.h"
#include "input/window.h"

/* A chunk that is copied is small enough for the second-level cache; one that is mapped is as large
 * as the memory for all threads' windows allows, since unmapping stops them all for a moment. */
enum { COPY_BYTES = 256 << 10, MAP_BYTES = 2 << 20, ALL_WINDOWS_BYTES = 16 << 20 };

/* A tensor of which chunks are handed out. Guarded by the lock, but for what begin() made. */
struct open_tensor {
    struct open_tensor *after; /* in the order of opening */
    size_t index;
    struct tensor *tensor;
    struct elements elements;
    void *job;
    uint64_t next; /* first element not handed out */
    size_t chunk_bytes;
    unsigned users;  /* threads that have not left it */
    bool exhausted;  /* nothing is left to be handed out */
    bool being_read; /* in sequence, by a thread */
    bool broken;     /* something of it could not be read or done */
};

struct shared {
    struct input *input;
    const struct schedule_work *work;
    unsigned threads;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* there may be something to do for a thread that waits */
    struct open_tensor *first_open;
    size_t next_tensor;
    uint64_t bytes_left; /* in tensors that were not opened */
    bool stopped;        /* nothing more is handed out */
    size_t failures;     /* tensors that are broken, */
    size_t failed;       /* the first one of them, and what is wrong with it */
    struct error error;
};

struct thread {
    struct shared *shared;
    unsigned number;
    struct open_tensor *current; /* what it has not left */
    void *buffer;                /* of COPY_BYTES, made when needed */
    pthread_t id;
    cpu_set_t processors; /* empty: wherever the system likes */
};

unsigned schedule_processors(void)
{
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return 1;
    int count = CPU_COUNT(&allowed);
    return count > 0 ? (unsigned)count : 1;
}

static void *buffer_of(struct thread *thread)
{
    if (!thread->buffer)
        thread->buffer = allocate(1, COPY_BYTES);
    return thread->buffer;
}

/* With the lock held. A tensor that cannot be read is no reason not to measure the others, unless
 * they come behind it in a stream. */
static void note_failure(struct shared *shared, size_t tensor, const struct error *error)
{
    if (shared->failures == 0 || tensor < shared->failed) {
        shared->error = *error;
        shared->failed = tensor;
    }
    shared->failures++;
    shared->stopped |= !shared->input->seekable;
}

static void break_tensor(struct shared *shared, struct open_tensor *open, const struct error *error,
                         bool stop)
{
    pthread_mutex_lock(&shared->lock);
    if (!open->broken)
        note_failure(shared, open->index, error);
    open->broken = open->exhausted = true;
    shared->stopped |= stop;
    pthread_cond_broadcast(&shared->changed);
    pthread_mutex_unlock(&shared->lock);
}

/* Opening and closing tensors. */

static unsigned cost_of(const struct schedule_work *work, const struct tensor *tensor)
{
    return work->cost ? work->cost(work->context, tensor) : COST_PLAIN;
}

/* What comes in sequence is copied. Of what is left every thread gets several chunks, so that none
 * waits long for the last one. */
static size_t chunk_size(const struct shared *shared, const struct open_tensor *open)
{
    unsigned threads = shared->threads, cost = cost_of(shared->work, open->tensor);
    if (elements_in_sequence(&open->elements) || cost > COST_PLAIN)
        return COPY_BYTES / cost;
    uint64_t share = (tensor_bytes(open->tensor) + shared->bytes_left) / (8 * threads);
    uint64_t most =
        ALL_WINDOWS_BYTES / threads < MAP_BYTES ? ALL_WINDOWS_BYTES / threads : MAP_BYTES;
    uint64_t size = share < most ? share : most;
    return size <= COPY_BYTES ? COPY_BYTES : (size_t)size / COPY_BYTES * COPY_BYTES;
}

/* With the lock held. NULL where it failed. */
static struct open_tensor *open_next(struct shared *shared, struct error *error)
{
    struct open_tensor *open = allocate(1, sizeof *open), **last = &shared->first_open;
    open->index = shared->next_tensor++;
    open->tensor = &shared->input->tensors[open->index];
    shared->bytes_left -= tensor_bytes(open->tensor);
    bool opened = elements_open(shared->input, open->tensor, &open->elements, error);
    if (opened && !shared->work->begin(shared->work->context, open->index, &open->job, error)) {
        elements_close(&open->elements);
        opened = false;
    }
    if (!opened) {
        free(open);
        return NULL;
    }
    open->chunk_bytes = chunk_size(shared, open);
    open->exhausted = open->tensor->elements == 0;
    while (*last)
        last = &(*last)->after;
    *last = open;
    return open;
}

/* After the last user has left, with the lock not held. */
static void close_tensor(struct shared *shared, struct open_tensor *open, unsigned thread)
{
    struct error error;
    bool whole = open->exhausted && !open->broken;
    bool read = whole && elements_finish(&open->elements, &error);
    bool ended = shared->work->end(shared->work->context, open->job, thread, read, &error);
    if (whole && !(read && ended))
        break_tensor(shared, open, &error, false);
    elements_close(&open->elements);
    free(open);
}

static void unlink_tensor(struct shared *shared, struct open_tensor *open)
{
    struct open_tensor **at = &shared->first_open;
    while (*at != open)
        at = &(*at)->after;
    *at = open->after;
}

/* The last one to leave closes. */
static void leave(struct thread *thread)
{
    struct shared *shared = thread->shared;
    struct open_tensor *open = thread->current;
    if (!open)
        return;
    thread->current = NULL;
    if (shared->work->leave)
        shared->work->leave(shared->work->context, open->job, thread->number);
    pthread_mutex_lock(&shared->lock);
    open->users--;
    bool last = open->users == 0 && open->exhausted;
    if (last)
        unlink_tensor(shared, open);
    pthread_mutex_unlock(&shared->lock);
    if (last)
        close_tensor(shared, open, thread->number);
}

/* Handing out, with the lock held. */

/* A stream gives one tensor after the other. */
static bool may_open(const struct shared *shared)
{
    if (shared->next_tensor == shared->input->tensor_count)
        return false;
    for (const struct open_tensor *open = shared->first_open; open; open = open->after)
        if (!open->exhausted && !shared->input->seekable)
            return false;
    return true;
}

static bool is_ready(const struct open_tensor *open)
{
    return !open->exhausted && !open->being_read;
}

/* A tensor with something to hand out, an older one first; waits for one where there may be one
 * later. NULL at the end. */
static struct open_tensor *find_work(struct thread *thread)
{
    struct shared *shared = thread->shared;
    while (!shared->stopped) {
        bool waiting = false;
        for (struct open_tensor *open = shared->first_open; open; open = open->after) {
            if (is_ready(open))
                return open;
            waiting |= !open->exhausted;
        }
        if (may_open(shared)) {
            struct error error;
            size_t index = shared->next_tensor;
            struct open_tensor *open = open_next(shared, &error);
            if (open)
                return open;
            note_failure(shared, index, &error);
        } else if (waiting && thread->current) {
            pthread_mutex_unlock(&shared->lock); /* others may have to close it */
            leave(thread);
            pthread_mutex_lock(&shared->lock);
        } else if (waiting) {
            pthread_cond_wait(&shared->changed, &shared->lock);
        } else {
            break;
        }
    }
    return NULL;
}

/* Takes the next chunk: of what comes in sequence, the right to read it. */
static void take(struct open_tensor *open, struct chunk *chunk)
{
    size_t most = open->chunk_bytes / (size_t)open->tensor->dtype.bytes;
    *chunk = (struct chunk){.n = most, .first = open->next};
    if (open->tensor->elements != ELEMENTS_UNKNOWN) {
        uint64_t left = open->tensor->elements - open->next;
        chunk->n = left < most ? (size_t)left : most;
    }
    if (elements_in_sequence(&open->elements) && chunk->n) {
        open->being_read = true;
        return;
    }
    open->next += chunk->n;
    open->exhausted = open->next == open->tensor->elements;
}

/* False at the end. */
static bool claim(struct thread *thread, struct chunk *chunk)
{
    struct shared *shared = thread->shared;
    pthread_mutex_lock(&shared->lock);
    struct open_tensor *open = find_work(thread), *before = thread->current;
    if (open) {
        if (open != before)
            open->users++;
        take(open, chunk);
    }
    pthread_mutex_unlock(&shared->lock);
    if (open && open != before) {
        leave(thread);
        thread->current = open;
    }
    return open;
}

/* Working. */

/* A stream whose length is not known: what comes, until it ends. */
static bool read_to_end(struct open_tensor *open, void *buffer, struct chunk *chunk,
                        struct error *error)
{
    struct tensor *tensor = open->tensor;
    size_t bytes = (size_t)tensor->dtype.bytes, room = chunk->n * bytes, got;
    if (!input_read_some(open->elements.input, buffer, room, &got, error))
        return false;
    if (got % bytes != 0)
        return fail(error, "%zu bytes are left after the last whole %s element", got % bytes,
                    tensor->dtype.name);
    chunk->n = got / bytes;
    if (got < room) {
        tensor->elements = chunk->first + chunk->n;
        tensor->shape[0] = tensor->elements;
    }
    return true;
}

/* One thread reads while the others compute. */
static bool read_in_sequence(struct thread *thread, struct chunk *chunk, struct error *error)
{
    struct shared *shared = thread->shared;
    struct open_tensor *open = thread->current;
    void *buffer = buffer_of(thread);
    bool read = open->tensor->elements == ELEMENTS_UNKNOWN
                    ? read_to_end(open, buffer, chunk, error)
                    : elements_read(&open->elements, chunk->first, chunk->n, buffer, error);
    chunk->elements = buffer;
    pthread_mutex_lock(&shared->lock);
    open->being_read = !read; /* nobody tries again before it is known to be broken */
    if (read) {
        open->next += chunk->n;
        open->exhausted = open->next == open->tensor->elements;
    }
    pthread_cond_broadcast(&shared->changed);
    pthread_mutex_unlock(&shared->lock);
    return read;
}

/* A chunk on its way through the worker. */
struct task {
    struct thread *thread;
    const struct chunk *chunk;
    struct error *error;
    bool refused; /* by what was to be done with it, not for want of elements */
    bool done;
};

static void run_chunk(void *context)
{
    struct task *task = context;
    const struct thread *thread = task->thread;
    const struct schedule_work *work = thread->shared->work;
    task->done =
        work->chunk(work->context, thread->current->job, thread->number, task->chunk, task->error);
    task->refused = !task->done;
}

/* What has a checksum, in pieces that stay near while they are looked at twice. */
static void run_mapped_chunk(void *context)
{
    struct task *task = context;
    const struct chunk *chunk = task->chunk;
    struct open_tensor *open = task->thread->current;
    size_t bytes = (size_t)open->tensor->dtype.bytes;
    size_t most = open->tensor->member ? COPY_BYTES / bytes : chunk->n;
    for (size_t done = 0; done < chunk->n; done += most) {
        struct chunk part = {.elements = (const char *)chunk->elements + done * bytes,
                             .n = chunk->n - done < most ? chunk->n - done : most,
                             .first = chunk->first + done};
        elements_saw(&open->elements, part.first, part.n, part.elements);
        task->chunk = &part;
        run_chunk(task);
        if (!task->done)
            return;
    }
}

/* Through a mapping. False where it was not done that way, and nothing of it has been done. */
static bool work_mapped(struct task *task, struct chunk *chunk)
{
    struct open_tensor *open = task->thread->current;
    size_t bytes = (size_t)open->tensor->dtype.bytes;
    struct window window;
    if (!window_open(open->elements.input, open->tensor->offset + chunk->first * bytes,
                     chunk->n * bytes, &window))
        return false;
    chunk->elements = window.bytes;
    task->done = false;
    if (!window_guard(run_mapped_chunk, task))
        fail(task->error, "the file became shorter while it was read");
    window_close(&window);
    return true;
}

/* The chunk in parts, copied into the thread's buffer. */
static bool work_copied(struct task *task, const struct chunk *chunk)
{
    struct open_tensor *open = task->thread->current;
    size_t bytes = (size_t)open->tensor->dtype.bytes, most = COPY_BYTES / bytes;
    void *buffer = buffer_of(task->thread);
    for (size_t done = 0; done < chunk->n; done += most) {
        struct chunk part = {.elements = buffer,
                             .n = chunk->n - done < most ? chunk->n - done : most,
                             .first = chunk->first + done};
        if (!elements_read(&open->elements, part.first, part.n, buffer, task->error))
            return false;
        task->chunk = &part;
        run_chunk(task);
        if (!task->done)
            return false;
    }
    return true;
}

/* Where the page cache holds a file in large pieces, to map it is cheap, and its bytes come near
 * while others are computed with; where it holds single pages, to copy them costs as much. */
static bool work_on(struct task *task, struct chunk *chunk)
{
    struct open_tensor *open = task->thread->current;
    if (elements_in_sequence(&open->elements)) {
        if (!read_in_sequence(task->thread, chunk, task->error))
            return false;
        run_chunk(task);
        return task->done;
    }
    bool large = tensor_bytes(open->tensor) >= MAP_BYTES;
    if (large && open->elements.mappable && work_mapped(task, chunk))
        return task->done;
    return work_copied(task, chunk);
}

static void work(struct thread *thread)
{
    struct shared *shared = thread->shared;
    const struct schedule_work *what = shared->work;
    struct chunk chunk;
    while (claim(thread, &chunk)) {
        struct open_tensor *open = thread->current;
        struct error error;
        struct task task = {.thread = thread, .chunk = &chunk, .error = &error};
        if (chunk.n && !work_on(&task, &chunk))
            break_tensor(shared, open, &error, task.refused);
        else if (what->progress)
            what->progress(what->context, chunk.n * (uint64_t)open->tensor->dtype.bytes);
        pthread_mutex_lock(&shared->lock);
        bool over = open->exhausted;
        pthread_mutex_unlock(&shared->lock);
        if (over)
            leave(thread);
    }
    leave(thread);
    if (what->depart)
        what->depart();
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

/* A tensor is worth a little work whatever its size. */
unsigned schedule_useful_threads(const struct input *input, unsigned threads,
                                 const struct schedule_work *work)
{
    enum { TENSOR_BYTES = 8 << 10 };
    double pieces = 1;
    for (size_t t = 0; t < input->tensor_count; t++) {
        if (input->tensors[t].elements == ELEMENTS_UNKNOWN)
            return threads;
        pieces += (double)(tensor_bytes(&input->tensors[t]) + TENSOR_BYTES) *
                  cost_of(work, &input->tensors[t]) / COPY_BYTES;
    }
    return pieces < threads ? (unsigned)pieces : threads;
}

/* Without work for a thread that did not start, the ones there are do it all. */
static void run_all(struct thread *all, unsigned count)
{
    unsigned started = 1;
    if (count == 1) {
        work(&all[0]);
        return;
    }
    place_threads(all, count);
    for (; started < count; started++)
        if (pthread_create(&all[started].id, NULL, run_thread, &all[started]) != 0)
            break;
    cpu_set_t before;
    pthread_getaffinity_np(pthread_self(), sizeof before, &before);
    run_thread(&all[0]);
    pthread_setaffinity_np(pthread_self(), sizeof before, &before);
    for (unsigned t = 1; t < started; t++)
        pthread_join(all[t].id, NULL);
}

bool schedule_run(struct input *input, unsigned threads, const struct schedule_work *what,
                  struct schedule_failures *failures, struct error *error)
{
    struct shared shared = {.input = input,
                            .work = what,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .changed = PTHREAD_COND_INITIALIZER};
    for (size_t t = 0; t < input->tensor_count; t++)
        shared.bytes_left += tensor_bytes(&input->tensors[t]);
    unsigned count = shared.threads = schedule_useful_threads(input, threads, what);
    struct thread *all = allocate(count, sizeof *all);
    for (unsigned t = 0; t < count; t++) {
        all[t].shared = &shared;
        all[t].number = t;
    }
    run_all(all, count);
    free(all);
    while (shared.first_open) { /* it was stopped */
        struct open_tensor *open = shared.first_open;
        unlink_tensor(&shared, open);
        close_tensor(&shared, open, 0);
    }
    pthread_cond_destroy(&shared.changed);
    pthread_mutex_destroy(&shared.lock);
    *failures = (struct schedule_failures){shared.failures, shared.failed};
    if (shared.failures)
        *error = shared.error;
    return shared.failures == 0;
}
