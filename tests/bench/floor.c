/*
 * What reading costs and nothing else: ors all bytes of a file.
 *   floor map THREADS FILE     through one mapping
 *   floor pread THREADS FILE   copied in pieces of 256 KiB
 * Each thread has its own processor and takes piece after piece.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAP_PIECE = 2 << 20, READ_PIECE = 256 << 10, MOST_THREADS = 1024 };

typedef uint64_t vector __attribute__((vector_size(32), aligned(8), may_alias));

static int descriptor;
static const char *mapping; /* NULL: pread */
static uint64_t size, piece;
static atomic_uint_fast64_t next_piece;
static atomic_int failed; /* an errno */

#ifdef __x86_64__
__attribute__((target_clones("avx2", "default")))
#endif
static uint64_t
or_bytes(const char *bytes, size_t count)
{
    vector v0 = {0}, v1 = {0}, v2 = {0}, v3 = {0};
    size_t i = 0;
    for (; i + 4 * sizeof(vector) <= count; i += 4 * sizeof(vector)) {
        const vector *v = (const vector *)(bytes + i);
        v0 |= v[0];
        v1 |= v[1];
        v2 |= v[2];
        v3 |= v[3];
    }
    v0 |= v1 | v2 | v3;
    uint64_t all = v0[0] | v0[1] | v0[2] | v0[3];
    for (; i < count; i++)
        all |= (unsigned char)bytes[i];
    return all;
}

static int read_piece(char *buffer, size_t count, uint64_t offset)
{
    for (size_t done = 0; done < count;) {
        ssize_t got = pread(descriptor, buffer + done, count - done, (off_t)(offset + done));
        if (got <= 0)
            return got == 0 ? EIO : errno;
        done += (size_t)got;
    }
    return 0;
}

static void pin(size_t thread)
{
    cpu_set_t allowed, one;
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    size_t cpu = 0;
    for (; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &allowed) && thread-- == 0)
            break;
    if (cpu == CPU_SETSIZE)
        return;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

static void *work(void *argument)
{
    char *buffer = NULL;
    uint64_t all = 0, offset;
    int error = 0;
    pin((size_t)(uintptr_t)argument);
    if (!mapping && posix_memalign((void **)&buffer, 4096, READ_PIECE) != 0)
        error = ENOMEM;
    while (!error && (offset = atomic_fetch_add(&next_piece, 1) * piece) < size) {
        size_t count = size - offset < piece ? (size_t)(size - offset) : (size_t)piece;
        if (!mapping)
            error = read_piece(buffer, count, offset);
        all |= or_bytes(mapping ? mapping + offset : buffer, count);
    }
    if (error)
        failed = error;
    free(buffer);
    return (void *)(uintptr_t)all;
}

int main(int argc, char **argv)
{
    long threads = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    if (threads < 1 || threads > MOST_THREADS) {
        fprintf(stderr, "usage: floor map|pread THREADS FILE\n");
        return 2;
    }
    struct stat status;
    descriptor = open(argv[3], O_RDONLY);
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        fprintf(stderr, "%s: %s\n", argv[3], strerror(errno));
        return 2;
    }
    size = (uint64_t)status.st_size;
    piece = READ_PIECE;
    if (strcmp(argv[1], "map") == 0) {
        mapping = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
        if (mapping == MAP_FAILED) {
            fprintf(stderr, "%s: %s\n", argv[3], strerror(errno));
            return 2;
        }
        piece = MAP_PIECE;
    }

    static pthread_t ids[MOST_THREADS];
    for (long t = 1; t < threads; t++)
        if (pthread_create(&ids[t], NULL, work, (void *)(uintptr_t)t) != 0)
            return 2;
    uint64_t all = (uintptr_t)work(NULL);
    for (long t = 1; t < threads; t++) {
        void *result;
        pthread_join(ids[t], &result);
        all |= (uintptr_t)result;
    }
    if (failed) {
        fprintf(stderr, "%s: %s\n", argv[3], strerror(failed));
        return 2;
    }
    printf("%016llx\n", (unsigned long long)all); /* so that it is computed */
    return 0;
}
