/* watch: the client while something is done for it that takes time: has it left, and how long may
 * that take? A value; no lock.
 */
#ifndef PROXY_WATCH_H
#define PROXY_WATCH_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define WATCH_FINISHED_MS 5000

struct watch {
	int client; /* -1: nobody is watched */
	bool left; /* it has broken off */
	bool finished; /* it has shut down its sending side */
	int64_t until; /* and then nothing is done for it any longer, WATCH_FINISHED_MS later */
};

/* What to poll for. */
struct pollfd watch_entry(const struct watch *w);

/* Has it left, by what poll(2) reported in that entry? One that has shut down its sending side has
 * not: it may wait for its answer. But it may just as well have closed, so it is waited with for a
 * while only. */
bool watch_left(struct watch *w, const struct pollfd *p);

/* The same, asked of the kernel now. */
bool watch_look(struct watch *w);

/* Until when something may be done for it that else has until `deadline`; for one that has left,
 * no longer. */
int64_t watch_deadline(const struct watch *w, int64_t deadline);

/* Is that over because it has left or finished? */
bool watch_is_over(const struct watch *w);

#endif
