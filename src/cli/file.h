/* Files that appear whole or not at all. */
#ifndef PRECHECK_CLI_FILE_H
#define PRECHECK_CLI_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

/* Regular files are written beside their place and renamed at the end; pipes and devices, and
 * standard output ("-"), are written directly. */
struct file {
    const char *path; /* not owned */
    int descriptor;
    bool seekable;   /* file_write_at may be used, from any thread */
    char *temporary; /* owned; NULL where written directly */
    char *target;    /* owned: where the temporary goes, a link followed */
};

/* "-", or the name that standard output has among the files. */
bool file_is_standard_output(const char *path);

bool file_create(const char *path, struct file *file, struct error *error);
bool file_write(struct file *file, const void *bytes, size_t count, struct error *error);
bool file_write_at(struct file *file, uint64_t offset, const void *bytes, size_t count,
                   struct error *error);
/* Closes, and puts the file in its place; or undoes it all. */
bool file_commit(struct file *file, struct error *error);
void file_abandon(struct file *file);

/* Whether the path is there already and is this file. */
bool file_is(const char *path, const struct stat *other);

/* Signals that end the program remove the temporary files first. */
void file_handle_signals(void);

#endif
