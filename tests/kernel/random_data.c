#include "kernel/random_data.h"

#include <float.h>
#include <math.h>

#include "kernel/kernel.h"
#include "kernel/testing.h"

const struct numbers f32_numbers = {"f32", sizeof(float), -149, 127};
const struct numbers f64_numbers = {"f64", sizeof(double), -1074, 1023};

static bool is_f32(const struct numbers *numbers)
{
    return numbers->bytes == sizeof(float);
}

double number_of(const struct numbers *numbers, double x)
{
    return is_f32(numbers) ? (double)(float)x : x;
}

double number_next(const struct numbers *numbers, double x, double towards)
{
    return is_f32(numbers) ? (double)nextafterf((float)x, (float)towards) : nextafter(x, towards);
}

double binade_end(const struct numbers *numbers, int exponent)
{
    double after = exponent == numbers->last_exponent ? INFINITY : ldexp(1, exponent + 1);
    return number_next(numbers, after, 0);
}

int number_exponent(const struct numbers *numbers, int exponent)
{
    return exponent < numbers->least_exponent  ? numbers->least_exponent
           : exponent > numbers->last_exponent ? numbers->last_exponent
                                               : exponent;
}

/* A NaN keeps its sign and the low bits of its payload. */
static uint32_t to_float_bits(double x)
{
    uint64_t bits = double_bits(x);
    uint32_t sign = (uint32_t)(bits >> 63) << 31, payload = (uint32_t)bits & 0x7fffff;
    return x == x ? float_bits((float)x) : sign | 0x7f800000 | (payload ? payload : 1);
}

void numbers_store(const struct numbers *numbers, const double *x, size_t n, void *to)
{
    unsigned char *at = to;
    for (size_t i = 0; i < n; i++, at += numbers->bytes) {
        uint32_t narrow = to_float_bits(x[i]);
        memcpy(at, is_f32(numbers) ? (const void *)&narrow : &x[i], numbers->bytes);
    }
}

static double with_sign(struct dice *dice, double x)
{
    return dice_below(dice, 2) ? x : -x;
}

double random_number(const struct data_source *from, int exponent)
{
    double start = ldexp(1, exponent), end = binade_end(from->numbers, exponent);
    uint64_t low = double_bits(start), high = double_bits(end);
    double x = double_from_bits(low + dice_u64(from->dice) % (high - low + 1));
    /* Rounded down: what a float32 has no room for goes. */
    double number = number_of(from->numbers, x);
    return with_sign(from->dice, number > x ? number_next(from->numbers, number, 0) : number);
}

/* Of a binary64 too, often one that a float32 could have. */
int any_exponent(const struct data_source *from)
{
    const struct numbers *numbers = dice_below(from->dice, 2) ? &f32_numbers : from->numbers;
    return dice_between(from->dice, numbers->least_exponent, numbers->last_exponent);
}

static int near_exponent(const struct data_source *from, int exponent, int low, int high)
{
    return number_exponent(from->numbers, exponent + dice_between(from->dice, low, high));
}

static int quantum_exponent(const struct cast *target)
{
    return cast_emin(target) - target->format.precision + 1;
}

/* A finite number of about that size. */
static double finite_number(const struct data_source *from, double x)
{
    double most = binade_end(from->numbers, from->numbers->last_exponent);
    x = number_of(from->numbers, x);
    return x > most ? most : x < -most ? -most : x;
}

/* The number before, itself, or the one after. */
static double or_neighbour(const struct data_source *from, double x)
{
    int way = dice_between(from->dice, -1, 1);
    return way ? number_next(from->numbers, x, way < 0 ? -INFINITY : INFINITY) : x;
}

