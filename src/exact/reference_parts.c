#include "exact/reference_parts.h"

#include <gmp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void must_hold(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "precheck: the reference %s\n", what);
    abort();
}

void must_be_exact(int ternary)
{
    must_hold(ternary == 0, "was rounded where it must not be");
}

static void grow(mpfr_t x, mpfr_exp_t bits)
{
    if (mpfr_get_prec(x) < bits)
        must_be_exact(mpfr_prec_round(x, bits, MPFR_RNDN));
}

/* The exponent of the last one bit of a number that is not zero. */
static mpfr_exp_t last_place(const mpfr_t x)
{
    return mpfr_get_exp(x) - mpfr_min_prec(x);
}

/* As many bits as a sum may need. */
static mpfr_exp_t bits_of_sum(const mpfr_t a, const mpfr_t b)
{
    if (mpfr_zero_p(a) || mpfr_zero_p(b))
        return mpfr_min_prec(a) + mpfr_min_prec(b); /* that of zero is 0 */
    mpfr_exp_t a_top = mpfr_get_exp(a), b_top = mpfr_get_exp(b);
    mpfr_exp_t a_last = last_place(a), b_last = last_place(b);
    return (a_top > b_top ? a_top : b_top) + 1 - (a_last < b_last ? a_last : b_last);
}

void exactly_add(mpfr_t to, const mpfr_t a, const mpfr_t b)
{
    grow(to, bits_of_sum(a, b));
    must_be_exact(mpfr_add(to, a, b, MPFR_RNDN));
}

void exactly_subtract(mpfr_t to, const mpfr_t a, const mpfr_t b)
{
    grow(to, bits_of_sum(a, b));
    must_be_exact(mpfr_sub(to, a, b, MPFR_RNDN));
}

void exactly_multiply(mpfr_t to, const mpfr_t a, const mpfr_t b)
{
    grow(to, mpfr_min_prec(a) + mpfr_min_prec(b));
    must_be_exact(mpfr_mul(to, a, b, MPFR_RNDN));
}

/* floor(log2|x|) - precision + 1, or the format's own lower bound: the exponent of the distance
 * between neighbours round x. */
static long quantum_exponent(const struct cast *cast, const mpfr_t x)
{
    long exponent = mpfr_get_exp(x) - 1;
    long emin = cast_emin(cast);
    return (exponent > emin ? exponent : emin) - cast->format.precision + 1;
}

/* The four modes that MPFR has: set the format's precision and least exponent, round once from x,
 * then let MPFR treat the subnormal range. The exponent is unbounded above. */
static void round_by_mpfr(mpfr_t q, const struct cast *cast, const mpfr_t x, mpfr_rnd_t mode)
{
    mpfr_exp_t emin = mpfr_get_emin();
    mpfr_set_prec(q, cast->format.precision);
    int ternary = mpfr_set(q, x, mode);
    mpfr_set_emin(cast_emin(cast) - cast->format.precision + 2);
    ternary = mpfr_check_range(q, ternary, mode);
    mpfr_subnormalize(q, ternary, mode);
    mpfr_set_emin(emin);
}

/* Whether an infinite string of random bits is below the fraction, 0 < fraction < 1. */
static bool bits_below(mpfr_t fraction, const struct random_draw *draw)
{
    mpz_t drawn, wanted;
    mpz_inits(drawn, wanted, NULL);
    int order = 0;
    for (uint32_t block = 0; order == 0; block++) {
        uint64_t words[2];
        random_bits(draw, block, words);
        mpz_import(drawn, 2, 1, sizeof *words, 0, 0, words);
        must_be_exact(mpfr_mul_2ui(fraction, fraction, 128, MPFR_RNDN));
        mpfr_get_z(wanted, fraction, MPFR_RNDZ);
        order = mpz_cmp(drawn, wanted);
        must_be_exact(mpfr_frac(fraction, fraction, MPFR_RNDN));
        if (order == 0 && mpfr_zero_p(fraction))
            order = 1;
    }
    mpz_clears(drawn, wanted, NULL);
    return order < 0;
}

/* The other two: x as a multiple of the quantum, its integer neighbours, and a choice. */
static void round_by_quantum(mpfr_t q, const struct cast *cast, const mpfr_t x,
                             const struct random_draw *draw)
{
    mpfr_t units, fraction;
    mpfr_inits2(mpfr_get_prec(x), units, fraction, (mpfr_ptr)0);
    long quantum = quantum_exponent(cast, x);
    must_be_exact(mpfr_mul_2si(units, x, -quantum, MPFR_RNDN));
    mpfr_set_prec(q, 64);
    if (cast->rounding == ROUND_NEAREST_AWAY) {
        mpfr_round(q, units);
    } else {
        mpfr_trunc(q, units);
        must_be_exact(mpfr_frac(fraction, units, MPFR_RNDN));
        mpfr_abs(fraction, fraction, MPFR_RNDN);
        if (!mpfr_zero_p(fraction) && bits_below(fraction, draw)) {
            if (mpfr_signbit(x))
                mpfr_sub_ui(q, q, 1, MPFR_RNDN);
            else
                mpfr_add_ui(q, q, 1, MPFR_RNDN);
        }
    }
    must_be_exact(mpfr_mul_2si(q, q, quantum, MPFR_RNDN));
    if (mpfr_zero_p(q))
        mpfr_set_zero(q, mpfr_signbit(x) ? -1 : 1);
    mpfr_clears(units, fraction, (mpfr_ptr)0);
}

