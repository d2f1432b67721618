/*
 * Only those answer whom the client has sent something, as strictly as udp_filter says. Behind the
 * header of an upstream is what that has got, whose word for where from is taken.
 */
#include "proxy/udp_parts.h"

static void take_from_target(struct udp *u, const struct socket_datagram *in)
{
	enum udp_filter filter = (enum udp_filter)u->setup.asker->config->settings.udp_filter;

	if (!flows_expect(&u->flows, &in->peer, filter))
		udp_drop(u, DROP_FILTERED);
	else if (udp_admit(u, TRAFFIC_RECEIVED, &in->peer, in->bytes, in->len))
		udp_put_back(u, &in->peer, in->bytes, in->len);
}

void udp_serve_targets(struct udp *u, enum lookup_family family)
{
	struct socket_datagram in[SOCKET_BATCH];
	size_t count = udp_receive_in_slots(u, u->outgoing[family], in);

	for (size_t i = 0; i < count; i++)
		take_from_target(u, &in[i]);
	udp_flush_back(u);
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
		udp_drop(u, DROP_MALFORMED);
	else if (inner.frag != 0)
		udp_drop(u, DROP_FRAGMENT);
	else if (!d->has_names && !flows_expect(&u->flows, &inner.dst.addr, filter))
		udp_drop(u, DROP_FILTERED);
	else if (udp_admit(u, TRAFFIC_RECEIVED, &inner.dst.addr, inner.data, inner.len))
		udp_put_back(u, &inner.dst.addr, inner.data, inner.len);
}

static void serve_detour(struct udp *u, struct detour *d)
{
	struct socket_datagram in[SOCKET_BATCH];
	size_t count = udp_receive_in_slots(u, d->socket, in);

	for (size_t i = 0; i < count; i++)
		take_from_upstream(u, d, &in[i]);
	udp_flush_back(u);
}

void udp_serve_detours(struct udp *u)
{
	for (size_t i = 0; i < u->detours.polled; i++) {
		struct detour *d = &u->detours.all[i];

		u->has_lost_upstream |= detour_has_ended(d);
		if (d->socket_events != 0)
			serve_detour(u, d);
	}
}
