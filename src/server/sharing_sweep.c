/*
 * What nodes leave in the engine that do not come back: each start without a state_dir is another
 * part, a node that was killed stands among the nodes, and nobody else takes away what it has used.
 * Nodes look for that once they have been there for long enough to know who is silent, and then
 * once a day.
 *
 * No lock holds a node back that starts at the same moment. Its part is in the set again with its
 * next beat, whoever has taken it out, and so is its line among the nodes.
 */
#include "server/sharing_parts.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "state/cluster_text.h"

/* Who is silent is known behind this. */
#define FIRST_MS (CLUSTER_SILENT_MS + SHARING_BEAT_MS)
#define AGAIN_MS (INT64_C(24) * 60 * 60 * 1000)

#define DAY_SECONDS INT64_C(86400)
#define SILENT_SECONDS (3 * DAY_SECONDS) /* then a node has gone for good */
#define OVER_SECONDS (40 * DAY_SECONDS) /* a period that began so long ago is over */

void sharing_plan_sweep(struct sharing *s)
{
	s->engine_sweep_due = clock_deadline(FIRST_MS);
}

/* Its own part is there, whatever it looks like. */
static bool is_there(struct sharing *s, const char *part)
{
	return strcmp(part, s->part) == 0 || cluster_is_online(s->cluster, part, clock_ms());
}

/* ---- nodes ---- */

/* When it has said that it was there, by its own clock, or before that where it could not always;
 * of whom that cannot be reckoned, now. */
static int64_t said_last(const struct sharing *s, const struct cluster_beat *b)
{
	if (b->beat > INT32_MAX)
		return sharing_engine_now(s);
	return b->started + (int64_t)b->beat * SHARING_BEAT_MS / 1000;
}

static int sweep_node(struct sharing *s, const char *key, const char *part, const char *value)
{
	struct cluster_beat b;

	if (is_there(s, part) || !cluster_parse_beat(part, value, &b) ||
		sharing_engine_now(s) - said_last(s, &b) < SILENT_SECONDS)
		return 0;
	SHARING_ASK(s, "HDEL", key, part);
	return 0;
}

static int sweep_nodes(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX];

	sharing_key(s, "nodes", NULL, key);
	return sharing_scan(s, key, key, sweep_node, error);
}

/* ---- parts ---- */

static int sweep_use(struct sharing *s, const char *key, const char *account, const char *value)
{
	struct quota_use use;
	uint64_t resets;

	if (sharing_parse_use(value, &use, &resets) &&
		sharing_engine_now(s) - use.begun > OVER_SECONDS)
		SHARING_ASK(s, "HDEL", key, account);
	else
		s->fields_left++;
	return 0;
}

static int count_field(struct sharing *s, const char *key, const char *field, const char *value)
{
	(void)key;
	(void)field;
	(void)value;
	s->fields_left++;
	return 0;
}

/* False, with the reason, when that cannot be known. */
static bool look_at_part(struct sharing *s, const char *part, char *error)
{
	char key[SHARING_KEY_MAX];
	redisReply *node;

	s->fields_left = 0;
	sharing_key(s, "use", part, key);
	if (sharing_scan(s, key, key, sweep_use, error) < 0)
		return false;
	sharing_key(s, "live", part, key);
	if (sharing_scan(s, key, key, count_field, error) < 0)
		return false;
	ENGINE_ASK(s->engine, "HGET", sharing_key(s, "nodes", NULL, key), part);
	node = engine_reply_or_nil(s->engine, REDIS_REPLY_STRING, error);
	if (node == NULL)
		return false;
	s->fields_left += node->type != REDIS_REPLY_NIL;
	freeReplyObject(node);
	return true;
}

/* Whose it is goes with it where nobody else can ever take it, which is so of parts with a random
 * word; the others are as many as there are names. */
static int sweep_part(struct sharing *s, const char *part, char *error)
{
	char key[SHARING_KEY_MAX];

	if (is_there(s, part))
		return 0;
	if (!look_at_part(s, part, error))
		return -1;
	if (s->fields_left > 0)
		return 0;
	SHARING_ASK(s, "SREM", sharing_key(s, "parts", NULL, key), part);
	if (strchr(part, '/') != NULL)
		SHARING_ASK(s, "HDEL", sharing_key(s, "owners", NULL, key), part);
	return sharing_settle(s, error);
}

int sharing_sweep_engine(struct sharing *s, char *error)
{
	s->engine_sweep_due = clock_deadline(AGAIN_MS);
	if (sweep_nodes(s, error) < 0)
		return -1;
	return sharing_each_part(s, sweep_part, error);
}
