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
 * Where a limit holds, what is over the rate waits for its time for up to WAIT_MS; what would have
 * to wait for longer is dropped, which is what those who send datagrams expect of a narrow place.
 *
 * Nothing that happens to a datagram ends the association; it is dropped, and counted.
 */
#include "proxy/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/clock.h"
#include "net/socket.h"
#include "proxy/detours.h"
#include "proxy/names.h"
#include "proxy/queue.h"
#include "wire/reassembly.h"
#include "proxy/flows.h"
#include "state/outgoing.h"
#include "wire/socks5.h"

#define SLOT_SIZE 65536 /* more than a UDP datagram can have */
#define SLOT_KEPT 4096 /* of each slot, when memory is given back */
#define QUIET_MS 1000 /* after that it is */
#define WAIT_MS 100 /* for a limit */

struct udp {
	struct udp_setup setup;
	struct addr bound;
	int client; /* the socket that the client sends to */
	int outgoing[LOOKUP_FAMILIES]; /* -1: not needed yet */
	struct addr peer; /* where the client sends from; AF_UNSPEC: not known yet */
	bool is_connected; /* the client's socket, to `peer` */
	bool slots_are_large; /* large datagrams have touched them */
	uint64_t rules; /* the generation of those that the flows were judged by */
	int64_t border; /* when they say something else of themselves (target_next_border()) */
	int64_t now; /* clock_ms() of this turn */
	struct datagram_counts counts, reported;
	struct batch batches[LOOKUP_FAMILIES];
	struct batch back; /* to the client */
	struct pace paces[THROTTLE_DIRECTIONS];
	struct queue queues[THROTTLE_DIRECTIONS];
	uint8_t headers[SOCKET_BATCH][SOCKS5_HEADER_MAX];
	struct flows flows;
	struct names names;
	struct detours detours;
	size_t detours_at, detours_polled; /* where their entries are in what is polled; how many */
	bool has_lost_upstream; /* one of them has ended its association, and so this one ends */
	struct reassembly reassembly;
	uint8_t slots[SOCKET_BATCH][SLOT_SIZE];
};

static void drop(struct udp *u, enum datagram_drop why)
{
	u->counts.dropped[why]++;
}

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

static int open_client_socket(struct udp *u)
{
	struct addr here = socket_local_addr(u->setup.client);

	u->client =
		socket_open_datagram(&here, &u->setup.asker->config->settings.udp_ports, &u->bound);
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

/* ---- sending ---- */

static enum datagram_drop drop_of_errno(int error)
{
	return error == EMSGSIZE ? DROP_TOO_LARGE : DROP_UNSENT;
}

/* Sends the batch through `fd` and counts what went. */
static void flush(struct udp *u, struct batch *b, int fd, uint64_t *datagrams,
	enum traffic_direction direction)
{
	uint64_t moved = 0;

	if (b->count == 0)
		return;
	socket_send_batch(fd, b->items, b->count);
	for (size_t i = 0; i < b->count; i++) {
		if (b->items[i].error != 0) {
			drop(u, drop_of_errno(b->items[i].error));
			continue;
		}
		++*datagrams;
		moved += b->items[i].len;
	}
	b->count = b->bytes = 0;
	traffic_count(u->setup.traffic, direction, moved);
	traffic_active(u->setup.traffic, u->now);
}

static void flush_outgoing(struct udp *u)
{
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++)
		flush(u, &u->batches[f], u->outgoing[f], &u->counts.sent, TRAFFIC_SENT);
	for (size_t i = 0; i < u->detours.count; i++) {
		struct detour *d = &u->detours.all[i];

		flush(u, &d->batch, d->socket, &u->counts.sent, TRAFFIC_SENT);
	}
}

static void flush_back(struct udp *u)
{
	flush(u, &u->back, u->client, &u->counts.received, TRAFFIC_RECEIVED);
}

/* ---- limits ---- */

/* When may it go? 0: now; and < 0 when that is too late to wait for. */
static int64_t time_to_go(struct udp *u, enum traffic_direction direction, size_t len)
{
	struct pace *p = &u->paces[direction];
	const struct queue *w = &u->queues[direction];
	int64_t wait;

	if (!p->is_on)
		return 0;
	wait = pace_admit(p, len, w->bytes, WAIT_MS, u->now);
	if (wait < 0 || (wait == 0 && w->first == NULL))
		return wait;
	return u->now + wait;
}

