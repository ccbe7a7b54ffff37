/* The index of a checkpoint in several files, as Hugging Face writes it: a JSON object whose
 * "weight_map" says which file has which tensor. */
#ifndef PRECHECK_INPUT_WEIGHT_MAP_H
#define PRECHECK_INPUT_WEIGHT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"

/* Where in `names` two strings begin. */
struct weight {
    size_t name, file;
};

/* Zero-initialise. */
struct weight_map {
    bool present; /* the text is JSON in any case, but may be some other object */
    struct buffer names;
    struct weight *weights; /* by file, then by name; no name comes twice */
    size_t count;
    size_t *first; /* weight of file i, bytewise sorted; first[file_count] is `count` */
    size_t file_count;
};

/* Reads all `length` bytes of a file. On failure too, weight_map_free has something to do. */
bool weight_map_read(FILE *file, uint64_t length, struct weight_map *map, struct error *error);
void weight_map_free(struct weight_map *map);

/* As the index has it: anything, but it is a string of C. */
const char *weight_map_file(const struct weight_map *map, size_t file);

/* Which weight of the file has the name: first[file] .. first[file + 1] - 1, or `count` if none. */
size_t weight_map_find(const struct weight_map *map, size_t file, const char *name);

#endif
