#include "exact/reference.h"

#include <math.h>
#include <mpfr.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "exact/reference_parts.h"

/* Wide enough that no difference, product or sum below is ever rounded: checked at each step. */
enum { DIFFERENCE_BITS = 2304, SUM_BITS = 4480, RELATIVE_LOWEST = -64, RELATIVE_BINS = 2304 };

struct reference {
    struct cast cast;
    struct reference_figures figures;
    mpfr_t q, x, e, ratio, product;
    mpfr_t sum_e, sum_abs_e, sum_e2, sum_x2;
    mpfr_t max_abs, max_rel;
    uint64_t relative[RELATIVE_BINS];
};

struct reference *reference_new(const struct cast *cast)
{
    struct reference *r = allocate(1, sizeof *r);
    r->cast = *cast;
    mpfr_inits2(64, r->q, r->x, (mpfr_ptr)0);
    mpfr_inits2(DIFFERENCE_BITS, r->e, r->max_abs, (mpfr_ptr)0);
    mpfr_inits2(53, r->ratio, r->max_rel, (mpfr_ptr)0);
    mpfr_inits2(SUM_BITS, r->product, r->sum_e, r->sum_abs_e, r->sum_e2, r->sum_x2, (mpfr_ptr)0);
    mpfr_set_zero(r->max_abs, 1);
    mpfr_set_zero(r->max_rel, 1);
    mpfr_set_zero(r->sum_e, 1);
    mpfr_set_zero(r->sum_abs_e, 1);
    mpfr_set_zero(r->sum_e2, 1);
    mpfr_set_zero(r->sum_x2, 1);
    return r;
}

static void add_error(struct reference *r, double x, uint64_t position)
{
    struct reference_figures *f = &r->figures;
    must_be_exact(mpfr_add(r->sum_e, r->sum_e, r->e, MPFR_RNDN));
    must_be_exact(mpfr_sqr(r->product, r->e, MPFR_RNDN));
    must_be_exact(mpfr_add(r->sum_e2, r->sum_e2, r->product, MPFR_RNDN));
    mpfr_abs(r->e, r->e, MPFR_RNDN);
    must_be_exact(mpfr_add(r->sum_abs_e, r->sum_abs_e, r->e, MPFR_RNDN));
    if (mpfr_greater_p(r->e, r->max_abs)) {
        mpfr_set(r->max_abs, r->e, MPFR_RNDN);
        f->max_abs_at = position;
        f->max_abs_input = x;
    }
    mpfr_abs(r->x, r->x, MPFR_RNDN);
    /* Rounded toward zero a quotient keeps its exponent. */
    mpfr_div(r->ratio, r->e, r->x, MPFR_RNDZ);
    r->relative[mpfr_get_exp(r->ratio) - 1 - RELATIVE_LOWEST]++;
    mpfr_div(r->ratio, r->e, r->x, MPFR_RNDN);
    /* As a binary64: beyond the largest one all are equal, infinite. */
    mpfr_set_d(r->ratio, mpfr_get_d(r->ratio, MPFR_RNDN), MPFR_RNDN);
    if (mpfr_greater_p(r->ratio, r->max_rel)) {
        mpfr_set(r->max_rel, r->ratio, MPFR_RNDN);
        f->max_rel_at = position;
        f->max_rel_input = x;
    }
}

static void add_element(struct reference *r, double x, uint64_t position)
{
    struct reference_figures *f = &r->figures;
    enum class class;
    reference_cast_element(r->q, &class, &r->cast, x, position);
    f->classes[class]++;
    if (!isfinite(x) || !mpfr_number_p(r->q))
        return;
    f->count++;
    must_be_exact(mpfr_set_d(r->x, x, MPFR_RNDN));
    must_be_exact(mpfr_sub(r->e, r->q, r->x, MPFR_RNDN));
    must_be_exact(mpfr_sqr(r->product, r->x, MPFR_RNDN));
    must_be_exact(mpfr_add(r->sum_x2, r->sum_x2, r->product, MPFR_RNDN));
    if (!mpfr_zero_p(r->e)) {
        add_error(r, x, position);
        return;
    }
    f->exact++;
    f->relative_exact += x != 0;
}

