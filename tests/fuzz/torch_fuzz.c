/* PyTorch files; and pickles alone, whose tensors are then all in the file of the pickle. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "input/elements.h"
#include "input/torch.h"

/* Any key leads to all there is. */
static bool find_anything(const struct torch_file *file, struct pickle_text key,
                          struct torch_place *place, struct error *error)
{
    (void)error;
    *place = (struct torch_place){key.length, file->input->size - key.length};
    return key.length <= file->input->size;
}

static void read_some(struct input *input, struct tensor *tensor)
{
    struct elements elements;
    struct error error;
    char bytes[1024];
    uint64_t most = sizeof bytes / (uint64_t)tensor->dtype.bytes;
    size_t n = (size_t)(tensor->elements < most ? tensor->elements : most);
    /* What a view may reach was looked at when it was made. */
    require(elements_open(input, tensor, &elements, &error));
    require(elements_read(&elements, 0, n, bytes, &error));
    require(elements_read(&elements, tensor->elements - n, n, bytes, &error));
    elements_close(&elements);
}

/* The bytes of an archive have their pickle behind the first byte of this value, as a rule. */
static void try_pickle(const uint8_t *data, size_t size)
{
    const uint8_t *start = memchr(data, 0x80, size);
    struct input input = {.path = "",
                          .descriptor = memfd_create("input", MFD_CLOEXEC),
                          .seekable = true,
                          .size = size};
    struct torch_file file = {
        .input = &input, .options = &(struct input_options){0}, .find = find_anything};
    struct error error = {""};
    require(input.descriptor >= 0 && write(input.descriptor, data, size) == (ssize_t)size);
    if (start && pickle_read(&input, (uint64_t)(start - data), size, &file.pickle, &error)) {
        if (torch_walk(&file, &error)) {
            torch_settle(&input);
            for (size_t i = 0; i < input.tensor_count; i++)
                read_some(&input, &input.tensors[i]);
        }
        pickle_free(&file.pickle);
    }
    input_close(&input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dtype view;
    struct error error;
    const char *name = size % 2 ? "bf16" : "e4m3fn";
    require(dtype_find(name, strlen(name), &view, &error));
    try_as_file(data, size, &(struct input_options){0});
    try_as_file(data, size, &(struct input_options){.view = &view});
    try_pickle(data, size);
    return 0;
}
