/*
 * Whom a ban is for depends on where a node is: a client of IPv6 is its whole network, but for
 * nodes on that network only its address. So the words of a ban may stand under another name than
 * this node would give the client, and whoever takes them back must do so under that name.
 */
#include "server/sharing_parts.h"

#include <string.h>

/* Beyond these a name is not known: then the node that gave it has to lift the ban itself. */
#define NAMES_MOST BANS_MOST

void sharing_note_ban_name(struct sharing *s, const char *name, const char *client)
{
	if (strcmp(name, client) != 0 &&
		(told_value(s->ban_names, name) != NULL || told_count(s->ban_names) < NAMES_MOST))
		told_note(s->ban_names, name, client);
}

struct ask {
	struct sharing *s;
	const char *key, *client;
	const char *value; /* NULL: it is to go */
	char *error;
	int result;
};

/* True: the name goes. */
static bool ask_name(void *context, const char *name, const char *client)
{
	struct ask *ask = context;

	if (ask->result < 0 || strcmp(client, ask->client) != 0)
		return false;
	if (ask->value != NULL) {
		ask->result =
			sharing_tell_field(ask->s, ask->key, "ban", name, ask->value, ask->error);
		return false;
	}
	SHARING_ASK(ask->s, "HDEL", ask->key, name);
	ask->result = sharing_settle_batch(ask->s, ask->error);
	return ask->result == 0;
}

int sharing_tell_ban_names(
	struct sharing *s, const char *key, const char *client, const char *value, char *error)
{
	struct ask ask = {.s = s, .key = key, .client = client, .value = value, .error = error};

	told_sift(s->ban_names, ask_name, &ask);
	return ask.result;
}
