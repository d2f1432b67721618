/*
 * DST.ADDR of BIND is the host from which the connection is to come (RFC 1928 section 4); its port
 * says nothing, since the peer's will be another. A host that has several addresses may come from
 * each of them.
 *
 * Where an upstream listens instead, the connection to it is what the peer's bytes come by.
 */
#include "proxy/bind.h"

#include <errno.h>

#include "base/clock.h"
#include "base/log.h"
#include "net/socket.h"
#include "state/outgoing.h"

#define BACKLOG 8

static struct log_limit accept_limit;

static int fail_bind(struct bind *b, enum end_reason why, int error)
{
	b->failure = why;
	b->error = error;
	return -1;
}

/* ---- whose connection is taken ---- */

static bool is_from_anywhere(const struct bind *b)
{
	return b->dst->kind == DESTINATION_ADDR && addr_is_unspecified(&b->dst->addr);
}

/* Waits for the whole answer: the peer may come from any of the addresses. */
static int await_addresses(struct bind *b)
{
	struct pollfd fds[1 + RESOLVER_MAX_FDS];

	while (target_pending(&b->target) && clock_ms() < watch_deadline(&b->watch, b->deadline)) {
		size_t count = target_fds(&b->target, fds + 1);
		int64_t until = clock_earlier(b->deadline, target_deadline(&b->target));

		fds[0] = watch_entry(&b->watch);
		socket_wait(fds, 1 + count, watch_deadline(&b->watch, until));
		if (watch_left(&b->watch, &fds[0]))
			return fail_bind(b, END_CLIENT_LEFT, 0);
		target_process(&b->target, fds + 1, count);
	}
	if (is_from_anywhere(b) || target_has_next(&b->target))
		return 0;
	return fail_bind(
		b, watch_is_over(&b->watch) ? END_CLIENT_FINISHED : target_failure(&b->target), 0);
}

static int find_peer(struct bind *b)
{
	bool has_begun = target_begin(&b->target, b->asker, b->dst);
	int result;

	b->verdict = b->target.verdict;
	if (!b->verdict.allowed)
		return fail_bind(b, END_TARGET_DENIED, 0);
	if (!has_begun)
		return 0; /* the name is an upstream's to look up */
	result = await_addresses(b);
	target_end(&b->target, result == 0);
	return result;
}

static bool is_expected(const struct bind *b, const struct addr *peer)
{
	return is_from_anywhere(b) || b->asker->config->settings.bind_any_peer ||
		target_includes(&b->target, peer);
}

/* ---- listening ---- */

/* Listens on bind_address, or on `here` where that is not set, or not an address of this host. */
static int listen_on(struct bind *b, const struct addr *here)
{
	const struct settings *s = &b->asker->config->settings;
	const struct addr *wanted = outgoing_pick(&s->bind_address, here->sa.sa_family);
	bool is_set = wanted->sa.sa_family != AF_UNSPEC;

	b->listener = socket_listen_in(is_set ? wanted : here, &s->bind_ports, BACKLOG, &b->bound);
	if (b->listener >= 0 || !is_set || errno != EADDRNOTAVAIL)
		return b->listener;
	b->listener = socket_listen_in(here, &s->bind_ports, BACKLOG, &b->bound);
	if (b->listener >= 0) {
		uint16_t port = addr_port(&b->bound);

		b->bound = *wanted;
		addr_set_port(&b->bound, port);
	}
	return b->listener;
}

/* Where the peer may be anybody: external_address, or where the client has reached us. */
static int listen_for_anybody(struct bind *b)
{
	const struct addr *external = outgoing_pick(
		&b->asker->config->settings.external_address, b->dst->addr.sa.sa_family);
	struct addr here = socket_local_addr(b->watch.client);

	if (external->sa.sa_family != AF_UNSPEC)
		here = *external;
	return listen_on(b, &here) < 0 ? fail_bind(b, END_NO_SOCKET, errno) : 0;
}

/* ---- through upstreams ---- */

/* One descriptor to listen with, and one for the connection that is accepted. */
static bool take_listening_places(struct bind *b)
{
	while (b->places < 2 && fd_lease_take(b->asker->lease))
		b->places++;
	return b->places == 2;
}

static void give_places(struct bind *b)
{
	for (; b->places > 0; b->places--)
		fd_lease_give(b->asker->lease);
}

