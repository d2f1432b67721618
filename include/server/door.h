/* door: a listener at which a poll(2) loop accepts clients, and which the main thread may replace
 * by another one. A mutex guards the listener that it is to go over to; the rest is the loop's. */
#ifndef SERVER_DOOR_H
#define SERVER_DOOR_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/backoff.h"
#include "base/lock.h"
#include "base/log.h"
#include "proxy/listeners.h"

struct door {
	struct mutex lock;
	pthread_cond_t taken;
	bool has_next; /* `next` is to be gone over to */
	int next;
	int wake_fd; /* that the loop is called by (wake.h) */

	/* the loop's */
	int listener; /* not its own; -1: none (yet) */
	const char *complaint; /* what the log says when nobody can be accepted */
	int64_t accept_from; /* not before: it failed just now */
	struct backoff pause;
	struct log_limit limit;
};

/* Nobody comes yet. `complaint` lives as long as the door, and so does `wake_fd`. */
void door_init(struct door *d, int wake_fd, const char *complaint);
void door_destroy(struct door *d);

/* The main thread: has the loop, which must run, accept at the first of `next`, or nowhere. It does
 * so, and nowhere else any more, when this returns. */
void door_go_over(struct door *d, const struct listeners *next);

/* ---- the loop, after it was woken ---- */

/* Goes over to what door_go_over() waits for. */
void door_take_next(struct door *d);

/* Fills in what to poll(2) for at `now` (clock.h); until when. */
int64_t door_fill_in(const struct door *d, int64_t now, struct pollfd *out);

/* Takes one connection in: its descriptor, and where it comes from; -1: there is none. */
int door_accept(struct door *d, struct addr *from);

#endif
