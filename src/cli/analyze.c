#include "cli/analyze.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/random.h"
#include "cli/chunks.h"
#include "cli/npy_write.h"
#include "exact/reference.h"
#include "exact/reference_update.h"
#include "kernel/scale.h"
#include "report/verify.h"
#include "tally/tally.h"

/* What the threads of one tensor share, and one of them. */
struct job {
    const struct options *options;
    struct decoder decoder;
    struct plan *plans;
    struct reference **references; /* NULL without --reference, as are the next */
    struct reference_input *reference_input;
    struct reference_update **reference_updates; /* NULL without updates, too */
    struct update_source updates;
    struct file *write;   /* NULL without --write */
    uint64_t write_start; /* of the codes in the file */
};

struct worker {
    struct job *job;
    struct tally *tally;
    void *updates;        /* room for those of a piece, NULL without */
    unsigned char *codes; /* CODES_BYTES of them, where codes are written */
    uint64_t first;       /* of the chunk */
    double most_positive, most_negative;
};

/* Decoded numbers. */
struct numbers {
    double x[UPDATES_AT_ONCE];
    size_t n;
};

static void note_numbers(void *context, const double *x, size_t n)
{
    struct numbers *numbers = context;
    memcpy(numbers->x + numbers->n, x, n * sizeof *x);
    numbers->n += n;
}

/* A piece whose updates, as they are in their file, are in worker->updates. */
static void referee_updates(struct worker *worker, const char *elements, size_t n, uint64_t first)
{
    const struct job *job = worker->job;
    const struct kernel *kernel = job->options->kernel;
    struct numbers *x = allocate(1, sizeof *x), *g = allocate(1, sizeof *g);
    kernel_decode(kernel, &job->decoder, elements, n, note_numbers, x);
    if (job->updates.file)
        kernel_decode(kernel, &job->updates.decoder, worker->updates, n, note_numbers, g);
    while (g->n < n)
        g->x[g->n++] = job->updates.value;
    for (size_t c = 0; c < job->options->cast_count; c++)
        reference_update_add(job->reference_updates[c], x->x, g->x, n, first);
    free(x);
    free(g);
}

static void referee(void *context, const double *x, size_t n)
{
    struct worker *worker = context;
    reference_input_add(worker->job->reference_input, x, n);
    for (size_t c = 0; c < worker->job->options->cast_count; c++)
        reference_add(worker->job->references[c], x, n, worker->first);
    worker->first += n;
}

/* The input is what messages are about by default: name the output. */
static bool output_failed(const struct job *job, const struct error *why, struct error *error)
{
    if (!*why->text) /* a closed pipe */
        return fail(error, "%s", "");
    const char *path = job->write->path;
    return fail(error, "%s: %s", file_is_standard_output(path) ? "standard output" : path,
                why->text);
}

/* A chunk's codes in pieces: of one-byte elements they take up to four times the room. */
enum { CODES_BYTES = 64 << 10 };

static bool write_codes(struct worker *worker, const struct chunk *chunk, struct error *error)
{
    struct job *job = worker->job;
    const struct cast *cast = &job->plans[0].cast;
    const char *elements = chunk->elements;
    size_t code_bytes = (size_t)cast->format.code_bytes, most = CODES_BYTES / code_bytes;
    if (!worker->codes)
        worker->codes = allocate(1, CODES_BYTES);
    for (size_t done = 0; done < chunk->n; done += most) {
        size_t n = chunk->n - done < most ? chunk->n - done : most;
        uint64_t first = chunk->first + done;
        kernel_encode(job->options->kernel, &job->decoder,
                      elements + done * (size_t)job->decoder.dtype.bytes, n, first, cast,
                      worker->codes);
        struct error why;
        bool written = job->write->seekable
                           ? file_write_at(job->write, job->write_start + first * code_bytes,
                                           worker->codes, n * code_bytes, &why)
                           : file_write(job->write, worker->codes, n * code_bytes, &why);
        if (!written)
            return output_failed(job, &why, error);
    }
    return true;
}

