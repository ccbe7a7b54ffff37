#include "input/weight_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "input/container.h"
#include "input/json.h"

static size_t keep_text(struct weight_map *map, const struct json *json)
{
    size_t start = map->names.length;
    buffer_add(&map->names, json->text.data, json->text.length + 1);
    return start;
}

/* Neighbours are mostly in the same file, whose name is kept once then. */
static size_t keep_file(struct weight_map *map, const struct json *json)
{
    if (map->count) {
        size_t last = map->weights[map->count - 1].file;
        if (strcmp(map->names.data + last, json->text.data) == 0)
            return last;
    }
    return keep_text(map, json);
}

static bool parse_weight(struct json *json, struct weight_map *map)
{
    if (!json_has_no_nul(json))
        return false;
    struct weight weight = {.name = keep_text(map, json)};
    if (!json_expect(json, JSON_STRING, "the name of a file") || !json_has_no_nul(json))
        return false;
    weight.file = keep_file(map, json);
    map->weights = room_for_one(map->weights, map->count, sizeof weight);
    map->weights[map->count++] = weight;
    return true;
}

static bool parse_weights(struct json *json, struct weight_map *map)
{
    enum json_token token;
    if (map->present)
        return json_fail(json, "two keys 'weight_map'");
    map->present = true;
    if (!json_expect(json, JSON_OBJECT, "the object of weight_map"))
        return false;
    while ((token = json_next(json)) == JSON_KEY)
        if (!parse_weight(json, map))
            return false;
    return token == JSON_OBJECT_END;
}

static bool is_weight_map(const struct json *json)
{
    return json->text.length == strlen("weight_map") && !strcmp(json->text.data, "weight_map");
}

static bool parse_object(struct json *json, struct weight_map *map)
{
    enum json_token token;
    if (!json_expect(json, JSON_OBJECT, "'{'"))
        return false;
    while ((token = json_next(json)) == JSON_KEY)
        if (is_weight_map(json) ? !parse_weights(json, map) : !json_skip(json))
            return false;
    return token == JSON_OBJECT_END && json_expect(json, JSON_END, "the end");
}

static int compare_names(const void *a, const void *b, void *names)
{
    const struct weight *left = a, *right = b;
    return strcmp((char *)names + left->name, (char *)names + right->name);
}

static int compare_files(const void *a, const void *b, void *names)
{
    const struct weight *left = a, *right = b;
    if (left->file == right->file)
        return 0;
    return strcmp((char *)names + left->file, (char *)names + right->file);
}

static int compare_files_and_names(const void *a, const void *b, void *names)
{
    int order = compare_files(a, b, names);
    return order ? order : compare_names(a, b, names);
}

static bool arrange(struct weight_map *map, struct error *error)
{
    const struct weight *weights = map->weights;
    char *names = map->names.data;
    if (map->count)
        qsort_r(map->weights, map->count, sizeof *weights, compare_names, names);
    for (size_t i = 1; i < map->count; i++)
        if (compare_names(&weights[i - 1], &weights[i], names) == 0)
            return fail(error, "index: two tensors '%.200s'", names + weights[i].name);

    if (map->count)
        qsort_r(map->weights, map->count, sizeof *weights, compare_files_and_names, names);
    for (size_t i = 0; i < map->count; i++)
        if (i == 0 || compare_files(&weights[i - 1], &weights[i], names) != 0) {
            map->first = room_for_one(map->first, map->file_count, sizeof *map->first);
            map->first[map->file_count++] = i;
        }
    map->first = room_for_one(map->first, map->file_count, sizeof *map->first);
    map->first[map->file_count] = map->count;
    return true;
}

static bool read_bytes(void *file, uint64_t offset, void *to, size_t count, struct error *error)
{
    (void)offset; /* they come in order */
    if (fread(to, 1, count, file) == count)
        return true;
    return fail(error, "%s",
                ferror(file) ? strerror(errno) : "the file shrank while it was being read");
}

bool weight_map_read(FILE *file, uint64_t length, struct weight_map *map, struct error *error)
{
    struct json json = {.read = read_bytes,
                        .context = file,
                        .end = length,
                        .what = "index",
                        .text_limit = JSON_NAME_LIMIT,
                        .error = error};
    bool ok = parse_object(&json, map) && (!map->present || arrange(map, error));
    json_close(&json);
    return ok;
}

void weight_map_free(struct weight_map *map)
{
    buffer_free(&map->names);
    free(map->weights);
    free(map->first);
    *map = (struct weight_map){0};
}

const char *weight_map_file(const struct weight_map *map, size_t file)
{
    return map->names.data + map->weights[map->first[file]].file;
}

size_t weight_map_find(const struct weight_map *map, size_t file, const char *name)
{
    size_t low = map->first[file], high = map->first[file + 1];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, map->names.data + map->weights[middle].name);
        if (order == 0)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return map->count;
}