static void round_to_format(mpfr_t q, const struct cast *cast, const mpfr_t x,
                            const struct random_draw *draw)
{
    static const mpfr_rnd_t modes[ROUND_COUNT] = {
        [ROUND_NEAREST_EVEN] = MPFR_RNDN,
        [ROUND_TOWARD_ZERO] = MPFR_RNDZ,
        [ROUND_UP] = MPFR_RNDU,
        [ROUND_DOWN] = MPFR_RNDD,
    };
    if (cast->rounding == ROUND_NEAREST_AWAY || cast->rounding == ROUND_STOCHASTIC)
        round_by_quantum(q, cast, x, draw);
    else
        round_by_mpfr(q, cast, x, modes[cast->rounding]);
}

static void set_max(mpfr_t max, const struct cast *cast)
{
    mpfr_set_ui_2exp(max, cast->format.max_significand,
                     cast_emax(cast) - cast->format.precision + 1, MPFR_RNDN);
}

/* REPORT.md, casting one element, 2 and 3: what an overflow or an infinite x delivers. */
static bool delivers_max(const struct cast *cast, bool negative, bool infinite)
{
    if (cast->saturate || cast->format.specials == SPECIALS_FINITE)
        return true;
    if (infinite)
        return false;
    return cast->rounding == ROUND_TOWARD_ZERO || (cast->rounding == ROUND_UP && negative) ||
           (cast->rounding == ROUND_DOWN && !negative);
}

static void deliver(mpfr_t q, const struct cast *cast, const mpfr_t max, bool negative,
                    bool infinite)
{
    if (delivers_max(cast, negative, infinite)) {
        mpfr_set_prec(q, 64);
        mpfr_setsign(q, max, negative, MPFR_RNDN);
    } else if (cast->format.specials == SPECIALS_IEEE) {
        mpfr_set_inf(q, negative ? -1 : 1);
    } else {
        mpfr_set_nan(q);
    }
}

void reference_cast_number(mpfr_t q, enum class *class, const struct cast *cast, const mpfr_t x,
                           const struct random_draw *draw)
{
    bool negative = mpfr_signbit(x), infinite = mpfr_inf_p(x);
    if (mpfr_nan_p(x)) {
        *class = CLASS_NAN;
        mpfr_set_nan(q);
        return;
    }
    if (mpfr_zero_p(x)) {
        *class = CLASS_ZERO;
        mpfr_set_zero(q, negative ? -1 : 1);
        return;
    }
    mpfr_t max;
    mpfr_init2(max, 64);
    set_max(max, cast);
    *class = CLASS_INF;
    if (!infinite) {
        round_to_format(q, cast, x, draw);
        if (mpfr_zero_p(q))
            *class = CLASS_UNDERFLOW;
        else if (mpfr_cmpabs(q, max) > 0)
            *class = CLASS_OVERFLOW;
        else
            *class = mpfr_get_exp(q) - 1 < cast_emin(cast) ? CLASS_SUBNORMAL : CLASS_NORMAL;
    }
    if (*class == CLASS_INF || *class == CLASS_OVERFLOW)
        deliver(q, cast, max, negative, infinite);
    mpfr_clear(max);
}

void reference_cast_element(mpfr_t q, enum class *class, const struct cast *cast, double x,
                            uint64_t element)
{
    struct random_draw draw = {.key = cast->key, .element = element, .use = RANDOM_USE_CAST};
    mpfr_t exact;
    mpfr_init2(exact, 53);
    must_be_exact(mpfr_set_d(exact, x, MPFR_RNDN));
    reference_cast_number(q, class, cast, exact, &draw);
    mpfr_clear(exact);
}

