/* What the files of containers share; nobody outside this folder needs it. */
#ifndef PRECHECK_INPUT_CONTAINER_H
#define PRECHECK_INPUT_CONTAINER_H

#include "input/input.h"

/* The product of the shape, for elements of `bytes` bytes; false if the size in bytes does not fit
 * in 63 bits. A zero makes the product zero, however large the other dimensions are. */
bool shape_elements(const uint64_t *shape, unsigned rank, uint64_t bytes, uint64_t *elements,
                    struct error *error);

/* False if a file is too short for `bytes` bytes at `offset`; of a stream, that shows only later.
 * `what` names them in the message. */
bool input_holds(const struct input *input, const char *what, uint64_t offset, uint64_t bytes,
                 struct error *error);

/* Copies it, but for the name, which becomes the input's to free. */
void input_add_tensor(struct input *input, const struct tensor *tensor);
void input_add_skipped(struct input *input, const struct skipped *skipped);

/* Adds to the warning. */
void input_warn(struct input *input, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Not in the registry: raw data are never recognised, only asked for. */
bool raw_open(struct input *input, const struct raw_layout *layout, struct error *error);

#endif
