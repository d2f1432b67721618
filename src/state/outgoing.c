/*
 * Connections, BIND and associations all have to know from which address a target is reached and
 * which family comes first. Asked here only, so that they cannot come to differ.
 */
#include "state/outgoing.h"

#include <stdio.h>
#include <string.h>

#include "net/own.h"

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

/* ---- what this host lacks ---- */

struct interface_search {
	const char *wanted;
	bool is_found;
	struct nearest nearest;
	char hint[NEAREST_HINT_MAX];
	char all[256]; /* as many as fit */
};

/* The name lives only as long as the call, so the hint is made of it at once. */
static void see_interface(void *context, const char *name)
{
	struct interface_search *search = context;
	size_t len = strlen(search->all);

	search->is_found |= strcmp(name, search->wanted) == 0;
	snprintf(search->all + len, sizeof(search->all) - len, "%s%s", len > 0 ? ", " : "", name);
	search->nearest.word = NULL;
	nearest_try(&search->nearest, name);
	if (search->nearest.word != NULL)
		nearest_hint(&search->nearest, "", search->hint);
}

/* One that cannot be looked for is not called missing. */
static bool is_interface_missing(const char *name, char *why)
{
	struct interface_search search = {
		.wanted = name, .nearest = nearest_to(name, strlen(name))};

	if (*name == '\0' || own_each_interface(see_interface, &search) < 0 || search.is_found)
		return false;
	snprintf(why, CONFIG_ERROR_MAX,
		"external_interface: \"%s\": this host has no such network interface, it has %s%s",
		name, search.all, search.hint);
	return true;
}

static bool is_address_missing(const struct addr *a, char *why)
{
	char text[ADDR_TEXT_MAX];

	if (a->sa.sa_family == AF_UNSPEC || socket_is_own_address(a))
		return false;
	snprintf(why, CONFIG_ERROR_MAX, "external_address: \"%s\": this host has no such address",
		addr_format_host(a, text));
	return true;
}

bool outgoing_is_missing(const struct settings *s, char why[CONFIG_ERROR_MAX])
{
	return is_interface_missing(s->external_interface, why) ||
		is_address_missing(&s->external_address.v4, why) ||
		is_address_missing(&s->external_address.v6, why);
}
