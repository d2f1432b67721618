/*
 * A set is opened as a whole or not at all, and what the old one has on the same address is taken
 * over as it is, with who waits in its backlog: a change of settings refuses nobody.
 */
#include "proxy/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/socket.h"

static const struct listener *find_wanted(const struct listeners *l, const struct addr *wanted)
{
	for (size_t i = 0; l != NULL && i < l->count; i++) {
		if (addr_equal(&l->items[i].wanted, wanted))
			return &l->items[i];
	}
	return NULL;
}

bool listeners_have(const struct listeners *l, int fd)
{
	for (size_t i = 0; l != NULL && i < l->count; i++) {
		if (l->items[i].fd == fd)
			return true;
	}
	return false;
}

/* The old listeners on this port make room for the moment: 0.0.0.0 and one address of the host
 * cannot be listened on side by side otherwise, and a reload may go over from one to the other. */
static int listen_beside(
	const struct listeners *old, const struct addr *wanted, int backlog, struct addr *bound)
{
	int fd, saved;

	for (size_t i = 0; i < old->count; i++)
		socket_share_port(old->items[i].fd, true);
	fd = socket_listen(wanted, backlog, true, bound);
	saved = errno;
	for (size_t i = 0; i < old->count; i++)
		socket_share_port(old->items[i].fd, false);
	errno = saved;
	return fd;
}

static int open_one(
	struct listeners *l, const struct addr *wanted, int backlog, const struct listeners *old)
{
	const struct listener *same = find_wanted(old, wanted);
	struct listener *item = &l->items[l->count];

	if (find_wanted(l, wanted) != NULL) {
		errno = EADDRINUSE;
		return -1;
	}
	if (same != NULL) {
		*item = *same;
	} else {
		item->wanted = *wanted;
		item->fd = socket_listen(wanted, backlog, false, &item->bound);
		if (item->fd < 0 && errno == EADDRINUSE && old != NULL)
			item->fd = listen_beside(old, wanted, backlog, &item->bound);
		if (item->fd < 0)
			return -1;
	}
	l->count++;
	return 0;
}

struct listeners *listeners_open(const struct listen_list *list, int backlog,
	const struct listeners *old, char error[CONFIG_ERROR_MAX])
{
	struct listeners *l = calloc(1, sizeof(*l));
	char text[ADDR_TEXT_MAX];

	if (l == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return NULL;
	}
	for (size_t i = 0; i < list->count; i++) {
		if (open_one(l, &list->addrs[i], backlog, old) < 0) {
			snprintf(error, CONFIG_ERROR_MAX, "cannot listen on %s: %s",
				addr_format(&list->addrs[i], text), strerror(errno));
			listeners_leave_out(l, old);
			listeners_close(l);
			return NULL;
		}
	}
	return l;
}

size_t listeners_count_new(const struct listen_list *list, const struct listeners *old)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += find_wanted(old, &list->addrs[i]) == NULL;
	return count;
}

void listeners_add_own(const struct listeners *l, struct config *c)
{
	for (size_t i = 0; i < l->count; i++)
		c->own[c->own_count++] = l->items[i].bound;
}

void listeners_log(const struct listeners *l, const struct listeners *known, const char *msg)
{
	char text[ADDR_TEXT_MAX];
	struct log_line line;

	for (size_t i = 0; i < l->count; i++) {
		if (listeners_have(known, l->items[i].fd))
			continue;
		log_begin(&line, LOG_INFO, msg);
		log_text(&line, "address", addr_format(&l->items[i].bound, text));
		log_end(&line);
	}
}

void listeners_leave_out(struct listeners *l, const struct listeners *kept)
{
	for (size_t i = 0; i < l->count; i++) {
		if (listeners_have(kept, l->items[i].fd))
			l->items[i].fd = -1;
	}
}

void listeners_close(struct listeners *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->count; i++)
		socket_close(l->items[i].fd);
	free(l);
}
