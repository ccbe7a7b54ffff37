#include "kernel/random_data.h"

#include <float.h>
#include <math.h>

#include "kernel/kernel.h"
#include "kernel/testing.h"

enum { EXPONENT_LOWEST = -149, EXPONENT_HIGHEST = 127 };

static float with_sign(struct dice *dice, float x)
{
    return dice_below(dice, 2) ? x : -x;
}

float binade_start(int exponent)
{
    return ldexpf(1, exponent);
}

float binade_end(int exponent)
{
    return nextafterf(exponent == EXPONENT_HIGHEST ? INFINITY : ldexpf(1, exponent + 1), 0);
}

float random_float(struct dice *dice, int exponent)
{
    uint32_t low = float_bits(binade_start(exponent)), high = float_bits(binade_end(exponent));
    return with_sign(dice, float_from_bits(low + (uint32_t)dice_below(dice, high - low + 1)));
}

static int any_exponent(struct dice *dice)
{
    return dice_between(dice, EXPONENT_LOWEST, EXPONENT_HIGHEST);
}

static int clamp(int exponent)
{
    return exponent < EXPONENT_LOWEST    ? EXPONENT_LOWEST
           : exponent > EXPONENT_HIGHEST ? EXPONENT_HIGHEST
                                         : exponent;
}

static int quantum_exponent(const struct cast *target)
{
    return cast_emin(target) - target->format.precision + 1;
}

float near_breakpoint(struct dice *dice, const struct cast *target)
{
    const struct format *f = &target->format;
    uint64_t max = format_code_max(f, false), code = dice_below(dice, max + 1);
    if (dice_below(dice, 8) == 0)
        code = max;
    else if (dice_below(dice, 4) == 0)
        code = dice_below(dice, max < 4 ? max : 4);
    double value = format_decode(f, code);
    int exponent = value == 0 ? f->emin : ilogb(value);
    double quantum = ldexp(1, (exponent > f->emin ? exponent : f->emin) - f->precision + 1);
    float x = (float)ldexp(value + quantum * 0.5 * (double)dice_below(dice, 2), -target->scale);
    int ulps = dice_between(dice, -1, 1);
    if (ulps)
        x = nextafterf(x, ulps < 0 ? 0 : INFINITY);
    return with_sign(dice, x);
}

static void fill_weights(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    (void)target;
    for (size_t i = 0; i < n; i++) /* the sum of three is normal enough */
        x[i] = (float)(0.04 * (dice_real(dice) + dice_real(dice) + dice_real(dice) - 1.5));
}

static void fill_any_bits(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    (void)target;
    for (size_t i = 0; i < n; i++)
        x[i] = float_from_bits((uint32_t)dice_u64(dice));
}

static void fill_any_finite(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    (void)target;
    for (size_t i = 0; i < n; i++)
        x[i] = random_float(dice, any_exponent(dice));
}

static void fill_constant(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    float value = dice_below(dice, 2) ? near_breakpoint(dice, target)
                                      : random_float(dice, any_exponent(dice));
    bool both_signs = dice_below(dice, 2);
    for (size_t i = 0; i < n; i++)
        x[i] = both_signs ? with_sign(dice, value) : value;
}

static void fill_subnormal(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    (void)target;
    uint32_t most = (UINT32_C(1) << dice_between(dice, 1, 23)) - 1;
    for (size_t i = 0; i < n; i++)
        x[i] = with_sign(dice, float_from_bits((uint32_t)dice_u64(dice) & most));
}

/* Of some width, anywhere. */
static void fill_log_uniform(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    (void)target;
    int low = any_exponent(dice), high = clamp(low + dice_between(dice, 0, 60));
    for (size_t i = 0; i < n; i++)
        x[i] = random_float(dice, dice_between(dice, low, high));
}

/* As wide as gradients are: most of it far below the top. */
static void fill_heavy_tail(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    (void)target;
    for (size_t i = 0; i < n; i++)
        x[i] = random_float(dice, -5 - (int)(40 * dice_real(dice) * dice_real(dice)));
}

static void fill_sparse(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    int top = any_exponent(dice);
    fill_weights(dice, target, x, n);
    for (size_t i = 0; i < n; i++)
        if (dice_below(dice, 10))
            x[i] = with_sign(dice, 0);
        else if (dice_below(dice, 20) == 0)
            x[i] = random_float(dice, top);
}

static void fill_zeros(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    (void)target;
    bool one = dice_below(dice, 2);
    for (size_t i = 0; i < n; i++)
        x[i] = with_sign(dice, 0);
    if (one && n)
        x[dice_below(dice, n)] = random_float(dice, any_exponent(dice));
}

