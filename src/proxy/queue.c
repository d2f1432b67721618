/*
 * A datagram comes into memory that is received into again at the next turn, so one that waits is
 * copied. How long they wait is bounded by whoever puts them here, and so how many there are.
 */
#include "proxy/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

bool queue_put(
	struct queue *w, const struct addr *peer, const uint8_t *data, size_t len, int64_t due)
{
	struct queued_datagram *d = malloc(sizeof(*d) + len);

	if (d == NULL)
		return false;
	d->next = NULL;
	d->due = due;
	d->peer = *peer;
	d->len = len;
	memcpy(d->data, data, len);
	if (w->last == NULL)
		w->first = d;
	else
		w->last->next = d;
	w->last = d;
	w->bytes += len;
	return true;
}

static struct queued_datagram *take_first(struct queue *w)
{
	struct queued_datagram *d = w->first;

	w->first = d->next;
	if (w->first == NULL)
		w->last = NULL;
	w->bytes -= d->len;
	return d;
}

struct queued_datagram *queue_take(struct queue *w, int64_t now)
{
	return w->first == NULL || w->first->due > now ? NULL : take_first(w);
}

int64_t queue_due(const struct queue *w)
{
	return w->first == NULL ? CLOCK_NEVER : w->first->due;
}

void queue_end(struct queue *w)
{
	while (w->first != NULL)
		free(take_first(w));
}
