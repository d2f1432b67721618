/*
 * Sets of eight places, chosen by the host alone, so that all ports of a host are found in one set.
 * Addresses get in because the client has sent to them, and each client has a table of its own:
 * whoever makes them collide loses nothing but his own time.
 */
#include "proxy/flows.h"

#include <string.h>

static struct flow *set_of(struct flows *f, const struct addr *a)
{
	uint64_t hash = 0;

	if (a->sa.sa_family == AF_INET6) {
		uint64_t halves[2];

		memcpy(halves, &a->in6.sin6_addr, sizeof(halves));
		hash = halves[0] ^ (halves[1] << 1);
	} else {
		hash = a->in.sin_addr.s_addr;
	}
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return f->places[(hash >> 32) % FLOWS_SETS];
}

static struct flow *use_place(struct flows *f, struct flow *place)
{
	place->used = ++f->uses;
	f->last = place;
	return place;
}

static bool is_flow(const struct flow *place, uint64_t name, const struct addr *addr)
{
	return place->name == name && addr_equal(&place->addr, addr);
}

struct flow *flows_find(struct flows *f, uint64_t name, const struct addr *addr)
{
	struct flow *set;

	if (f->last != NULL && is_flow(f->last, name, addr))
		return use_place(f, f->last);
	set = set_of(f, addr);
	for (size_t i = 0; i < FLOWS_WAYS; i++) {
		if (is_flow(&set[i], name, addr))
			return use_place(f, &set[i]);
	}
	return NULL;
}

struct flow *flows_add(
	struct flows *f, uint64_t name, const struct addr *addr, const struct verdict *verdict)
{
	struct flow *set = set_of(f, addr), *oldest = set;

	for (size_t i = 1; i < FLOWS_WAYS; i++) {
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	*oldest = (struct flow){.addr = *addr,
		.allowed = verdict->allowed,
		.is_via = verdict->is_via,
		.name = name};
	return use_place(f, oldest);
}

struct flow *flows_next(struct flows *f, struct flow *after)
{
	struct flow *first = f->places[0], *end = first + FLOWS_SETS * FLOWS_WAYS;

	for (struct flow *p = after == NULL ? first : after + 1; p < end; p++) {
		if (p->addr.sa.sa_family != AF_UNSPEC)
			return p;
	}
	return NULL;
}

void flows_forget(struct flows *f, struct flow *place)
{
	*place = (struct flow){.used = 0};
	if (f->last == place)
		f->last = NULL;
}

static bool expects(const struct flow *place, const struct addr *source, enum udp_filter filter)
{
	return place->allowed && addr_same_host(&place->addr, source) &&
		(filter == UDP_FILTER_ADDRESS || addr_port(&place->addr) == addr_port(source));
}

bool flows_expect(struct flows *f, const struct addr *source, enum udp_filter filter)
{
	struct flow *set;

	if (filter == UDP_FILTER_NONE || (f->last != NULL && expects(f->last, source, filter)))
		return true;
	set = set_of(f, source);
	for (size_t i = 0; i < FLOWS_WAYS; i++) {
		if (expects(&set[i], source, filter)) {
			f->last = &set[i];
			return true;
		}
	}
	return false;
}
