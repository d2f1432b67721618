/*
 * A FIN says that a client sends no more, and nothing about whether it still reads: who closes and
 * who has only finished asking look the same. So a FIN ends nothing; it bounds how long a worker is
 * kept by somebody who is perhaps not there. A reset leaves no doubt.
 *
 * POLLRDHUP tells of a FIN though bytes are in front of it, and without reading them: they are the
 * target's. What has finished keeps reporting it, so it is asked for once; a reset is reported
 * unasked.
 */
#include "proxy/watch.h"

#include "base/clock.h"
#include "net/socket.h"

struct pollfd watch_entry(const struct watch *w)
{
	return (struct pollfd){.fd = w->client, .events = w->finished ? 0 : POLLRDHUP};
}

bool watch_left(struct watch *w, const struct pollfd *p)
{
	if (p->revents & (POLLERR | POLLHUP | POLLNVAL)) {
		w->left = true;
	} else if ((p->revents & POLLRDHUP) && !w->finished) {
		w->finished = true;
		w->until = clock_deadline(WATCH_FINISHED_MS);
	}
	return w->left;
}

bool watch_look(struct watch *w)
{
	struct pollfd p = watch_entry(w);

	socket_wait(&p, 1, 0);
	return watch_left(w, &p);
}

int64_t watch_deadline(const struct watch *w, int64_t deadline)
{
	if (w->left)
		return 0;
	return w->finished ? clock_earlier(w->until, deadline) : deadline;
}

bool watch_is_over(const struct watch *w)
{
	return clock_ms() >= watch_deadline(w, CLOCK_NEVER);
}
