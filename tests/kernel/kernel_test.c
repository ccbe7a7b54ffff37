/*
 * Every kernel of kernel_table against the plain one (which element_test.c holds against MPFR): the
 * whole of what is measured, bit for bit, on seeded data.
 */
#include "base/buffer.h"
#include "exact/figure.h"
#include "exact/reference.h"
#include "kernel/compare.h"
#include "kernel/random_data.h"

#include <fenv.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernel/testing.h"

/* Each test runs once a kernel, and where that matters once an element type. */
struct subject {
    const struct kernel *kernel;
    const struct numbers *numbers;
};

static struct subject subject_of(void **state)
{
    const struct subject *subject = *state;
    return *subject;
}

/* Instead of all tests of a kernel. */
static void test_missing(void **state)
{
    printf("# this processor has no '%s'\n", subject_of(state).kernel->name);
    fflush(stdout);
    skip();
}

/* The plain kernel need not be compared with itself. */
static bool is_plain(struct subject subject)
{
    return subject.kernel == plain_kernel();
}

static struct dice subject_dice(struct subject subject, const char *use)
{
    struct dice dice = dice_for(use);
    dice.state ^= subject.numbers->bytes;
    return dice;
}

/* So many times as much where asked for. */
static int times(int rounds)
{
    return test_exhaustively() ? 20 * rounds : rounds;
}

/* Casts that are measured at once. */
struct batch {
    struct plan plans[MOST_CASTS];
    size_t count;
};

static void batch_add(struct batch *batch, const struct cast *cast)
{
    batch->plans[batch->count++] = plan_cast(cast);
}

/* The last ones leave every float32 below the least number or above the largest. */
static const int scales[] = {0, 3, -4, 24, -24, 100, -100, 149, -149, 200, 1023, -1023};

/* All formats, policies and scales, one after the other; false at the end. */
static bool table_cast(size_t index, enum rounding rounding, struct cast *cast)
{
    size_t formats = test_format_count();
    if (index >= formats * 2 * LENGTH(scales))
        return false;
    *cast = (struct cast){.format = test_format(index % formats),
                          .saturate = index / formats % 2,
                          .scale = scales[index / formats / 2],
                          .rounding = rounding,
                          .key = index};
    return true;
}

static struct cast some_cast(struct dice *dice, enum rounding rounding)
{
    struct cast cast;
    table_cast(dice_below(dice, test_format_count() * 2 * LENGTH(scales)), rounding, &cast);
    cast.key = dice_u64(dice);
    return cast;
}

/* How many elements the fast kernels take together: the most of a call, of the wider type fewer. */
static size_t block_of(const struct numbers *numbers)
{
    return numbers->bytes == sizeof(float) ? BLOCK : BLOCK / 4;
}

/* Small, a block, a little more and less, several. */
static size_t some_length(struct dice *dice, size_t block, size_t most)
{
    size_t n = block;
    switch (dice_below(dice, 6)) {
    case 0:
    case 1:
        n = dice_below(dice, 71);
        break;
    case 2:
        n = dice_below(dice, block / 4);
        break;
    case 3:
        n = block - 2 + dice_below(dice, 5);
        break;
    case 4:
        n = dice_below(dice, 2 * block + 6);
        break;
    }
    return n < most ? n : most;
}

static uint64_t some_position(struct dice *dice, size_t n)
{
    static const uint64_t positions[] = {0, 1, UINT32_MAX, UINT64_C(1) << 53, INT64_MAX};
    if (dice_below(dice, 4))
        return dice_below(dice, 100000);
    uint64_t position = positions[dice_below(dice, LENGTH(positions))];
    return position < n ? position : position - n / 2;
}

static void run_batch(struct subject subject, struct dice *dice, const struct batch *batch,
                      size_t most)
{
    static double x[3 * BLOCK];
    for (size_t k = 0; k < data_kind_count; k++) {
        struct data_source source = {dice, subject.numbers,
                                     &batch->plans[dice_below(dice, batch->count)].cast};
        size_t n = some_length(dice, block_of(subject.numbers), most);
        data_kinds[k].fill(&source, x, n);
        struct trial trial = {.kernel = subject.kernel,
                              .numbers = subject.numbers,
                              .data = data_kinds[k].name,
                              .x = x,
                              .n = n,
                              .first = some_position(dice, n),
                              .plans = batch->plans,
                              .plan_count = batch->count};
        assert_trial(&trial);
    }
}

static void run_table(struct subject subject, enum rounding rounding, size_t most)
{
    struct dice dice = subject_dice(subject, rounding_name(rounding));
    struct batch batch = {.count = 0};
    struct cast cast;
    for (size_t i = 0; table_cast(i, rounding, &cast); i++) {
        batch_add(&batch, &cast);
        if (batch.count < MOST_CASTS)
            continue;
        run_batch(subject, &dice, &batch, most);
        batch.count = 0;
    }
    if (batch.count)
        run_batch(subject, &dice, &batch, most);
}

static void test_table(void **state)
{
    struct subject subject = subject_of(state);
    if (!is_plain(subject))
        run_table(subject, ROUND_NEAREST_EVEN, SIZE_MAX);
}

static void test_table_of_other_modes(void **state)
{
    struct subject subject = subject_of(state);
    if (is_plain(subject))
        return;
    for (int rounding = 0; rounding < ROUND_COUNT; rounding++)
        if (rounding != ROUND_NEAREST_EVEN)
            run_table(subject, (enum rounding)rounding, 60);
}

/* Casts of any kind beside each other, in any order. */
static void test_random_casts(void **state)
{
    struct subject subject = subject_of(state);
    struct dice dice = subject_dice(subject, "random casts");
    if (is_plain(subject))
        return;
    for (int round = 0; round < times(40); round++) {
        struct batch batch = {.count = 0};
        size_t count = dice_below(&dice, MOST_CASTS) + 1;
        while (batch.count < count) {
            enum rounding rounding = ROUND_NEAREST_EVEN;
            if (dice_below(&dice, 8) == 0)
                rounding = (enum rounding)dice_below(&dice, ROUND_COUNT);
            struct cast cast = some_cast(&dice, rounding);
            if (dice_below(&dice, 2))
                cast.scale = dice_between(&dice, -200, 200);
            batch_add(&batch, &cast);
        }
        run_batch(subject, &dice, &batch, SIZE_MAX);
    }
}

