#include "kernel/compare.h"

#include "base/buffer.h"
#include "exact/figure.h"
#include "kernel/testing.h"

const struct kernel *plain_kernel(void)
{
    return kernel_table[kernel_count - 1];
}

struct dtype dtype_by_name(const char *name)
{
    struct dtype dtype;
    struct error error;
    if (!dtype_find(name, strlen(name), &dtype, &error))
        fail_msg("%s", error.text);
    return dtype;
}

void measure_bytes(const struct kernel *kernel, const struct numbers *numbers, const void *x,
                   size_t n, uint64_t first, const struct plan *plans, size_t plan_count,
                   struct tally *into)
{
    const uint16_t one = 1;
    struct dtype dtype = dtype_by_name(numbers->dtype);
    struct decoder decoder = decoder_open(kernel, &dtype, !*(const unsigned char *)&one);
    kernel_measure(kernel, &decoder, x, n, first, &into->input, plans, into->casts, plan_count);
    decoder_close(&decoder);
}

void measure_numbers(const struct kernel *kernel, const struct numbers *numbers, const double *x,
                     size_t n, uint64_t first, const struct plan *plans, size_t plan_count,
                     struct tally *into)
{
    void *bytes = allocate(n + 1, numbers->bytes);
    numbers_store(numbers, x, n, bytes);
    measure_bytes(kernel, numbers, bytes, n, first, plans, plan_count, into);
    free(bytes);
}

void tally_reset(struct tally *tally, size_t cast_count)
{
    memset(tally, 0, sizeof *tally + cast_count * sizeof *tally->casts);
    tally->cast_count = cast_count;
}

/* One number has many digits. */
static bool same_sum(const struct exact_sum *a, const struct exact_sum *b)
{
    struct exact_sum difference = *a;
    exact_sum_subtract(&difference, b);
    return exact_is_zero(&difference);
}

static bool same_extreme(const struct extreme *a, const struct extreme *b)
{
    return a->high == b->high && a->low == b->low && a->position == b->position &&
           double_bits(a->input) == double_bits(b->input);
}

bool same_input(struct input_measure *a, struct input_measure *b)
{
    return a->nan == b->nan && a->inf == b->inf && a->zero == b->zero && a->min_abs == b->min_abs &&
           a->max_abs == b->max_abs && same_sum(&a->x, &b->x) && same_sum(&a->x2, &b->x2) &&
           memcmp(a->exponents, b->exponents, sizeof a->exponents) == 0;
}

bool same_cast(struct cast_measure *a, struct cast_measure *b)
{
    return memcmp(a->classes, b->classes, sizeof a->classes) == 0 && a->exact == b->exact &&
           a->count == b->count && same_sum(&a->e, &b->e) && same_sum(&a->abs_e, &b->abs_e) &&
           same_sum(&a->e2, &b->e2) && same_sum(&a->x2, &b->x2) &&
           same_extreme(&a->max_abs, &b->max_abs) && same_extreme(&a->max_rel, &b->max_rel) &&
           a->relative_exact == b->relative_exact &&
           memcmp(a->relative, b->relative, sizeof a->relative) == 0;
}

/* What differs, a line each. */

static void tell_count(struct buffer *text, const char *name, uint64_t got, uint64_t wanted)
{
    if (got != wanted)
        buffer_printf(text, "\n  %s: %llu, not %llu", name, (unsigned long long)got,
                      (unsigned long long)wanted);
}

static void tell_sum(struct buffer *text, const char *name, struct exact_sum *got,
                     struct exact_sum *wanted)
{
    if (same_sum(got, wanted))
        return;
    char *a = exact_hex(got), *b = exact_hex(wanted);
    buffer_printf(text, "\n  %s: %s, not %s", name, a, b);
    free(a);
    free(b);
}

static void tell_extreme(struct buffer *text, const char *name, const struct extreme *got,
                         const struct extreme *wanted)
{
    if (!same_extreme(got, wanted))
        buffer_printf(text, "\n  %s: %a%+a of %a at %llu, not %a%+a of %a at %llu", name, got->high,
                      got->low, got->input, (unsigned long long)got->position, wanted->high,
                      wanted->low, wanted->input, (unsigned long long)wanted->position);
}

static void tell_bins(struct buffer *text, const char *name, const uint64_t *got,
                      const uint64_t *wanted, int first, int count)
{
    char bin[64];
    for (int i = 0; i < count; i++) {
        snprintf(bin, sizeof bin, "%s 2^%d", name, first + i);
        tell_count(text, bin, got[i], wanted[i]);
    }
}

static void tell_input(struct buffer *text, struct input_measure *got, struct input_measure *wanted)
{
    tell_count(text, "nan", got->nan, wanted->nan);
    tell_count(text, "inf", got->inf, wanted->inf);
    tell_count(text, "zero", got->zero, wanted->zero);
    if (got->min_abs != wanted->min_abs || got->max_abs != wanted->max_abs)
        buffer_printf(text, "\n  from %a to %a, not from %a to %a", got->min_abs, got->max_abs,
                      wanted->min_abs, wanted->max_abs);
    tell_sum(text, "sum of x", &got->x, &wanted->x);
    tell_sum(text, "sum of x^2", &got->x2, &wanted->x2);
    tell_bins(text, "exponents", got->exponents, wanted->exponents, EXPONENT_FIRST, EXPONENT_BINS);
}

