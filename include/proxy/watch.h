/* watch: the client while something is done for it that takes time: has it left? A value; no lock.
 */
#ifndef PROXY_WATCH_H
#define PROXY_WATCH_H

#include <poll.h>
#include <stdbool.h>

struct watch {
	int client; /* -1: nobody is watched */
	bool sent_ahead; /* there are bytes from it for the target already */
	bool finished; /* it has shut down its sending side */
};

/* What to poll for. */
struct pollfd watch_entry(const struct watch *w);

/* Has it left, by what poll(2) reported in that entry? A client that shuts down its sending side
 * before it has its answer has, unless it sent bytes ahead: then it has merely finished. */
bool watch_left(struct watch *w, const struct pollfd *p);

#endif
