#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/file.h"
#include "cli/inputs.h"
#include "cli/measure.h"
#include "cli/message.h"
#include "cli/options.h"
#include "output/output.h"
#include "report/advice.h"
#include "report/checkpoint.h"

#ifndef PRECHECK_VERSION
#error "PRECHECK_VERSION comes from the Makefile"
#endif

enum { STATUS_OK, STATUS_GATE, STATUS_TROUBLE };
enum { WIDTH_LIMIT = 1000 };

static int trouble(const char *file, const struct error *error)
{
    if (*error->text)
        message(file, error->text);
    return STATUS_TROUBLE;
}

static int terminal_width(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;
    return width < 0 ? 0 : width > WIDTH_LIMIT ? WIDTH_LIMIT : (int)width;
}

/* How text looks where it goes: colour and width belong to a terminal. */
static struct style style_for(const char *path, const struct options *options)
{
    bool terminal = file_is_standard_output(path) && isatty(STDOUT_FILENO);
    const char *no_color = getenv("NO_COLOR"), *kind = getenv("TERM");
    bool plain = (no_color && *no_color) || (kind && strcmp(kind, "dumb") == 0);
    return (struct style){
        .width = terminal ? terminal_width() : 0,
        .utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .colour =
            options->colour == WHEN_ALWAYS || (options->colour == WHEN_AUTO && terminal && !plain),
        .verbose = options->verbose,
        .top = options->top,
        .order = options->order,
    };
}

static bool write_whole(const char *path, const struct buffer *text, struct error *error)
{
    struct file file;
    if (!file_create(path, &file, error))
        return false;
    if (!file_write(&file, text->data, text->length, error)) {
        file_abandon(&file);
        return false;
    }
    return file_commit(&file, error);
}

struct destination {
    struct file file;
    struct error *error;
};

static bool write_piece(void *context, const void *bytes, size_t count)
{
    struct destination *to = context;
    return file_write(&to->file, bytes, count, to->error);
}

/* What is rendered: one of the two. */
struct content {
    const struct report *report;
    const struct listing *listing;
};

static bool write_output(const struct output_request *output, const struct options *options,
                         const struct content *content, struct error *error)
{
    struct destination to = {.error = error};
    if (!file_create(output->path, &to.file, error))
        return false;
    struct style style = style_for(output->path, options);
    struct sink sink = {.write = write_piece, .context = &to};
    if (content->report)
        output->renderer->render(content->report, &style, &sink);
    else
        output->renderer->list(content->listing, &style, &sink);
    bool written = sink_flush(&sink);
    buffer_free(&sink.text);
    if (!written) {
        file_abandon(&to.file);
        return false;
    }
    return file_commit(&to.file, error);
}

static const char *name_of_output(const char *path)
{
    return file_is_standard_output(path) ? "standard output" : path;
}

static bool is_empty(const struct content *content)
{
    return content->report ? !content->report->tensor_count
                           : !content->listing->tensor_count && !content->listing->skipped_count;
}

/* A report without a tensor takes the place of older ones in files, and is not worth printing. */
static int write_outputs(const struct options *options, const struct content *content)
{
    int status = STATUS_OK;
    for (size_t i = 0; i < options->output_count; i++) {
        const struct output_request *output = &options->outputs[i];
        if (is_empty(content) && file_is_standard_output(output->path))
            continue;
        struct error error;
        if (!write_output(output, options, content, &error))
            status = trouble(name_of_output(output->path), &error);
    }
    return status;
}

/* An output must not replace what is being read. */
static bool spares_inputs(const struct options *options, const char *output, struct error *error)
{
    const char *others[] = {options->update_is_number ? NULL : options->update, options->policy};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct stat status;
        if (others[i] && stat(others[i], &status) == 0 && S_ISREG(status.st_mode) &&
            file_is(output, &status))
            return fail(error, "is an input: it would be overwritten");
    }
    for (char **file = options->files; *file; file++) {
        struct stat status;
        bool there =
            strcmp(*file, "-") == 0 ? fstat(STDIN_FILENO, &status) == 0 : stat(*file, &status) == 0;
        if (there && S_ISREG(status.st_mode) && file_is(output, &status))
            return fail(error, "is an input: it would be overwritten");
    }
    return true;
}

/* Whether two paths, of files that need not be there yet, name the same place. */
static bool same_place(const char *a, const char *b)
{
    struct stat status;
    if (stat(a, &status) == 0)
        return S_ISREG(status.st_mode) && file_is(b, &status);
    const char *a_name = strrchr(a, '/'), *b_name = strrchr(b, '/');
    if (strcmp(a_name ? a_name + 1 : a, b_name ? b_name + 1 : b) != 0)
        return false;
    char *a_folder = a_name ? copy_bytes(a, (size_t)(a_name - a + 1)) : copy_string(".");
    char *b_folder = b_name ? copy_bytes(b, (size_t)(b_name - b + 1)) : copy_string(".");
    bool same = stat(a_folder, &status) == 0 && file_is(b_folder, &status);
    free(a_folder);
    free(b_folder);
    return same;
}

