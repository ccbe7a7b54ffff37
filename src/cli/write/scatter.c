#include "cli/write/scatter.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

/* Sorted together: neighbours in C order are written at once. */
enum { MOST = 65536 };

/* Where an element belongs in C order, and which of those at hand it is. */
struct seat {
    uint64_t position;
    size_t from;
};

static uint64_t c_position(const struct tensor *tensor, uint64_t position)
{
    uint64_t index[RANK_LIMIT], at = 0;
    tensor_index(tensor, position, index);
    for (unsigned axis = 0; axis < tensor->rank; axis++)
        at = at * tensor->shape[axis] + index[axis];
    return at;
}

static int compare_seats(const void *a, const void *b)
{
    const struct seat *left = a, *right = b;
    return (left->position > right->position) - (left->position < right->position);
}

static bool write_runs(struct file *file, uint64_t offset, const struct seat *seats, size_t n,
                       const char *elements, size_t bytes, char *room, struct error *error)
{
    for (size_t i = 0; i < n; i++)
        memcpy(room + i * bytes, elements + seats[i].from * bytes, bytes);
    for (size_t start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n; end++)
            if (seats[end].position != seats[end - 1].position + 1)
                break;
        if (!file_write_at(file, offset + seats[start].position * bytes, room + start * bytes,
                           (end - start) * bytes, error))
            return false;
    }
    return true;
}

bool scatter(struct file *file, uint64_t offset, const struct tensor *tensor, uint64_t first,
             size_t n, const void *elements, size_t bytes, struct error *error)
{
    size_t most = n < MOST ? n : MOST;
    struct seat *seats = allocate(most, sizeof *seats);
    char *room = allocate(most, bytes);
    bool ok = true;
    for (size_t done = 0; ok && done < n; done += most) {
        size_t count = n - done < most ? n - done : most;
        for (size_t i = 0; i < count; i++)
            seats[i] = (struct seat){c_position(tensor, first + done + i), i};
        qsort(seats, count, sizeof *seats, compare_seats);
        ok = write_runs(file, offset, seats, count, (const char *)elements + done * bytes, bytes,
                        room, error);
    }
    free(seats);
    free(room);
    return ok;
}
