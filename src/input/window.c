#include "input/window.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

bool window_open(const struct input *input, uint64_t offset, size_t count, struct window *window)
{
    uint64_t granule = (uint64_t)sysconf(_SC_PAGESIZE), start = offset / granule * granule;
    window->length = count + (size_t)(offset - start);
    window->mapping =
        mmap(NULL, window->length, PROT_READ, MAP_PRIVATE, input->descriptor, (off_t)start);
    if (window->mapping == MAP_FAILED)
        return false;
    window->bytes = (const char *)window->mapping + (offset - start);
    return true;
}

void window_close(struct window *window)
{
    munmap(window->mapping, window->length);
}

/* Where this thread goes on when a window breaks; NULL outside of a guard. */
static _Thread_local sigjmp_buf *way_out;

static void broken_window(int signal_number)
{
    if (way_out)
        siglongjmp(*way_out, 1);
    signal(signal_number, SIG_DFL); /* none of ours */
    raise(signal_number);
}

static void install(void)
{
    struct sigaction action = {.sa_handler = broken_window};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

bool window_guard(void (*body)(void *context), void *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    sigjmp_buf here;
    if (sigsetjmp(here, 1)) {
        way_out = NULL;
        return false;
    }
    way_out = &here;
    body(context);
    way_out = NULL;
    return true;
}