/* Several blocks with candidates for the extremes in each: more, as much, and a little less. */
static void test_extremes(void **state)
{
    static const char *const kinds[] = {"near ratios", "near ratios", "near ratios", "twins",
                                        "increasing",  "ties",        "constant"};
    static double x[4 * BLOCK];
    struct subject subject = subject_of(state);
    struct dice dice = subject_dice(subject, "extremes");
    if (is_plain(subject))
        return;
    for (size_t f = 0; f < test_format_count(); f++)
        for (size_t k = 0; k < LENGTH(kinds) * (size_t)times(1); k++) {
            struct cast cast = {.format = test_format(f),
                                .scale = dice_below(&dice, 2) ? 0 : dice_between(&dice, -90, 90),
                                .saturate = dice_below(&dice, 4) == 0};
            struct batch batch = {.count = 0};
            batch_add(&batch, &cast);
            struct data_source source = {&dice, subject.numbers, &cast};
            size_t n = LENGTH(x) - dice_below(&dice, 3 * BLOCK);
            data_kind(kinds[k % LENGTH(kinds)])->fill(&source, x, n);
            struct trial trial = {.kernel = subject.kernel,
                                  .numbers = subject.numbers,
                                  .data = kinds[k % LENGTH(kinds)],
                                  .x = x,
                                  .n = n,
                                  .plans = batch.plans,
                                  .plan_count = batch.count};
            assert_trial(&trial);
        }
}

/* No cast at all: the input alone. */
static void test_no_casts(void **state)
{
    struct subject subject = subject_of(state);
    struct dice dice = subject_dice(subject, "no casts");
    struct cast target = {.format = format_by_name("bf16")};
    struct data_source source = {&dice, subject.numbers, &target};
    for (size_t k = 0; k < data_kind_count; k++) {
        double x[BLOCK + 3];
        data_kinds[k].fill(&source, x, LENGTH(x));
        struct trial trial = {.kernel = subject.kernel,
                              .numbers = subject.numbers,
                              .data = data_kinds[k].name,
                              .x = x,
                              .n = LENGTH(x)};
        assert_trial(&trial);
    }
}

/* Casts that make a block hard: emin in its middle, at its ends, above it; most of it overflowing;
 * a precision that float32 arithmetic cannot round to. `top` is the exponent of its largest. */
static void hard_casts(struct batch *batch, int top)
{
    const struct {
        const char *format;
        int emin, emax; /* the one that is not 0 is set, relative to top */
        bool saturate;
    } wanted[] = {
        {"bf16", -125, 0, false}, {"fp16", -10, 0, false}, {"e4m3fn", -19, 0, false},
        {"e5m2", -1, 0, false},   {"fp16", 5, 0, false},   {"e2m3", 0, -1, false},
        {"bf16", 0, -2, true},    {"e8m22", -8, 0, false}, {"e8m21", -5, 0, false},
    };
    batch->count = 0;
    for (size_t i = 0; i < LENGTH(wanted); i++) {
        struct cast cast = {.format = format_by_name(wanted[i].format),
                            .saturate = wanted[i].saturate};
        if (wanted[i].emin)
            cast.scale = cast.format.emin - (top + wanted[i].emin);
        else
            cast.scale = cast.format.emax - (top + wanted[i].emax);
        if (abs(cast.scale) <= SCALE_LIMIT)
            batch_add(batch, &cast);
    }
}

enum window_pattern {
    ALL_LARGEST,
    ALL_SMALLEST, /* but one */
    ENDS,
    BETWEEN,
    TIES_BELOW,
    PATTERN_COUNT
};

/* In the binade, of 1 to 24 significant bits: a middle of two numbers in many formats. */
static double short_number(struct dice *dice, int exponent)
{
    int bits = dice_between(dice, 0, 23);
    uint64_t low = dice_below(dice, UINT64_C(1) << bits) | (bits > 0);
    return ldexp((double)((UINT64_C(1) << bits) + low), exponent - bits);
}

/* A block whose exponents go from `bottom` to `top`, both attained. */
static void fill_window(const struct data_source *source, enum window_pattern pattern, int bottom,
                        int top, double *x, size_t n)
{
    struct dice *dice = source->dice;
    double largest = binade_end(source->numbers, top),
           smallest = number_next(source->numbers, ldexp(1, bottom), INFINITY);
    bool negative = dice_below(dice, 2), both = dice_below(dice, 2);
    for (size_t i = 0; i < n; i++) {
        switch (pattern) {
        case ALL_LARGEST:
            x[i] = largest;
            break;
        case ALL_SMALLEST:
            x[i] = smallest;
            break;
        case ENDS:
            x[i] = dice_below(dice, 2) ? largest : smallest;
            break;
        case BETWEEN:
            x[i] = fabs(random_number(source, dice_between(dice, bottom, top)));
            break;
        default:
            x[i] = number_of(source->numbers, short_number(dice, bottom));
        }
        if (both ? dice_below(dice, 2) : negative)
            x[i] = -x[i];
    }
    if (pattern != ALL_LARGEST)
        x[dice_below(dice, n / 2)] = negative ? -largest : largest;
    if (pattern != ALL_SMALLEST)
        x[n / 2 + dice_below(dice, n / 2)] = negative ? smallest : -smallest;
}

/* Every exponent of a float32; of a binary64 also those near its ends, and a few between. */
static int next_top(const struct numbers *numbers, int top)
{
    bool common = top >= -200 && top <= 200;
    bool near_end = top < numbers->least_exponent + 40 || top > numbers->last_exponent - 40;
    return numbers->bytes == sizeof(float) || common || near_end ? top + 1 : top + 13;
}

/* A window of binades is what sums are exact in: blocks just within one or several and just beyond,
 * at every exponent, with all lanes at the most or the least that they have to hold. */