/* Is it not by the rule that was found to go straight? */
static bool leads_elsewhere(const struct bind *b, const struct verdict *v)
{
	return v->is_via && (v->set != b->straight_set || v->step != b->straight_step);
}

/* Has an upstream listen for `dst`. 0; -1 with the reason; or 1 when none works and the rule says
 * that it may go straight. None is asked when time is up: it would be blamed for its silence. */
static int listen_through(struct bind *b, const struct destination *dst, const struct addr *addr)
{
	if (clock_ms() >= b->deadline)
		return fail_bind(b, END_CONNECT_TIMEOUT, 0);
	upstream_way_end(&b->way);
	b->verdict = target_way(b->asker, b->dst, addr, &b->way);
	if (!b->verdict.allowed)
		return fail_bind(b, END_TARGET_DENIED, 0);
	give_places(b);
	b->via = (struct upstream_request){.asker = b->asker,
		.command = REQUEST_BIND,
		.dst = dst,
		.watch = &b->watch,
		.in = b->in,
		.deadline = b->deadline};
	b->control = upstream_connect(&b->via, &b->way);
	if (b->control >= 0) {
		b->places = 1; /* that came with it */
		b->bound = upstream_bound(&b->via);
		return 0;
	}
	if (!upstream_may_go_straight(&b->via, &b->way))
		return fail_bind(b, b->via.failure, b->via.error);
	b->straight_set = b->verdict.set;
	b->straight_step = b->verdict.step;
	upstream_way_end(&b->way);
	b->via.through = NULL;
	return take_listening_places(b) ? 1 : fail_bind(b, END_NO_SOCKET, EMFILE);
}

/* Listens on the address from which this one is reached. */
static int listen_towards(struct bind *b, const struct candidate *peer)
{
	struct socket_via via = outgoing_via(b->asker->config, peer->addr.sa.sa_family);
	struct addr here;

	b->verdict = peer->verdict;
	if (!peer->verdict.allowed)
		return fail_bind(b, END_TARGET_DENIED, 0);
	if (leads_elsewhere(b, &peer->verdict)) {
		struct destination dst = destination_of_addr(&peer->addr);
		int result = listen_through(b, &dst, &peer->addr);

		if (result <= 0)
			return result;
	}
	b->via.through = NULL; /* that of an address before this one */
	/* EAGAIN: there is a way, and no port left to ask for it from. */
	if (socket_route(&peer->addr, &via, &here) < 0)
		return fail_bind(
			b, errno == EAGAIN ? END_NO_SOCKET : END_NETWORK_UNREACHABLE, errno);
	return listen_on(b, &here) < 0 ? fail_bind(b, END_NO_SOCKET, errno) : 0;
}

/* Tries the addresses of the peer in their order until one can be listened for. */
static int listen_for_peer(struct bind *b)
{
	int result = -1;

	while (result < 0 && take_listening_places(b) && target_has_next(&b->target)) {
		struct candidate peer = target_next(&b->target, true);

		result = listen_towards(b, &peer);
	}
	return result;
}

/* The place of the connection, which is there or not, is not the listener's. */
static void close_listener(struct bind *b)
{
	if (b->listener < 0)
		return;
	socket_close(b->listener);
	b->listener = -1;
	fd_lease_give(b->asker->lease);
	b->places--;
}

/* The name is sent on, or looked up after all where it goes straight instead. */
static int listen_by_name(struct bind *b)
{
	int result = listen_through(b, b->dst, NULL);

	if (result <= 0)
		return result;
	target_look_up(&b->target, b->asker, b->dst);
	result = await_addresses(b);
	target_end(&b->target, result == 0);
	return result == 0 ? listen_for_peer(b) : result;
}

static int listen_from_anywhere(struct bind *b)
{
	int result = b->verdict.is_via ? listen_through(b, b->dst, NULL) : 1;

	return result <= 0 ? result : listen_for_anybody(b);
}

static int listen_for_target(struct bind *b)
{
	if (b->verdict.is_by_name)
		return listen_by_name(b);
	return is_from_anywhere(b) ? listen_from_anywhere(b) : listen_for_peer(b);
}

