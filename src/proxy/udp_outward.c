/*
 * A datagram of the client's is taken out of its header, its name looked up, the target judged,
 * once for as long as the flow is remembered and the rules are the same, and then it goes straight
 * or through an upstream.
 */
#include "proxy/udp_parts.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "state/outgoing.h"

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

/* Its flow, judged when that is not known yet; NULL: it could not be found out whether it may go.
 */
static struct flow *flow_of(struct udp *u, const struct outbound *o)
{
	struct flow *flow = flows_find(&u->flows, o->name, o->to);
	struct verdict verdict;

	if (flow != NULL)
		return flow;
	verdict = target_judge(u->setup.asker, o->dst, o->to, false);
	target_count_hit(u->setup.asker, &verdict);
	return verdict.is_guess ? NULL : flows_add(&u->flows, o->name, o->to, &verdict);
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
	flow->detour = 0;
}

void udp_follow_rules(struct udp *u)
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

/* ---- through upstreams ---- */

/* What the client has written, or the address that it came to, as an upstream is told. */
static struct destination destination_at_upstream(
	const struct destination *dst, const struct addr *to)
{
	return to == NULL ? *dst : destination_of_addr(to);
}

/* Finds a way through the upstreams that the rules name for it, which are asked for that again;
 * NULL where it goes straight or, with the reason in `dropped`, nowhere. What is sent on by its
 * name has no `to`. */
static struct detour *find_detour(struct udp *u, const struct destination *dst,
	const struct addr *to, enum datagram_drop *dropped)
{
	struct upstream_way way;
	struct verdict verdict = target_way(u->setup.asker, dst, to, &way);
	struct detour *d = NULL;
	bool goes_straight = verdict.allowed && !verdict.is_via;

	if (verdict.allowed && verdict.is_via) {
		d = detours_find(&u->detours, &way, &goes_straight);
		u->now = clock_ms(); /* one that had to be opened took its time */
	}
	upstream_way_end(&way);
	if (d == NULL && !goes_straight)
		*dropped = verdict.allowed ? DROP_UNSENT : DROP_DENIED;
	return d;
}

/* Sends it through one of the upstreams, by the detour whose number is known, counted from 1, or
 * else found, which the result is then; 0: none. False: it goes straight. */
static bool pass_on(struct udp *u, const struct destination *dst, const struct addr *to,
	const uint8_t *data, size_t len, uint8_t *detour)
{
	struct destination as = destination_at_upstream(dst, to);
	enum datagram_drop dropped = DATAGRAM_DROPS;
	struct detour *d =
		*detour > 0 ? &u->detours.all[*detour - 1] : find_detour(u, dst, to, &dropped);

	if (d != NULL) {
		*detour = (uint8_t)(d - u->detours.all + 1);
		udp_send_through(u, d, &as, data, len);
	} else if (dropped != DATAGRAM_DROPS) {
		udp_drop(u, dropped);
	}
	return d != NULL || dropped != DATAGRAM_DROPS;
}

static void send_out(struct udp *u, const struct outbound *o)
{
	enum lookup_family family = outgoing_family_of(o->to);
	struct flow *flow = flow_of(u, o);

	if (flow == NULL || !flow->allowed) {
		udp_drop(u, flow == NULL ? DROP_UNSENT : DROP_DENIED);
		return;
	}
	if (flow->is_via && pass_on(u, o->dst, o->to, o->data, o->len, &flow->detour))
		return;
	if (!outgoing_uses(u->setup.asker->config, family) || !have_socket(u, family)) {
		udp_drop(u, DROP_UNSENT);
		return;
	}
	if (udp_admit(u, TRAFFIC_SENT, o->to, o->data, o->len))
		udp_put_outgoing(u, o->to, o->data, o->len);
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
		udp_drop(u, DROP_NAME);
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

/* Is it from the client, as far as is known? What the request has announced is no help: some put
 * the target there. */
static bool may_be_from_client(const struct udp *u, const struct addr *from)
{
	if (u->peer.sa.sa_family == AF_UNSPEC)
		return is_clients_place(u->setup.asker, from);
	return addr_equal(from, &u->peer);
}

static enum names_outcome find_name(
	struct udp *u, const struct socks5_datagram *d, const struct name **name)
{
	return names_find(&u->names, &d->dst, d->data, d->len, u->now, name);
}

/* As pass_on(), by its name. */
static bool pass_name_on(struct udp *u, const struct socks5_datagram *d, const struct name *name)
{
	uint8_t detour = names_detour(name, d->dst.port);
	bool is_done = pass_on(u, &d->dst, NULL, d->data, d->len, &detour);

	names_set_detour(&u->names, name, d->dst.port, detour);
	return is_done;
}

static void send_by_name(struct udp *u, const struct socks5_datagram *d)
{
	enum names_outcome outcome;
	const struct name *name;

	if (!destination_is_sane(&d->dst)) {
		udp_drop(u, DROP_NAME);
		return;
	}
	outcome = find_name(u, d, &name);
	if (outcome == NAMES_SENT_ON && !pass_name_on(u, d, name)) {
		names_go_straight(&u->names, name);
		outcome = find_name(u, d, &name);
	}
	switch (outcome) {
	case NAMES_KNOWN:
		send_to_name(u, name, d->dst.port, d->data, d->len);
		break;
	case NAMES_DENIED:
		udp_drop(u, DROP_DENIED);
		break;
	case NAMES_FULL:
		udp_drop(u, DROP_QUEUE_FULL);
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
	udp_flush_outgoing(u); /* the next fragment goes into the same memory */
}

/* Its first datagram tells the port, and nobody takes the association over afterwards. What is none
 * tells nothing: it may have been on its way to who had our port before, or be an answer to him. */
static void take_from_client(struct udp *u, const struct socket_datagram *in)
{
	struct socks5_datagram d;

	if (!may_be_from_client(u, &in->peer)) {
		udp_drop(u, DROP_STRANGER);
		return;
	}
	if (socks5_parse_datagram(in->bytes, in->len, &d) == SOCKS5_MALFORMED) {
		udp_drop(u, DROP_MALFORMED);
		return;
	}
	if (u->peer.sa.sa_family == AF_UNSPEC)
		settle_on(u, &in->peer);
	if (d.frag != 0) {
		take_fragment(u, &d);
		return;
	}
	reassembly_abandon(&u->reassembly, &u->counts.dropped[DROP_FRAGMENT]);
	send_whole(u, &d);
}

void udp_serve_client(struct udp *u)
{
	struct socket_datagram in[SOCKET_BATCH];
	size_t count = udp_receive_in_slots(u, u->client, in);

	for (size_t i = 0; i < count; i++)
		take_from_client(u, &in[i]);
	udp_flush_outgoing(u);
}

void udp_send_named(struct udp *u)
{
	struct name_datagram *d;

	while ((d = names_take(&u->names)) != NULL) {
		send_to_name(u, d->name, d->port, d->data, d->len);
		udp_flush_outgoing(u);
		free(d);
	}
}
