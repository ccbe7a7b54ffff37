#include "kernel/kernel.h"

#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "kernel/cpu.h"
#include "kernel/element.h"
#include "kernel/fast/avx2.h"
#include "kernel/fast/avx512.h"
#include "kernel/fast/neon.h"
#include "kernel/scalar.h"

static bool always(void)
{
    return true;
}

static const struct kernel scalar = {
    .name = "scalar", .available = always, .f32 = scalar_measure_f32, .f64 = scalar_measure_f64};

#if defined(__x86_64__)
static const struct kernel avx512 = {.name = "avx512",
                                     .available = cpu_has_avx512,
                                     .f32 = avx512_measure_f32,
                                     .f64 = avx512_measure_f64,
                                     .settle = avx512_settle,
                                     .update = avx512_update_f32,
                                     .widen_f16 = avx512_widen_f16,
                                     .widen_bf16 = avx512_widen_bf16};
static const struct kernel avx2 = {.name = "avx2",
                                   .available = cpu_has_avx2,
                                   .f32 = avx2_measure_f32,
                                   .f64 = avx2_measure_f64,
                                   .settle = avx2_settle,
                                   .update = avx2_update_f32,
                                   .widen_f16 = avx2_widen_f16,
                                   .widen_bf16 = avx2_widen_bf16};
#elif defined(__aarch64__)
static const struct kernel neon = {.name = "neon",
                                   .available = always,
                                   .f32 = neon_measure_f32,
                                   .f64 = neon_measure_f64,
                                   .settle = neon_settle,
                                   .update = neon_update_f32,
                                   .widen_f16 = neon_widen_f16,
                                   .widen_bf16 = neon_widen_bf16};
#endif

const struct kernel *const kernel_table[] = {
#if defined(__x86_64__)
    &avx512,
    &avx2,
#elif defined(__aarch64__)
    &neon,
#endif
    &scalar,
};
const size_t kernel_count = sizeof kernel_table / sizeof *kernel_table;

/* The names that may be asked for, separated by commas; some of them may not be available. */
static void list_names(char *to, size_t size)
{
    size_t length = (size_t)snprintf(to, size, "auto");
    for (size_t i = 0; i < kernel_count && length < size; i++)
        length += (size_t)snprintf(to + length, size - length, ", %s", kernel_table[i]->name);
}

bool kernel_find(const char *name, const struct kernel **kernel, struct error *error)
{
    bool automatic = strcmp(name, "auto") == 0;
    for (size_t i = 0; i < kernel_count; i++) {
        if (!automatic && strcmp(name, kernel_table[i]->name) != 0)
            continue;
        if (kernel_table[i]->available()) {
            *kernel = kernel_table[i];
            return true;
        }
        if (!automatic)
            return fail(error, "this processor has no '%s'", name);
    }
    char names[64];
    list_names(names, sizeof names);
    return fail(error, "unknown instruction set '%s' (%s)", name, names);
}

/* Casts must not depend on flush-to-zero or a rounding direction that the process was left with. */
#define WITH_DEFAULT_ENVIRONMENT(...) \
    do {                              \
        fenv_t environment;           \
        fegetenv(&environment);       \
        fesetenv(FE_DFL_ENV);         \
        __VA_ARGS__;                  \
        fesetenv(&environment);       \
    } while (0)

static double value_of_f32(uint64_t bits)
{
    return float_from_bits((uint32_t)bits);
}

/* would_overflow is monotone: bisect the bits of positive numbers, of which Inf is the end. */
static uint64_t least_overflow(const struct cast *cast, double (*value)(uint64_t), uint64_t inf)
{
    uint64_t below = 0, above = inf;
    while (above - below > 1) {
        uint64_t middle = below + (above - below) / 2;
        if (would_overflow(cast, value(middle)))
            above = middle;
        else
            below = middle;
    }
    return above;
}

struct plan plan_cast(const struct cast *cast)
{
    struct plan plan = {.cast = *cast};
    WITH_DEFAULT_ENVIRONMENT(
        plan.overflow_f32 = (uint32_t)least_overflow(cast, value_of_f32, UINT32_C(0x7f800000));
        plan.overflow_f64 = least_overflow(cast, double_from_bits, UINT64_C(0x7ff) << 52));
    return plan;
}

/* The values of all codes of a one-byte or two-byte type; bits above its own are ignored. */
static const float *make_table(const struct dtype *dtype)
{
    const struct format *format = &dtype->format;
    size_t count = dtype->bytes == 1 ? 256 : 65536;
    uint64_t codes = UINT64_C(1) << (format->exponent_bits + format->precision);
    float *table = allocate(count, sizeof *table);
    for (size_t code = 0; code < count; code++)
        table[code] = (float)format_decode(format, code & (codes - 1));
    return table;
}

