/*
 * POLLRDHUP tells of a FIN though bytes are in front of it, and without reading them: they are the
 * target's. Whether the client has gone or has only finished asking is a guess, by whether it sent
 * anything for the target. What has finished keeps reporting POLLRDHUP, so it is asked for no
 * longer; a reset is reported unasked.
 */
#include "proxy/watch.h"

#include "net/socket.h"

struct pollfd watch_entry(const struct watch *w)
{
	return (struct pollfd){.fd = w->client, .events = w->finished ? 0 : POLLRDHUP};
}

bool watch_left(struct watch *w, const struct pollfd *p)
{
	if (p->revents & (POLLERR | POLLHUP | POLLNVAL))
		return true;
	if (!(p->revents & POLLRDHUP))
		return false;
	w->finished = true;
	return !w->sent_ahead && socket_peer_left(w->client);
}
