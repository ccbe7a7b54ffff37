#include "cli/outputs.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/file.h"
#include "cli/message.h"
#include "cli/write.h"

enum { WIDTH_LIMIT = 1000 };

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
struct style output_style(const char *path, const struct options *options)
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

bool output_write(const char *path, const struct buffer *text, struct error *error)
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

static bool write_output(const struct output_request *output, const struct options *options,
                         const struct content *content, struct error *error)
{
    struct destination to = {.error = error};
    if (!file_create(output->path, &to.file, error))
        return false;
    struct style style = output_style(output->path, options);
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

static bool is_empty(const struct content *content)
{
    return content->report ? !content->report->tensor_count
                           : !content->listing->tensor_count && !content->listing->skipped_count;
}

/* A report without a tensor takes the place of older ones in files, and is not worth printing. */
int outputs_write(const struct options *options, const struct content *content)
{
    int status = STATUS_OK;
    for (size_t i = 0; i < options->output_count; i++) {
        const struct output_request *output = &options->outputs[i];
        if (is_empty(content) && file_is_standard_output(output->path))
            continue;
        struct error error;
        if (!write_output(output, options, content, &error))
            status = trouble(file_label(output->path), &error);
    }
    return status;
}

/* An output must not replace what is being read. */
static bool spares_inputs(const struct inputs *inputs, const char *output, struct error *error)
{
    struct stat target, status;
    if (stat(output, &target) != 0 || !S_ISREG(target.st_mode))
        return true;
    for (size_t i = 0; i < inputs->file_count; i++) {
        const char *input = inputs->files[i];
        bool there =
            strcmp(input, "-") == 0 ? fstat(STDIN_FILENO, &status) == 0 : stat(input, &status) == 0;
        if (there && status.st_dev == target.st_dev && status.st_ino == target.st_ino)
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

/* `count` paths, of which the last `report_count` may be any: the others differ. */
static int check_places(const struct inputs *inputs, const char *const *paths, size_t count,
                        size_t report_count)
{
    for (size_t i = 0; i < count; i++) {
        struct error error;
        size_t others = i + report_count < count ? 0 : i;
        if (!spares_inputs(inputs, paths[i], &error) ||
            !spares_outputs(paths, others, paths[i], &error))
            return trouble(paths[i], &error);
    }
    return STATUS_OK;
}

int outputs_check(const struct options *options, const struct inputs *inputs)
{
    struct targets targets = {0};
    struct error error;
    bool writes = options->write && !file_is_standard_output(options->write);
    if (writes &&
        !targets_find(options->write, inputs->files, inputs->tensor_file_count, &targets, &error)) {
        targets_free(&targets);
        return trouble(options->write, &error);
    }
    const char **paths = allocate(targets.count + options->output_count, sizeof *paths);
    size_t count = 0;
    while (count < targets.count) {
        paths[count] = targets.paths[count];
        count++;
    }
    for (size_t i = 0; i < options->output_count; i++)
        if (!file_is_standard_output(options->outputs[i].path))
            paths[count++] = options->outputs[i].path;
    int status = check_places(inputs, paths, count, count - targets.count);
    free(paths);
    targets_free(&targets);
    return status;
}
