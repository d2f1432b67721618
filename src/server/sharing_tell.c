/*
 * What is told lies in two places: in a hash, for whoever comes later and reads everything, and as
 * an event in a stream, for those who are there. A number that was told twice is told right, and so
 * nothing need be known of what was lost.
 */
#include "server/sharing_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/version.h"
#include "state/cluster_text.h"
#include "state/kept_use.h"
#include "state/ledger_limits.h"

int sharing_settle_batch(struct sharing *s, char *error)
{
	return s->asked < SHARING_BATCH ? 0 : sharing_settle(s, error);
}

void sharing_tell_event(struct sharing *s, const char *kind, const char *account, const char *value)
{
	char key[SHARING_KEY_MAX];

	SHARING_ASK(s, "XADD", sharing_key(s, "events", NULL, key), "MAXLEN", "~",
		SHARING_EVENTS_KEPT, "*", "i", s->instance, "k", kind, "n", s->part, "a", account,
		"v", value);
}

void sharing_tell_events(struct sharing *s, const char *kind, const char *lines)
{
	char key[SHARING_KEY_MAX];

	SHARING_ASK(s, "XADD", sharing_key(s, "events", NULL, key), "MAXLEN", "~",
		SHARING_EVENTS_KEPT, "*", "i", s->instance, "k", kind, "n", s->part, "m", lines);
}

/* In the hash `key`, and as an event. */
int sharing_tell_field(struct sharing *s, const char *key, const char *kind, const char *account,
	const char *value, char *error)
{
	SHARING_ASK(s, "HSET", key, account, value);
	sharing_tell_event(s, kind, account, value);
	return sharing_settle_batch(s, error);
}

/* ---- accounts ---- */

/* "BEGUN USED EXTRA RESETS" */
#define USE_MAX (QUOTA_USE_MAX + 24)

static int tell_use(struct sharing *s, const struct standing_fact *fact, char *error)
{
	char value[USE_MAX];

	snprintf(value, sizeof(value), "%.*s %" PRIu64, QUOTA_USE_MAX, fact->value,
		cluster_resets(s->cluster, fact->key));
	if (!told_differs(s->uses, fact->key, value))
		return 0;
	return sharing_batch_add(s, fact->key, value, error);
}

/* Nothing is used of it any more. */
static int tell_unused(struct sharing *s, const char *account, char *error)
{
	char value[USE_MAX];

	snprintf(value, sizeof(value), "0 0 0 %" PRIu64, cluster_resets(s->cluster, account));
	return sharing_batch_add(s, account, value, error);
}

/* Of those that are used, or of the others. */
static int tell_uses_of(struct sharing *s, const char *key, const struct standing_fact *facts,
	size_t count, bool are_used, char *error)
{
	int result = 0;

	sharing_batch_begin(s, are_used ? "HSET" : "HDEL", "use", key);
	for (size_t i = 0; i < count && result == 0; i++) {
		if ((facts[i].value != NULL) != are_used)
			continue;
		if (!are_used)
			told_drop(s->uses, facts[i].key);
		result = are_used ? tell_use(s, &facts[i], error)
				  : tell_unused(s, facts[i].key, error);
	}
	return result < 0 ? -1 : sharing_batch_end(s, error);
}

static int tell_vanished_uses(struct sharing *s, const char *key, char *error)
{
	const char *account, *last;
	int result = 0;

	sharing_batch_begin(s, "HDEL", "use", key);
	while (result == 0 && (account = told_next_gone(s->uses, &last)) != NULL)
		result = tell_unused(s, account, error);
	return result < 0 ? -1 : sharing_batch_end(s, error);
}

/* All of them where it is not known what the engine knows, and otherwise what has changed: there
 * may be a million, of which a few thousand are at work. What did not reach the engine is told when
 * it is joined again. */
static int tell_uses(struct sharing *s, char *error)
{
	bool is_all = s->tells_all_uses;
	size_t count = 0;
	struct standing_fact *facts = is_all
		? standing_list_watched(s->services->standing, STANDING_QUOTA, &count)
		: standing_news(s->services->standing, &count);
	char key[SHARING_KEY_MAX];
	int result;

	if (facts == NULL)
		return sharing_no_memory(error);
	sharing_key(s, "use", s->part, key);
	told_begin(s->uses);
	result = tell_uses_of(s, key, facts, count, true, error);
	if (result == 0 && !is_all)
		result = tell_uses_of(s, key, facts, count, false, error);
	if (result == 0 && is_all)
		result = tell_vanished_uses(s, key, error);
	s->tells_all_uses = result < 0;
	free(facts);
	return result;
}

static int tell_stopped(struct sharing *s, const char *key, char *error)
{
	const char *account, *last;
	int result = 0;

	sharing_batch_begin(s, "HDEL", "live", key);
	while (result == 0 && (account = told_next_gone(s->running, &last)) != NULL)
		result = sharing_batch_add(s, account, "0", error);
	return result < 0 ? -1 : sharing_batch_end(s, error);
}

