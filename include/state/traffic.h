/* traffic: what one worker's sessions have moved, and how fast. Atomics, written by that worker
 * only and read by anybody; no lock. */
#ifndef STATE_TRAFFIC_H
#define STATE_TRAFFIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct traffic {
	/* Bytes since the worker's first session, so that a sum over all workers never falls. */
	_Atomic(uint64_t) sent; /* to targets */
	_Atomic(uint64_t) received;
	_Atomic(uint64_t) sent_before; /* of these, before the present session */
	_Atomic(uint64_t) received_before;
	_Atomic(int64_t) last_active; /* clock_ms() */
	_Atomic(bool) half_closed; /* one side has finished sending */

	/* Rates are taken over windows of a second or more. */
	_Atomic(int64_t) window_begun; /* clock_ms() */
	_Atomic(uint64_t) window_sent; /* `sent` then */
	_Atomic(uint64_t) window_received;
	_Atomic(uint64_t) sent_rate; /* of the last window, in bytes a second */
	_Atomic(uint64_t) received_rate;
};

struct traffic_figures {
	uint64_t sent, received; /* of the present session */
	uint64_t sent_rate, received_rate; /* in bytes a second, over about the last second */
	int64_t last_active;
	bool half_closed;
};

/* The worker: a session begins; something happened; bytes were moved in one of the directions
 * (&t->sent, &t->received), which is to be followed by traffic_active(). `now` is clock_ms(). */
void traffic_begin(struct traffic *t, int64_t now);
void traffic_active(struct traffic *t, int64_t now);
void traffic_count(_Atomic(uint64_t) *direction, uint64_t bytes);

/* Anybody: the figures at the time `now`. */
struct traffic_figures traffic_read(const struct traffic *t, int64_t now);

#endif
