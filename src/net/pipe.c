/*
 * A pipe is worth its two descriptors only when it is large: the more a wake-up can move, the fewer
 * there are. The system has limits of its own, which may leave it smaller than was asked; one that
 * stays small is given back at once and its user goes on copying. How much is in it is counted
 * here: asking the kernel would be a system call for every move.
 */
#include "net/pipe.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A pipe of less is not worth its descriptors. What the system grants a user who is over the limit
 * for all his pipes is a page or two. */
#define CAPACITY_LEAST (64 * 1024)

void pipe_pool_init(struct pipe_pool *pool, struct fdbudget *budget)
{
	size_t affordable = budget->spare / 2 / PIPE_DESCRIPTORS;

	pool->budget = budget;
	pool->capacity = PIPE_CAPACITY;
	pool->total = affordable < PIPE_MOST ? affordable : PIPE_MOST;
	atomic_init(&pool->used, 0);
}

/* `others`: how many there are besides. */
static bool take_place(struct pipe_pool *pool, size_t *others)
{
	*others = atomic_fetch_add(&pool->used, 1);
	if (*others < pool->total && fdbudget_borrow(pool->budget, PIPE_DESCRIPTORS))
		return true;
	atomic_fetch_sub(&pool->used, 1);
	return false;
}

static void give(struct pipe_pool *pool)
{
	fdbudget_return(pool->budget, PIPE_DESCRIPTORS);
	atomic_fetch_sub(&pool->used, 1);
}

/* What a pipe is to hold beside so many others: many flows at once have less each, and all of them
 * no more than PIPE_MOST / 2 times what one alone has. */
static size_t share_of(const struct pipe_pool *pool, size_t others)
{
	if (others < PIPE_MOST / 4)
		return pool->capacity;
	return others < PIPE_MOST / 2 ? pool->capacity / 2 : pool->capacity / 4;
}

/* What a new pipe holds, after asking for `wanted`; 0 when that is too little. What is beyond
 * pipe-max-size, or the limit for all of a user's pipes, is refused (EPERM): a half may be granted
 * then. If nothing is, it stays as it was born. */
static size_t capacity_of(int fd, size_t wanted)
{
	int granted = fcntl(fd, F_SETPIPE_SZ, (int)wanted);

	while (granted < 0 && errno == EPERM && wanted / 2 >= CAPACITY_LEAST)
		granted = fcntl(fd, F_SETPIPE_SZ, (int)(wanted /= 2));
	if (granted < 0)
		granted = fcntl(fd, F_GETPIPE_SZ);
	return granted < CAPACITY_LEAST ? 0 : (size_t)granted;
}

bool pipe_open(struct pipe *p, struct pipe_pool *pool)
{
	struct pipe opened = {.pool = pool};
	size_t others;
	int fds[2];

	if (!take_place(pool, &others))
		return false;
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0) {
		give(pool);
		return false;
	}
	opened.read_end = fds[0];
	opened.write_end = fds[1];
	opened.capacity = capacity_of(fds[1], share_of(pool, others));
	if (opened.capacity == 0) {
		pipe_close(&opened);
		return false;
	}
	*p = opened;
	return true;
}

void pipe_close(struct pipe *p)
{
	close(p->read_end);
	close(p->write_end);
	give(p->pool);
	p->pool = NULL;
}

static ssize_t move(int from, int to, size_t len)
{
	ssize_t n;

	do
		n = splice(from, NULL, to, NULL, len, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	while (n < 0 && errno == EINTR);
	return n;
}

ssize_t pipe_fill(struct pipe *p, int fd, size_t len)
{
	ssize_t n = move(fd, p->write_end, len);

	if (n > 0)
		p->held += (size_t)n;
	return n;
}

ssize_t pipe_drain(struct pipe *p, int fd, size_t most)
{
	ssize_t n = move(p->read_end, fd, most < p->held ? most : p->held);

	if (n > 0) {
		assert((size_t)n <= p->held);
		p->held -= (size_t)n;
	}
	return n;
}
