/*
 * What comes from other nodes is untrusted as far as its form goes: what is none of ours, or of a
 * later version, is passed over. Everything is read at each beginning, and then the events behind
 * the newest that there was by then: what comes twice so does no harm.
 */
#include "server/sharing_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/parse.h"
#include "state/cluster_copy.h"
#include "state/cluster_text.h"
#include "state/kept_use.h"
#include "state/ledger_limits.h"

#define CURSOR_MAX 24
#define SWEEP_MS (24 * 60 * 60 * 1000) /* between looks at periods that are over */

static bool is_list(const redisReply *r)
{
	return r->type == REDIS_REPLY_ARRAY;
}

/* ---- who can be meant ---- */

/* Longer ones, and such that lines cannot say, are none of ours. */
static bool is_account(const char *name)
{
	size_t len = strcspn(name, " \n");

	return len > 0 && len < LEDGER_NAME_MAX && name[len] == '\0';
}

static bool is_account_of_part(const char *part, const char *account)
{
	char node[CLUSTER_NODE_MAX];

	return is_account(account) && cluster_node_of_part(part, node);
}

/* ---- what is said of one account; -1 without memory only ---- */

/* It is noted also where it is known, for the engine to know it. What it begins is kept first:
 * should the server die in between, it begins once more, rather than not. Where the node is new to
 * the others it was before that, and what is used here is not what it was about. */
static int take_reset(struct sharing *s, const char *account, uint64_t resets)
{
	int64_t now = (int64_t)time(NULL);
	uint64_t known = cluster_resets(s->cluster, account);

	if (resets == 0)
		return 0;
	if (s->is_new)
		return cluster_adopt_resets(s->cluster, account, resets);
	if (known >= resets)
		return cluster_note_resets(s->cluster, account, resets);
	if (!ledger_change_quota(s->services->ledger, account, 0, now))
		kept_use_drop(s->services->standing, account);
	s->has_news = true;
	return cluster_note_resets(s->cluster, account, resets);
}

bool sharing_parse_use(const char *value, struct quota_use *use, uint64_t *resets)
{
	const char *space = strrchr(value, ' ');
	char text[QUOTA_USE_MAX];
	int64_t number;

	if (space == NULL || space - value >= QUOTA_USE_MAX || !parse_number(space + 1, &number))
		return false;
	*resets = (uint64_t)number;
	snprintf(text, sizeof(text), "%.*s", (int)(space - value), value);
	return quota_use_parse(text, use);
}

static int take_use(struct sharing *s, const char *node, const char *account, const char *value)
{
	struct quota_use use;
	uint64_t resets;

	if (!is_account_of_part(node, account) || !sharing_parse_use(value, &use, &resets))
		return 0;
	s->has_news = true;
	if (take_reset(s, account, resets) < 0)
		return -1;
	return cluster_note_use(s->cluster, node, account, &use, resets);
}

static int take_running(struct sharing *s, const char *node, const char *account, const char *value)
{
	int64_t sessions;

	if (!is_account_of_part(node, account) || !parse_number(value, &sessions) ||
		sessions > INT32_MAX)
		return 0;
	s->has_news = true;
	return cluster_note_sessions(s->cluster, node, account, (uint32_t)sessions);
}

static int take_resets(struct sharing *s, const char *node, const char *account, const char *value)
{
	int64_t resets;

	(void)node;
	if (!is_account(account) || !parse_number(value, &resets))
		return 0;
	return take_reset(s, account, (uint64_t)resets);
}

/* ---- the copy on disk ---- */

void sharing_sweep_copy(struct sharing *s)
{
	cluster_copy_sweep(s->services->standing, s->cluster, (int64_t)time(NULL));
	s->sweep_due = clock_deadline(SWEEP_MS);
}

/* ---- everything ---- */

static int take_fields(
	struct sharing *s, const redisReply *fields, const char *node, sharing_taker *take)
{
	for (size_t i = 0; i + 1 < fields->elements; i += 2) {
		if (take(s, node, engine_text(fields->element[i]),
			    engine_text(fields->element[i + 1])) < 0)
			return -1;
	}
	return 0;
}

redisReply *sharing_reply_with_list(struct sharing *s, char *error)
{
	return engine_reply_of(s->engine, REDIS_REPLY_ARRAY, ENGINE_NO_ANSWER, error);
}