/* Near the end of a quota they go one by one, so that no batch passes it; the last one goes as a
 * whole. What comes behind that is dropped, and then the association ends. */
static bool is_within_quota(struct udp *u, size_t len)
{
	size_t all = len + u->back.bytes;

	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++)
		all += u->batches[f].bytes;
	for (size_t i = 0; i < u->detours.count; i++)
		all += u->detours.all[i].batch.bytes;
	if (traffic_room(u->setup.traffic, all) == all)
		return true;
	flush_outgoing(u);
	flush_back(u);
	if (traffic_room(u->setup.traffic, 1) == 1)
		return true;
	drop(u, DROP_RATE);
	return false;
}

/* It is too late (`due` < 0), or there is no memory for it to wait in. */
static void give_up(struct udp *u, enum traffic_direction direction, size_t len, int64_t due)
{
	if (due > 0)
		pace_give_back(&u->paces[direction], len, u->now);
	drop(u, DROP_RATE);
}

/* May it go now? If not, it is on its way to, or dropped. */
static bool admit(struct udp *u, enum traffic_direction direction, const struct addr *peer,
	const uint8_t *data, size_t len)
{
	int64_t due = time_to_go(u, direction, len);

	if (due == 0)
		return true;
	if (due < 0 || !queue_put(&u->queues[direction], peer, data, len, due))
		give_up(u, direction, len, due);
	return false;
}

/* Sees what limits there are; what has nothing to move lets others have its part. */
static void look_at_limits(struct udp *u, bool is_quiet)
{
	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++) {
		(void)pace_look(&u->paces[d], 0);
		if (is_quiet && u->queues[d].first == NULL)
			pace_rest(&u->paces[d]);
	}
}

/* When something may go, or somebody who has nothing to move may say so. */
static int64_t limits_deadline(const struct udp *u)
{
	int64_t deadline = CLOCK_NEVER;

	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++) {
		deadline = clock_earlier(deadline, queue_due(&u->queues[d]));
		if (u->paces[d].is_active)
			deadline = clock_earlier(deadline, u->now + QUIET_MS);
	}
	return deadline;
}

/* ---- to targets ---- */

/* The socket of this family, opened when it is the first datagram's. Of the two descriptors that
 * were taken at the beginning, one is for whichever comes first. */
static bool have_socket(struct udp *u, enum lookup_family family)
{
	sa_family_t sa_family = family == LOOKUP_IPV6 ? AF_INET6 : AF_INET;
	struct socket_via via = outgoing_via(u->setup.asker->config, sa_family);
	bool is_first = u->outgoing[LOOKUP_IPV6] < 0 && u->outgoing[LOOKUP_IPV4] < 0;

	if (u->outgoing[family] >= 0)
		return true;
	if (!is_first && !fd_lease_take(u->setup.asker->lease))
		return false;
	u->outgoing[family] = socket_open_datagram_via(sa_family, &via);
	if (u->outgoing[family] < 0 && !is_first)
		fd_lease_give(u->setup.asker->lease);
	return u->outgoing[family] >= 0;
}

/* A datagram on its way out. */
struct outbound {
	const struct destination *dst; /* what the client has written */
	uint64_t name; /* that led to `to` (flows.h) */
	const struct addr *to;
	const uint8_t *data;
	size_t len;
};

/* What the rules say of it, asked when it is not known yet. */
static struct verdict judge_outbound(struct udp *u, const struct outbound *o)
{
	const struct flow *flow = flows_find(&u->flows, o->name, o->to);
	struct verdict verdict;

	if (flow != NULL)
		return (struct verdict){.allowed = flow->allowed, .is_via = flow->is_via};
	verdict = target_judge(u->setup.asker, o->dst, o->to, false);
	target_count_hit(u->setup.asker, &verdict);
	if (!verdict.is_guess)
		flows_add(&u->flows, o->name, o->to, &verdict);
	return verdict;
}

/* What the client has written to have the flow. False: it is forgotten. */
static bool remember_destination(
	const struct udp *u, const struct flow *flow, struct destination *dst)
{
	uint16_t port = addr_port(&flow->addr);
	const struct name *name = names_numbered(&u->names, flow->name);

	if (flow->name != 0 && name == NULL)
		return false;
	*dst = name == NULL ? destination_of_addr(&flow->addr) : names_destination(name, port);
	return true;
}

