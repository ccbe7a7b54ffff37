/* The last touch to what a checkpoint holds: names that differ, the order of the data, and each
 * tensor once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input/container.h"
#include "input/torch.h"

/* Names. */

/* A name by its place: the tensors come first, then what is skipped, each as the pickle has them.
 */
struct named {
    char **name;
    size_t order;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *one = a, *other = b;
    int difference = strcmp(*one->name, *other->name);
    if (difference)
        return difference;
    return one->order < other->order ? -1 : one->order > other->order;
}

static int compare_name(const void *key, const void *named)
{
    return strcmp(key, *((const struct named *)named)->name);
}

/* "a" becomes "a#2", or the first after it that is free; `number` counts on. What begins with
 * another name differs, whatever its number: the last # tells where the name ends. */
static char *next_name(const char *name, size_t *number, const struct named *all, size_t count)
{
    struct buffer candidate = {0};
    do {
        candidate.length = 0;
        buffer_printf(&candidate, "%s#%zu", name, ++*number);
    } while (bsearch(candidate.data, all, count, sizeof *all, compare_name));
    char *copy = copy_string(candidate.data);
    buffer_free(&candidate);
    return copy;
}

/* The new names are put in place when all are known: the search needs the old ones. */
static void tell_apart(const struct named *all, size_t count)
{
    char **renamed = allocate(count, sizeof *renamed);
    size_t number = 1;
    for (size_t i = 1; i < count; i++) {
        if (strcmp(*all[i].name, *all[i - 1].name) != 0)
            number = 1;
        else
            renamed[i] = next_name(*all[i].name, &number, all, count);
    }
    for (size_t i = 0; i < count; i++)
        if (renamed[i]) {
            free(*all[i].name);
            *all[i].name = renamed[i];
        }
    free(renamed);
}

static void make_names_differ(struct input *input)
{
    size_t count = input->tensor_count + input->skipped_count;
    struct named *all = allocate(count, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        bool tensor = i < input->tensor_count;
        all[i].name =
            tensor ? &input->tensors[i].name : &input->skipped[i - input->tensor_count].name;
        all[i].order = i;
    }
    qsort(all, count, sizeof *all, compare_named);
    tell_apart(all, count);
    free(all);
}

/* Data. */

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_arrays(const uint64_t *a, const uint64_t *b, unsigned count)
{
    int difference = (a != NULL) - (b != NULL);
    for (unsigned i = 0; a && b && i < count && !difference; i++)
        difference = compare(a[i], b[i]);
    return difference;
}

/* Zero where they are the same elements, under the same indices. */
static int compare_data(const struct tensor *a, const struct tensor *b)
{
    int difference = compare(a->offset, b->offset);
    if (!difference)
        difference = strcmp(a->dtype.name, b->dtype.name);
    if (!difference)
        difference = a->components - b->components;
    if (!difference)
        difference = compare(a->rank, b->rank);
    if (!difference)
        difference = compare_arrays(a->shape, b->shape, a->rank);
    return difference ? difference : compare_arrays(a->strides, b->strides, a->rank);
}

static int compare_places(const void *a, const void *b, void *tensors)
{
    size_t one = *(const size_t *)a, other = *(const size_t *)b;
    int difference = compare_data((struct tensor *)tensors + one, (struct tensor *)tensors + other);
    return difference ? difference : compare(one, other);
}

static void skip_alias(struct input *input, struct tensor *tensor, const struct tensor *original)
{
    char reason[256];
    snprintf(reason, sizeof reason, "the same elements as %s",
             *original->name ? original->name : "the first");
    input_add_skipped(input, tensor->name, tensor->dtype.name, reason);
    tensor->name = NULL;
    tensor_free(tensor);
}

static void put_in_order(struct input *input)
{
    struct tensor *old = input->tensors;
    size_t count = input->tensor_count, *order = allocate(count, sizeof *order);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof *order, compare_places, old);
    input->tensors = NULL;
    input->tensor_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct tensor *tensor = &old[order[i]];
        struct tensor *last = input->tensor_count ? &input->tensors[input->tensor_count - 1] : NULL;
        if (last && tensor->elements && compare_data(last, tensor) == 0)
            skip_alias(input, tensor, last);
        else
            input_add_tensor(input, tensor);
    }
    free(order);
    free(old);
}

void torch_settle(struct input *input)
{
    make_names_differ(input);
    put_in_order(input);
}
