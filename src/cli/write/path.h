/* What the argument of --write asks for. */
#ifndef PRECHECK_CLI_WRITE_PATH_H
#define PRECHECK_CLI_WRITE_PATH_H

#include <stdbool.h>

#define CHECKPOINT_SUFFIX ".safetensors"

/* Whether it ends in a slash or is a directory that is there. */
bool path_wants_directory(const char *path);
/* A directory, or a name that ends in .safetensors. */
bool path_wants_checkpoint(const char *path);
/* Codes without a header. */
bool path_wants_bare_codes(const char *path);

/* The last component of a path, and how much of it stands before the extension. */
const char *path_base(const char *path);
int path_stem_length(const char *base);

/* Owned by the caller: the file in a directory; and the file that an input is written to. */
char *path_in(const char *directory, const char *name);
char *path_for(const char *write, const char *input);

#endif
