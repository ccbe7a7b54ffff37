#include "cli/updates.h"

#include <inttypes.h>
#include <string.h>

bool updates_open(const struct options *options, struct updates *updates, struct error *error)
{
    *updates = (struct updates){0};
    if (!options->update || options->update_is_number)
        return true;
    struct input_options how = {.raw = options->has_raw ? &options->raw : NULL,
                                .raw_if_unknown = true};
    if (!input_open(options->update, &how, &updates->input, error))
        return false;
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

bool update_source_finish(const struct update_source *source, struct error *error)
{
    struct error why;
    if (!source->file)
        return true;
    struct input *input = &source->file->input;
    char before[sizeof input->warning];
    memcpy(before, input->warning, sizeof before);
    bool unchanged = input_finish(input, &why);
    if (source->file->finished) /* warned already */
        memcpy(input->warning, before, sizeof before);
    source->file->finished = true;
    return unchanged || fail(error, "--update: %s: %s", input->path, why.text);
}

void update_source_close(struct update_source *source)
{
    if (source->file)
        decoder_close(&source->decoder);
    source->file = NULL;
}

bool update_source_measure(const struct update_source *source, const struct kernel *kernel,
                           const struct decoder *decoder, const void *elements, size_t n,
                           uint64_t first, const struct plan *plans, void *room,
                           struct tally *tally, struct error *error)
{
    struct update_values values = {.elements = room, .constant = source->value};
    struct error why;
    if (source->file) {
        struct input *input = &source->file->input;
        size_t bytes = (size_t)source->tensor->dtype.bytes;
        values.decoder = &source->decoder;
        if (!input_read(input, source->tensor->offset + first * bytes, room, n * bytes, &why))
            return fail(error, "--update: %s: %s", input->path, why.text);
    }
    kernel_update(kernel, decoder, elements, n, first, &values, &source->plan, plans,
                  tally->updates, tally->steps, tally->cast_count);
    return true;
}
