#include "cli/outputs.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/file.h"
#include "cli/message.h"
#include "cli/write/write.h"

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

/* One of them. */
struct destination {
    struct outputs *outputs;
    const struct output_request *request;
    size_t tensors; /* so many are rendered */
    bool open, terminal;
    struct file file;
    struct sink sink;
    struct error error;
};

/* What is printed on a terminal does not end the line that tells how far it is. */
static bool write_piece(void *context, const void *bytes, size_t count)
{
    struct destination *to = context;
    struct progress *progress = to->terminal ? to->outputs->progress : NULL;
    progress_hide(progress);
    bool written = file_write(&to->file, bytes, count, &to->error);
    progress_show(progress);
    return written;
}

static void open_destination(struct destination *to)
{
    to->open = true;
    to->sink = (struct sink){.write = write_piece, .context = to};
    to->sink.failed = !file_create(to->request->path, &to->file, &to->error);
    to->terminal = !to->sink.failed && isatty(to->file.descriptor);
    output_begin(to->request->renderer, &to->sink);
}

static bool close_destination(struct destination *to)
{
    bool written = sink_flush(&to->sink);
    buffer_free(&to->sink.text);
    if (!written) {
        file_abandon(&to->file);
        return false;
    }
    return file_commit(&to->file, &to->error);
}

/* Who reads one output to its end may open the next one only then: the first that anybody may be
 * reading is the one that cannot keep another waiting. Files appear whole. */
static const struct output_request *find_streaming(const struct options *options)
{
    if (options->write && file_is_direct(options->write))
        return NULL;
    for (size_t i = 0; i < options->output_count; i++)
        if (file_is_direct(options->outputs[i].path))
            return options->outputs[i].renderer->tensor ? &options->outputs[i] : NULL;
    return NULL;
}

void outputs_open(const struct options *options, struct outputs *outputs)
{
    *outputs = (struct outputs){.options = options};
    const struct output_request *request = find_streaming(options);
    if (!request)
        return;
    outputs->streaming = allocate(1, sizeof *outputs->streaming);
    outputs->streaming->outputs = outputs;
    outputs->streaming->request = request;
}

/* As SIGPIPE would end it: at once, whatever the other threads are waiting for. */
static void give_up(struct outputs *outputs)
{
    struct destination *to = outputs->streaming;
    if (outputs->options->output_count > 1 || outputs->options->write)
        return;
    progress_hide(outputs->progress);
    exit(trouble(file_label(to->request->path), &to->error));
}

void outputs_tensor(struct outputs *outputs, const struct report *report,
                    const struct report_tensor *tensor)
{
    struct destination *to = outputs->streaming;
    if (!to->open)
        open_destination(to);
    to->tensors++;
    if (!to->sink.failed)
        to->request->renderer->tensor(report, tensor, &to->sink.text);
    if (!sink_goes_on(&to->sink))
        give_up(outputs);
}

void outputs_flush(struct outputs *outputs)
{
    if (!sink_flush(&outputs->streaming->sink))
        give_up(outputs);
}

void outputs_catch_up(struct outputs *outputs, const struct report *report)
{
    while (outputs->streaming->tensors < report->tensor_count)
        outputs_tensor(outputs, report, &report->tensors[outputs->streaming->tensors]);
    outputs_flush(outputs);
}

static bool write_output(struct destination *to, const struct content *content)
{
    const struct renderer *renderer = to->request->renderer;
    struct style style = output_style(to->request->path, to->outputs->options);
    if (!to->open)
        open_destination(to);
    if (content->report)
        output_rest(renderer, content->report, to->tensors, &style, &to->sink);
    else
        renderer->list(content->listing, &style, &to->sink);
    return close_destination(to);
}

static bool is_empty(const struct content *content)
{
    return content->report ? !content->report->tensor_count
                           : !content->listing->tensor_count && !content->listing->skipped_count;
}

int outputs_close(struct outputs *outputs, const struct content *content)
{
    const struct options *options = outputs->options;
    int status = STATUS_OK;
    for (size_t i = 0; i < options->output_count; i++) {
        struct destination own = {.outputs = outputs, .request = &options->outputs[i]}, *to = &own;
        if (outputs->streaming && outputs->streaming->request == to->request)
            to = outputs->streaming;
        if (is_empty(content) && file_is_standard_output(to->request->path))
            continue;
        if (!write_output(to, content))
            status = trouble(file_label(to->request->path), &to->error);
    }
    free(outputs->streaming);
    outputs->streaming = NULL;
    return status;
}

/* Where a path leads: a regular file, or the folder and the name of one that is not there yet. */
struct place {
    bool known; /* else it leads to a pipe or a device: two that go there are the user's affair */
    dev_t device;
    ino_t node;
    const char *name; /* "" for a file that is there */
};

static struct place place_of_file(const struct stat *status, const char *name)
{
    return (struct place){true, status->st_dev, status->st_ino, name};
}

static struct place place_of(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0)
        return S_ISREG(status.st_mode) ? place_of_file(&status, "") : (struct place){0};
    const char *slash = strrchr(path, '/');
    char *folder = slash ? copy_bytes(path, (size_t)(slash - path + 1)) : copy_string(".");
    bool there = stat(folder, &status) == 0;
    free(folder);
    return there ? place_of_file(&status, slash ? slash + 1 : path) : (struct place){0};
}

static struct place place_of_input(const char *path)
{
    struct stat status;
    bool there =
        strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &status) == 0 : stat(path, &status) == 0;
    return there ? place_of_file(&status, "") : (struct place){0};
}

static int compare_places(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    int order = (one->device > other->device) - (one->device < other->device);
    if (order == 0)
        order = (one->node > other->node) - (one->node < other->node);
    if (order == 0)
        order = one->known - other->known;
    return order || !one->known ? order : strcmp(one->name, other->name);
}

static bool is_among(const struct place *place, const struct place *others, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (compare_places(place, &others[i]) == 0)
            return true;
    return false;
}

/* `count` paths, of which the last `report_count` may be any: the others differ, and may be as many
 * as the inputs. */
static int check_places(const struct inputs *inputs, const char *const *paths, size_t count,
                        size_t report_count)
{
    struct place *read = allocate(inputs->file_count, sizeof *read);
    struct place *written = allocate(count, sizeof *written);
    int status = STATUS_OK;
    for (size_t i = 0; i < inputs->file_count; i++)
        read[i] = place_of_input(inputs->files[i]);
    if (inputs->file_count)
        qsort(read, inputs->file_count, sizeof *read, compare_places);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct error error;
        written[i] = place_of(paths[i]);
        if (!written[i].known)
            continue;
        if (bsearch(&written[i], read, inputs->file_count, sizeof *read, compare_places)) {
            fail(&error, "is an input: it would be overwritten");
            status = trouble(paths[i], &error);
        } else if (i + report_count >= count && is_among(&written[i], written, i)) {
            fail(&error, "is named for two outputs");
            status = trouble(paths[i], &error);
        }
    }
    free(read);
    free(written);
    return status;
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