double near_breakpoint(const struct data_source *from)
{
    const struct format *f = &from->target->format;
    uint64_t max = format_code_max(f, false), code = dice_below(from->dice, max + 1);
    if (dice_below(from->dice, 8) == 0)
        code = max;
    else if (dice_below(from->dice, 4) == 0)
        code = dice_below(from->dice, max < 4 ? max : 4);
    double value = format_decode(f, code);
    int exponent = value == 0 ? f->emin : ilogb(value);
    double quantum = ldexp(1, (exponent > f->emin ? exponent : f->emin) - f->precision + 1);
    value = ldexp(value + quantum * 0.5 * (double)dice_below(from->dice, 2), -from->target->scale);
    return with_sign(from->dice, or_neighbour(from, number_of(from->numbers, value)));
}

static void fill_weights(const struct data_source *from, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) { /* the sum of three is normal enough */
        double sum = dice_real(from->dice) + dice_real(from->dice) + dice_real(from->dice);
        x[i] = number_of(from->numbers, 0.04 * (sum - 1.5));
    }
}

static void fill_any_bits(const struct data_source *from, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits = dice_u64(from->dice);
        x[i] = is_f32(from->numbers) ? float_from_bits((uint32_t)bits) : double_from_bits(bits);
    }
}

static void fill_any_finite(const struct data_source *from, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = random_number(from, any_exponent(from));
}

static void fill_constant(const struct data_source *from, double *x, size_t n)
{
    double value =
        dice_below(from->dice, 2) ? near_breakpoint(from) : random_number(from, any_exponent(from));
    bool both_signs = dice_below(from->dice, 2);
    for (size_t i = 0; i < n; i++)
        x[i] = both_signs ? with_sign(from->dice, value) : value;
}

/* Subnormal numbers of the type. */
static void fill_subnormal(const struct data_source *from, double *x, size_t n)
{
    int width = dice_between(from->dice, 1, is_f32(from->numbers) ? 23 : 52);
    for (size_t i = 0; i < n; i++) {
        double units = (double)(dice_u64(from->dice) >> (64 - width));
        x[i] = with_sign(from->dice, ldexp(units, from->numbers->least_exponent));
    }
}

/* Of some width, anywhere. */
static void fill_log_uniform(const struct data_source *from, double *x, size_t n)
{
    int low = any_exponent(from), high = near_exponent(from, low, 0, 100);
    for (size_t i = 0; i < n; i++)
        x[i] = random_number(from, dice_between(from->dice, low, high));
}

/* As wide as gradients are: most of it far below the top. */
static void fill_heavy_tail(const struct data_source *from, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = random_number(from, -5 - (int)(40 * dice_real(from->dice) * dice_real(from->dice)));
}

static void fill_sparse(const struct data_source *from, double *x, size_t n)
{
    int top = any_exponent(from);
    fill_weights(from, x, n);
    for (size_t i = 0; i < n; i++)
        if (dice_below(from->dice, 10))
            x[i] = with_sign(from->dice, 0);
        else if (dice_below(from->dice, 20) == 0)
            x[i] = random_number(from, top);
}

static void fill_zeros(const struct data_source *from, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = with_sign(from->dice, 0);
    if (n && dice_below(from->dice, 2))
        x[dice_below(from->dice, n)] = random_number(from, any_exponent(from));
}

/* The middle of two numbers of the target's precision, everywhere. */
static void fill_ties(const struct data_source *from, double *x, size_t n)
{
    int precision = from->target->format.precision;
    if (precision == 24 && is_f32(from->numbers))
        precision = 23;
    int low = any_exponent(from), high = near_exponent(from, low, 0, 24);
    for (size_t i = 0; i < n; i++) {
        uint64_t significand = UINT64_C(1) << (precision - 1);
        significand += dice_below(from->dice, significand);
        int exponent = dice_between(from->dice, low, high) - precision;
        x[i] = with_sign(from->dice,
                         finite_number(from, ldexp((double)(2 * significand + 1), exponent)));
    }
}

static void fill_breakpoints(const struct data_source *from, double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = near_breakpoint(from);
}

/* Round the least normal number: numbers of the subnormal grid, its middles and their neighbours.
 */
static void fill_subnormal_grid(const struct data_source *from, double *x, size_t n)
{
    int half_quantum = quantum_exponent(from->target) - 1;
    int bits = from->target->format.precision + 2;
    for (size_t i = 0; i < n; i++) {
        double units = (double)dice_below(from->dice, UINT64_C(1) << bits);
        double value = finite_number(from, ldexp(units, half_quantum));
        x[i] = with_sign(from->dice, or_neighbour(from, value));
    }
}

