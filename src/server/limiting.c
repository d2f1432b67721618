/*
 * Sessions and relays hold themselves to limits, so what is left to a job is what nobody comes by
 * for: the sessions that move nothing when a quota is used up, periods and users that end, lines in
 * the log, and that what is used is noted where it outlives the server. It comes every few seconds
 * while anybody has a quota or may come with one, or is kept out and still has sessions, at the
 * next border of a period, and when an account comes to its mark; without all of these, and without
 * anybody who expires, it sleeps.
 *
 * The clock that people read may be set: so nobody sleeps for longer than a minute by it.
 */
#include "server/limiting.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/helper_groups.h"
#include "state/kept_use.h"
#include "state/ledger_limits.h"

#define PERIOD_MS 3000
#define LONGEST_SECONDS 60
#define SWEEP_SECONDS 60

/* ---- what is said ---- */

int limiting_apply(struct services *v, struct config *c)
{
	if (limit_book_read(v->limits, c, v->standing) < 0)
		return -1;
	helper_groups_follow(v, c);
	if (users_follow(v->users, v->limits) < 0 || ledger_limit_clients(v->ledger) < 0)
		return -1;
	return 0;
}

/* ---- what -n says ---- */

static bool has_user_with_quota(struct users *u)
{
	bool has_quota = false;
	size_t count = 0;
	const char **names = users_names(u, &count);

	for (size_t i = 0; names != NULL && i < count && !has_quota; i++) {
		struct limits own;

		has_quota = users_own_limits(u, names[i], &own) && limits_have(&own, LIMIT_QUOTA);
	}
	free(names);
	return has_quota;
}

static bool is_group_of_clients(const struct settings *s, const char *group)
{
	return client_groups_find(&s->client_groups, group, strlen(group)) != NULL;
}

static void warn_of_group_rates(const struct services *v, const struct settings *s)
{
	for (size_t i = 0; i < s->group_rates.count; i++) {
		const char *group = s->group_rates.groups[i].name;

		if (!is_group_of_clients(s, group) && !users_have_group(v->users, group))
			log_message(LOG_WARN,
				"group_rate: there is no group @%s, of users or of clients", group);
	}
}

static void warn_of_group(const struct limit_line *line, const char *problem, const char *group)
{
	char place[SETTING_PLACE_MAX];

	setting_place_put(&line->place, place, sizeof(place));
	log_message(LOG_WARN, "%s%s @%s", place, problem, group);
}

static void warn_of_groups(const struct services *v, const struct settings *s)
{
	for (size_t i = 0; i < s->group_defaults.count; i++) {
		const struct limit_line *line = &s->group_defaults.lines[i];

		if (!users_have_group(v->users, line->holders[0].group))
			warn_of_group(line, "group_defaults: no user is in the group",
				line->holders[0].group);
	}
	for (size_t i = 0; i < s->client_limits.count; i++) {
		const struct limit_line *line = &s->client_limits.lines[i];

		for (size_t k = 0; k < line->count; k++) {
			const char *group = line->holders[k].group;

			if (group != NULL && !is_group_of_clients(s, group))
				warn_of_group(
					line, "client_limits: there is no client_group", group);
		}
	}
}

void limiting_warn(const struct services *v, const struct settings *s)
{
	if ((has_user_with_quota(v->users) || limit_book_has_quota_in(s)) &&
		s->state_dir[0] == '\0')
		log_message(LOG_WARN,
			"there are quotas, and state_dir is not set: each start of the server lets "
			"them start anew");
	warn_of_groups(v, s);
	warn_of_group_rates(v, s);
}

/* ---- sessions that must end ---- */

/* Who has not been admitted yet is refused there, with an answer, which a reset would overtake. */
static void end_account(struct services *v, const struct ledger_account *a, bool anonymous_only,
	enum end_reason why)
{
	struct session_owner owner = {.user = a->name, .user_len = a->name_len};

	if (a->name_len == 0) {
		owner.client = &a->client;
		owner.is_anonymous = anonymous_only;
	}
	(void)registry_end_admitted(v->registry, &owner, why);
}

static enum end_reason reason_of_bar(enum login_result bar)
{
	if (bar == LOGIN_DISABLED)
		return END_DISABLED;
	if (bar == LOGIN_EXPIRED)
		return END_EXPIRED;
	return bar == LOGIN_NOT_FROM_HERE ? END_CLIENT_NOT_ALLOWED_FOR_USER : END_REASONS;
}

/* Those of users who may not be there now: because they are kept out, have expired, or come from
 * where they may not. */
static void end_barred_sessions(struct services *v)
{
	struct session_info info;
	size_t count = 0;
	struct session_ref *refs = registry_list(v->registry, &count);

	for (size_t i = 0; refs != NULL && i < count; i++) {
		enum end_reason why;

		if (!registry_get(v->registry, &refs[i], &info) || info.user_len == 0 ||
			info.phase == PHASE_CLOSING)
			continue;
		why = reason_of_bar(users_bar(v->users, info.user, info.user_len, &info.client));
		if (why != END_REASONS)
			(void)registry_end_live(v->registry, &refs[i], why);
	}
	free(refs);
}