void reference_add(struct reference *r, const double *x, size_t n, uint64_t first)
{
    for (size_t i = 0; i < n; i++)
        add_element(r, x[i], first + i);
}

/* [-]0x1.8p+3 from MPFR's own digits, written as REPORT.md has it. */
static char *hexadecimal(mpfr_t value)
{
    if (mpfr_zero_p(value))
        return copy_string("0x0p+0");
    long exponent = mpfr_get_exp(value) - 1;
    mpfr_t leading;
    mpfr_init2(leading, SUM_BITS + 8); /* a leading digit of 1 moves the others by up to 3 bits */
    must_be_exact(mpfr_mul_2si(leading, value, -exponent, MPFR_RNDN));
    mpfr_exp_t point;
    char *digits = mpfr_get_str(NULL, &point, 16, 0, leading, MPFR_RNDN);
    const char *first = digits + (*digits == '-');
    size_t length = strlen(first);
    while (length > 1 && first[length - 1] == '0')
        length--;
    struct buffer text = {0};
    buffer_printf(&text, "%s0x1%s%.*sp%+ld", first == digits ? "" : "-", length > 1 ? "." : "",
                  (int)length - 1, first + 1, exponent);
    mpfr_free_str(digits);
    mpfr_clear(leading);
    return text.data;
}

static double mean_of(mpfr_t sum, uint64_t count)
{
    mpfr_t value;
    mpfr_init2(value, 53);
    double result = reference_settle(value, mpfr_div_ui(value, sum, count, MPFR_RNDN));
    mpfr_clear(value);
    return result;
}

/* 10 log10(a / b) at a growing precision, until its 53-bit rounding is certain. */
static double decibel_of(mpfr_t a, mpfr_t b)
{
    double result = 0;
    bool certain = false;
    for (mpfr_prec_t precision = 128; !certain; precision *= 2) {
        mpfr_t low, high;
        mpfr_inits2(precision, low, high, (mpfr_ptr)0);
        int inexact = mpfr_div(low, a, b, MPFR_RNDD);
        inexact |= mpfr_div(high, a, b, MPFR_RNDU);
        inexact |= mpfr_log10(low, low, MPFR_RNDD);
        inexact |= mpfr_log10(high, high, MPFR_RNDU);
        inexact |= mpfr_mul_ui(low, low, 10, MPFR_RNDD);
        inexact |= mpfr_mul_ui(high, high, 10, MPFR_RNDU);
        result = mpfr_get_d(low, MPFR_RNDN);
        certain = !inexact || result == mpfr_get_d(high, MPFR_RNDN);
        mpfr_clears(low, high, (mpfr_ptr)0);
    }
    return result == 0 ? 0 : result;
}

static void finish_errors(struct reference *r)
{
    struct reference_figures *f = &r->figures;
    mpfr_t count;
    mpfr_init2(count, 64);
    mpfr_set_ui(count, f->count, MPFR_RNDN);
    f->mean = mean_of(r->sum_e, f->count);
    f->mean_abs = mean_of(r->sum_abs_e, f->count);
    f->rms = reference_root_ratio(r->sum_e2, count);
    f->max_abs = mpfr_get_d(r->max_abs, MPFR_RNDN);
    f->max_rel = mpfr_get_d(r->max_rel, MPFR_RNDN);
    bool lossless = mpfr_zero_p(r->sum_e2);
    f->rel_l2 = lossless ? 0 : reference_root_ratio(r->sum_e2, r->sum_x2);
    f->sqnr_db = lossless ? INFINITY : decibel_of(r->sum_x2, r->sum_e2);
    if (lossless)
        f->max_abs_input = f->max_rel_input = NAN;
    mpfr_clear(count);
}

static struct reference_bins trim(const uint64_t *counts, size_t n, int first)
{
    size_t low = 0, high = n;
    while (low < high && !counts[low])
        low++;
    while (high > low && !counts[high - 1])
        high--;
    struct reference_bins bins = {.first = high > low ? first + (int)low : 0, .length = high - low};
    bins.counts = allocate(bins.length, sizeof *bins.counts);
    memcpy(bins.counts, counts + low, bins.length * sizeof *bins.counts);
    return bins;
}

