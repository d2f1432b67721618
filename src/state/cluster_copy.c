/*
 * A fact for each account and node, under the node's name, a blank and the account's, which says
 * what the engine says; so only what has changed is written. Names of nodes have no blank.
 *
 * What a node has used is its own word, true whenever it comes. So it is put as soon as it is
 * heard, also while all is read, and what the engine does not know any more goes when that has been
 * read whole.
 */
#include "state/cluster_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "state/kept_use.h"

#define ACCOUNT_MAX 256 /* its NUL included; names of accounts are shorter */
#define KEY_MAX (CLUSTER_NODE_MAX + ACCOUNT_MAX)
#define EPOCH_OF "node " /* and the node's name: the key of its epoch */

/* "BEGUN USED EXTRA RESETS" */
#define USE_MAX (QUOTA_USE_MAX + 24)

/* False when none can be called so. */
static bool format_key(const char *node, const char *account, char out[KEY_MAX])
{
	if (*node == '\0' || strchr(node, ' ') != NULL || strlen(node) >= CLUSTER_NODE_MAX ||
		*account == '\0' || strlen(account) >= ACCOUNT_MAX)
		return false;
	snprintf(out, KEY_MAX, "%s %s", node, account);
	return true;
}

void cluster_copy_put_use(struct standing *standing, const char *node, const char *account,
	const struct quota_use *use, uint64_t resets)
{
	bool is_any = use->used != 0 || use->extra != 0;
	char key[KEY_MAX], text[QUOTA_USE_MAX], value[USE_MAX];

	if (standing == NULL || !format_key(node, account, key))
		return;
	snprintf(value, sizeof(value), "%s %" PRIu64, quota_use_format(use, text), resets);
	(void)!standing_put(standing, STANDING_ELSEWHERE, key, is_any ? value : NULL);
}

void cluster_copy_put_resets(
	struct standing *standing, const char *account, struct cluster_resets resets)
{
	char value[48];

	if (standing == NULL || *account == '\0' || strlen(account) >= ACCOUNT_MAX)
		return;
	snprintf(value, sizeof(value), "%" PRIu64 " %" PRIu64, resets.known, resets.told);
	(void)!standing_put(standing, STANDING_RESETS, account, value);
}

void cluster_copy_put_epoch(struct standing *standing, const char *node, const char *epoch)
{
	char key[sizeof(EPOCH_OF) + CLUSTER_NODE_MAX];

	if (standing == NULL)
		return;
	snprintf(key, sizeof(key), EPOCH_OF "%.*s", CLUSTER_NODE_MAX - 1, node);
	(void)!standing_put(standing, STANDING_SHARED, key, *epoch == '\0' ? NULL : epoch);
}

/* ---- reading ---- */

/* Splits `text` at its last blank, behind which is a number. */
static bool split_number(const char *text, char *out, size_t size, uint64_t *number)
{
	const char *space = strrchr(text, ' ');
	int64_t n;

	if (space == NULL || (size_t)(space - text) >= size || !parse_number(space + 1, &n))
		return false;
	snprintf(out, size, "%.*s", (int)(space - text), text);
	*number = (uint64_t)n;
	return true;
}

static bool parse_use(const char *value, struct quota_use *use, uint64_t *resets)
{
	char text[QUOTA_USE_MAX];

	return split_number(value, text, sizeof(text), resets) && quota_use_parse(text, use);
}

/* The node's name goes to `node`; returns the account's, NULL when it is no such key. */
static const char *split_key(const char *key, char node[CLUSTER_NODE_MAX])
{
	const char *space = strchr(key, ' ');

	if (space == NULL || space - key >= CLUSTER_NODE_MAX)
		return NULL;
	snprintf(node, CLUSTER_NODE_MAX, "%.*s", (int)(space - key), key);
	return space + 1;
}

typedef int taker(const struct cluster_copy_reader *r, const struct standing_fact *fact);

static int load_use(const struct cluster_copy_reader *r, const struct standing_fact *fact)
{
	char node[CLUSTER_NODE_MAX];
	const char *account = split_key(fact->key, node);
	struct quota_use use;
	uint64_t resets;

	if (account == NULL || !parse_use(fact->value, &use, &resets))
		return 0;
	return r->take_use(r->context, node, account, &use, resets);
}

static int load_resets(const struct cluster_copy_reader *r, const struct standing_fact *fact)
{
	struct cluster_resets resets;
	char known[24];
	int64_t n;

	if (!split_number(fact->value, known, sizeof(known), &resets.told) ||
		!parse_number(known, &n))
		return 0;
	resets.known = (uint64_t)n;
	return r->take_resets(r->context, fact->key, resets);
}

static int load_epoch(const struct cluster_copy_reader *r, const struct standing_fact *fact)
{
	size_t len = strlen(EPOCH_OF);

	if (strncmp(fact->key, EPOCH_OF, len) != 0)
		return 0;
	return r->take_epoch(r->context, fact->key + len, fact->value);
}

static int load_kind(struct standing *standing, enum standing_kind kind,
	const struct cluster_copy_reader *r, taker *take)
{
	size_t count = 0;
	struct standing_fact *facts = standing_list(standing, kind, &count);
	int result = facts == NULL ? -1 : 0;

	for (size_t i = 0; i < count && result == 0; i++)
		result = take(r, &facts[i]);
	free(facts);
	return result;
}

/* What was used counts or not by how often it has begun anew, which is known first. */
int cluster_copy_load(struct standing *standing, const struct cluster_copy_reader *reader)
{
	if (load_kind(standing, STANDING_RESETS, reader, load_resets) < 0 ||
		load_kind(standing, STANDING_SHARED, reader, load_epoch) < 0)
		return -1;
	return load_kind(standing, STANDING_ELSEWHERE, reader, load_use);
}

/* ---- sweeping ---- */

static bool is_to_go(const struct standing_fact *fact, struct cluster *c, int64_t now)
{
	char node[CLUSTER_NODE_MAX];
	const char *account = split_key(fact->key, node);
	struct quota_use use;
	uint64_t resets;

	if (account == NULL || !parse_use(fact->value, &use, &resets))
		return false;
	return now - use.begun >= KEPT_USE_LONGEST_SECONDS || !cluster_knows(c, node, account);
}

/* Without memory all of it stays until the next time. */
void cluster_copy_sweep(struct standing *standing, struct cluster *c, int64_t now)
{
	size_t count = 0;
	struct standing_fact *facts = standing_list(standing, STANDING_ELSEWHERE, &count);

	for (size_t i = 0; facts != NULL && i < count; i++) {
		if (is_to_go(&facts[i], c, now))
			(void)standing_take_back(standing, &facts[i]);
	}
	free(facts);
}
