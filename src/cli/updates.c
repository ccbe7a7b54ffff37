#include "cli/updates.h"

#include <inttypes.h>
#include <string.h>

#include "base/random.h"

bool updates_open(const struct options *options, struct updates *updates, struct error *error)
{
    *updates = (struct updates){0};
    if (!options->update || options->update_is_number)
        return true;
    struct input_options how = {0};
    struct error why;
    bool opened = input_open(options->update, &how, &updates->input, &why);
    if (!opened && options->has_raw) {
        how.raw = &options->raw;
        opened = input_open(options->update, &how, &updates->input, &why);
    }
    if (!opened)
        return fail(error, "%s", why.text);
    updates->from_file = true;
    if (updates->input.seekable)
        return true;
    updates_close(updates);
    return fail(error, "updates are read beside the tensors and need a file, not a pipe");
}

void updates_close(struct updates *updates)
{
    if (updates->from_file)
        input_close(&updates->input);
    updates->from_file = false;
}

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

static bool find_updates(struct updates *updates, const struct tensor *tensor, size_t tensors,
                         struct tensor **found, struct error *error)
{
    struct input *input = &updates->input;
    bool single = tensors == 1 && input->tensor_count == 1;
    *found = NULL;
    for (size_t t = 0; t < input->tensor_count; t++)
        if (single || strcmp(input->tensors[t].name, tensor->name) == 0)
            *found = &input->tensors[t];
    if (!*found)
        return fail(error, "--update: %s has no floating-point tensor for this one", input->path);
    if (tensor->elements == ELEMENTS_UNKNOWN || (*found)->elements == ELEMENTS_UNKNOWN)
        return fail(error,
                    "--update: a file of updates needs the shape of the data: give it in --raw");
    if (!same_shape(*found, tensor))
        return fail(error, "--update: %s has another shape", input->path);
    if ((*found)->fortran != tensor->fortran && tensor->rank > 1)
        return fail(error, "--update: %s is stored in another order (fortran_order)", input->path);
    return true;
}

/* REPORT.md: beyond so many element-steps the costly remedies are tried on some elements only. */
static uint64_t sample_for(uint64_t elements, uint64_t steps)
{
    const unsigned __int128 most = (unsigned __int128)1 << 34;
    unsigned __int128 wanted = (unsigned __int128)elements * steps;
    return wanted > most ? (uint64_t)((wanted + most - 1) / most) : 1;
}

bool updates_match(const struct options *options, struct updates *updates,
                   const struct tensor *tensor, size_t tensors, struct update_source *source,
                   struct error *error)
{
    *source = (struct update_source){.plan = options->update_plan, .value = options->update_value};
    source->plan.seed_key = random_key(options->seed, tensor->name);
    if (source->plan.steps && tensor->elements == ELEMENTS_UNKNOWN)
        return fail(error, "--steps needs the shape of the data: give it in --raw");
    source->plan.sample = sample_for(tensor->elements, source->plan.steps);
    if (!updates->from_file)
        return true;
    if (!find_updates(updates, tensor, tensors, &source->tensor, error))
        return false;
    source->file = updates;
    source->decoder =
        decoder_open(options->kernel, &source->tensor->dtype, source->tensor->big_endian);
    return true;
}

void update_source_close(struct update_source *source)
{
    if (source->file)
        decoder_close(&source->decoder);
    source->file = NULL;
}

static void copy_numbers(void *context, const double *x, size_t n)
{
    memcpy(context, x, n * sizeof *x);
}

static bool read_updates(const struct update_source *source, const struct kernel *kernel,
                         uint64_t first, size_t n, double *g, struct error *error)
{
    unsigned char bytes[BLOCK * sizeof(double)];
    size_t each = (size_t)source->tensor->dtype.bytes;
    struct error why;
    if (!input_read(&source->file->input, source->tensor->offset + first * each, bytes, n * each,
                    &why))
        return fail(error, "--update: %s: %s", source->file->input.path, why.text);
    kernel_decode(kernel, &source->decoder, bytes, n, copy_numbers, g);
    return true;
}

bool update_source_measure(const struct update_source *source, const struct kernel *kernel,
                           const struct plan *plans, const double *x, size_t n, uint64_t first,
                           struct tally *tally, struct error *error)
{
    double g[BLOCK];
    if (source->file) {
        if (!read_updates(source, kernel, first, n, g, error))
            return false;
    } else {
        for (size_t i = 0; i < n; i++)
            g[i] = source->value;
    }
    for (size_t c = 0; c < tally->cast_count; c++)
        for (size_t i = 0; i < n; i++)
            update_element(&plans[c].cast, &source->plan, x[i], g[i], first + i, &tally->updates[c],
                           tally->steps ? &tally->steps[c] : NULL);
    return true;
}
