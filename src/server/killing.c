/*
 * The registry knows sessions by user and by client; a group is everybody who is in it now.
 */
#include "server/killing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static size_t end_users_of_group(struct services *v, const char *group, enum end_reason reason)
{
	size_t count = 0, ended = 0;
	const char **names = users_names(v->users, &count);

	for (size_t i = 0; names != NULL && i < count; i++) {
		if (users_is_in_group(v->users, names[i], group))
			ended += registry_end_user(v->registry, names[i], strlen(names[i]), reason);
	}
	free(names);
	return ended;
}

size_t killing_end_group(struct services *v, const char *group, enum end_reason reason)
{
	size_t ended = end_users_of_group(v, group, reason);
	struct config *c = config_get(v->config);
	const struct client_group *clients =
		client_groups_find(&c->settings.client_groups, group, strlen(group));

	for (size_t i = 0; clients != NULL && i < clients->count; i++)
		ended += registry_end_client(v->registry, &clients->networks[i], reason);
	config_release(c);
	return ended;
}

static size_t end_sessions_of(struct services *v, const char *who, enum end_reason reason)
{
	size_t ended = registry_end_user(v->registry, who, strlen(who), reason);

	if (*who == '@')
		ended += killing_end_group(v, who + 1, reason);
	if (strcasecmp(who, USERS_ANONYMOUS) == 0)
		ended += registry_end_user(v->registry, NULL, 0, reason);
	return ended;
}

size_t killing_end(struct services *v, const char *who, enum end_reason reason)
{
	struct network client;
	size_t ended = network_parse(who, strlen(who), &client)
		? registry_end_client(v->registry, &client, reason)
		: end_sessions_of(v, who, reason);

	users_wake_logins(v->users);
	return ended;
}
