#include "cli/run/inputs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "cli/message.h"

/* Over the line that tells how far it is. */
static void tell(const struct inputs *inputs, const char *path, const char *text)
{
    progress_hide(inputs->progress);
    message(path, text);
    progress_show(inputs->progress);
}

/* Also what is read beside the tensors. */
static void list_files(struct inputs *inputs)
{
    const struct options *options = inputs->options;
    const struct checkpoint *updates = inputs->updates;
    const char *others[] = {options->update_is_number ? NULL : options->update, options->policy};
    size_t room = options->file_count + updates->count + sizeof others / sizeof *others;
    for (size_t c = 0; c < inputs->checkpoint_count; c++)
        room += inputs->checkpoints[c].count;
    inputs->files = allocate(room, sizeof *inputs->files);
    for (size_t c = 0; c < inputs->checkpoint_count; c++)
        for (size_t i = 0; i < inputs->checkpoints[c].count; i++)
            inputs->files[inputs->file_count++] = inputs->checkpoints[c].paths[i];
    inputs->tensor_file_count = inputs->file_count;
    for (char **path = options->files; *path; path++) /* an index */
        inputs->files[inputs->file_count++] = *path;
    for (size_t i = 0; i < updates->count; i++)
        inputs->files[inputs->file_count++] = updates->paths[i];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) /* where it is an index */
        if (others[i])
            inputs->files[inputs->file_count++] = others[i];
}

/* Raw data may begin with anything. */
static bool open_path(const struct options *options, const char *path,
                      struct checkpoint *checkpoint, struct error *error)
{
    if (!options->has_raw)
        return checkpoint_open(path, checkpoint, error);
    *checkpoint = checkpoint_of_file(path);
    return true;
}

bool inputs_open(const struct options *options, const struct checkpoint *updates,
                 struct inputs *inputs)
{
    bool opened = true;
    *inputs =
        (struct inputs){.options = options, .selection = options->selection, .updates = updates};
    inputs->checkpoints = allocate(options->file_count, sizeof *inputs->checkpoints);
    for (char **path = options->files; *path; path++) {
        struct error error;
        if (open_path(options, *path, &inputs->checkpoints[inputs->checkpoint_count], &error)) {
            inputs->checkpoint_count++;
        } else {
            tell(inputs, *path, error.text);
            opened = false;
        }
    }
    list_files(inputs);
    return opened;
}

void inputs_close(struct inputs *inputs)
{
    for (size_t c = 0; c < inputs->checkpoint_count; c++)
        checkpoint_close(&inputs->checkpoints[c]);
    free(inputs->checkpoints);
    free(inputs->files);
    *inputs = (struct inputs){0};
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
        bytes += tensor_bytes(&input->tensors[t]);
    return (int64_t)bytes;
}

static void expect(const struct inputs *inputs, int64_t bytes)
{
    int passes = inputs->options->scaling == SCALING_AMAX ? 2 : 1;
    progress_expect(inputs->progress, passes * bytes);
}

/* What is expected of a file is its size, and once it is open what its tensors take. */
static bool open_file(struct inputs *inputs, const struct checkpoint *checkpoint, size_t index,
                      struct input *input, bool *single, struct error *error)
{
    const struct options *options = inputs->options;
    struct input_options how = {.raw = options->has_raw ? &options->raw : NULL,
                                .view = options->has_view ? &options->view : NULL};
    const char *path = checkpoint->paths[index];
    expect(inputs, -bytes_of_file(path));
    if (!input_open(path, &how, input, error))
        return false;
    if (!checkpoint_match(checkpoint, index, input, error)) {
        input_close(input);
        return false;
    }
    *single = checkpoint->count == 1 && input->tensor_count == 1;
    selection_apply(&inputs->selection, input);
    expect(inputs, bytes_of_tensors(input));
    return true;
}

static bool with_file(struct inputs *inputs, const struct checkpoint *checkpoint, size_t index,
                      input_body *body, void *context)
{
    struct input input;
    struct error error;
    bool single, done = open_file(inputs, checkpoint, index, &input, &single, &error);
    if (done) {
        done = body(context, &input, single, &error);
        if (*input.warning)
            tell(inputs, input.path, input.warning);
        input_close(&input);
    }
    if (!done && !error_is_silent(&error))
        tell(inputs, checkpoint->paths[index], error.text);
    return done;
}

static bool can_open_again(const char *path)
{
    struct stat status;
    return strcmp(path, "-") != 0 && stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

void inputs_survey(struct inputs *inputs, void (*body)(void *context, struct input *input),
                   void *context)
{
    for (size_t c = 0; c < inputs->checkpoint_count; c++)
        for (size_t i = 0; i < inputs->checkpoints[c].count; i++) {
            struct input input;
            struct error later;
            bool single;
            if (!can_open_again(inputs->checkpoints[c].paths[i]) ||
                !open_file(inputs, &inputs->checkpoints[c], i, &input, &single, &later))
                continue;
            body(context, &input);
            input_close(&input);
        }
}

bool inputs_each(struct inputs *inputs, input_body *body, void *context)
{
    bool done = true;
    struct error error;
    for (size_t i = 0; i < inputs->tensor_file_count; i++)
        expect(inputs, bytes_of_file(inputs->files[i]));
    for (size_t c = 0; c < inputs->checkpoint_count; c++)
        for (size_t i = 0; i < inputs->checkpoints[c].count; i++)
            done &= with_file(inputs, &inputs->checkpoints[c], i, body, context);
    if (!done || selection_finish(&inputs->selection, &error))
        return done;
    tell(inputs, NULL, error.text);
    return false;
}