/* A piece that stays near while it is measured twice. */
static bool measure_piece(struct worker *worker, const char *elements, size_t n, uint64_t first,
                          struct error *error)
{
    struct job *job = worker->job;
    struct tally *tally = worker->tally;
    const struct kernel *kernel = job->options->kernel;
    kernel_measure(kernel, &job->decoder, elements, n, first, &tally->input, job->plans,
                   tally->casts, tally->cast_count);
    if (!tally->updates)
        return true;
    if (!update_source_measure(&job->updates, kernel, &job->decoder, elements, n, first, job->plans,
                               worker->updates, tally, error))
        return false;
    if (job->reference_updates)
        referee_updates(worker, elements, n, first);
    return true;
}

static bool measure_chunk(void *context, const struct chunk *chunk, struct error *error)
{
    struct worker *worker = context;
    struct job *job = worker->job;
    size_t bytes = (size_t)job->decoder.dtype.bytes;
    size_t most = worker->tally->updates ? UPDATES_AT_ONCE : chunk->n;
    for (size_t done = 0; done < chunk->n; done += most) {
        size_t n = chunk->n - done < most ? chunk->n - done : most;
        if (!measure_piece(worker, (const char *)chunk->elements + done * bytes, n,
                           chunk->first + done, error))
            return false;
    }
    if (job->references) {
        worker->first = chunk->first;
        kernel_decode(job->options->kernel, &job->decoder, chunk->elements, chunk->n, referee,
                      worker);
    }
    return !job->write || write_codes(worker, chunk, error);
}

static void find_extremes(void *context, const double *x, size_t n)
{
    struct worker *worker = context;
    for (size_t i = 0; i < n; i++) {
        bool finite = x[i] - x[i] == 0;
        if (finite && x[i] > worker->most_positive)
            worker->most_positive = x[i];
        if (finite && x[i] < worker->most_negative)
            worker->most_negative = x[i];
    }
}

static bool extremes_of_chunk(void *context, const struct chunk *chunk, struct error *error)
{
    struct worker *worker = context;
    (void)error;
    kernel_decode(worker->job->options->kernel, &worker->job->decoder, chunk->elements, chunk->n,
                  find_extremes, worker);
    return true;
}

/* --scale amax: a pass of its own, before the casts are known. */
static bool scale_to_amax(struct input *input, struct tensor *tensor, unsigned threads,
                          void **workers, struct cast *casts, size_t cast_count,
                          struct error *error)
{
    if (!input->seekable)
        return fail(error, "--scale amax reads twice and needs a file, not a pipe");
    if (!chunks_each(input, tensor, threads, COST_PLAIN, extremes_of_chunk, workers, error))
        return false;
    double most_positive = 0, most_negative = 0;
    for (unsigned t = 0; t < threads; t++) {
        const struct worker *worker = workers[t];
        if (worker->most_positive > most_positive)
            most_positive = worker->most_positive;
        if (worker->most_negative < most_negative)
            most_negative = worker->most_negative;
    }
    for (size_t c = 0; c < cast_count; c++)
        casts[c].scale = scale_without_overflow(&casts[c], most_positive, most_negative);
    return true;
}

/* Where the codes start; a header whose shape is not known yet is written at the end. */
enum { HEADER_RESERVE = 128 };

static bool start_writing(struct job *job, const struct tensor *tensor, struct error *error)
{
    bool bare = wants_bare_codes(job->write->path);
    if (bare)
        return true;
    if (!npy_can_hold(tensor, error))
        return false;
    if (tensor->elements == ELEMENTS_UNKNOWN && !job->write->seekable)
        return fail(error, "a .npy header comes first and needs the shape: give it in --raw");
    if (tensor->elements == ELEMENTS_UNKNOWN) {
        job->write_start = HEADER_RESERVE;
        return true;
    }
    struct buffer header = {0};
    npy_header(tensor, &job->plans[0].cast.format, 0, &header);
    job->write_start = header.length;
    bool written = file_write(job->write, header.data, header.length, error);
    buffer_free(&header);
    return written;
}

static bool finish_writing(struct job *job, const struct tensor *tensor, struct error *error)
{
    if (!job->write->seekable || wants_bare_codes(job->write->path))
        return true;
    struct buffer header = {0};
    npy_header(tensor, &job->plans[0].cast.format, job->write_start, &header);
    bool written = file_write_at(job->write, 0, header.data, header.length, error);
    buffer_free(&header);
    return written;
}

static unsigned cost_of(const struct options *options)
{
    return options->update_plan.steps ? COST_STEPS : COST_PLAIN;
}

