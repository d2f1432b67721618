/* places: how many workers there are and how many of them have a client, and of how many an address
 * may be kept. Atomics, no lock. */
#ifndef PROXY_PLACES_H
#define PROXY_PLACES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct places {
	size_t total;
	_Atomic(size_t) taken;
	_Atomic(bool) are_closed;
};

/* Before the first is taken. */
void places_init(struct places *p, size_t total);

/* A worker gets a client. How many have one then, from 1 to the total; of those that get one at the
 * same time each is told another number. */
size_t places_take(struct places *p);

void places_leave(struct places *p);

/* Is this place, by the number of places_take(), among those that are kept for others when it would
 * be the `running`-th session of its client? These are the last 64th, at least one and at most a
 * quarter of all; they are for clients that have a quarter of all at most. */
bool places_is_kept(const struct places *p, size_t place, size_t running);

/* The server stops: nobody is given a place any more. */
void places_close(struct places *p);
bool places_are_closed(const struct places *p);

/* Has every worker a client? */
bool places_are_taken(const struct places *p);

/* What a balancer that asks is told: "ok", or why it should send nobody: "draining", "saturated".
 * Who asks at the proxy's port `has_place` himself: where there is one worker only he is told
 * nothing of that. */
const char *places_health(const struct places *p, bool has_place);

/* Are no more left than the last 64th, or one? */
bool places_are_scarce(const struct places *p);

#endif
