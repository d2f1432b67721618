/*
 * Ends sessions. Who waits for a slow hash is woken, to see that he was told to end.
 */
#include "monitor/session_commands.h"

#include <string.h>

#include "base/parse.h"
#include "base/plural.h"
#include "monitor/account_name.h"

struct group_end {
	struct services *services;
	enum end_reason reason;
	size_t ended;
};

static void end_user_of_group(void *context, const char *name)
{
	struct group_end *e = context;

	e->ended += registry_end_user(e->services->registry, name, strlen(name), e->reason);
}

size_t session_end_group(struct services *v, const char *group, enum end_reason reason)
{
	struct group_end e = {.services = v, .reason = reason};
	struct config *c = config_get(v->config);
	const struct client_group *clients =
		client_groups_find(&c->settings.client_groups, group, strlen(group));

	account_each_in_group(v, group, end_user_of_group, &e);
	for (size_t i = 0; clients != NULL && i < clients->count; i++)
		e.ended += registry_end_client(v->registry, &clients->networks[i], reason);
	config_release(c);
	return e.ended;
}

/* `who` is a user, or a client by its address. */
static size_t end_sessions_of(const struct request *q, const char *who)
{
	struct registry *registry = q->services->registry;
	struct network client;
	/* No user has the name of an address or a network. */
	size_t ended = network_parse(who, strlen(who), &client)
		? registry_end_client(registry, &client, END_KILLED)
		: registry_end_user(registry, who, strlen(who), END_KILLED);

	if (*who == '@')
		ended += session_end_group(q->services, who + 1, END_KILLED);
	if (strcmp(who, USERS_ANONYMOUS) == 0)
		ended += registry_end_user(registry, NULL, 0, END_KILLED);
	hashing_wake(q->services->hashing);
	return ended;
}

void session_command_kill(const struct request *q, struct reply *r)
{
	int64_t id;

	if (!parse_number(q->parameters[0], &id)) {
		reply_error(r, "\"%s\": the id of a session is a number", q->parameters[0]);
	} else if (!registry_end(q->services->registry, (uint64_t)id, END_KILLED)) {
		reply_error(r, "There is no session %s", q->parameters[0]);
	} else {
		hashing_wake(q->services->hashing);
		reply_add(r, "OK Session %s ended\n", q->parameters[0]);
	}
}

void session_command_kill_user(const struct request *q, struct reply *r)
{
	const char *name = q->parameters[0];
	size_t ended = end_sessions_of(q, name);

	if (ended == 0)
		reply_error(r, "%s has no session", name);
	else
		reply_add(r, "OK %zu session%s of %s ended\n", ended, plural(ended), name);
}