/* Nor another output. Two that go to one pipe or device are the user's affair. */
static bool spares_outputs(const char *const *others, size_t count, const char *output,
                           struct error *error)
{
    for (size_t i = 0; i < count; i++)
        if (same_place(others[i], output))
            return fail(error, "is named for two outputs");
    return true;
}

static int check_outputs(const struct options *options)
{
    const char *paths[OUTPUT_LIMIT + 1];
    size_t count = 0;
    if (options->write && !file_is_standard_output(options->write))
        paths[count++] = options->write;
    for (size_t i = 0; i < options->output_count; i++)
        if (!file_is_standard_output(options->outputs[i].path))
            paths[count++] = options->outputs[i].path;
    for (size_t i = 0; i < count; i++) {
        struct error error;
        if (!spares_inputs(options, paths[i], &error) ||
            !spares_outputs(paths, i, paths[i], &error))
            return trouble(paths[i], &error);
    }
    return STATUS_OK;
}

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

/* Every file of every path. */
static int each_input(struct inputs *inputs, input_body *body, void *context)
{
    int status = STATUS_OK;
    struct error error;
    for (char **file = inputs->options->files; *file; file++)
        if (!inputs_each(inputs, *file, body, context))
            status = STATUS_TROUBLE;
    if (status == STATUS_OK && !inputs_finish(inputs, &error))
        status = trouble(NULL, &error);
    return status;
}

static int judge(const struct options *options, struct report *report)
{
    struct error error;
    if (!gate_judge(&options->gates, report, &error))
        return trouble(NULL, &error);
    return report->has_verdict && !report->pass && !options->exit_zero ? STATUS_GATE : STATUS_OK;
}

static int worse(int a, int b)
{
    return a > b ? a : b;
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

/* The report is written whatever went wrong. The cast tensor is whole or absent. */
static int run(const struct options *options)
{
    int status = check_outputs(options);
    if (status != STATUS_OK)
        return status;
    struct report report = {0};
    describe_settings(options, &report);
    struct writer *writer = NULL;
    struct error error;
    if (options->write && !(writer = writer_open(options, &error))) {
        report_free(&report);
        return trouble(options->write, &error);
    }
    struct analysis analysis = {
        .options = options,
        .threads = options->threads ? options->threads : default_threads(),
        .report = &report,
        .total = total_new(options->cast_count, &options->update_plan),
        .writer = writer,
        .progress = wants_progress(options) ? progress_start() : NULL,
    };
    struct inputs inputs = inputs_new(options, analysis.progress);
    if (updates_open(options, &analysis.updates, &error))
        status = each_input(&inputs, measure_input, &analysis);
    else
        status = trouble(options->update, &error);
    progress_stop(analysis.progress);
    if (status == STATUS_OK && !report.tensor_count)
        status = nothing_to_cast(&report, options->files);
    if (analysis.updates.from_file && *analysis.updates.input.warning)
        message(options->update, analysis.updates.input.warning);
    updates_close(&analysis.updates);
    if (writer && status != STATUS_OK)
        writer_abandon(writer);
    else if (writer && !writer_commit(writer, &error))
        status = trouble(name_of_output(options->write), &error);
    report.incomplete = status != STATUS_OK;
    report_total_figures(&report, analysis.total);
    report_advise(&report);
    report_checkpoint(&report);
    if (report.tensor_count)
        status = worse(status, judge(options, &report));
    status = worse(status, write_outputs(options, &(struct content){.report = &report}));
    total_free(analysis.total);
    report_free(&report);
    inputs_free(&inputs);
    return status;
}

static bool list_input(void *context, struct input *input, struct error *error)
{
    (void)error;
    listing_add(context, input);
    return true;
}

static int list(const struct options *options)
{
    int status = check_outputs(options);
    if (status != STATUS_OK)
        return status;
    struct listing listing = {0};
    struct inputs inputs = inputs_new(options, NULL);
    status = each_input(&inputs, list_input, &listing);
    status = worse(status, write_outputs(options, &(struct content){.listing = &listing}));
    listing_free(&listing);
    inputs_free(&inputs);
    return status;
}

static void version(struct buffer *out)
{
    buffer_puts(out, "precheck " PRECHECK_VERSION "\n");
}

static int print_and_exit(const struct options *options)
{
    struct buffer text = {0};
    struct style style = style_for("-", options);
    if (options->action == ACTION_FORMATS)
        formats_list(&style, &text);
    else if (options->action == ACTION_VERSION)
        version(&text);
    else
        options_help(&text);
    struct error error;
    int status = write_whole("-", &text, &error) ? STATUS_OK : trouble("standard output", &error);
    buffer_free(&text);
    return status;
}

/* A file that is opened later must not get the number of a standard stream that was closed: the
 * report or a message would go into it. What takes the place here fails as the closed one would. */
static void occupy_standard_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF)
            open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    occupy_standard_streams();
    setlocale(LC_CTYPE, "");
    file_handle_signals();
    struct options options;
    struct error error;
    int status;
    if (!options_parse(argc, argv, &options, &error))
        status = trouble(NULL, &error);
    else if (options.action == ACTION_RUN)
        status = run(&options);
    else
        status = options.action == ACTION_LIST ? list(&options) : print_and_exit(&options);
    options_free(&options);
    return status;
}
