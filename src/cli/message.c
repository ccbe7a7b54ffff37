#include "cli/message.h"

#include <langinfo.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "output/escape.h"

void message(const char *file, const char *text)
{
    bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    struct buffer line = {0};
    buffer_puts(&line, "precheck: ");
    if (file) {
        escape_terminal(&line, strcmp(file, "-") == 0 ? "standard input" : file, utf8);
        buffer_puts(&line, ": ");
    }
    escape_terminal(&line, text, utf8);
    buffer_puts(&line, "\n");
    fflush(stdout);
    fwrite(line.data, 1, line.length, stderr);
    buffer_free(&line);
}

int trouble(const char *file, const struct error *error)
{
    if (!error_is_silent(error))
        message(file, error->text);
    return STATUS_TROUBLE;
}
