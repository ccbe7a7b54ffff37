/*
 * The fast kernel: to nearest even, a block at a time. A vector header of an instruction set and an
 * element type come first, then this. README.md in the folder above explains it.
 */
#ifndef PRECHECK_KERNEL_FAST_BLOCK_H
#define PRECHECK_KERNEL_FAST_BLOCK_H

#include "kernel/fast/rounding.h"
#include "kernel/scalar.h"

/* Where in the tensor an element of a run is, and what it is. */
struct place {
    const element *original; /* the block */
    uint64_t first;        /* its position in the tensor */
};

static inline void offer(struct extreme *best, double value, const struct run *run, size_t i,
                         struct place place)
{
    size_t in_block = run->positions ? run->positions[i] : i;
    extreme_offer(best, value, 0, place.first + in_block, place.original[in_block]);
}

/* Whether an element of this block can still replace the best by attaining the same earlier: only
 * where the best is of the same block, found in another run of it. */
static inline bool ties_matter(const struct extreme *best, struct place place)
{
    return best->position >= place.first;
}

static void update_max_abs(const struct run *run, const element *errors, element max_abs,
                           struct place place, struct extreme *best)
{
    double value = times_power_of_two(max_abs, -run->shift);
    if (value < best->high || (value == best->high && !ties_matter(best, place)))
        return;
    const ve magnitude = ve_from_bits(vu_all(MAGNITUDE_BITS)), wanted = ve_all(max_abs);
    for (size_t i = 0; i < run->n; i += LANES) {
        unsigned mask = ve_mask(ve_equal(ve_and(ve_load(errors + i), magnitude), wanted));
        if (mask) {
            offer(best, value, run, i + (size_t)__builtin_ctz(mask), place);
            return;
        }
    }
}

/*
 * A bound that an element's relative error must exceed to be the largest once rounded to binary64:
 * the largest so far. Between float32 elements two different ratios differ by 2^-51 of their size or
 * more, so one that rounds to more is above the successor of the largest too; taking that, elements
 * that attain the largest, whose own ratio may have been rounded down to it, are no candidates again.
 * (The error of a saturated element is no float32.)
 */
static inline double relative_bound(const struct plan *plan, const struct extreme *best,
                                    struct place place)
{
    if (best->high == 0)
        return 0;
    if (ties_matter(best, place))
        return double_from_bits(double_bits(best->high) - 1);
    bool only_floats = sizeof(element) == sizeof(float) && !plan->cast.saturate &&
                       plan->cast.format.specials != SPECIALS_FINITE;
    return only_floats ? double_from_bits(double_bits(best->high) + 1) : best->high;
}

/* The candidates by the sign of a fused |e| - bound |x|, then by their ratios. */
static void update_max_rel(const struct run *run, const element *errors, double bound,
                           struct place place, struct extreme *best)
{
    const vd magnitude = vd_from_bits(UINT64_MAX >> 1), limit = vd_all(bound);
    for (size_t i = 0; i < run->n; i += VD_LANES) {
        vd e = vd_and(vd_load_elements(errors + i), magnitude);
        vd x = vd_and(vd_load_elements(run->x + i), magnitude);
        if (!vd_mask(vd_greater(vd_negate_multiply_add(limit, x, e), vd_all(0))))
            continue;
        double ratio[VD_LANES];
        vd_store(ratio, vd_divide(e, x));
        unsigned mask = vd_mask(vd_greater(vd_load(ratio), limit));
        for (; mask; mask &= mask - 1) {
            unsigned lane = (unsigned)__builtin_ctz(mask);
            offer(best, ratio[lane], run, i + lane, place);
        }
    }
}

/* The bins that a nearest rounding can fill: |e| is below 2^-p |x| for normal numbers, and at most
 * |x| under them. */
static inline size_t count_relative(const uint8_t *keys, const struct run *run, struct grid grid,
                                    uint64_t *relative)
{
    enum { FIRST = LEAST_RELATIVE, LAST = 0 };
    uint32_t counts[LAST - FIRST + 1 + BINS_AT_ONCE];
    int last = grid.reaches_below ? LAST : -grid.precision - 1;
    count_keys(keys, run->n, FIRST, last - FIRST + 1, counts);
    if (last == 0) /* zeros have this key */
        counts[LAST - FIRST] -= (uint32_t)(run->n - run->nonzero);
    size_t inexact = 0;
    for (int k = FIRST; k <= last; k++) {
        relative[k - RELATIVE_FIRST] += counts[k - FIRST];
        inexact += counts[k - FIRST];
    }
    return inexact;
}

