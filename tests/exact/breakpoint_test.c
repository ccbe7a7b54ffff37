/*
 * The proof of the casts.
 *
 * Breakpoints: rounding is monotone and piecewise constant, with steps only at the middles of
 * neighbouring numbers. At every number of a format, every middle, the float32 and binary64 numbers
 * next to these, and the specials, the cast of an element is compared with MPFR's, in all modes
 * that do not draw. A sample of the breakpoints of large formats, or with PRECHECK_EXHAUSTIVE=1 all
 * of them.
 *
 * Sweeps: see sweep.c. Seeded ranges of float32 inputs, or with PRECHECK_EXHAUSTIVE=1 all 2^32 for
 * every named format and every kernel but the plain one (but for what sweep.h says is left out, in
 * the three formats without infinity and NaN; PRECHECK_EXHAUSTIVE=all takes that too). For the four
 * formats of a plain run of precheck cast_element is asked for each input as well.
 */
#include <float.h>
#include <math.h>
#include <mpfr.h>
#include <pthread.h>
#include <unistd.h>

#include "base/buffer.h"
#include "exact/reference.h"
#include "exact/sweep.h"
#include "kernel/element.h"

#include "kernel/testing.h"

static const enum rounding modes[] = {ROUND_NEAREST_EVEN, ROUND_NEAREST_AWAY, ROUND_TOWARD_ZERO,
                                      ROUND_UP, ROUND_DOWN};

static void check_input(const struct cast *cast, double x)
{
    struct outcome got = cast_element(cast, x, 0);
    struct reference_outcome wanted = reference_cast(cast, x, 0);
    uint64_t code = outcome_code(cast, &got);
    if (got.class != wanted.class || code != wanted.code ||
        (got.delivered == DELIVERED_FINITE) != wanted.finite)
        fail_msg("%s, %s%s: %a became 0x%llx of class %d, not 0x%llx of class %d",
                 cast->format.name, rounding_name(cast->rounding),
                 cast->saturate ? ", saturate" : "", x, (unsigned long long)code, got.class,
                 (unsigned long long)wanted.code, wanted.class);
}

static void check_both_signs(const struct cast *cast, double x)
{
    check_input(cast, x);
    check_input(cast, -x);
}

/* The point, the float32 numbers on both sides of it, theirs, and the binary64 numbers next to it.
 */
static void check_round(const struct cast *cast, double point)
{
    float near = (float)point;
    check_both_signs(cast, point);
    check_both_signs(cast, nextafter(point, 0));
    check_both_signs(cast, nextafter(point, INFINITY));
    if ((double)near != point)
        check_both_signs(cast, near);
    check_both_signs(cast, nextafterf(near, 0));
    check_both_signs(cast, nextafterf(near, INFINITY));
}

static void check_specials(const struct cast *cast)
{
    static const double specials[] = {0,       INFINITY, NAN,     FLT_TRUE_MIN, FLT_MIN,
                                      FLT_MAX, DBL_MAX,  DBL_MIN, DBL_TRUE_MIN};
    for (size_t i = 0; i < LENGTH(specials); i++)
        check_both_signs(cast, specials[i]);
}

/* All codes, or so many of them: the last ones, the first ones, and one of each stratum. */
static void check_breakpoints(const struct cast *cast, uint64_t most, struct dice *dice)
{
    enum { ENDS = 40 };
    uint64_t count = format_code_max(&cast->format, false) + 1;
    bool all = count <= most;
    uint64_t strata = all ? count : most;
    check_specials(cast);
    for (uint64_t s = 0; s < strata; s++) {
        uint64_t first = (uint64_t)((unsigned __int128)count * s / strata);
        uint64_t after = (uint64_t)((unsigned __int128)count * (s + 1) / strata);
        uint64_t code = first + (all ? 0 : dice_below(dice, after - first));
        check_round(cast, sweep_value(&cast->format, code));
        check_round(cast, sweep_middle(&cast->format, code));
    }
    for (uint64_t i = 0; i < ENDS && !all; i++)
        for (int top = 0; top < 2; top++) {
            uint64_t code = top ? count - i : i;
            check_round(cast, sweep_value(&cast->format, code));
            check_round(cast, sweep_middle(&cast->format, code));
        }
}