struct decoder decoder_open(const struct kernel *kernel, const struct dtype *dtype, bool big_endian)
{
    struct decoder decoder = {.dtype = *dtype, .swap = big_endian && dtype->bytes > 1};
    const struct format *format = &dtype->format;
    bool wide = dtype->bytes > 2;
    bool f16 = format->exponent_bits == 5 && format->precision == 11 && kernel->widen_f16;
    bool bf16 = format->exponent_bits == 8 && format->precision == 8 && kernel->widen_bf16;
    if (wide || f16 || bf16)
        return decoder;
    WITH_DEFAULT_ENVIRONMENT(decoder.table = make_table(dtype));
    return decoder;
}

void decoder_close(struct decoder *decoder)
{
    free((void *)decoder->table);
    decoder->table = NULL;
}

static void swap_bytes(const unsigned char *from, size_t n, int bytes, unsigned char *to)
{
    for (size_t i = 0; i < n * (size_t)bytes; i += (size_t)bytes)
        for (int b = 0; b < bytes; b++)
            to[i + (size_t)b] = from[i + (size_t)(bytes - 1 - b)];
}

/* A block of up to BLOCK elements, as floats or, for binary64, as doubles. */
union block {
    float f32[BLOCK];
    double f64[BLOCK];
    unsigned char bytes[BLOCK * 8];
};

static const float *to_floats(const struct kernel *kernel, const struct decoder *decoder,
                              const unsigned char *from, size_t n, union block *room)
{
    if (decoder->dtype.bytes == 4) {
        memcpy(room, from, n * 4);
    } else if (decoder->table && decoder->dtype.bytes == 1) {
        for (size_t i = 0; i < n; i++)
            room->f32[i] = decoder->table[from[i]];
    } else if (decoder->table) {
        for (size_t i = 0; i < n; i++)
            room->f32[i] = decoder->table[load_le16(from + 2 * i)];
    } else if (decoder->dtype.format.precision == 8) {
        kernel->widen_bf16(from, room->f32, n);
    } else {
        kernel->widen_f16(from, room->f32, n);
    }
    return room->f32;
}

/* The elements as the kernels take them, a block at a time. */
struct blocks {
    const struct kernel *kernel;
    const struct decoder *decoder;
    const unsigned char *at;
    size_t left;
    union block swapped, decoded;
};

/* The next block, as f32 or f64 (the other is NULL); its length, 0 at the end. */
static size_t next_block(struct blocks *blocks, const float **f32, const double **f64)
{
    const struct decoder *decoder = blocks->decoder;
    size_t n = blocks->left < BLOCK ? blocks->left : BLOCK, bytes = (size_t)decoder->dtype.bytes;
    const unsigned char *from = blocks->at;
    if (n == 0)
        return 0;
    if (decoder->swap) {
        swap_bytes(from, n, (int)bytes, blocks->swapped.bytes);
        from = blocks->swapped.bytes;
    }
    *f32 = NULL;
    *f64 = NULL;
    bool aligned = (uintptr_t)from % bytes == 0;
    if (bytes == 8) {
        if (!aligned)
            from = memcpy(&blocks->decoded, from, n * 8);
        *f64 = (const double *)(const void *)from;
    } else if (bytes == 4 && aligned) {
        *f32 = (const float *)(const void *)from;
    } else {
        *f32 = to_floats(blocks->kernel, decoder, from, n, &blocks->decoded);
    }
    blocks->at += n * bytes;
    blocks->left -= n;
    return n;
}

static void measure_all(struct blocks *blocks, uint64_t first, struct input_measure *input,
                        const struct plan *plans, struct cast_measure *casts, size_t cast_count)
{
    const float *f32;
    const double *f64;
    for (size_t n; (n = next_block(blocks, &f32, &f64)); first += n) {
        if (f64)
            blocks->kernel->f64(f64, n, first, input, plans, casts, cast_count);
        else
            blocks->kernel->f32(f32, n, first, input, plans, casts, cast_count);
    }
    if (blocks->kernel->settle)
        blocks->kernel->settle(input, casts, cast_count);
}

void kernel_measure(const struct kernel *kernel, const struct decoder *decoder,
                    const void *elements, size_t n, uint64_t first, struct input_measure *input,
                    const struct plan *plans, struct cast_measure *casts, size_t cast_count)
{
    struct blocks blocks;
    blocks.kernel = kernel, blocks.decoder = decoder, blocks.at = elements, blocks.left = n;
    WITH_DEFAULT_ENVIRONMENT(measure_all(&blocks, first, input, plans, casts, cast_count));
}

