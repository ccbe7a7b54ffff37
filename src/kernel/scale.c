#include "kernel/scale.h"

#include <math.h>

#include "kernel/element.h"

int scale_without_overflow(const struct cast *cast, double most_positive, double most_negative)
{
    if (most_positive == 0 && most_negative == 0)
        return 0;
    struct cast scaled = *cast;
    /* One too many: the larger extreme lies in the binade above the format's top one. */
    scaled.scale = cast->format.emax - ilogb(fmax(most_positive, -most_negative)) + 1;
    while (would_overflow(&scaled, most_positive) || would_overflow(&scaled, most_negative))
        scaled.scale--;
    return scaled.scale;
}