/* fp32 has too many numbers to ask MPFR for each, and generic formats are too many. */
static uint64_t breakpoints_of(size_t format, enum rounding rounding)
{
    bool named = format < FORMAT_NAMED_COUNT;
    if (test_exhaustively())
        return named ? UINT64_C(1) << 18 : UINT64_C(1) << 14;
    return rounding == ROUND_NEAREST_EVEN ? 3000 : 700;
}

static void test_breakpoints(void **state)
{
    (void)state;
    struct dice dice = dice_for("breakpoints");
    for (size_t f = 0; f < test_format_count(); f++)
        for (size_t m = 0; m < LENGTH(modes); m++)
            for (int saturate = 0; saturate < 2; saturate++) {
                struct cast cast = {
                    .format = test_format(f), .rounding = modes[m], .saturate = saturate};
                /* The policy only matters beyond the largest number. */
                check_breakpoints(&cast, saturate ? 64 : breakpoints_of(f, modes[m]), &dice);
            }
}

/* A format whose numbers include all of float32's rounds none of them; MPFR agrees where asked. */
static void test_every_float_is_kept(void **state)
{
    (void)state;
    struct dice dice = dice_for("kept");
    struct cast cast = {.format = format_by_name("fp32")};
    for (int round = 0; round < (test_exhaustively() ? 1 << 21 : 1 << 14); round++) {
        uint32_t bits = (uint32_t)dice_u64(&dice);
        float x = float_from_bits(bits);
        if (x != x)
            continue;
        cast.rounding = modes[dice_below(&dice, LENGTH(modes))];
        assert_int_equal(reference_cast(&cast, x, 0).code, bits);
        check_input(&cast, x);
    }
}

/* A part of a sweep, for one thread. */
struct job {
    const struct kernel *kernel;
    struct format format;
    bool elements;
    uint32_t first, last;
};

/* What threads take from. */
struct jobs {
    struct job *job;
    size_t count, next;
    uint64_t inputs, left_out;
    uint32_t overflow_stride;
    pthread_mutex_t lock;
    char failure[600];
};

static void *work(void *argument)
{
    struct jobs *jobs = argument;
    for (;;) {
        pthread_mutex_lock(&jobs->lock);
        bool done = jobs->next == jobs->count || *jobs->failure;
        const struct job *job = &jobs->job[jobs->next];
        jobs->next += !done;
        pthread_mutex_unlock(&jobs->lock);
        if (done)
            break;
        struct sweep *sweep =
            sweep_new(job->kernel, job->elements, jobs->overflow_stride, &job->format);
        bool right = sweep_range(sweep, job->first, job->last);
        pthread_mutex_lock(&jobs->lock);
        jobs->inputs += sweep->inputs;
        jobs->left_out += sweep->left_out;
        if (!right)
            memcpy(jobs->failure, sweep->failure, sizeof jobs->failure);
        pthread_mutex_unlock(&jobs->lock);
        sweep_free(sweep);
    }
    mpfr_free_cache();
    return NULL;
}

