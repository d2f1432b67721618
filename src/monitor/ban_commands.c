/*
 * A ban by command begins before its sessions are ended: who comes in between is closed at the
 * door. What it is for is said in the answer, since an IPv6 address stands for its whole network,
 * as it does wherever clients are counted.
 */
#include "monitor/ban_commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "base/plural.h"
#include "base/timestamp.h"
#include "monitor/account_name.h"
#include "proxy/ban_log.h"

/* ---- BANS ---- */

/* All of one moment, however slowly they are read. */
struct ban_listing {
	struct ban_info *bans;
	size_t count;
	size_t at;
};

static void add_time(struct reply *r, const char *key, int64_t when)
{
	char date[TIMESTAMP_DATE], zone[TIMESTAMP_ZONE];

	timestamp_format(when, date, zone);
	reply_add(r, " %s:%.*s", key, TIMESTAMP_DATE, date);
}

static void add_ban(struct reply *r, const struct ban_info *ban)
{
	char client[NETWORK_TEXT_MAX];

	reply_add(r, "client:%s by:%s failures:%u refused:%llu",
		network_format(&ban->client, client), ban_cause_word(ban->by), ban->failures,
		(unsigned long long)ban->refused);
	add_time(r, "begun", ban->begun);
	if (ban->left == CLOCK_NEVER) {
		reply_add(r, " until:- left:-\n");
		return;
	}
	add_time(r, "until", ban->until);
	reply_add(r, " left:%lld\n", (long long)(ban->left + 999) / 1000);
}

static bool more_bans(void *state, struct reply *r)
{
	struct ban_listing *l = state;

	for (; l->at < l->count && r->len < REPLY_CHUNK; l->at++)
		add_ban(r, &l->bans[l->at]);
	return l->at < l->count;
}

static void free_bans(void *state)
{
	struct ban_listing *l = state;

	free(l->bans);
	free(l);
}

void ban_commands_list(const struct monitor_request *q, struct reply *r)
{
	struct ban_listing *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->bans = bans_list(q->services->bans, bans_now(), &l->count);
	if (l == NULL || l->bans == NULL) {
		free(l);
		reply_error(r, "Out of memory");
		return;
	}
	reply_add(r, "OK\n");
	reply_continue(r, more_bans, free_bans, l);
}

/* ---- BAN ---- */

/* False when it is none; then `r` says what is legal. */
static bool parse_whom(const char *word, struct network *who, struct reply *r)
{
	int is_client = account_client_parse(word, who, r);

	if (is_client == 0)
		reply_error(r, "\"%s\": legal is an address, or a network such as 192.168.1.0/24",
			word);
	return is_client > 0;
}

static bool parse_time(const char *word, int64_t *ms, struct reply *r)
{
	char least[32], most[32];

	if (parse_duration(word, ms) && *ms >= BAN_LEAST_MS && *ms <= BAN_LONGEST_MS)
		return true;
	reply_error(r, "\"%s\": legal is a time from %s to %s (30s, 5m, 2h, 1d; without a unit: s)",
		word, parse_format_duration(BAN_LEAST_MS, least),
		parse_format_duration(BAN_LONGEST_MS, most));
	return false;
}

static void answer_ban(
	const struct monitor_request *q, const struct ban_info *ban, size_t ended, struct reply *r)
{
	char client[NETWORK_TEXT_MAX], lasts[32];
	bool ends = ban->lasts != CLOCK_NEVER;

	reply_add(r, "OK %s banned%s%s, %zu session%s ended%s\n",
		network_format(&ban->client, client), ends ? " for " : "",
		ends ? parse_format_duration(ban->lasts, lasts) : "", ended, plural(ended),
		standing_term(q->services->standing));
}

void ban_commands_ban(const struct monitor_request *q, struct reply *r)
{
	struct services *v = q->services;
	int64_t lasts = CLOCK_NEVER;
	struct network who;
	struct ban_info ban;
	size_t ended;

	if (!parse_whom(q->parameters[0], &who, r) ||
		(q->count > 1 && !parse_time(q->parameters[1], &lasts, r)))
		return;
	if (bans_put(v->bans, &who, lasts, bans_now(), &ban) < 0) {
		reply_error(r, "%s",
			errno == ENOSPC ? "Too many are banned: UNBAN ends a ban"
					: "Out of memory");
		return;
	}
	ban_log_begun(&ban);
	ended = registry_end_client(v->registry, &ban.client, END_BANNED);
	users_wake_logins(v->users);
	answer_ban(q, &ban, ended, r);
}

/* ---- UNBAN ---- */

static void lift_all(struct services *v, struct reply *r)
{
	struct ban_info lifted;
	size_t count = 0;

	for (; bans_lift(v->bans, NULL, bans_now(), &lifted); count++)
		ban_log_ended(&lifted, true);
	if (count == 0)
		reply_error(r, "Nobody is banned");
	else
		reply_add(r, "OK %zu ban%s ended\n", count, plural(count));
}

static void refuse_to_lift(struct services *v, const struct network *who, struct reply *r)
{
	char text[NETWORK_TEXT_MAX], around[NETWORK_TEXT_MAX];
	struct ban_info ban;

	network_format(who, text);
	if (bans_find(v->bans, who, bans_now(), &ban))
		reply_error(r, "%s is not banned by itself, but %s is", text,
			network_format(&ban.client, around));
	else
		reply_error(r, "%s is not banned", text);
}

void ban_commands_unban(const struct monitor_request *q, struct reply *r)
{
	struct services *v = q->services;
	char text[NETWORK_TEXT_MAX];
	struct network who;
	struct ban_info lifted;

	if (strcmp(q->parameters[0], "*") == 0) {
		lift_all(v, r);
		return;
	}
	if (!parse_whom(q->parameters[0], &who, r))
		return;
	who = bans_whom(v->bans, &who);
	if (!bans_lift(v->bans, &who, bans_now(), &lifted)) {
		refuse_to_lift(v, &who, r);
		return;
	}
	ban_log_ended(&lifted, true);
	reply_add(r, "OK %s is not banned any more\n", network_format(&who, text));
}