static void test_window_limits(void **state)
{
    static const int widths[] = {15, 16, 17, 18, 19, 20, 21, 22, 34, 35,
                                 38, 39, 57, 58, 68, 69, 76, 77, 78};
    struct subject subject = subject_of(state);
    const struct numbers *numbers = subject.numbers;
    if (is_plain(subject))
        return;
    struct dice dice = subject_dice(subject, "window limits");
    size_t turn = 0, n = block_of(numbers);
    for (int top = numbers->least_exponent; top <= numbers->last_exponent;
         top = next_top(numbers, top)) {
        struct batch batch;
        hard_casts(&batch, top);
        for (size_t i = 0; i < 4; i++, turn++) {
            int bottom = number_exponent(numbers, top + 1 - widths[turn % LENGTH(widths)]);
            enum window_pattern pattern = (enum window_pattern)(turn % PATTERN_COUNT);
            double x[BLOCK];
            struct data_source source = {&dice, numbers, NULL};
            fill_window(&source, pattern, bottom, top, x, n);
            char what[60];
            snprintf(what, sizeof what, "2^%d to 2^%d, pattern %d", bottom, top, pattern);
            struct trial trial = {.kernel = subject.kernel,
                                  .numbers = numbers,
                                  .data = what,
                                  .x = x,
                                  .n = n,
                                  .plans = batch.plans,
                                  .plan_count = batch.count};
            assert_trial(&trial);
        }
    }
}

/* Nothing but the largest number of a binade, and nothing but one middle of two numbers, whose
 * errors are as large as errors are: the sums of a whole block at their limits. */
static void test_uniform_blocks(void **state)
{
    struct subject subject = subject_of(state);
    const struct numbers *numbers = subject.numbers;
    if (is_plain(subject))
        return;
    struct dice dice = subject_dice(subject, "uniform blocks");
    size_t n = block_of(numbers);
    for (int top = numbers->least_exponent; top <= numbers->last_exponent;
         top = next_top(numbers, top)) {
        struct batch batch;
        hard_casts(&batch, top);
        struct data_source source = {&dice, numbers,
                                     &batch.plans[dice_below(&dice, batch.count)].cast};
        double values[] = {binade_end(numbers, top), ldexp(1, top),
                           number_of(numbers, ldexp(1.5, top)), near_breakpoint(&source)};
        double value = values[dice_below(&dice, LENGTH(values))];
        double x[BLOCK];
        for (size_t i = 0; i < n; i++)
            x[i] = dice_below(&dice, 4) || i % 2 ? value : -value;
        struct trial trial = {.kernel = subject.kernel,
                              .numbers = numbers,
                              .data = "one magnitude",
                              .x = x,
                              .n = n - dice_below(&dice, 3),
                              .plans = batch.plans,
                              .plan_count = batch.count};
        assert_trial(&trial);
        for (size_t i = 0; i < n; i++)
            x[i] = values[0];
        trial.n = n;
        trial.data = "the largest of a binade";
        assert_trial(&trial);
    }
}

/* Counters last for a call: so many blocks in one that they have to be emptied in between, and
 * blocks whose exponents go up, down and apart, with zeros among them or without. */
static void test_long_calls(void **state)
{
    enum { BLOCKS = 70 };
    static const char *const formats[] = {"bf16", "fp16", "e4m3fn", "e5m2", "e8m22"};
    static const int steps[] = {0, 0, 0, 1, -1, 3, -4, 5, -16, 17},
                     widths[] = {1, 2, 9, 15, 16, 17, 31, 32, 33, 45};
    struct subject subject = subject_of(state);
    struct dice dice = subject_dice(subject, "long calls");
    if (is_plain(subject))
        return;
    double *x = allocate(BLOCKS * BLOCK, sizeof *x);
    struct batch batch = {.count = 0};
    for (size_t f = 0; f < LENGTH(formats); f++)
        batch_add(&batch, &(struct cast){.format = format_by_name(formats[f])});
    for (int constant = 0; constant < 2; constant++) {
        struct data_source source = {&dice, subject.numbers, NULL};
        int top = 0, width = 1;
        for (size_t b = 0; b < BLOCKS; b++) {
            if (!constant) {
                top = (top + steps[dice_below(&dice, LENGTH(steps))]) % 50;
                width = widths[dice_below(&dice, LENGTH(widths))];
            }
            bool zeros = !constant && dice_below(&dice, 4) == 0;
            for (size_t i = 0; i < BLOCK; i++)
                x[b * BLOCK + i] =
                    constant ? 0x1.234568p-3
                    : zeros && dice_below(&dice, 3) == 0
                        ? 0
                        : random_number(&source, dice_between(&dice, top + 1 - width, top));
        }
        struct trial trial = {.kernel = subject.kernel,
                              .numbers = subject.numbers,
                              .data = constant ? "one number" : "exponents up and down",
                              .x = x,
                              .n = BLOCKS * BLOCK - dice_below(&dice, 2 * BLOCK),
                              .plans = batch.plans,
                              .plan_count = batch.count};
        assert_trial(&trial);
    }
    free(x);
}

/* Pages that must not be touched before and after `bytes` bytes. */
struct guarded {
    unsigned char *map, *data;
    size_t bytes, page;
};