static void tell_cast(struct buffer *text, struct cast_measure *got, struct cast_measure *wanted)
{
    static const char *const classes[CLASS_COUNT] = {[CLASS_NAN] = "nan",
                                                     [CLASS_INF] = "inf",
                                                     [CLASS_ZERO] = "zero",
                                                     [CLASS_OVERFLOW] = "overflow",
                                                     [CLASS_UNDERFLOW] = "underflow",
                                                     [CLASS_SUBNORMAL] = "subnormal",
                                                     [CLASS_NORMAL] = "normal"};
    for (int c = 0; c < CLASS_COUNT; c++)
        tell_count(text, classes[c], got->classes[c], wanted->classes[c]);
    tell_count(text, "exact", got->exact, wanted->exact);
    tell_count(text, "count", got->count, wanted->count);
    tell_sum(text, "sum of e", &got->e, &wanted->e);
    tell_sum(text, "sum of |e|", &got->abs_e, &wanted->abs_e);
    tell_sum(text, "sum of e^2", &got->e2, &wanted->e2);
    tell_sum(text, "sum of x^2", &got->x2, &wanted->x2);
    tell_extreme(text, "max_abs", &got->max_abs, &wanted->max_abs);
    tell_extreme(text, "max_rel", &got->max_rel, &wanted->max_rel);
    tell_count(text, "relative_exact", got->relative_exact, wanted->relative_exact);
    tell_bins(text, "relative", got->relative, wanted->relative, RELATIVE_FIRST, RELATIVE_BINS);
}

static void tell_plan(struct buffer *text, const struct plan *plan)
{
    buffer_printf(text, "\n %s, %s%s, scale 2^%d:", plan->cast.format.name,
                  rounding_name(plan->cast.rounding), plan->cast.saturate ? ", saturate" : "",
                  plan->cast.scale);
}

/* Nothing where they are the same. */
static void tell(struct buffer *text, struct tally *got, struct tally *wanted,
                 const struct plan *plans)
{
    if (!same_input(&got->input, &wanted->input)) {
        buffer_puts(text, "\n input:");
        tell_input(text, &got->input, &wanted->input);
    }
    for (size_t c = 0; c < wanted->cast_count; c++) {
        if (same_cast(&got->casts[c], &wanted->casts[c]))
            continue;
        tell_plan(text, &plans[c]);
        tell_cast(text, &got->casts[c], &wanted->casts[c]);
    }
}

static bool same_tally(struct tally *got, struct tally *wanted)
{
    bool same = same_input(&got->input, &wanted->input);
    for (size_t c = 0; c < wanted->cast_count && same; c++)
        same = same_cast(&got->casts[c], &wanted->casts[c]);
    return same;
}

void assert_same_tally(struct tally *got, struct tally *wanted, const struct plan *plans,
                       const char *what)
{
    if (same_tally(got, wanted))
        return;
    struct buffer text = {0};
    tell(&text, got, wanted, plans);
    print_error("PRECHECK_TEST_SEED=%llu, %s:%s\n", (unsigned long long)test_seed(), what,
                text.data);
    buffer_free(&text);
    fail_msg("%s", what);
}

static struct tally *got, *wanted; /* kept: zeroing is cheaper than allocating */

static bool agrees(const struct trial *trial)
{
    if (!got) {
        got = tally_new(MOST_CASTS, NULL);
        wanted = tally_new(MOST_CASTS, NULL);
    }
    tally_reset(got, trial->plan_count);
    tally_reset(wanted, trial->plan_count);
    measure_numbers(trial->kernel, trial->numbers, trial->x, trial->n, trial->first, trial->plans,
                    trial->plan_count, got);
    measure_numbers(plain_kernel(), trial->numbers, trial->x, trial->n, trial->first, trial->plans,
                    trial->plan_count, wanted);
    return same_tally(got, wanted);
}

/* Leaves out what can be left out, half the rest at a time; of long ones in coarse pieces, since
 * each attempt takes as long. */
static void shrink(struct trial *trial, double *x)
{
    size_t finest = trial->n > 16 * BLOCK ? trial->n / 64 : 1;
    for (size_t piece = trial->n / 2; piece >= finest; piece /= 2)
        for (size_t at = 0; at + piece <= trial->n;) {
            struct trial smaller = *trial;
            double *rest = allocate(trial->n, sizeof *rest);
            memcpy(rest, x, at * sizeof *x);
            memcpy(rest + at, x + at + piece, (trial->n - at - piece) * sizeof *x);
            smaller.x = rest;
            smaller.n = trial->n - piece;
            if (agrees(&smaller)) {
                at += piece;
            } else {
                memcpy(x, rest, smaller.n * sizeof *x);
                trial->n = smaller.n;
            }
            free(rest);
        }
}

void assert_trial(const struct trial *trial)
{
    if (agrees(trial))
        return;
    double *x = allocate(trial->n + 1, sizeof *x);
    memcpy(x, trial->x, trial->n * sizeof *x);
    struct trial least = *trial;
    least.x = x;
    shrink(&least, x);
    agrees(&least);
    struct buffer text = {0};
    buffer_printf(&text, "%s, %s, %zu %s elements from %llu; %zu are enough:", trial->kernel->name,
                  trial->data, trial->n, trial->numbers->dtype, (unsigned long long)trial->first,
                  least.n);
    for (size_t i = 0; i < least.n && i < 40; i++)
        buffer_printf(&text, " %a", x[i]);
    assert_same_tally(got, wanted, trial->plans, text.data);
    fail_msg("differs from run to run: %s", text.data);
}
