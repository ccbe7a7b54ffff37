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
#include "cli/run/progress.h"

/* What a signal handler has to remove: the one state of this program that is not passed around. The
 * list only grows, so that a handler may walk it whatever another thread does to it; what was there
 * and is not any more stays as a note of its path. */
struct temporary {
    struct temporary *older;
    atomic_bool there;
    bool is_directory;
    char path[];
};

static _Atomic(struct temporary *) newest;

/* The newest first: a directory after what is in it. */
static void remove_temporaries(void)
{
    for (struct temporary *at = atomic_load(&newest); at; at = at->older)
        if (atomic_load(&at->there))
            at->is_directory ? rmdir(at->path) : unlink(at->path);
}

static struct temporary *new_temporary(const char *path, const char *suffix)
{
    size_t size = strlen(path) + strlen(suffix) + 1;
    struct temporary *temporary = allocate(1, sizeof *temporary + size);
    snprintf(temporary->path, size, "%s%s", path, suffix);
    return temporary;
}

/* With signals held off since before it was there. */
static void remember(struct temporary *temporary)
{
    atomic_store(&temporary->there, true);
    temporary->older = atomic_load(&newest);
    while (!atomic_compare_exchange_weak(&newest, &temporary->older, temporary))
        ;
}

static void hold_signals(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, before);
}

static void release_signals(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

static void die(int signal_number)
{
    remove_temporaries();
    progress_vanish();
    raise(signal_number); /* its default action, once this handler returns: SA_RESETHAND */
}

void file_handle_signals(void)
{
    static const int signals[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                  SIGPIPE, SIGABRT, SIGXCPU, SIGXFSZ};
    struct sigaction action = {.sa_handler = die, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    atexit(remove_temporaries); /* out of memory */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

bool file_is_standard_output(const char *path)
{
    struct stat standard;
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0 ||
           (fstat(STDOUT_FILENO, &standard) == 0 && S_ISREG(standard.st_mode) &&
            file_is(path, &standard));
}

bool file_is_direct(const char *path)
{
    struct stat status;
    return file_is_standard_output(path) ||
           (stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode));
}

const char *file_label(const char *path)
{
    return file_is_standard_output(path) ? "standard output" : path;
}

bool file_is(const char *path, const struct stat *other)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_dev == other->st_dev &&
           status.st_ino == other->st_ino;
}

static bool create_beside(struct file *file, mode_t mode, struct error *error)
{
    struct temporary *temporary = new_temporary(file->target, ".XXXXXX");
    sigset_t before;
    hold_signals(&before); /* no signal between making the file and noting it */
    file->descriptor = mkostemp(temporary->path, O_CLOEXEC);
    if (file->descriptor >= 0)
        remember(temporary);
    release_signals(&before);
    if (file->descriptor < 0) {
        fail(error, "cannot be written: %s", strerror(errno));
        free(temporary);
        free(file->target);
        return false;
    }
    file->temporary = temporary;
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

static bool write_failed(struct error *error)
{
    return errno == EPIPE ? fail_silently(error) : fail(error, "%s", strerror(errno));
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

bool file_reserve(struct file *file, uint64_t bytes, struct error *error)
{
    if (bytes > INT64_MAX)
        return fail(error, "%s", strerror(EFBIG));
    int result;
    do
        result = bytes ? fallocate(file->descriptor, 0, 0, (off_t)bytes) : 0;
    while (result < 0 && errno == EINTR);
    return result == 0 || (errno != ENOSPC && errno != EFBIG) || write_failed(error);
}

/* The number of standard output stays taken, so that no file gets it. */
static bool close_descriptor(struct file *file)
{
    if (file->descriptor < 0)
        return true;
    bool closed = close(file->descriptor) == 0;
    if (file->descriptor == STDOUT_FILENO) {
        int why = errno;
        open("/dev/null", O_WRONLY);
        errno = why;
    }
    file->descriptor = -1;
    return closed;
}

bool file_close(struct file *file, struct error *error)
{
    return close_descriptor(file) || write_failed(error);
}

/* Gives the temporary file its name, or removes it. */
static bool settle(struct file *file, bool keep)
{
    sigset_t before;
    hold_signals(&before);
    bool kept = keep && rename(file->temporary->path, file->target) == 0;
    int why = errno;
    if (!kept)
        unlink(file->temporary->path);
    atomic_store(&file->temporary->there, false);
    release_signals(&before);
    free(file->target);
    file->target = NULL;
    file->temporary = NULL;
    errno = why;
    return kept == keep;
}

bool file_commit(struct file *file, struct error *error)
{
    bool done = file_close(file, error);
    if (file->temporary && !settle(file, done))
        done = fail(error, "cannot be written: %s", strerror(errno));
    return done;
}

bool file_commit_all(struct file *files, size_t count, struct error *error)
{
    bool done = true;
    sigset_t before;
    hold_signals(&before);
    for (size_t i = 0; i < count; i++) {
        struct error why;
        if (!done)
            file_abandon(&files[i]);
        else if (!file_commit(&files[i], &why))
            done = fail(error, "%s: %s", files[i].path, why.text);
    }
    release_signals(&before);
    return done;
}

void file_abandon(struct file *file)
{
    if (file->descriptor >= 0 && file->descriptor != STDOUT_FILENO)
        close(file->descriptor);
    file->descriptor = -1;
    if (file->temporary)
        settle(file, false);
}

bool directory_create(const char *path, struct temporary **made, struct error *error)
{
    struct stat status;
    *made = NULL;
    if (stat(path, &status) == 0)
        return S_ISDIR(status.st_mode) || fail(error, "is no directory");
    struct temporary *temporary = new_temporary(path, "");
    temporary->is_directory = true;
    sigset_t before;
    hold_signals(&before);
    bool done = mkdir(path, 0777) == 0;
    if (done)
        remember(temporary);
    release_signals(&before);
    if (done) {
        *made = temporary;
        return true;
    }
    fail(error, "cannot be made: %s", strerror(errno));
    free(temporary);
    return false;
}

void directory_settle(struct temporary *made, bool keep)
{
    if (!keep)
        rmdir(made->path);
    atomic_store(&made->there, false);
}
