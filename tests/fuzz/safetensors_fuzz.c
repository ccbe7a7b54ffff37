/* .safetensors files. The first eight bytes, the header's length, are hard to guess: any bytes are
 * tried as a header too, with as much of them as is left for data. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "harness.h"

static void try_bytes(const uint8_t *data, size_t size)
{
    struct dtype view;
    struct error error;
    const char *name = size % 2 ? "bf16" : "e4m3fn";
    require(dtype_find(name, strlen(name), &view, &error));
    try_as_file_and_stream(data, size, &(struct input_options){0});
    try_as_file_and_stream(data, size, &(struct input_options){.view = &view});
}

/* The header ends with the last brace. */
static void try_header(const uint8_t *data, size_t size)
{
    const uint8_t *brace = memrchr(data, '}', size);
    uint64_t length = brace ? (uint64_t)(brace + 1 - data) : 0;
    uint8_t *file = allocate(8 + size, 1);
    for (int i = 0; i < 8; i++)
        file[i] = (uint8_t)(length >> 8 * i);
    memcpy(file + 8, data, size);
    try_bytes(file, 8 + size);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_bytes(data, size);
    if (size > 8)
        try_header(data + 8, size - 8);
    return 0;
}