static struct guarded guard(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct guarded g = {.bytes = (bytes + page - 1) / page * page, .page = page};
    g.map = mmap(NULL, g.bytes + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    g.data = g.map + page;
    if (g.bytes)
        assert_int_equal(mprotect(g.data, g.bytes, PROT_READ | PROT_WRITE), 0);
    return g;
}

static void unguard(struct guarded *g)
{
    munmap(g->map, g->bytes + 2 * g->page);
}

static void some_batch(struct dice *dice, struct batch *batch)
{
    static const char *const formats[] = {"bf16", "fp16", "e2m1", "e8m22"};
    batch->count = 0;
    for (size_t i = 0; i < LENGTH(formats); i++) {
        struct cast cast = {.format = format_by_name(formats[i]),
                            .scale = dice_below(dice, 2) ? 0 : dice_between(dice, -40, 40),
                            .saturate = dice_below(dice, 2)};
        batch_add(batch, &cast);
    }
}

/* The same elements at the start of the room and 0 .. 3 bytes before its end. */
static void check_places(struct subject subject, struct dice *dice, struct guarded *room,
                         const char *kind, size_t n)
{
    const struct numbers *numbers = subject.numbers;
    double *x = allocate(n + 1, sizeof *x);
    struct batch batch;
    some_batch(dice, &batch);
    struct data_source source = {dice, numbers, &batch.plans->cast};
    data_kind(kind)->fill(&source, x, n);
    struct tally *got = tally_new(batch.count, NULL), *wanted = tally_new(batch.count, NULL);
    measure_numbers(plain_kernel(), numbers, x, n, 7, batch.plans, batch.count, wanted);
    for (size_t place = 0; place < 5; place++) {
        unsigned char *at = room->data;
        if (place < 4)
            at += room->bytes - n * numbers->bytes - place;
        numbers_store(numbers, x, n, at);
        tally_reset(got, batch.count);
        measure_bytes(subject.kernel, numbers, at, n, 7, batch.plans, batch.count, got);
        char what[80];
        snprintf(what, sizeof what, "%s, %zu of %s, place %zu", subject.kernel->name, n, kind,
                 place);
        assert_same_tally(got, wanted, batch.plans, what);
    }
    free(got);
    free(wanted);
    free(x);
}

/* Every small length, and those round a block, at every alignment, against either guard page. */
static void test_lengths(void **state)
{
    static const size_t long_ones[] = {BLOCK / 2 - 1, BLOCK / 2 + 1, BLOCK - 33,   BLOCK - 1,
                                       BLOCK,         BLOCK + 1,     2 * BLOCK + 5};
    static const char *const kinds[] = {"any bits", "weights", "log-uniform", "breakpoints"};
    enum { SHORT_ONES = 71 };
    struct subject subject = subject_of(state);
    struct dice dice = subject_dice(subject, "lengths");
    for (size_t index = 0; index < SHORT_ONES + LENGTH(long_ones); index++) {
        size_t n = index < SHORT_ONES ? index : long_ones[index - SHORT_ONES];
        struct guarded room = guard(n * subject.numbers->bytes + 4);
        for (size_t k = 0; k < LENGTH(kinds); k++)
            check_places(subject, &dice, &room, kinds[k], n);
        unguard(&room);
    }
}

/* The floating-point environments that a process may be left with. */
struct environment {
    const char *name;
    int rounding;
    bool flush; /* subnormal numbers to zero, as input and as result; x86 only */
};

static const struct environment environments[] = {
    {"toward zero", FE_TOWARDZERO, false}, {"up", FE_UPWARD, false},
    {"down", FE_DOWNWARD, false},          {"flushing", FE_TONEAREST, true},
    {"flushing, down", FE_DOWNWARD, true},
};

enum { FLUSH_TO_ZERO_AND_DENORMALS_ARE_ZERO = 0x8040 };

static void enter(const struct environment *environment)
{
    fesetround(environment->rounding);
#if defined(__x86_64__)
    if (environment->flush)
        _mm_setcsr(_mm_getcsr() | FLUSH_TO_ZERO_AND_DENORMALS_ARE_ZERO);
#endif
}

static unsigned control_word(void)
{
#if defined(__x86_64__)
    return _mm_getcsr();
#else
    return (unsigned)fegetround();
#endif
}

static const char *const environment_kinds[] = {"subnormal",   "subnormal grid", "any bits",
                                                "breakpoints", "around max",     "limits"};

static void in_environment(struct subject subject, const struct environment *environment,
                           struct dice *dice, const char *kind)
{
    const struct numbers *numbers = subject.numbers;
    enum { N = BLOCK + 77 };
    double x[N];
    struct batch batch = {.count = 0};
    for (size_t i = 0; i < 6; i++) {
        struct cast cast = some_cast(dice, i ? ROUND_NEAREST_EVEN : ROUND_STOCHASTIC);
        batch_add(&batch, &cast);
    }
    struct data_source source = {dice, numbers, &batch.plans->cast};
    data_kind(kind)->fill(&source, x, N);
    struct tally *got = tally_new(batch.count, NULL), *wanted = tally_new(batch.count, NULL);
    measure_numbers(plain_kernel(), numbers, x, N, 3, batch.plans, batch.count, wanted);
    unsigned char bytes[N * sizeof *x];
    numbers_store(numbers, x, N, bytes);

    fenv_t before;
    fegetenv(&before);
    enter(environment);
    unsigned control = control_word();
    measure_bytes(subject.kernel, numbers, bytes, N, 3, batch.plans, batch.count, got);
    unsigned control_after = control_word();
    int rounding = fegetround();
    fesetenv(&before);

    char what[100];
    snprintf(what, sizeof what, "%s, %s, rounding %s", subject.kernel->name, kind,
             environment->name);
    assert_int_equal(control, control_after);
    assert_int_equal(rounding, environment->rounding);
    assert_same_tally(got, wanted, batch.plans, what);
    free(got);
    free(wanted);
}

static void test_environment(void **state)
{
    struct subject subject = subject_of(state);
    struct dice dice = subject_dice(subject, "environment");
    for (size_t e = 0; e < LENGTH(environments); e++)
        for (size_t k = 0; k < LENGTH(environment_kinds); k++)
            in_environment(subject, &environments[e], &dice, environment_kinds[k]);
}

/* A tensor cut into calls. */
struct piece {
    size_t start, n;
};

static size_t cut(struct dice *dice, size_t n, struct piece *pieces)
{
    size_t count = 0, longest = dice_below(dice, 2) ? 2 * BLOCK : 300;
    for (size_t at = 0; at < n; count++) {
        size_t length = 1 + dice_below(dice, longest);
        if (length > n - at)
            length = n - at;
        pieces[count] = (struct piece){at, length};
        at += length;
    }
    for (size_t i = count; i > 1; i--) {
        size_t j = dice_below(dice, i);
        struct piece piece = pieces[j];
        pieces[j] = pieces[i - 1];
        pieces[i - 1] = piece;
    }
    return count;
}

/* What updates add up to, with elements and updates that are of a size or are anything. */
struct update_case {
    struct cast cast;
    struct update_plan plan;
    const struct numbers *numbers, *update_numbers; /* the latter NULL: a constant */
    double constant;
};

static double some_factor(struct dice *dice)
{
    double power = ldexp(1, dice_between(dice, -30, 5));
    switch (dice_below(dice, 5)) {
    case 0:
        return 1;
    case 1:
        return dice_below(dice, 2) ? power : -power; /* ties */
    case 2:
        return ldexp(dice_real(dice) - 0.5, dice_between(dice, -1000, 900));
    default:
        return power * (dice_real(dice) - 0.5);
    }
}

static struct update_case some_update(struct dice *dice, const struct numbers *numbers)
{
    bool other_mode = dice_below(dice, 10) == 0;
    struct update_case c = {.numbers = numbers};
    c.cast = some_cast(dice, other_mode ? (enum rounding)dice_below(dice, ROUND_COUNT)
                                        : ROUND_NEAREST_EVEN);
    if (dice_below(dice, 4) == 0)
        c.cast.scale = dice_between(dice, -140, 140);
    c.plan = (struct update_plan){.rule = UPDATE_ADD, .scale = some_factor(dice), .sample = 1};
    if (dice_below(dice, 2))
        c.update_numbers = dice_below(dice, 3) ? &f32_numbers : &f64_numbers;
    c.constant = dice_below(dice, 10) ? some_factor(dice) : 0;
    return c;
}

static void measure_updates(const struct kernel *kernel, const struct update_case *c,
                            const double *x, const double *g, size_t n, uint64_t first,
                            struct update_measure *into)
{
    static double x_room[4 * BLOCK], g_room[4 * BLOCK];
    struct dtype dtype, update_dtype;
    struct error error;
    struct plan plan = plan_cast(&c->cast);
    dtype_find(c->numbers->dtype, 3, &dtype, &error);
    struct decoder decoder = decoder_open(kernel, &dtype, false), update_decoder = {0};
    struct update_values values = {.elements = g_room, .constant = c->constant};
    numbers_store(c->numbers, x, n, x_room);
    if (c->update_numbers) {
        dtype_find(c->update_numbers->dtype, 3, &update_dtype, &error);
        update_decoder = decoder_open(kernel, &update_dtype, false);
        numbers_store(c->update_numbers, g, n, g_room);
        values.decoder = &update_decoder;
    }
    kernel_update(kernel, &decoder, x_room, n, first, &values, &c->plan, &plan, into, NULL, 1);
    decoder_close(&decoder);
    decoder_close(&update_decoder);
}

static bool same_updates(struct update_measure *a, struct update_measure *b)
{
    bool same = a->count == b->count && a->overflow == b->overflow && a->lost == b->lost &&
                a->at_once == b->at_once && a->never == b->never &&
                memcmp(a->threshold, b->threshold, sizeof a->threshold) == 0;
    for (int s = 0; s < UPDATE_SUMS; s++) {
        exact_sum_subtract(&a->sum[s], &b->sum[s]);
        same &= exact_is_zero(&a->sum[s]);
    }
    return same;
}

static void test_updates(void **state)
{
    static double x[4 * BLOCK], g[4 * BLOCK];
    static struct update_measure got, wanted;
    struct subject subject = subject_of(state);
    struct dice dice = subject_dice(subject, "updates");
    if (is_plain(subject))
        return;
    for (int round = 0; round < times(15); round++)
        for (size_t k = 0; k < data_kind_count; k++) {
            struct update_case c = some_update(&dice, subject.numbers);
            struct data_source source = {&dice, subject.numbers, &c.cast};
            size_t n = dice_below(&dice, dice_below(&dice, 4) ? 1000 : 2 * BLOCK);
            uint64_t first = dice_below(&dice, UINT64_C(1) << 40);
            data_kinds[k].fill(&source, x, n);
            if (c.update_numbers)
                source.numbers = c.update_numbers;
            data_kinds[dice_below(&dice, data_kind_count)].fill(&source, g, n);
            memset(&got, 0, sizeof got);
            memset(&wanted, 0, sizeof wanted);
            measure_updates(subject.kernel, &c, x, g, n, first, &got);
            measure_updates(plain_kernel(), &c, x, g, n, first, &wanted);
            if (!same_updates(&got, &wanted))
                fail_msg("%s: %s, %zu elements to %s, scale 2^%d, by %a times %a",
                         subject.kernel->name, data_kinds[k].name, n, c.cast.format.name,
                         c.cast.scale, c.plan.scale, c.update_numbers ? 0.0 : c.constant);
        }
}

static void measure_piece(struct subject subject, const double *x, uint64_t first,
                          const struct batch *batch, struct piece piece, struct tally *into)
{
    measure_numbers(subject.kernel, subject.numbers, x + piece.start, piece.n, first + piece.start,
                    batch->plans, batch->count, into);
}

/* The pieces into tallies of their own, and these merged two by two. */
static struct tally *measure_merged(struct subject subject, struct dice *dice, const double *x,
                                    uint64_t first, const struct batch *batch,
                                    const struct piece *pieces, size_t count)
{
    struct tally **tallies = allocate(count, sizeof *tallies);
    for (size_t p = 0; p < count; p++) {
        tallies[p] = tally_new(batch->count, NULL);
        measure_piece(subject, x, first, batch, pieces[p], tallies[p]);
    }
    for (; count > 1; count--) {
        size_t into = dice_below(dice, count - 1);
        tally_merge(tallies[into], tallies[count - 1]);
        free(tallies[count - 1]);
        struct tally *merged = tallies[into]; /* any of them may be the next */
        tallies[into] = tallies[0];
        tallies[0] = merged;
    }
    struct tally *all = tallies[0];
    free(tallies);
    return all;
}

static void test_cutting(void **state)
{
    enum { MOST = 3 * BLOCK };
    static double x[MOST];
    static struct piece pieces[MOST];
    struct subject subject = subject_of(state);
    struct dice dice = subject_dice(subject, "cutting");
    for (int round = 0; round < times(2); round++)
        for (size_t k = 0; k < data_kind_count; k++) {
            struct batch batch = {.count = 0};
            for (size_t i = 0; i < 5; i++) {
                struct cast cast = some_cast(&dice, i ? ROUND_NEAREST_EVEN : ROUND_STOCHASTIC);
                batch_add(&batch, &cast);
            }
            struct data_source source = {&dice, subject.numbers, &batch.plans[1].cast};
            size_t n = 1 + dice_below(&dice, MOST);
            uint64_t first = some_position(&dice, n);
            data_kinds[k].fill(&source, x, n);
            struct tally *whole = tally_new(batch.count, NULL),
                         *same = tally_new(batch.count, NULL);
            measure_numbers(plain_kernel(), subject.numbers, x, n, first, batch.plans, batch.count,
                            whole);

            size_t count = cut(&dice, n, pieces);
            struct tally *merged = measure_merged(subject, &dice, x, first, &batch, pieces, count);
            char what[100];
            snprintf(what, sizeof what, "%s, %s, %zu in %zu pieces", subject.kernel->name,
                     data_kinds[k].name, n, count);
            assert_same_tally(merged, whole, batch.plans, what);
            for (size_t p = 0; p < count; p++)
                measure_piece(subject, x, first, &batch, pieces[p], same);
            assert_same_tally(same, whole, batch.plans, what);
            free(whole);
            free(same);
            free(merged);
        }
}

/* A tensor in a file's own type. */
struct encoded {
    struct dtype dtype;
    bool big_endian;
    size_t n;
    unsigned char *bytes; /* at any alignment */
    double *values;       /* decoded by format_decode */
};

static const char *const dtype_names[] = {"f64",         "f32",      "f16",      "bf16", "e4m3fn",
                                          "e5m2",        "e4m3fnuz", "e5m2fnuz", "e3m4", "e4m3ieee",
                                          "e4m3b11fnuz", "e2m3",     "e3m2",     "e2m1"};

/* Code words below the largest of the type, so that of a 4-bit type's byte the rest is 0. */
static void encode(struct encoded *tensor, uint64_t word, size_t i)
{
    const struct format *format = &tensor->dtype.format;
    int width = format->exponent_bits + format->precision, bytes = tensor->dtype.bytes;
    if (width < 64)
        word &= (UINT64_C(1) << width) - 1;
    tensor->values[i] = format_decode(format, word);
    for (int b = 0; b < bytes; b++) {
        int place = tensor->big_endian ? bytes - 1 - b : b;
        tensor->bytes[i * (size_t)bytes + (size_t)place] = (unsigned char)(word >> (8 * b));
    }
}

/* Every code of a type of up to two bytes, in order or not; any bits of a longer one. */
static void fill_encoded(struct dice *dice, struct encoded *tensor)
{
    bool ordered = tensor->dtype.bytes <= 2 && dice_below(dice, 2);
    uint64_t start = dice_u64(dice);
    for (size_t i = 0; i < tensor->n; i++)
        encode(tensor, ordered ? start + i : dice_u64(dice), i);
}

/* What a measurement of the tensor must be: that of the decoded values as binary64. */
static void measure_decoded(const struct encoded *tensor, const struct batch *batch,
                            struct tally *into)
{
    plain_kernel()->f64(tensor->values, tensor->n, 5, &into->input, batch->plans, into->casts,
                        batch->count);
}

struct visited {
    const double *values;
    size_t n;
};

static void compare_decoded(void *context, const double *x, size_t n)
{
    struct visited *visited = context;
    for (size_t i = 0; i < n; i++) {
        double wanted = visited->values[visited->n + i];
        bool same = isnan(wanted) ? isnan(x[i]) && !signbit(x[i]) == !signbit(wanted)
                                  : double_bits(x[i]) == double_bits(wanted);
        if (!same)
            fail_msg("element %zu is %a, not %a", visited->n + i, x[i], wanted);
    }
    visited->n += n;
}

static void check_encoded(const struct kernel *kernel, const struct encoded *tensor,
                          const struct batch *batch)
{
    struct decoder decoder = decoder_open(kernel, &tensor->dtype, tensor->big_endian);
    struct visited visited = {.values = tensor->values};
    kernel_decode(kernel, &decoder, tensor->bytes, tensor->n, compare_decoded, &visited);
    assert_int_equal(visited.n, tensor->n);

    struct tally *got = tally_new(batch->count, NULL), *wanted = tally_new(batch->count, NULL);
    kernel_measure(kernel, &decoder, tensor->bytes, tensor->n, 5, &got->input, batch->plans,
                   got->casts, batch->count);
    measure_decoded(tensor, batch, wanted);
    char what[100];
    snprintf(what, sizeof what, "%s, %zu of %s, %s-endian", kernel->name, tensor->n,
             tensor->dtype.name, tensor->big_endian ? "big" : "little");
    assert_same_tally(got, wanted, batch->plans, what);
    free(got);
    free(wanted);
    decoder_close(&decoder);
}

static void test_dtypes(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 7, 8, 9, 31, 33, 255, BLOCK - 1, BLOCK + 1, 66000};
    const struct kernel *kernel = subject_of(state).kernel;
    struct dice dice = dice_for("dtypes");
    struct batch batch;
    for (size_t d = 0; d < LENGTH(dtype_names); d++)
        for (size_t l = 0; l < LENGTH(lengths); l++)
            for (int variant = 0; variant < 4; variant++) {
                struct encoded tensor = {.dtype = dtype_by_name(dtype_names[d]),
                                         .big_endian = variant & 1,
                                         .n = lengths[l]};
                bool all_codes = tensor.n > 2 * BLOCK;
                if (all_codes && (variant > 1 || tensor.dtype.bytes != 2))
                    continue;
                /* Exactly as long as it is, before a guard page or, moved by a byte, near it. */
                size_t bytes = tensor.n * (size_t)tensor.dtype.bytes;
                struct guarded room = guard(bytes + 1);
                tensor.bytes = room.data + room.bytes - bytes - (size_t)(variant >> 1);
                tensor.values = allocate(tensor.n + 1, sizeof *tensor.values);
                fill_encoded(&dice, &tensor);
                some_batch(&dice, &batch);
                check_encoded(kernel, &tensor, &batch);
                free(tensor.values);
                unguard(&room);
            }
}

