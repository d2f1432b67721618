/*
 * Ends sessions. Who waits for a slow hash is woken, to see that he was told to end.
 */
#include "monitor/session_commands.h"

#include "base/parse.h"
#include "base/plural.h"
#include "monitor/account_name.h"
#include "server/killing.h"

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
	size_t ended;

	if (account_client_parse(name, &client, r) < 0)
		return;
	ended = killing_end(v, name, END_KILLED);
	if (ended == 0)
		reply_error(r, "%s has no session", name);
	else
		reply_add(r, "OK %zu session%s of %s ended\n", ended, plural(ended), name);
}
