/*
 * One poll(2) loop waits for everything at once: the name servers, the attempts under way, the
 * client, and the next point in time. The answers of the lookup are the queue of candidates: per
 * family in the server's order, the families taking turns, the preferred one first.
 */
#include "proxy/dial.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "net/socket.h"
#include "state/outgoing.h"

#define RESOLUTION_DELAY_MS 50 /* RFC 8305 section 3: for the preferred family to answer */
#define ATTEMPT_DELAY_MS 250 /* RFC 8305 section 5 */

/* ---- what failed ---- */

static enum end_reason reason_of_errno(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return END_CONNECT_REFUSED;
	case ETIMEDOUT:
		return END_CONNECT_TIMEOUT;
	case EHOSTUNREACH:
	case EHOSTDOWN:
		return END_HOST_UNREACHABLE;
	case ENETUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL: /* no address of that family here */
	case EAFNOSUPPORT:
		return END_NETWORK_UNREACHABLE;
	default:
		return END_CONNECT_FAILED;
	}
}

/* Of several addresses that failed, the one that says most: that one is forbidden, or the one that
 * got furthest. */
static int weight(enum end_reason reason)
{
	static const enum end_reason by_weight[] = {END_NETWORK_UNREACHABLE, END_CONNECT_FAILED,
		END_HOST_UNREACHABLE, END_CONNECT_TIMEOUT, END_CONNECT_REFUSED, END_TARGET_DENIED};

	for (size_t i = 0; i < sizeof(by_weight) / sizeof(by_weight[0]); i++) {
		if (by_weight[i] == reason)
			return (int)i + 1;
	}
	return 0;
}

static void note_failure(struct dial *d, enum end_reason reason, int error)
{
	if (weight(reason) < weight(d->failure))
		return;
	d->failure = reason;
	d->error = error;
}

/* ---- attempts ---- */

static void drop_attempt(struct dial *d, size_t i)
{
	socket_close(d->attempts[i].fd);
	fd_lease_give(d->asker->lease);
	d->attempts[i] = d->attempts[--d->attempt_count];
}

/* Tries one address with a place in the fd budget that was taken already. */
static void start_attempt(struct dial *d, const struct addr *addr)
{
	struct socket_via via = outgoing_via(d->asker->config, addr->sa.sa_family);
	int fd;

	d->address = *addr;
	if (!target_judge(d->asker, d->dst, addr, true).allowed) {
		fd_lease_give(d->asker->lease);
		note_failure(d, END_TARGET_DENIED, 0);
		return;
	}
	fd = socket_connect_start(addr, &via);
	if (fd < 0) {
		note_failure(d, reason_of_errno(errno), errno);
		fd_lease_give(d->asker->lease);
		return;
	}
	d->attempts[d->attempt_count++] = (struct dial_attempt){.fd = fd, .addr = *addr};
	d->next_attempt = clock_deadline(ATTEMPT_DELAY_MS);
}

/* Takes over the connection of attempt `i` and drops the others. */
static int win(struct dial *d, size_t i)
{
	int fd = d->attempts[i].fd;

	d->address = d->attempts[i].addr;
	d->attempts[i] = d->attempts[--d->attempt_count];
	d->error = 0;
	return fd;
}

/* How the attempt ended. A connection whose two ends are one socket (the kernel happened to pick
 * the target's port for our end) is none: nobody listens there. */
static int attempt_result(struct dial *d, const struct dial_attempt *a, short revents)
{
	int error = revents == POLLOUT ? 0 : socket_connect_result(a->fd);

	if (error != 0)
		return error;
	d->local = socket_local_addr(a->fd);
	return addr_equal(&d->local, &a->addr) ? ECONNREFUSED : 0;
}

/* The socket of an attempt that succeeded, or -1. Backwards, because dropping one moves the last
 * one into its place. */
static int collect_attempts(struct dial *d, const struct pollfd *fds)
{
	for (size_t i = d->attempt_count; i-- > 0;) {
		int error;

		if (fds[i].revents == 0)
			continue;
		error = attempt_result(d, &d->attempts[i], fds[i].revents);
		if (error == 0)
			return win(d, i);
		note_failure(d, reason_of_errno(error), error);
		drop_attempt(d, i);
		d->next_attempt = 0;
	}
	return -1;
}

/* ---- candidates ---- */

static bool family_has_more(const struct dial *d, enum lookup_family family)
{
	return outgoing_uses(d->asker->config, family) &&
		d->taken[family] < d->lookup.answers[family].count;
}

static bool has_candidate(const struct dial *d)
{
	return family_has_more(d, LOOKUP_IPV6) || family_has_more(d, LOOKUP_IPV4);
}

static enum lookup_family other(enum lookup_family family)
{
	return family == LOOKUP_IPV6 ? LOOKUP_IPV4 : LOOKUP_IPV6;
}

/* The next address, the families taking turns. There must be one. */
static struct addr take_candidate(struct dial *d)
{
	enum lookup_family family = d->next_family;
	struct addr a;

	if (!family_has_more(d, family))
		family = other(family);
	a = d->lookup.answers[family].addrs[d->taken[family]++];
	addr_set_port(&a, d->dst->port);
	d->next_family = other(family);
	return a;
}

