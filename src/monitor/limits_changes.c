/*
 * Users' limits are written to the users file, or shared with other nodes, those of groups and
 * clients stand (standing.h) over the configuration; then all that is said is taken in anew
 * (server_apply_limits()), so live sessions follow before the answer goes out. What has to end for
 * it does so by the janitor's job at once.
 */
#include "monitor/limits_changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

const char *limits_users_term(struct services *v, const char *name, char text[USER_TERM_MAX])
{
	if (v->shared_users != NULL)
		return user_term(v, user_is_shared(v, name), "", text);
	return users_are_kept(v->users) ? "" : " (until the next start)";
}

const char *limits_term(
	struct services *v, const struct account_name *who, char text[USER_TERM_MAX])
{
	return who->kind == ACCOUNT_USER ? limits_users_term(v, who->key, text)
					 : standing_term(v->standing);
}

void limits_take_in(const struct monitor_request *q)
{
	(void)server_apply_limits(q->server);
	users_wake_logins(q->services->users);
}

void limits_add_word(struct reply *r, const char *key, const char *word)
{
	char escaped[4 * LEDGER_NAME_MAX + 1];

	reply_add(r, "%s:%s", key, escape_word(word, strlen(word), escaped, sizeof(escaped)));
}

/* False, and `r` says why. */
bool limits_change_user(
	struct services *v, const char *name, const struct limits *own, struct reply *r)
{
	char *text = limits_format(own), error[USERS_ERROR_MAX] = "Out of memory";
	bool changed = text != NULL && users_set_attributes(v->users, name, text, error) == 0;

	free(text);
	if (!changed)
		reply_error(r, "%s", error);
	return changed;
}
