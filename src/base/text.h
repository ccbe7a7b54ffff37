/* Questions about strings. */
#ifndef PRECHECK_BASE_TEXT_H
#define PRECHECK_BASE_TEXT_H

#include <stdbool.h>
#include <string.h>

static inline bool ends_in(const char *text, const char *suffix)
{
    size_t length = strlen(text), end = strlen(suffix);
    return length >= end && strcmp(text + length - end, suffix) == 0;
}

#endif
