/*
 * Updates of a block, to nearest even: the many that surely vanish are found, counted and summed
 * here, the others left to the definition (kernel/update.h) one by one.
 *
 * To nearest, q stays for |u| < t, t being half the distance to q's neighbour in the direction of
 * u: t = 2^(E - p), where E is the exponent of q or, going toward zero, one less if q is a power of
 * two; below 2^emin distances are as at 2^emin. So an update vanishes surely if
 * floor(log2|u|) + p < E, and exponents are bytes.
 *
 * E comes from the bits of |x|, in which half a unit in the last place of q is h = 2^(23 - p). From
 * 2^(e+1) - 2^(e-p) on x is rounded to 2^(e+1) (a tie to even: the number below is odd), so E away
 * from zero is the exponent field of bits + h; up to 2^e + 2^(e-p) it is rounded to 2^e (again the
 * even one), so E toward zero is that of bits - h - 1.
 */
#ifndef PRECHECK_KERNEL_FAST_UPDATES_H
#define PRECHECK_KERNEL_FAST_UPDATES_H

#include <math.h>

#include "kernel/fast/block.h"
#include "kernel/update.h"

/* Exponents in bytes are those of float32: EXPONENT_BIAS more. */
struct screen {
    int precision;
    uint32_t least; /* bits that smaller |x| are taken as: E is then the floor */
    /* Added where x and g have one sign: h; where S or the constant is negative, ~h = -h - 1. */
    uint32_t half;
    /* The least and the largest E that is taken as it is: q is comfortable and no more than 2^emax,
     * and where emin is too low for that, what is below is left to the definition, as zeros are. */
    int first, last;
    /* Of constant updates the byte of |u|; of others a factor no less than |S|, so that a rounded
     * product with it is no less than |u|. */
    uint8_t constant;
    float scale;
};

enum { LARGEST_BYTE = 230, LARGEST_PRECISION = 22 };

_Static_assert(LARGEST_BYTE > COMFORT_LAST + 1 + EXPONENT_BIAS, "above every E");
_Static_assert(LARGEST_BYTE + LARGEST_PRECISION < 256 && LARGEST_PRECISION < (int)FRACTION_BITS,
               "sums with the precision are bytes");

/* The byte of a number whose rounding may have gone up: never too small. */
static inline uint8_t exponent_byte(double u)
{
    int byte = u == 0 ? 0 : ilogb(u) + EXPONENT_BIAS;
    return (uint8_t)(byte < 0 ? 0 : byte > LARGEST_BYTE ? LARGEST_BYTE : byte);
}

static inline bool make_screen(const struct cast *cast, double scale, bool constant,
                               struct screen *screen)
{
    int emin = cast_emin(cast), emax = cast_emax(cast);
    double size = fabs(scale);
    if (cast->rounding != ROUND_NEAREST_EVEN || cast->format.precision > LARGEST_PRECISION ||
        emin > COMFORT_LAST || emax <= COMFORT_FIRST || isinf(scale) ||
        (!constant && (size < 0x1p-60 || size > 0x1p60)))
        return false;
    bool low = emin < COMFORT_FIRST;
    uint32_t half = UINT32_C(1) << (FRACTION_BITS - cast->format.precision);
    screen->precision = cast->format.precision;
    screen->first = low ? COMFORT_FIRST : emin;
    screen->last = emax - 1 < COMFORT_LAST ? emax - 1 : COMFORT_LAST;
    screen->least = bits_of(power_of_two(low ? COMFORT_FIRST - 1 : emin)) + half + 1;
    screen->half = signbit(scale) ? ~half : half; /* it may be -0 */
    screen->constant = exponent_byte(scale);
    screen->scale = constant ? 0 : (float)(size * (1 + 0x1p-20));
    return screen->first <= screen->last;
}

/* What a screened block is left with. */
struct screened {
    uint8_t keys[FAST_BLOCK];  /* of surely lost ones the byte of E, else 0 */
    uint16_t rest[FAST_BLOCK]; /* where the others are */
    size_t rest_count;
    int first, last; /* the least and the largest of these E */
};

