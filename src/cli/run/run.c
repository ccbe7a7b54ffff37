#include "cli/run/run.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/run/measure.h"
#include "cli/file.h"
#include "cli/message.h"
#include "cli/outputs.h"
#include "report/advice.h"
#include "report/checkpoint.h"
#include "report/listing.h"

#ifndef PRECHECK_VERSION
#error "PRECHECK_VERSION comes from the Makefile"
#endif

static int nothing_to_cast(const struct report *report, char **files)
{
    struct error error;
    if (files[1]) {
        fail(&error, "no floating-point tensor in any file");
        return trouble(NULL, &error);
    }
    fail(&error, "no floating-point tensor%s%s", report->skipped_count ? ", but " : "",
         report->skipped_count ? report->skipped[0].skipped.dtype : "");
    return trouble(files[0], &error);
}

static int judge(const struct options *options, struct report *report)
{
    struct error error;
    if (!gate_judge(&options->gates, report, &error))
        return trouble(NULL, &error);
    return report->has_verdict && !report->pass && !options->exit_zero ? STATUS_GATE : STATUS_OK;
}

static void describe_settings(const struct options *options, struct report *report)
{
    report->version = PRECHECK_VERSION;
    report->settings = (struct report_settings){.rounding = options->casts[0].rounding,
                                                .seed = options->seed,
                                                .saturate = options->casts[0].saturate,
                                                .scale = options->scale_text,
                                                .raw = options->raw_text,
                                                .view = options->view_text,
                                                .update = options->update,
                                                .update_scale = options->update_scale_text,
                                                .ema = options->ema_text,
                                                .steps = options->update_plan.steps};
    if (options->update_is_number)
        report->settings.constant_update = options->update_value * options->update_plan.scale;
    bool *has = report->has_group;
    has[GROUP_INPUT] = has[GROUP_CAST] = has[GROUP_ERROR] = true;
    has[GROUP_UPDATE] = options->update_plan.rule == UPDATE_ADD;
    has[GROUP_EMA] = options->update_plan.rule == UPDATE_EMA;
    has[GROUP_STEPS] = options->update_plan.steps != 0;
    report->cast_count = options->cast_count;
    report->casts = allocate(options->cast_count, sizeof *report->casts);
    memcpy(report->casts, options->casts, options->cast_count * sizeof *report->casts);
}

static unsigned default_threads(void)
{
    unsigned processors = schedule_processors();
    return processors < THREAD_LIMIT ? processors : THREAD_LIMIT;
}

static bool wants_progress(const struct options *options)
{
    return options->progress == WHEN_ALWAYS ||
           (options->progress == WHEN_AUTO && isatty(STDERR_FILENO));
}

/* Reads it all; returns the status, which may be bad already. */
static int measure(struct analysis *analysis, struct inputs *inputs, int status)
{
    const struct options *options = analysis->options;
    struct updates *updates = &analysis->updates;
    struct error error;
    if (!updates_open(options, inputs->updates, updates, &error))
        return trouble(NULL, &error);
    struct progress *progress = wants_progress(options) ? progress_start() : NULL;
    inputs->progress = analysis->progress = analysis->outputs->progress = progress;
    if (!inputs_each(inputs, measure_input, analysis))
        status = STATUS_TROUBLE;
    progress_stop(progress);
    inputs->progress = analysis->progress = analysis->outputs->progress = NULL;
    if (status == STATUS_OK && !analysis->report->tensor_count)
        status = nothing_to_cast(analysis->report, options->files);
    updates_warn(updates);
    updates_close(updates);
    return status;
}

/* The cast tensors are whole or absent, and absent where anything is wrong with them: whoever uses
 * them next need not look at the status too. */
static int settle_writing(struct writer *writer, struct report *report, const char *path,
                          int status)
{
    struct error error;
    if (status == STATUS_OK && writer_commit(writer, &error))
        return STATUS_OK;
    if (status == STATUS_OK) {
        report->incomplete = true;
        report->pass = false;
        return trouble(NULL, &error);
    }
    if (status == STATUS_GATE && !file_is_direct(path))
        message(path, "is not written: a gate failed");
    writer_abandon(writer);
    return status;
}

static void foresee(void *writer, struct input *input)
{
    writer_foresee(writer, input);
}

/* The writer of --write, or NULL where it cannot do what is asked for, as far as that shows before
 * elements are read. */
static struct writer *open_writer(struct inputs *inputs, struct error *error)
{
    struct writer *writer = writer_open(inputs->options, error);
    if (!writer)
        return NULL;
    if (inputs->tensor_file_count < 2 || !writer_looks_ahead(writer))
        return writer;
    inputs_survey(inputs, foresee, writer);
    if (writer_agrees(writer, error))
        return writer;
    writer_abandon(writer);
    return NULL;
}

/* The report is written whatever went wrong; `status` is what came of finding the inputs. */
static int report_on(struct inputs *inputs, int status)
{
    const struct options *options = inputs->options;
    struct report report = {0};
    struct writer *writer = NULL;
    struct error error;
    if (options->write && !(writer = open_writer(inputs, &error)))
        return trouble(options->write, &error);
    struct outputs outputs;
    outputs_open(options, &outputs);
    describe_settings(options, &report);
    struct analysis analysis = {
        .options = options,
        .threads = options->threads ? options->threads : default_threads(),
        .report = &report,
        .total = total_new(options->cast_count, &options->update_plan),
        .writer = writer,
        .outputs = &outputs,
    };
    status = measure(&analysis, inputs, status);
    report.incomplete = status != STATUS_OK;
    report_total_figures(&report, analysis.total);
    report_advise(&report);
    report_checkpoint(&report);
    if (report.tensor_count)
        status = worse(status, judge(options, &report));
    if (writer)
        status = settle_writing(writer, &report, options->write, status);
    status = worse(status, outputs_close(&outputs, &(struct content){.report = &report}));
    total_free(analysis.total);
    report_free(&report);
    return status;
}

static bool list_input(void *listing, struct input *input, bool single, struct error *error)
{
    (void)single;
    (void)error;
    listing_add(listing, input);
    return true;
}

static int list(struct inputs *inputs, int status)
{
    struct listing listing = {0};
    struct outputs outputs;
    outputs_open(inputs->options, &outputs);
    if (!inputs_each(inputs, list_input, &listing))
        status = STATUS_TROUBLE;
    status = worse(status, outputs_close(&outputs, &(struct content){.listing = &listing}));
    listing_free(&listing);
    return status;
}

int run(const struct options *options)
{
    struct inputs inputs;
    struct checkpoint updates;
    struct error error;
    if (!updates_find(options, &updates, &error))
        return trouble(options->update, &error);
    int opened = inputs_open(options, &updates, &inputs) ? STATUS_OK : STATUS_TROUBLE;
    int status = outputs_check(options, &inputs);
    if (status == STATUS_OK)
        status =
            options->action == ACTION_LIST ? list(&inputs, opened) : report_on(&inputs, opened);
    inputs_close(&inputs);
    checkpoint_close(&updates);
    return status;
}
