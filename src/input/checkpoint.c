#include "input/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/text.h"
#include "input/container.h"
#include "input/weight_map.h"

static const char index_suffix[] = ".index.json";
static const char *const tensor_suffixes[] = {".safetensors", ".npz", ".npy",  ".pt",
                                              ".pth",         ".bin", ".ckpt", ".gguf"};

enum { TENSOR_SUFFIX_COUNT = sizeof tensor_suffixes / sizeof *tensor_suffixes };

/* `folder` is "" or ends in a slash. */
static char *join(const char *folder, const char *name)
{
    struct buffer path = {0};
    buffer_puts(&path, folder);
    buffer_puts(&path, name);
    return path.data;
}

/* All up to the last slash, and it: "" where there is none. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return copy_bytes(path, slash ? (size_t)(slash + 1 - path) : 0);
}

static bool is_regular(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static void add_path(struct checkpoint *checkpoint, char *path)
{
    checkpoint->paths =
        room_for_one(checkpoint->paths, checkpoint->count, sizeof *checkpoint->paths);
    checkpoint->paths[checkpoint->count++] = path;
}

/* The files of an index. */

/* Whether every component is the name of something below; "-" would be standard input. */
static bool goes_down(const char *name)
{
    if (strcmp(name, "-") == 0)
        return false;
    for (const char *at = name;; at++) {
        size_t length = strcspn(at, "/");
        if (length == 0 || (length == 1 && *at == '.') || (length == 2 && !memcmp(at, "..", 2)))
            return false;
        at += length;
        if (*at == '\0')
            return true;
    }
}

/* Both without links; the folder ends in a slash. */
static bool lies_in(const char *real_folder, const char *real_path)
{
    return strncmp(real_folder, real_path, strlen(real_folder)) == 0;
}

/* Where an index is: as its path says, and where links lead to. */
struct home {
    char *folder;
    char *real_folder;
    char *real_home; /* of the file that the index is a link to; the same where it is none */
};

static bool find_home(const char *path, struct home *home, struct error *error)
{
    *home = (struct home){.folder = folder_of(path)};
    char *real_folder = realpath(*home->folder ? home->folder : ".", NULL);
    char *real_path = real_folder ? realpath(path, NULL) : NULL;
    if (real_path) {
        home->real_folder = join(real_folder, strcmp(real_folder, "/") == 0 ? "" : "/");
        home->real_home = folder_of(real_path);
    }
    free(real_folder);
    free(real_path);
    return home->real_home || fail(error, "%s", strerror(errno));
}

static void home_free(struct home *home)
{
    free(home->folder);
    free(home->real_folder);
    free(home->real_home);
}

static bool check_shard(const struct home *home, const char *name, const char *path,
                        struct error *error)
{
    if (!goes_down(name))
        return fail(error, "index: '%.200s' is no file below the folder of the index", name);
    char *real = realpath(path, NULL);
    if (!real)
        return fail(error, "index: '%.200s': %s", name, strerror(errno));
    bool inside = lies_in(home->real_folder, real) || lies_in(home->real_home, real);
    free(real);
    if (!inside)
        return fail(error, "index: '%.200s' is a link out of the folder of the index", name);
    return is_regular(path) || fail(error, "index: '%.200s' is no regular file", name);
}

static bool add_shards(const char *path, struct checkpoint *checkpoint, struct error *error)
{
    const struct weight_map *map = checkpoint->index;
    struct home home;
    bool ok = find_home(path, &home, error);
    for (size_t i = 0; ok && i < map->file_count; i++) {
        const char *name = weight_map_file(map, i);
        add_path(checkpoint, join(home.folder, name));
        ok = check_shard(&home, name, checkpoint->paths[i], error);
    }
    home_free(&home);
    if (ok && map->count == 0)
        return fail(error, "index: the weight_map is empty");
    return ok;
}

static bool open_shards(const char *path, const struct weight_map *map,
                        struct checkpoint *checkpoint, struct error *error)
{
    checkpoint->index = allocate(1, sizeof *map);
    *checkpoint->index = *map;
    return add_shards(path, checkpoint, error);
}

