#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/options/completion.h"
#include "cli/file.h"
#include "cli/message.h"
#include "cli/outputs.h"
#include "cli/run/run.h"

static void version(struct buffer *out)
{
    buffer_puts(out, "precheck " PRECHECK_VERSION "\n");
}

static int print_and_exit(const struct options *options)
{
    struct buffer text = {0};
    struct style style = output_style("-", options);
    if (options->action == ACTION_FORMATS)
        formats_list(&style, &text);
    else if (options->action == ACTION_COMPLETION)
        completion_script(options->shell, &text);
    else if (options->action == ACTION_VERSION)
        version(&text);
    else
        options_help(&text);
    struct error error;
    int status = output_write("-", &text, &error) ? STATUS_OK : trouble("standard output", &error);
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
    else if (options.action == ACTION_RUN || options.action == ACTION_LIST)
        status = run(&options);
    else
        status = print_and_exit(&options);
    options_free(&options);
    return status;
}
