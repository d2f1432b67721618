/*
 * One poll(2) loop waits for everything at once: the name servers, the attempts under way, the
 * client, and the next point in time.
 *
 * What goes through upstreams leaves the loop, to them one after the other. A name that is sent on
 * never gets into it, unless all of them are down and the rule lets it go straight: then its
 * addresses are judged like any others, and only that rule says something else than before. Of
 * addresses one that goes through upstreams has its turn when nothing else is under way.
 */
#include "proxy/dial.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "net/socket.h"
#include "proxy/upstream.h"
#include "state/outgoing.h"

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
	case EADDRNOTAVAIL: /* no address of that family here; or: no_port_left() */
	case ENODEV: /* external_interface is gone */
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
	static const enum end_reason by_weight[] = {END_ATYP_UNSUPPORTED, END_NETWORK_UNREACHABLE,
		END_UPSTREAM_FAILED, END_CONNECT_FAILED, END_NO_LOCAL_PORT, END_UPSTREAMS_DOWN,
		END_HOST_UNREACHABLE, END_CLIENT_FINISHED, END_CONNECT_TIMEOUT, END_CONNECT_REFUSED,
		END_UPSTREAM_DENIED, END_TARGET_DENIED};

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

/* Of an attempt that failed at once. EADDRNOTAVAIL says that there is no address of the target's
 * family here; or that there is one, and no port of it left for another connection to this target.
 * Where there is a way for a datagram there is an address; EAGAIN is said when datagrams lack
 * ports, too. */
static bool no_port_left(const struct addr *target, const struct socket_via *via, int error)
{
	struct addr here;

	return error == EADDRNOTAVAIL && (socket_route(target, via, &here) == 0 || errno == EAGAIN);
}

/* Tries one address with a place in the fd budget that was taken already. */
static void start_attempt(struct dial *d, const struct candidate *c)
{
	struct socket_via via = outgoing_via(d->asker->config, c->addr.sa.sa_family);
	int fd;

	d->address = c->addr;
	d->through = NULL; /* that of an address before this one */
	if (!c->verdict.allowed || d->failure != END_TARGET_DENIED)
		d->verdict = c->verdict;
	if (!c->verdict.allowed) {
		fd_lease_give(d->asker->lease);
		note_failure(d, END_TARGET_DENIED, 0);
		return;
	}
	fd = socket_connect_start(&c->addr, &via);
	if (fd < 0) {
		int error = errno;
		bool no_port = no_port_left(&c->addr, &via, error);

		note_failure(d, no_port ? END_NO_LOCAL_PORT : reason_of_errno(error), error);
		fd_lease_give(d->asker->lease);
		return;
	}
	d->attempts[d->attempt_count++] =
		(struct dial_attempt){.fd = fd, .addr = c->addr, .verdict = c->verdict};
	d->next_attempt = clock_deadline(ATTEMPT_DELAY_MS);
}

/* ---- through upstreams ---- */

/* Is it not by the rule that was found to go straight? */
static bool leads_through(const struct dial *d, const struct verdict *v)
{
	return v->allowed && v->is_via &&
		(v->set != d->straight_set || v->step != d->straight_step);
}

/* Tries the way to `dst`, which it ends, with `d->verdict` just given: by now it may be a denial,
 * or that there is no such way any more. The socket; or -1, and `goes_straight` tells whether none
 * of its servers works and the rule lets it go straight. Not inline, for the stack's sake. */
__attribute__((noinline)) static int go_through(struct dial *d, const struct destination *dst,
	struct upstream_way *way, bool *goes_straight)
{
	struct upstream_request r = {.asker = d->asker,
		.command = REQUEST_CONNECT,
		.dst = dst,
		.watch = &d->watch,
		.in = d->in,
		.deadline = d->deadline,
		.wants_http = d->wants_http && dst == d->dst};
	int fd = -1;

