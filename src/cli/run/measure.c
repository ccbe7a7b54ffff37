#include "cli/run/measure.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/random.h"
#include "cli/run/referee.h"
#include "cli/stream.h"
#include "exact/figure.h"
#include "kernel/scale.h"
#include "tally/tally.h"

/* One thread. */
struct worker {
    struct tally *tally;  /* of the job it is at; NULL while it has nothing of one */
    void *updates;        /* room for those of a piece, made when needed, as is */
    unsigned char *codes; /* CODES_BYTES of them */
    struct total *total;  /* of the tensors that it was the last at */
};

/* The largest elements of a tensor on either side of 0. */
struct extremes {
    double most_positive, most_negative;
    bool whole; /* of all elements */
};

/* What the threads share. */
struct measurement {
    struct analysis *analysis;
    const struct options *options;
    struct input *input;
    struct worker *workers;
    unsigned worker_count;
    size_t first; /* of the input's tensors in the report */
    bool *measured;
    struct stream *stream;     /* NULL for none */
    size_t next;               /* after the last tensor that was begun */
    struct extremes *extremes; /* one a tensor, where scales depend on them, */
    struct error unscaled;     /* and what is wrong with the first that is not whole */
    struct plan *plans;        /* those of each format, where they do not */
    pthread_mutex_t lock;      /* of the following */
    struct tally **spare;      /* tallies that are empty */
    size_t spare_count;
};

/* One tensor. */
struct job {
    size_t index;
    struct tensor *tensor;
    struct decoder decoder;
    struct cast *casts;
    struct plan *plans;
    struct encoder encoder; /* where codes are written */
    struct update_source updates;
    struct referee *referee; /* NULL without --reference */
    pthread_mutex_t lock;    /* of the tally */
    struct tally *tally;     /* what the threads that left brought; NULL before */
};

/* Tallies are large, and most of one is zero: they are used again. */

static struct tally *take_tally(struct measurement *m, const struct update_plan *plan)
{
    struct tally *tally = NULL;
    pthread_mutex_lock(&m->lock);
    if (m->spare_count)
        tally = m->spare[--m->spare_count];
    pthread_mutex_unlock(&m->lock);
    if (!tally)
        tally = tally_new(m->options->cast_count, plan);
    tally->plan = *plan;
    return tally;
}

static void give_back_tally(struct measurement *m, struct tally *tally)
{
    tally_clear(tally);
    pthread_mutex_lock(&m->lock);
    m->spare = room_for_one(m->spare, m->spare_count, sizeof(struct tally *));
    m->spare[m->spare_count++] = tally;
    pthread_mutex_unlock(&m->lock);
}

/* A chunk's codes in pieces: of one-byte elements they take up to four times the room. */
enum { CODES_BYTES = 64 << 10 };

static bool write_codes(struct measurement *m, struct job *job, struct worker *worker,
                        const struct chunk *chunk, struct error *error)
{
    const char *elements = chunk->elements;
    size_t code_bytes = (size_t)job->casts[0].format.code_bytes, most = CODES_BYTES / code_bytes;
    if (!worker->codes)
        worker->codes = allocate(1, CODES_BYTES);
    for (size_t done = 0; done < chunk->n; done += most) {
        size_t n = chunk->n - done < most ? chunk->n - done : most;
        uint64_t first = chunk->first + done;
        kernel_encode(m->options->kernel, &job->decoder,
                      elements + done * (size_t)job->decoder.dtype.bytes, n, first, &job->encoder,
                      worker->codes);
        if (!writer_codes(m->analysis->writer, job->index, first, worker->codes, n * code_bytes,
                          error))
            return false;
    }
    return true;
}

