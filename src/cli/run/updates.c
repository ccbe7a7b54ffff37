#include "cli/run/updates.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/message.h"

struct update_tensor {
    struct tensor *tensor;
    struct input *file;
};

bool updates_find(const struct options *options, struct checkpoint *files, struct error *error)
{
    *files = (struct checkpoint){0};
    if (!options->update || options->update_is_number)
        return true;
    if (!options->has_raw)
        return checkpoint_open(options->update, files, error);
    *files = checkpoint_of_file(options->update);
    return true;
}

static bool open_file(const struct options *options, const struct checkpoint *files, size_t index,
                      struct input *input, struct error *error)
{
    struct input_options how = {.raw = options->has_raw ? &options->raw : NULL,
                                .raw_if_unknown = true};
    if (!input_open(files->paths[index], &how, input, error))
        return false;
    bool usable = input->seekable || fail(error, "updates are read beside the tensors and need a "
                                                 "file, not a pipe");
    usable = usable && checkpoint_match(files, index, input, error);
    if (!usable)
        input_close(input);
    return usable;
}

/* Of one name in the order of the files. */
static int compare_tensors(const void *a, const void *b)
{
    const struct update_tensor *left = a, *right = b;
    int order = strcmp(left->tensor->name, right->tensor->name);
    return order ? order : (left->file > right->file) - (left->file < right->file);
}

static void sort_names(struct updates *updates)
{
    size_t count = 0;
    for (size_t f = 0; f < updates->file_count; f++)
        count += updates->files[f].tensor_count;
    updates->by_name = allocate(count, sizeof *updates->by_name);
    for (size_t f = 0; f < updates->file_count; f++)
        for (size_t t = 0; t < updates->files[f].tensor_count; t++)
            updates->by_name[updates->tensor_count++] =
                (struct update_tensor){&updates->files[f].tensors[t], &updates->files[f]};
    if (count)
        qsort(updates->by_name, count, sizeof *updates->by_name, compare_tensors);
}

bool updates_open(const struct options *options, const struct checkpoint *files,
                  struct updates *updates, struct error *error)
{
    *updates = (struct updates){.path = options->update};
    updates->files = allocate(files->count, sizeof *updates->files);
    for (size_t f = 0; f < files->count; f++) {
        struct error why;
        if (!open_file(options, files, f, &updates->files[f], &why)) {
            updates_close(updates);
            return fail(error, "%s: %s", files->paths[f], why.text);
        }
        updates->file_count++;
    }
    sort_names(updates);
    return true;
}

void updates_warn(const struct updates *updates)
{
    for (size_t f = 0; f < updates->file_count; f++)
        if (*updates->files[f].warning)
            message(updates->files[f].path, updates->files[f].warning);
}

void updates_close(struct updates *updates)
{
    for (size_t f = 0; f < updates->file_count; f++)
        input_close(&updates->files[f]);
    free(updates->files);
    free(updates->by_name);
    *updates = (struct updates){0};
}

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

static int compare_name(const void *name, const void *other)
{
    return strcmp(name, ((const struct update_tensor *)other)->tensor->name);
}

/* A single tensor matches a single one, whatever their names. NULL with a message where none does,
 * or several do. */
static const struct update_tensor *find_tensor(const struct updates *updates,
                                               const struct tensor *tensor, struct error *error)
{
    const struct update_tensor *all = updates->by_name, *end = all + updates->tensor_count;
    if (updates->for_single && updates->tensor_count == 1)
        return all;
    const struct update_tensor *found =
        bsearch(tensor->name, all, updates->tensor_count, sizeof *all, compare_name);
    if (!found) {
        fail(error, "--update: %s has no floating-point tensor for this one", updates->path);
        return NULL;
    }
    if (found > all && compare_name(tensor->name, found - 1) == 0)
        found--;
    if (found + 1 < end && compare_name(tensor->name, found + 1) == 0) {
        fail(error, "--update: both %s and %s have a tensor of this name", found[0].file->path,
             found[1].file->path);
        return NULL;
    }
    return found;
}

/* A complex tensor has one order less than its axes: the components go last. */
static bool same_order(const struct tensor *a, const struct tensor *b)
{
    unsigned a_axes[RANK_LIMIT], b_axes[RANK_LIMIT];
    unsigned count = tensor_axes(a, a_axes);
    return count == tensor_axes(b, b_axes) && memcmp(a_axes, b_axes, count * sizeof *a_axes) == 0;
}

static bool check_tensor(const struct update_tensor *found, const struct tensor *tensor,
                         struct error *error)
{
    const char *path = found->file->path;
    if (tensor->elements == ELEMENTS_UNKNOWN || found->tensor->elements == ELEMENTS_UNKNOWN)
        return fail(error,
                    "--update: a file of updates needs the shape of the data: give it in --raw");
    if (!same_shape(found->tensor, tensor))
        return fail(error, "--update: %s has another shape", path);
    if (!same_order(found->tensor, tensor))
        return fail(error, "--update: %s is stored in another order (fortran_order, strides)",
                    path);
    return true;
}

/* REPORT.md: beyond so many element-steps the costly remedies are tried on some elements only. */
uint64_t updates_sample(uint64_t elements, uint64_t steps)
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
    source->plan.sample = updates_sample(tensor->elements, source->plan.steps);
    if (updates->file_count == 0)
        return true;
    const struct update_tensor *found = find_tensor(updates, tensor, error);
    if (!found || !check_tensor(found, tensor, error))
        return false;
    struct error why;
    if (!elements_open(found->file, found->tensor, &source->elements, &why))
        return fail(error, "--update: %s: %s", found->file->path, why.text);
    if (elements_in_sequence(&source->elements)) {
        elements_close(&source->elements);
        return fail(error, "--update: %s is compressed and cannot be read beside the tensors",
                    found->file->path);
    }
    source->file = found->file;
    source->tensor = found->tensor;
    source->decoder =
        decoder_open(options->kernel, &source->tensor->dtype, source->tensor->big_endian);
    return true;
}

static bool finish_file(struct input *input, bool again, struct error *error)
{
    struct error why;
    char before[sizeof input->warning];
    memcpy(before, input->warning, sizeof before);
    bool unchanged = input_finish(input, &why);
    if (again) /* warned already */
        memcpy(input->warning, before, sizeof before);
    return unchanged || fail(error, "--update: %s: %s", input->path, why.text);
}

bool updates_finish(struct updates *updates, struct error *error)
{
    bool again = updates->finished, unchanged = true;
    for (size_t f = 0; unchanged && f < updates->file_count; f++)
        unchanged = finish_file(&updates->files[f], again, error);
    updates->finished = true;
    return unchanged;
}

bool update_source_finish(struct update_source *source, struct error *error)
{
    struct error why;
    return !source->file || elements_finish(&source->elements, &why) ||
           fail(error, "--update: %s: %s", source->file->path, why.text);
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
            return fail(error, "--update: %s: %s", source->file->path, why.text);
    }
    kernel_update(kernel, decoder, elements, n, first, &values, &source->plan, plans,
                  tally->updates, tally->steps, tally->cast_count);
    return true;
}