/* What the rules say of the flow now; forgets it where that cannot be said. Where they say
 * something else, a rule has decided that. */
static void judge_flow_again(struct udp *u, struct flow *flow)
{
	struct verdict verdict = {.is_guess = true};
	struct destination dst;

	if (remember_destination(u, flow, &dst))
		verdict = target_judge(u->setup.asker, &dst, &flow->addr, false);
	if (verdict.is_guess) {
		flows_forget(&u->flows, flow);
		return;
	}
	if (verdict.allowed != flow->allowed)
		target_count_hit(u->setup.asker, &verdict);
	flow->allowed = verdict.allowed;
	flow->is_via = verdict.is_via;
}

/* Asks again when there is another configuration, or when it is a time at which rules begin or end;
 * answers of whom the rules forbid now do not get through either. A change while this goes on is
 * seen in the next turn. */
static void follow_rules(struct udp *u)
{
	const struct config_store *configs = u->setup.asker->configs;
	uint64_t current = configs == NULL ? u->rules : config_generation(configs);

	if (current == u->rules && (u->border == RULE_TIME_NEVER || time(NULL) < u->border))
		return;
	u->rules = current;
	u->border = target_next_border(u->setup.asker);
	for (struct flow *f = flows_next(&u->flows, NULL); f != NULL; f = flows_next(&u->flows, f))
		judge_flow_again(u, f);
	names_doubt(&u->names);
}

static void put_outgoing(struct udp *u, const struct addr *to, const uint8_t *data, size_t len)
{
	struct batch *b = &u->batches[outgoing_family_of(to)];

	if (!is_within_quota(u, len))
		return;
	b->bytes += len;
	b->items[b->count].peer = *to;
	b->items[b->count].bytes = (void *)(uintptr_t)data;
	b->items[b->count++].len = len;
	if (b->count == SOCKET_BATCH)
		flush_outgoing(u);
}

/* ---- through upstreams ---- */

/* In the place of a peer, of what waits to go through one. */
static struct addr place_of_detour(const struct udp *u, const struct detour *d)
{
	struct addr place = {.in = {.sin_family = AF_UNSPEC}};

	place.in.sin_port = (in_port_t)(d - u->detours.all);
	return place;
}

/* A copy waits, its header in front. False without memory. */
static bool queue_through(struct udp *u, const struct detour *d, const struct destination *dst,
	const uint8_t *data, size_t len, int64_t due)
{
	struct addr place = place_of_detour(u, d);
	uint8_t *whole = malloc(SOCKS5_NAMED_HEADER_MAX + len);
	size_t header;
	bool is_put;

	if (whole == NULL)
		return false;
	header = socks5_format_named_header(whole, dst);
	memcpy(whole + header, data, len);
	is_put = queue_put(&u->queues[TRAFFIC_SENT], &place, whole, header + len, due);
	free(whole);
	return is_put;
}

static void put_through(struct udp *u, struct detour *d, const struct destination *dst,
	const uint8_t *data, size_t len)
{
	if (!is_within_quota(u, len))
		return;
	detour_put(d, dst, data, len);
	if (d->batch.count == SOCKET_BATCH)
		flush_outgoing(u);
}

static void send_through(struct udp *u, struct detour *d, const struct destination *dst,
	const uint8_t *data, size_t len)
{
	int64_t due = time_to_go(u, TRAFFIC_SENT, len);

	if (due == 0)
		put_through(u, d, dst, data, len);
	else if (due < 0 || !queue_through(u, d, dst, data, len, due))
		give_up(u, TRAFFIC_SENT, len, due);
}

/* Sends it through one of the upstreams that the rules name for it; false: it goes straight. What
 * they say is asked for again, with the way; what is sent on by its name has no `to`. */
static bool pass_on(struct udp *u, const struct destination *dst, const struct addr *to,
	const uint8_t *data, size_t len)
{
	struct destination as = to == NULL ? *dst : destination_of_addr(to);
	struct upstream_way way;
	struct verdict verdict = target_way(u->setup.asker, dst, to, &way);
	struct detour *d = NULL;
	bool goes_straight = verdict.allowed && !verdict.is_via;

	if (verdict.allowed && verdict.is_via) {
		d = detours_find(&u->detours, &way, &goes_straight);
		u->now = clock_ms(); /* one that had to be opened took its time */
	}
	upstream_way_end(&way);
	if (d != NULL)
		send_through(u, d, &as, data, len);
	else if (!goes_straight)
		drop(u, verdict.allowed ? DROP_UNSENT : DROP_DENIED);
	return d != NULL || !goes_straight;
}