static void fill_around_max(const struct data_source *from, double *x, size_t n)
{
    double max = ldexp(format_max(&from->target->format), -from->target->scale);
    max = finite_number(from, max);
    if (max == 0)
        max = ldexp(1, from->numbers->least_exponent);
    for (size_t i = 0; i < n; i++)
        switch (dice_below(from->dice, 3)) {
        case 0:
            x[i] = near_breakpoint(from);
            break;
        case 1:
            x[i] = random_number(from, near_exponent(from, ilogb(max), -1, 2));
            break;
        default:
            x[i] = with_sign(from->dice, or_neighbour(from, max));
        }
}

static void fill_all_special(const struct data_source *from, double *x, size_t n)
{
    const uint64_t all = (UINT64_C(1) << 52) - 1, inf = UINT64_C(0x7ff) << 52;
    for (size_t i = 0; i < n; i++) { /* Inf, and NaN next to it, at the other end, and between */
        const uint64_t payloads[] = {0, 0, 1, all, dice_u64(from->dice) & all};
        uint64_t payload = payloads[dice_below(from->dice, LENGTH(payloads))];
        x[i] = double_from_bits(dice_below(from->dice, 2) << 63 | inf | payload);
    }
}

static void fill_some_special(const struct data_source *from, double *x, size_t n)
{
    uint64_t every = 1 + dice_below(from->dice, 300);
    fill_log_uniform(from, x, n);
    for (size_t i = 0; i < n; i++)
        if (dice_below(from->dice, every) == 0)
            fill_all_special(from, x + i, 1);
}

static void fill_one_huge(const struct data_source *from, double *x, size_t n)
{
    int low = any_exponent(from);
    for (size_t i = 0; i < n; i++)
        x[i] = random_number(from, near_exponent(from, low, 0, 3));
    if (n)
        x[dice_below(from->dice, n)] =
            random_number(from, dice_between(from->dice, low, from->numbers->last_exponent));
}

/* Some elements a number of binades below all others: so many in each stretch as long as a block,
 * or about so many, that a kernel takes them one by one or stops to do so. */
static void fill_few_below(const struct data_source *from, double *x, size_t n)
{
    static const uint64_t some[] = {1, 12, 13, 16, 17, 63, 64, 65, 128, 129};
    const size_t stretch = 8192 / from->numbers->bytes;
    int top = dice_below(from->dice, 2) ? any_exponent(from) : dice_between(from->dice, -20, 10);
    int width = dice_between(from->dice, 0, 20), gap = dice_between(from->dice, 1, 50);
    bool with_zeros = dice_below(from->dice, 3) == 0;
    uint64_t few = some[dice_below(from->dice, sizeof some / sizeof *some)];
    for (size_t i = 0; i < n; i++) {
        uint64_t place = (i % stretch * 1237 + 5) % stretch; /* spread, and each once */
        int exponent = place < few ? near_exponent(from, top, -width - gap - 20, -width - gap)
                                   : near_exponent(from, top, -width, 0);
        bool zero = with_zeros && place >= few && dice_below(from->dice, 2);
        x[i] = zero ? with_sign(from->dice, 0) : random_number(from, exponent);
    }
}

static void fill_alternating(const struct data_source *from, double *x, size_t n)
{
    int even = any_exponent(from), odd = any_exponent(from);
    for (size_t i = 0; i < n; i++)
        x[i] = random_number(from, i % 2 ? odd : even);
}

/* Consecutive numbers, up or down. */
static void fill_consecutive(const struct data_source *from, double *x, size_t n)
{
    double value =
        dice_below(from->dice, 2) ? near_breakpoint(from) : random_number(from, any_exponent(from));
    double towards = with_sign(from->dice, INFINITY);
    for (size_t i = 0; i < n; i++) {
        x[i] = value;
        value = finite_number(from, number_next(from->numbers, value, towards));
    }
}

