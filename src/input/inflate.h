/* The bytes of a deflated zip member, one after the other. */
#ifndef PRECHECK_INPUT_INFLATE_H
#define PRECHECK_INPUT_INFLATE_H

#include "input/input.h"

struct inflater;

/* Reads a little of the member at first, no more; the input is a file. Memory is bounded. */
struct inflater *inflater_open(struct input *input, const struct member *member);
void inflater_close(struct inflater *inflater);

/* Exactly the next `count` bytes; an end before that, there or where the archive says, and damaged
 * data are errors. */
bool inflater_read(struct inflater *inflater, void *to, size_t count, struct error *error);

/* After the member's bytes that matter were read: inflates the rest, and fails where there are more
 * or fewer bytes than the archive says, or others than its checksum says. */
bool inflater_finish(struct inflater *inflater, struct error *error);

/* CRC-32 of zip archives: of `bytes` after what has the checksum `crc` (0 of nothing). */
uint32_t crc_add(uint32_t crc, const void *bytes, size_t count);
/* What bytes with this checksum, followed by `count` others, add to the checksum of all: the sum is
 * the exclusive or over all parts. */
uint32_t crc_part(uint32_t crc, uint64_t count);
bool crc_check(uint32_t crc, uint32_t expected, struct error *error);

#endif
