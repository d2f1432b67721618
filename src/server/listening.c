/*
 * What is new is opened before anything that is old is closed, so that a change which cannot be is
 * refused with all as it was, and nobody is turned away while it is made. The descriptors for both
 * at once are borrowed from the spare of the budget. A listener whose address stays is taken over,
 * with whoever waits in its backlog.
 */
#include "server/listening.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/socket.h"

#define MONITOR_BACKLOG 64

struct listeners *listening_open(struct site *s, struct config *c, char error[CONFIG_ERROR_MAX])
{
	const struct listeners *current = s->pool == NULL ? NULL : pool_listeners(s->pool);
	const struct listeners *monitor = s->monitor.count == 0 ? NULL : &s->monitor;
	struct listeners *l, *m;

	l = listeners_open(&c->settings.listen, (int)c->settings.backlog, current, error);
	if (l == NULL)
		return NULL;
	m = listeners_open(&c->settings.monitor_listen, MONITOR_BACKLOG, monitor, error);
	if (m == NULL) {
		listeners_leave_out(l, current);
		listeners_close(l);
		return NULL;
	}
	c->own_count = 0;
	listeners_add_own(l, c);
	listeners_add_own(m, c);
	s->monitor_is_new |= monitor == NULL || m->items[0].fd != monitor->items[0].fd;
	s->monitor = *m;
	free(m);
	return l;
}

int listening_expect(struct site *s, const struct listeners *l, char error[CONFIG_ERROR_MAX])
{
	if (pool_expect(s->pool, l) == 0)
		return 0;
	snprintf(error, CONFIG_ERROR_MAX, "cannot wait for clients: %s", strerror(errno));
	return -1;
}

/* Descriptors for the listeners that are opened before the old ones are closed. */
static int borrow_descriptors(struct site *s, const struct settings *new, char *error)
{
	size_t count = listeners_count_new(&new->listen, pool_listeners(s->pool)) +
		listeners_count_new(&new->monitor_listen, &s->monitor);

	s->listening.borrowed = 0;
	if (!fdbudget_borrow(&s->services->budget, count)) {
		snprintf(error, CONFIG_ERROR_MAX,
			"no descriptors to spare for new listeners (limit on open files): try "
			"again later");
		return -1;
	}
	s->listening.borrowed = count;
	return 0;
}

int listening_prepare(struct site *s, struct config *new, char error[CONFIG_ERROR_MAX])
{
	struct listening_change *change = &s->listening;

	*change = (struct listening_change){
		.monitor_before = s->monitor, .monitor_was_new = s->monitor_is_new};
	if (borrow_descriptors(s, &new->settings, error) == 0) {
		change->next = listening_open(s, new, error);
		if (change->next != NULL && listening_expect(s, change->next, error) == 0)
			return 0;
	}
	listening_undo(s);
	return -1;
}

static void close_opened(struct site *s)
{
	const struct listening_change *change = &s->listening;

	if (change->next == NULL)
		return;
	if (s->monitor.items[0].fd != change->monitor_before.items[0].fd)
		socket_close(s->monitor.items[0].fd);
	s->monitor = change->monitor_before;
	s->monitor_is_new = change->monitor_was_new;
	listeners_leave_out(change->next, pool_listeners(s->pool));
	listeners_close(change->next);
}

void listening_undo(struct site *s)
{
	close_opened(s);
	fdbudget_return(&s->services->budget, s->listening.borrowed);
	s->listening = (struct listening_change){.next = NULL};
}

/* Keeps what the present listeners need beyond what was reserved at start. */
static void settle_borrowed(struct site *s, size_t listeners)
{
	size_t held = s->borrowed_listeners + s->listening.borrowed, needed = 0;

	if (listeners > s->reserved_listeners)
		needed = listeners - s->reserved_listeners;
	fdbudget_return(&s->services->budget, held - needed);
	s->borrowed_listeners = needed;
}

void listening_commit(struct site *s, bool logs_all)
{
	struct listeners *next = s->listening.next;
	size_t count = next->count + s->monitor.count;

	if (logs_all)
		listeners_log(next, NULL, "listening");
	pool_listen_on(s->pool, next);
	settle_borrowed(s, count);
	s->listening = (struct listening_change){.next = NULL};
}
