#include "tally/tally.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "kernel/steps.h"

struct tally *tally_new(size_t cast_count, const struct update_plan *plan)
{
    struct tally *tally = allocate(1, sizeof *tally + cast_count * sizeof *tally->casts);
    tally->cast_count = cast_count;
    if (!plan)
        return tally;
    tally->plan = *plan;
    if (plan->rule != UPDATE_NONE)
        tally->updates = allocate(cast_count, sizeof *tally->updates);
    if (plan->steps)
        tally->steps = allocate(cast_count, sizeof *tally->steps);
    return tally;
}

void tally_free(struct tally *tally)
{
    if (!tally)
        return;
    free(tally->updates);
    free(tally->steps);
    free(tally);
}

void tally_clear(struct tally *tally)
{
    size_t count = tally->cast_count;
    tally->input = (struct input_measure){0};
    memset(tally->casts, 0, count * sizeof *tally->casts);
    if (tally->updates)
        memset(tally->updates, 0, count * sizeof *tally->updates);
    if (tally->steps)
        memset(tally->steps, 0, count * sizeof *tally->steps);
}

size_t tally_bytes(size_t cast_count, const struct update_plan *plan)
{
    size_t each = sizeof(struct cast_measure);
    if (plan->rule != UPDATE_NONE)
        each += sizeof(struct update_measure);
    if (plan->steps)
        each += sizeof(struct steps_measure);
    return sizeof(struct tally) + cast_count * each;
}

static void add_counts(uint64_t *into, const uint64_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        into[i] += from[i];
}

void tally_merge_input(struct input_measure *into, const struct input_measure *from)
{
    into->nan += from->nan;
    into->inf += from->inf;
    into->zero += from->zero;
    if (from->min_abs != 0 && (into->min_abs == 0 || from->min_abs < into->min_abs))
        into->min_abs = from->min_abs;
    if (from->max_abs > into->max_abs)
        into->max_abs = from->max_abs;
    exact_sum_merge(&into->x, &from->x);
    exact_sum_merge(&into->x2, &from->x2);
    add_counts(into->exponents, from->exponents, EXPONENT_BINS);
}

static void merge_extreme(struct extreme *into, const struct extreme *from)
{
    extreme_offer(into, from->high, from->low, from->position, from->input);
}

void tally_merge_cast(struct cast_measure *into, const struct cast_measure *from)
{
    add_counts(into->classes, from->classes, CLASS_COUNT);
    into->exact += from->exact;
    into->count += from->count;
    exact_sum_merge(&into->e, &from->e);
    exact_sum_merge(&into->abs_e, &from->abs_e);
    exact_sum_merge(&into->e2, &from->e2);
    exact_sum_merge(&into->x2, &from->x2);
    merge_extreme(&into->max_abs, &from->max_abs);
    merge_extreme(&into->max_rel, &from->max_rel);
    into->relative_exact += from->relative_exact;
    add_counts(into->relative, from->relative, RELATIVE_BINS);
}

void tally_merge_updates(struct tally *into, const struct tally *from)
{
    for (size_t c = 0; c < into->cast_count && into->updates; c++)
        update_merge(&into->updates[c], &from->updates[c]);
    for (size_t c = 0; c < into->cast_count && into->steps; c++)
        steps_merge(&into->steps[c], &from->steps[c]);
}

void tally_merge(struct tally *into, const struct tally *from)
{
    tally_merge_updates(into, from);
    tally_merge_input(&into->input, &from->input);
    for (size_t c = 0; c < into->cast_count; c++)
        tally_merge_cast(&into->casts[c], &from->casts[c]);
}
