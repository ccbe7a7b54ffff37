#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"

/* What a signal handler has to remove: the one state of this program that is not passed around. A
 * slot is set and cleared together with its file, signals held off. */
enum { TEMPORARY_LIMIT = 64 };
static _Atomic(char *) temporaries[TEMPORARY_LIMIT];

static void remove_temporaries(void)
{
    for (int i = 0; i < TEMPORARY_LIMIT; i++) {
        const char *path = atomic_load(&temporaries[i]);
        if (path)
            unlink(path);
    }
}

static void die(int signal_number)
{
    remove_temporaries();
    raise(signal_number); /* its default action, once this handler returns: SA_RESETHAND */
}

void file_handle_signals(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGABRT, SIGXCPU, SIGXFSZ};
    struct sigaction action = {.sa_handler = die, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    atexit(remove_temporaries); /* out of memory */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

static void remember(char *path)
{
    for (int i = 0; i < TEMPORARY_LIMIT; i++) {
        char *free_slot = NULL;
        if (atomic_compare_exchange_strong(&temporaries[i], &free_slot, path))
            return;
    }
}

static void forget(char *path)
{
    for (int i = 0; i < TEMPORARY_LIMIT; i++) {
        char *slot = path;
        if (atomic_compare_exchange_strong(&temporaries[i], &slot, NULL))
            return;
    }
}

bool file_is_standard_output(const char *path)
{
    struct stat standard;
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0 ||
           (fstat(STDOUT_FILENO, &standard) == 0 && S_ISREG(standard.st_mode) &&
            file_is(path, &standard));
}

bool file_is(const char *path, const struct stat *other)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_dev == other->st_dev &&
           status.st_ino == other->st_ino;
}

static void release(struct file *file)
{
    free(file->temporary);
    free(file->target);
    file->temporary = file->target = NULL;
}

static bool create_beside(struct file *file, mode_t mode, struct error *error)
{
    struct buffer name = {0};
    buffer_printf(&name, "%s.XXXXXX", file->target);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* no signal between making the file and noting it */
    file->descriptor = mkostemp(name.data, O_CLOEXEC);
    if (file->descriptor >= 0) {
        file->temporary = name.data;
        remember(file->temporary);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (file->descriptor < 0) {
        int why = errno;
        buffer_free(&name);
        release(file);
        return fail(error, "cannot be written: %s", strerror(why));
    }
    fchmod(file->descriptor, mode);
    file->seekable = true;
    return true;
}

bool file_create(const char *path, struct file *file, struct error *error)
{
    *file = (struct file){.path = path, .descriptor = STDOUT_FILENO};
    if (file_is_standard_output(path))
        return true;
    struct stat status;
    bool exists = stat(path, &status) == 0;
    struct stat link;
    if (!exists && lstat(path, &link) == 0)
        return fail(error, "is a symbolic link to nothing");
    if (exists && S_ISDIR(status.st_mode))
        return fail(error, "is a directory");
    if (exists && !S_ISREG(status.st_mode)) {
        file->descriptor = open(path, O_WRONLY | O_CLOEXEC);
        if (file->descriptor < 0)
            return fail(error, "cannot be written: %s", strerror(errno));
        return true;
    }
    mode_t mask = umask(0);
    umask(mask);
    file->target = exists ? realpath(path, NULL) : copy_string(path);
    if (!file->target)
        return fail(error, "cannot be written: %s", strerror(errno));
    return create_beside(file, exists ? status.st_mode & 0777 : 0666 & ~mask, error);
}

/* A pipe whose reader is gone, where SIGPIPE is ignored, is no news to anyone: no message. */
static bool write_failed(struct error *error)
{
    return errno == EPIPE ? fail(error, "%s", "") : fail(error, "%s", strerror(errno));
}

bool file_write(struct file *file, const void *bytes, size_t count, struct error *error)
{
    for (const char *at = bytes; count;) {
        ssize_t written = write(file->descriptor, at, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return write_failed(error);
        at += written;
        count -= (size_t)written;
    }
    return true;
}

bool file_write_at(struct file *file, uint64_t offset, const void *bytes, size_t count,
                   struct error *error)
{
    for (const char *at = bytes; count;) {
        ssize_t written = pwrite(file->descriptor, at, count, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return write_failed(error);
        at += written;
        offset += (uint64_t)written;
        count -= (size_t)written;
    }
    return true;
}

/* The number of standard output stays taken, so that no file gets it. */
static bool close_descriptor(const struct file *file)
{
    bool closed = close(file->descriptor) == 0;
    if (file->descriptor == STDOUT_FILENO) {
        int why = errno;
        open("/dev/null", O_WRONLY);
        errno = why;
    }
    return closed;
}

/* Gives the temporary file its name, or removes it. */
static bool settle(struct file *file, bool keep)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool kept = keep && rename(file->temporary, file->target) == 0;
    int why = errno;
    if (!kept)
        unlink(file->temporary);
    forget(file->temporary);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = why;
    return kept == keep;
}

bool file_commit(struct file *file, struct error *error)
{
    bool done = close_descriptor(file);
    if (!done)
        write_failed(error);
    if (file->temporary && !settle(file, done))
        done = fail(error, "cannot be written: %s", strerror(errno));
    release(file);
    return done;
}

void file_abandon(struct file *file)
{
    if (file->descriptor != STDOUT_FILENO)
        close(file->descriptor);
    if (file->temporary)
        settle(file, false);
    release(file);
}
