/* .npz files. */
#include <string.h>

#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dtype view;
    struct error error;
    const char *name = size % 2 ? "bf16" : "e4m3fn";
    require(dtype_find(name, strlen(name), &view, &error));
    try_as_file(data, size, &(struct input_options){0});
    try_as_file(data, size, &(struct input_options){.view = &view});
    return 0;
}