static int tell_running(struct sharing *s, char *error)
{
	size_t count = 0;
	struct ledger_running *running = ledger_list_running(s->services->ledger, &count);
	char key[SHARING_KEY_MAX], value[16];
	int result = 0;

	if (running == NULL)
		return sharing_no_memory(error);
	sharing_key(s, "live", s->part, key);
	sharing_batch_begin(s, "HSET", "live", key);
	told_begin(s->running);
	for (size_t i = 0; i < count && result == 0; i++) {
		snprintf(value, sizeof(value), "%u", running[i].sessions);
		if (told_differs(s->running, running[i].name, value))
			result = sharing_batch_add(s, running[i].name, value, error);
	}
	free(running);
	if (result < 0 || sharing_batch_end(s, error) < 0)
		return -1;
	return tell_stopped(s, key, error);
}

void sharing_take_back_running(struct sharing *s)
{
	char key[SHARING_KEY_MAX];

	SHARING_ASK(s, "DEL", sharing_key(s, "live", s->part, key));
}

#define TEXT_OF(number, out) (snprintf((out), sizeof(out), "%lld", (long long)(number)), (out))

/* Sessions go with their node also for those who come later. */
int sharing_tell_accounts(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX], silent[24];

	if (tell_uses(s, error) < 0 || tell_running(s, error) < 0)
		return -1;
	SHARING_ASK(s, "PEXPIRE", sharing_key(s, "live", s->part, key),
		TEXT_OF(CLUSTER_SILENT_MS, silent));
	return sharing_settle(s, error);
}

/* ---- that it is there ---- */

/* Where it listens; of all addresses that by which the engine is reached, which others of this
 * network reach, too, or else the own one of a host that has the engine on it. */
static void put_monitor(struct sharing *s, char out[ADDR_TEXT_MAX])
{
	static const uint8_t loopback[4] = {127, 0, 0, 1};
	struct config *c = config_get(s->services->config);
	struct addr at = c->monitor_at, here;
	uint16_t port = at.sa.sa_family == AF_UNSPEC ? 0 : addr_port(&at);

	config_release(c);
	if (port != 0 && addr_is_unspecified(&at)) {
		bool is_heard = engine_here(s->engine, &here) &&
			(here.sa.sa_family == AF_INET || at.sa.sa_family == AF_INET6);

		at = is_heard ? here : addr_from_ipv4(loopback, port);
		addr_set_port(&at, port);
	}
	addr_format(&at, out);
}

int sharing_tell_beat(struct sharing *s, char *error)
{
	const struct services *v = s->services;
	struct cluster_beat b = {.version = SOCKS5D_VERSION,
		.started = v->stats.started_at,
		.sessions = stats_get(&v->stats.current),
		.max_sessions = v->places.total > 0 ? v->places.total : v->budget.sessions,
		.beat = ++s->beat};
	char key[SHARING_KEY_MAX], value[CLUSTER_BEAT_MAX];

	memcpy(b.instance, s->instance, sizeof(b.instance));
	memcpy(b.node, s->node, sizeof(b.node));
	put_monitor(s, b.monitor);
	cluster_note_monitor(s->cluster, b.monitor);
	cluster_format_beat(&b, value);
	SHARING_ASK(s, "HSET", sharing_key(s, "nodes", NULL, key), s->part, value);
	sharing_tell_event(s, "beat", s->part, value);
	SHARING_ASK(s, "SADD", sharing_key(s, "parts", NULL, key), s->part);
	return sharing_settle(s, error);
}

int sharing_tell_end(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX];

	if (sharing_tell_bans(s, error) < 0 || sharing_tell_accounts(s, error) < 0)
		return -1;
	SHARING_ASK(s, "HDEL", sharing_key(s, "nodes", NULL, key), s->part);
	SHARING_ASK(s, "DEL", sharing_key(s, "live", s->part, key));
	sharing_tell_event(s, "end", "", "");
	return sharing_settle(s, error);
}

/* ---- quotas that begin anew ---- */

/* Each waits until it is told. */
int sharing_tell_resets(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX], value[24], *account;
	uint64_t resets;
	int result = 0;

	sharing_key(s, "resets", NULL, key);
	while (result == 0 && (account = cluster_next_anew(s->cluster, &resets)) != NULL) {
		result =
			sharing_tell_field(s, key, "reset", account, TEXT_OF(resets, value), error);
		if (result == 0)
			result = sharing_settle(s, error);
		if (result == 0)
			cluster_told_anew(s->cluster, account, resets);
		free(account);
	}
	return result;
}

void sharing_forget_told(struct sharing *s)
{
	s->tells_all_uses = true;
	told_forget_all(s->uses);
	told_forget_all(s->running);
	told_forget_all(s->bans);
}
