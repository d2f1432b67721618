/*
 * Sets of eight places, chosen by the host alone, so that all ports of a host are found in one set.
 * Addresses get in because the client has sent to them, and each client has a table of its own:
 * whoever makes them collide loses nothing but his own time.
 */
#include "proxy/targets.h"

#include <string.h>

static struct target *set_of(struct targets *t, const struct addr *a)
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
	return t->places[(hash >> 32) % TARGETS_SETS];
}

static struct target *use(struct targets *t, struct target *place)
{
	place->used = ++t->uses;
	t->last = place;
	return place;
}

struct target *targets_find(struct targets *t, const struct addr *addr)
{
	struct target *set;

	if (t->last != NULL && addr_equal(&t->last->addr, addr))
		return use(t, t->last);
	set = set_of(t, addr);
	for (size_t i = 0; i < TARGETS_WAYS; i++) {
		if (addr_equal(&set[i].addr, addr))
			return use(t, &set[i]);
	}
	return NULL;
}

struct target *targets_add(struct targets *t, const struct addr *addr, bool allowed)
{
	struct target *set = set_of(t, addr), *oldest = set;

	for (size_t i = 1; i < TARGETS_WAYS; i++) {
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	*oldest = (struct target){.addr = *addr, .allowed = allowed};
	return use(t, oldest);
}

static bool expects(const struct target *place, const struct addr *source, enum udp_filter filter)
{
	return place->allowed && addr_same_host(&place->addr, source) &&
		(filter == UDP_FILTER_ADDRESS || addr_port(&place->addr) == addr_port(source));
}

bool targets_expect(struct targets *t, const struct addr *source, enum udp_filter filter)
{
	struct target *set;

	if (filter == UDP_FILTER_NONE || (t->last != NULL && expects(t->last, source, filter)))
		return true;
	set = set_of(t, source);
	for (size_t i = 0; i < TARGETS_WAYS; i++) {
		if (expects(&set[i], source, filter)) {
			t->last = &set[i];
			return true;
		}
	}
	return false;
}