/* A piece that stays near while it is measured twice. */
static bool measure_piece(struct measurement *m, struct job *job, struct worker *worker,
                          const char *elements, size_t n, uint64_t first, struct error *error)
{
    struct tally *tally = worker->tally;
    const struct kernel *kernel = m->options->kernel;
    kernel_measure(kernel, &job->decoder, elements, n, first, &tally->input, job->plans,
                   tally->casts, tally->cast_count);
    if (tally->updates) {
        if (!worker->updates)
            worker->updates = allocate(UPDATES_AT_ONCE, sizeof(double));
        if (!update_source_measure(&job->updates, kernel, &job->decoder, elements, n, first,
                                   job->plans, worker->updates, tally, error))
            return false;
    }
    if (job->referee)
        referee_add(job->referee, elements, job->updates.file ? worker->updates : NULL, n, first);
    return true;
}

static bool measure_chunk(void *context, void *of, unsigned thread, const struct chunk *chunk,
                          struct error *error)
{
    struct measurement *m = context;
    struct job *job = of;
    struct worker *worker = &m->workers[thread];
    if (!worker->tally)
        worker->tally = take_tally(m, &job->updates.plan);
    size_t bytes = (size_t)job->decoder.dtype.bytes;
    size_t most = worker->tally->updates || job->referee ? UPDATES_AT_ONCE : chunk->n;
    for (size_t done = 0; done < chunk->n; done += most) {
        size_t n = chunk->n - done < most ? chunk->n - done : most;
        if (!measure_piece(m, job, worker, (const char *)chunk->elements + done * bytes, n,
                           chunk->first + done, error))
            return false;
    }
    return !m->analysis->writer || write_codes(m, job, worker, chunk, error);
}

/* The first to leave leaves its tally, the others add theirs. */
static void leave_tensor(void *context, void *of, unsigned thread)
{
    struct measurement *m = context;
    struct job *job = of;
    struct tally *tally = m->workers[thread].tally;
    m->workers[thread].tally = NULL;
    if (!tally)
        return;
    pthread_mutex_lock(&job->lock);
    bool first = !job->tally;
    if (first)
        job->tally = tally;
    else
        tally_merge(job->tally, tally);
    pthread_mutex_unlock(&job->lock);
    if (!first)
        give_back_tally(m, tally);
}

static int scale_of(const struct measurement *m, size_t t, size_t c)
{
    const struct cast *cast = &m->options->casts[c];
    const struct extremes *extremes = m->extremes ? &m->extremes[t] : NULL;
    return extremes ? scale_without_overflow(cast, extremes->most_positive, extremes->most_negative)
                    : cast->scale;
}

static struct cast *bind_casts(const struct measurement *m, size_t t)
{
    const struct options *options = m->options;
    struct cast *casts = allocate(options->cast_count, sizeof *casts);
    memcpy(casts, options->casts, options->cast_count * sizeof *casts);
    for (size_t c = 0; c < options->cast_count; c++) {
        casts[c].key = random_key(options->seed, m->input->tensors[t].name);
        casts[c].scale = scale_of(m, t, c);
    }
    return casts;
}

static bool begin_tensor(void *context, size_t t, void **made, struct error *error)
{
    struct measurement *m = context;
    const struct options *options = m->options;
    struct tensor *tensor = &m->input->tensors[t];
    struct update_source updates;
    for (; m->next < t; m->next++) /* what could not be opened, or begun */
        stream_settle(m->stream, m->next, false);
    if (m->extremes && !m->extremes[t].whole) {
        *error = m->unscaled; /* of several, what is wrong with the first one is told */
        return false;
    }
    if (m->analysis->writer && !writer_reach(m->analysis->writer, t, error))
        return false;
    if (!updates_match(options, &m->analysis->updates, tensor, &updates, error))
        return false;
    m->next = t + 1;
    struct job *job = *made = allocate(1, sizeof *job);
    *job =
        (struct job){.index = t,
                     .tensor = tensor,
                     .updates = updates,
                     .decoder = decoder_open(options->kernel, &tensor->dtype, tensor->big_endian),
                     .casts = bind_casts(m, t),
                     .lock = PTHREAD_MUTEX_INITIALIZER};
    job->plans = allocate(options->cast_count, sizeof *job->plans);
    for (size_t c = 0; c < options->cast_count; c++) {
        job->plans[c] = m->extremes ? plan_cast(&job->casts[c]) : m->plans[c];
        job->plans[c].cast = job->casts[c];
    }
    if (m->analysis->writer)
        job->encoder = encoder_open(&job->plans[0]);
    if (options->reference)
        job->referee = referee_new(options, &job->decoder, &job->updates, job->casts);
    return true;
}

