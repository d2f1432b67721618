/* pool: the worker threads, all made at start, and how they share the listeners. A rwlock guards
 * what is listened on. */
#ifndef PROXY_POOL_H
#define PROXY_POOL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "proxy/listeners.h"
#include "proxy/services.h"

/* Sent to the thread that called pool_stop() when the last worker has gone. */
#define POOL_GONE_SIGNAL SIGUSR2

struct pool;

/* Address space that a worker takes: its stack, and the memory of its session. */
size_t pool_bytes_each(void);

/* Makes `*count` workers that wait for pool_listen_on(). Fewer, and `*count` lowered, when the
 * system does not allow as many threads; some that it would allow are left to others then. NULL
 * with errno when not even one can be had. */
struct pool *pool_new(struct services *services, size_t *count);

/* Gets ready to listen on `l`, which is then either passed to pool_listen_on() or closed. -1 with
 * errno. */
int pool_expect(struct pool *p, const struct listeners *l) __attribute__((warn_unused_result));

/* Begins to accept on `next`, or goes over to it: what was accepted on before is not any more, and
 * may be closed, when this returns. `next` stays the caller's. After pool_expect(). */
void pool_listen_on(struct pool *p, const struct listeners *next);

/* Nobody is accepted any more, so the listeners may be closed; workers go once they have no
 * session. Returns at once. */
void pool_stop(struct pool *p);

/* Have all workers gone, after pool_stop()? */
bool pool_is_gone(struct pool *p);

/* Waits for all workers and frees everything; after pool_stop(). NULL is allowed. */
void pool_free(struct pool *p);

#endif