/* One step of HSCAN, whose cursor goes on. */
static int take_page(struct sharing *s, const redisReply *page, const char *node,
	sharing_taker *take, char cursor[CURSOR_MAX], char *error)
{
	if (page->elements != 2 || !is_list(page->element[1])) {
		snprintf(error, SHARING_ERROR_MAX, ENGINE_NO_ANSWER);
		return -1;
	}
	snprintf(cursor, CURSOR_MAX, "%s", engine_text(page->element[0]));
	return take_fields(s, page->element[1], node, take) < 0 ? sharing_no_memory(error) : 0;
}

int sharing_scan(
	struct sharing *s, const char *key, const char *node, sharing_taker *take, char *error)
{
	char cursor[CURSOR_MAX] = "0";
	int result;

	do {
		redisReply *r;

		if (sharing_is_stopping(s))
			return sharing_no_time(error);
		ENGINE_ASK(s->engine, "HSCAN", key, cursor, "COUNT", "1000");
		r = sharing_reply_with_list(s, error);
		if (r == NULL)
			return -1;
		result = take_page(s, r, node, take, cursor, error);
		freeReplyObject(r);
		if (result < 0 || sharing_settle(s, error) < 0)
			return -1;
	} while (strcmp(cursor, "0") != 0);
	return 0;
}

static int read_part(struct sharing *s, const char *part, char *error)
{
	char key[SHARING_KEY_MAX], node[CLUSTER_NODE_MAX];

	if (strcmp(part, s->part) == 0 || !cluster_node_of_part(part, node))
		return 0;
	if (cluster_note_part(s->cluster, part) < 0)
		return sharing_no_memory(error);
	if (sharing_scan(s, sharing_key(s, "use", part, key), part, take_use, error) < 0)
		return -1;
	return sharing_scan(s, sharing_key(s, "live", part, key), part, take_running, error);
}

int sharing_each_part(struct sharing *s, sharing_part_taker *take, char *error)
{
	char key[SHARING_KEY_MAX];
	redisReply *r;
	int result = 0;

	ENGINE_ASK(s->engine, "SMEMBERS", sharing_key(s, "parts", NULL, key));
	r = sharing_reply_with_list(s, error);
	if (r == NULL)
		return -1;
	for (size_t i = 0; i < r->elements && result == 0; i++)
		result = take(s, engine_text(r->element[i]), error);
	freeReplyObject(r);
	return result;
}

#define OWN_VALUE_MAX 256 /* of what is said of an account; its NUL included */

/* What this node cannot have told goes, and whatever is true there is told anew. */
static void take_own(struct sharing *s, struct told *told, const char *key, const char *account,
	const char *value)
{
	if (is_account(account) && strlen(value) < OWN_VALUE_MAX)
		told_note(told, account, value);
	else
		SHARING_ASK(s, "HDEL", key, account);
}

/* A process that was killed has told more than it had brought to the disk: at the next one's start
 * that is used here, too, or without memory less. */
static void take_back_use(struct sharing *s, const char *account, const char *value)
{
	struct standing *standing = s->services->standing;
	struct quota_use told, kept;
	uint64_t resets;

	if (!sharing_parse_use(value, &told, &resets) ||
		resets != cluster_resets(s->cluster, account) ||
		!kept_use_get(standing, account, &kept) || kept.begun != told.begun ||
		(told.used <= kept.used && told.extra <= kept.extra))
		return;
	told.used = told.used > kept.used ? told.used : kept.used;
	told.extra = told.extra > kept.extra ? told.extra : kept.extra;
	if (!ledger_raise_use(s->services->ledger, account, &told, (int64_t)time(NULL)))
		(void)!kept_use_put(standing, account, &told);
}

static int take_own_use(struct sharing *s, const char *key, const char *account, const char *value)
{
	if (s->beat == 0)
		take_back_use(s, account, value);
	take_own(s, s->uses, key, account, value);
	return 0;
}

static int take_own_running(
	struct sharing *s, const char *key, const char *account, const char *value)
{
	take_own(s, s->running, key, account, value);
	return 0;
}

/* So what has stayed is not told again, to all nodes, and what stands no more is taken away. */
int sharing_read_own(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX];

	sharing_key(s, "use", s->part, key);
	if (sharing_scan(s, key, key, take_own_use, error) < 0)
		return -1;
	sharing_key(s, "live", s->part, key);
	return sharing_scan(s, key, key, take_own_running, error);
}

