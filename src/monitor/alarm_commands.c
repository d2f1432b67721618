/*
 * A table of what can be wrong, each row a function that looks and says so in a line. All of it is
 * read from what others keep anyway, at the moment of the question: nothing watches, nothing is
 * remembered, and an alarm is over when what it tells of is.
 *
 * Single failures are everyday life; that at least half of the newest requests fail is not. What an
 * administrator has told the server to refuse is no failure of it, however much that is.
 */
#include "monitor/alarm_commands.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/plural.h"
#include "state/advice.h"
#include "state/upstreams.h"

/* ---- places and descriptors ---- */

static void look_at_places(struct services *v, struct reply *r)
{
	const struct places *p = &v->places;

	if (places_are_closed(p))
		reply_add(r,
			"alarm:draining level:error text:The server stops: nobody is let in "
			"any more\n");
	else if (places_are_taken(p))
		reply_add(r,
			"alarm:saturated level:error text:All of the %zu workers have a client: "
			"who comes now has to wait; max_sessions allows more at the next start\n",
			p->total);
	else if (p->total > 1 && places_are_scarce(p))
		reply_add(r,
			"alarm:places level:warning text:Of %zu workers all but the last few have "
			"a client; max_sessions allows more at the next start\n",
			p->total);
}

static void look_at_descriptors(struct services *v, struct reply *r)
{
	const struct fdbudget *b = &v->budget;

	if (b->spare > 0 && atomic_load(&b->spare_used) >= b->spare)
		reply_add(r,
			"alarm:descriptors level:warning text:All of the %zu spare descriptors are "
			"in use: UDP and BIND are refused, lookups and connections are slower; "
			"ulimit -n allows more\n",
			(size_t)b->spare);
}

/* ---- others that it needs ---- */

static void tell_of_upstream(const struct upstream *u, int64_t now, struct reply *r)
{
	struct upstream_figures f = upstream_figures(u, now);

	if (strcmp(f.state, "up") != 0)
		reply_add(r,
			"alarm:upstream level:error text:Upstream %s (%s) does not work: %s; "
			"%llu failure%s\n",
			u->name, u->shown, f.fault, (unsigned long long)f.failures,
			plural(f.failures));
}

static void look_at_upstreams(struct services *v, struct reply *r)
{
	struct config *c = config_get(v->config);
	const struct upstreams *all = c->upstreams;
	int64_t now = clock_ms();

	for (size_t i = 0; all != NULL && i < all->count; i++)
		tell_of_upstream(&all->servers[i], now, r);
	config_release(c);
}

static void look_at_login_helper(struct services *v, struct reply *r)
{
	struct login_helper_trouble t;

	if (v->login_helper != NULL && login_helper_problem(v->login_helper, &t))
		reply_add(r,
			"alarm:auth_socket level:error text:Logins cannot be checked at %s: %s; "
			"%llu failure%s. Who is remembered is let in\n",
			login_helper_path(v->login_helper), t.text, (unsigned long long)t.failures,
			plural(t.failures));
}

static void tell_of_lost(struct reply *r, const char *alarm, uint64_t lost, const char *of)
{
	if (lost > 0)
		reply_add(r,
			"alarm:%s level:warning text:%llu line%s of the %s could not be written "
			"since the start: is its disk full?\n",
			alarm, (unsigned long long)lost, plural(lost), of);
}

static void look_at_logs(struct services *v, struct reply *r)
{
	tell_of_lost(r, "access_log", access_log_lost(v->access_log), "access log");
	tell_of_lost(r, "log", log_lost(), "log");
}

static void tell_of_names(const struct cluster_status *s, struct reply *r)
{
	if (s->is_copied)
		reply_add(r,
			"alarm:state_dir level:error text:Another node has the state_dir of this "
			"one, or a copy of it, so what both use counts as one's: stop one, and "
			"give it an empty one\n");
	if (s->namesakes > 0)
		reply_add(r,
			"alarm:node_name level:warning text:%zu other node%s %s, too: give each a "
			"node_name of its own\n",
			s->namesakes, s->namesakes == 1 ? " calls itself" : "s call themselves",
			s->node);
}

static void look_at_engine(struct services *v, struct reply *r)
{
	struct cluster_status status;

	if (v->cluster == NULL)
		return;
	cluster_look(v->cluster, clock_ms(), &status);
	if (!status.is_up && status.since_ms >= 0)
		reply_add(r,
			"alarm:shared level:error text:%s does not work for %lld s: %s; limits "
			"and bans of this node go on\n",
			status.engine, (long long)(status.since_ms / 1000), status.problem);
	if (status.grace_ms > 0)
		reply_add(r,
			"alarm:shared_grace level:warning text:Users whom nodes share may log in "
			"for another %lld s, and then not until %s answers\n",
			(long long)((status.grace_ms + 999) / 1000), status.engine);
	else if (status.grace_ms == 0)
		reply_add(r,
			"alarm:shared_grace level:error text:Users whom nodes share are refused "
			"until %s answers, which it has not for longer than shared_grace\n",
			status.engine);
	tell_of_names(&status, r);
}

