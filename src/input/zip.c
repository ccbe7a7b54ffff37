/* Zip archives, after PKWARE's APPNOTE.TXT 6.3.10; its sections are named in brackets. The central
 * directory says what there is. Where anything else in the file contradicts it, the archive is
 * refused, so that no two readers can see different members. */
#include "input/zip.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/checked.h"

/* Records without their variable parts. */
enum {
    LOCAL_BYTES = 30,   /* [4.3.7] */
    ENTRY_BYTES = 46,   /* [4.3.12] */
    END64_BYTES = 56,   /* [4.3.14] */
    LOCATOR_BYTES = 20, /* [4.3.15] */
    END_BYTES = 22,     /* [4.3.16] */
    VARIABLE_LIMIT = UINT16_MAX
};

static const unsigned char local_signature[4] = {'P', 'K', 3, 4};
static const unsigned char entry_signature[4] = {'P', 'K', 1, 2};
static const unsigned char end64_signature[4] = {'P', 'K', 6, 6};
static const unsigned char locator_signature[4] = {'P', 'K', 6, 7};
static const unsigned char end_signature[4] = {'P', 'K', 5, 6};

enum { FLAG_ENCRYPTED = 1 << 0, FLAG_DESCRIPTOR = 1 << 3 }; /* [4.4.4] */

enum { EXTRA_ZIP64 = 1 }; /* [4.5.3] */

/* A number in a record. One with all bits set may stand elsewhere, in a field of `wide` bytes. */
struct field {
    uint8_t at, bytes, wide;
};

static bool has_signature(const unsigned char *record, const unsigned char *signature)
{
    return memcmp(record, signature, 4) == 0;
}

static uint64_t load(const unsigned char *from, unsigned bytes)
{
    return bytes == 2 ? load_le16(from) : bytes == 4 ? load_le32(from) : load_le64(from);
}

static bool is_saturated(uint64_t value, const struct field *field)
{
    return value == UINT64_MAX >> (64 - 8 * field->bytes);
}

static bool fail_damaged(struct error *error)
{
    return fail(error, "the zip archive's central directory is damaged");
}

static bool fail_split(struct error *error)
{
    return fail(error, "a zip archive in several parts is not supported");
}

/* The end records. */

/* What both of them tell, in the order of both. */
enum end_field { END_DISK, END_FIRST_DISK, END_HERE, END_COUNT, END_SIZE, END_OFFSET, END_FIELDS };

static const struct field end_fields[END_FIELDS] = {{4, 2, 4},  {6, 2, 4},  {8, 2, 8},
                                                    {10, 2, 8}, {12, 4, 8}, {16, 4, 8}};

struct directory {
    uint64_t offset, bytes, count;
};

/* The last signature counts. Its record ends the file, but for a comment of the length it tells. */
static bool find_end(struct input *input, unsigned char record[END_BYTES], uint64_t *at,
                     struct error *error)
{
    size_t most = END_BYTES + VARIABLE_LIMIT;
    size_t length = input->size < most ? (size_t)input->size : most, back = END_BYTES;
    unsigned char *tail = allocate(length, 1);
    bool ok = input_read(input, input->size - length, tail, length, error);
    while (ok && back <= length && !has_signature(tail + length - back, end_signature))
        back++;
    bool found = ok && back <= length;
    if (found)
        memcpy(record, tail + length - back, END_BYTES);
    free(tail);
    if (!found)
        return ok && fail(error, "truncated zip archive: no end record");
    *at = input->size - back;
    return load_le16(record + 20) == back - END_BYTES ||
           fail(error, "the zip archive does not end where its end record says");
}

/* Of an archive with ZIP64 records, even where the other one could hold all numbers: replaces what
 * that one has no room for. *at moves to the record that comes first. */
static bool apply_end64(struct input *input, uint64_t numbers[END_FIELDS], uint64_t *at,
                        struct error *error)
{
    unsigned char locator[LOCATOR_BYTES], record[END64_BYTES];
    if (*at < LOCATOR_BYTES)
        return true;
    uint64_t locator_at = *at - LOCATOR_BYTES;
    if (!input_read(input, locator_at, locator, sizeof locator, error))
        return false;
    if (!has_signature(locator, locator_signature))
        return true;
    if (load_le32(locator + 4) != 0 || load_le32(locator + 16) > 1)
        return fail_split(error);