	*goes_straight = false;
	d->failure = END_TARGET_DENIED;
	if (!d->verdict.allowed)
		return -1;
	fd = upstream_connect(&r, way);
	upstreams_release(d->upstreams);
	d->upstreams = upstreams_hold(way->set);
	d->through = r.through;
	*goes_straight = fd < 0 && upstream_may_go_straight(&r, way);
	upstream_way_end(way);
	d->error = r.error;
	d->local = r.bound;
	d->takes_http = fd >= 0 && r.wants_http && r.through->url->kind == UPSTREAM_HTTP;
	if (*goes_straight)
		d->through = NULL;
	else if (fd < 0)
		d->failure = r.failure;
	return fd;
}

static void go_straight(struct dial *d)
{
	d->straight_set = d->verdict.set;
	d->straight_step = d->verdict.step;
	d->error = 0;
}

/* There is no use in other addresses. */
static bool is_final(enum end_reason why)
{
	return why == END_CLIENT_LEFT || why == END_CLIENT_FINISHED || why == END_UPSTREAMS_DOWN ||
		why == END_NO_LOCAL_PORT;
}

/* The verdict is asked for again with the way, and may be another by now. */
__attribute__((noinline)) static int detour_to_address(struct dial *d, const struct candidate *c)
{
	struct destination addr = destination_of_addr(&c->addr);
	/* What was named by its address may be told as it was asked for. */
	const struct destination *dst = d->dst->kind == DESTINATION_ADDR ? d->dst : &addr;
	enum end_reason before = d->failure;
	struct upstream_way way;
	bool goes_straight;
	int fd;

	d->address = c->addr;
	d->verdict = target_way(d->asker, d->dst, &c->addr, &way);
	target_end(&d->target, false); /* all of it is known by now */
	fd = go_through(d, dst, &way, &goes_straight);
	if (fd >= 0)
		return fd;
	if (goes_straight) {
		go_straight(d);
		d->failure = before;
		target_put_back(&d->target, c);
		return -1;
	}
	d->is_over = is_final(d->failure);
	if (!d->is_over && weight(d->failure) < weight(before))
		d->failure = before;
	/* An upstream that is asked without any time would be blamed for its silence. */
	d->is_over |= clock_ms() >= d->deadline;
	return -1;
}

