/*
 * Who is disabled keeps his limits. His sessions end before the answer, which counts them, goes
 * out.
 */
#include "monitor/disable_commands.h"

#include <stdlib.h>
#include <string.h>

#include "base/plural.h"
#include "monitor/limits_changes.h"
#include "monitor/limits_commands.h"
#include "server/killing.h"

static size_t end_sessions_of_account(struct services *v, const struct account_name *who)
{
	if (who->kind == ACCOUNT_GROUP)
		return killing_end_group(v, who->key + 1, END_DISABLED);
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

/* Who keeps it out, which may be a network or a group that it is in; "": nobody. */
static const char *find_keeper(
	struct services *v, const struct account_name *who, struct limit_sources *sources)
{
	struct limits_in_force f;
	const char *by;

	if (!limits_find_in_force(v, who, &f, sources) || !f.is_kept_out)
		return "";
	by = sources->of[LIMIT_DISABLED];
	return strncmp(by, LIMIT_BY_DISABLE, strlen(LIMIT_BY_DISABLE)) == 0
		? by + strlen(LIMIT_BY_DISABLE)
		: by;
}

static void say_not_disabled(struct services *v, const struct account_name *who, struct reply *r)
{
	struct limit_sources sources = {.of = {""}};
	const char *keeper = find_keeper(v, who, &sources);

	reply_error(r, "%s is not disabled%s%s%s", who->key,
		*keeper != '\0' ? " by itself, but " : "", keeper, *keeper != '\0' ? " is" : "");
}

/* False, and `r` says why, also when it is so already. */
static bool set_user_disabled(
	struct services *v, const struct account_name *who, bool disabled, struct reply *r)
{
	struct limits own;
	bool was;

	(void)users_own_limits(v->users, who->key, &own);
	was = limits_have(&own, LIMIT_DISABLED) && own.is_disabled;
	if (!was && !disabled) {
		say_not_disabled(v, who, r);
		return false;
	}
	if (was == disabled || (disabled && is_only_admin(v, who->key))) {
		reply_error(r, "%s %s", who->key,
			was ? "is disabled already" : "is the last admin and stays");
		return false;
	}
	own.said[LIMIT_DISABLED] = disabled ? LIMIT_SAID : LIMIT_UNSAID;
	own.is_disabled = disabled;
	return limits_change_user(v, who->key, &own, r);
}

static bool set_said_disabled(
	struct services *v, const struct account_name *who, bool disabled, struct reply *r)
{
	bool was = standing_read(v->standing, STANDING_DISABLED, who->key, NULL, NULL);
	bool is_news = was != disabled;

	if (!is_news && disabled)
		reply_error(r, "%s is disabled already", who->key);
	else if (!is_news)
		say_not_disabled(v, who, r);
	else if (standing_put(v->standing, STANDING_DISABLED, who->key, disabled ? "yes" : NULL) <
		0)
		reply_error(r, "Out of memory");
	else
		return true;
	return false;
}

static bool set_disabled(
	const struct monitor_request *q, bool disabled, struct account_name *who, struct reply *r)
{
	struct services *v = q->services;

	if (!account_name_find(v, q->parameters[0], who, r))
		return false;
	return who->kind == ACCOUNT_USER ? set_user_disabled(v, who, disabled, r)
					 : set_said_disabled(v, who, disabled, r);
}

void disable_command_disable(const struct monitor_request *q, struct reply *r)
{
	struct account_name who;
	char term[USER_TERM_MAX];
	size_t ended;

	if (!set_disabled(q, true, &who, r))
		return;
	ended = end_sessions_of_account(q->services, &who);
	limits_take_in(q);
	/* Those that have begun meanwhile. */
	(void)end_sessions_of_account(q->services, &who);
	users_wake_logins(q->services->users);
	reply_add(r, "OK %s disabled, %zu session%s ended%s\n", who.key, ended, plural(ended),
		limits_term(q->services, &who, term));
}

void disable_command_enable(const struct monitor_request *q, struct reply *r)
{
	struct limit_sources sources = {.of = {""}};
	struct account_name who;
	char term[USER_TERM_MAX];
	const char *keeper;

	if (!set_disabled(q, false, &who, r))
		return;
	limits_take_in(q);
	keeper = find_keeper(q->services, &who, &sources);
	reply_add(r, "OK %s enabled%s%s%s%s\n", who.key, *keeper != '\0' ? ", but " : "", keeper,
		*keeper != '\0' ? " is disabled" : "", limits_term(q->services, &who, term));
}