/* Codes as MPFR has them, every byte of them and no other. */
static void check_codes(const struct kernel *kernel, const struct encoded *tensor,
                        const struct cast *cast)
{
    size_t bytes = (size_t)cast->format.code_bytes;
    struct guarded room = guard(tensor->n * bytes + 1);
    unsigned char *codes = room.data + room.bytes - tensor->n * bytes;
    codes[-1] = 0xa5;
    struct decoder decoder = decoder_open(kernel, &tensor->dtype, tensor->big_endian);
    struct plan plan = plan_cast(cast);
    struct encoder encoder = encoder_open(&plan);
    kernel_encode(kernel, &decoder, tensor->bytes, tensor->n, 5, &encoder, codes);
    decoder_close(&decoder);
    assert_int_equal(codes[-1], 0xa5);
    for (size_t i = 0; i < tensor->n; i++) {
        uint64_t wanted = reference_cast(cast, tensor->values[i], 5 + i).code, code = 0;
        for (size_t b = 0; b < bytes; b++)
            code |= (uint64_t)codes[i * bytes + b] << (8 * b);
        if (code != wanted)
            fail_msg("%s, %s from %s, %s, scale %d, key %llu: %a became 0x%llx, not 0x%llx",
                     kernel->name, cast->format.name, tensor->dtype.name,
                     rounding_name(cast->rounding), cast->scale, (unsigned long long)cast->key,
                     tensor->values[i], (unsigned long long)code, (unsigned long long)wanted);
    }
    unguard(&room);
}