/* Takes over the connection of attempt `i` and drops the others. */
static int win(struct dial *d, size_t i)
{
	int fd = d->attempts[i].fd;

	d->address = d->attempts[i].addr;
	d->verdict = d->attempts[i].verdict;
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

/* Upstreams take their time, in which nothing else is looked after. */
static bool may_detour(const struct dial *d)
{
	return d->attempt_count == 0 && !target_pending(&d->target);
}

/* When the next attempt is due; CLOCK_NEVER while there is nothing to try. */
static int64_t next_due(struct dial *d)
{
	int64_t due = target_due(&d->target);

	if (due == CLOCK_NEVER || d->attempt_count == DIAL_MAX_ATTEMPTS ||
		(d->awaits_detour && !may_detour(d)))
		return CLOCK_NEVER;
	return d->attempt_count > 0 ? d->next_attempt : due;
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
	target_end(&d->target, false);
	return fd_lease_take(d->asker->lease);
}

/* The next address is tried; the socket where an upstream led to it, else -1. */
static int try_next_address(struct dial *d)
{
	struct candidate c = target_next(&d->target, true);

	if (d->lookup_ms < 0)
		d->lookup_ms = clock_ms() - d->begun;
	if (!leads_through(d, &c.verdict)) {
		start_attempt(d, &c);
		return -1;
	}
	fd_lease_give(d->asker->lease);
	d->awaits_detour = !may_detour(d);
	if (!d->awaits_detour)
		return detour_to_address(d, &c);
	target_put_back(&d->target, &c);
	return -1;
}

static int start_due_attempts(struct dial *d)
{
	int fd = -1;

	while (fd < 0 && !d->is_over && next_due(d) <= clock_ms() && take_descriptor(d))
		fd = try_next_address(d);
	return fd;
}

/* ---- waiting ---- */

/* Waits for the next event and takes it in. The connected socket; -1, and it may be decided that
 * there will be none. */
static int wait_and_collect(struct dial *d)
{
	struct pollfd fds[1 + DIAL_MAX_ATTEMPTS + RESOLVER_MAX_FDS];
	size_t attempts = d->attempt_count, lookup_fd_count;
	int64_t until = clock_earlier(next_due(d), target_deadline(&d->target));

	fds[0] = watch_entry(&d->watch);
	for (size_t i = 0; i < attempts; i++)
		fds[1 + i] = (struct pollfd){.fd = d->attempts[i].fd, .events = POLLOUT};
	lookup_fd_count = target_fds(&d->target, fds + 1 + attempts);
	socket_wait(fds, 1 + attempts + lookup_fd_count,
		clock_earlier(until, watch_deadline(&d->watch, d->deadline)));
	if (watch_left(&d->watch, &fds[0])) {
		d->failure = END_CLIENT_LEFT;
		d->is_over = true;
		return -1;
	}
	target_process(&d->target, fds + 1 + attempts, lookup_fd_count);
	return collect_attempts(d, fds + 1);
}

/* ---- the whole ---- */

static void begin_dial(struct dial *d)
{
	d->begun = clock_ms();
	d->address.sa.sa_family = AF_UNSPEC;
	d->error = 0;
	d->failure = END_REASONS;
	d->verdict = (struct verdict){.allowed = false};
	d->lookup_ms = d->connect_ms = -1;
	d->attempt_count = 0;
	d->next_attempt = 0;
	d->through = NULL;
	d->takes_http = false;
	d->straight_set = 0;
	d->awaits_detour = d->is_over = false;
}

/* Time is up, for the request or for a client that has finished. */
static void note_timeout(struct dial *d)
{
	if (clock_ms() < d->deadline)
		note_failure(d, END_CLIENT_FINISHED, 0);
	else if (d->attempt_count > 0)
		note_failure(d, END_CONNECT_TIMEOUT, ETIMEDOUT);
}

static bool has_nothing_left(const struct dial *d)
{
	return d->attempt_count == 0 && !target_has_next(&d->target) && !target_pending(&d->target);
}

static int run_dial(struct dial *d)
{
	while (!d->is_over) {
		int fd = start_due_attempts(d);

		if (fd < 0 && (d->is_over || has_nothing_left(d)))
			break;
		if (fd < 0)
			fd = wait_and_collect(d);
		if (fd >= 0)
			return fd;
		if (!d->is_over && clock_ms() >= watch_deadline(&d->watch, d->deadline)) {
			note_timeout(d);
			d->is_over = true;
		}
	}
	/* When no client's leaving and no attempt's failure says why. */
	if (d->failure == END_REASONS)
		d->failure = target_failure(&d->target);
	return -1;
}

/* By its addresses, whose lookup has begun. */
static int dial_addresses(struct dial *d)
{
	int fd = run_dial(d);
	int64_t now;

	while (d->attempt_count > 0)
		drop_attempt(d, 0);
	target_end(&d->target, fd >= 0);
	now = clock_ms();
	if (d->lookup_ms < 0)
		d->lookup_ms = now - d->begun;
	else
		d->connect_ms = now - d->begun - d->lookup_ms;
	return fd;
}

/* The name is sent on; it is looked up here only where it goes straight instead. Not inline either.
 */
__attribute__((noinline)) static int dial_by_name(struct dial *d)
{
	struct upstream_way way;
	bool goes_straight;
	int fd;

	d->verdict = target_way(d->asker, d->dst, NULL, &way);
	fd = go_through(d, d->dst, &way, &goes_straight);
	if (!goes_straight) {
		d->connect_ms = clock_ms() - d->begun;
		return fd;
	}
	go_straight(d);
	d->failure = END_REASONS;
	target_look_up(&d->target, d->asker, d->dst);
	return dial_addresses(d);
}

int dial_until(struct dial *d, int64_t deadline)
{
	begin_dial(d);
	d->deadline = deadline;
	if (target_begin(&d->target, d->asker, d->dst))
		return dial_addresses(d);
	d->verdict = d->target.verdict;
	if (d->verdict.allowed)
		return dial_by_name(d);
	d->failure = END_TARGET_DENIED;
	return -1;
}

int dial_target(struct dial *d)
{
	return dial_until(d, clock_deadline(d->asker->config->settings.connect_timeout));
}

void dial_end(struct dial *d)
{
	upstreams_release(d->upstreams);
	d->upstreams = NULL;
	d->through = NULL;
}
