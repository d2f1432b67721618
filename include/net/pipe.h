/* pipe: buffers of the kernel's, which splice(2) fills from one socket and empties into another
 * without a copy. Their number and their descriptors are bounded by a pool, one atomic, no lock; a
 * pipe belongs to one thread. */
#ifndef NET_PIPE_H
#define NET_PIPE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "net/fdbudget.h"

#define PIPE_DESCRIPTORS 2

struct pipe_pool {
	struct fdbudget *budget;
	size_t capacity; /* bytes wanted of a pipe, while there are few */
	size_t total; /* pipes that may be open at once */
	_Atomic(size_t) used;
};

/* As many pipes as half of the budget's spare descriptors allow, so that other askers find some
 * too, and at most PIPE_MOST. A quarter of these may have PIPE_CAPACITY bytes each, another quarter
 * half of it, the rest a quarter: 32 MiB in all, half of what Linux as it comes lets a user without
 * privileges have. So much is taken only while receivers are slow, and then it is the pages that
 * the sockets had; an empty pipe of 1 MiB takes 10 KiB. */
#define PIPE_CAPACITY (1024 * 1024)
#define PIPE_MOST 64
void pipe_pool_init(struct pipe_pool *pool, struct fdbudget *budget);

struct pipe {
	struct pipe_pool *pool; /* NULL: not open */
	int read_end, write_end;
	size_t capacity; /* bytes; what the system granted */
	size_t held; /* bytes in it */
};

/* Opens one of the pool's, smaller where the system grants less (pipe-max-size for one,
 * pipe-user-pages-soft for all of a user's pipes); false, with nothing changed, when all are in
 * use, when there are no descriptors to spare, or when it grants so little that copying is as good.
 */
bool pipe_open(struct pipe *p, struct pipe_pool *pool) __attribute__((warn_unused_result));

/* Gives it back, with whatever is in it. */
void pipe_close(struct pipe *p);

/* Moves at most `len` bytes from the socket `fd` into the pipe, or out of it to `fd`, without
 * waiting. As read(2) and write(2): the number of bytes, 0 at the end of the stream, -1 with errno;
 * EAGAIN when the socket has, or takes, nothing, and also when the pipe takes no more. splice(2)
 * knows no MSG_NOSIGNAL: a program that drains pipes blocks or ignores SIGPIPE. */
ssize_t pipe_fill(struct pipe *p, int fd, size_t len);
ssize_t pipe_drain(struct pipe *p, int fd, size_t most);

#endif