static bool measure(struct job *job, struct input *input, struct tensor *tensor, unsigned threads,
                    void **workers, struct error *error)
{
    struct error why;
    if (job->write && !start_writing(job, tensor, &why))
        return output_failed(job, &why, error);
    if (!chunks_each(input, tensor, threads, cost_of(job->options), measure_chunk, workers,
                     error) ||
        !input_finish(input, error) || !update_source_finish(&job->updates, error))
        return false;
    if (job->write && !finish_writing(job, tensor, &why))
        return output_failed(job, &why, error);
    return true;
}

/* Ends the references; where a tensor was measured, compares. */
static bool end_references(struct job *job, const struct report_tensor *tensor, struct error *error)
{
    if (!job->references)
        return true;
    struct reference_input_figures input = reference_input_finish(job->reference_input);
    bool agreed = !tensor || report_verify_input(tensor->figures, &input, error);
    reference_input_figures_free(&input);
    for (size_t c = 0; c < job->options->cast_count; c++) {
        struct reference_figures figures = reference_finish(job->references[c]);
        struct reference_update_figures updates, *has_updates = NULL;
        if (job->reference_updates) {
            updates = reference_update_finish(job->reference_updates[c]);
            has_updates = &updates;
        }
        agreed = agreed && (!tensor || report_verify(&tensor->figures->casts[c], &figures,
                                                     has_updates, error));
        reference_figures_free(&figures);
    }
    free(job->references);
    free(job->reference_updates);
    return agreed;
}

static void **make_workers(struct job *job, unsigned threads)
{
    void **workers = allocate(threads, sizeof *workers);
    for (unsigned t = 0; t < threads; t++) {
        struct worker *worker = allocate(1, sizeof *worker);
        *worker = (struct worker){.job = job,
                                  .tally = tally_new(job->options->cast_count, &job->updates.plan)};
        if (worker->tally->updates)
            worker->updates = allocate(UPDATES_AT_ONCE, sizeof(double));
        workers[t] = worker;
    }
    return workers;
}

static void free_workers(void **workers, unsigned threads)
{
    for (unsigned t = 0; t < threads; t++) {
        struct worker *worker = workers[t];
        tally_free(worker->tally);
        free(worker->codes);
        free(worker->updates);
        free(worker);
    }
    free(workers);
}

/* Threads that the tensor is worth and that memory allows: each has a tally, buffers and a stack.
 */
static unsigned thread_count(const struct analysis *analysis, const struct tensor *tensor)
{
    enum { ALL_THREADS_BYTES = 40 << 20, BUFFERS_AND_STACK = 600 << 10 };
    const struct options *options = analysis->options;
    /* What has to come in order comes through one. */
    if (options->reference || (analysis->write && !analysis->write->seekable))
        return 1;
    size_t each = BUFFERS_AND_STACK + tally_bytes(options->cast_count, &options->update_plan);
    size_t affordable = ALL_THREADS_BYTES / each + 1;
    unsigned threads = chunks_useful_threads(tensor, analysis->threads, cost_of(options));
    return threads < affordable ? threads : (unsigned)affordable;
}

static struct report_tensor *new_tensor(struct report *report, const char *path,
                                        const struct tensor *tensor)
{
    report->tensors =
        reallocate(report->tensors, report->tensor_count + 1, sizeof *report->tensors);
    struct report_tensor *added = &report->tensors[report->tensor_count];
    *added = (struct report_tensor){.file = path, .tensor = *tensor};
    added->tensor.name = copy_string(tensor->name);
    added->tensor.shape = allocate(tensor->rank, sizeof *tensor->shape);
    memcpy(added->tensor.shape, tensor->shape, tensor->rank * sizeof *tensor->shape);
    return added;
}

static void bind_casts(const struct options *options, const struct tensor *tensor,
                       struct cast *casts)
{
    memcpy(casts, options->casts, options->cast_count * sizeof *casts);
    for (size_t c = 0; c < options->cast_count; c++)
        casts[c].key = random_key(options->seed, tensor->name);
}