/* An error or a ratio larger than the one before, all the way: every block has new extremes. */
static void fill_increasing(const struct data_source *from, double *x, size_t n)
{
    int low = any_exponent(from);
    if (dice_below(from->dice, 2))
        low = number_exponent(from->numbers, quantum_exponent(from->target) - 12);
    double factor = exp2((double)dice_between(from->dice, 1, 40) / (double)(n + 1));
    double value = ldexp(1 + dice_real(from->dice), low);
    for (size_t i = 0; i < n; i++, value *= factor)
        x[i] = with_sign(from->dice, finite_number(from, value));
}

/* Exactly so many binades in a block, both ends attained: a window of a kernel's sums, a little
 * less, a little more, or several. */
static void fill_binades(const struct data_source *from, double *x, size_t n)
{
    const struct numbers *numbers = from->numbers;
    int binades = dice_below(from->dice, 2) ? dice_between(from->dice, 14, 24)
                                            : dice_between(from->dice, 30, 90);
    int low = any_exponent(from), high = number_exponent(numbers, low + binades - 1);
    double smallest = number_next(numbers, ldexp(1, low), INFINITY);
    bool ends_only = dice_below(from->dice, 2);
    for (size_t i = 0; i < n; i++) {
        double end = dice_below(from->dice, 2) ? smallest : binade_end(numbers, high);
        x[i] = ends_only ? with_sign(from->dice, end)
                         : random_number(from, dice_between(from->dice, low, high));
    }
    if (n > 1) {
        x[dice_below(from->dice, n / 2)] = binade_end(numbers, high);
        x[n / 2 + dice_below(from->dice, n - n / 2)] = -ldexp(1, low);
    }
}

/* Round the exponents where a kernel may change its way: what bytes of exponent fields hold, where
 * magnitudes are too extreme to be measured without scaling, where windows end. */
static void fill_limits(const struct data_source *from, double *x, size_t n)
{
    static const int limits[] = {
        -1074, -1058, -1057, -1023, -1022, -970, -512, -256, -150, -149, -148, -129,
        -128,  -127,  -126,  -125,  -110,  -109, -90,  -89,  -71,  -70,  -69,  -50,
        -49,   -10,   -9,    0,     10,    11,   70,   71,   89,   90,   91,   110,
        111,   126,   127,   128,   129,   256,  512,  970,  1007, 1022, 1023,
    };
    int chosen[3];
    for (int i = 0; i < 3; i++)
        chosen[i] = number_exponent(from->numbers, limits[dice_below(from->dice, LENGTH(limits))]);
    for (size_t i = 0; i < n; i++) {
        int exponent = chosen[dice_below(from->dice, 3)];
        switch (dice_below(from->dice, 4)) {
        case 0:
            x[i] = ldexp(1, exponent);
            break;
        case 1:
            x[i] = binade_end(from->numbers, exponent);
            break;
        case 2:
            x[i] = number_next(from->numbers, ldexp(1, exponent), 0);
            break;
        default:
            x[i] = random_number(from, exponent);
        }
        x[i] = with_sign(from->dice, x[i]);
    }
}

/*
 * The same largest error from elements of very different size: on the subnormal grid k quanta and d
 * has the error d for any k. The same largest ratio too: all that is flushed has 1.
 */
static void fill_twins(const struct data_source *from, double *x, size_t n)
{
    int quantum = quantum_exponent(from->target), fraction = is_f32(from->numbers) ? 23 : 52;
    int fine = dice_between(from->dice, 1, fraction - 1), most = fraction - fine;
    if (most > from->target->format.precision - 1)
        most = from->target->format.precision - 1;
    for (size_t i = 0; i < n; i++) {
        uint64_t k = dice_below(from->dice, 4) ? 0 : dice_below(from->dice, UINT64_C(1) << most);
        bool twin = dice_below(from->dice, 40) == 0;
        /* In units of 2^-fine quanta; others have smaller errors. */
        double units =
            ldexp((double)k, fine) + (twin ? 1 : 0.25 * (double)dice_below(from->dice, 2));
        x[i] = with_sign(from->dice, finite_number(from, ldexp(units, quantum - fine)));
    }
}

