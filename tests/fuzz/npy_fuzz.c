/* .npy files, and layouts of raw data. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "harness.h"

static void try_layout(const uint8_t *data, size_t size)
{
    struct raw_layout layout;
    struct error error;
    char *text = copy_bytes(data, size);
    if (raw_layout_parse(text, &layout, &error))
        require(layout.rank < RANK_LIMIT && layout.offset <= INT64_MAX);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dtype view;
    struct error error;
    const char *name = size % 2 ? "bf16" : "e4m3fn";
    require(dtype_find(name, strlen(name), &view, &error));
    try_as_file_and_stream(data, size, &(struct input_options){0});
    try_as_file_and_stream(data, size, &(struct input_options){.view = &view});
    try_layout(data, size);
    return 0;
}