/* An index by its path. */

/* JSON objects begin so; few other data do. Consumes what it looks at. */
static bool begins_as_object(FILE *file)
{
    static const char space[] = " \t\r\n";
    char head[INPUT_HEAD + 1] = "";
    head[fread(head, 1, INPUT_HEAD, file)] = '\0';
    const char *brace = head + strspn(head, space);
    if (*brace != '{')
        return false;
    const char *next = brace + 1 + strspn(brace + 1, space);
    return *next == '"' || *next == '}';
}

static bool is_object(const char *path)
{
    FILE *file = fopen(path, "re");
    bool is = file && begins_as_object(file);
    if (file)
        fclose(file);
    return is;
}

static bool read_index(const char *path, struct weight_map *map, struct error *error)
{
    struct stat status;
    FILE *file = fopen(path, "re");
    *map = (struct weight_map){0};
    if (!file)
        return fail(error, "%s", strerror(errno));
    bool ok = fstat(fileno(file), &status) == 0 || fail(error, "%s", strerror(errno));
    ok = ok && weight_map_read(file, (uint64_t)status.st_size, map, error);
    fclose(file);
    if (!ok)
        weight_map_free(map);
    return ok;
}

static bool open_index(const char *path, struct checkpoint *checkpoint, struct error *error)
{
    struct weight_map map;
    if (!read_index(path, &map, error))
        return false;
    if (map.present)
        return open_shards(path, &map, checkpoint, error);
    return fail(error, "is JSON, but no index of a checkpoint (it has no weight_map)");
}

/* Folders. */

static bool is_tensor_file(const char *name)
{
    for (int i = 0; i < TENSOR_SUFFIX_COUNT; i++)
        if (ends_in(name, tensor_suffixes[i]))
            return true;
    return false;
}

static int is_wanted(const struct dirent *entry)
{
    const char *name = entry->d_name;
    return name[0] != '.' && (ends_in(name, index_suffix) || is_tensor_file(name));
}

/* Bytewise, but the preferred index comes first. */
static int compare_entries(const struct dirent **a, const struct dirent **b)
{
    const char *left = (*a)->d_name, *right = (*b)->d_name;
    int order = !strcmp(right, CHECKPOINT_INDEX) - !strcmp(left, CHECKPOINT_INDEX);
    return order ? order : strcmp(left, right);
}

/* What is in a folder that matters, in order, and an index once one was found. */
struct folder {
    char *path; /* ends in a slash */
    struct dirent **entries;
    int count;
    const char *index_name; /* NULL: none */
    struct weight_map index;
};

/* What is no regular file is no index either. */
static bool read_index_in(const struct folder *folder, const char *name, struct weight_map *map,
                          struct error *error)
{
    struct error why;
    char *path = join(folder->path, name);
    *map = (struct weight_map){0};
    bool ok = !is_regular(path) || read_index(path, map, &why);
    free(path);
    return ok || fail(error, "%.200s: %s", name, why.text);
}

static bool find_index(struct folder *folder, struct error *error)
{
    for (int i = 0; i < folder->count; i++) {
        const char *name = folder->entries[i]->d_name;
        struct weight_map map;
        if (!ends_in(name, index_suffix))
            continue;
        if (!read_index_in(folder, name, &map, error))
            return false;
        if (!map.present)
            continue;
        if (folder->index_name) {
            weight_map_free(&map);
            return fail(error, "has two indexes, %.200s and %.200s: name one of them",
                        folder->index_name, name);
        }
        folder->index = map;
        folder->index_name = name;
        if (strcmp(name, CHECKPOINT_INDEX) == 0)
            return true;
    }
    return true;
}

static bool add_tensor_files(const struct folder *folder, struct checkpoint *checkpoint,
                             struct error *error)
{
    for (int i = 0; i < folder->count; i++) {
        if (!is_tensor_file(folder->entries[i]->d_name))
            continue;
        char *path = join(folder->path, folder->entries[i]->d_name);
        if (is_regular(path))
            add_path(checkpoint, path);
        else
            free(path);
    }
    return checkpoint->count || fail(error, "no tensor file in this directory");
}