/* Elements of the tensor's type next to breakpoints of the cast, among any bits. */
static void fill_for_cast(struct dice *dice, struct encoded *tensor, const struct cast *cast)
{
    struct data_source source = {dice, tensor->dtype.bytes == 8 ? &f64_numbers : &f32_numbers,
                                 cast};
    for (size_t i = 0; i < tensor->n; i++) {
        double near = near_breakpoint(&source);
        uint64_t word = dice_u64(dice);
        if (dice_below(dice, 2) && tensor->dtype.bytes == 8)
            word = double_bits(near);
        else if (dice_below(dice, 2) && tensor->dtype.bytes == 4)
            word = float_bits((float)near);
        encode(tensor, word, i);
    }
}

static void test_codes(void **state)
{
    enum { MOST = 2100 };
    const struct kernel *kernel = subject_of(state).kernel;
    struct dice dice = dice_for("codes");
    struct encoded tensor = {.bytes = allocate(MOST, 8), .values = allocate(MOST, 8)};
    for (int round = 0; round < times(1); round++)
        for (size_t f = 0; f < test_format_count(); f++)
            for (int rounding = 0; rounding < ROUND_COUNT; rounding++) {
                struct cast cast = {.format = test_format(f),
                                    .rounding = (enum rounding)rounding,
                                    .saturate = dice_below(&dice, 2),
                                    .scale = scales[dice_below(&dice, LENGTH(scales))],
                                    .key = dice_u64(&dice)};
                size_t kind = dice_below(&dice, 2) ? dice_below(&dice, 2)
                                                   : dice_below(&dice, LENGTH(dtype_names));
                tensor.dtype = dtype_by_name(dtype_names[kind]);
                tensor.big_endian = dice_below(&dice, 2);
                tensor.n = dice_below(&dice, 8) ? dice_below(&dice, 500) : MOST;
                fill_for_cast(&dice, &tensor, &cast);
                check_codes(kernel, &tensor, &cast);
            }
    free(tensor.bytes);
    free(tensor.values);
}