int bind_listen(struct bind *b)
{
	int result;

	b->deadline = clock_deadline(b->asker->config->settings.connect_timeout);
	b->listener = b->control = -1;
	b->places = b->straight_set = 0;
	b->way.set = NULL;
	b->via.through = NULL;
	if (take_listening_places(b)) {
		result = find_peer(b);
		if (result == 0)
			result = listen_for_target(b);
	} else {
		result = fail_bind(b, END_NO_SOCKET, EMFILE);
	}
	if (result == 0)
		b->error = 0;
	else
		bind_abandon(b);
	return result;
}

void bind_abandon(struct bind *b)
{
	socket_close(b->control);
	b->control = -1;
	close_listener(b);
	give_places(b);
}

/* ---- waiting ---- */

/* Leaves the listener alone for a while: whoever waits to be accepted would ring at once. */
static void pause_accepting_peers(struct bind *b)
{
	log_failure(&accept_limit, "BIND cannot accept connections", errno);
	b->accept_from = clock_deadline(backoff_next(&b->pause));
}

/* May it be? What it was expected by is the name that was asked for; who comes from elsewhere,
 * where anybody may, comes by his address alone. */
static bool is_allowed(struct bind *b, const struct addr *peer)
{
	struct destination by_addr = destination_of_addr(peer);
	bool is_by_name = is_from_anywhere(b) || target_includes(&b->target, peer);
	struct verdict verdict =
		target_judge(b->asker, is_by_name ? b->dst : &by_addr, peer, false);

	if (verdict.allowed)
		b->verdict = verdict;
	return verdict.allowed;
}

/* The connection that waits, if it is the peer's; -1 when none does, or when it cannot be had for
 * the moment. */
static int accept_peer(struct bind *b)
{
	enum socket_accept_outcome outcome;
	int fd;

	while ((outcome = socket_accept(b->listener, &fd, &b->peer)) == SOCKET_ACCEPTED) {
		if (is_expected(b, &b->peer) && is_allowed(b, &b->peer))
			return fd;
		stats_add(&b->stats->peers_refused, 1);
		socket_close_with_reset(fd);
	}
	if (outcome == SOCKET_ACCEPT_FAILED)
		pause_accepting_peers(b);
	else
		backoff_end(&b->pause);
	return -1;
}

/* Until the client does something or somebody comes to the listener, or that is left alone no
 * longer. */
static void wait_for_either(struct bind *b, struct pollfd fds[2], int64_t deadline)
{
	bool accepts = clock_ms() >= b->accept_from;

	fds[0] = watch_entry(&b->watch);
	fds[1] = (struct pollfd){.fd = accepts ? b->listener : -1, .events = POLLIN};
	socket_wait(fds, 2, accepts ? deadline : clock_earlier(deadline, b->accept_from));
}

static int accept_here(struct bind *b)
{
	int64_t deadline = clock_deadline(b->asker->config->settings.bind_timeout);
	int fd = -1;

	b->failure = END_BIND_TIMEOUT;
	while (fd < 0 && clock_ms() < watch_deadline(&b->watch, deadline)) {
		struct pollfd fds[2];

		wait_for_either(b, fds, watch_deadline(&b->watch, deadline));
		if (watch_left(&b->watch, &fds[0])) {
			b->failure = END_CLIENT_LEFT;
			break;
		}
		if (fds[1].revents != 0)
			fd = accept_peer(b);
	}
	close_listener(b);
	if (fd < 0)
		give_places(b);
	if (b->failure == END_BIND_TIMEOUT && clock_ms() < deadline)
		b->failure = END_CLIENT_FINISHED;
	return fd;
}

/* The same of a peer that came to the upstream: its name was the upstream's to look up, and any
 * other is judged by where it came from. */
static int accept_at_upstream(struct bind *b)
{
	int fd = b->control;

	b->via.deadline = clock_deadline(b->asker->config->settings.bind_timeout);
	if (upstream_await_peer(&b->via, fd) < 0)
		b->failure = b->via.failure;
	else if (b->verdict.is_by_name || b->via.bound.sa.sa_family == AF_UNSPEC ||
		is_allowed(b, &b->via.bound))
		b->control = -1;
	else
		b->failure = END_TARGET_DENIED;
	b->peer = b->via.bound;
	if (b->control < 0)
		return fd;
	bind_abandon(b);
	return -1;
}

int bind_accept(struct bind *b)
{
	if (b->control >= 0)
		return accept_at_upstream(b);
	return accept_here(b);
}