/* The middle of two numbers of one precision, everywhere. */
static void fill_ties(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    int precision = target->format.precision < 24 ? target->format.precision : 23;
    int low = clamp(any_exponent(dice)), high = clamp(low + dice_between(dice, 0, 24));
    for (size_t i = 0; i < n; i++) {
        uint64_t significand = UINT64_C(1) << (precision - 1);
        significand += dice_below(dice, significand);
        x[i] = with_sign(
            dice, ldexpf((float)(2 * significand + 1), dice_between(dice, low, high) - precision));
    }
}

static void fill_breakpoints(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = near_breakpoint(dice, target);
}

/* Round the least normal number: numbers of the subnormal grid, its middles and their neighbours.
 */
static void fill_subnormal_grid(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    int half_quantum = clamp(quantum_exponent(target) - 1);
    int bits = target->format.precision < 22 ? target->format.precision + 2 : 24;
    for (size_t i = 0; i < n; i++) {
        x[i] = ldexpf((float)dice_below(dice, UINT64_C(1) << bits), half_quantum);
        if (!isfinite(x[i]))
            x[i] = binade_start(EXPONENT_HIGHEST);
        int ulps = dice_between(dice, -1, 1);
        if (ulps)
            x[i] = nextafterf(x[i], ulps < 0 ? -INFINITY : INFINITY);
        x[i] = with_sign(dice, x[i]);
    }
}

static void fill_around_max(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    double max = ldexp(format_max(&target->format), -target->scale);
    float last = max > FLT_MAX ? FLT_MAX : max < FLT_TRUE_MIN ? FLT_TRUE_MIN : (float)max;
    for (size_t i = 0; i < n; i++)
        switch (dice_below(dice, 3)) {
        case 0:
            x[i] = near_breakpoint(dice, target);
            break;
        case 1:
            x[i] = random_float(dice, clamp(ilogbf(last) + dice_between(dice, -1, 2)));
            break;
        default:
            x[i] = with_sign(dice,
                             float_from_bits(float_bits(last) - 3 + (uint32_t)dice_below(dice, 6)));
        }
}

static void fill_all_special(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    (void)target;
    for (size_t i = 0; i < n; i++)
        x[i] = with_sign(dice, dice_below(dice, 2) ? INFINITY : NAN);
}

static void fill_some_special(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    uint64_t every = 1 + dice_below(dice, 300);
    fill_log_uniform(dice, target, x, n);
    for (size_t i = 0; i < n; i++)
        if (dice_below(dice, every) == 0)
            x[i] = float_from_bits(UINT32_C(0x7f800000) << dice_below(dice, 2) |
                                   (uint32_t)(dice_u64(dice) & 0x807fffff));
}

static void fill_one_huge(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    int low = any_exponent(dice);
    (void)target;
    for (size_t i = 0; i < n; i++)
        x[i] = random_float(dice, clamp(low + dice_between(dice, 0, 3)));
    if (n)
        x[dice_below(dice, n)] = random_float(dice, dice_between(dice, low, EXPONENT_HIGHEST));
}

static void fill_alternating(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    (void)target;
    int even = any_exponent(dice), odd = any_exponent(dice);
    for (size_t i = 0; i < n; i++)
        x[i] = random_float(dice, i % 2 ? odd : even);
}

/* Consecutive floats, up or down. */
static void fill_consecutive(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    uint32_t start = float_bits(dice_below(dice, 2) ? near_breakpoint(dice, target)
                                                    : random_float(dice, any_exponent(dice)));
    uint32_t step = dice_below(dice, 2) ? 1 : UINT32_MAX;
    for (size_t i = 0; i < n; i++)
        x[i] = float_from_bits(start - step * (uint32_t)(n / 2) + step * (uint32_t)i);
}

/* An error or a ratio larger than the one before, all the way: every block has new extremes. */
static void fill_increasing(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    int low = dice_below(dice, 2) ? clamp(quantum_exponent(target) - 12) : any_exponent(dice);
    double factor = exp2((double)dice_between(dice, 1, 40) / (double)(n + 1));
    double value = ldexp(1 + dice_real(dice), low);
    for (size_t i = 0; i < n; i++, value *= factor)
        x[i] = with_sign(dice, value > FLT_MAX ? FLT_MAX : (float)value);
}

