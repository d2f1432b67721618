/*
 * Connections, BIND and associations all have to know from which address a target is reached and
 * which family comes first. Asked here only, so that they cannot come to differ.
 */
#include "state/outgoing.h"

const struct addr *outgoing_pick(const struct host_pair *pair, sa_family_t family)
{
	return family == AF_INET6 ? &pair->v6 : &pair->v4;
}

struct socket_via outgoing_via(const struct config *c, sa_family_t family)
{
	return (struct socket_via){.local = *outgoing_pick(&c->settings.external_address, family),
		.interface = c->settings.external_interface};
}

bool outgoing_uses(const struct config *c, enum lookup_family family)
{
	if (family == LOOKUP_IPV6)
		return c->settings.prefer != PREFER_IPV4_ONLY;
	return c->settings.prefer != PREFER_IPV6_ONLY;
}

enum lookup_family outgoing_first(const struct config *c)
{
	if (c->settings.prefer == PREFER_IPV4 || c->settings.prefer == PREFER_IPV4_ONLY)
		return LOOKUP_IPV4;
	return LOOKUP_IPV6;
}

enum lookup_family outgoing_family_of(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6 ? LOOKUP_IPV6 : LOOKUP_IPV4;
}