static void send_out(struct udp *u, const struct outbound *o)
{
	enum lookup_family family = outgoing_family_of(o->to);
	struct verdict verdict = judge_outbound(u, o);

	if (!verdict.allowed) {
		drop(u, verdict.is_guess ? DROP_UNSENT : DROP_DENIED);
		return;
	}
	if (verdict.is_via && pass_on(u, o->dst, o->to, o->data, o->len))
		return;
	if (!outgoing_uses(u->setup.asker->config, family) || !have_socket(u, family)) {
		drop(u, DROP_UNSENT);
		return;
	}
	if (admit(u, TRAFFIC_SENT, o->to, o->data, o->len))
		put_outgoing(u, o->to, o->data, o->len);
}

/* To where a known name has led. */
static void send_to_name(
	struct udp *u, const struct name *name, uint16_t port, const uint8_t *data, size_t len)
{
	struct destination dst = names_destination(name, port);
	struct addr to = names_address(name, port);
	struct outbound o = {
		.dst = &dst, .name = name->number, .to = &to, .data = data, .len = len};

	if (to.sa.sa_family == AF_UNSPEC)
		drop(u, DROP_NAME);
	else
		send_out(u, &o);
}

/* ---- from the client ---- */

/* May a client's datagrams come from there? */
static bool is_clients_place(const struct asker *asker, const struct addr *from)
{
	return addr_same_host(from, asker->client) ||
		network_list_contains(&asker->config->settings.udp_clients, from);
}

/* From now on the kernel keeps others out, and knows the way. What it drops is counted nowhere, so
 * this waits for the client to be known. */
static void settle_on(struct udp *u, const struct addr *from)
{
	u->peer = *from;
	u->is_connected = socket_connect_datagram(u->client, from) == 0;
}

/* Is it from the client? Its first datagram tells the port, and nobody takes the association over
 * afterwards. What the request has announced is no help: some put the target there. */
static bool is_from_client(struct udp *u, const struct addr *from)
{
	if (u->peer.sa.sa_family == AF_UNSPEC && is_clients_place(u->setup.asker, from))
		settle_on(u, from);
	return addr_equal(from, &u->peer);
}

static enum names_outcome find_name(
	struct udp *u, const struct socks5_datagram *d, const struct name **name)
{
	return names_find(&u->names, &d->dst, d->data, d->len, u->now, name);
}

static void send_by_name(struct udp *u, const struct socks5_datagram *d)
{
	enum names_outcome outcome;
	const struct name *name;

	if (!destination_is_sane(&d->dst)) {
		drop(u, DROP_NAME);
		return;
	}
	outcome = find_name(u, d, &name);
	if (outcome == NAMES_SENT_ON && !pass_on(u, &d->dst, NULL, d->data, d->len)) {
		names_go_straight(&u->names, name);
		outcome = find_name(u, d, &name);
	}
	switch (outcome) {
	case NAMES_KNOWN:
		send_to_name(u, name, d->dst.port, d->data, d->len);
		break;
	case NAMES_DENIED:
		drop(u, DROP_DENIED);
		break;
	case NAMES_FULL:
		drop(u, DROP_QUEUE_FULL);
		break;
	case NAMES_SENT_ON:
	case NAMES_WAITS:
		break;
	}
}

static void send_by_addr(struct udp *u, const struct socks5_datagram *d)
{
	struct outbound o = {.dst = &d->dst, .to = &d->dst.addr, .data = d->data, .len = d->len};

	send_out(u, &o);
}

static void send_whole(struct udp *u, const struct socks5_datagram *d)
{
	if (d->dst.kind == DESTINATION_ADDR)
		send_by_addr(u, d);
	else
		send_by_name(u, d);
}

static void take_fragment(struct udp *u, struct socks5_datagram *d)
{
	if (!reassembly_add(&u->reassembly, d, u->now, &u->counts.dropped[DROP_FRAGMENT]))
		return;
	send_whole(u, d);
	flush_outgoing(u); /* the next fragment goes into the same memory */
}