    *at = load_le64(locator + 8);
    if (*at > locator_at || locator_at - *at < END64_BYTES)
        return fail_damaged(error);
    if (!input_read(input, *at, record, sizeof record, error))
        return false;
    /* The size leaves out itself and the signature. */
    if (!has_signature(record, end64_signature) || load_le64(record + 4) != locator_at - *at - 12)
        return fail_damaged(error);
    const unsigned char *from = record + 16;
    for (int i = 0; i < END_FIELDS; from += end_fields[i++].wide) {
        uint64_t wide = load(from, end_fields[i].wide);
        if (numbers[i] != wide && !is_saturated(numbers[i], &end_fields[i]))
            return fail(error, "the zip archive's two end records differ");
        numbers[i] = wide;
    }
    return true;
}

static bool find_directory(struct input *input, struct directory *directory, struct error *error)
{
    unsigned char record[END_BYTES];
    uint64_t numbers[END_FIELDS], at = 0, end;
    if (!find_end(input, record, &at, error))
        return false;
    for (int i = 0; i < END_FIELDS; i++)
        numbers[i] = load(record + end_fields[i].at, end_fields[i].bytes);
    if (!apply_end64(input, numbers, &at, error))
        return false;

    if (numbers[END_DISK] || numbers[END_FIRST_DISK] || numbers[END_HERE] != numbers[END_COUNT])
        return fail_split(error);
    if (!checked_add(numbers[END_OFFSET], numbers[END_SIZE], &end) || end != at)
        return fail(error,
                    "the zip archive's central directory does not end where its end record begins");
    *directory = (struct directory){numbers[END_OFFSET], numbers[END_SIZE], numbers[END_COUNT]};
    return true;
}

/* The directory. */

/* Its bytes, one after the other. */
struct cursor {
    struct input *input;
    uint64_t at, end; /* of the file: what is not in the window yet */
    size_t used, filled;
    unsigned char window[ENTRY_BYTES + 3 * VARIABLE_LIMIT]; /* the longest entry */
};

/* The next bytes, until those behind them are taken; NULL with a message. */
static const unsigned char *take(struct cursor *c, size_t count, struct error *error)
{
    size_t ready = c->filled - c->used;
    if (ready < count) {
        size_t room = sizeof c->window - ready;
        size_t more = c->end - c->at < room ? (size_t)(c->end - c->at) : room;
        memmove(c->window, c->window + c->used, ready);
        if (!input_read(c->input, c->at, c->window + ready, more, error))
            return NULL;
        c->at += more;
        c->used = 0;
        c->filled = ready + more;
    }
    if (c->filled - c->used < count) {
        fail_damaged(error);
        return NULL;
    }
    c->used += count;
    return c->window + c->used - count;
}

/* The ZIP64 field among the extra fields, empty where there is none. */
static bool find_zip64(const unsigned char *extra, size_t length, const unsigned char **field,
                       size_t *field_length)
{
    *field_length = 0;
    while (length >= 4) { /* shorter ones are padding of some writers */
        size_t id = load_le16(extra), size = load_le16(extra + 2);
        if (size > length - 4)
            return false;
        if (id == EXTRA_ZIP64) {
            *field = extra + 4;
            *field_length = size;
            return true;
        }
        extra += 4 + size;
        length -= 4 + size;
    }
    return true;
}

/* Reads the fields of a record; those without room there are in the ZIP64 field, in their order. */
static bool load_fields(const unsigned char *record, const struct field *fields, int count,
                        const unsigned char *extra, size_t extra_length, uint64_t *values)
{
    const unsigned char *wide = NULL;
    size_t left;
    if (!find_zip64(extra, extra_length, &wide, &left))
        return false;
    for (int i = 0; i < count; i++) {
        values[i] = load(record + fields[i].at, fields[i].bytes);
        if (!wide || !is_saturated(values[i], &fields[i]))
            continue;
        if (left < fields[i].wide)
            return false;
        values[i] = load(wide, fields[i].wide);
        wide += fields[i].wide;
        left -= fields[i].wide;
    }
    return true;
}

