#include "state/acl.h"

#include "net/socket.h"

bool acl_login_required(const struct config *c, size_t users)
{
	switch ((enum auth_rule)c->settings.auth) {
	case AUTH_REQUIRED:
		return true;
	case AUTH_OPTIONAL:
		return false;
	case AUTH_AUTO:
		break;
	}
	return users > 0;
}

bool acl_client_allowed(const struct config *c, bool login_required, const struct addr *client)
{
	const struct client_rule *rule = &c->settings.clients;

	if (rule->any || (rule->automatic && login_required))
		return true;
	if ((rule->private_networks || rule->automatic) && addr_is_private(client))
		return true;
	for (size_t i = 0; i < rule->count; i++) {
		if (network_contains(&rule->networks[i], client))
			return true;
	}
	return false;
}

/* Would a connection to `target` arrive at the listener on `own`? */
static bool reaches(const struct addr *target, const struct addr *own)
{
	if (addr_port(target) != addr_port(own))
		return false;
	if (!addr_is_unspecified(own))
		return addr_same_host(target, own);
	return target->sa.sa_family == own->sa.sa_family && socket_is_own_address(target);
}

static bool has_own_port(const struct config *c, const struct addr *target)
{
	for (size_t i = 0; i < c->own_count; i++) {
		if (addr_port(target) == addr_port(&c->own[i]))
			return true;
	}
	return false;
}

bool acl_target_allowed_by_lease(
	const struct config *c, const struct addr *target, struct fd_lease *lease)
{
	bool allowed;

	if (!has_own_port(c, target))
		return acl_target_allowed(c, target);
	if (!fd_lease_take(lease))
		return false;
	allowed = acl_target_allowed(c, target);
	fd_lease_give(lease);
	return allowed;
}

bool acl_target_allowed(const struct config *c, const struct addr *target)
{
	if (addr_port(target) == 0 || addr_is_unspecified(target))
		return false;
	for (size_t i = 0; i < c->own_count; i++) {
		if (reaches(target, &c->own[i]))
			return false;
	}
	return true;
}