static void take_from_client(struct udp *u, const struct socket_datagram *in)
{
	struct socks5_datagram d;

	if (!is_from_client(u, &in->peer)) {
		drop(u, DROP_STRANGER);
		return;
	}
	if (socks5_parse_datagram(in->bytes, in->len, &d) == SOCKS5_MALFORMED) {
		drop(u, DROP_MALFORMED);
		return;
	}
	if (d.frag != 0) {
		take_fragment(u, &d);
		return;
	}
	reassembly_abandon(&u->reassembly, &u->counts.dropped[DROP_FRAGMENT]);
	send_whole(u, &d);
}

/* Receives into the slots; how many. */
static size_t receive_in_slots(struct udp *u, int fd, struct socket_datagram in[SOCKET_BATCH])
{
	size_t count;

	for (size_t i = 0; i < SOCKET_BATCH; i++) {
		in[i].bytes = u->slots[i];
		in[i].size = SLOT_SIZE;
	}
	count = socket_receive_batch(fd, in, SOCKET_BATCH);
	for (size_t i = 0; i < count; i++)
		u->slots_are_large |= in[i].len > SLOT_KEPT;
	return count;
}

static void serve_client(struct udp *u)
{
	struct socket_datagram in[SOCKET_BATCH];
	size_t count = receive_in_slots(u, u->client, in);

	for (size_t i = 0; i < count; i++)
		take_from_client(u, &in[i]);
	flush_outgoing(u);
}

/* Sends what need not wait for its name any longer. */
static void send_named(struct udp *u)
{
	struct name_datagram *d;

	while ((d = names_take(&u->names)) != NULL) {
		send_to_name(u, d->name, d->port, d->data, d->len);
		flush_outgoing(u);
		free(d);
	}
}

/* ---- to the client ---- */

static void put_back(struct udp *u, const struct addr *from, const void *data, size_t len)
{
	struct batch *b = &u->back;
	struct socket_datagram *out;

	if (!is_within_quota(u, len))
		return;
	out = &b->items[b->count];
	b->bytes += len;
	out->header = u->headers[b->count];
	out->header_len = socks5_format_header(u->headers[b->count], from);
	out->bytes = (void *)(uintptr_t)data;
	out->len = len;
	if (u->is_connected)
		out->peer.sa.sa_family = AF_UNSPEC;
	else
		out->peer = u->peer;
	b->count++;
}

static void take_from_target(struct udp *u, const struct socket_datagram *in)
{
	enum udp_filter filter = (enum udp_filter)u->setup.asker->config->settings.udp_filter;

	if (!flows_expect(&u->flows, &in->peer, filter))
		drop(u, DROP_FILTERED);
	else if (admit(u, TRAFFIC_RECEIVED, &in->peer, in->bytes, in->len))
		put_back(u, &in->peer, in->bytes, in->len);
}

static void serve_targets(struct udp *u, enum lookup_family family)
{
	struct socket_datagram in[SOCKET_BATCH];
	size_t count = receive_in_slots(u, u->outgoing[family], in);

	for (size_t i = 0; i < count; i++)
		take_from_target(u, &in[i]);
	flush_back(u);
}

/* What comes back through an upstream, which says where from. Of a name that it has looked up the
 * address is not known here, and whose answers get through is the upstream's to see to. */
static void take_from_upstream(
	struct udp *u, const struct detour *d, const struct socket_datagram *in)
{
	enum udp_filter filter = (enum udp_filter)u->setup.asker->config->settings.udp_filter;
	struct socks5_datagram inner;

	if (socks5_parse_datagram(in->bytes, in->len, &inner) == SOCKS5_MALFORMED ||
		inner.dst.kind != DESTINATION_ADDR)
		drop(u, DROP_MALFORMED);
	else if (inner.frag != 0)
		drop(u, DROP_FRAGMENT);
	else if (!d->has_names && !flows_expect(&u->flows, &inner.dst.addr, filter))
		drop(u, DROP_FILTERED);
	else if (admit(u, TRAFFIC_RECEIVED, &inner.dst.addr, inner.data, inner.len))
		put_back(u, &inner.dst.addr, inner.data, inner.len);
}

static void serve_detour(struct udp *u, struct detour *d)
{
	struct socket_datagram in[SOCKET_BATCH];
	size_t count = receive_in_slots(u, d->socket, in);

	for (size_t i = 0; i < count; i++)
		take_from_upstream(u, d, &in[i]);
	flush_back(u);
}

