/*
 * Asked before anything is read from a client. Where it may come from can depend on whether it has
 * to log in, and that on whether there are users: without any, a proxy that has just been started
 * serves its own network and nobody else.
 */
#include "state/admission.h"

bool admission_login_required(const struct config *c, size_t users)
{
	switch ((enum auth_rule)c->settings.auth) {
	case AUTH_REQUIRED:
		return true;
	case AUTH_OPTIONAL:
	case AUTH_NONE:
		return false;
	case AUTH_AUTO:
		break;
	}
	return users > 0;
}

bool admission_login_wanted(const struct config *c, size_t users)
{
	return admission_login_required(c, users) || c->settings.auth == AUTH_OPTIONAL;
}

bool admission_login_possible(const struct config *c, size_t users)
{
	return admission_login_wanted(c, users) || c->settings.auth == AUTH_NONE;
}

bool admission_login_checked(const struct config *c)
{
	return c->settings.auth != AUTH_NONE;
}

bool admission_wrong_login_forgiven(const struct config *c)
{
	return c->settings.auth == AUTH_OPTIONAL;
}

bool admission_client_allowed(
	const struct config *c, bool login_required, const struct addr *client)
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
