/* The members of a zip archive (PKWARE's APPNOTE 6.3), as its central directory has them. */
#ifndef PRECHECK_INPUT_ZIP_H
#define PRECHECK_INPUT_ZIP_H

#include "input/input.h"

enum { ZIP_STORED = 0, ZIP_DEFLATED = 8 }; /* the methods that are understood */

struct zip_member {
    char *name;      /* owned by the archive; raw bytes of the file, never a NUL among them */
    uint64_t header; /* where its local header is in the file */
    uint64_t limit;  /* and where what comes behind the member is: its data end at or before that */
    uint64_t packed; /* bytes that the data take in the file */
    uint64_t bytes;  /* and inflated */
    uint32_t crc;    /* of the inflated bytes */
    uint16_t method, flags;
};

struct zip {
    struct zip_member *members;  /* in the order of the file; no two overlap or share a name */
    struct zip_member **by_name; /* the same in the order of strcmp */
    size_t count;
};

/* Of an archive that begins with its first byte; prefixed ones (self-extracting) are unknown. */
bool zip_recognise(const unsigned char *head, size_t length);

/* Reads the central directory and nothing else; the input has to be a file. Memory grows with the
 * directory that is there, not with the one that is claimed. On failure there is nothing to close.
 */
bool zip_open(struct input *input, struct zip *zip, struct error *error);
void zip_close(struct zip *zip);

/* The member of that name, or NULL. */
const struct zip_member *zip_find(const struct zip *zip, const char *name);

/* Where the member's data begin: reads the local header and refuses one that tells other things
 * than the directory. Refuses what cannot be read: encrypted members, other methods. The message
 * does not name the member. */
bool zip_locate(struct input *input, const struct zip_member *member, uint64_t *offset,
                struct error *error);

#endif
