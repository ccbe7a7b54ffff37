/* What is asked of one cast: a format, a scale, a rounding mode and an overflow policy. */
#ifndef PRECHECK_FORMAT_CAST_H
#define PRECHECK_FORMAT_CAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "format/format.h"

enum rounding {
    ROUND_NEAREST_EVEN,
    ROUND_NEAREST_AWAY,
    ROUND_TOWARD_ZERO,
    ROUND_UP,
    ROUND_DOWN,
    ROUND_STOCHASTIC,
    ROUND_COUNT
};

/* A user's --scale lies in -SCALE_LIMIT..SCALE_LIMIT, so that the scaled largest finite value and
 * smallest subnormal are binary64 numbers (or, the first, beyond all of them). `--scale amax` may
 * go further up, where nothing overflows and the grid is finer than binary64's. */
enum { SCALE_LIMIT = 1023 };

struct cast {
    struct format format;
    int scale; /* K: x * 2^K is cast and the result divided by 2^K */
    enum rounding rounding;
    bool saturate;
    uint64_t key; /* of stochastic rounding: from seed and tensor name */
};

/* The exponent range and the largest value, as seen before the scaling. */
static inline int cast_emin(const struct cast *cast)
{
    return cast->format.emin - cast->scale;
}

static inline int cast_emax(const struct cast *cast)
{
    return cast->format.emax - cast->scale;
}

static inline bool rounds_to_nearest(enum rounding rounding)
{
    return rounding == ROUND_NEAREST_EVEN || rounding == ROUND_NEAREST_AWAY;
}

/* "nearest-even" and so on. */
const char *rounding_name(enum rounding rounding);
/* MODE[:SEED]; a seed goes with stochastic, and only there (0 without one). */
bool rounding_parse(const char *text, enum rounding *rounding, uint64_t *seed, struct error *error);

/* The classes of REPORT.md, in its order. */
enum class {
    CLASS_NAN,
    CLASS_INF,
    CLASS_ZERO,
    CLASS_OVERFLOW,
    CLASS_UNDERFLOW,
    CLASS_SUBNORMAL,
    CLASS_NORMAL,
    CLASS_COUNT
};

#endif
