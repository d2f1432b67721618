/*
 * One poll(2) loop over the client's TCP connection, the socket that the client sends to, the
 * sockets that targets see (one a family, opened when first needed) and the name servers.
 * Datagrams are moved a batch at a time: all that one recvmmsg(2) gave goes out with one
 * sendmmsg(2), from the very memory that it came into.
 *
 * The slots are 64 KiB each, so that any datagram fits, in a mapping that lives as long as the
 * association: what is not touched costs nothing, and what large ones have touched is given back
 * when it is quiet again.
 *
 * Nothing that happens to a datagram ends the association; it is dropped, and counted. The way of
 * one to its target is in udp_outward.c, that of an answer in udp_inward.c, and what both come to,
 * the limits and the batches, in udp_batches.c.
 */
#include "proxy/udp.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "proxy/udp_parts.h"
#include "state/outgoing.h"

/* ---- opening ---- */

/* One descriptor for each side; the other family's socket may yet need a third. */
static int take_both_descriptors(struct fd_lease *lease)
{
	if (fd_lease_take(lease)) {
		if (fd_lease_take(lease))
			return 0;
		fd_lease_give(lease);
	}
	errno = EMFILE;
	return -1;
}

static void give_both_descriptors(struct fd_lease *lease)
{
	fd_lease_give(lease);
	fd_lease_give(lease);
}

/* At udp_address, or where that is not set, or not an address of this host, at the one that the
 * client has reached. */
static int open_client_socket(struct udp *u)
{
	const struct settings *s = &u->setup.asker->config->settings;
	struct addr here = socket_local_addr(u->setup.client);
	const struct addr *wanted = outgoing_pick(&s->udp_address, here.sa.sa_family);
	bool is_set = wanted->sa.sa_family != AF_UNSPEC;

	u->client = socket_open_datagram(is_set ? wanted : &here, &s->udp_ports, &u->bound);
	if (u->client < 0 && is_set && errno == EADDRNOTAVAIL)
		u->client = socket_open_datagram(&here, &s->udp_ports, &u->bound);
	return u->client < 0 ? -1 : 0;
}

static void begin_association(struct udp *u, const struct udp_setup *setup)
{
	u->setup = *setup;
	u->peer.sa.sa_family = AF_UNSPEC;
	u->client = u->outgoing[LOOKUP_IPV4] = u->outgoing[LOOKUP_IPV6] = -1;
	u->names.asker = u->detours.asker = setup->asker;
	u->detours.slot = setup->slot;
	u->detours.client = setup->client;
	u->rules = setup->asker->config->generation;
	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++)
		pace_init(&u->paces[d], &u->setup.accounts, d, -1);
	u->border = target_next_border(setup->asker);
}

struct udp *udp_open(const struct udp_setup *setup)
{
	struct udp *u;
	int saved;

	if (take_both_descriptors(setup->asker->lease) < 0)
		return NULL;
	u = mmap(NULL, sizeof(*u), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (u == MAP_FAILED) {
		give_both_descriptors(setup->asker->lease);
		return NULL;
	}
	begin_association(u, setup);
	if (open_client_socket(u) == 0)
		return u;
	saved = errno;
	udp_close(u);
	errno = saved;
	return NULL;
}

struct addr udp_bound(const struct udp *u)
{
	const struct host_pair *told = &u->setup.asker->config->settings.udp_address;
	struct addr a = *outgoing_pick(told, u->bound.sa.sa_family);

	if (a.sa.sa_family == AF_UNSPEC)
		return u->bound;
	addr_set_port(&a, addr_port(&u->bound));
	return a;
}

void udp_close(struct udp *u)
{
	size_t further = 0;

	if (u == NULL)
		return;
	names_end(&u->names);
	detours_end(&u->detours);
	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++) {
		queue_end(&u->queues[d]);
		pace_end(&u->paces[d]);
	}
	socket_close(u->client);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		socket_close(u->outgoing[f]);
		further += u->outgoing[f] >= 0;
	}
	if (further == LOOKUP_FAMILIES)
		fd_lease_give(u->setup.asker->lease);
	give_both_descriptors(u->setup.asker->lease);
	munmap(u, sizeof(*u));
}

struct datagram_counts udp_counts(const struct udp *u)
{
	return u->counts;
}

const struct upstream *udp_through(const struct udp *u, struct upstreams **set)
{
	const struct detour *first = &u->detours.all[0];

	if (u->detours.count == 0)
		return NULL;
	*set = upstreams_hold(first->set);
	return first->server;
}

