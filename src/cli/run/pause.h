/* Waiting for a while, unless another thread ends that. */
#ifndef PRECHECK_CLI_RUN_PAUSE_H
#define PRECHECK_CLI_RUN_PAUSE_H

#include <pthread.h>
#include <stdbool.h>

/* A condition that pause_for() can wait for. */
void pause_init(pthread_cond_t *changed);
/* With the lock held: until so many milliseconds have passed, or another thread has set *over and
 * signals. */
void pause_for(pthread_cond_t *changed, pthread_mutex_t *lock, const bool *over, long milliseconds);

#endif
