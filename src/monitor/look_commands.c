/*
 * Nothing is changed here. Listings that can be long are sources (reply.h), which listings.c has.
 */
#include "monitor/look_commands.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/parse.h"
#include "base/version.h"
#include "monitor/account_name.h"
#include "monitor/history_commands.h"
#include "monitor/listings.h"
#include "monitor/upstream_listing.h"
#include "server/confine.h"
#include "server/sampling.h"
#include "server/statistics.h"

static void add_figure(void *context, const char *name, uint64_t value, const char *unit)
{
	reply_add(context, "%s:%llu%s\n", name, (unsigned long long)value, unit);
}

void look_command_stats(const struct monitor_request *q, struct reply *r)
{
	char words[CONFINE_WORDS_MAX];

	reply_add(r, "OK\n");
	statistics_each(q->services, add_figure, r);
	reply_add(r, "version:%s\n", SOCKS5D_VERSION);
	reply_add(r, "confined by:%s\n", confine_words(confine_in_force(), words));
	upstream_listing_add_figures(q->services, r);
}

void look_command_version(const struct monitor_request *q, struct reply *r)
{
	(void)q;
	reply_add(r, "OK socks5d %s\n", SOCKS5D_VERSION);
}

void look_command_connections(const struct monitor_request *q, struct reply *r)
{
	struct network client;
	int is_client;

	if (q->count == 0) {
		listings_connections(q->services, r);
		return;
	}
	is_client = account_client_parse(q->parameters[0], &client, r);
	if (is_client > 0)
		listings_connections_of(q->services, NULL, &client, r);
	else if (is_client == 0)
		listings_connections_of(
			q->services, account_session_user(q->parameters[0]), NULL, r);
}

void look_command_users(const struct monitor_request *q, struct reply *r)
{
	listings_users(q->services, r);
}

void look_command_accounts(const struct monitor_request *q, struct reply *r)
{
	listings_accounts(q->services, r);
}

void look_command_clients(const struct monitor_request *q, struct reply *r)
{
	listings_clients(q->services, r);
}

void look_command_upstreams(const struct monitor_request *q, struct reply *r)
{
	upstream_listing(q->services, r);
}

/* How many of the newest, or of which days. False when it is neither; then `r` says so. */
static bool take_choice(const char *word, struct listings_entries *out, struct reply *r)
{
	int32_t today = day_of((int64_t)time(NULL)), day;
	struct history_period days = {.from = 0};
	const char *wrong;
	int64_t newest = 0;

	if (parse_number(word, &newest) ? newest == 0
					: !history_period_parse(word, NULL, today, &days, &wrong)) {
		reply_error(r,
			"\"%s\": legal is a count from 1 on, today, yesterday, week, month, or a "
			"date such as 2026-01-31",
			word);
		return false;
	}
	if (newest > 0)
		out->newest = (uint64_t)newest;
	out->from = days.from;
	out->to = day_parse(word, &day) ? day : days.to;
	return true;
}

void look_command_access_log(const struct monitor_request *q, struct reply *r)
{
	const char *user = q->count > 0 ? q->parameters[0] : "*";
	struct listings_entries wanted = {.newest = UINT64_MAX};
	struct network client;
	int is_client;

	if (q->count > 1 && !take_choice(q->parameters[1], &wanted, r))
		return;
	is_client = account_client_parse(user, &client, r);
	if (is_client < 0)
		return;
	if (is_client > 0)
		wanted.client = &client;
	else if (strcmp(user, "*") != 0)
		wanted.user = account_session_user(user);
	listings_access_log(q->services, &wanted, r);
}

#define TRAFFIC_SECONDS 60 /* that are shown where nothing is asked for */

/* The scale with that step, or else the finest that reaches so far back; false, and `r` says so, if
 * there is none. */
static bool find_scale(struct reply *r, int64_t seconds, int64_t step, size_t *out)
{
	for (*out = 0; *out < THROUGHPUT_SCALES; (*out)++) {
		const struct throughput_scale *s = &throughput_scales[*out];

		if (step == 0 ? seconds <= s->reach : step == s->step) {
			if (seconds >= 1 && seconds <= s->reach)
				return true;
			reply_error(r, "\"%lld\": with a step of %lld the seconds are 1 to %lld",
				(long long)seconds, (long long)s->step, (long long)s->reach);
			return false;
		}
	}
	if (step == 0)
		reply_error(r, "\"%lld\": the seconds are 1 to 86400", (long long)seconds);
	else
		reply_error(r, "\"%lld\": the step is 1, 60 or 300 seconds", (long long)step);
	return false;
}

void look_command_traffic(const struct monitor_request *q, struct reply *r)
{
	int64_t numbers[] = {TRAFFIC_SECONDS, 0}, now = clock_ms();
	size_t scale;

	for (size_t i = 0; i < q->count; i++) {
		if (!parse_number(q->parameters[i], &numbers[i]) || numbers[i] == 0) {
			reply_error(r, "\"%s\": seconds and step are numbers from 1 on",
				q->parameters[i]);
			return;
		}
	}
	if (!find_scale(r, numbers[0], numbers[1], &scale))
		return;
	sampling_take(q->services, now);
	listings_traffic(q->services, scale, numbers[0], now, r);
}