/* When the next attempt is due; CLOCK_NEVER while there is nothing to try. */
static int64_t next_due(struct dial *d)
{
	enum lookup_family first = outgoing_first(d->asker->config);

	if (!has_candidate(d) || d->attempt_count == DIAL_MAX_ATTEMPTS)
		return CLOCK_NEVER;
	if (d->attempt_count > 0)
		return d->next_attempt;
	if (d->lookup.answers[first].state != LOOKUP_PENDING)
		return 0;
	if (d->wait_for_first == 0)
		d->wait_for_first = clock_deadline(RESOLUTION_DELAY_MS);
	return d->wait_for_first;
}

/* Room for one more socket. When there is none and nothing is under way, the lookup's goes. */
static bool take_descriptor(struct dial *d)
{
	if (fd_lease_take(d->asker->lease))
		return true;
	if (d->attempt_count > 0) {
		d->next_attempt = clock_deadline(ATTEMPT_DELAY_MS);
		return false;
	}
	lookup_end(&d->lookup, false);
	return fd_lease_take(d->asker->lease);
}

static void start_due_attempts(struct dial *d)
{
	while (next_due(d) <= clock_ms() && take_descriptor(d)) {
		struct addr a = take_candidate(d);

		if (d->lookup_ms < 0)
			d->lookup_ms = clock_ms() - d->begun;
		start_attempt(d, &a);
	}
}

/* ---- waiting ---- */

/* Waits for the next event and takes it in. The connected socket; -1 with `*over` when it is
 * decided that there will be none. */
static int wait_and_collect(struct dial *d, bool *over)
{
	struct pollfd fds[1 + DIAL_MAX_ATTEMPTS + RESOLVER_MAX_FDS];
	size_t attempts = d->attempt_count, lookup_fd_count;
	int64_t until = clock_earlier(next_due(d), lookup_deadline(&d->lookup));

	fds[0] = watch_entry(&d->watch);
	for (size_t i = 0; i < attempts; i++)
		fds[1 + i] = (struct pollfd){.fd = d->attempts[i].fd, .events = POLLOUT};
	lookup_fd_count = lookup_fds(&d->lookup, fds + 1 + attempts);
	socket_wait(fds, 1 + attempts + lookup_fd_count, clock_earlier(until, d->deadline));
	if (watch_left(&d->watch, &fds[0])) {
		d->failure = END_CLIENT_LEFT;
		*over = true;
		return -1;
	}
	lookup_process(&d->lookup, fds + 1 + attempts, lookup_fd_count);
	return collect_attempts(d, fds + 1);
}

/* ---- the whole ---- */

/* An address literal is the one candidate of a lookup that is over already. */
static void begin(struct dial *d)
{
	d->begun = clock_ms();
	d->deadline = clock_deadline(d->asker->config->settings.connect_timeout);
	d->address.sa.sa_family = AF_UNSPEC;
	d->error = 0;
	d->failure = END_REASONS;
	d->lookup_ms = d->connect_ms = -1;
	d->taken[LOOKUP_IPV6] = d->taken[LOOKUP_IPV4] = 0;
	d->next_family = outgoing_first(d->asker->config);
	d->attempt_count = 0;
	d->watch.finished = false;
	d->wait_for_first = d->next_attempt = 0;
	if (d->dst->kind == DESTINATION_ADDR)
		lookup_literal(&d->lookup, &d->dst->addr);
	else
		lookup_begin(&d->lookup, d->asker->resolver, d->dst->name, d->dst->name_len,
			d->asker->lease);
}

/* Why there is no connection, when no client's leaving and no attempt's failure says it. */
static void blame_lookup(struct dial *d)
{
	const struct lookup_answer *answers = d->lookup.answers;

	if (d->failure != END_REASONS)
		return;
	if (answers[LOOKUP_IPV6].count + answers[LOOKUP_IPV4].count > 0) {
		d->failure = END_NETWORK_UNREACHABLE; /* of the family that is not used */
		return;
	}
	d->failure = answers[LOOKUP_IPV6].state == LOOKUP_NOT_FOUND &&
			answers[LOOKUP_IPV4].state == LOOKUP_NOT_FOUND
		? END_NAME_NOT_FOUND
		: END_NAME_FAILED;
}

static int run(struct dial *d)
{
	bool over = false;

	while (!over) {
		int fd;

		start_due_attempts(d);
		if (d->attempt_count == 0 && !has_candidate(d) && !lookup_pending(&d->lookup))
			break;
		fd = wait_and_collect(d, &over);
		if (fd >= 0)
			return fd;
		if (!over && clock_ms() >= d->deadline) {
			if (d->attempt_count > 0)
				note_failure(d, END_CONNECT_TIMEOUT, ETIMEDOUT);
			over = true;
		}
	}
	blame_lookup(d);
	return -1;
}

int dial_target(struct dial *d)
{
	int fd;
	int64_t now;

	begin(d);
	fd = run(d);
	while (d->attempt_count > 0)
		drop_attempt(d, 0);
	lookup_end(&d->lookup, fd >= 0);
	now = clock_ms();
	if (d->lookup_ms < 0)
		d->lookup_ms = now - d->begun;
	else
		d->connect_ms = now - d->begun - d->lookup_ms;
	return fd;
}
