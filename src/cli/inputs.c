#include "cli/inputs.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "cli/message.h"
#include "input/checkpoint.h"

struct inputs inputs_new(const struct options *options, struct progress *progress)
{
    return (struct inputs){
        .options = options, .progress = progress, .selection = options->selection};
}

void inputs_free(struct inputs *inputs)
{
    for (size_t p = 0; p < inputs->path_count; p++)
        free(inputs->paths[p]);
    free(inputs->paths);
    *inputs = (struct inputs){0};
}

/* Over the line that tells how far it is. */
static void tell(const struct inputs *inputs, const char *path, const char *text)
{
    progress_hide(inputs->progress);
    message(path, text);
    progress_show(inputs->progress);
}

static const char *keep_path(struct inputs *inputs, const char *path)
{
    inputs->paths = reallocate(inputs->paths, inputs->path_count + 1, sizeof *inputs->paths);
    return inputs->paths[inputs->path_count++] = copy_string(path);
}

static int64_t bytes_of_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : 0;
}

static int64_t bytes_of_tensors(const struct input *input)
{
    uint64_t bytes = 0;
    for (size_t t = 0; t < input->tensor_count; t++)
        if (input->tensors[t].elements != ELEMENTS_UNKNOWN)
            bytes += input->tensors[t].elements * (uint64_t)input->tensors[t].dtype.bytes;
    return (int64_t)bytes;
}

/* What is expected of a file is its size, and once it is open what its tensors take. */
static bool open_file(struct inputs *inputs, const struct checkpoint *checkpoint, size_t index,
                      struct input *input, struct error *error)
{
    const struct options *options = inputs->options;
    struct input_options how = {.raw = options->has_raw ? &options->raw : NULL,
                                .view = options->has_view ? &options->view : NULL};
    const char *path = keep_path(inputs, checkpoint->paths[index]);
    progress_expect(inputs->progress, -bytes_of_file(path));
    if (!input_open(path, &how, input, error))
        return false;
    if (!checkpoint_match(checkpoint, index, input, error)) {
        input_close(input);
        return false;
    }
    selection_apply(&inputs->selection, input);
    progress_expect(inputs->progress, bytes_of_tensors(input));
    return true;
}

static bool with_file(struct inputs *inputs, const struct checkpoint *checkpoint, size_t index,
                      input_body *body, void *context)
{
    struct input input;
    struct error error;
    bool done = open_file(inputs, checkpoint, index, &input, &error);
    if (done) {
        done = body(context, &input, &error);
        if (*input.warning)
            tell(inputs, input.path, input.warning);
        input_close(&input);
    }
    if (!done && *error.text)
        tell(inputs, checkpoint->paths[index], error.text);
    return done;
}

/* Raw data may begin with anything. */
static bool open_path(const struct inputs *inputs, const char *path, struct checkpoint *checkpoint,
                      struct error *error)
{
    if (!inputs->options->has_raw)
        return checkpoint_open(path, checkpoint, error);
    *checkpoint = checkpoint_of_file(path);
    return true;
}

bool inputs_each(struct inputs *inputs, const char *path, input_body *body, void *context)
{
    struct checkpoint checkpoint;
    struct error error;
    if (!open_path(inputs, path, &checkpoint, &error)) {
        tell(inputs, path, error.text);
        return false;
    }
    bool done = true;
    for (size_t i = 0; i < checkpoint.count; i++)
        progress_expect(inputs->progress, bytes_of_file(checkpoint.paths[i]));
    for (size_t i = 0; i < checkpoint.count; i++)
        done &= with_file(inputs, &checkpoint, i, body, context);
    checkpoint_close(&checkpoint);
    return done;
}

bool inputs_finish(const struct inputs *inputs, struct error *error)
{
    return selection_finish(&inputs->selection, error);
}
