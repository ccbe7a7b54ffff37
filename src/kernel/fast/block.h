/*
 * The fast kernel: to nearest even, a block at a time. A vector header of an instruction set and an
 * element type come first, then this. README.md in the folder above explains it.
 */
#ifndef PRECHECK_KERNEL_FAST_BLOCK_H
#define PRECHECK_KERNEL_FAST_BLOCK_H

#include "kernel/fast/rounding.h"
#include "kernel/fast/runs.h"
#include "kernel/fast/window_sums.h"
#include "kernel/scalar.h"

/* Where in the tensor an element of a run is, and what it is. */
struct place {
    const element *original; /* the block */
    uint64_t first;          /* its position in the tensor */
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
 * the largest so far. Between float32 elements two different ratios differ by 2^-51 of their size
 * or more, so one that rounds to more is above the successor of the largest too; taking that,
 * elements that attain the largest, whose own ratio may have been rounded down to it, are no
 * candidates again. (The error of a saturated element is no float32.)
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

/* What is added up over the runs of a block, to be counted once. */
struct keys {
    size_t n, nonzero;
    bool reaches_below; /* elements below the normal range may be among them */
    size_t below;       /* where so, how many are cast to below it; zeros too */
    bool others;        /* keys that are not of main_bins() may be among them */
    uint8_t key[RUNS_CAPACITY];
};

/*
 * A nearest rounding to precision p has |e| < 2^-p |x| for normal numbers, and at most |x| under
 * them. So the first counter is for the COUNTER_BINS bins up to -p - 1; or, where a few more are
 * all, up to 0. The second is for those from -p on, where they are many.
 */
static inline int main_bins(int precision)
{
    enum { MOST_BELOW = 5 };
    return (precision <= MOST_BELOW ? 1 : -precision) - COUNTER_BINS;
}

/* Of so many elements that are not zero, or of as many less. */
static inline void add_exact(struct cast_measure *into, uint64_t count)
{
    into->exact += count;
    into->relative_exact += count;
}

/* Adds what was counted to the histogram, and empties the counters. */
static inline void settle_relative(struct cast_measure *into)
{
    for (int i = 0; i < 2; i++) {
        struct key_counter *counter = &into->counting[i];
        add_exact(into,
                  0 - settle_counter(counter, into->relative + counter->first - RELATIVE_FIRST));
    }
}

/* The bins below the normal range's; returns how many elements are in those that are not settled
 * later. */
static inline size_t count_upper(const struct keys *keys, int first, struct cast_measure *into)
{
    struct key_counter *counter = &into->counting[1];
    uint64_t *bins = into->relative - RELATIVE_FIRST;
    if (keys->below <= FEW_KEYS)
        return count_rest(keys->key, keys->n, first, 1 - first, bins + first);
    counter->first = first;
    count_keys(counter, keys->key, keys->n);
    first += COUNTER_BINS;
    return count_rest(keys->key, keys->n, first, 1 - first, bins + first);
}

/* What is in no bin is exact. Zeros have the key 0. */
static inline void count_relative(const struct keys *keys, int precision, struct cast_measure *into)
{
    struct key_counter *normal = &into->counting[0];
    uint64_t *bins = into->relative - RELATIVE_FIRST;
    const int first = main_bins(precision), end = first + COUNTER_BINS;
    bool to_zero = end > 0; /* the bin 0 is counted */
    size_t inexact = 0;
    if (counter_is_full(normal, keys->n))
        settle_relative(into);
    normal->first = first;
    count_keys(normal, keys->key, keys->n);
    if (keys->others) {
        inexact += count_rest(keys->key, keys->n, LEAST_RELATIVE, first - LEAST_RELATIVE,
                              bins + LEAST_RELATIVE);
        if (!to_zero && keys->reaches_below) {
            inexact += count_upper(keys, end, into);
            to_zero = true;
        }
    }
    size_t zeros = to_zero ? keys->n - keys->nonzero : 0;
    bins[0] -= zeros;
    add_exact(into, keys->nonzero + zeros - inexact);
}

static void add_errors(const struct run *run, const element *errors, struct cast_measure *into)
{
    struct run_sums parts[WINDOWS_IN_PLACE];
    int count = sum_windows(run, errors, true, parts);
    for (int i = 0; i < count; i++) {
        add_values(&into->e, &parts[i], run->shift);
        add_magnitudes(&into->abs_e, &parts[i], run->shift);
        add_squares(&into->e2, &parts[i], run->shift);
    }
}

/* None of the run's elements overflows. */
static void cast_run(const struct run *run, const struct plan *plan, struct place place,
                     struct keys *keys, struct cast_measure *into)
{
    element errors[FAST_BLOCK];
    uint8_t *key = keys->key + keys->n;
    struct grid grid = grid_for(&plan->cast, run);
    double bound = relative_bound(plan, &into->max_rel, place);
    element threshold = element_below(bound);