/* Numbers from all over float32 by the short way and by the definition. */
static size_t check_short_codes(const struct cast *cast, uint32_t start, uint32_t step, size_t n)
{
    struct plan plan = plan_cast(cast);
    struct encoder encoder = encoder_open(&plan);
    if (!encoder.is_short)
        return 0;
    float x[64];
    unsigned char codes[4 * LENGTH(x)];
    size_t bytes = (size_t)cast->format.code_bytes;
    for (size_t done = 0; done < n; done += LENGTH(x)) {
        for (size_t i = 0; i < LENGTH(x); i++, start += step)
            x[i] = float_from_bits(start);
        encode_f32(&encoder, x, LENGTH(x), 0, codes);
        for (size_t i = 0; i < LENGTH(x); i++) {
            struct outcome outcome = cast_element(cast, x[i], 0);
            uint64_t wanted = outcome_code(cast, &outcome), code = 0;
            for (size_t b = 0; b < bytes; b++)
                code |= (uint64_t)codes[i * bytes + b] << (8 * b);
            if (code != wanted)
                fail_msg("%s, scale %d, %s: %a became 0x%llx, not 0x%llx", cast->format.name,
                         cast->scale, cast->saturate ? "saturate" : "inf", x[i],
                         (unsigned long long)code, (unsigned long long)wanted);
        }
    }
    return 1;
}

static void test_short_codes(void **state)
{
    struct dice dice = dice_for("short codes");
    struct cast cast;
    size_t count = 0, n = test_exhaustively() ? 1 << 22 : 1 << 14;
    (void)state;
    for (size_t i = 0; table_cast(i, ROUND_NEAREST_EVEN, &cast); i++) {
        uint32_t start = (uint32_t)dice_u64(&dice), step = (uint32_t)((UINT64_C(1) << 32) / n | 1);
        count += check_short_codes(&cast, start, step, n);
    }
    assert_in_range(count, 100, 10000);
}

/* Reading, encoding and what is made once a tensor, with subnormal numbers flushed or another
 * rounding direction set. */
static void test_dtypes_in_environment(void **state)
{
    enum { N = 700 };
    const struct kernel *kernel = subject_of(state).kernel;
    struct dice dice = dice_for("dtypes in environment");
    struct encoded tensor = {.n = N, .bytes = allocate(N, 8), .values = allocate(N, 8)};
    for (size_t e = 0; e < LENGTH(environments); e++)
        for (size_t d = 0; d < LENGTH(dtype_names); d++) {
            struct cast cast = some_cast(&dice, ROUND_NEAREST_EVEN);
            cast.format = format_by_name("tf32");
            cast.scale = 0;
            tensor.dtype = dtype_by_name(dtype_names[d]);
            fill_encoded(&dice, &tensor);
            if (dice_below(&dice, 2) && tensor.dtype.bytes == 2)
                for (size_t i = 0; i < N; i++) /* subnormal */
                    encode(&tensor, i & 0x7f, i);
            uint64_t wanted[N];
            uint32_t codes[N];
            for (size_t i = 0; i < N; i++)
                wanted[i] = reference_cast(&cast, tensor.values[i], 5 + i).code;
            fenv_t before;
            fegetenv(&before);
            enter(&environments[e]);
            struct decoder decoder = decoder_open(kernel, &tensor.dtype, false);
            struct plan plan = plan_cast(&cast);
            struct encoder encoder = encoder_open(&plan);
            kernel_encode(kernel, &decoder, tensor.bytes, N, 5, &encoder, (unsigned char *)codes);
            fesetenv(&before);
            decoder_close(&decoder);
            for (size_t i = 0; i < N; i++)
                if (load_le32(&codes[i]) != wanted[i])
                    fail_msg("%s, %s, rounding %s: %a became 0x%x, not 0x%x", kernel->name,
                             tensor.dtype.name, environments[e].name, tensor.values[i], codes[i],
                             (unsigned)wanted[i]);
        }
    free(tensor.bytes);
    free(tensor.values);
}

