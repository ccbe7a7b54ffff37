/*
 * Runs a program and tells what it took, as the last line on standard error:
 *   measure PROCESSOR|- PROGRAM [ARGUMENT]...   ->   ELAPSED PROCESSOR_SECONDS PEAK_KIB STATUS
 * A program with a processor runs on that one alone. Both times are those of the whole
 * process, its start and end included. The peak is its resident memory, pages of mapped files among
 * it; it is never less than this program's own, which is why this program is a small one.
 */
#include <errno.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: measure PROCESSOR|- PROGRAM [ARGUMENT]...\n");
        return 2;
    }
    if (strcmp(argv[1], "-") != 0) {
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET((size_t)atoi(argv[1]), &one);
        if (sched_setaffinity(0, sizeof one, &one) != 0) {
            fprintf(stderr, "processor %s: %s\n", argv[1], strerror(errno));
            return 2;
        }
    }
    pid_t child;
    int status;
    struct rusage usage;
    double start = now();
    int error = posix_spawnp(&child, argv[2], NULL, NULL, argv + 2, environ);
    if (error) {
        fprintf(stderr, "%s: %s\n", argv[2], strerror(error));
        return 2;
    }
    if (wait4(child, &status, 0, &usage) != child)
        return 2;
    double elapsed = now() - start;
    fprintf(stderr, "\n%.6f %.6f %ld %d\n", elapsed,
            seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss,
            WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
