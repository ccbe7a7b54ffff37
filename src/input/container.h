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

/* Copies the struct; what it owns becomes the input's to free. */
void input_add_tensor(struct input *input, const struct tensor *tensor);
/* `name` becomes the input's; the rest is copied. */
void input_add_skipped(struct input *input, char *name, const char *dtype, const char *reason);
/* The same of what can be copied: see struct skipped. What the tensor owns becomes the input's. */
void input_add_skipped_data(struct input *input, const struct tensor *data, const char *reason);

/* On the heap. */
uint64_t *copy_numbers(const uint64_t *numbers, size_t count);

/* Whether --view is for elements of so many bytes: of a container of many tensors it takes those
 * that have the size, integers too, and leaves the others as they are. */
bool view_applies(const struct input_options *options, uint64_t element_bytes);

/* Not in the registry: raw data are never recognised, only asked for. */
bool raw_open(struct input *input, const struct raw_layout *layout, struct error *error);

#endif
