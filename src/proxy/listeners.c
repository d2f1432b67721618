/*
 * A set is opened as a whole or not at all, and what the old one has on the same address is taken
 * over as it is, with who waits in its backlog: a change of settings refuses nobody.
 *
 * New ones of a change are bound when it is prepared, which tells whether they can be had, and let
 * nobody in before the configuration that knows of them is in force: else the proxy could be used
 * to reach one, of the monitor say, as some other host's.
 *
 * At boot the network may come later than we do, and then nobody is there to start us again. So
 * what this host does not have yet is listened on all the same at start, and served from the moment
 * that it comes; in a change it is more likely a mistake, and refused. A family of addresses that
 * the kernel lacks does not come: where others are listened on, it is left out.
 */
#include "proxy/listeners.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/identity.h"
#include "base/log.h"
#include "net/occupant.h"
#include "net/socket.h"

#define OCCUPANT_PATIENCE 500 /* ms that who has our port gets to say who it is */

static const struct listener *find_wanted(const struct listeners *l, const struct addr *wanted)
{
	for (size_t i = 0; l != NULL && i < l->count; i++) {
		if (addr_equal(&l->items[i].wanted, wanted))
			return &l->items[i];
	}
	return NULL;
}

/* Is `old` what clients are served at so far? */
static bool is_change(const struct listeners *old)
{
	return old != NULL && !old->are_handed;
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
	fd = socket_listen(wanted, backlog, SOCKET_BESIDE_OTHERS, bound);
	saved = errno;
	for (size_t i = 0; i < old->count; i++)
		socket_share_port(old->items[i].fd, false);
	errno = saved;
	return fd;
}

static int open_new(
	struct listener *item, const struct addr *wanted, int backlog, const struct listeners *old)
{
	*item = (struct listener){.wanted = *wanted, .is_quiet = is_change(old)};
	item->fd = socket_listen(wanted, backlog, item->is_quiet ? SOCKET_QUIET : 0, &item->bound);
	if (item->fd < 0 && errno == EADDRINUSE && is_change(old)) {
		item->is_quiet = false; /* the port is ours already */
		item->fd = listen_beside(old, wanted, backlog, &item->bound);
	}
	if (item->fd < 0 && errno == EADDRNOTAVAIL && !is_change(old)) {
		item->fd = socket_listen(wanted, backlog, SOCKET_FREE_BIND, &item->bound);
		item->is_awaited = true;
	}
	return item->fd < 0 ? -1 : 0;
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
	if (same != NULL)
		*item = *same;
	else if (open_new(item, wanted, backlog, old) < 0)
		return -1;
	l->count++;
	return 0;
}

/* The first of `list` that cannot be listened on, with errno; NULL when all others are that the
 * kernel has the family of. */
static const struct addr *open_each(struct listeners *l, const struct listen_list *list,
	int backlog, const struct listeners *old)
{
	for (size_t i = 0; i < list->count; i++) {
		if (open_one(l, &list->addrs[i], backlog, old) == 0)
			continue;
		if (errno != EAFNOSUPPORT)
			return &list->addrs[i];
		l->lacking[l->lacking_count++] = list->addrs[i];
	}
	return l->count == 0 && list->count > 0 ? &list->addrs[0] : NULL;
}

/* ---- why not ---- */

/* Who has the port is known as far as asking there tells. */
static const char *tell_occupant(const struct addr *a)
{
	static const char *const words[] = {[OCCUPANT_UNKNOWN] = "",
		[OCCUPANT_SOCKS] = ": a SOCKS5 server answers there, perhaps another socks5d",
		[OCCUPANT_MONITOR] = ": the monitor of another socks5d answers there"};

	return words[occupant_ask(a, clock_deadline(OCCUPANT_PATIENCE))];
}

/* By the program's own path, so that the command can be copied. */
static void tell_missing_right(char *out, size_t size)
{
	char path[256];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (identity_became() != NULL) {
		snprintf(out, size,
			": the right to ports below %d was given up at the start, for the user %s: "
			"a restart opens it",
			IPPORT_RESERVED, identity_became());
		return;
	}
	snprintf(out, size,
		": a port below %d needs a right: setcap cap_net_bind_service=+ep %.*s, or in the "
		"unit (systemctl edit socks5d) AmbientCapabilities=CAP_NET_BIND_SERVICE, "
		"CapabilityBoundingSet=CAP_NET_BIND_SERVICE and PrivateUsers=no",
		IPPORT_RESERVED, len > 0 ? (int)len : 7, len > 0 ? path : "socks5d");
}

