/* The scale that uses all of a format's range. */
#ifndef PRECHECK_KERNEL_SCALE_H
#define PRECHECK_KERNEL_SCALE_H

#include "format/cast.h"

/* The largest K at which neither extreme overflows in cast->format with its rounding; either may be
 * 0 for none, and 0 is returned where both are. */
int scale_without_overflow(const struct cast *cast, double most_positive, double most_negative);

#endif
