#include "cli/run/updates.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

static int by_name(const void *a, const void *b)
{
    const struct tensor *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

static void sort_names(struct updates *updates)
{
    size_t count = updates->input.tensor_count;
    updates->by_name = allocate(count, sizeof(struct tensor *));
    for (size_t t = 0; t < count; t++)
        updates->by_name[t] = &updates->input.tensors[t];
    qsort(updates->by_name, count, sizeof(struct tensor *), by_name);
}

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
    if (!updates->input.seekable) {
        updates_close(updates);
        return fail(error, "updates are read beside the tensors and need a file, not a pipe");
    }
    sort_names(updates);
    return true;
}

void updates_close(struct updates *updates)
{
    if (updates->from_file)
        input_close(&updates->input);
    free(updates->by_name);
    *updates = (struct updates){0};
}

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

/* A single tensor matches a single one, whatever their names. */
static struct tensor *find_tensor(const struct updates *updates, const struct tensor *tensor)
{
    const struct input *input = &updates->input;
    if (updates->for_single && input->tensor_count == 1)
        return &input->tensors[0];
    struct tensor **found =
        bsearch(&tensor, updates->by_name, input->tensor_count, sizeof(struct tensor *), by_name);
    return found ? *found : NULL;
}

/* A complex tensor has one order less than its axes: the components go last. */
static bool same_order(const struct tensor *a, const struct tensor *b)
{
    unsigned a_axes[RANK_LIMIT], b_axes[RANK_LIMIT];
    unsigned count = tensor_axes(a, a_axes);
    return count == tensor_axes(b, b_axes) && memcmp(a_axes, b_axes, count * sizeof *a_axes) == 0;
}

static bool find_updates(struct updates *updates, const struct tensor *tensor,
                         struct tensor **found, struct error *error)
{
    struct input *input = &updates->input;
    *found = find_tensor(updates, tensor);
    if (!*found)
        return fail(error, "--update: %s has no floating-point tensor for this one", input->path);
    if (tensor->elements == ELEMENTS_UNKNOWN || (*found)->elements == ELEMENTS_UNKNOWN)
        return fail(error,
                    "--update: a file of updates needs the shape of the data: give it in --raw");
    if (!same_shape(*found, tensor))
        return fail(error, "--update: %s has another shape", input->path);
    if (!same_order(*found, tensor))
        return fail(error, "--update: %s is stored in another order (fortran_order, strides)",
                    input->path);
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
                   const struct tensor *tensor, struct update_source *source, struct error *error)
{
    *source = (struct update_source){.plan = options->update_plan, .value = options->update_value};
    if (source->plan.steps && tensor->elements == ELEMENTS_UNKNOWN)
        return fail(error, "--steps needs the shape of the data: give it in --raw");
    source->plan.sample = sample_for(tensor->elements, source->plan.steps);
    if (!updates->from_file)
        return true;
    if (!find_updates(updates, tensor, &source->tensor, error))
        return false;
    struct error why;
    if (!elements_open(&updates->input, source->tensor, &source->elements, &why))
        return fail(error, "--update: %s: %s", updates->input.path, why.text);
    if (elements_in_sequence(&source->elements)) {
        elements_close(&source->elements);
        return fail(error, "--update: %s is compressed and cannot be read beside the tensors",
                    updates->input.path);
    }
    source->file = updates;
    source->decoder =
        decoder_open(options->kernel, &source->tensor->dtype, source->tensor->big_endian);
    return true;
}

bool updates_finish(struct updates *updates, struct error *error)
{
    struct error why;
    if (!updates->from_file)
        return true;
    struct input *input = &updates->input;
    char before[sizeof input->warning];
    memcpy(before, input->warning, sizeof before);
    bool unchanged = input_finish(input, &why);
    if (updates->finished) /* warned already */
        memcpy(input->warning, before, sizeof before);
    updates->finished = true;
    return unchanged || fail(error, "--update: %s: %s", input->path, why.text);
}

bool update_source_finish(struct update_source *source, struct error *error)
{
    struct error why;
    return !source->file || elements_finish(&source->elements, &why) ||
           fail(error, "--update: %s: %s", source->file->input.path, why.text);
}

void update_source_close(struct update_source *source)
{
    if (!source->file)
        return;
    elements_close(&source->elements);
    decoder_close(&source->decoder);
    source->file = NULL;
}

bool update_source_measure(struct update_source *source, const struct kernel *kernel,
                           const struct decoder *decoder, const void *elements, size_t n,
                           uint64_t first, const struct plan *plans, void *room,
                           struct tally *tally, struct error *error)
{
    struct update_values values = {.elements = room, .constant = source->value};
    struct error why;
    if (source->file) {
        values.decoder = &source->decoder;
        if (!elements_read(&source->elements, first, n, room, &why))
            return fail(error, "--update: %s: %s", source->file->input.path, why.text);
    }
    kernel_update(kernel, decoder, elements, n, first, &values, &source->plan, plans,
                  tally->updates, tally->steps, tally->cast_count);
    return true;
}