struct reference_figures reference_finish(struct reference *r)
{
    struct reference_figures *f = &r->figures;
    f->mean = f->mean_abs = f->rms = f->max_abs = f->max_rel = f->sqnr_db = f->rel_l2 = NAN;
    if (f->count)
        finish_errors(r);
    else
        f->max_abs_input = f->max_rel_input = NAN;
    f->relative = trim(r->relative, RELATIVE_BINS, RELATIVE_LOWEST);
    f->sum_e = hexadecimal(r->sum_e);
    f->sum_abs_e = hexadecimal(r->sum_abs_e);
    f->sum_e2 = hexadecimal(r->sum_e2);
    f->sum_x2 = hexadecimal(r->sum_x2);
    struct reference_figures figures = *f;
    mpfr_clears(r->q, r->x, r->e, r->ratio, r->product, r->sum_e, r->sum_abs_e, r->sum_e2,
                r->sum_x2, r->max_abs, r->max_rel, (mpfr_ptr)0);
    free(r);
    return figures;
}

void reference_figures_free(struct reference_figures *figures)
{
    free(figures->relative.counts);
    free(figures->sum_e);
    free(figures->sum_abs_e);
    free(figures->sum_e2);
    free(figures->sum_x2);
    *figures = (struct reference_figures){0};
}

enum { EXPONENT_LOWEST = -1074, EXPONENT_BINS = 1024 - EXPONENT_LOWEST };

struct reference_input {
    struct reference_input_figures figures;
    uint64_t finite;
    mpfr_t x, square, sum, sum_squares;
    uint64_t exponents[EXPONENT_BINS];
};

struct reference_input *reference_input_new(void)
{
    struct reference_input *r = allocate(1, sizeof *r);
    mpfr_init2(r->x, 53);
    mpfr_inits2(SUM_BITS, r->square, r->sum, r->sum_squares, (mpfr_ptr)0);
    mpfr_set_zero(r->sum, 1);
    mpfr_set_zero(r->sum_squares, 1);
    r->figures.min_abs = r->figures.max_abs = NAN;
    return r;
}

static void add_finite(struct reference_input *r, double x)
{
    struct reference_input_figures *f = &r->figures;
    r->finite++;
    if (!(f->max_abs >= fabs(x)))
        f->max_abs = fabs(x);
    if (x == 0) {
        f->zero++;
        return;
    }
    if (!(f->min_abs <= fabs(x)))
        f->min_abs = fabs(x);
    must_be_exact(mpfr_set_d(r->x, x, MPFR_RNDN));
    r->exponents[mpfr_get_exp(r->x) - 1 - EXPONENT_LOWEST]++;
    must_be_exact(mpfr_add(r->sum, r->sum, r->x, MPFR_RNDN));
    must_be_exact(mpfr_sqr(r->square, r->x, MPFR_RNDN));
    must_be_exact(mpfr_add(r->sum_squares, r->sum_squares, r->square, MPFR_RNDN));
}

void reference_input_add(struct reference_input *r, const double *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            r->figures.nan++;
        else if (isinf(x[i]))
            r->figures.inf++;
        else
            add_finite(r, x[i]);
    }
}

struct reference_input_figures reference_input_finish(struct reference_input *r)
{
    struct reference_input_figures figures = r->figures;
    figures.mean = figures.rms = NAN;
    if (r->finite) {
        mpfr_t count;
        mpfr_init2(count, 64);
        mpfr_set_ui(count, r->finite, MPFR_RNDN);
        figures.mean = mean_of(r->sum, r->finite);
        figures.rms = reference_root_ratio(r->sum_squares, count);
        figures.sum = hexadecimal(r->sum);
        mpfr_clear(count);
    }
    figures.exponents = trim(r->exponents, EXPONENT_BINS, EXPONENT_LOWEST);
    mpfr_clears(r->x, r->square, r->sum, r->sum_squares, (mpfr_ptr)0);
    free(r);
    return figures;
}

void reference_input_figures_free(struct reference_input_figures *figures)
{
    free(figures->exponents.counts);
    free(figures->sum);
    *figures = (struct reference_input_figures){0};
}
