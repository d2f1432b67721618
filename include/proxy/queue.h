/* queue: datagrams that a limit has wait for their time, in its order. One thread's; no lock. */
#ifndef PROXY_QUEUE_H
#define PROXY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct queued_datagram {
	struct queued_datagram *next;
	int64_t due; /* clock_ms() */
	struct addr peer; /* at the targets' side: where it goes to, or came from */
	size_t len;
	uint8_t data[];
};

/* All zeros: nothing waits. */
struct queue {
	struct queued_datagram *first, *last;
	size_t bytes; /* of all of them */
};

/* Puts a copy behind all that wait. False without memory. */
bool queue_put(
	struct queue *w, const struct addr *peer, const uint8_t *data, size_t len, int64_t due);

/* The first one, if its time has come, to be freed; else NULL. */
struct queued_datagram *queue_take(struct queue *w, int64_t now);

/* When that is; CLOCK_NEVER when nothing waits. */
int64_t queue_due(const struct queue *w);

/* Forgets them all. */
void queue_end(struct queue *w);

#endif
