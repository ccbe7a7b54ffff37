#include "cli/write/path.h"

#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/text.h"

bool path_wants_directory(const char *path)
{
    struct stat status;
    return ends_in(path, "/") || (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

bool path_wants_checkpoint(const char *path)
{
    return ends_in(path, CHECKPOINT_SUFFIX) || path_wants_directory(path);
}

bool path_wants_bare_codes(const char *path)
{
    return ends_in(path, ".raw") || ends_in(path, ".bin");
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    return strcmp(base, "-") == 0 ? "stdin" : base;
}

int path_stem_length(const char *base)
{
    const char *dot = strrchr(base, '.');
    return (int)(dot && dot != base ? (size_t)(dot - base) : strlen(base));
}

char *path_in(const char *directory, const char *name)
{
    struct buffer path = {0};
    buffer_printf(&path, "%s%s%s", directory, ends_in(directory, "/") ? "" : "/", name);
    return path.data;
}

char *path_for(const char *write, const char *input)
{
    if (!path_wants_directory(write))
        return copy_string(write);
    const char *base = path_base(input);
    struct buffer name = {0};
    buffer_printf(&name, "%.*s" CHECKPOINT_SUFFIX, path_stem_length(base), base);
    char *path = path_in(write, name.data);
    buffer_free(&name);
    return path;
}