static int read_newest_event(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX];
	const redisReply *newest;
	redisReply *r;

	ENGINE_ASK(s->engine, "XREVRANGE", sharing_key(s, "events", NULL, key), "+", "-", "COUNT",
		"1");
	r = sharing_reply_with_list(s, error);
	if (r == NULL)
		return -1;
	newest = r->elements > 0 && r->element[0]->elements > 0 ? r->element[0]->element[0] : NULL;
	snprintf(s->last_event, sizeof(s->last_event), "%s",
		newest == NULL ? "0-0" : engine_text(newest));
	freeReplyObject(r);
	return 0;
}

/* Which nodes there are is read before what runs there: to hear of another process of a node drops
 * what ran in the last one. */
int sharing_read_all(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX];
	bool is_whole;

	if (cluster_begin_reading(s->cluster, s->epoch) < 0)
		return sharing_no_memory(error);
	sharing_doubt_lifts(s);
	is_whole = read_newest_event(s, error) == 0 && sharing_read_nodes(s, error) == 0 &&
		sharing_scan(s, sharing_key(s, "resets", NULL, key), "", take_resets, error) == 0 &&
		sharing_each_part(s, read_part, error) == 0 &&
		sharing_scan(s, sharing_key(s, "bans", NULL, key), "", sharing_take_ban, error) ==
			0;
	cluster_end_reading(s->cluster, is_whole);
	if (is_whole) {
		sharing_sweep_copy(s);
		sharing_end_newness(s);
	}
	s->has_news = true;
	return is_whole ? 0 : -1;
}

/* ---- nodes ---- */

/* At first this node's part is told of by its last process. */
static void note_own_part(struct sharing *s, const struct cluster_beat *b)
{
	s->is_copied = s->beat > 0 && strcmp(b->instance, s->instance) != 0;
	cluster_note_copied(s->cluster, s->is_copied);
}

static int take_node(struct sharing *s, const char *ignored, const char *part, const char *value)
{
	struct cluster_beat b;
	int64_t now = clock_ms();

	(void)ignored;
	if (!cluster_parse_beat(part, value, &b))
		return 0;
	if (strcmp(part, s->part) == 0) {
		note_own_part(s, &b);
		return 0;
	}
	if (cluster_note_beat(s->cluster, &b, now) < 0)
		return -1;
	if (strcmp(b.node, s->node) == 0 && !cluster_is_online(s->cluster, part, now))
		memcpy(s->outdated, b.part, sizeof(s->outdated));
	return 0;
}

int sharing_read_nodes(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX];

	sharing_key(s, "nodes", NULL, key);
	if (sharing_scan(s, key, "", take_node, error) < 0)
		return -1;
	s->has_news |= cluster_note_silence(s->cluster, clock_ms());
	if (s->outdated[0] == '\0')
		return 0;
	SHARING_ASK(s, "HDEL", key, s->outdated);
	s->outdated[0] = '\0';
	return sharing_settle(s, error);
}

/* ---- events ---- */

static int take_end(struct sharing *s, const char *node, const char *account, const char *value)
{
	(void)account;
	(void)value;
	cluster_note_end(s->cluster, node);
	s->has_news = true;
	return 0;
}

static const struct {
	const char *word;
	sharing_taker *take;
} kinds[] = {{"use", take_use}, {"live", take_running}, {"reset", take_resets},
	{"ban", sharing_take_ban}, {"beat", take_node}, {"end", take_end},
	{"kill", sharing_take_kill}, {"user", sharing_take_user}};

/* The value of a field of an event; "" when it has none. */
static const char *field_of(const redisReply *fields, const char *name)
{
	for (size_t i = 0; i + 1 < fields->elements; i += 2) {
		if (strcmp(engine_text(fields->element[i]), name) == 0)
			return engine_text(fields->element[i + 1]);
	}
	return "";
}

/* "ACCOUNT VALUE", each with a newline behind it; other lines are passed over. */
static int take_lines(struct sharing *s, const char *node, char *lines, sharing_taker *take)
{
	char *rest = lines, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		char *space = strchr(line, ' ');

		if (space == NULL)
			continue;
		*space = '\0';
		if (take(s, node, line, space + 1) < 0)
			return -1;
	}
	return 0;
}

