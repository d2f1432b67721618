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
