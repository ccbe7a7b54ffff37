/* The files that torch.save writes: zip archives since PyTorch 1.6, and before that pickles with
 * raw data behind them (torch/serialization.py, _save and _legacy_save). */
#include "input/torch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/text.h"
#include "input/container.h"

static bool read_contents(const struct torch_file *file, struct error *error)
{
    if (!torch_walk(file, error))
        return false;
    torch_settle(file->input);
    return true;
}

/* Zip archives. */

/* FOLDER/data.pkl and FOLDER/data/KEY; FOLDER is the name that the file had once. */
struct archive {
    const struct zip *zip;
    const char *folder; /* with its slash, if it has one; no NUL after it */
    size_t folder_length;
};

static const char pickle_name[] = "data.pkl";

/* What follows the first folder of a path, or all where there is none. */
static const char *inside(const char *path)
{
    const char *slash = strchr(path, '/');
    return slash ? slash + 1 : path;
}

bool torch_zip_recognise(const struct zip *zip)
{
    for (size_t i = 0; i < zip->count; i++)
        if (strcmp(inside(zip->members[i].name), pickle_name) == 0)
            return true;
    return false;
}

bool torch_refuse_part(const struct input *input, struct error *error)
{
    if (!ends_in(input->path, ".distcp"))
        return true;
    return fail(error,
                "a part of a distributed checkpoint; this makes one file of its folder: "
                "python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER FILE");
}

static bool find_folder(struct archive *archive, const struct zip_member **pickle,
                        struct error *error)
{
    *pickle = NULL;
    for (size_t i = 0; i < archive->zip->count; i++) {
        const struct zip_member *member = &archive->zip->members[i];
        if (strcmp(inside(member->name), pickle_name) != 0)
            continue;
        if (*pickle)
            return fail(error, "two checkpoints in one archive");
        *pickle = member;
        archive->folder = member->name;
        archive->folder_length = (size_t)(inside(member->name) - member->name);
    }
    return *pickle || fail(error, "no %s in the archive", pickle_name);
}

/* Of what follows the folder; NULL where there is none. */
static const struct zip_member *find_member(const struct archive *archive, const char *before,
                                            struct pickle_text name)
{
    struct buffer path = {0};
    buffer_add(&path, archive->folder, archive->folder_length);
    buffer_puts(&path, before);
    buffer_add(&path, name.bytes, name.length);
    bool whole = !memchr(path.data, '\0', path.length);
    const struct zip_member *member = whole ? zip_find(archive->zip, path.data) : NULL;
    buffer_free(&path);
    return member;
}

/* torch.save compresses nothing, and views of deflated storages could not be read in any order. */
static bool locate_stored(struct input *input, const struct zip_member *member, const char *what,
                          uint64_t *offset, struct error *error)
{
    if (member->method == ZIP_DEFLATED)
        return fail(
            error,
            "its %s is compressed: PyTorch stores what it saves, so that this was "
            "compressed afterwards; unpack it and zip it again without compression (zip -0)",
            what);
    return zip_locate(input, member, offset, error);
}

static bool find_in_archive(const struct torch_file *file, struct pickle_text key,
                            struct torch_place *place, struct error *error)
{
    const struct zip_member *member = find_member(file->form, "data/", key);
    if (!member)
        return fail(error, "its storage '%.*s' is missing", key.length < 40 ? (int)key.length : 40,
                    key.bytes);
    place->bytes = member->bytes;
    return locate_stored(file->input, member, "storage", &place->offset, error);
}

/* Since PyTorch 2.1; before that, files are of one order, little. */
static bool read_byte_order(struct torch_file *file, const struct archive *archive,
                            struct error *error)
{
    char order[7] = "";
    uint64_t offset;
    static const struct pickle_text name = {"byteorder", 9};
    const struct zip_member *member = find_member(archive, "", name);
    if (!member)
        return true;
    if (member->bytes < sizeof order &&
        (!locate_stored(file->input, member, "byte order", &offset, error) ||
         !input_read(file->input, offset, order, (size_t)member->bytes, error)))
        return false;
    file->big_endian = strcmp(order, "big") == 0;
    return file->big_endian || strcmp(order, "little") == 0 ||
           fail(error, "its byte order is neither little nor big");
}

