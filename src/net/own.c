/*
 * One entry an address that getifaddrs(3) lists, with the prefix of its network. A refresh makes a
 * new list and puts it in the place of the old one, so that whoever asks never sees half of it;
 * what could not be read is no news. Interfaces that are down count too: their addresses may be
 * used again before the next refresh.
 */
#include "net/own.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"

struct own_list {
	size_t count;
	struct network places[]; /* the base is the address itself, host bits included */
};

struct own {
	struct rwlock lock;
	struct own_list *list; /* NULL: nothing was read yet */
};

struct own *own_new(void)
{
	struct own *o = calloc(1, sizeof(*o));

	if (o != NULL)
		rwlock_init(&o->lock);
	return o;
}

void own_free(struct own *o)
{
	if (o == NULL)
		return;
	free(o->list);
	rwlock_destroy(&o->lock);
	free(o);
}

/* ---- reading ---- */

/* The leading bits of a netmask of this family; NULL: all of them. */
static unsigned prefix_of(const struct sockaddr *mask, sa_family_t family)
{
	bool v6 = family == AF_INET6;
	unsigned bits = 0, most = v6 ? 128 : 32;
	const uint8_t *bytes;

	if (mask == NULL)
		return most;
	bytes = (const uint8_t *)mask +
		(v6 ? offsetof(struct sockaddr_in6, sin6_addr)
		    : offsetof(struct sockaddr_in, sin_addr));
	while (bits < most && (bytes[bits / 8] & (0x80 >> (bits % 8))))
		bits++;
	return bits;
}

/* False when the entry has no address that is an IP address. */
static bool read_place(const struct ifaddrs *i, struct network *out)
{
	if (i->ifa_addr == NULL)
		return false;
	out->base = addr_from_sockaddr(i->ifa_addr);
	out->prefix = prefix_of(i->ifa_netmask, out->base.sa.sa_family);
	return out->base.sa.sa_family != AF_UNSPEC;
}

static struct own_list *list_new(const struct ifaddrs *all)
{
	struct own_list *list;
	size_t count = 0;

	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		count++;
	list = calloc(1, sizeof(*list) + count * sizeof(list->places[0]));
	if (list == NULL)
		return NULL;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		list->count += read_place(i, &list->places[list->count]);
	return list;
}

int own_refresh(struct own *o)
{
	struct ifaddrs *all;
	struct own_list *new, *old;

	if (getifaddrs(&all) < 0)
		return -1;
	new = list_new(all);
	freeifaddrs(all);
	if (new == NULL) {
		errno = ENOMEM;
		return -1;
	}
	rwlock_write(&o->lock);
	old = o->list;
	o->list = new;
	rwlock_write_unlock(&o->lock);
	free(old);
	return 0;
}

/* ---- asking ---- */

static bool is_at(const struct network *place, const struct addr *a)
{
	const struct addr *own = &place->base;

	if (!addr_same_host(own, a))
		return false;
	return a->sa.sa_family != AF_INET6 || a->in6.sin6_scope_id == 0 ||
		own->in6.sin6_scope_id == 0 || a->in6.sin6_scope_id == own->in6.sin6_scope_id;
}

static bool any_place(struct own *o,
	bool (*fits)(const struct network *place, const struct addr *a), const struct addr *a)
{
	bool found = addr_is_loopback(a);

	rwlock_read(&o->lock);
	for (size_t i = 0; o->list != NULL && i < o->list->count && !found; i++)
		found = fits(&o->list->places[i], a);
	rwlock_read_unlock(&o->lock);
	return found;
}

bool own_has_address(struct own *o, const struct addr *a)
{
	return any_place(o, is_at, a);
}

bool own_has_network_of(struct own *o, const struct addr *a)
{
	return any_place(o, network_contains, a);
}

const char *own_format(struct own *o, char *out, size_t size)
{
	char text[ADDR_TEXT_MAX];
	size_t len = 0;

	out[0] = '\0';
	rwlock_read(&o->lock);
	for (size_t i = 0; o->list != NULL && i < o->list->count; i++) {
		const char *next = addr_format_host(&o->list->places[i].base, text);

		if (len + strlen(next) + 2 > size)
			break;
		len += (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? " " : "", next);
	}
	rwlock_read_unlock(&o->lock);
	return out;
}

int own_each_interface(void (*see)(void *context, const char *name), void *context)
{
	struct if_nameindex *all = if_nameindex();

	if (all == NULL)
		return -1;
	for (const struct if_nameindex *i = all; i->if_index != 0; i++)
		see(context, i->if_name);
	if_freenameindex(all);
	return 0;
}

static bool counts_by_itself(struct own *o, const struct addr *a)
{
	return a->sa.sa_family == AF_INET || addr_is_loopback(a) ||
		IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr) || (o != NULL && own_has_network_of(o, a));
}

struct network own_client_of(struct own *o, const struct addr *a)
{
	struct network client = {.base = *a, .prefix = a->sa.sa_family == AF_INET ? 32 : 128};
	uint8_t bytes[16] = {0};

	addr_set_port(&client.base, 0);
	if (!counts_by_itself(o, a)) {
		client.prefix = 64;
		memcpy(bytes, &a->in6.sin6_addr, 8);
		client.base = addr_from_ipv6(bytes, 0);
	} else if (a->sa.sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&a->in6.sin6_addr)) {
		client.base.in6.sin6_scope_id = 0;
	}
	return client;
}
