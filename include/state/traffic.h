/* traffic: what one worker's sessions have moved, and how fast. Atomics, written by that worker
 * only and read by anybody; no lock. The same bytes are counted for the accounts that the session
 * belongs to, which it shares with others. */
#ifndef STATE_TRAFFIC_H
#define STATE_TRAFFIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum traffic_direction { TRAFFIC_SENT, TRAFFIC_RECEIVED };

/* What all sessions of an account have moved. Many workers count. */
struct tally {
	_Atomic(uint64_t) sent; /* to targets */
	_Atomic(uint64_t) received;
	/* Both together: where the account's alarm rings, and where the last byte passes; 0:
	 * nowhere. Written by whoever knows the account's limits. */
	_Atomic(uint64_t) mark, end;
	_Atomic(bool) end_is_for_anonymous; /* for sessions without a login only */
};

/* Rings when something happens after a time in which nothing did, if it was armed for that. */
struct traffic_alarm {
	_Atomic(bool) is_armed;
	void (*ring)(void *context); /* in the worker's thread: returns at once */
	void *context;
};

#define TRAFFIC_TALLIES 3 /* of a session: its client's, its user's, the client's with a login */

struct traffic {
	/* Bytes since the worker's first session, so that a sum over all workers never falls. */
	_Atomic(uint64_t) sent; /* to targets */
	_Atomic(uint64_t) received;
	_Atomic(uint64_t) sent_before; /* of these, before the present session */
	_Atomic(uint64_t) received_before;
	_Atomic(int64_t) last_active; /* clock_ms() */
	_Atomic(bool) half_closed; /* one side has finished sending; written behind `last_active` */

	/* The worker's own: `sent` and `received` when something happened last. */
	uint64_t noted_sent, noted_received;

	/* Rates are taken over windows of one second, or up to two while something comes at least
	 * once a second. What belongs to one is written together, under this sequence. */
	_Atomic(unsigned) window;
	_Atomic(int64_t) window_begun; /* clock_ms() */
	_Atomic(uint64_t) window_sent; /* `sent` then */
	_Atomic(uint64_t) window_received;
	_Atomic(uint64_t) sent_rate; /* of the last window, in bytes a second */
	_Atomic(uint64_t) received_rate;

	struct tally *tallies[TRAFFIC_TALLIES]; /* the worker's; NULL: none */
	struct traffic_alarm *alarm; /* shared by all workers; NULL: none */
	struct traffic_alarm *mark_alarm; /* likewise: rings when a tally comes to its mark */
};

struct traffic_figures {
	uint64_t sent, received; /* of the present session */
	/* In bytes a second, over about the last second; 0 when nothing came in it. */
	uint64_t sent_rate, received_rate;
	int64_t last_active;
	bool half_closed;
};

/* The worker: a session begins; something happened; bytes were moved, which is to be followed by
 * traffic_active(). `now` is clock_ms(). */
void traffic_begin(struct traffic *t, int64_t now);
void traffic_active(struct traffic *t, int64_t now);
void traffic_count(struct traffic *t, enum traffic_direction direction, uint64_t bytes);

/* The worker: of `wanted` bytes how many may be moved at once, as the ends of its tallies say; 0:
 * none any more. It is less where the end is near, so that many who ask at once do not pass it
 * together.
 */
uint64_t traffic_room(const struct traffic *t, uint64_t wanted);

/* The worker: rings the alarm, if that waits for it. traffic_active() does so, too. */
void traffic_stir(const struct traffic *t);

/* The worker: one side has finished sending, or none has. To follow traffic_active(): whoever reads
 * this reads a time that is as late. And in one order, for all threads, with the idle times (struct
 * idle_limits): the worker looks at those after it has said so, and whoever lowers them looks at
 * this afterwards, so that one of the two sees the other's. */
void traffic_half_close(struct traffic *t, bool half_closed);

/* The worker: what the session moves from now on is counted in `tally` too, which lives as long as
 * the session. At most TRAFFIC_TALLIES a session; NULL is allowed, and none. */
void traffic_share(struct traffic *t, struct tally *tally);

/* Anybody: the figures at the time `now`. */
struct traffic_figures traffic_read(const struct traffic *t, int64_t now);

#endif