/* Of one account, or of many. */
static int take_facts(struct sharing *s, const redisReply *fields, sharing_taker *take)
{
	const char *node = field_of(fields, "n"), *many = field_of(fields, "m");
	char *lines;
	int result;

	if (*many == '\0')
		return take(s, node, field_of(fields, "a"), field_of(fields, "v"));
	lines = strdup(many);
	result = lines == NULL ? -1 : take_lines(s, node, lines, take);
	free(lines);
	return result;
}

static int take_event(struct sharing *s, const redisReply *fields)
{
	const char *kind = field_of(fields, "k");

	if (strcmp(field_of(fields, "i"), s->instance) == 0)
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kind, kinds[i].word) == 0)
			return take_facts(s, fields, kinds[i].take);
	}
	return 0;
}

/* [[stream, [[id, [field, value...]]...]]]; how many there were, -1 without memory. */
static int take_events(struct sharing *s, const redisReply *r)
{
	const redisReply *stream = r->elements > 0 ? r->element[0] : NULL;
	const redisReply *events =
		stream != NULL && stream->elements == 2 ? stream->element[1] : NULL;
	size_t count = events == NULL ? 0 : events->elements;

	for (size_t i = 0; i < count; i++) {
		const redisReply *event = events->element[i];

		if (event->elements != 2)
			continue;
		if (take_event(s, event->element[1]) < 0)
			return -1;
		snprintf(
			s->last_event, sizeof(s->last_event), "%s", engine_text(event->element[0]));
	}
	return (int)count;
}

#define EVENTS_AT_ONCE 200

/* How many there were, -1 with the reason in `error`. */
static int read_some_events(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX], most[16];
	redisReply *r;
	int count;

	snprintf(most, sizeof(most), "%d", EVENTS_AT_ONCE);
	if (sharing_is_stopping(s))
		return sharing_no_time(error);
	ENGINE_ASK(s->engine, "XREAD", "COUNT", most, "STREAMS",
		sharing_key(s, "events", NULL, key), s->last_event);
	r = engine_reply_or_nil(s->engine, REDIS_REPLY_ARRAY, error);
	if (r == NULL)
		return -1;
	count = take_events(s, r);
	freeReplyObject(r);
	return count < 0 ? sharing_no_memory(error) : count;
}

/* "MILLISECONDS-NUMBER"; what is none is before all others. */
struct event_id {
	int64_t ms, number;
};

static struct event_id parse_event_id(const char *text)
{
	static const struct event_id none = {0};
	const char *dash = strchr(text, '-');
	char ms[24];
	struct event_id id = none;

	if (dash == NULL || (size_t)(dash - text) >= sizeof(ms))
		return none;
	snprintf(ms, sizeof(ms), "%.*s", (int)(dash - text), text);
	return parse_number(ms, &id.ms) && parse_number(dash + 1, &id.number) ? id : none;
}

static bool is_later(const char *event, const char *than)
{
	struct event_id a = parse_event_id(event), b = parse_event_id(than);

	return a.ms != b.ms ? a.ms > b.ms : a.number > b.number;
}

/* Are there events behind `last` which the engine has no more? 1, 0, or -1 with the reason. */
static int has_missed_events(struct sharing *s, const char *last, char *error)
{
	char key[SHARING_KEY_MAX];
	redisReply *r;
	int result;

	ENGINE_ASK(
		s->engine, "XRANGE", sharing_key(s, "events", NULL, key), "-", "+", "COUNT", "1");
	r = sharing_reply_with_list(s, error);
	if (r == NULL)
		return -1;
	result = r->elements > 0 && r->element[0]->elements > 0 &&
		is_later(engine_text(r->element[0]->element[0]), last);
	freeReplyObject(r);
	return result;
}

/* What was told meanwhile by this node stays told. */
static int read_anew(struct sharing *s, char *error)
{
	sharing_begin_users(s);
	return sharing_read_all(s, error);
}

/* Where there are many, more may have come since the last time than the engine keeps. */
int sharing_read_events(struct sharing *s, char *error)
{
	char last[sizeof(s->last_event)];
	int count = EVENTS_AT_ONCE;

	while (count == EVENTS_AT_ONCE) {
		strcpy(last, s->last_event);
		count = read_some_events(s, error);
		if (count == EVENTS_AT_ONCE) {
			int missed = has_missed_events(s, last, error);

			if (missed != 0)
				return missed < 0 ? -1 : read_anew(s, error);
		}
	}
	return count < 0 ? -1 : 0;
}