static void cast_run(const struct run *run, const struct plan *plan, struct place place,
                     struct cast_measure *into)
{
    element errors[FAST_BLOCK];
    uint8_t keys[FAST_BLOCK];
    struct grid grid = grid_for(&plan->cast, run);
    double bound = relative_bound(plan, &into->max_rel, place);
    element threshold = element_below(bound);
    bool wide = is_wide(grid);

    struct rounding_result found;
    if (wide)
        found = round_run(run, grid, threshold, true, true, errors, keys);
    else if (grid.reaches_below)
        found = round_run(run, grid, threshold, false, true, errors, keys);
    else
        found = round_run(run, grid, threshold, false, false, errors, keys);

    size_t flushed = 0, subnormal = 0;
    if (grid.reaches_below) {
        flushed = found.zeros - (run->n - run->nonzero);
        subnormal = found.below - found.zeros;
    }
    into->classes[CLASS_UNDERFLOW] += flushed;
    into->classes[CLASS_SUBNORMAL] += subnormal;
    into->classes[CLASS_NORMAL] += run->nonzero - flushed - subnormal;
    into->count += run->nonzero;

    size_t inexact = count_relative(keys, run, grid, into->relative);
    into->relative_exact += run->nonzero - inexact;
    into->exact += run->nonzero - inexact;
    if (inexact == 0)
        return;

    struct run_sums sums = sum_run(errors, run->n, run->top, true);
    add_values(&into->e, &sums, run->shift);
    add_magnitudes(&into->abs_e, &sums, run->shift);
    add_squares(&into->e2, &sums, run->shift);
    update_max_abs(run, errors, found.max_abs, place, &into->max_abs);
    if (found.exceeds)
        update_max_rel(run, errors, bound, place, &into->max_rel);
}

/* A block without NaN and Inf, as its runs, with the sums of its squares. */
struct clean_block {
    struct runs runs;
    struct run_sums sums[WINDOW_COUNT];
};

static void sum_block(struct clean_block *block)
{
    for (size_t r = 0; r < block->runs.count; r++) {
        const struct run *run = &block->runs.run[r];
        block->sums[r] = sum_run(run->x, run->n, run->top, false);
    }
}

static void cast_block(const struct clean_block *block, const struct plan *plan, struct place place,
                       struct cast_measure *into)
{
    for (size_t r = 0; r < block->runs.count; r++) {
        const struct run *run = &block->runs.run[r];
        add_squares(&into->x2, &block->sums[r], run->shift);
        cast_run(run, plan, place, into);
    }
}

/* Some elements of the finite x overflow. They are taken out, and what is delivered for them, where
 * that is finite, is measured one by one. */
static void cast_overflowing(const element *x, size_t n, size_t nonzero, const struct plan *plan,
                             struct place place, struct cast_measure *into)
{
    element kept[FAST_BLOCK];
    size_t overflowing = copy_below(x, n, overflow_bits(plan), kept);
    bool finite = plan->cast.saturate || plan->cast.format.specials == SPECIALS_FINITE;
    if (finite) {
        for (size_t i = 0; i < n; i++)
            if ((bits_of(x[i]) & MAGNITUDE_BITS) >= overflow_bits(plan))
                scalar_cast(x[i], place.first + i, plan, into);
    } else {
        into->classes[CLASS_OVERFLOW] += overflowing;
    }
    struct clean_block block;
    uint8_t fields[FAST_BLOCK];
    make_runs(kept, n, gate_block(kept, n, fields), &block.runs);
    if (block.runs.count == 1 && !block.runs.run[0].positions)
        block.runs.run[0].nonzero = nonzero - overflowing;
    sum_block(&block);
    cast_block(&block, plan, place, into);
}

/* The exponents of the block; returns how many elements are not zero. */
static size_t count_input(const element *x, const uint8_t *fields, size_t n, struct runs *runs,
                          struct input_measure *input)
{
    if (runs->count == 0)
        return 0;
    if (runs->count == 1 && !runs->run[0].positions) {
        struct run *run = &runs->run[0];
        run->nonzero = count_exponents(fields, n, run->lowest, run->top, input->exponents);
        return run->nonzero;
    }
    size_t nonzero = 0;
    for (size_t i = 0; i < n; i++) {
        element_bits bits = bits_of(x[i]) & MAGNITUDE_BITS;
        if (bits) {
            input->exponents[exponent_of_bits(bits) - EXPONENT_FIRST]++;
            nonzero++;
        }
    }
    return nonzero;
}

