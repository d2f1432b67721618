/*
 * Ends sessions. Who waits for a slow hash is woken, to see that he was told to end.
 */
#include "monitor/session_commands.h"

#include "base/clock.h"
#include "base/parse.h"
#include "base/plural.h"
#include "monitor/account_name.h"
#include "server/killing.h"
#include "state/cluster.h"

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

/* ---- KILL_USER ---- */

/* Why the other nodes are not told. */
static const char *find_obstacle(const struct cluster_status *status)
{
	return status->is_up ? "too many wait to be told" : "the engine does not work";
}

/* Behind what was ended here. */
static void add_others(const struct cluster_status *status, bool are_told, struct reply *r)
{
	size_t others = status->nodes - 1;

	if (are_told && others > 0)
		reply_add(r, " here, and %zu other node%s told", others, plural(others));
	else if (!are_told)
		reply_add(r, " here; the other nodes are not told: %s", find_obstacle(status));
	reply_add(r, "\n");
}

static void answer_kill(struct services *v, const char *name, size_t ended, struct reply *r)
{
	struct cluster_status status = {.nodes = 1};
	bool are_told = v->kills == NULL || kills_put(v->kills, name, END_KILLED);

	if (v->kills != NULL)
		cluster_look(v->cluster, clock_ms(), &status);
	if (ended == 0 && !are_told) {
		reply_error(r, "%s has no session here; the other nodes are not told: %s", name,
			find_obstacle(&status));
	} else if (ended == 0 && status.nodes == 1) {
		reply_error(r, "%s has no session", name);
	} else {
		reply_add(r, "OK %zu session%s of %s ended", ended, plural(ended), name);
		add_others(&status, are_told, r);
	}
}

void session_command_kill_user(const struct monitor_request *q, struct reply *r)
{
	const char *name = q->parameters[0];
	struct network client;

	if (account_client_parse(name, &client, r) >= 0)
		answer_kill(q->services, name, killing_end(q->services, name, END_KILLED), r);
}
