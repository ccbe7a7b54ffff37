/* Indexes of checkpoints: the text, and a folder with it and one shard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "input/checkpoint.h"
#include "input/weight_map.h"

static char folder[] = "/tmp/precheck-fuzz-XXXXXX";
static char index_path[64], shard_path[64];

static void write_file(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    require(file && fwrite(bytes, 1, count, file) == count);
    require(fclose(file) == 0);
}

static void remove_folder(void)
{
    unlink(index_path);
    unlink(shard_path);
    rmdir(folder);
}

/* The shard is called "a" and has a tensor "w". */
static void make_folder(void)
{
    static const char header[] = "{\"w\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}";
    static unsigned char shard[8 + sizeof header - 1 + 4] = {sizeof header - 1};
    if (index_path[0])
        return;
    require(mkdtemp(folder));
    snprintf(index_path, sizeof index_path, "%s/x.index.json", folder);
    snprintf(shard_path, sizeof shard_path, "%s/a", folder);
    memcpy(shard + 8, header, sizeof header - 1);
    write_file(shard_path, shard, sizeof shard);
    atexit(remove_folder);
}

static void check_map(const struct weight_map *map)
{
    require(map->count == 0 || map->first[0] == 0);
    for (size_t file = 0; file < map->file_count; file++) {
        require(map->first[file] < map->first[file + 1]);
        require(file == 0 ||
                strcmp(weight_map_file(map, file - 1), weight_map_file(map, file)) < 0);
        for (size_t i = map->first[file]; i < map->first[file + 1]; i++)
            require(weight_map_find(map, file, map->names.data + map->weights[i].name) == i);
    }
    require(!map->file_count || map->first[map->file_count] == map->count);
}

static bool try_map(size_t size)
{
    struct weight_map map = {0};
    struct error error = {""};
    FILE *file = fopen(index_path, "rb");
    require(file);
    bool ok = weight_map_read(file, size, &map, &error);
    require(ok == !error.text[0]);
    if (ok && map.present)
        check_map(&map);
    bool present = ok && map.present;
    fclose(file);
    weight_map_free(&map);
    return present;
}

static bool try_checkpoint(const char *path)
{
    struct checkpoint checkpoint;
    struct error error = {""};
    if (!checkpoint_open(path, &checkpoint, &error)) {
        require(error.text[0] && !checkpoint.paths);
        return false;
    }
    require(checkpoint.count > 0);
    for (size_t i = 0; i < checkpoint.count; i++) {
        struct input input;
        require(strncmp(checkpoint.paths[i], folder, strlen(folder)) == 0);
        if (!input_open(checkpoint.paths[i], &(struct input_options){0}, &input, &error))
            continue;
        size_t all = input.tensor_count + input.skipped_count;
        require(checkpoint_match(&checkpoint, i, &input, &error) || error.text[0]);
        require(input.tensor_count + input.skipped_count == all);
        input_close(&input);
    }
    checkpoint_close(&checkpoint);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    make_folder();
    write_file(index_path, data, size);
    bool present = try_map(size);
    try_checkpoint(index_path);
    /* The folder holds nothing but the index: whatever is made of it needs one. */
    require(!try_checkpoint(folder) || present);
    return 0;
}
