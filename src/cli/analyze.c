#include "cli/analyze.h"

#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "cli/message.h"
#include "input/checkpoint.h"

/* Over the line that tells how far it is. */
static void tell(const struct analysis *analysis, const char *path, const char *text)
{
    progress_hide(analysis->progress);
    message(path, text);
    progress_show(analysis->progress);
}

/* A report names the files that it tells of, longer than they are open. */
static const char *keep_path(struct report *report, const char *path)
{
    report->paths = reallocate(report->paths, report->path_count + 1, sizeof *report->paths);
    return report->paths[report->path_count++] = copy_string(path);
}

/* What is skipped moves to the report. */
static void note_skipped(struct report *report, struct input *input)
{
    report->skipped = reallocate(report->skipped, report->skipped_count + input->skipped_count,
                                 sizeof *report->skipped);
    for (size_t s = 0; s < input->skipped_count; s++)
        report->skipped[report->skipped_count++] =
            (struct report_skipped){.file = input->path, .skipped = input->skipped[s]};
    input->skipped_count = 0;
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

static bool analyze_input(struct analysis *analysis, const struct checkpoint *checkpoint,
                          size_t index, struct input *input, struct error *error)
{
    if (!checkpoint_match(checkpoint, index, input, error))
        return false;
    selection_apply(&analysis->selection, input);
    note_skipped(analysis->report, input);
    progress_expect(analysis->progress, bytes_of_tensors(input));
    return measure_input(analysis, input, error);
}

static bool analyze_file(struct analysis *analysis, const struct checkpoint *checkpoint,
                         size_t index)
{
    const struct options *options = analysis->options;
    struct input_options how = {.raw = options->has_raw ? &options->raw : NULL,
                                .view = options->has_view ? &options->view : NULL};
    const char *path = keep_path(analysis->report, checkpoint->paths[index]);
    struct input input;
    struct error error;
    progress_expect(analysis->progress, -bytes_of_file(path));
    bool done = input_open(path, &how, &input, &error);
    if (done) {
        done = analyze_input(analysis, checkpoint, index, &input, &error);
        if (*input.warning)
            tell(analysis, path, input.warning);
        input_close(&input);
    }
    if (!done && *error.text)
        tell(analysis, path, error.text);
    return done;
}

bool analyze_path(struct analysis *analysis, const char *path)
{
    struct checkpoint checkpoint;
    struct error error;
    if (analysis->options->has_raw) /* whatever it looks like */
        checkpoint = checkpoint_of_file(path);
    else if (!checkpoint_open(path, &checkpoint, &error)) {
        tell(analysis, path, error.text);
        return false;
    }
    bool done = true;
    for (size_t i = 0; i < checkpoint.count; i++)
        progress_expect(analysis->progress, bytes_of_file(checkpoint.paths[i]));
    for (size_t i = 0; i < checkpoint.count; i++)
        done &= analyze_file(analysis, &checkpoint, i);
    checkpoint_close(&checkpoint);
    return done;
}