static void plan_reference_updates(struct job *job, const struct cast *casts, size_t count)
{
    const struct update_plan *plan = &job->updates.plan;
    const struct reference_update_plan wanted = {.average = plan->rule == UPDATE_EMA,
                                                 .scale = plan->scale,
                                                 .beta = plan->beta,
                                                 .steps = plan->steps,
                                                 .sample = plan->sample};
    if (plan->rule == UPDATE_NONE)
        return;
    job->reference_updates = allocate(count, sizeof(struct reference_update *));
    for (size_t c = 0; c < count; c++)
        job->reference_updates[c] = reference_update_new(&casts[c], &wanted);
}

static void plan(struct job *job, const struct cast *casts, size_t count)
{
    job->plans = allocate(count, sizeof *job->plans);
    for (size_t c = 0; c < count; c++)
        job->plans[c] = plan_cast(&casts[c]);
    if (!job->options->reference)
        return;
    job->reference_input = reference_input_new();
    job->references = allocate(count, sizeof(struct reference *));
    for (size_t c = 0; c < count; c++)
        job->references[c] = reference_new(&casts[c]);
    plan_reference_updates(job, casts, count);
}

static void add_to_report(struct analysis *analysis, struct tally *tally, void **workers,
                          unsigned threads, struct report_tensor *tensor, struct cast *bound)
{
    for (unsigned t = 1; t < threads; t++)
        tally_merge(tally, ((struct worker *)workers[t])->tally);
    tensor->figures = report_figures_new(tally, bound);
    total_add(analysis->total, analysis->report, analysis->report->tensor_count, bound, tally);
    analysis->report->tensor_count++;
}

static bool analyze_tensor(struct analysis *analysis, struct input *input, struct tensor *tensor,
                           struct error *error)
{
    struct update_source updates;
    if (!updates_match(analysis->options, &analysis->updates, tensor, input->tensor_count, &updates,
                       error))
        return false;
    const struct options *options = analysis->options;
    unsigned threads = thread_count(analysis, tensor);
    struct job job = {.options = options, .write = analysis->write, .updates = updates};
    job.decoder = decoder_open(options->kernel, &tensor->dtype, tensor->big_endian);
    void **workers = make_workers(&job, threads);
    struct cast *casts = allocate(options->cast_count, sizeof *casts);
    bind_casts(options, tensor, casts);

    bool done = options->scaling != SCALING_AMAX ||
                scale_to_amax(input, tensor, threads, workers, casts, options->cast_count, error);
    if (done) {
        plan(&job, casts, options->cast_count);
        done = measure(&job, input, tensor, threads, workers, error);
    }
    if (done) {
        struct report_tensor *added = new_tensor(analysis->report, input->path, tensor);
        add_to_report(analysis, ((struct worker *)workers[0])->tally, workers, threads, added,
                      casts);
        done = end_references(&job, added, error);
        report_pack(analysis->report, added);
    } else {
        free(casts);
        end_references(&job, NULL, error);
    }
    free(job.plans);
    free_workers(workers, threads);
    decoder_close(&job.decoder);
    update_source_close(&job.updates);
    return done;
}

static void note_skipped(struct report *report, const struct input *input)
{
    report->skipped = reallocate(report->skipped, report->skipped_count + input->skipped_count,
                                 sizeof *report->skipped);
    for (size_t s = 0; s < input->skipped_count; s++) {
        struct report_skipped *skipped = &report->skipped[report->skipped_count++];
        *skipped = (struct report_skipped){.file = input->path, .skipped = input->skipped[s]};
        skipped->skipped.name = copy_string(input->skipped[s].name);
        skipped->skipped.reason = copy_string(input->skipped[s].reason);
    }
}

bool analyze_file(struct analysis *analysis, const char *path, char *warning, struct error *error)
{
    const struct options *options = analysis->options;
    struct input_options how = {.raw = options->has_raw ? &options->raw : NULL,
                                .view = options->has_view ? &options->view : NULL};
    struct input input;
    if (!input_open(path, &how, &input, error))
        return false;
    note_skipped(analysis->report, &input);
    bool done = true;
    for (size_t t = 0; done && t < input.tensor_count; t++) {
        if (analysis->write && analysis->written)
            done = fail(error, "--write takes one tensor, and there are more");
        else
            done = analyze_tensor(analysis, &input, &input.tensors[t], error);
        analysis->written = true;
    }
    snprintf(warning, sizeof input.warning, "%s", input.warning);
    input_close(&input);
    return done;
}