/* TorchScript writes attributes as torch.save would write them; its code is of no interest. */
static void warn_of_script(struct input *input, const struct archive *archive)
{
    static const struct pickle_text constants = {"constants.pkl", 13};
    if (find_member(archive, "", constants))
        input_warn(input, "of TorchScript, constants are not looked at");
}

bool torch_zip_open(struct input *input, const struct input_options *options, const struct zip *zip,
                    struct error *error)
{
    struct archive archive = {.zip = zip};
    struct torch_file file = {
        .input = input, .options = options, .find = find_in_archive, .form = &archive};
    const struct zip_member *pickle = NULL;
    uint64_t offset = 0;
    input->container = &container_torch;
    input->data_end = input->size;
    if (!find_folder(&archive, &pickle, error) || !read_byte_order(&file, &archive, error) ||
        !locate_stored(input, pickle, pickle_name, &offset, error) ||
        !pickle_read(input, offset, offset + pickle->bytes, &file.pickle, error))
        return false;
    bool ok = read_contents(&file, error);
    if (ok)
        warn_of_script(input, &archive);
    pickle_free(&file.pickle);
    return ok;
}

/* The legacy form: pickles of a magic number, a version, the writer's system, the object, and the
 * keys of its storages; then each storage: how many elements, and they. Whatever the writer's
 * system was, they are little-endian (torch/csrc, THPStorage_writeFileRaw). */

enum { LEGACY_VERSION = 1001 };

struct stored {
    struct torch_storage storage;
    pickle_value value; /* where in the pickle */
    bool found;
    struct torch_place place;
};

struct legacy {
    struct stored *stored; /* in the order of keys; the first one of a key tells where it is */
    size_t count;
};

static int compare_keys(struct pickle_text a, struct pickle_text b)
{
    size_t common = a.length < b.length ? a.length : b.length;
    int difference = common ? memcmp(a.bytes, b.bytes, common) : 0;
    return difference ? difference : (a.length > b.length) - (a.length < b.length);
}

static int compare_stored(const void *a, const void *b)
{
    const struct stored *one = a, *other = b;
    int difference = compare_keys(one->storage.key, other->storage.key);
    return difference ? difference : (one->value > other->value) - (one->value < other->value);
}

static void list_stored(const struct pickle *pickle, struct legacy *legacy)
{
    struct buffer list = {0};
    struct stored stored = {0};
    size_t values = pickle_count(pickle);
    for (stored.value = 1; stored.value <= values; stored.value++)
        if (torch_storage(pickle, stored.value, &stored.storage))
            buffer_add(&list, &stored, sizeof stored);
    legacy->stored = (struct stored *)list.data;
    legacy->count = list.length / sizeof stored;
    if (legacy->count)
        qsort(legacy->stored, legacy->count, sizeof stored, compare_stored);
}