static void free_job(struct job *job)
{
    referee_free(job->referee);
    update_source_close(&job->updates);
    decoder_close(&job->decoder);
    pthread_mutex_destroy(&job->lock);
    free(job->casts);
    free(job->plans);
    free(job);
}

/* The figures of a tensor are worked out by the thread that leaves it last. */
static bool report_tensor(struct measurement *m, struct job *job, struct total *total,
                          struct error *error)
{
    struct analysis *analysis = m->analysis;
    struct report_tensor *into = &analysis->report->tensors[m->first + job->index];
    if (!job->tally) /* without elements */
        job->tally = take_tally(m, &job->updates.plan);
    into->tensor = *job->tensor; /* its length may not have been known before */
    into->figures = report_figures_new(job->tally, job->casts);
    total_add(total, analysis->report, m->first + job->index, job->casts, job->tally);
    job->casts = NULL; /* they are the figures' */
    bool agreed = !job->referee || referee_agrees(job->referee, into->figures, error);
    report_pack(analysis->report, into);
    m->measured[job->index] = true;
    return agreed;
}

static bool end_tensor(void *context, void *of, unsigned thread, bool done, struct error *error)
{
    struct measurement *m = context;
    struct job *job = of;
    bool ok = done && update_source_finish(&job->updates, error) &&
              report_tensor(m, job, m->workers[thread].total, error);
    if (job->tally)
        give_back_tally(m, job->tally);
    stream_settle(m->stream, job->index, m->measured[job->index]);
    free_job(job);
    return ok;
}

static void note_progress(void *context, uint64_t bytes)
{
    struct measurement *m = context;
    progress_add(m->analysis->progress, bytes);
}

/* --scale amax: a pass of its own, before the casts are known. */

struct extremes_job {
    struct decoder decoder;
    struct extremes *extremes;
};

static void find_extremes(void *context, const double *x, size_t n)
{
    struct extremes *extremes = context;
    for (size_t i = 0; i < n; i++) {
        bool finite = x[i] - x[i] == 0;
        if (finite && x[i] > extremes->most_positive)
            extremes->most_positive = x[i];
        if (finite && x[i] < extremes->most_negative)
            extremes->most_negative = x[i];
    }
}

static bool begin_extremes(void *context, size_t t, void **made, struct error *error)
{
    struct measurement *m = context;
    const struct tensor *tensor = &m->input->tensors[t];
    struct extremes_job *job = *made = allocate(1, sizeof *job);
    (void)error;
    job->decoder = decoder_open(m->options->kernel, &tensor->dtype, tensor->big_endian);
    job->extremes = &m->extremes[t];
    return true;
}

static bool extremes_of_chunk(void *context, void *of, unsigned thread, const struct chunk *chunk,
                              struct error *error)
{
    struct measurement *m = context;
    struct extremes_job *job = of;
    struct extremes found = {0};
    (void)thread;
    (void)error;
    kernel_decode(m->options->kernel, &job->decoder, chunk->elements, chunk->n, find_extremes,
                  &found);
    pthread_mutex_lock(&m->lock);
    find_extremes(job->extremes, &found.most_positive, 1);
    find_extremes(job->extremes, &found.most_negative, 1);
    pthread_mutex_unlock(&m->lock);
    return true;
}

static bool end_extremes(void *context, void *of, unsigned thread, bool done, struct error *error)
{
    struct extremes_job *job = of;
    (void)context;
    (void)thread;
    (void)error;
    job->extremes->whole = done;
    decoder_close(&job->decoder);
    free(job);
    return done;
}

