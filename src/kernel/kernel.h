/* Cast and measure: one run of elements against several casts at once. */
#ifndef PRECHECK_KERNEL_KERNEL_H
#define PRECHECK_KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "format/cast.h"
#include "kernel/encode.h"
#include "kernel/measure.h"
#include "kernel/update.h"

/* Elements are measured in blocks that stay in the innermost cache. */
enum { BLOCK = 4096 };

/* A cast and what the kernels derive from it, once a tensor. */
struct plan {
    struct cast cast;
    /* The least magnitude that overflows, as bits of a float32 and of a binary64; those of Inf
     * where none does. Meant for the modes that treat both signs alike. */
    uint32_t overflow_f32;
    uint64_t overflow_f64;
};

struct plan plan_cast(const struct cast *cast);

/* Elements are at consecutive addresses of any alignment; `first` is the position of the first one.
 * Adds to *input and to casts[i] what plans[i] asks. Nothing depends on how a tensor
 * is cut into calls. At most BLOCK elements a call. */
typedef void measure_f32(const float *x, size_t n, uint64_t first, struct input_measure *input,
                         const struct plan *plans, struct cast_measure *casts, size_t cast_count);
typedef void measure_f64(const double *x, size_t n, uint64_t first, struct input_measure *input,
                         const struct plan *plans, struct cast_measure *casts, size_t cast_count);

/* Adds what measure_f32 or measure_f64 keep counted over several calls; comes after the last. */
typedef void settle_counts(struct input_measure *input, struct cast_measure *casts,
                           size_t cast_count);

/* Adds what plain updates do to n elements: g[i], or `constant` where g is NULL. False, with
 * nothing done, where it cannot. */
typedef bool update_f32(const struct cast *cast, const struct update_plan *plan, const float *x,
                        const float *g, double constant, size_t n, uint64_t first,
                        struct update_measure *into);

/* An instruction set: one row of the CPU table. */
struct kernel {
    const char *name;
    bool (*available)(void);
    measure_f32 *f32;
    measure_f64 *f64;
    settle_counts *settle; /* NULL: nothing is kept */
    update_f32 *update;    /* NULL: by the definition */
    /* n elements of a 2-byte type, little-endian, to float32. NULL: the table is used. */
    void (*widen_f16)(const void *from, float *to, size_t n);
    void (*widen_bf16)(const void *from, float *to, size_t n);
};

/* From best to last; the last one is "scalar" and always available. */
extern const struct kernel *const kernel_table[];
extern const size_t kernel_count;

/* By name, or the best one for "auto"; false with a message for unknown and unsupported ones. */
bool kernel_find(const char *name, const struct kernel **kernel, struct error *error);

/* How the bytes of an input become float32 or binary64: made once a tensor. */
struct decoder {
    struct dtype dtype;
    bool swap;
    const float *table; /* owned; of a one-byte type and, without SIMD, of a two-byte one */
};

struct decoder decoder_open(const struct kernel *kernel, const struct dtype *dtype,
                            bool big_endian);
void decoder_close(struct decoder *decoder);

/* The whole of it: n elements as they are in the file. Casts work whatever the caller's
 * floating-point environment is; it is restored. */
void kernel_measure(const struct kernel *kernel, const struct decoder *decoder,
                    const void *elements, size_t n, uint64_t first, struct input_measure *input,
                    const struct plan *plans, struct cast_measure *casts, size_t cast_count);

/* The updates of n elements: encoded as the decoder says, or all `constant` without one. */
struct update_values {
    const struct decoder *decoder; /* NULL: a constant */
    const void *elements;
    double constant;
};

/* Adds to updates[i], and to steps[i] where they are not NULL, what the updates do to plans[i]'s
 * casts of n elements. */
void kernel_update(const struct kernel *kernel, const struct decoder *decoder, const void *elements,
                   size_t n, uint64_t first, const struct update_values *values,
                   const struct update_plan *update, const struct plan *plans,
                   struct update_measure *updates, struct steps_measure *steps, size_t cast_count);

/* What kernel_encode needs: made once a tensor. */
struct encoder encoder_open(const struct plan *plan);

/* Writes n codes of the cast, format.code_bytes each, little-endian. */
void kernel_encode(const struct kernel *kernel, const struct decoder *decoder, const void *elements,
                   size_t n, uint64_t first, const struct encoder *encoder, unsigned char *codes);

/* Calls visit(context, x, n) with the decoded elements in pieces; for the reference. */
void kernel_decode(const struct kernel *kernel, const struct decoder *decoder, const void *elements,
                   size_t n, void (*visit)(void *context, const double *x, size_t n),
                   void *context);

#endif
