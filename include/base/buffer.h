/* buffer: a window of bytes in fixed memory that the owner provides. No lock: one thread's.
 *
 *      memory          head            tail            size
 *        |  consumed     |   readable    |   writable    |
 *        0      <=      head     <=     tail     <=     size
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *memory;
	size_t size;
	size_t head;
	size_t tail;
	size_t high_water; /* the furthest that tail was since buffer_release(), in bytes */
};

/* Makes `b` an empty buffer over `size` bytes at `memory`, which stay the caller's. */
void buffer_init(struct buffer *b, void *memory, size_t size);

/* Bytes that can be read at buffer_head(). */
size_t buffer_readable(const struct buffer *b);
const uint8_t *buffer_head(const struct buffer *b);

/* Bytes that can be written at buffer_tail() before buffer_commit(). */
size_t buffer_writable(const struct buffer *b);
uint8_t *buffer_tail(struct buffer *b);

/* Takes `n` <= buffer_readable() bytes off the front; an emptied buffer starts at 0 again. */
void buffer_consume(struct buffer *b, size_t n);

/* The same, and the memory keeps nothing of them. */
void buffer_consume_secret(struct buffer *b, size_t n);

/* Adds the `n` <= buffer_writable() bytes that were written at buffer_tail(). */
void buffer_commit(struct buffer *b, size_t n);

/* Takes the last `n` <= buffer_readable() bytes off the end. */
void buffer_retract(struct buffer *b, size_t n);

/* Makes `n` bytes of no meaning at `at` <= buffer_readable(), counted from buffer_head(). False,
 * and nothing changed, where there is no room. */
bool buffer_insert(struct buffer *b, size_t at, size_t n) __attribute__((warn_unused_result));

/* Takes out the `n` bytes at `at`. */
void buffer_cut(struct buffer *b, size_t at, size_t n);

/* Moves what is readable to the front, so that all free space is writable. */
void buffer_compact(struct buffer *b);

/* Has it ever held so much that buffer_release() has something to give? */
bool buffer_is_swollen(const struct buffer *b);

/* Empties it, and gives the pages that it ever touched back to the system, but for the first, which
 * every use needs. Of memory that is private and no file's, as malloc(3) and mmap(2) give it. */
void buffer_release(struct buffer *b);

#endif