enum { ENTRY_SIZE, ENTRY_PACKED, ENTRY_HEADER, ENTRY_DISK, ENTRY_FIELDS };

static const struct field entry_fields[ENTRY_FIELDS] = {
    {24, 4, 8}, {20, 4, 8}, {42, 4, 8}, {34, 2, 4}};

static bool read_entry(struct cursor *c, struct zip_member *member, struct error *error)
{
    unsigned char record[ENTRY_BYTES];
    uint64_t values[ENTRY_FIELDS];
    const unsigned char *at = take(c, sizeof record, error);
    if (!at)
        return false;
    memcpy(record, at, sizeof record);
    if (!has_signature(record, entry_signature))
        return fail_damaged(error);

    size_t name = load_le16(record + 28), extra = load_le16(record + 30);
    at = take(c, name + extra + load_le16(record + 32), error);
    if (!at)
        return false;
    if (memchr(at, '\0', name))
        return fail(error, "the zip archive has a member with a zero byte in its name");
    if (!load_fields(record, entry_fields, ENTRY_FIELDS, at + name, extra, values))
        return fail_damaged(error);
    if (values[ENTRY_DISK] != 0)
        return fail_split(error);
    *member = (struct zip_member){.name = copy_bytes(at, name),
                                  .header = values[ENTRY_HEADER],
                                  .packed = values[ENTRY_PACKED],
                                  .bytes = values[ENTRY_SIZE],
                                  .crc = load_le32(record + 16),
                                  .method = load_le16(record + 10),
                                  .flags = load_le16(record + 8)};
    return true;
}

static bool read_entries(struct cursor *c, uint64_t count, struct zip *zip, struct error *error)
{
    while (c->used < c->filled || c->at < c->end) {
        zip->members = room_for_one(zip->members, zip->count, sizeof *zip->members);
        if (!read_entry(c, &zip->members[zip->count], error))
            return false;
        zip->count++;
    }
    return zip->count == count || fail(error,
                                       "the zip archive's central directory has %zu members, "
                                       "not %" PRIu64 " as its end record says",
                                       zip->count, count);
}

static int compare_places(const void *a, const void *b)
{
    const struct zip_member *one = a, *other = b;
    return (one->header > other->header) - (one->header < other->header);
}

/* Sorts the members, and sees to it that each has its own part of the file: archives whose members
 * overlap inflate to far more than deflate could make of them alone (D. Fifield: A better zip bomb.
 * WOOT 2019). Extra fields of local headers are not known here; zip_locate counts them. */
static bool place_members(struct zip *zip, uint64_t directory, struct error *error)
{
    if (zip->count)
        qsort(zip->members, zip->count, sizeof *zip->members, compare_places);
    for (size_t i = 0; i < zip->count; i++) {
        struct zip_member *member = &zip->members[i];
        bool last = i + 1 == zip->count;
        member->limit = last ? directory : member[1].header;
        uint64_t end;
        if (!checked_add(member->header, LOCAL_BYTES + strlen(member->name), &end) ||
            !checked_add(end, member->packed, &end) || end > member->limit)
            return fail(error, "the zip archive's member '%.100s' overlaps %s", member->name,
                        last ? "the central directory" : "the next one");
    }
    return true;
}

static int compare_names(const void *a, const void *b)
{
    const struct zip_member *const *one = a, *const *other = b;
    return strcmp((*one)->name, (*other)->name);
}

static bool index_names(struct zip *zip, struct error *error)
{
    zip->by_name = allocate(zip->count, sizeof *zip->by_name);
    for (size_t i = 0; i < zip->count; i++)
        zip->by_name[i] = &zip->members[i];
    qsort(zip->by_name, zip->count, sizeof *zip->by_name, compare_names);
    for (size_t i = 1; i < zip->count; i++)
        if (strcmp(zip->by_name[i - 1]->name, zip->by_name[i]->name) == 0)
            return fail(error, "the zip archive has two members '%.100s'", zip->by_name[i]->name);
    return true;
}

bool zip_recognise(const unsigned char *head, size_t length)
{
    /* An archive without members begins with its end. */
    return length >= 4 &&
           (has_signature(head, local_signature) || has_signature(head, end_signature));
}