/* x = q + e with integers, q a number of the target's precision: the ratio is |e| / x. */
struct split {
    int64_t q, e;
};

/* Positive where the ratio of a is above that of b. */
static __int128 compare_ratios(struct split a, struct split b)
{
    return (__int128)llabs(a.e) * (b.q + b.e) - (__int128)llabs(b.e) * (a.q + a.e);
}

/* A number below some q whose ratio is as near to that of `wanted` as a few tries find, not equal.
 */
static struct split near_ratio(const struct data_source *from, struct split wanted, int precision,
                               int unit)
{
    enum { TRIES = 500 };
    struct split best = wanted;
    __int128 least = 0;
    double ratio = (double)wanted.e / (double)(wanted.q + wanted.e);
    for (int i = 0; i < TRIES; i++) {
        uint64_t half = UINT64_C(1) << (precision - 1);
        struct split some = {(int64_t)(half + dice_below(from->dice, half)) << unit, 0};
        some.e =
            -(int64_t)rint((double)some.q * ratio / (1 + ratio)) + dice_between(from->dice, -1, 1);
        __int128 distance = compare_ratios(some, wanted);
        distance = distance < 0 ? -distance : distance;
        if (distance != 0 && (least == 0 || distance < least)) {
            least = distance;
            best = some;
        }
    }
    return best;
}

/* Largest ratios that are next to each other, and equal ones at other exponents, here and there. */
static void fill_near_ratios(const struct data_source *from, double *x, size_t n)
{
    const struct cast *target = from->target;
    int precision = target->format.precision, digits = is_f32(from->numbers) ? 24 : 53;
    if (precision > digits - 3)
        precision = digits - 3;
    int unit = digits - precision; /* of q: 2^unit */
    uint64_t half = UINT64_C(1) << (precision - 1), most = UINT64_C(1) << (unit - 2);
    struct split first = {(int64_t)(half + dice_below(from->dice, half)) << unit,
                          (int64_t)(most + dice_below(from->dice, most))};
    struct split choices[] = {first, near_ratio(from, first, precision, unit),
                              near_ratio(from, first, precision, unit)};
    int low = number_exponent(from->numbers, cast_emin(target)),
        high = near_exponent(from, low, 0, 12);
    for (size_t i = 0; i < n; i++) {
        struct split split = choices[dice_below(from->dice, LENGTH(choices))];
        if (dice_below(from->dice, 500))
            split.e /= 2;
        int exponent = dice_between(from->dice, low, high) - digits + 1;
        x[i] = with_sign(from->dice,
                         finite_number(from, ldexp((double)(split.q + split.e), exponent)));
    }
}

/* All lanes at the most that a sum has to hold. */
static void fill_largest_sums(const struct data_source *from, double *x, size_t n)
{
    int top = any_exponent(from);
    double value = with_sign(from->dice, binade_end(from->numbers, top));
    for (size_t i = 0; i < n; i++)
        x[i] = value;
    if (n && dice_below(from->dice, 2))
        x[dice_below(from->dice, n)] = ldexp(1, near_exponent(from, top, -22, 0));
}

/* Another kind every so often, within blocks and across them. */
static void fill_patchwork(const struct data_source *from, double *x, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t piece = 1 + dice_below(from->dice, dice_below(from->dice, 2) ? 40 : BLOCK);
        if (piece > n - i)
            piece = n - i;
        const struct data_kind *kind = &data_kinds[dice_below(from->dice, data_kind_count)];
        if (kind->fill == fill_patchwork)
            continue;
        kind->fill(from, x + i, piece);
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
    {"few below", fill_few_below},
    {"alternating", fill_alternating},
    {"consecutive", fill_consecutive},
    {"increasing", fill_increasing},
    {"binades", fill_binades},
    {"limits", fill_limits},
    {"twins", fill_twins},
    {"near ratios", fill_near_ratios},
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