/* Other numbers than finite ones are above all of them, and stay so. */
static inline vi exponents_towards(const struct screen *screen, vi x, vi signs)
{
    vi size = vi_max_positive(vi_and(x, vi_all(MAGNITUDE_BITS)), vi_all(screen->least));
    vi half = vi_xor(vi_shift_right_signed(signs, 31), vi_all(screen->half));
    return vi_shift_right(vi_add(size, half), FRACTION_BITS);
}

/* Bytes of ones where a <= b. */
static inline vb vb_no_more(vb a, vb b)
{
    return vb_equal(vb_min_unsigned(a, b), a);
}

static inline __attribute__((always_inline)) void screen_block(const struct screen *screen,
                                                               const float *x, const float *g,
                                                               size_t n, struct screened *to)
{
    const vi magnitude = vi_all(MAGNITUDE_BITS);
    const vf scale = vf_all(screen->scale);
    const vb one = vb_all(1), all = vb_all(255), most = vb_all(LARGEST_BYTE);
    const vb above = vb_all((uint8_t)(screen->precision + 1));
    const vb first = vb_all((uint8_t)(screen->first + EXPONENT_BIAS));
    const vb last = vb_all((uint8_t)(screen->last + EXPONENT_BIAS));
    const vb constant = vb_add(vb_all(screen->constant), above);
    vb least = all, least_left = all;
    to->rest_count = 0;
    for (size_t i = 0; i < n; i += VB_LANES) {
        vi e[BYTE_VECTORS], u[BYTE_VECTORS];
        for (int j = 0; j < BYTE_VECTORS; j++) {
            size_t at = i + (size_t)j * LANES;
            vi bits = vi_load(x + at), signs = bits;
            if (g) {
                vf update = vf_load(g + at);
                signs = vi_xor(signs, vf_bits(update));
                u[j] = vi_shift_right(vi_and(vf_bits(vf_mul(update, scale)), magnitude),
                                      FRACTION_BITS);
            }
            e[j] = exponents_towards(screen, bits, signs);
        }
        vb key = vb_pack_unsigned(e[0], e[1], e[2], e[3]);
        vb lost = vb_and(vb_no_more(first, key), vb_no_more(key, last));
        if (g) { /* 0 is perhaps none */
            vb size = vb_min_unsigned(vb_pack_unsigned(u[0], u[1], u[2], u[3]), most);
            lost =
                vb_and(lost, vb_and(vb_no_more(vb_add(size, above), key), vb_no_more(one, size)));
        } else {
            lost = vb_and(lost, vb_no_more(constant, key));
        }
        key = vb_and(key, lost);
        vb_store(to->keys + i, key);
        least = vb_min_unsigned(least, vb_sub(key, one)); /* 0 becomes 255 */
        least_left = vb_min_unsigned(least_left, vb_sub(all, key));
        uint64_t rest = ~vb_mask(lost) & (UINT64_MAX >> (64 - VB_LANES));
        for (; rest; rest &= rest - 1)
            to->rest[to->rest_count++] = (uint16_t)(i + (size_t)__builtin_ctzll(rest));
    }
    to->first = least_lane(least) + 1 - EXPONENT_BIAS;
    to->last = 255 - least_lane(least_left) - EXPONENT_BIAS;
}

/* The thresholds of what is surely lost; returns how many that is. */
static inline uint64_t count_thresholds(const struct screen *screen,
                                        const struct screened *screened, size_t n,
                                        struct update_measure *into)
{
    int first = screened->first, bins = screened->last - first + 1;
    if (bins <= 0)
        return 0;
    count_all(screened->keys, n, first + EXPONENT_BIAS, bins,
              into->threshold + first - screen->precision - THRESHOLD_FIRST);
    return n - count_inside(screened->keys, n, 0, 1);
}

