#include "cli/run/pause.h"

#include <errno.h>
#include <time.h>

/* The clock of the day may be set. */
void pause_init(pthread_cond_t *changed)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(changed, &attributes);
    pthread_condattr_destroy(&attributes);
}

void pause_for(pthread_cond_t *changed, pthread_mutex_t *lock, const bool *over, long milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += milliseconds % 1000 * 1000000;
    until.tv_sec += milliseconds / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!*over && pthread_cond_timedwait(changed, lock, &until) != ETIMEDOUT)
        ;
}