/* ---- requests that fail ---- */

/* How the newest requests went. */
struct outcomes {
	unsigned all, failed;
	unsigned by_reason[END_REASONS];
};

static enum end_reason reason_of(const char *word)
{
	enum end_reason reason = 0;

	while (reason < END_REASONS && strcmp(end_reason_word(reason), word) != 0)
		reason++;
	return reason;
}

static bool is_among(enum end_reason reason, const enum end_reason *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (list[i] == reason)
			return true;
	}
	return false;
}

#define IS_AMONG(reason, list) is_among(reason, list, sizeof(list) / sizeof((list)[0]))

/* By rules and limits. */
static bool is_refused_as_told(enum end_reason reason)
{
	static const enum end_reason list[] = {END_CLIENT_REFUSED, END_DISABLED, END_EXPIRED,
		END_CLIENT_NOT_ALLOWED_FOR_USER, END_TOO_MANY_SESSIONS, END_QUOTA_REACHED,
		END_TARGET_DENIED};

	return IS_AMONG(reason, list);
}

static void count_entry(struct outcomes *o, const struct access_entry *e)
{
	enum end_reason reason = e->success ? END_REASONS : reason_of(e->reason);

	if (is_refused_as_told(reason))
		return;
	o->all++;
	o->failed += !e->success;
	if (reason < END_REASONS)
		o->by_reason[reason]++;
}

/* Without memory nothing is counted. */
static void count_outcomes(struct services *v, struct outcomes *o)
{
	enum { AT_ONCE = 16 };
	struct access_entry *entries = calloc(AT_ONCE, sizeof(*entries));
	struct access_cursor cursor;
	int64_t since = (int64_t)time(NULL) - ALARM_SECONDS;

	access_log_begin(v->access_log, &cursor, NULL, 0, ALARM_REQUESTS);
	while (entries != NULL && cursor.next != cursor.end) {
		size_t count = access_log_read(v->access_log, &cursor, entries, AT_ONCE);

		for (size_t i = 0; i < count; i++) {
			if (entries[i].time >= since)
				count_entry(o, &entries[i]);
		}
	}
	free(entries);
}

static enum end_reason most_frequent(const struct outcomes *o)
{
	enum end_reason most = 0;

	for (enum end_reason i = 1; i < END_REASONS; i++) {
		if (o->by_reason[i] > o->by_reason[most])
			most = i;
	}
	return most;
}

/* Those that tell of the line or of this server, not of what a client has asked for. */
static bool is_of_the_line(enum end_reason reason)
{
	static const enum end_reason list[] = {END_RELAY_FAILED, END_LOGIN_BUSY,
		END_LOGIN_NO_MEMORY, END_LOGIN_UNANSWERED, END_NO_LOGIN_HELPER, END_NAME_FAILED,
		END_HOST_UNREACHABLE, END_NETWORK_UNREACHABLE, END_CONNECT_TIMEOUT,
		END_NO_LOCAL_PORT, END_CONNECT_FAILED, END_UPSTREAMS_DOWN, END_UPSTREAM_FAILED,
		END_NO_SOCKET};

	return IS_AMONG(reason, list);
}

static void look_at_requests(struct services *v, struct reply *r)
{
	struct outcomes o = {.all = 0};
	enum end_reason most;
	const char *advice;

	count_outcomes(v, &o);
	if (o.all < ALARM_LEAST || o.failed * 2 < o.all)
		return;
	most = most_frequent(&o);
	advice = advice_find(most, "");
	reply_add(r,
		"alarm:failures level:%s text:Of the newest %u requests %u failed, most of them by "
		"%s%s%s\n",
		is_of_the_line(most) ? "error" : "warning", o.all, o.failed, end_reason_word(most),
		advice != NULL ? ": " : "", advice != NULL ? advice : "");
}

/* ---- bans ---- */

/* Those that came by themselves: somebody guesses passwords, or a program has an old one. */
static void look_at_bans(struct services *v, struct reply *r)
{
	struct ban_info *list;
	size_t count = 0, guessing = 0;

	if (v->bans == NULL || !bans_any(v->bans))
		return;
	list = bans_list(v->bans, bans_now(), &count);
	for (size_t i = 0; list != NULL && i < count; i++)
		guessing += list[i].by == BAN_BY_FAILURES;
	free(list);
	if (guessing > 0)
		reply_add(r,
			"alarm:bans level:warning text:%zu client%s banned for wrong passwords: "
			"BANS tells which, UNBAN lets them in\n",
			guessing, guessing == 1 ? " is" : "s are");
}

/* ---- the table ---- */

/* What ends everything comes first. */
static void (*const looks[])(struct services *v, struct reply *r) = {look_at_places,
	look_at_login_helper, look_at_upstreams, look_at_engine, look_at_requests,
	look_at_descriptors, look_at_logs, look_at_bans};

void alarm_command_alarms(const struct monitor_request *q, struct reply *r)
{
	reply_add(r, "OK\n");
	for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
		looks[i](q->services, r);
}
