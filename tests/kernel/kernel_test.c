/*
 * Every kernel of kernel_table against the plain one (which element_test.c holds against MPFR): the
 * whole of what is measured, bit for bit, on seeded data.
 */
#include "base/buffer.h"
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

/* Each test runs once a kernel; one that this processor lacks is skipped by name. */
static const struct kernel *kernel_of(void **state)
{
    const struct kernel *kernel = *state;
    if (!kernel->available()) {
        printf("# this processor has no '%s'\n", kernel->name);
        fflush(stdout);
        skip();
    }
    return kernel;
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

/* Small, a block, a little more and less, several: whole blocks most of the time. */
static size_t some_length(struct dice *dice, size_t most)
{
    size_t n = BLOCK;
    switch (dice_below(dice, 6)) {
    case 0:
        n = dice_below(dice, 71);
        break;
    case 1:
        n = BLOCK - 2 + dice_below(dice, 5);
        break;
    case 2:
        n = dice_below(dice, 2 * BLOCK + 6);
        break;
    }
    return n < most ? n : most;
}

static uint64_t some_position(struct dice *dice, size_t n)
{
    static const uint64_t positions[] = {0, 1, UINT32_MAX, UINT64_C(1) << 53, INT64_MAX};
    return dice_below(dice, 4) ? dice_below(dice, 100000)
                               : positions[dice_below(dice, LENGTH(positions))] - n / 2 * (n % 2);
}

static void run_batch(const struct kernel *kernel, struct dice *dice, const struct batch *batch,
                      size_t most)
{
    static float room[3 * BLOCK];
    for (size_t k = 0; k < data_kind_count; k++) {
        size_t n = some_length(dice, most);
        float *x = room + dice_below(dice, 16);
        const struct plan *target = &batch->plans[dice_below(dice, batch->count)];
        data_kinds[k].fill(dice, &target->cast, x, n);
        struct trial trial = {.kernel = kernel,
                              .data = data_kinds[k].name,
                              .x = x,
                              .n = n,
                              .first = some_position(dice, n),
                              .plans = batch->plans,
                              .plan_count = batch->count};
        assert_trial(&trial);
    }
}

static void run_table(const struct kernel *kernel, enum rounding rounding, size_t most)
{
    struct dice dice = dice_for(rounding_name(rounding));
    struct batch batch = {.count = 0};
    struct cast cast;
    for (size_t i = 0; table_cast(i, rounding, &cast); i++) {
        batch_add(&batch, &cast);
        if (batch.count < MOST_CASTS)
            continue;
        run_batch(kernel, &dice, &batch, most);
        batch.count = 0;
    }
    if (batch.count)
        run_batch(kernel, &dice, &batch, most);
}

static void test_table(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    if (kernel != plain_kernel())
        run_table(kernel, ROUND_NEAREST_EVEN, SIZE_MAX);
}

static void test_table_of_other_modes(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    if (kernel == plain_kernel())
        return;
    for (int rounding = 0; rounding < ROUND_COUNT; rounding++)
        if (rounding != ROUND_NEAREST_EVEN)
            run_table(kernel, (enum rounding)rounding, 200);
}

/* Casts of any kind beside each other, in any order. */
static void test_random_casts(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    struct dice dice = dice_for("random casts");
    for (int round = 0; round < times(kernel == plain_kernel() ? 1 : 60); round++) {
        struct batch batch = {.count = 0};
        size_t count = dice_below(&dice, MOST_CASTS) + 1;
        while (batch.count < count) {
            bool nearest = dice_below(&dice, 4);
            struct cast cast =
                some_cast(&dice, nearest ? ROUND_NEAREST_EVEN
                                         : (enum rounding)dice_below(&dice, ROUND_COUNT));
            if (nearest && dice_below(&dice, 2))
                cast.scale = dice_between(&dice, -200, 200);
            batch_add(&batch, &cast);
        }
        run_batch(kernel, &dice, &batch, SIZE_MAX);
    }
}

/* No cast at all: the input alone. */
static void test_no_casts(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    struct dice dice = dice_for("no casts");
    struct cast target = {.format = format_by_name("bf16")};
    for (size_t k = 0; k < data_kind_count; k++) {
        float x[BLOCK + 3];
        data_kinds[k].fill(&dice, &target, x, LENGTH(x));
        struct trial trial = {.kernel = kernel, .data = data_kinds[k].name, .x = x, .n = LENGTH(x)};
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
        {"fp16", -10, 0, false}, {"e4m3fn", -19, 0, false}, {"e5m2", -1, 0, false},
        {"fp16", 5, 0, false},   {"e2m3", 0, -1, false},    {"bf16", 0, -2, true},
        {"e8m22", -8, 0, false}, {"e8m21", -5, 0, false},
    };
    struct cast plain = {.format = format_by_name("bf16")};
    batch->count = 0;
    batch_add(batch, &plain);
    for (size_t i = 0; i < LENGTH(wanted); i++) {
        struct cast cast = {.format = format_by_name(wanted[i].format),
                            .saturate = wanted[i].saturate};
        if (wanted[i].emin)
            cast.scale = cast.format.emin - (top + wanted[i].emin);
        else
            cast.scale = cast.format.emax - (top + wanted[i].emax);
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
static float short_float(struct dice *dice, int exponent)
{
    int bits = dice_between(dice, 0, 23);
    uint64_t low = dice_below(dice, UINT64_C(1) << bits) | (bits > 0);
    return ldexpf((float)((UINT64_C(1) << bits) + low), exponent - bits);
}

/* A block whose exponents go from `bottom` to `top`, both attained. */
static void fill_window(struct dice *dice, enum window_pattern pattern, int bottom, int top,
                        float *x)
{
    float largest = binade_end(top), smallest = nextafterf(binade_start(bottom), INFINITY);
    bool negative = dice_below(dice, 2), both = dice_below(dice, 2);
    for (size_t i = 0; i < BLOCK; i++) {
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
            x[i] = fabsf(random_float(dice, dice_between(dice, bottom, top)));
            break;
        default:
            x[i] = short_float(dice, bottom);
        }
        if (both ? dice_below(dice, 2) : negative)
            x[i] = -x[i];
    }
    if (pattern != ALL_LARGEST)
        x[dice_below(dice, BLOCK / 2)] = negative ? -largest : largest;
    if (pattern != ALL_SMALLEST)
        x[BLOCK / 2 + dice_below(dice, BLOCK / 2)] = negative ? smallest : -smallest;
}

/* A window of binades is what sums are exact in: blocks just within it and just beyond, at every
 * exponent, with all lanes at the most or the least that they have to hold. */
static void test_window_limits(void **state)
{
    enum { NARROWEST = 18, WIDEST = 22 };
    const struct kernel *kernel = kernel_of(state);
    if (kernel == plain_kernel())
        return;
    struct dice dice = dice_for("window limits");
    for (int top = -149; top <= 127; top++) {
        struct batch batch;
        hard_casts(&batch, top);
        for (int binades = NARROWEST; binades <= WIDEST; binades++) {
            int bottom = top - binades + 1 < -149 ? -149 : top - binades + 1;
            enum window_pattern pattern =
                (enum window_pattern)((top + 149 + binades) % PATTERN_COUNT);
            float x[BLOCK];
            fill_window(&dice, pattern, bottom, top, x);
            char what[60];
            snprintf(what, sizeof what, "2^%d to 2^%d, pattern %d", bottom, top, pattern);
            struct trial trial = {.kernel = kernel,
                                  .data = what,
                                  .x = x,
                                  .n = BLOCK,
                                  .plans = batch.plans,
                                  .plan_count = batch.count};
            assert_trial(&trial);
        }
    }
}

/* Nothing but the largest float of a binade, and nothing but one middle of two numbers, whose
 * errors are as large as errors are: the sums of a whole block at their limits. */
static void test_uniform_blocks(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    if (kernel == plain_kernel())
        return;
    struct dice dice = dice_for("uniform blocks");
    for (int top = -149; top <= 127; top++) {
        struct batch batch;
        hard_casts(&batch, top);
        float values[] = {
            binade_end(top), binade_start(top),
            binade_start(top) * 1.5F, /* a middle where emin is top + precision - 1 */
            near_breakpoint(&dice, &batch.plans[dice_below(&dice, batch.count)].cast)};
        float value = values[top & 3];
        float x[BLOCK];
        for (size_t i = 0; i < BLOCK; i++)
            x[i] = dice_below(&dice, 4) || i % 2 ? value : -value;
        struct trial trial = {.kernel = kernel,
                              .data = "one magnitude",
                              .x = x,
                              .n = BLOCK - dice_below(&dice, 3),
                              .plans = batch.plans,
                              .plan_count = batch.count};
        assert_trial(&trial);
        for (size_t i = 0; i < BLOCK; i++)
            x[i] = values[0];
        trial.n = BLOCK;
        trial.data = "the largest of a binade";
        assert_trial(&trial);
    }
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

/* Every small length, and those round a block, at every alignment, against either guard page. */
static void test_lengths(void **state)
{
    static const size_t long_ones[] = {BLOCK - 33, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5};
    static const char *const kinds[] = {"any bits", "weights", "log-uniform", "breakpoints"};
    const struct kernel *kernel = kernel_of(state);
    struct dice dice = dice_for("lengths");
    float x[2 * BLOCK + 5];
    for (size_t index = 0; index < 71 + LENGTH(long_ones); index++) {
        size_t n = index < 71 ? index : long_ones[index - 71];
        struct guarded room = guard(n * sizeof *x + 4);
        struct batch batch;
        some_batch(&dice, &batch);
        for (size_t k = 0; k < LENGTH(kinds); k++)
            for (size_t place = 0; place < 5; place++) {
                data_kind(kinds[k])->fill(&dice, &batch.plans->cast, x, n);
                struct tally *got = tally_new(batch.count), *wanted = tally_new(batch.count);
                measure_floats(plain_kernel(), x, n, 7, batch.plans, batch.count, wanted);
                /* At the start, and 0 .. 3 bytes before the end. */
                unsigned char *at =
                    place == 4 ? room.data : room.data + room.bytes - n * sizeof *x - place;
                memcpy(at, x, n * sizeof *x);
                measure_floats(kernel, at, n, 7, batch.plans, batch.count, got);
                char what[80];
                snprintf(what, sizeof what, "%s, %zu of %s, place %zu", kernel->name, n, kinds[k],
                         place);
                assert_same_tally(got, wanted, batch.plans, what);
                free(got);
                free(wanted);
            }
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

static void in_environment(const struct kernel *kernel, const struct environment *environment,
                           struct dice *dice, const char *kind)
{
    float x[BLOCK + 77];
    struct batch batch = {.count = 0};
    for (size_t i = 0; i < 6; i++) {
        struct cast cast = some_cast(dice, i ? ROUND_NEAREST_EVEN : ROUND_STOCHASTIC);
        batch_add(&batch, &cast);
    }
    data_kind(kind)->fill(dice, &batch.plans->cast, x, LENGTH(x));
    struct tally *got = tally_new(batch.count), *wanted = tally_new(batch.count);
    measure_floats(plain_kernel(), x, LENGTH(x), 3, batch.plans, batch.count, wanted);

    fenv_t before;
    fegetenv(&before);
    enter(environment);
    unsigned control = control_word();
    measure_floats(kernel, x, LENGTH(x), 3, batch.plans, batch.count, got);
    unsigned control_after = control_word();
    int rounding = fegetround();
    fesetenv(&before);

    char what[100];
    snprintf(what, sizeof what, "%s, %s, rounding %s", kernel->name, kind, environment->name);
    assert_int_equal(control, control_after);
    assert_int_equal(rounding, environment->rounding);
    assert_same_tally(got, wanted, batch.plans, what);
    free(got);
    free(wanted);
}

static void test_environment(void **state)
{
    const struct kernel *kernel = kernel_of(state);
    struct dice dice = dice_for("environment");
    for (size_t e = 0; e < LENGTH(environments); e++)
        for (size_t k = 0; k < LENGTH(environment_kinds); k++)
            in_environment(kernel, &environments[e], &dice, environment_kinds[k]);
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

/* The pieces into tallies of their own, and these merged two by two. */
static struct tally *measure_merged(const struct kernel *kernel, struct dice *dice, const float *x,
                                    uint64_t first, const struct batch *batch,
                                    const struct piece *pieces, size_t count)
{
    struct tally **tallies = allocate(count, sizeof *tallies);
    for (size_t p = 0; p < count; p++) {
        tallies[p] = tally_new(batch->count);
        measure_floats(kernel, x + pieces[p].start, pieces[p].n, first + pieces[p].start,
                       batch->plans, batch->count, tallies[p]);
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
    enum { MOST = 5 * BLOCK };
    static float x[MOST];
    static struct piece pieces[MOST];
    const struct kernel *kernel = kernel_of(state);
    struct dice dice = dice_for("cutting");
    for (int round = 0; round < times(2); round++)
        for (size_t k = 0; k < data_kind_count; k++) {
            struct batch batch = {.count = 0};
            for (size_t i = 0; i < 5; i++) {
                struct cast cast = some_cast(&dice, i ? ROUND_NEAREST_EVEN : ROUND_STOCHASTIC);
                batch_add(&batch, &cast);
            }
            size_t n = 1 + dice_below(&dice, MOST);
            uint64_t first = some_position(&dice, n);
            data_kinds[k].fill(&dice, &batch.plans[1].cast, x, n);
            struct tally *whole = tally_new(batch.count), *same = tally_new(batch.count);
            measure_floats(plain_kernel(), x, n, first, batch.plans, batch.count, whole);

            size_t count = cut(&dice, n, pieces);
            struct tally *merged = measure_merged(kernel, &dice, x, first, &batch, pieces, count);
            char what[100];
            snprintf(what, sizeof what, "%s, %s, %zu in %zu pieces", kernel->name,
                     data_kinds[k].name, n, count);
            assert_same_tally(merged, whole, batch.plans, what);
            for (size_t p = 0; p < count; p++)
                measure_floats(kernel, x + pieces[p].start, pieces[p].n, first + pieces[p].start,
                               batch.plans, batch.count, same);
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
static void encode(struct dice *dice, struct encoded *tensor, uint64_t word, size_t i)
{
    const struct format *format = &tensor->dtype.format;
    int width = format->exponent_bits + format->precision, bytes = tensor->dtype.bytes;
    if (width < 64)
        word &= (UINT64_C(1) << width) - 1;
    (void)dice;
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
        encode(dice, tensor, ordered ? start + i : dice_u64(dice), i);
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

    struct tally *got = tally_new(batch->count), *wanted = tally_new(batch->count);
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
    const struct kernel *kernel = kernel_of(state);
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
    kernel_encode(kernel, &decoder, tensor->bytes, tensor->n, 5, cast, codes);
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
    for (size_t i = 0; i < tensor->n; i++) {
        uint64_t word = dice_u64(dice);
        double near = near_breakpoint(dice, cast);
        if (dice_below(dice, 2) && tensor->dtype.bytes == 8)
            word = double_bits(near) + dice_below(dice, 3) - 1;
        else if (dice_below(dice, 2) && tensor->dtype.bytes == 4)
            word = float_bits((float)near);
        encode(dice, tensor, word, i);
    }
}

static void test_codes(void **state)
{
    enum { MOST = 2100 };
    const struct kernel *kernel = kernel_of(state);
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

/* Reading, encoding and what is made once a tensor, with subnormal numbers flushed or another
 * rounding direction set. */
static void test_dtypes_in_environment(void **state)
{
    enum { N = 700 };
    const struct kernel *kernel = kernel_of(state);
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
                    encode(&dice, &tensor, i & 0x7f, i);
            uint64_t wanted[N];
            uint32_t codes[N];
            for (size_t i = 0; i < N; i++)
                wanted[i] = reference_cast(&cast, tensor.values[i], 5 + i).code;
            fenv_t before;
            fegetenv(&before);
            enter(&environments[e]);
            struct decoder decoder = decoder_open(kernel, &tensor.dtype, false);
            kernel_encode(kernel, &decoder, tensor.bytes, N, 5, &cast, (unsigned char *)codes);
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

/* overflow_bits is the least float that MPFR says overflows, in whatever environment. */
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
            float first = float_from_bits(plan.overflow_f32),
                  last = float_from_bits(plan.overflow_f32 - 1);
            bool right =
                plan.overflow_f32 > 0 && plan.overflow_f32 <= 0x7f800000 &&
                (isinf(first) || reference_cast(&cast, first, 0).class == CLASS_OVERFLOW) &&
                reference_cast(&cast, last, 0).class != CLASS_OVERFLOW;
            if (!right)
                fail_msg("%s, scale %d, rounding %s: overflow from %a", cast.format.name,
                         cast.scale, e ? environments[e - 1].name : "to nearest", first);
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
} tests_of_each[] = {
    {"lengths, alignments, guard pages", test_lengths},
    {"no casts", test_no_casts},
    {"window limits", test_window_limits},
    {"uniform blocks", test_uniform_blocks},
    {"formats, policies, scales", test_table},
    {"formats, policies, scales in other modes", test_table_of_other_modes},
    {"random casts together", test_random_casts},
    {"floating-point environments", test_environment},
    {"pieces in any order", test_cutting},
    {"dtypes and byte orders", test_dtypes},
    {"codes", test_codes},
    {"dtypes in floating-point environments", test_dtypes_in_environment},
};

int main(void)
{
    enum { OTHERS = 2 };
    size_t count = kernel_count * LENGTH(tests_of_each) + OTHERS;
    struct CMUnitTest *tests = allocate(count, sizeof *tests);
    char(*names)[80] = allocate(count, sizeof *names);
    tests[0] = (struct CMUnitTest)cmocka_unit_test(test_finding);
    tests[1] = (struct CMUnitTest)cmocka_unit_test(test_plans);
    for (size_t t = OTHERS; t < count; t++) {
        size_t k = (t - OTHERS) / LENGTH(tests_of_each), i = (t - OTHERS) % LENGTH(tests_of_each);
        snprintf(names[t], sizeof names[t], "%s: %s", kernel_table[k]->name, tests_of_each[i].name);
        tests[t] = (struct CMUnitTest){.name = names[t],
                                       .test_func = tests_of_each[i].run,
                                       .initial_state = (void *)kernel_table[k]};
    }
    print_seed();
    int failed = _cmocka_run_group_tests("kernels", tests, count, NULL, NULL);
    free(tests);
    free(names);
    return failed;
}