/* The sum of the squares; false where some are not finite. */
static inline bool add_block_squares(const float *v, size_t n, uint64_t *exponents,
                                     struct exact_sum *sum)
{
    uint8_t fields[FAST_BLOCK];
    struct runs runs;
    struct run_sums parts[WINDOWS_IN_PLACE];
    struct gate gate = gate_block(v, n, fields);
    if (gate.largest >= INFINITY_BITS)
        return false;
    make_runs(v, fields, n, gate, v + FAST_BLOCK, &runs, exponents);
    for (size_t r = 0; r < runs.count; r++) {
        sum_windows(&runs.run[r], runs.run[r].x, false, parts);
        add_run_squares(&runs.run[r], parts, sum);
    }
    return true;
}

/* Plain updates of a block: each its own, or all the same. */
struct block_updates {
    const float *x, *g; /* g is NULL for a constant's */
    double constant;
    size_t n, padded; /* to a multiple of BLOCK_STEP, x with NaN and g with 0 */
    uint64_t first;
    uint64_t *exponents; /* counted along and not wanted */
};

static inline void update_one(const struct cast *cast, const struct update_plan *plan,
                              const struct block_updates *block, size_t i,
                              struct update_measure *into)
{
    double g = block->g ? (double)block->g[i] : block->constant;
    if (g != 0)
        update_element(cast, plan, block->x[i], g, block->first + i, into, NULL);
}

static inline void update_block(const struct screen *screen, const struct cast *cast,
                                const struct update_plan *plan, const struct block_updates *block,
                                struct update_measure *into)
{
    struct exact_sum *squares = &into->sum[SUM_W2];
    struct screened screened;
    if (block->g && !add_block_squares(block->g, block->padded, block->exponents, squares)) {
        for (size_t i = 0; i < block->n; i++)
            update_one(cast, plan, block, i, into);
        return;
    }
    if (block->g)
        screen_block(screen, block->x, block->g, block->padded, &screened);
    else
        screen_block(screen, block->x, NULL, block->padded, &screened);
    uint64_t lost = count_thresholds(screen, &screened, block->padded, into);
    into->count += lost;
    into->lost += lost;
    if (!block->g)
        exact_sum_add_numbers(squares, number_product(block->constant, block->constant),
                              (struct number){.n = lost});
    for (size_t i = 0; i < screened.rest_count; i++) {
        size_t at = screened.rest[i];
        if (at >= block->n)
            break;
        if (block->g) /* the definition adds it */
            exact_sum_add_product(squares, -(double)block->g[at], block->g[at]);
        update_one(cast, plan, block, at, into);
    }
}

/* Plain updates of n elements: g[i], or `constant` where g is NULL. False, with nothing done, where
 * the screen cannot be used. */
static inline bool fast_update(const struct cast *cast, const struct update_plan *plan,
                               const float *x, const float *g, double constant, size_t n,
                               uint64_t first, struct update_measure *into)
{
    struct screen screen;
    if (!g && constant == 0)
        return true; /* no update at all */
    if (!make_screen(cast, g ? plan->scale : plan->scale * constant, !g, &screen))
        return false;
    uint64_t exponents[EXPONENT_BINS];
    float x_padded[FAST_BLOCK], g_padded[FAST_BLOCK];
    if (g)
        memset(exponents, 0, sizeof exponents);
    for (size_t done = 0; done < n; done += FAST_BLOCK) {
        size_t part = n - done < FAST_BLOCK ? n - done : FAST_BLOCK;
        struct block_updates block = {.x = x + done,
                                      .g = g ? g + done : NULL,
                                      .constant = constant,
                                      .n = part,
                                      .padded = (part + BLOCK_STEP - 1) / BLOCK_STEP * BLOCK_STEP,
                                      .first = first + done,
                                      .exponents = exponents};
        if (block.padded != part) {
            memset(x_padded, 0xff, sizeof x_padded);
            block.x = memcpy(x_padded, block.x, part * sizeof *x);
        }
        if (block.padded != part && g) {
            memset(g_padded, 0, sizeof g_padded);
            block.g = memcpy(g_padded, block.g, part * sizeof *g);
        }
        update_block(&screen, cast, plan, &block, into);
    }
    return true;
}

#endif