/* ---- accounts ---- */

static void log_use(const struct ledger_account *a)
{
	struct log_line line;
	const struct allowance_news *n = &a->news;

	log_begin(&line, LOG_INFO, n->passed == 100 ? "quota used up" : "quota almost used up");
	log_text(&line, a->name_len > 0 ? "user" : "client", a->name);
	log_number(&line, "percent", n->passed);
	log_number(&line, "used", (int64_t)n->sum.used);
	if (n->sum.used > n->use.used)
		log_number(&line, "on_other_nodes", (int64_t)(n->sum.used - n->use.used));
	log_number(&line, "quota", (int64_t)(n->quota.bytes + n->sum.extra));
	log_end(&line);
}

static void see_to_account(struct services *v, const struct ledger_account *a)
{
	const struct allowance_news *n = &a->news;

	if (n->passed > 0)
		log_use(a);
	if (a->sessions == 0)
		return;
	if (n->is_kept_out)
		end_account(v, a, false, END_DISABLED);
	else if (n->has_quota && n->is_spent && n->over == OVER_CUT)
		end_account(v, a, n->is_of_anonymous, END_QUOTA_REACHED);
}

/* What is found of all accounts. */
struct round {
	bool has_quotas;
	bool has_expired; /* somebody with sessions */
	bool has_kept_out; /* likewise */
	bool has_news; /* to be kept */
	int64_t due; /* seconds since 1970 */
};

static struct round look_at_accounts(struct services *v, int64_t now)
{
	struct round r = {.due = INT64_MAX};
	size_t count = 0;
	struct ledger_account *accounts = ledger_look_at_limits(v->ledger, now, &count);

	if (accounts == NULL)
		r.has_quotas = true; /* without memory: again in a moment */
	/* Whoever comes with a quota by that wakes nobody. */
	r.has_quotas |= limit_book_has_quotas(v->limits);
	for (size_t i = 0; accounts != NULL && i < count; i++) {
		const struct allowance_news *n = &accounts[i].news;

		see_to_account(v, &accounts[i]);
		r.has_quotas |= n->has_quota;
		r.has_expired |= n->is_expired && accounts[i].sessions > 0;
		r.has_kept_out |= n->is_kept_out && accounts[i].sessions > 0;
		r.has_news |= n->use_has_changed;
		r.due = n->due < r.due ? n->due : r.due;
	}
	free(accounts);
	return r;
}

/* What is kept of quotas that count no more is taken away at first, now and then, and when the
 * clock was set back. */
static bool sweep_kept_use(struct limiting *l, int64_t wall)
{
	if (wall >= l->swept && wall - l->swept < SWEEP_SECONDS)
		return false;
	l->swept = wall;
	return kept_use_sweep(l->services->standing, l->services->limits, wall);
}

/* In milliseconds from now; CLOCK_NEVER when there is nothing to look for. Of those who must end
 * some may have been admitted just before, and not got on. */
static int64_t next_look(const struct round *r, int64_t wall)
{
	bool is_soon = r->has_quotas || r->has_kept_out;
	int64_t wait_ms = LONGEST_SECONDS * INT64_C(1000);

	if (r->due == INT64_MAX && !is_soon)
		return CLOCK_NEVER;
	if (r->due - wall < LONGEST_SECONDS)
		wait_ms = r->due > wall ? (r->due - wall) * 1000 : 100;
	return is_soon && wait_ms > PERIOD_MS ? PERIOD_MS : wait_ms;
}

static int64_t run_limiting(void *context, int64_t now)
{
	struct limiting *l = context;
	int64_t wall = (int64_t)time(NULL), wait_ms;
	bool is_changed = atomic_exchange(&l->is_changed, false);
	struct round r = look_at_accounts(l->services, wall);

	if (is_changed || r.has_expired)
		end_barred_sessions(l->services);
	if (sweep_kept_use(l, wall) || r.has_news)
		keeper_call(l->keeper);
	wait_ms = next_look(&r, wall);
	return wait_ms == CLOCK_NEVER ? CLOCK_NEVER : now + wait_ms;
}

static void wake_limiting(void *context)
{
	struct limiting *l = context;

	janitor_call(l->janitor, &l->job);
}

void limiting_init(struct limiting *l, struct services *services, struct janitor *janitor,
	struct keeper *keeper)
{
	*l = (struct limiting){.services = services,
		.janitor = janitor,
		.keeper = keeper,
		.alarm = {.ring = wake_limiting, .context = l},
		.job = {.name = "limits", .run = run_limiting, .context = l}};
	registry_set_mark_alarm(services->registry, &l->alarm);
}

void limiting_look(struct limiting *l)
{
	atomic_store(&l->is_changed, true);
	if (l->janitor != NULL)
		janitor_call(l->janitor, &l->job);
}

void limiting_finish(struct limiting *l)
{
	if (l->services != NULL)
		(void)look_at_accounts(l->services, (int64_t)time(NULL));
}