bool zip_open(struct input *input, struct zip *zip, struct error *error)
{
    struct directory directory = {0};
    *zip = (struct zip){0};
    if (!input->seekable)
        return fail(error, "a zip archive needs a file, not a pipe");
    if (!find_directory(input, &directory, error))
        return false;
    struct cursor *c = allocate(1, sizeof *c);
    c->input = input;
    c->at = directory.offset;
    c->end = directory.offset + directory.bytes;
    bool ok = read_entries(c, directory.count, zip, error) &&
              place_members(zip, directory.offset, error) && index_names(zip, error);
    free(c);
    if (!ok)
        zip_close(zip);
    return ok;
}

void zip_close(struct zip *zip)
{
    for (size_t i = 0; i < zip->count; i++)
        free(zip->members[i].name);
    free(zip->members);
    free(zip->by_name);
    *zip = (struct zip){0};
}

static int compare_name(const void *name, const void *member)
{
    const struct zip_member *const *other = member;
    return strcmp(name, (*other)->name);
}

const struct zip_member *zip_find(const struct zip *zip, const char *name)
{
    struct zip_member *const *found = NULL;
    if (zip->count)
        found = bsearch(name, zip->by_name, zip->count, sizeof *zip->by_name, compare_name);
    return found ? *found : NULL;
}

/* Members. */

static bool is_readable(const struct zip_member *member, struct error *error)
{
    if (member->flags & FLAG_ENCRYPTED)
        return fail(error, "is encrypted");
    if (member->method != ZIP_STORED && member->method != ZIP_DEFLATED)
        return fail(error, "is compressed by method %u (only stored and deflated are supported)",
                    member->method);
    if (member->method == ZIP_STORED && member->packed != member->bytes)
        return fail(error, "is stored, but with two sizes: %" PRIu64 " and %" PRIu64,
                    member->packed, member->bytes);
    return true;
}

enum { LOCAL_SIZE, LOCAL_PACKED, LOCAL_FIELDS };

static const struct field local_fields[LOCAL_FIELDS] = {{22, 4, 8}, {18, 4, 8}};

/* With a data descriptor, a local header was written before this was known. */
static bool agrees(uint64_t local, uint64_t central, uint16_t flags)
{
    return local == central || (local == 0 && flags & FLAG_DESCRIPTOR);
}

/* `variable` is the name and the extra fields. */
static bool local_agrees(const unsigned char *record, const unsigned char *variable,
                         const struct zip_member *member)
{
    size_t name = load_le16(record + 26), extra = load_le16(record + 28);
    uint16_t flags = load_le16(record + 6);
    uint64_t values[LOCAL_FIELDS];
    return name == strlen(member->name) && memcmp(variable, member->name, name) == 0 &&
           load_fields(record, local_fields, LOCAL_FIELDS, variable + name, extra, values) &&
           !(flags & FLAG_ENCRYPTED) && load_le16(record + 8) == member->method &&
           agrees(load_le32(record + 14), member->crc, flags) &&
           agrees(values[LOCAL_SIZE], member->bytes, flags) &&
           agrees(values[LOCAL_PACKED], member->packed, flags);
}

bool zip_locate(struct input *input, const struct zip_member *member, uint64_t *offset,
                struct error *error)
{
    unsigned char record[LOCAL_BYTES];
    if (!is_readable(member, error) ||
        !input_read(input, member->header, record, sizeof record, error))
        return false;
    if (!has_signature(record, local_signature))
        return fail(error, "has no local header at byte %" PRIu64, member->header);

    size_t variable = (size_t)load_le16(record + 26) + load_le16(record + 28);
    *offset = member->header + LOCAL_BYTES + variable;
    if (*offset > member->limit || member->limit - *offset < member->packed)
        return fail(error, "overlaps what comes behind it");
    unsigned char *bytes = allocate(variable, 1);
    bool ok = input_read(input, member->header + LOCAL_BYTES, bytes, variable, error) &&
              (local_agrees(record, bytes, member) ||
               fail(error, "has a local header that contradicts the central directory"));
    free(bytes);
    return ok;
}
