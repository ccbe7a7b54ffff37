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

/* Elements at hand, and how often each is wanted. Seats are counted with the copies that are
 * neighbours in C order fastest, then the elements, then the other copies, so that those which are
 * taken together mostly are neighbours. */
struct spread {
    const struct tensor *tensor;
    uint64_t first; /* position of the first element in storage order */
    size_t n;
    uint64_t near, far; /* copies of an element side by side, and how many times that */
    unsigned far_axes;  /* these, from the first on, hold the latter */
};

static bool repeats(const struct tensor *tensor, unsigned axis)
{
    return tensor->strides && tensor->strides[axis] == 0;
}

static struct spread spread_of(const struct tensor *tensor, uint64_t first, size_t n)
{
    struct spread spread = {.tensor = tensor, .first = first, .n = n, .near = 1, .far = 1};
    unsigned axis = tensor->rank;
    while (axis > 0 && (tensor->shape[axis - 1] == 1 || repeats(tensor, axis - 1)))
        spread.near *= tensor->shape[--axis];
    spread.far_axes = axis;
    while (axis-- > 0)
        if (repeats(tensor, axis))
            spread.far *= tensor->shape[axis];
    return spread;
}

static uint64_t seat_count(const struct spread *spread)
{
    return spread->near * spread->n * spread->far;
}

/* Of the first copy of element i. */
static uint64_t c_position(const struct spread *spread, size_t i)
{
    const struct tensor *tensor = spread->tensor;
    uint64_t index[RANK_LIMIT], at = 0;
    tensor_index(tensor, spread->first + i, index);
    for (unsigned axis = 0; axis < tensor->rank; axis++)
        at = at * tensor->shape[axis] + index[axis];
    return at;
}

/* From the first copy of an element to a far one of it, in C order. */
static uint64_t far_distance(const struct spread *spread, uint64_t copy)
{
    const struct tensor *tensor = spread->tensor;
    uint64_t distance = 0, step = spread->near;
    for (unsigned axis = spread->far_axes; axis-- > 0;) {
        uint64_t length = tensor->shape[axis];
        if (repeats(tensor, axis)) {
            distance += copy % length * step;
            copy /= length;
        }
        step *= length;
    }
    return distance;
}

static int compare_seats(const void *a, const void *b)
{
    const struct seat *left = a, *right = b;
    return (left->position > right->position) - (left->position < right->position);
}

/* Seats from number `start` on, sorted. */
static void take_seats(const struct spread *spread, uint64_t start, struct seat *seats,
                       size_t count)
{
    size_t taken = 0;
    bool sorted = true;
    while (taken < count) {
        uint64_t seat = start + taken, near = seat % spread->near;
        size_t i = (size_t)(seat / spread->near % spread->n);
        uint64_t at = c_position(spread, i) + far_distance(spread, seat / spread->near / spread->n);
        sorted = sorted && (taken == 0 || seats[taken - 1].position < at);
        for (; near < spread->near && taken < count; near++)
            seats[taken++] = (struct seat){at + near, i};
    }
    if (!sorted)
        qsort(seats, count, sizeof *seats, compare_seats);
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
    struct spread spread = spread_of(tensor, first, n);
    uint64_t all = seat_count(&spread);
    size_t most = all < MOST ? (size_t)all : MOST;
    struct seat *seats = allocate(most, sizeof *seats);
    char *room = allocate(most, bytes);
    bool ok = true;
    for (uint64_t done = 0; ok && done < all; done += most) {
        size_t count = all - done < most ? (size_t)(all - done) : most;
        take_seats(&spread, done, seats, count);
        ok = write_runs(file, offset, seats, count, elements, bytes, room, error);
    }
    free(seats);
    free(room);
    return ok;
}