/* The smallest magnitude takes a pass of its own, and only where the block may hold it. */
static void merge_range(const element *x, size_t n, struct gate gate, struct input_measure *input)
{
    double largest = from_bits(gate.largest);
    if (largest > input->max_abs)
        input->max_abs = largest;
    double least = gate.below ? 0 : times_power_of_two(1, gate.least_exponent);
    if (input->min_abs != 0 && least >= input->min_abs)
        return;
    double smallest = from_bits(smallest_magnitude(x, n));
    if (input->min_abs == 0 || smallest < input->min_abs)
        input->min_abs = smallest;
}

/* NaN and Inf are counted and replaced by zeros. */
static void remove_specials(const element *x, size_t n, element *finite,
                            struct input_measure *input)
{
    size_t nan = 0, specials = copy_below(x, n, INFINITY_BITS, finite);
    for (size_t i = 0; i < n; i += LANES) {
        vu bits = vu_and(vu_load(x + i), vu_all(MAGNITUDE_BITS));
        vu is_nan = vu_greater(bits, vu_all(INFINITY_BITS));
        nan += (size_t)__builtin_popcount(ve_mask(ve_from_bits(is_nan)));
    }
    input->nan += nan;
    input->inf += specials - nan;
}

/* n elements and zeros up to `padded`, a multiple of VB_LANES. */
static void measure_block(const element *x, size_t n, size_t padded, uint64_t first,
                          struct input_measure *input, const struct plan *plans,
                          struct cast_measure *casts, size_t cast_count)
{
    element finite[FAST_BLOCK];
    struct place place = {.original = x, .first = first};
    uint8_t fields[FAST_BLOCK];
    struct gate gate = gate_block(x, padded, fields);
    uint64_t nan_before = input->nan, inf_before = input->inf;
    const element *clean = x;
    if (gate.largest >= INFINITY_BITS) {
        remove_specials(x, padded, finite, input);
        clean = finite;
        gate = gate_block(finite, padded, fields);
    }
    uint64_t nan = input->nan - nan_before, inf = input->inf - inf_before;

    struct clean_block block;
    make_runs(clean, padded, gate, &block.runs);
    size_t nonzero = count_input(clean, fields, padded, &block.runs, input);
    size_t zero = n - nonzero - nan - inf;
    input->zero += zero;
    sum_block(&block);
    for (size_t r = 0; r < block.runs.count; r++) {
        int shift = block.runs.run[r].shift;
        add_values(&input->x, &block.sums[r], shift);
        add_squares(&input->x2, &block.sums[r], shift);
    }
    if (nonzero)
        merge_range(clean, padded, gate, input);

    for (size_t c = 0; c < cast_count; c++) {
        if (plans[c].cast.rounding != ROUND_NEAREST_EVEN) {
            for (size_t i = 0; i < n; i++)
                scalar_cast(x[i], first + i, &plans[c], &casts[c]);
            continue;
        }
        casts[c].classes[CLASS_NAN] += nan;
        casts[c].classes[CLASS_INF] += inf;
        casts[c].classes[CLASS_ZERO] += zero;
        casts[c].count += zero;
        casts[c].exact += zero;
        if (gate.largest >= overflow_bits(&plans[c]))
            cast_overflowing(clean, padded, nonzero, &plans[c], place, &casts[c]);
        else
            cast_block(&block, &plans[c], place, &casts[c]);
    }
}

/* Elements that do not fill whole vectors of bytes are padded with zeros. */
static void measure_padded(const element *x, size_t n, uint64_t first, struct input_measure *input,
                           const struct plan *plans, struct cast_measure *casts, size_t cast_count)
{
    size_t padded = (n + VB_LANES - 1) / VB_LANES * VB_LANES;
    element copy[FAST_BLOCK];
    if (padded != n) {
        memcpy(copy, x, n * sizeof *x);
        memset(copy + n, 0, (padded - n) * sizeof *x);
        x = copy;
    }
    measure_block(x, n, padded, first, input, plans, casts, cast_count);
}

static inline void fast_measure(const element *x, size_t n, uint64_t first,
                                struct input_measure *input, const struct plan *plans,
                                struct cast_measure *casts, size_t cast_count)
{
    for (size_t done = 0; done < n; done += FAST_BLOCK) {
        size_t part = n - done < FAST_BLOCK ? n - done : FAST_BLOCK;
        measure_padded(x + done, part, first + done, input, plans, casts, cast_count);
    }
}

#endif
