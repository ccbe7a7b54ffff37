/* A growing byte string, and allocation that ends the program when memory is exhausted. */
#ifndef PRECHECK_BASE_BUFFER_H
#define PRECHECK_BASE_BUFFER_H

#include <stddef.h>
#include <string.h>

/* Zero-initialise; `data` is always NUL-terminated once something was added. The owner frees. */
struct buffer {
    char *data;
    size_t length;
    size_t capacity;
};

/* Room for so many bytes more, and a NUL. */
void buffer_reserve(struct buffer *buffer, size_t more);

/* Reports are made of very many short texts, most of a length that the compiler knows. */
static inline void buffer_add(struct buffer *buffer, const void *bytes, size_t count)
{
    if (buffer->capacity - buffer->length <= count)
        buffer_reserve(buffer, count);
    if (count)
        memcpy(buffer->data + buffer->length, bytes, count);
    buffer->length += count;
    buffer->data[buffer->length] = '\0';
}

static inline void buffer_puts(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, text, strlen(text));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_free(struct buffer *buffer);

/* Zeroed memory for `count` items of `size` bytes; never returns NULL (ends with status 2). */
void *allocate(size_t count, size_t size);
void *reallocate(void *old, size_t count, size_t size);
/* An array that doubles: it is full whenever its length is a power of two (or none). Returns it,
 * with room for one more item. */
void *room_for_one(void *items, size_t count, size_t size);
/* A copy of `count` bytes with a NUL after them, and of a string. */
char *copy_bytes(const void *bytes, size_t count);
char *copy_string(const char *text);

#endif
