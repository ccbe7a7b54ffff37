#include "cli/list.h"

#include <stdio.h>

bool list_file(const struct options *options, struct listing *listing, const char *path,
               char *warning, struct error *error)
{
    struct input_options how = {.raw = options->has_raw ? &options->raw : NULL,
                                .view = options->has_view ? &options->view : NULL};
    struct input input;
    if (!input_open(path, &how, &input, error))
        return false;
    listing_add(listing, &input);
    snprintf(warning, sizeof input.warning, "%s", input.warning);
    input_close(&input);
    return true;
}
