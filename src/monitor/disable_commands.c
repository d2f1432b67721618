/*
 * Who is disabled keeps his limits. His sessions end before the answer, which counts them, goes
 * out.
 */
#include "monitor/disable_commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/plural.h"
#include "monitor/limits_changes.h"
#include "monitor/session_commands.h"

static size_t end_sessions_of_account(struct services *v, const struct account_name *who)
{
	if (who->kind == ACCOUNT_GROUP)
		return session_end_group(v, who->key + 1, END_DISABLED);
	if (who->kind == ACCOUNT_CLIENT)
		return registry_end_client(v->registry, &who->client, END_DISABLED);
	return registry_end_user(v->registry, who->key, strlen(who->key), END_DISABLED);
}

static bool is_only_admin(struct services *v, const char *name)
{
	struct user_info info;

	return users_get(v->users, name, &info) && info.role == USER_ROLE_ADMIN &&
		users_count_admins(v->users) == 1;
}

/* False, and `r` says why, also when it is so already. */
static bool set_user_disabled(struct services *v, const char *name, bool disabled, struct reply *r)
{
	struct limits own;
	bool was;

	(void)users_own_limits(v->users, name, &own);
	was = limits_have(&own, LIMIT_DISABLED) && own.is_disabled;
	if (was == disabled || (disabled && is_only_admin(v, name))) {
		reply_error(r, "%s %s", name,
			was != disabled    ? "is the last admin and stays"
				: disabled ? "is disabled already"
					   : "is not disabled");
		return false;
	}
	own.said[LIMIT_DISABLED] = disabled ? LIMIT_SAID : LIMIT_UNSAID;
	own.is_disabled = disabled;
	return limits_change_user(v, name, &own, r);
}

static bool set_said_disabled(
	struct services *v, const struct account_name *who, bool disabled, struct reply *r)
{
	char *was = standing_get(v->standing, STANDING_DISABLED, who->key);
	bool is_news = (was != NULL) != disabled;

	free(was);
	if (!is_news)
		reply_error(
			r, "%s is %s", who->key, disabled ? "disabled already" : "not disabled");
	else if (standing_put(v->standing, STANDING_DISABLED, who->key, disabled ? "yes" : NULL) <
		0)
		reply_error(r, "Out of memory");
	else
		return true;
	return false;
}

static bool set_disabled(
	const struct request *q, bool disabled, struct account_name *who, struct reply *r)
{
	struct services *v = q->services;

	if (!account_name_find(v, q->parameters[0], who, r))
		return false;
	return who->kind == ACCOUNT_USER ? set_user_disabled(v, who->key, disabled, r)
					 : set_said_disabled(v, who, disabled, r);
}

void disable_command_disable(const struct request *q, struct reply *r)
{
	struct account_name who;
	size_t ended;

	if (!set_disabled(q, true, &who, r))
		return;
	ended = end_sessions_of_account(q->services, &who);
	limits_take_in(q);
	/* Those that have begun meanwhile. */
	(void)end_sessions_of_account(q->services, &who);
	hashing_wake(q->services->hashing);
	reply_add(r, "OK %s disabled, %zu session%s ended%s\n", who.key, ended, plural(ended),
		limits_term(q->services, &who));
}

void disable_command_enable(const struct request *q, struct reply *r)
{
	struct account_name who;

	if (!set_disabled(q, false, &who, r))
		return;
	limits_take_in(q);
	reply_add(r, "OK %s enabled%s\n", who.key, limits_term(q->services, &who));
}
