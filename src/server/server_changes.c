/*
 * What changes while the server runs, and what is to follow: limits are gone through, jobs look at
 * their times again, and sessions that the rules would refuse by now are ended where that is
 * wanted.
 */
#include "server/server_parts.h"

#include <stdio.h>

#include "server/change.h"
#include "server/temporary.h"

const struct config *server_base(const struct server *s)
{
	return s->site.base;
}

/* There are no listeners any more to be changed. */
static bool is_stopping(const struct server *s, char *reply)
{
	if (s->stopping)
		snprintf(reply, CHANGE_REPLY_MAX, "the server is stopping");
	return s->stopping;
}

/* Sessions that were let in before the rules changed, and are about to connect, are the job's. */
static void follow_rules(struct server *s, unsigned rule)
{
	recheck_follow(&s->recheck, rule);
	janitor_call(s->janitor, &s->recheck.job);
}

static enum recheck_when recheck_wanted(const struct server *s)
{
	struct config *c = config_get(s->services.config);
	enum recheck_when wanted = (enum recheck_when)c->settings.recheck;

	config_release(c);
	return wanted;
}

static int reload_supervised(struct server *s, bool cuts, char reply[CHANGE_REPLY_MAX])
{
	int result;

	supervision_reloads(&s->supervision);
	result = change_reload(&s->site, cuts, reply);
	supervision_has_reloaded(&s->supervision, result < 0 ? reply : NULL);
	return result;
}

int server_reload(struct server *s, bool cuts, char reply[CHANGE_REPLY_MAX])
{
	int result = is_stopping(s, reply) ? -1 : reload_supervised(s, cuts, reply);

	if (result < 0)
		return result;
	limiting_look(&s->limiting);
	janitor_look_again(s->janitor);
	if (cuts || recheck_wanted(s) == RECHECK_ALL)
		follow_rules(s, RECHECK_ANY_RULE);
	return result;
}

int server_set(struct server *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX])
{
	int result = is_stopping(s, reply) ? -1 : change_set(&s->site, setting, value, reply);

	if (result < 0)
		return result;
	limiting_look(&s->limiting);
	janitor_look_again(s->janitor);
	if (recheck_wanted(s) == RECHECK_ALL) {
		recheck_sessions(&s->services, RECHECK_ANY_RULE, true);
		follow_rules(s, RECHECK_ANY_RULE);
	}
	return result;
}

int server_apply_limits(struct server *s)
{
	struct config *c = config_get(s->services.config);
	int result = limiting_apply(&s->services, c);

	config_release(c);
	limiting_look(&s->limiting);
	return result;
}

bool server_take_users(struct server *s)
{
	struct services *v = &s->services;
	bool is_more;

	if (shared_accounts_take(v, &is_more)) {
		limiting_look(&s->limiting);
		users_wake_logins(v->users);
		keeper_call(s->keeper);
	}
	shared_users_settle(v->shared_users);
	return is_more;
}

/* ---- temporary rules ---- */

/* What it denies ends whatever `recheck` says, and with that also what others deny. */
static size_t end_refused(struct server *s, unsigned rule)
{
	unsigned counting = recheck_wanted(s) == RECHECK_NO ? rule : RECHECK_ANY_RULE;
	size_t ended = recheck_sessions(&s->services, counting, true);

	follow_rules(s, counting);
	return ended;
}

int server_add_rule(struct server *s, struct server_rule *rule)
{
	int result =
		temporary_add(&s->services, rule->text, rule->lasts, &rule->number, rule->error);

	if (result == 0)
		rule->ended = end_refused(s, rule->number);
	return result;
}

int server_drop_rule(struct server *s, unsigned number, char error[CHANGE_REPLY_MAX])
{
	int dropped = temporary_drop(&s->services, number, error);

	if (dropped > 0 && recheck_wanted(s) != RECHECK_NO)
		(void)end_refused(s, RECHECK_ANY_RULE);
	return dropped;
}