/* By so many threads as there are processors; cmocka's assertions are for this one. */
static void run_jobs(struct job *list, size_t count)
{
    const char *how = getenv("PRECHECK_EXHAUSTIVE");
    enum { MOST_THREADS = 64 };
    struct jobs jobs = {.job = list,
                        .count = count,
                        .overflow_stride = how && strcmp(how, "all") == 0 ? 1 : 16,
                        .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t threads[MOST_THREADS];
    long processors = mpfr_buildopt_tls_p() ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
    int started = 0;
    while (test_exhaustively() && started + 1 < processors && started < MOST_THREADS &&
           pthread_create(&threads[started], NULL, work, &jobs) == 0)
        started++;
    work(&jobs);
    while (started > 0)
        pthread_join(threads[--started], NULL);
    printf("# %llu inputs, %llu left out\n", (unsigned long long)jobs.inputs,
           (unsigned long long)jobs.left_out);
    fflush(stdout);
    if (*jobs.failure)
        fail_msg("%s", jobs.failure);
    uint64_t wanted = 0;
    for (size_t i = 0; i < count; i++)
        wanted += (uint64_t)list[i].last - list[i].first + 1;
    assert_int_equal(jobs.inputs + jobs.left_out, wanted);
}

static bool in_plain_run(const char *format)
{
    static const char *const names[] = {"fp16", "bf16", "e4m3fn", "e5m2"};
    for (size_t i = 0; i < LENGTH(names); i++)
        if (strcmp(names[i], format) == 0)
            return true;
    return false;
}

/* Everything: 2^24 inputs a job. */
static size_t list_all(const struct kernel *kernel, struct job *list)
{
    enum { JOB_BITS = 24 };
    size_t count = 0;
    for (size_t f = 0; f < FORMAT_NAMED_COUNT; f++)
        for (uint32_t part = 0; part < UINT32_C(1) << (32 - JOB_BITS); part++) {
            uint32_t first = part << JOB_BITS;
            struct format format = format_named(f);
            list[count++] = (struct job){.kernel = kernel,
                                         .format = format,
                                         .elements = in_plain_run(format.name),
                                         .first = first,
                                         .last = first + (UINT32_C(1) << JOB_BITS) - 1};
        }
    return count;
}

/* Ranges of both signs: anywhere, round a middle of two numbers, and at the ends of things. */
static uint32_t some_start(struct dice *dice, const struct format *format, size_t i)
{
    static const float ends[] = {0,       FLT_TRUE_MIN, 0x1p-130F, FLT_MIN, 0x1p-71F,
                                 0x1p90F, 0x1p127F,     FLT_MAX,   INFINITY};
    uint64_t max = format_code_max(format, false);
    float start = float_from_bits((uint32_t)dice_u64(dice) >> 1);
    if (i < 2 * LENGTH(ends))
        start = ends[i / 2];
    else if (i % 4 == 0)
        start = (float)sweep_middle(format, max - dice_below(dice, max < 8 ? max : 8));
    else if (i % 4 == 1)
        start = (float)sweep_middle(format, dice_below(dice, max < 8 ? max : 8));
    else if (i % 4 == 2)
        start = (float)sweep_middle(format, dice_below(dice, max + 1));
    uint32_t bits = float_bits(start), before = (uint32_t)dice_below(dice, 3);
    return (bits > before ? bits - before : 0) | (uint32_t)(i % 2) << 31;
}

/* Of the formats from one on. */
static size_t list_some(const struct kernel *kernel, size_t first_format, size_t ranges,
                        uint32_t length, struct job *list)
{
    struct dice dice = dice_for("sweep");
    size_t count = 0;
    for (size_t f = first_format; f < test_format_count(); f++)
        for (size_t i = 0; i < ranges; i++) {
            struct format format = test_format(f);
            uint32_t first = some_start(&dice, &format, i), left = UINT32_MAX >> 1;
            left -= first & left;
            /* A fine format has many codes in a short range: a piece each. */
            uint32_t most = UINT32_C(1) << (32 - format.precision);
            uint32_t n = (uint32_t)dice_below(&dice, length < most ? length : most);
            list[count++] = (struct job){.kernel = kernel,
                                         .format = format,
                                         .elements = i % 4 == 0,
                                         .first = first,
                                         .last = first + (n < left ? n : left)};
        }
    return count;
}

static void test_sweep(void **state)
{
    const struct kernel *kernel = *state;
    enum { MOST_JOBS = 1 << 16 };
    struct job *list = allocate(MOST_JOBS, sizeof *list);
    bool plain = kernel == kernel_table[kernel_count - 1];
    if (!kernel->available())
        printf("# this processor has no '%s'\n", kernel->name);
    if (!kernel->available()) {
        free(list);
        skip();
    }
    size_t count = 0;
    if (plain) {
        count = list_some(kernel, 0, 24, 1000, list);
    } else if (test_exhaustively()) {
        count = list_all(kernel, list);
        count += list_some(kernel, FORMAT_NAMED_COUNT, 1000, 200000, list + count);
    } else {
        count = list_some(kernel, 0, 200, 20000, list);
    }
    run_jobs(list, count);
    free(list);
}

int main(void)
{
    struct CMUnitTest *tests = allocate(kernel_count + 2, sizeof *tests);
    char(*names)[40] = allocate(kernel_count, sizeof *names);
    size_t count = 0;
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_breakpoints);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(test_every_float_is_kept);
    for (size_t k = 0; k < kernel_count; k++) {
        snprintf(names[k], sizeof names[k], "%s: sweep", kernel_table[k]->name);
        tests[count++] = (struct CMUnitTest){
            .name = names[k], .test_func = test_sweep, .initial_state = (void *)kernel_table[k]};
    }
    print_seed();
    int failed = _cmocka_run_group_tests("breakpoints", tests, count, NULL, NULL);
    free(tests);
    free(names);
    return failed;
}