/* The first number to overflow is so by MPFR, and the one before it is not. */
static bool is_threshold(const struct cast *cast, double first, double last)
{
    return (isinf(first) || reference_cast(cast, first, 0).class == CLASS_OVERFLOW) &&
           reference_cast(cast, last, 0).class != CLASS_OVERFLOW;
}

/* In whatever environment. */
static void test_plans(void **state)
{
    (void)state;
    struct cast cast;
    for (size_t e = 0; e <= LENGTH(environments); e++)
        for (size_t i = 0; table_cast(i, ROUND_NEAREST_EVEN, &cast); i++) {
            fenv_t before;
            fegetenv(&before);
            if (e)
                enter(&environments[e - 1]);
            struct plan plan = plan_cast(&cast);
            fesetenv(&before);
            const char *rounding = e ? environments[e - 1].name : "to nearest";
            float narrow = float_from_bits(plan.overflow_f32);
            double wide = double_from_bits(plan.overflow_f64);
            if (!is_threshold(&cast, narrow, nextafterf(narrow, 0)) ||
                !is_threshold(&cast, wide, nextafter(wide, 0)))
                fail_msg("%s, scale %d, rounding %s: overflow from %a and %a", cast.format.name,
                         cast.scale, rounding, narrow, wide);
        }
}

static void test_finding(void **state)
{
    (void)state;
    const struct kernel *kernel;
    struct error error;
    assert_string_equal(plain_kernel()->name, "scalar");
    assert_true(plain_kernel()->available());
    for (size_t i = 0; i < kernel_count; i++) {
        bool found = kernel_find(kernel_table[i]->name, &kernel, &error);
        assert_int_equal(found, kernel_table[i]->available());
        assert_true(!found || kernel == kernel_table[i]);
    }
    assert_true(kernel_find("auto", &kernel, &error));
    for (size_t i = 0; kernel_table[i] != kernel; i++)
        assert_false(kernel_table[i]->available());
    assert_false(kernel_find("sse9", &kernel, &error));
    assert_false(kernel_find("", &kernel, &error));
}

typedef void test_function(void **state);

static const struct {
    const char *name;
    test_function *run;
    bool each_type;
} tests_of_each[] = {
    {"lengths, alignments, guard pages", test_lengths, true},
    {"no casts", test_no_casts, true},
    {"window limits", test_window_limits, true},
    {"uniform blocks", test_uniform_blocks, true},
    {"long calls", test_long_calls, true},
    {"formats, policies, scales", test_table, true},
    {"formats, policies, scales in other modes", test_table_of_other_modes, true},
    {"random casts together", test_random_casts, true},
    {"extremes", test_extremes, true},
    {"floating-point environments", test_environment, true},
    {"pieces in any order", test_cutting, true},
    {"updates", test_updates, true},
    {"dtypes and byte orders", test_dtypes, false},
    {"codes", test_codes, false},
    {"dtypes in floating-point environments", test_dtypes_in_environment, false},
};

static const struct numbers *const number_types[] = {&f32_numbers, &f64_numbers};

static struct CMUnitTest name_test(const char *name, test_function *run,
                                   const struct kernel *kernel, const struct numbers *numbers)
{
    struct subject *subject = allocate(1, sizeof *subject);
    struct buffer text = {0};
    *subject = (struct subject){kernel, numbers};
    buffer_printf(&text, "%s%s%s: %s", kernel->name, numbers ? " " : "",
                  numbers ? numbers->dtype : "", name);
    return (struct CMUnitTest){.name = text.data, .test_func = run, .initial_state = subject};
}

/* The tests of one kernel; returns how many. */
static size_t list_tests(const struct kernel *kernel, struct CMUnitTest *tests)
{
    size_t count = 0;
    if (!kernel->available()) {
        tests[count++] = name_test("not on this processor", test_missing, kernel, NULL);
        return count;
    }
    for (size_t i = 0; i < LENGTH(tests_of_each); i++) {
        if (!tests_of_each[i].each_type)
            tests[count++] = name_test(tests_of_each[i].name, tests_of_each[i].run, kernel, NULL);
        for (size_t t = 0; t < LENGTH(number_types) && tests_of_each[i].each_type; t++)
            tests[count++] =
                name_test(tests_of_each[i].name, tests_of_each[i].run, kernel, number_types[t]);
    }
    return count;
}

int main(void)
{
    enum { MOST_OF_A_KERNEL = LENGTH(number_types) * LENGTH(tests_of_each) };
    struct CMUnitTest *tests = allocate(3 + kernel_count * MOST_OF_A_KERNEL, sizeof *tests);
    tests[0] = (struct CMUnitTest)cmocka_unit_test(test_finding);
    tests[1] = (struct CMUnitTest)cmocka_unit_test(test_plans);
    tests[2] = (struct CMUnitTest)cmocka_unit_test(test_short_codes);
    size_t count = 3, own = count;
    for (size_t k = 0; k < kernel_count; k++)
        count += list_tests(kernel_table[k], tests + count);
    print_seed();
    int failed = _cmocka_run_group_tests("kernels", tests, count, NULL, NULL);
    for (size_t t = own; t < count; t++) {
        free(tests[t].initial_state);
        free((void *)tests[t].name);
    }
    free(tests);
    return failed;
}
