/* grace: for how long nothing was heard of the other nodes, over restarts, and whatever the clock
 * that people read is set to. One thread's; no lock. */
#ifndef STATE_GRACE_H
#define STATE_GRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "state/standing.h"

struct grace {
	struct standing *standing; /* where it is kept */
	int64_t since_ms; /* clock_ms(): when they were heard last, or else when this began */
	bool was_heard; /* since this began */
	/* What stood then: at the time `seen`, they had not been heard for `apart_ms`. */
	int64_t seen, apart_ms;
	int64_t noted_ms; /* clock_ms(): when that was noted last */
};

/* The two clocks: clock_ms(), and seconds since 1970, which may be set meanwhile. */
struct grace_time {
	int64_t ms, wall;
};

/* Goes on from what stands in `standing`. Where nothing does they count as heard just now. */
void grace_begin(struct grace *g, struct standing *standing, struct grace_time now);

/* They were heard. */
void grace_note_heard(struct grace *g, struct grace_time now);

/* For how many milliseconds they were not. While the server runs that is counted by the clock that
 * nobody sets; how long it did not run can only be asked by the other one, until they are heard:
 * what that says less than nothing counts as nothing. */
int64_t grace_apart(const struct grace *g, struct grace_time now);

/* Notes it where it is kept, unless that was done less than `period_ms` ago; true when it did. */
bool grace_keep(struct grace *g, struct grace_time now, int64_t period_ms);

#endif
