/* Files that appear whole or not at all. */
#ifndef PRECHECK_CLI_FILE_H
#define PRECHECK_CLI_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

/* Something that a signal has to remove. */
struct temporary;

/* Regular files are written beside their place and renamed at the end; pipes and devices, and
 * standard output ("-"), are written directly. */
struct file {
    const char *path;            /* not owned */
    int descriptor;              /* -1 once it is closed */
    bool seekable;               /* file_write_at may be used, from any thread */
    struct temporary *temporary; /* NULL where written directly */
    char *target;                /* owned: where the temporary goes, a link followed */
};

/* "-", or the name that standard output has among the files. */
bool file_is_standard_output(const char *path);
/* Whether it is written to without a temporary file. */
bool file_is_direct(const char *path);
/* The path as messages have it. */
const char *file_label(const char *path);

bool file_create(const char *path, struct file *file, struct error *error);
bool file_write(struct file *file, const void *bytes, size_t count, struct error *error);
bool file_write_at(struct file *file, uint64_t offset, const void *bytes, size_t count,
                   struct error *error);
/* Room for so many bytes; where the file system does not know how, writing will tell. */
bool file_reserve(struct file *file, uint64_t bytes, struct error *error);
/* After the last byte, where the file is to be put in its place later. */
bool file_close(struct file *file, struct error *error);
/* Closes, and puts the file in its place; or undoes it all. */
bool file_commit(struct file *file, struct error *error);
/* The same with several, in this order, and no signal between them. The message names the file; one
 * that cannot be put in its place takes those behind it along. */
bool file_commit_all(struct file *files, size_t count, struct error *error);
void file_abandon(struct file *file);

/* A directory that goes away again unless it is to stay; *made is NULL where it was there. */
bool directory_create(const char *path, struct temporary **made, struct error *error);
void directory_settle(struct temporary *made, bool keep);

/* Whether the path is there already and is this file. */
bool file_is(const char *path, const struct stat *other);

/* Signals that end the program remove the temporary files first, and the line of progress. */
void file_handle_signals(void);

#endif