/* Those that were polled. */
static void serve_detours(struct udp *u, const struct pollfd *fds, size_t polled)
{
	for (size_t i = 0; i < polled; i++) {
		struct detour *d = &u->detours.all[i];

		u->has_lost_upstream |= detour_has_ended(d, &fds[2 * i]);
		if (fds[2 * i + 1].revents != 0)
			serve_detour(u, d);
	}
}

/* ---- what has waited for a limit ---- */

static void send_waiting_datagram(struct udp *u, const struct queued_datagram *d)
{
	struct socks5_datagram inner;

	if (d->peer.sa.sa_family != AF_UNSPEC)
		put_outgoing(u, &d->peer, d->data, d->len);
	else if (socks5_parse_datagram(d->data, d->len, &inner) != SOCKS5_MALFORMED)
		put_through(
			u, &u->detours.all[d->peer.in.sin_port], &inner.dst, inner.data, inner.len);
	flush_outgoing(u);
}

static void send_waiting(struct udp *u)
{
	struct queued_datagram *d;

	while ((d = queue_take(&u->queues[TRAFFIC_SENT], u->now)) != NULL) {
		send_waiting_datagram(u, d);
		free(d);
	}
	while ((d = queue_take(&u->queues[TRAFFIC_RECEIVED], u->now)) != NULL) {
		put_back(u, &d->peer, d->data, d->len);
		flush_back(u);
		free(d);
	}
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

	deadline = clock_earlier(deadline, limits_deadline(u));
	if (u->slots_are_large)
		deadline = clock_earlier(deadline, u->now + QUIET_MS);
	return clock_earlier(deadline, reassembly_deadline(&u->reassembly));
}

static void wait_for_events(struct udp *u, struct pollfd fds[MOST_POLLED])
{
	fds[TCP] = (struct pollfd){.fd = u->setup.client, .events = POLLIN};
	fds[CLIENT] = (struct pollfd){.fd = u->client, .events = POLLIN};
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++)
		fds[TARGETS + f] = (struct pollfd){.fd = u->outgoing[f], .events = POLLIN};
	u->detours_at = NAMES + names_fds(&u->names, fds + NAMES);
	u->detours_polled = u->detours.count;
	socket_wait(fds, u->detours_at + detours_fds(&u->detours, fds + u->detours_at),
		next_deadline(u));
	u->now = clock_ms();
}

static void give_memory_back(struct udp *u)
{
	for (size_t i = 0; i < SOCKET_BATCH; i++) {
		uintptr_t from =
			((uintptr_t)u->slots[i] + 2 * SLOT_KEPT - 1) & ~(uintptr_t)(SLOT_KEPT - 1);
		uintptr_t to = (uintptr_t)(u->slots[i] + SLOT_SIZE) & ~(uintptr_t)(SLOT_KEPT - 1);

		(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	u->slots_are_large = false;
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
static void serve_turn(struct udp *u, const struct pollfd fds[MOST_POLLED])
{
	bool quiet = true;

	follow_rules(u);
	for (size_t i = CLIENT; i < NAMES; i++)
		quiet &= fds[i].revents == 0;
	for (size_t i = 0; i < 2 * u->detours_polled; i++)
		quiet &= fds[u->detours_at + i].revents == 0;
	look_at_limits(u, quiet);
	send_waiting(u);
	if (fds[CLIENT].revents != 0)
		serve_client(u);
	for (enum lookup_family f = 0; f < LOOKUP_FAMILIES; f++) {
		if (fds[TARGETS + f].revents != 0)
			serve_targets(u, f);
	}
	serve_detours(u, fds + u->detours_at, u->detours_polled);
	names_process(&u->names, fds + NAMES, u->now);
	send_named(u);
	reassembly_expire(&u->reassembly, u->now, &u->counts.dropped[DROP_FRAGMENT]);
	if (quiet && u->slots_are_large)
		give_memory_back(u);
	report(u);
}

enum end_reason udp_run(struct udp *u)
{
	struct pollfd fds[MOST_POLLED];
	enum end_reason why = END_UDP_IDLE;

	u->now = clock_ms();
	traffic_active(u->setup.traffic, u->now);
	while (u->now < association_idle_deadline(u)) {
		wait_for_events(u, fds);
		if (fds[TCP].revents != 0 && has_ended(u, &why))
			break;
		serve_turn(u, fds);
		if (u->has_lost_upstream)
			return END_UPSTREAM_FAILED;
		if (traffic_room(u->setup.traffic, 1) == 0)
			return END_QUOTA_REACHED;
	}
	return why;
}