    int bins = main_bins(plan->cast.format.precision);
    struct rounding_result found;
    if (is_wide(grid))
        found = round_run(run, grid, threshold, bins, true, true, errors, key);
    else if (grid.reaches_below)
        found = round_run(run, grid, threshold, bins, false, true, errors, key);
    else
        found = round_run(run, grid, threshold, bins, false, false, errors, key);

    keys->n += run->n;
    keys->others |= found.others;
    keys->nonzero += run->nonzero;
    if (grid.reaches_below) {
        keys->reaches_below = true;
        keys->below += found.below;
        size_t flushed = found.zeros - (run->n - run->nonzero);
        size_t subnormal = found.below - found.zeros;
        into->classes[CLASS_UNDERFLOW] += flushed;
        into->classes[CLASS_SUBNORMAL] += subnormal;
        into->classes[CLASS_NORMAL] += run->nonzero - flushed - subnormal;
    } else {
        into->classes[CLASS_NORMAL] += run->nonzero;
    }
    if (found.max_abs == 0)
        return;
    add_errors(run, errors, into);
    update_max_abs(run, errors, found.max_abs, place, &into->max_abs);
    if (found.exceeds)
        update_max_rel(run, errors, bound, place, &into->max_rel);
}

/* The sums of the elements of each run: all windows of an only run, or one a run. */
struct block_sums {
    struct run_sums part[WINDOW_COUNT > WINDOWS_IN_PLACE ? WINDOW_COUNT : WINDOWS_IN_PLACE];
};

static inline int first_part(const struct runs *runs, size_t run)
{
    return runs->count > 1 ? (int)run : 0;
}

static void sum_block(const struct runs *runs, struct block_sums *sums)
{
    for (size_t r = 0; r < runs->count; r++)
        sum_windows(&runs->run[r], runs->run[r].x, false, sums->part + first_part(runs, r));
}

static void add_run_squares(const struct run *run, const struct run_sums *parts,
                            struct exact_sum *x2)
{
    for (int i = 0; i < window_count(run); i++)
        add_squares(x2, &parts[i], run->shift);
}

enum extent { NO_ELEMENT, SOME_ELEMENTS, ALL_ELEMENTS };

/* Which elements of the run are too large, as far as their exponents tell. */
static enum extent overflowing(const struct run *run, const struct plan *plan)
{
    element_bits limit = overflow_bits(plan);
    if (limit == INFINITY_BITS)
        return NO_ELEMENT;
    int exponent = exponent_of_bits(limit) + run->shift;
    return run->top < exponent ? NO_ELEMENT : run->lowest > exponent ? ALL_ELEMENTS : SOME_ELEMENTS;
}

/* The elements of a run that overflow. Where what is delivered is finite, each is measured. */
static void count_overflow(const struct run *run, element_bits limit, size_t count,
                           const struct plan *plan, struct place place, struct cast_measure *into)
{
    if (!plan->cast.saturate && plan->cast.format.specials != SPECIALS_FINITE) {
        into->classes[CLASS_OVERFLOW] += count;
        return;
    }
    for (size_t i = 0; i < run->n; i++)
        if ((bits_of(run->x[i]) & MAGNITUDE_BITS) >= limit) {
            size_t in_block = run->positions ? run->positions[i] : i;
            scalar_cast(place.original[in_block], place.first + in_block, plan, into);
        }
}

/* The run without those of its elements that overflow. */
static void cast_rest(const struct run *run, const struct plan *plan, struct place place,
                      struct keys *keys, struct cast_measure *into)
{
    element kept[FAST_BLOCK];
    struct run_sums parts[WINDOWS_IN_PLACE];
    struct run rest = *run;
    /* The threshold as the run is scaled: in a window of the run, or just above it. */
    double least = times_power_of_two(from_bits(overflow_bits(plan)), run->shift);
    element_bits limit = bits_of((element)least);
    size_t dropped = copy_below(run->x, run->n, limit, kept);
    count_overflow(run, limit, dropped, plan, place, into);
    rest.x = kept;
    rest.nonzero -= dropped;
    sum_windows(&rest, kept, false, parts);
    add_run_squares(&rest, parts, &into->x2);
    cast_run(&rest, plan, place, keys, into);
}

static void cast_block(const struct runs *runs, const struct block_sums *sums,
                       const struct plan *plan, struct place place, struct cast_measure *into)
{
    struct keys keys;
    keys.n = keys.nonzero = keys.below = 0;
    keys.reaches_below = keys.others = false;
    for (size_t r = 0; r < runs->count; r++) {
        const struct run *run = &runs->run[r];
        switch (overflowing(run, plan)) {
        case ALL_ELEMENTS:
            count_overflow(run, 1, run->nonzero, plan, place, into);
            break;
        case SOME_ELEMENTS:
            cast_rest(run, plan, place, &keys, into);
            break;
        case NO_ELEMENT:
            add_run_squares(run, sums->part + first_part(runs, r), &into->x2);
            cast_run(run, plan, place, &keys, into);
            break;
        }
    }
    count_relative(&keys, plan->cast.format.precision, into);
    into->count += keys.nonzero;
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

/* The sums of what is finite. */
static void add_input(const struct runs *runs, const struct block_sums *sums,
                      struct input_measure *input)
{
    for (size_t r = 0; r < runs->count; r++) {
        const struct run *run = &runs->run[r];
        const struct run_sums *parts = sums->part + first_part(runs, r);
        for (int i = 0; i < window_count(run); i++)
            add_values(&input->x, &parts[i], run->shift);
        add_run_squares(run, parts, &input->x2);
    }
}

/* n elements and zeros up to `padded`, a multiple of BLOCK_STEP. */
static void measure_block(const element *x, size_t n, size_t padded, uint64_t first,
                          struct input_measure *input, const struct plan *plans,
                          struct cast_measure *casts, size_t cast_count)
{
    element finite[FAST_BLOCK];
    uint8_t fields[FAST_BLOCK];
    struct runs runs;
    struct block_sums sums;
    struct place place = {.original = x, .first = first};
    uint64_t nan = input->nan, inf = input->inf;
    struct gate gate = gate_block(x, padded, fields);
    const element *clean = x;
    if (gate.largest >= INFINITY_BITS) {
        remove_specials(x, padded, finite, input);
        clean = finite;
        gate = gate_block(finite, padded, fields);
    }
    nan = input->nan - nan;
    inf = input->inf - inf;

    size_t nonzero =
        make_runs(clean, fields, padded, gate, x + FAST_BLOCK, &runs, input->exponents);
    if (runs.count && runs.run[0].fields)
        count_exponents(&runs.run[0], input);
    size_t zero = n - nonzero - nan - inf;
    input->zero += zero;
    sum_block(&runs, &sums);
    add_input(&runs, &sums, input);
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
        cast_block(&runs, &sums, &plans[c], place, &casts[c]);
    }
}

/* Elements that do not fill whole steps are padded with zeros. */
static void measure_padded(const element *x, size_t n, uint64_t first, struct input_measure *input,
                           const struct plan *plans, struct cast_measure *casts, size_t cast_count)
{
    size_t padded = (n + BLOCK_STEP - 1) / BLOCK_STEP * BLOCK_STEP;
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

/* After the last block of a call. */
static inline void fast_settle(struct input_measure *input, struct cast_measure *casts,
                               size_t cast_count)
{
    settle_exponents(input);
    for (size_t c = 0; c < cast_count; c++)
        settle_relative(&casts[c]);
}

#endif