/* Steps with a remedy are all taken, on each k-th element. */
static unsigned cost_of_tensor(const void *context, const struct tensor *tensor)
{
    enum { COST_STEPS = 64 };
    const struct measurement *m = context;
    uint64_t steps = m->options->update_plan.steps;
    if (!steps)
        return COST_PLAIN;
    steps /= updates_sample(tensor->elements, steps);
    return steps < COST_STEPS ? COST_STEPS : steps < COST_MOST ? (unsigned)steps : COST_MOST;
}

static const struct schedule_work find_scales = {.begin = begin_extremes,
                                                 .chunk = extremes_of_chunk,
                                                 .end = end_extremes,
                                                 .progress = note_progress};

static const struct schedule_work measure_tensors = {.cost = cost_of_tensor,
                                                     .begin = begin_tensor,
                                                     .chunk = measure_chunk,
                                                     .leave = leave_tensor,
                                                     .end = end_tensor,
                                                     .depart = exact_leave_thread,
                                                     .progress = note_progress};

/* The K of each tensor: before it is cast, headers may have to tell. */
static bool begin_writing(struct measurement *m, struct error *error)
{
    size_t count = m->input->tensor_count;
    int *scales = m->extremes ? allocate(count, sizeof *scales) : NULL;
    for (size_t t = 0; scales && t < count; t++)
        scales[t] = scale_of(m, t, 0);
    bool begun = writer_begin(m->analysis->writer, m->input, scales, error);
    free(scales);
    return begun;
}

/* Names the tensor where the file has more than one, and counts the others. */
static bool fail_tensors(const struct input *input, const struct schedule_failures *failures,
                         const struct error *why, struct error *error)
{
    size_t others = failures->count - 1;
    struct error first;
    fail_tensor(input->tensors[failures->first].name, why, &first);
    if (!others || error_is_silent(&first)) {
        *error = first;
        return false;
    }
    return fail(error, "%.440s (and %zu more tensor%s)", first.text, others,
                others == 1 ? "" : "s");
}

/* What is broken is left to the next pass to tell. */
static void find_extremes_of_all(struct measurement *m)
{
    struct schedule_work work = find_scales;
    struct schedule_failures failures;
    m->extremes = allocate(m->input->tensor_count, sizeof *m->extremes);
    work.context = m;
    schedule_run(m->input, m->worker_count, &work, &failures, &m->unscaled);
}

static bool measure_tensors_of(struct measurement *m, struct error *error)
{
    struct schedule_work work = measure_tensors;
    struct schedule_failures failures;
    struct error why;
    work.context = m;
    return schedule_run(m->input, m->worker_count, &work, &failures, &why) ||
           fail_tensors(m->input, &failures, &why, error);
}

/* Threads that the input is worth and that memory allows: each has a tally and a total, another
 * tally is on its way, and there are buffers and a stack. */
static unsigned thread_count(struct measurement *m)
{
    enum { ALL_THREADS_BYTES = 40 << 20, BUFFERS_AND_STACK = 600 << 10 };
    const struct analysis *analysis = m->analysis;
    const struct options *options = m->options;
    struct schedule_work work = measure_tensors;
    work.context = m;
    /* What has to come in order comes through one. */
    if (options->reference || (analysis->writer && writer_in_order(analysis->writer)))
        return 1;
    size_t each = BUFFERS_AND_STACK + 3 * tally_bytes(options->cast_count, &options->update_plan);
    size_t affordable = ALL_THREADS_BYTES / each + 1;
    unsigned threads = schedule_useful_threads(m->input, analysis->threads, &work);
    return threads < affordable ? threads : (unsigned)affordable;
}

