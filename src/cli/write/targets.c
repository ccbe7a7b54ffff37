#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "cli/write/write.h"
#include "cli/write/path.h"
#include "input/checkpoint.h"

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool paths_differ(const struct targets *targets, struct error *error)
{
    qsort(targets->paths, targets->count, sizeof *targets->paths, compare_paths);
    for (size_t i = 1; i < targets->count; i++)
        if (strcmp(targets->paths[i - 1], targets->paths[i]) == 0)
            return fail(error, "two inputs would be written to %s", targets->paths[i]);
    return true;
}

bool targets_find(const char *write, const char *const *inputs, size_t count,
                  struct targets *targets, struct error *error)
{
    bool directory = path_wants_directory(write);
    *targets = (struct targets){.paths = allocate(count + 1, sizeof *targets->paths)};
    if (!directory) {
        targets->paths[targets->count++] = copy_string(write);
        return !path_wants_checkpoint(write) || count < 2 ||
               fail(error, "several files do not go into one: "
                           "name a directory, with a slash at its end");
    }
    for (size_t i = 0; i < count; i++)
        targets->paths[targets->count++] = path_for(write, inputs[i]);
    targets->paths[targets->count++] = path_in(write, CHECKPOINT_INDEX);
    return paths_differ(targets, error);
}

void targets_free(struct targets *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        free(targets->paths[i]);
    free(targets->paths);
    *targets = (struct targets){0};
}
