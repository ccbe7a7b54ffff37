#include "cli/analyze.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

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

bool analyze_file(struct analysis *analysis, const char *path, char *warning, struct error *error)
{
    const struct options *options = analysis->options;
    struct input_options how = {.raw = options->has_raw ? &options->raw : NULL,
                                .view = options->has_view ? &options->view : NULL};
    struct input input;
    if (!input_open(path, &how, &input, error))
        return false;
    note_skipped(analysis->report, &input);
    bool done = measure_input(analysis, &input, error);
    snprintf(warning, sizeof input.warning, "%s", input.warning);
    input_close(&input);
    return done;
}