/* Room in the report, in the order of the file whichever is measured first. */
static void make_room(struct measurement *m)
{
    struct report *report = m->analysis->report;
    size_t count = m->input->tensor_count;
    m->first = report->tensor_count;
    m->measured = allocate(count, sizeof *m->measured);
    report->tensors = reallocate(report->tensors, m->first + count, sizeof *report->tensors);
    for (size_t t = 0; t < count; t++)
        report->tensors[m->first + t] =
            (struct report_tensor){.file = m->input->path, .tensor = m->input->tensors[t]};
}

/* What was measured is the report's from now on; the others leave no gap. */
static void hand_over(struct measurement *m)
{
    struct report *report = m->analysis->report;
    for (size_t t = 0; t < m->input->tensor_count; t++) {
        if (!m->measured[t])
            continue;
        report->tensors[report->tensor_count] = report->tensors[m->first + t];
        total_moved(m->analysis->total, m->first + t, report->tensor_count);
        report->tensor_count++;
        m->input->tensors[t] = (struct tensor){0};
    }
    free(m->measured);
}

static void make_workers(struct measurement *m)
{
    const struct options *options = m->options;
    m->workers = allocate(m->worker_count, sizeof *m->workers);
    for (unsigned t = 0; t < m->worker_count; t++)
        m->workers[t].total = total_new(options->cast_count, &options->update_plan);
    m->plans = allocate(options->cast_count, sizeof *m->plans);
    for (size_t c = 0; c < options->cast_count; c++)
        m->plans[c] = plan_cast(&options->casts[c]);
}

static void free_workers(struct measurement *m)
{
    for (unsigned t = 0; t < m->worker_count; t++) {
        free(m->workers[t].updates);
        free(m->workers[t].codes);
        total_free(m->workers[t].total);
    }
    for (size_t s = 0; s < m->spare_count; s++)
        tally_free(m->spare[s]);
    free(m->workers);
    free(m->spare);
    free(m->extremes);
    free(m->plans);
    pthread_mutex_destroy(&m->lock);
}

static bool measure_all(struct measurement *m, struct error *error)
{
    struct writer *writer = m->analysis->writer;
    if (m->options->scaling == SCALING_AMAX) {
        if (!m->input->seekable)
            return fail(error, "--scale amax reads twice and needs a file, not a pipe");
        find_extremes_of_all(m);
    }
    return (!writer || begin_writing(m, error)) && measure_tensors_of(m, error) &&
           (!writer || writer_end(writer, error)) && input_finish(m->input, error) &&
           updates_finish(&m->analysis->updates, error);
}

/* What is skipped moves to the report, which has no use for its data. */
static void note_skipped(struct report *report, struct input *input)
{
    report->skipped = reallocate(report->skipped, report->skipped_count + input->skipped_count,
                                 sizeof *report->skipped);
    for (size_t s = 0; s < input->skipped_count; s++) {
        struct skipped *skipped = &input->skipped[s];
        skipped_free_data(skipped);
        report->skipped[report->skipped_count++] =
            (struct report_skipped){.file = input->path, .skipped = *skipped};
    }
    input->skipped_count = 0;
}

bool measure_input(void *context, struct input *input, bool single, struct error *error)
{
    struct analysis *analysis = context;
    analysis->updates.for_single = single;
    struct measurement m = {.analysis = analysis,
                            .options = analysis->options,
                            .input = input,
                            .lock = PTHREAD_MUTEX_INITIALIZER};
    m.worker_count = thread_count(&m);
    make_workers(&m);
    make_room(&m);
    if (analysis->outputs->streaming)
        m.stream = stream_start(analysis->outputs, analysis->report, m.first, input->tensor_count);
    bool done = measure_all(&m, error);
    stream_stop(m.stream);
    for (unsigned t = 0; t < m.worker_count; t++)
        total_merge(analysis->total, analysis->report, m.workers[t].total);
    hand_over(&m);
    free_workers(&m);
    note_skipped(analysis->report, input);
    if (analysis->outputs->streaming)
        outputs_catch_up(analysis->outputs, analysis->report);
    return done;
}
