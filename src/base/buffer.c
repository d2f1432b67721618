/*
 * Only two things move: what was read is consumed at the head, what was written is committed at
 * the tail; an emptied buffer starts at the front again, so that it rarely needs compacting. The
 * high-water mark is what makes giving pages back cheap: memory that was never touched is not
 * asked for.
 */
#include "base/buffer.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_invariant(const struct buffer *b)
{
	assert(b->head <= b->tail);
	assert(b->tail <= b->size);
	(void)b;
}

void buffer_init(struct buffer *b, void *memory, size_t size)
{
	*b = (struct buffer){.memory = memory, .size = size};
}

size_t buffer_readable(const struct buffer *b)
{
	return b->tail - b->head;
}

const uint8_t *buffer_head(const struct buffer *b)
{
	return b->memory + b->head;
}

size_t buffer_writable(const struct buffer *b)
{
	return b->size - b->tail;
}

uint8_t *buffer_tail(struct buffer *b)
{
	return b->memory + b->tail;
}

void buffer_consume(struct buffer *b, size_t n)
{
	assert(n <= buffer_readable(b));
	b->head += n;
	if (b->head == b->tail)
		b->head = b->tail = 0;
	check_invariant(b);
}

void buffer_consume_secret(struct buffer *b, size_t n)
{
	assert(n <= buffer_readable(b));
	explicit_bzero(b->memory + b->head, n);
	buffer_consume(b, n);
}

void buffer_commit(struct buffer *b, size_t n)
{
	assert(n <= buffer_writable(b));
	b->tail += n;
	if (b->tail > b->high_water)
		b->high_water = b->tail;
	check_invariant(b);
}

void buffer_retract(struct buffer *b, size_t n)
{
	assert(n <= buffer_readable(b));
	b->tail -= n;
	if (b->head == b->tail)
		b->head = b->tail = 0;
	check_invariant(b);
}

bool buffer_insert(struct buffer *b, size_t at, size_t n)
{
	assert(at <= buffer_readable(b));
	if (b->head >= n) {
		memmove(b->memory + b->head - n, b->memory + b->head, at);
		b->head -= n;
		return true;
	}
	if (buffer_writable(b) < n)
		buffer_compact(b);
	if (buffer_writable(b) < n)
		return false;
	memmove(b->memory + b->head + at + n, b->memory + b->head + at, buffer_readable(b) - at);
	buffer_commit(b, n);
	return true;
}

/* What is in front of it is mostly less than what is behind. */
void buffer_cut(struct buffer *b, size_t at, size_t n)
{
	assert(at + n <= buffer_readable(b));
	memmove(b->memory + b->head + n, b->memory + b->head, at);
	buffer_consume(b, n);
}

void buffer_compact(struct buffer *b)
{
	size_t n = buffer_readable(b);

	if (b->head > 0)
		memmove(b->memory, b->memory + b->head, n);
	b->head = 0;
	b->tail = n;
	check_invariant(b);
}

static uintptr_t page_size(void)
{
	return (uintptr_t)sysconf(_SC_PAGESIZE);
}

bool buffer_is_swollen(const struct buffer *b)
{
	return b->high_water > page_size();
}

void buffer_release(struct buffer *b)
{
	/* Whole pages only, whatever their size here: what shares one with the buffer is not ours.
	 */
	uintptr_t page = page_size();
	uintptr_t first = ((uintptr_t)b->memory + 2 * page - 1) & ~(page - 1);
	uintptr_t end = ((uintptr_t)b->memory + b->size) & ~(page - 1);

	if (buffer_is_swollen(b) && first < end)
		(void)madvise((void *)first, end - first, MADV_DONTNEED);
	b->head = b->tail = b->high_water = 0;
}