/* With errno as it was when `a` could not be listened on. */
static void explain_failure(const struct addr *a, char error[CONFIG_ERROR_MAX])
{
	char text[ADDR_TEXT_MAX], more[768] = "";
	int why = errno;

	if (why == EADDRINUSE)
		snprintf(more, sizeof(more), "%s", tell_occupant(a));
	else if (why == EACCES && addr_port(a) < IPPORT_RESERVED)
		tell_missing_right(more, sizeof(more));
	snprintf(error, CONFIG_ERROR_MAX, "cannot listen on %s: %s%s", addr_format(a, text),
		strerror(why), more);
}

struct listeners *listeners_open(const struct listen_list *list, int backlog,
	const struct listeners *old, char error[CONFIG_ERROR_MAX])
{
	struct listeners *l = calloc(1, sizeof(*l));
	const struct addr *failed;

	if (l == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return NULL;
	}
	l->backlog = backlog;
	failed = open_each(l, list, backlog, old);
	if (failed == NULL)
		return l;
	explain_failure(failed, error);
	listeners_leave_out(l, old);
	listeners_close(l);
	return NULL;
}

void listeners_begin(struct listeners *l)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < l->count; i++) {
		struct listener *item = &l->items[i];

		if (item->is_quiet && listen(item->fd, l->backlog) < 0)
			log_message(LOG_ERROR, "cannot listen on %s: %s",
				addr_format(&item->bound, text), strerror(errno));
		item->is_quiet = false;
	}
}

/* ---- unix sockets ---- */

/* The one that has the file at `path`; NULL: it is to be opened (again). */
static const struct listener *find_local(const struct listeners *l, const char *path)
{
	for (size_t i = 0; l != NULL && i < l->count; i++) {
		const struct listener *item = &l->items[i];

		if (strcmp(item->file.path, path) == 0 &&
			(item->is_lent || local_is_there(&item->file)))
			return item;
	}
	return NULL;
}

struct listeners *listeners_open_local(
	const char *path, int backlog, const struct listeners *old, char error[CONFIG_ERROR_MAX])
{
	struct listeners *l = calloc(1, sizeof(*l));
	const struct listener *same = find_local(old, path);
	struct listener *item;

	if (l == NULL) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return NULL;
	}
	if (*path == '\0')
		return l;
	item = &l->items[0];
	if (same != NULL)
		*item = *same;
	else
		item->fd = local_listen(path, backlog, &item->file);
	if (item->fd >= 0) {
		l->count = 1;
		return l;
	}
	snprintf(error, CONFIG_ERROR_MAX, "cannot listen at %s: %s", path, local_explain(errno));
	listeners_close(l);
	return NULL;
}

size_t listeners_count_new_local(const char *path, const struct listeners *old)
{
	return *path != '\0' && find_local(old, path) == NULL;
}

/* ---- all of them ---- */

static bool is_local(const struct listener *item)
{
	return item->file.path[0] != '\0';
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
	static const uint8_t any[4];

	for (size_t i = 0; i < l->count; i++) {
		const struct listener *item = &l->items[i];

		if (!is_local(item))
			c->own[c->own_count++] = item->bound;
		if (item->is_for_both)
			c->own[c->own_count++] = addr_from_ipv4(any, addr_port(&item->bound));
	}
}

void listeners_log(const struct listeners *l, const struct listeners *known, const char *msg)
{
	char text[ADDR_TEXT_MAX];
	struct log_line line;

	for (size_t i = 0; i < l->count; i++) {
		if (listeners_have(known, l->items[i].fd))
			continue;
		log_begin(&line, LOG_INFO, msg);
		if (is_local(&l->items[i]))
			log_text(&line, "path", l->items[i].file.path);
		else
			log_text(&line, "address", addr_format(&l->items[i].bound, text));
		if (l->items[i].is_lent)
			log_text(&line, "from", "systemd");
		log_end(&line);
	}
	for (size_t i = 0; i < l->lacking_count; i++)
		log_message(LOG_WARN,
			"%s is not listened on: this system has no addresses of its kind",
			addr_format(&l->lacking[i], text));
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
	for (size_t i = 0; i < l->count; i++) {
		const struct listener *item = &l->items[i];

		if (item->fd >= 0 && !item->is_lent && item->kept_as[0] == '\0')
			local_remove(&item->file);
		socket_close(item->fd);
	}
	free(l);
}