static bool add_files(struct folder *folder, struct checkpoint *checkpoint, struct error *error)
{
    if (!find_index(folder, error))
        return false;
    if (!folder->index_name)
        return add_tensor_files(folder, checkpoint, error);
    struct error why;
    char *path = join(folder->path, folder->index_name);
    bool ok = open_shards(path, &folder->index, checkpoint, &why);
    folder->index = (struct weight_map){0}; /* the checkpoint has it */
    free(path);
    return ok || fail(error, "%.200s: %s", folder->index_name, why.text);
}

static bool open_folder(const char *path, struct checkpoint *checkpoint, struct error *error)
{
    struct folder folder = {.path = join(path, ends_in(path, "/") ? "" : "/")};
    folder.count = scandir(path, &folder.entries, is_wanted, compare_entries);
    bool ok = folder.count >= 0 ? add_files(&folder, checkpoint, error)
                                : fail(error, "%s", strerror(errno));
    for (int i = 0; i < folder.count; i++)
        free(folder.entries[i]);
    free(folder.entries);
    weight_map_free(&folder.index);
    free(folder.path);
    return ok;
}

static bool open_any(const char *path, struct checkpoint *checkpoint, struct error *error)
{
    struct stat status;
    if (strcmp(path, "-") != 0 && stat(path, &status) == 0) {
        if (S_ISDIR(status.st_mode))
            return open_folder(path, checkpoint, error);
        if (S_ISREG(status.st_mode) && is_object(path))
            return open_index(path, checkpoint, error);
    }
    add_path(checkpoint, copy_string(path));
    return true;
}

struct checkpoint checkpoint_of_file(const char *path)
{
    struct checkpoint checkpoint = {.paths = allocate(1, sizeof(char *)), .count = 1};
    checkpoint.paths[0] = copy_string(path);
    return checkpoint;
}

bool checkpoint_open(const char *path, struct checkpoint *checkpoint, struct error *error)
{
    *checkpoint = (struct checkpoint){0};
    if (open_any(path, checkpoint, error))
        return true;
    checkpoint_close(checkpoint);
    return false;
}

void checkpoint_close(struct checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->count; i++)
        free(checkpoint->paths[i]);
    free(checkpoint->paths);
    if (checkpoint->index)
        weight_map_free(checkpoint->index);
    free(checkpoint->index);
    *checkpoint = (struct checkpoint){0};
}

/* Files against the index. */

/* The weights of one file, and which of them it has. */
struct roll {
    const struct weight_map *map;
    size_t file;
    bool *present; /* from first[file] on */
};

static bool call(struct roll *roll, const char *name)
{
    size_t weight = weight_map_find(roll->map, roll->file, name);
    if (weight == roll->map->count)
        return false;
    roll->present[weight - roll->map->first[roll->file]] = true;
    return true;
}

static void skip_others(struct roll *roll, struct input *input)
{
    size_t kept = 0, skipped = input->skipped_count;
    for (size_t i = 0; i < input->tensor_count; i++) {
        struct tensor *tensor = &input->tensors[i];
        if (call(roll, tensor->name)) {
            input->tensors[kept++] = *tensor;
            continue;
        }
        input_add_skipped(input, tensor->name, tensor->dtype.name,
                          "the index has no such tensor in this file");
        tensor->name = NULL; /* it is the other's */
        tensor_free(tensor);
    }
    input->tensor_count = kept;
    for (size_t i = 0; i < skipped; i++)
        call(roll, input->skipped[i].name);
}

bool checkpoint_match(const struct checkpoint *checkpoint, size_t index, struct input *input,
                      struct error *error)
{
    const struct weight_map *map = checkpoint->index;
    if (!map)
        return true;
    size_t first = map->first[index], count = map->first[index + 1] - first, lacking = 0;
    struct roll roll = {map, index, allocate(count, sizeof *roll.present)};
    skip_others(&roll, input);
    while (lacking < count && roll.present[lacking])
        lacking++;
    free(roll.present);
    return lacking == count ||
           fail(error, "has no tensor '%.200s', which the index has in this file",
                map->names.data + map->weights[first + lacking].name);
}
