/*
 * What a node has used goes by its part, and not by its name: who has the database of a state_dir
 * goes on with the numbers in it, whatever he is called, and two who are called alike have numbers
 * of their own. So the part is kept beside these numbers, with a random word that says whose it is.
 * The engine remembers that word of each part; who finds another one there takes a part that only
 * he can have.
 *
 * Beside it stands that the node is new, from its first attempt to join until it has read what the
 * others have said.
 *
 * Without a state_dir numbers end with the process, and so does its part.
 */
#include "server/sharing_parts.h"

#include <stdio.h>
#include <string.h>

#include "state/cluster_text.h"

#define KEPT_AS "part"
#define NEW_KEPT_AS "new"
#define KEPT_MAX (CLUSTER_WORD_MAX + CLUSTER_NODE_MAX)

/* "OWNER PART" */
static void take_kept(void *context, const char *value)
{
	struct sharing *s = context;
	const char *part = strchr(value, ' ');
	char node[CLUSTER_NODE_MAX];

	if (part == NULL || (size_t)(part - value) >= sizeof(s->owner) ||
		!cluster_node_of_part(part + 1, node))
		return;
	snprintf(s->owner, sizeof(s->owner), "%.*s", (int)(part - value), value);
	snprintf(s->part, sizeof(s->part), "%s", part + 1);
	s->is_new = false;
}

static void make_own_part(struct sharing *s)
{
	snprintf(s->part, sizeof(s->part), "%.*s/%s", CLUSTER_NAME_LEN, s->node, s->owner);
}

void sharing_recall_part(struct sharing *s, bool is_kept)
{
	struct standing *standing = s->services->standing;

	s->keeps_part = is_kept;
	s->is_new = true;
	memcpy(s->owner, s->instance, sizeof(s->owner));
	if (is_kept) {
		memcpy(s->part, s->node, sizeof(s->part));
		(void)standing_read(standing, STANDING_SHARED, KEPT_AS, take_kept, s);
		s->is_new |= standing_read(standing, STANDING_SHARED, NEW_KEPT_AS, NULL, NULL);
	} else {
		make_own_part(s);
	}
}

static int keep_part(struct sharing *s, char *error)
{
	char kept[KEPT_MAX];

	snprintf(kept, sizeof(kept), "%s %s", s->owner, s->part);
	if (standing_put(s->services->standing, STANDING_SHARED, NEW_KEPT_AS,
		    s->is_new ? "1" : NULL) == 0 &&
		standing_put(s->services->standing, STANDING_SHARED, KEPT_AS, kept) == 0)
		return 0;
	return sharing_no_memory(error);
}

/* What cannot be taken away is when it joins the next time. */
void sharing_end_newness(struct sharing *s)
{
	s->is_new = false;
	if (s->keeps_part)
		(void)!standing_put(s->services->standing, STANDING_SHARED, NEW_KEPT_AS, NULL);
}

int sharing_claim_part(struct sharing *s, char *error)
{
	char key[SHARING_KEY_MAX];
	redisReply *owner;

	if (!s->keeps_part)
		return 0;
	sharing_key(s, "owners", NULL, key);
	SHARING_ASK(s, "HSETNX", key, s->part, s->owner);
	if (sharing_settle(s, error) < 0)
		return -1;
	ENGINE_ASK(s->engine, "HGET", key, s->part);
	owner = engine_reply_or_nil(s->engine, REDIS_REPLY_STRING, error);
	if (owner == NULL)
		return -1;
	if (strcmp(engine_text(owner), s->owner) != 0)
		make_own_part(s);
	freeReplyObject(owner);
	return keep_part(s, error);
}