/* A block and its updates; g is NULL for a constant's. */
struct update_pair {
    const float *x32, *g32;
    const double *x64, *g64;
    double constant;
};

static double update_of(const struct update_pair *pair, size_t i)
{
    return pair->g64 ? pair->g64[i] : pair->g32 ? (double)pair->g32[i] : pair->constant;
}

static void update_pair_all(const struct kernel *kernel, const struct update_pair *pair, size_t n,
                            uint64_t first, const struct update_plan *update,
                            const struct cast *cast, struct update_measure *into,
                            struct steps_measure *steps)
{
    bool fast = kernel->update && update->rule == UPDATE_ADD && !steps && pair->x32 && !pair->g64;
    if (fast && kernel->update(cast, update, pair->x32, pair->g32, pair->constant, n, first, into))
        return;
    for (size_t i = 0; i < n; i++)
        update_element(cast, update, pair->x64 ? pair->x64[i] : (double)pair->x32[i],
                       update_of(pair, i), first + i, into, steps);
}

static void update_all(struct blocks *blocks, struct blocks *values, double constant,
                       uint64_t first, const struct update_plan *update, const struct plan *plans,
                       struct update_measure *updates, struct steps_measure *steps,
                       size_t cast_count)
{
    struct update_pair pair = {.constant = constant};
    for (size_t n; (n = next_block(blocks, &pair.x32, &pair.x64)); first += n) {
        if (values)
            next_block(values, &pair.g32, &pair.g64);
        for (size_t c = 0; c < cast_count; c++)
            update_pair_all(blocks->kernel, &pair, n, first, update, &plans[c].cast, &updates[c],
                            steps ? &steps[c] : NULL);
    }
}

void kernel_update(const struct kernel *kernel, const struct decoder *decoder, const void *elements,
                   size_t n, uint64_t first, const struct update_values *values,
                   const struct update_plan *update, const struct plan *plans,
                   struct update_measure *updates, struct steps_measure *steps, size_t cast_count)
{
    struct blocks blocks, others;
    blocks.kernel = kernel, blocks.decoder = decoder, blocks.at = elements, blocks.left = n;
    others.kernel = kernel, others.decoder = values->decoder, others.at = values->elements;
    others.left = n;
    WITH_DEFAULT_ENVIRONMENT(update_all(&blocks, values->decoder ? &others : NULL, values->constant,
                                        first, update, plans, updates, steps, cast_count));
}

struct encoder encoder_open(const struct plan *plan)
{
    struct encoder encoder;
    WITH_DEFAULT_ENVIRONMENT(encoder = encoder_make(&plan->cast, plan->overflow_f32));
    return encoder;
}

static void encode_all(struct blocks *blocks, uint64_t first, const struct encoder *encoder,
                       unsigned char *codes)
{
    const float *f32;
    const double *f64;
    size_t bytes = (size_t)encoder->cast.format.code_bytes;
    for (size_t n; (n = next_block(blocks, &f32, &f64)); first += n, codes += n * bytes) {
        if (f64)
            encode_f64(encoder, f64, n, first, codes);
        else
            encode_f32(encoder, f32, n, first, codes);
    }
}

void kernel_encode(const struct kernel *kernel, const struct decoder *decoder, const void *elements,
                   size_t n, uint64_t first, const struct encoder *encoder, unsigned char *codes)
{
    struct blocks blocks;
    blocks.kernel = kernel, blocks.decoder = decoder, blocks.at = elements, blocks.left = n;
    WITH_DEFAULT_ENVIRONMENT(encode_all(&blocks, first, encoder, codes));
}

static void decode_all(struct blocks *blocks, void (*visit)(void *, const double *, size_t),
                       void *context)
{
    const float *f32;
    const double *f64;
    double wide[BLOCK];
    for (size_t n; (n = next_block(blocks, &f32, &f64));) {
        for (size_t i = 0; i < n && f32; i++)
            wide[i] = f32[i];
        visit(context, f64 ? f64 : wide, n);
    }
}

void kernel_decode(const struct kernel *kernel, const struct decoder *decoder, const void *elements,
                   size_t n, void (*visit)(void *context, const double *x, size_t n), void *context)
{
    struct blocks blocks;
    blocks.kernel = kernel, blocks.decoder = decoder, blocks.at = elements, blocks.left = n;
    WITH_DEFAULT_ENVIRONMENT(decode_all(&blocks, visit, context));
}
