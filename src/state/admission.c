/*
 * Asked before anything is read from a client. Where it may come from can depend on whether it has
 * to log in, and that on whether there are to be users: where none are asked for, a proxy that has
 * just been started serves its own network and nobody else. That is decided once for a
 * configuration, so that all questions about a session have one answer, and that neither a file
 * that was emptied nor a user who is added changes who must log in.
 */
#include "state/admission.h"

void admission_decide_auto(struct config *c, bool are_given)
{
	c->auto_requires_login = are_given || c->settings.users_file[0] != '\0' ||
		c->settings.auth_socket[0] != '\0' || c->settings.shared_users;
}

bool admission_login_required(const struct config *c)
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
	return c->auto_requires_login;
}

bool admission_login_wanted(const struct config *c, size_t users)
{
	return admission_login_required(c) || c->settings.auth == AUTH_OPTIONAL ||
		(c->settings.auth == AUTH_AUTO && users > 0);
}

bool admission_login_possible(const struct config *c)
{
	return c->settings.auth == AUTH_NONE;
}

bool admission_login_checked(const struct config *c)
{
	return c->settings.auth != AUTH_NONE;
}

bool admission_wrong_login_forgiven(const struct config *c)
{
	/* Where nobody has to log in, a user who was added is no reason to refuse others. */
	return c->settings.auth == AUTH_OPTIONAL ||
		(c->settings.auth == AUTH_AUTO && !c->auto_requires_login);
}

bool admission_client_allowed(
	const struct config *c, bool login_required, const struct addr *client)
{
	const struct client_rule *rule = &c->settings.clients;

	if (rule->any || (rule->automatic && login_required))
		return true;
	if ((rule->private_networks || rule->automatic) && addr_is_private(client))
		return true;
	return network_list_contains(&rule->networks, client);
}
