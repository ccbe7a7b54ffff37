#include "format/cast.h"

#include <errno.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[ROUND_COUNT] = {
    "nearest-even", "nearest-away", "toward-zero", "up", "down", "stochastic",
};

const char *rounding_name(enum rounding rounding)
{
    return names[rounding];
}

bool rounding_parse(const char *text, enum rounding *rounding, uint64_t *seed, struct error *error)
{
    size_t length = strcspn(text, ":");
    *seed = 0;
    for (int i = 0; i < ROUND_COUNT; i++) {
        if (strlen(names[i]) != length || strncmp(names[i], text, length) != 0)
            continue;
        *rounding = (enum rounding)i;
        if (!text[length])
            return true;
        if (i != ROUND_STOCHASTIC)
            return fail(error, "only stochastic rounding takes a seed: '%s'", text);
        const char *digits = text + length + 1;
        char *end;
        errno = 0;
        *seed = strtoull(digits, &end, 0);
        if (!isdigit((unsigned char)*digits) || *end || errno)
            return fail(error, "the seed is not a number below 2^64: '%s'", digits);
        return true;
    }
    return fail(error,
                "unknown rounding mode '%s' (nearest-even, nearest-away, toward-zero, up, down, "
                "stochastic[:SEED])",
                text);
}
