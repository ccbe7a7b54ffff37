/* What readers and writers of .safetensors share. */
#ifndef PRECHECK_INPUT_SAFETENSORS_H
#define PRECHECK_INPUT_SAFETENSORS_H

#include <stdbool.h>

enum { SAFETENSORS_HEADER_LIMIT = 100000000 }; /* the reference reader's, in bytes */

/* The format's word for an element type by the name that reports have for it, or for pairs of such
 * elements that are complex numbers. NULL: there is none. */
const char *safetensors_dtype(const char *dtype, bool components);

#endif
