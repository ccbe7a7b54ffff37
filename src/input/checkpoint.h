/* What a path on the command line stands for: one file, the files of an index, or those of a
 * folder. */
#ifndef PRECHECK_INPUT_CHECKPOINT_H
#define PRECHECK_INPUT_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "input/input.h"

/* What writers call the index of a folder; of several it is the one that counts. */
#define CHECKPOINT_INDEX "model.safetensors.index.json"

struct checkpoint {
    char **paths;             /* owned; in the order in which they are to be read */
    size_t count;             /* at least one */
    struct weight_map *index; /* owned; NULL where there is none */
};

/*
 * A folder is its index (a file *.index.json with a weight_map), else its tensor files, those of
 * folders in it not among them. An index is the files that it names, all of which must be there.
 * Any other path, also of what cannot be opened, is one file.
 *
 * An index comes from a stranger: the files it names lie beside it or below, links included. Where
 * the index itself is a link they may also lie beside or below what it leads to: so they do in the
 * cache of Hugging Face.
 */
bool checkpoint_open(const char *path, struct checkpoint *checkpoint, struct error *error);
/* The path as one file whatever it is: of raw data. */
struct checkpoint checkpoint_of_file(const char *path);
void checkpoint_close(struct checkpoint *checkpoint);

/* After file `index` was opened: its tensors that the index has elsewhere, or not at all, become
 * skipped. False where it lacks one that the index has in it. */
bool checkpoint_match(const struct checkpoint *checkpoint, size_t index, struct input *input,
                      struct error *error);

#endif