/* ---- the TCP connection ---- */

/* Reads what a client has no reason to send; true when the connection has ended, and why. */
static bool has_ended(struct udp *u, enum end_reason *why)
{
	char ignored[512];
	ssize_t n = socket_read(u->setup.client, ignored, sizeof(ignored));

	if (n > 0 || (n < 0 && errno == EAGAIN))
		return false;
	*why = n == 0 ? END_CLOSED : END_CLIENT_RESET;
	return true;
}

/* ---- the loop ---- */

enum { TCP, CLIENT, TARGETS, NAMES = TARGETS + LOOKUP_FAMILIES };
#define MOST_POLLED (NAMES + NAMES_MAX_FDS + DETOURS_MAX_FDS)

static int64_t association_idle_deadline(const struct udp *u)
{
	return atomic_load(&u->setup.traffic->last_active) +
		atomic_load(&u->setup.limits->udp_timeout);
}

/* When there is something to do though nothing came. */
static int64_t next_deadline(struct udp *u)
{
	int64_t deadline = clock_earlier(association_idle_deadline(u), names_deadline(&u->names));

	deadline = clock_earlier(deadline, udp_limits_deadline(u));
	if (u->slots_are_large)
		deadline = clock_earlier(deadline, u->now + UDP_QUIET_MS);
	return clock_earlier(deadline, reassembly_deadline(&u->reassembly));
}

/* True: it was quiet for all that datagrams come from. */
static bool wait_for_events(struct udp *u, struct pollfd fds[MOST_POLLED])
{
	struct pollfd *of_detours;
	bool quiet;

	fds[TCP] = (struct pollfd){.fd = u->setup.client, .events = POLLIN};
	fds[CLIENT] = (struct pollfd){.fd = u->client, .events = POLLIN};
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++)
		fds[TARGETS + f] = (struct pollfd){.fd = u->outgoing[f], .events = POLLIN};
	of_detours = fds + NAMES + names_fds(&u->names, fds + NAMES);
	socket_wait(fds, (size_t)(of_detours - fds) + detours_fds(&u->detours, of_detours),
		next_deadline(u));
	u->now = clock_ms();
	quiet = !detours_process(&u->detours, of_detours);
	for (size_t i = CLIENT; i < NAMES; i++)
		quiet &= fds[i].revents == 0;
	return quiet;
}

/* Adds to the statistics what was counted in this turn. */
static void report(struct udp *u)
{
	struct datagram_counts news = {.sent = u->counts.sent - u->reported.sent,
		.received = u->counts.received - u->reported.received};

	for (enum datagram_drop i = 0; i < DATAGRAM_DROPS; i++)
		news.dropped[i] = u->counts.dropped[i] - u->reported.dropped[i];
	stats_add_datagrams(u->setup.stats, &news);
	u->reported = u->counts;
}

/* All that is ready has its turn, of one batch each. */
static void serve_turn(struct udp *u, const struct pollfd fds[MOST_POLLED], bool quiet)
{
	udp_follow_rules(u);
	udp_look_at_limits(u, quiet);
	udp_send_waiting(u);
	if (fds[CLIENT].revents != 0)
		udp_serve_client(u);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		/* It may have been dropped in this very turn. */
		if (fds[TARGETS + f].revents != 0 && u->outgoing[f] >= 0)
			udp_serve_targets(u, f);
	}
	udp_serve_detours(u);
	names_process(&u->names, fds + NAMES, u->now);
	udp_send_named(u);
	reassembly_expire(&u->reassembly, u->now, &u->counts.dropped[DROP_FRAGMENT]);
	if (quiet && u->slots_are_large)
		udp_give_memory_back(u);
	report(u);
}

enum end_reason udp_run(struct udp *u)
{
	struct pollfd fds[MOST_POLLED];
	enum end_reason why = END_UDP_IDLE;
	bool quiet;

	u->now = clock_ms();
	traffic_active(u->setup.traffic, u->now);
	while (u->now < association_idle_deadline(u)) {
		quiet = wait_for_events(u, fds);
		if (fds[TCP].revents != 0 && has_ended(u, &why))
			break;
		serve_turn(u, fds, quiet);
		if (u->has_lost_upstream)
			return END_UPSTREAM_FAILED;
		if (traffic_room(u->setup.traffic, 1) == 0)
			return END_QUOTA_REACHED;
	}
	return why;
}
