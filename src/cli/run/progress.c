#include "cli/run/progress.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/run/pause.h"

struct progress {
    _Atomic uint64_t done;
    _Atomic int64_t expected;
    struct timespec start;
    pthread_t thread;
    pthread_mutex_t lock; /* of standard error, and of the following */
    pthread_cond_t changed;
    bool over;
};

/* How many characters of the line are there: for signal handlers too, so it is not passed around.
 */
static _Atomic size_t shown;

enum { DELAY_MILLISECONDS = 1000, INTERVAL_MILLISECONDS = 250 };

static void put_bytes(char *text, size_t room, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1000;
    snprintf(text, room, unit && bytes < 9.95 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static void put_time(char *text, size_t room, double seconds)
{
    if (seconds < 99.5)
        snprintf(text, room, "%.0f s", seconds);
    else if (seconds < 3600)
        snprintf(text, room, "%.0f min", seconds / 60);
    else
        snprintf(text, room, "%.1f h", seconds / 3600);
}

void progress_line(char *line, unsigned room, uint64_t done, uint64_t expected, double seconds)
{
    char bytes[24], rate[24], left[24];
    double speed = seconds > 0 ? (double)done / seconds : 0;
    put_bytes(bytes, sizeof bytes, (double)done);
    put_bytes(rate, sizeof rate, speed);
    if (done < expected && speed > 0) { /* of a stream nobody knows */
        put_time(left, sizeof left, (double)(expected - done) / speed);
        snprintf(line, room, "%3.0f %%  %s  %s/s  %s left", 100 * ((double)done / (double)expected),
                 bytes, rate, left);
    } else {
        snprintf(line, room, "%s  %s/s", bytes, rate);
    }
}

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

static void write_all(const char *text, size_t length)
{
    while (length) {
        ssize_t written = write(STDERR_FILENO, text, length);
        if (written <= 0)
            return;
        text += written;
        length -= (size_t)written;
    }
}

/* With the lock held. What was longer is written over with blanks. */
static void show(const char *line)
{
    char text[256];
    size_t length = strlen(line);
    size_t before = shown;
    int blanks = before > length ? (int)(before - length) : 0;
    int count = snprintf(text, sizeof text, "\r%s%*s%s", line, blanks, "", length ? "" : "\r");
    shown = length > before ? length : before;
    if (count > 0)
        write_all(text, (size_t)count);
    shown = length;
}

void progress_vanish(void)
{
    size_t count = shown;
    if (!count)
        return;
    write_all("\r", 1);
    for (size_t i = 0; i < count; i++)
        write_all(" ", 1);
    write_all("\r", 1);
}

static void wait_for(struct progress *progress, long milliseconds)
{
    pause_for(&progress->changed, &progress->lock, &progress->over, milliseconds);
}

static void *watch(void *argument)
{
    struct progress *progress = argument;
    pthread_mutex_lock(&progress->lock);
    wait_for(progress, DELAY_MILLISECONDS);
    while (!progress->over) {
        char line[128];
        int64_t expected = progress->expected;
        progress_line(line, sizeof line, progress->done, expected > 0 ? (uint64_t)expected : 0,
                      seconds_since(&progress->start));
        show(line);
        wait_for(progress, INTERVAL_MILLISECONDS);
    }
    pthread_mutex_unlock(&progress->lock);
    return NULL;
}

struct progress *progress_start(void)
{
    struct progress *progress = allocate(1, sizeof *progress);
    pause_init(&progress->changed);
    pthread_mutex_init(&progress->lock, NULL);
    clock_gettime(CLOCK_MONOTONIC, &progress->start);
    sigset_t all, before; /* signals are for the threads that work */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int status = pthread_create(&progress->thread, NULL, watch, progress);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status == 0)
        return progress;
    free(progress);
    return NULL;
}

void progress_stop(struct progress *progress)
{
    if (!progress)
        return;
    pthread_mutex_lock(&progress->lock);
    progress->over = true;
    pthread_cond_signal(&progress->changed);
    pthread_mutex_unlock(&progress->lock);
    pthread_join(progress->thread, NULL);
    if (shown)
        show("");
    pthread_cond_destroy(&progress->changed);
    pthread_mutex_destroy(&progress->lock);
    free(progress);
}

void progress_expect(struct progress *progress, int64_t bytes)
{
    if (progress)
        progress->expected += bytes;
}

void progress_add(void *progress, uint64_t bytes)
{
    struct progress *of = progress;
    if (of)
        of->done += bytes;
}

void progress_hide(struct progress *progress)
{
    if (!progress)
        return;
    pthread_mutex_lock(&progress->lock);
    if (shown)
        show("");
}

void progress_show(struct progress *progress)
{
    if (progress)
        pthread_mutex_unlock(&progress->lock);
}
