/* pool: the worker threads, all made at start, and how they share the listeners. A mutex guards who
 * leads and who is idle. */
#ifndef PROXY_POOL_H
#define PROXY_POOL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "proxy/listeners.h"
#include "proxy/session.h"

/* Sent to the thread that called pool_stop() when the last worker has gone. */
#define POOL_GONE_SIGNAL SIGUSR2

struct pool;

/* Makes `*count` workers that wait for pool_start(). Fewer, and `*count` lowered, when the system
 * does not allow as many threads. NULL with errno when not even one can be had. */
struct pool *pool_new(struct services *services, size_t *count);

/* Begins to accept on `l`, which the pool takes over. */
void pool_start(struct pool *p, struct listeners *l);

/* What is accepted on; valid until the next call of pool_listen_on(), which the same thread has to
 * make. */
const struct listeners *pool_listeners(struct pool *p);

/* Goes over to `next`, which the pool takes over, and closes what `next` has not kept. */
void pool_listen_on(struct pool *p, struct listeners *next);

/* Closes the listeners; workers go once they have no session. Returns at once. */
void pool_stop(struct pool *p);

/* Have all workers gone, after pool_stop()? */
bool pool_is_gone(struct pool *p);

/* Waits for all workers and frees everything; after pool_stop(). NULL is allowed. */
void pool_free(struct pool *p);

#endif
