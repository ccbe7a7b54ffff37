#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

bool fail(struct error *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}

bool fail_silently(struct error *error)
{
    error->text[0] = '\0';
    return false;
}

bool error_is_silent(const struct error *error)
{
    return error->text[0] == '\0';
}
