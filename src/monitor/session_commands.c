/*
 * Ends sessions. Who waits for a slow hash is woken, to see that he was told to end.
 */
#include "monitor/session_commands.h"

#include <string.h>
#include <strings.h>

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

/* `who` is a user, a group, or Anonymous. */
static size_t end_sessions_of(struct services *v, const char *who)
{
	size_t ended = registry_end_user(v->registry, who, strlen(who), END_KILLED);

	if (*who == '@')
		ended += session_end_group(v, who + 1, END_KILLED);
	if (strcasecmp(who, USERS_ANONYMOUS) == 0)
		ended += registry_end_user(v->registry, NULL, 0, END_KILLED);
	return ended;
}

void session_command_kill(const struct monitor_request *q, struct reply *r)
{
	int64_t id;

	if (!parse_number(q->parameters[0], &id)) {
		reply_error(r, "\"%s\": the id of a session is a number", q->parameters[0]);
	} else if (!registry_end(q->services->registry, (uint64_t)id, END_KILLED)) {
		reply_error(r, "There is no session %s", q->parameters[0]);
	} else {
		users_wake_logins(q->services->users);
		reply_add(r, "OK Session %s ended\n", q->parameters[0]);
	}
}

void session_command_kill_user(const struct monitor_request *q, struct reply *r)
{
	const char *name = q->parameters[0];
	struct services *v = q->services;
	struct network client;
	int is_client = account_client_parse(name, &client, r);
	size_t ended;

	if (is_client < 0)
		return;
	ended = is_client > 0 ? registry_end_client(v->registry, &client, END_KILLED)
			      : end_sessions_of(v, name);
	users_wake_logins(v->users);
	if (ended == 0)
		reply_error(r, "%s has no session", name);
	else
		reply_add(r, "OK %zu session%s of %s ended\n", ended, plural(ended), name);
}
