/* The header of a .npy file for a tensor that was cast. */
#ifndef PRECHECK_CLI_WRITE_NPY_H
#define PRECHECK_CLI_WRITE_NPY_H

#include "base/buffer.h"
#include "format/cast.h"
#include "input/input.h"

/* Whether a .npy file can say how the tensor lies in memory. */
bool npy_can_hold(const struct tensor *tensor, struct error *error);

/* A .npy version 1 header for the cast tensor, at least `least` bytes long: magic to data. */
void npy_header(const struct tensor *tensor, const struct format *format, size_t least,
                struct buffer *out);

#endif