/* Exactly so many binades in a block, both ends attained. */
static void fill_binades(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    int binades = dice_between(dice, 17, 23), low = clamp(any_exponent(dice));
    int high = clamp(low + binades - 1);
    (void)target;
    bool ends_only = dice_below(dice, 2);
    for (size_t i = 0; i < n; i++) {
        int exponent = dice_between(dice, low, high);
        if (ends_only)
            exponent = dice_below(dice, 2) ? low : high;
        x[i] = ends_only ? with_sign(dice, exponent == low ? nextafterf(binade_start(low), INFINITY)
                                                           : binade_end(high))
                         : random_float(dice, exponent);
    }
    if (n > 1) {
        x[dice_below(dice, n / 2)] = binade_end(high);
        x[n / 2 + dice_below(dice, n - n / 2)] = -binade_start(low);
    }
}

/* Round the exponents where a kernel may change its way: see runs.h. */
static void fill_limits(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    static const int limits[] = {-149, -129, -127, -126, -110, -109, -90, -89, -71,
                                 -70,  -69,  -50,  -49,  -10,  -9,   10,  11,  70,
                                 71,   89,   90,   91,   110,  111,  126, 127};
    int chosen[3];
    (void)target;
    for (int i = 0; i < 3; i++)
        chosen[i] = limits[dice_below(dice, LENGTH(limits))];
    for (size_t i = 0; i < n; i++) {
        int exponent = chosen[dice_below(dice, 3)];
        switch (dice_below(dice, 4)) {
        case 0:
            x[i] = binade_start(exponent);
            break;
        case 1:
            x[i] = binade_end(exponent);
            break;
        case 2:
            x[i] = nextafterf(binade_start(exponent), 0);
            break;
        default:
            x[i] = random_float(dice, exponent);
        }
        x[i] = with_sign(dice, x[i]);
    }
}

/*
 * The same largest error from elements of very different size: on the subnormal grid k quanta and d
 * has the error d for any k. The same largest ratio too: all that is flushed has 1.
 */
static void fill_twins(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    int quantum = quantum_exponent(target);
    int fine = dice_between(dice, 1, 22), most = 23 - fine;
    if (most > target->format.precision - 1)
        most = target->format.precision - 1;
    for (size_t i = 0; i < n; i++) {
        uint64_t k = dice_below(dice, 4) ? 0 : dice_below(dice, UINT64_C(1) << most);
        bool twin = dice_below(dice, 40) == 0;
        /* In units of 2^-fine quanta; others have smaller errors. */
        double units = ldexp((double)k, fine) + (twin ? 1 : 0.25 * (double)dice_below(dice, 2));
        double value = ldexp(units, quantum - fine);
        x[i] = with_sign(dice, value > FLT_MAX ? FLT_MAX : (float)value);
    }
}

/* All lanes at the most that a sum has to hold. */
static void fill_largest_sums(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    int top = any_exponent(dice);
    float value = with_sign(dice, binade_end(top));
    (void)target;
    for (size_t i = 0; i < n; i++)
        x[i] = value;
    if (n && dice_below(dice, 2))
        x[dice_below(dice, n)] = binade_start(clamp(top - dice_between(dice, 0, 22)));
}

/* Another kind every so often, within blocks and across them. */
static void fill_patchwork(struct dice *dice, const struct cast *target, float *x, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t piece = 1 + dice_below(dice, dice_below(dice, 2) ? 40 : BLOCK);
        if (piece > n - i)
            piece = n - i;
        const struct data_kind *kind = &data_kinds[dice_below(dice, data_kind_count)];
        if (kind->fill == fill_patchwork)
            continue;
        kind->fill(dice, target, x + i, piece);
        i += piece;
    }
}

const struct data_kind data_kinds[] = {
    {"weights", fill_weights},
    {"any bits", fill_any_bits},
    {"any finite", fill_any_finite},
    {"constant", fill_constant},
    {"subnormal", fill_subnormal},
    {"log-uniform", fill_log_uniform},
    {"heavy tail", fill_heavy_tail},
    {"sparse", fill_sparse},
    {"zeros", fill_zeros},
    {"ties", fill_ties},
    {"breakpoints", fill_breakpoints},
    {"subnormal grid", fill_subnormal_grid},
    {"around max", fill_around_max},
    {"all special", fill_all_special},
    {"some special", fill_some_special},
    {"one huge", fill_one_huge},
    {"alternating", fill_alternating},
    {"consecutive", fill_consecutive},
    {"increasing", fill_increasing},
    {"binades", fill_binades},
    {"limits", fill_limits},
    {"twins", fill_twins},
    {"largest sums", fill_largest_sums},
    {"patchwork", fill_patchwork},
};
const size_t data_kind_count = LENGTH(data_kinds);

const struct data_kind *data_kind(const char *name)
{
    for (size_t i = 0; i < data_kind_count; i++)
        if (strcmp(data_kinds[i].name, name) == 0)
            return &data_kinds[i];
    fail_msg("no data kind '%s'", name);
    return NULL;
}
