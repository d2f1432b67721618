/*
 * The listener is never the door's own: who opens and closes it, the main thread, waits until the
 * loop has let go of the old one. A failure to accept, for want of memory say, leaves whoever waits
 * in the backlog and is tried again after a pause.
 */
#include "server/door.h"

#include <errno.h>

#include "base/clock.h"
#include "base/wake.h"
#include "net/socket.h"

void door_init(struct door *d, int wake_fd, const char *complaint)
{
	*d = (struct door){.next = -1, .listener = -1, .wake_fd = wake_fd, .complaint = complaint};
	mutex_init(&d->lock);
	pthread_cond_init(&d->taken, NULL);
}

void door_destroy(struct door *d)
{
	mutex_destroy(&d->lock);
	pthread_cond_destroy(&d->taken);
}

void door_go_over(struct door *d, const struct listeners *next)
{
	mutex_lock(&d->lock);
	d->next = next->count > 0 ? next->items[0].fd : -1;
	d->has_next = true;
	wake_send(d->wake_fd);
	while (d->has_next)
		pthread_cond_wait(&d->taken, &d->lock.mutex);
	mutex_unlock(&d->lock);
}

void door_take_next(struct door *d)
{
	mutex_lock(&d->lock);
	if (d->has_next) {
		d->listener = d->next;
		d->has_next = false;
		pthread_cond_signal(&d->taken);
	}
	mutex_unlock(&d->lock);
}

int64_t door_fill_in(const struct door *d, int64_t now, struct pollfd *out)
{
	bool accepts = now >= d->accept_from;

	*out = (struct pollfd){.fd = accepts ? d->listener : -1, .events = POLLIN};
	return accepts ? CLOCK_NEVER : d->accept_from;
}

int door_accept(struct door *d, struct addr *from)
{
	int fd = -1;

	switch (socket_accept(d->listener, &fd, from)) {
	case SOCKET_ACCEPTED:
		backoff_end(&d->pause);
		return fd;
	case SOCKET_ACCEPT_FAILED:
		log_failure(&d->limit, d->complaint, errno);
		d->accept_from = clock_deadline(backoff_next(&d->pause));
		break;
	case SOCKET_ACCEPT_NOTHING:
		backoff_end(&d->pause);
		break;
	}
	return -1;
}
