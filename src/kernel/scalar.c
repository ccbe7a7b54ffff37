#include "kernel/scalar.h"

#include <math.h>

#include "base/bytes.h"
#include "kernel/element.h"

static int floor_log2(double x)
{
    uint64_t magnitude = double_bits(x) & (UINT64_MAX >> 1);
    int field = (int)(magnitude >> 52);
    return field ? field - 1023 : 63 - __builtin_clzll(magnitude) - 1074;
}

static void measure_input(double x, struct input_measure *into)
{
    double magnitude = fabs(x);
    if (x != x) {
        into->nan++;
    } else if (isinf(x)) {
        into->inf++;
    } else if (x == 0) {
        into->zero++;
    } else {
        if (into->min_abs == 0 || magnitude < into->min_abs)
            into->min_abs = magnitude;
        if (magnitude > into->max_abs)
            into->max_abs = magnitude;
        into->exponents[floor_log2(x) - EXPONENT_FIRST]++;
        exact_sum_add(&into->x, x);
        exact_sum_add_product(&into->x2, x, x);
    }
}

static void add_error(struct difference e, struct cast_measure *into)
{
    exact_sum_add(&into->e, e.high);
    exact_sum_add(&into->abs_e, fabs(e.high));
    exact_sum_add_product(&into->e2, e.high, e.high);
    if (e.low == 0)
        return;
    exact_sum_add(&into->e, e.low);
    exact_sum_add(&into->abs_e, e.high < 0 ? -e.low : e.low);
    /* (high + low)^2; twice as an addition, since 2 high may overflow */
    exact_sum_add_product(&into->e2, e.high, e.low);
    exact_sum_add_product(&into->e2, e.high, e.low);
    exact_sum_add_product(&into->e2, e.low, e.low);
}

void scalar_cast(double x, uint64_t position, const struct plan *plan, struct cast_measure *into)
{
    struct outcome q = cast_element(&plan->cast, x, position);
    into->classes[q.class]++;
    if (q.delivered != DELIVERED_FINITE || q.class == CLASS_INF)
        return;
    into->count++;
    if (q.class == CLASS_ZERO) {
        into->exact++;
        return;
    }
    exact_sum_add_product(&into->x2, x, x);
    struct difference e = outcome_error(&q, x);
    if (e.high == 0) {
        into->exact++;
        into->relative_exact++;
        return;
    }
    add_error(e, into);
    double low = e.high < 0 ? 0 - e.low : 0 + e.low; /* never -0 */
    extreme_offer(&into->max_abs, fabs(e.high), low, position, x);
    extreme_offer(&into->max_rel, relative_error(&q, e, x), 0, position, x);
    into->relative[relative_exponent(e, x) - RELATIVE_FIRST]++;
}

void scalar_measure_f64(const double *x, size_t n, uint64_t first, struct input_measure *input,
                        const struct plan *plans, struct cast_measure *casts, size_t cast_count)
{
    for (size_t i = 0; i < n; i++) {
        if (input)
            measure_input(x[i], input);
        for (size_t c = 0; c < cast_count; c++)
            scalar_cast(x[i], first + i, &plans[c], &casts[c]);
    }
}

void scalar_measure_f32(const float *x, size_t n, uint64_t first, struct input_measure *input,
                        const struct plan *plans, struct cast_measure *casts, size_t cast_count)
{
    for (size_t i = 0; i < n; i++) {
        double wide = x[i];
        scalar_measure_f64(&wide, 1, first + i, input, plans, casts, cast_count);
    }
}