static struct stored *find_stored(const struct legacy *legacy, struct pickle_text key)
{
    size_t low = 0, high = legacy->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_keys(legacy->stored[middle].storage.key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < legacy->count && compare_keys(legacy->stored[low].storage.key, key) == 0;
    return found ? &legacy->stored[low] : NULL;
}

static bool find_in_legacy(const struct torch_file *file, struct pickle_text key,
                           struct torch_place *place, struct error *error)
{
    const struct stored *stored = find_stored(file->form, key);
    if (!stored || !stored->found)
        return fail(error, "its storage '%.*s' is missing", key.length < 40 ? (int)key.length : 40,
                    key.bytes);
    *place = stored->place;
    return true;
}

/* A storage at `*offset`, which moves behind it. */
static bool place_stored(struct input *input, struct stored *stored, uint64_t *offset,
                         struct error *error)
{
    unsigned char count[8];
    uint64_t element_bytes = stored->storage.element_bytes;
    struct torch_place *place = &stored->place;
    if (stored->found)
        return fail(error, "a storage has two places");
    if (element_bytes == 0)
        return fail(error, "unknown kind of storage: %.*s",
                    stored->storage.type.length < 40 ? (int)stored->storage.type.length : 40,
                    stored->storage.type.bytes);
    if (!input_read(input, *offset, count, sizeof count, error))
        return false;
    if (load_le64(count) != stored->storage.count)
        return fail(error, "a storage of %" PRIu64 " elements is said to have %" PRIu64,
                    stored->storage.count, load_le64(count));
    place->offset = *offset + sizeof count;
    if (!checked_multiply(stored->storage.count, element_bytes, &place->bytes))
        return fail(error, "the size of a storage does not fit in 64 bits");
    if (!input_holds(input, "storage", place->offset, place->bytes, error))
        return false;
    *offset = place->offset + place->bytes;
    stored->found = true;
    return true;
}

static bool place_all(struct input *input, const struct pickle *keys, const struct legacy *legacy,
                      struct error *error)
{
    struct pickle_cursor cursor = pickle_parts(keys, keys->root);
    struct pickle_part part;
    struct pickle_text key;
    uint64_t offset = keys->end;
    while (pickle_next(keys, &cursor, &part)) {
        struct stored *stored =
            pickle_text(keys, part.value, &key) ? find_stored(legacy, key) : NULL;
        if (!stored)
            return fail(error, "data of a storage that nothing refers to");
        if (!place_stored(input, stored, &offset, error))
            return false;
    }
    input->data_end = offset;
    return true;
}

/* Reads and drops the pickles before the object; `*offset` moves behind them. */
static bool read_preamble(struct input *input, uint64_t *offset, struct error *error)
{
    struct pickle pickle;
    for (int i = 0; i < 3; i++) {
        int64_t version = LEGACY_VERSION;
        if (!pickle_read(input, *offset, input->size, &pickle, error))
            return false;
        bool ok =
            i != 1 || (pickle_integer(&pickle, pickle.root, &version) && version == LEGACY_VERSION);
        *offset = pickle.end;
        pickle_free(&pickle);
        if (!ok)
            return fail(error, "an unknown version of PyTorch's legacy format");
    }
    return true;
}

static bool read_legacy(struct torch_file *file, uint64_t offset, struct error *error)
{
    struct input *input = file->input;
    struct legacy legacy = {0};
    struct pickle keys;
    if (!pickle_read(input, offset, input->size, &file->pickle, error))
        return false;
    bool ok = pickle_read(input, file->pickle.end, input->size, &keys, error);
    if (ok) {
        list_stored(&file->pickle, &legacy);
        ok = place_all(input, &keys, &legacy, error);
        pickle_free(&keys);
    }
    file->form = &legacy;
    ok = ok && read_contents(file, error);
    free(legacy.stored);
    pickle_free(&file->pickle);
    return ok;
}

/* Both are in no registry of magic numbers but their own: the legacy form's first pickle, as
 * protocols 2 and 3 write it, and tar, in which PyTorch's first releases wrote. */
static const unsigned char legacy_magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                             0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
enum { LEGACY_MAGIC_AT = 2, TAR_MAGIC_AT = 257 };
static const char tar_magic[] = "ustar";

static bool is_at(const unsigned char *head, size_t length, size_t at, const void *bytes,
                  size_t count)
{
    return length >= at + count && memcmp(head + at, bytes, count) == 0;
}

static bool is_tar(const unsigned char *head, size_t length)
{
    return is_at(head, length, TAR_MAGIC_AT, tar_magic, strlen(tar_magic));
}

static bool torch_recognise(const unsigned char *head, size_t length)
{
    return is_tar(head, length) ||
           (is_at(head, length, 0, "\x80", 1) &&
            is_at(head, length, LEGACY_MAGIC_AT, legacy_magic, sizeof legacy_magic));
}

static bool torch_open(struct input *input, const struct input_options *options,
                       struct error *error)
{
    struct torch_file file = {.input = input, .options = options, .find = find_in_legacy};
    uint64_t offset = 0;
    if (is_tar(input->head, input->head_length))
        return fail(error, "a tar archive; if PyTorch wrote it, a newer one rewrites it: "
                           "torch.save(torch.load(FILE), NEW)");
    if (!input->seekable)
        return fail(error, "a PyTorch file needs a file, not a pipe");
    return read_preamble(input, &offset, error) && read_legacy(&file, offset, error);
}

const struct container container_torch = {"pt", torch_recognise, torch_open};