/* The code of a number, from its sign, exponent and significand. */
static uint64_t code_of(const mpfr_t q, const struct cast *cast, bool negative)
{
    const struct format *f = &cast->format;
    int fraction_bits = f->precision - 1;
    uint64_t sign = (uint64_t)negative << (f->exponent_bits + fraction_bits);
    uint64_t top = ((UINT64_C(1) << f->exponent_bits) - 1) << fraction_bits;
    if (mpfr_nan_p(q)) {
        if (f->specials == SPECIALS_FNUZ)
            return UINT64_C(1) << (f->exponent_bits + fraction_bits);
        if (f->specials == SPECIALS_OCP)
            return sign | top | ((UINT64_C(1) << fraction_bits) - 1);
        if (f->specials == SPECIALS_IEEE)
            return sign | top | UINT64_C(1) << (fraction_bits - 1);
        return top | ((UINT64_C(1) << fraction_bits) - 1); /* no NaN: +max */
    }
    if (mpfr_inf_p(q))
        return sign | top;
    if (mpfr_zero_p(q))
        return f->specials == SPECIALS_FNUZ ? 0 : sign;
    long exponent = mpfr_get_exp(q) - 1 + cast->scale;
    long field = exponent < f->emin ? 0 : exponent + f->bias;
    long quantum = (exponent < f->emin ? f->emin : exponent) - fraction_bits - cast->scale;
    mpz_t significand;
    mpz_init(significand);
    mpfr_t units;
    mpfr_init2(units, 64);
    must_be_exact(mpfr_mul_2si(units, q, -quantum, MPFR_RNDN));
    must_be_exact(mpfr_get_z(significand, units, MPFR_RNDN));
    uint64_t n = mpz_get_ui(significand); /* of the magnitude */
    mpfr_clear(units);
    mpz_clear(significand);
    return sign | (uint64_t)field << fraction_bits | (n & ((UINT64_C(1) << fraction_bits) - 1));
}

struct reference_outcome reference_cast(const struct cast *cast, double x, uint64_t element)
{
    mpfr_t q;
    mpfr_init2(q, 64);
    struct reference_outcome outcome;
    reference_cast_element(q, &outcome.class, cast, x, element);
    outcome.finite = mpfr_number_p(q);
    outcome.value = mpfr_get_d(q, MPFR_RNDN);
    outcome.code = code_of(q, cast, signbit(x)) << cast->format.code_shift;
    mpfr_clear(q);
    return outcome;
}

double reference_settle(mpfr_t value, int ternary)
{
    mpfr_exp_t emin = mpfr_get_emin(), emax = mpfr_get_emax();
    mpfr_set_emin(-1073);
    mpfr_set_emax(1024);
    ternary = mpfr_check_range(value, ternary, MPFR_RNDN);
    mpfr_subnormalize(value, ternary, MPFR_RNDN);
    double result = mpfr_get_d(value, MPFR_RNDN);
    mpfr_set_emin(emin);
    mpfr_set_emax(emax);
    return result == 0 ? 0 : result;
}

double reference_ratio(const mpfr_t a, const mpfr_t b)
{
    mpfr_t value;
    mpfr_init2(value, 53);
    double result = reference_settle(value, mpfr_div(value, a, b, MPFR_RNDN));
    mpfr_clear(value);
    return result;
}

/* By a quotient so precise that the root of a value between two neighbours decides: a 53-bit number
 * or the midpoint m of two has an exact square of at most 108 bits. Where a / b is another number
 * than m^2, a and b m^2 differ by a unit in the last place of the longer one at least, so that so
 * many bits tell them apart. */
double reference_root_ratio(const mpfr_t a, const mpfr_t b)
{
    enum { SQUARE_BITS = 108, MORE_BITS = 8 };
    mpfr_t value, quotient;
    mpfr_prec_t a_bits = mpfr_min_prec(a), b_bits = mpfr_min_prec(b) + SQUARE_BITS;
    mpfr_init2(value, 53);
    mpfr_init2(quotient, (a_bits > b_bits ? a_bits : b_bits) + MORE_BITS);
    mpfr_div(quotient, a, b, MPFR_RNDZ);
    double result = reference_settle(value, mpfr_sqrt(value, quotient, MPFR_RNDN));
    mpfr_clears(value, quotient, (mpfr_ptr)0);
    return result;
}

double reference_over_root(const mpfr_t a, const mpfr_t b)
{
    mpfr_t square;
    mpfr_init2(square, 2 * mpfr_get_prec(a));
    must_be_exact(mpfr_sqr(square, a, MPFR_RNDN));
    double result = reference_root_ratio(square, b);
    mpfr_clear(square);
    return mpfr_sgn(a) < 0 && result != 0 ? -result : result;
}

double reference_rate(uint64_t part, uint64_t all)
{
    if (!all)
        return NAN;
    mpfr_t a, b;
    mpfr_inits2(64, a, b, (mpfr_ptr)0);
    must_be_exact(mpfr_set_ui(a, part, MPFR_RNDN));
    must_be_exact(mpfr_set_ui(b, all, MPFR_RNDN));
    double rate = reference_ratio(a, b);
    mpfr_clears(a, b, (mpfr_ptr)0);
    return rate;
}
