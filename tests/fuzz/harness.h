/* Any bytes as an input: libFuzzer calls LLVMFuzzerTestOneInput, which each target has; compiled
 * with -DREPLAY, the program runs over the files on its command line and prints TAP. */
#ifndef PRECHECK_TESTS_FUZZ_HARNESS_H
#define PRECHECK_TESTS_FUZZ_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input/input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Aborts where it does not hold. */
void require(bool condition);

/* Opens it, reads all its elements, and requires that it is refused with a message or holds
 * together. The second one reads it as a stream too and requires the same of both; it is for
 * containers in which nothing is wrong with the elements once a file was opened. */
void try_as_file(const uint8_t *data, size_t size, const struct input_options *options);
void try_as_file_and_stream(const uint8_t *data, size_t size, const struct input_options *options);

#endif
