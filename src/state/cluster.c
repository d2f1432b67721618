/*
 * Each node says what accounts have used there in all, in numbers of its own that only grow, so the
 * sum over nodes is right whatever was lost, repeated or out of order on the way. An account is a
 * list of parts, one for each node that has said anything of it: nodes are a few, and most accounts
 * are at one of them.
 */
#include "state/cluster_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

struct cluster *cluster_new(void)
{
	struct cluster *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	mutex_init(&c->lock);
	c->since = c->heard = -1;
	c->grace_ends = CLOCK_NEVER;
	c->nodes = hashmap_new(0);
	c->accounts = hashmap_new(0);
	if (c->nodes != NULL && c->accounts != NULL)
		return c;
	cluster_free(c);
	return NULL;
}

static void free_account(void *value)
{
	struct account *a = value;

	for (struct part *p = a->parts, *next; p != NULL; p = next) {
		next = p->next;
		free(p);
	}
	free(a);
}

void cluster_free(struct cluster *c)
{
	if (c == NULL)
		return;
	hashmap_free(c->accounts, free_account);
	hashmap_free(c->reading, free_account);
	hashmap_free(c->nodes, free);
	mutex_destroy(&c->lock);
	free(c);
}

/* ---- finding and making ---- */

static struct account *find_account(const struct hashmap *accounts, const char *name)
{
	return hashmap_get(accounts, name, strlen(name));
}

static struct account *make_account_in(struct hashmap *accounts, const char *name)
{
	struct account *a = find_account(accounts, name);
	size_t len = strlen(name);
	void *old;

	if (a != NULL)
		return a;
	a = calloc(1, sizeof(*a) + len + 1);
	if (a == NULL)
		return NULL;
	a->name_len = len;
	memcpy(a->name, name, len);
	if (hashmap_put(accounts, a->name, len, a, &old) == 0)
		return a;
	free(a);
	return NULL;
}

/* Where what is heard is written. */
static struct account *make_account_locked(struct cluster *c, const char *name) REQUIRES(&c->lock)
{
	return make_account_in(c->reading != NULL ? c->reading : c->accounts, name);
}

/* The account's part at that node; all of them are made where they are missing. */
static struct part *make_part_locked(struct cluster *c, const char *node, const char *account)
	REQUIRES(&c->lock)
{
	const struct node *n = cluster_make_node_locked(c, node);
	struct account *a = n == NULL ? NULL : make_account_locked(c, account);
	struct part *p;

	if (a == NULL)
		return NULL;
	for (p = a->parts; p != NULL && p->node != n; p = p->next)
		continue;
	if (p != NULL)
		return p;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		return NULL;
	*p = (struct part){.node = n, .next = a->parts};
	a->parts = p;
	return p;
}

/* ---- what is heard ---- */

static void drop_sessions_of(const struct hashmap *accounts, const struct node *n)
{
	const struct account *a;
	size_t position = 0;

	while ((a = hashmap_next(accounts, &position)) != NULL) {
		for (struct part *p = a->parts; p != NULL; p = p->next) {
			if (p->node == n)
				p->sessions = 0;
		}
	}
}

void cluster_drop_sessions_locked(struct cluster *c, const struct node *n) REQUIRES(&c->lock)
{
	drop_sessions_of(c->accounts, n);
	if (c->reading != NULL)
		drop_sessions_of(c->reading, n);
}

/* Of a node of which nothing else is known the engine has told now, as by an event; another one
 * may not have told all again yet, whose epoch stays. False, and nothing written, then. */
static bool begin_epoch_locked(struct cluster *c, const char *node, char out[CLUSTER_WORD_MAX])
	REQUIRES(&c->lock)
{
	struct node *n = cluster_find_node_locked(c, node);

	if (n->epoch[0] != '\0' || c->epoch[0] == '\0')
		return false;
	strcpy(n->epoch, c->epoch);
	strcpy(out, c->epoch);
	return true;
}

int cluster_note_use(struct cluster *c, const char *node, const char *account,
	const struct quota_use *use, uint64_t resets)
{
	char epoch[CLUSTER_WORD_MAX];
	bool is_first = false;
	struct part *p;

	mutex_lock(&c->lock);
	p = make_part_locked(c, node, account);
	if (p != NULL) {
		p->use = *use;
		p->resets = resets;
		is_first = begin_epoch_locked(c, node, epoch);
	}
	mutex_unlock(&c->lock);
	if (p == NULL)
		return -1;
	if (is_first)
		cluster_copy_put_epoch(c->standing, node, epoch);
	cluster_copy_put_use(c->standing, node, account, use, resets);
	return 0;
}

int cluster_note_sessions(
	struct cluster *c, const char *node, const char *account, uint32_t sessions)
{
	struct part *p;

	mutex_lock(&c->lock);
	p = make_part_locked(c, node, account);
	if (p != NULL)
		p->sessions = sessions;
	mutex_unlock(&c->lock);
	return p == NULL ? -1 : 0;
}

/* Whoever has put it looks whether it became another meanwhile, and then puts that. */
static void keep_resets(struct cluster *c, const char *name)
{
	struct cluster_resets now = {.known = 0}, put;
	const struct account *a;
	bool is_any;

	do {
		put = now;
		if (put.known > 0)
			cluster_copy_put_resets(c->standing, name, put);
		mutex_lock(&c->lock);
		a = find_account(c->accounts, name);
		is_any = a != NULL;
		if (is_any)
			now = a->resets;
		mutex_unlock(&c->lock);
	} while (is_any && (now.known != put.known || now.told != put.told));
}

static int note_resets_in(struct hashmap *accounts, const char *name, uint64_t resets)
{
	struct account *a = make_account_in(accounts, name);

	if (a == NULL)
		return -1;
	if (a->resets.known < resets)
		a->resets = (struct cluster_resets){.known = resets, .told = resets};
	return 0;
}

/* It holds at once, also while all is read; and that it was read tells that the engine knows. */
int cluster_note_resets(struct cluster *c, const char *account, uint64_t resets)
{
	int result;

	mutex_lock(&c->lock);
	result = note_resets_in(c->accounts, account, resets);
	if (result == 0 && c->reading != NULL)
		result = note_resets_in(c->reading, account, resets);
	mutex_unlock(&c->lock);
	if (result == 0)
		keep_resets(c, account);
	return result;
}

static int adopt_resets_locked(struct cluster *c, const char *name, uint64_t resets)
	REQUIRES(&c->lock)
{
	struct account *a = make_account_in(c->accounts, name);

	if (a == NULL)
		return -1;
	if (a->resets.told >= resets)
		return 0;
	a->resets.known += resets - a->resets.told;
	a->resets.told = resets;
	return 0;
}

int cluster_adopt_resets(struct cluster *c, const char *account, uint64_t resets)
{
	int result;

	mutex_lock(&c->lock);
	result = adopt_resets_locked(c, account, resets);
	mutex_unlock(&c->lock);
	return result < 0 ? -1 : cluster_note_resets(c, account, resets);
}

int cluster_begin_anew(struct cluster *c, const char *account)
{
	struct account *a;

	if (c == NULL)
		return 0;
	mutex_lock(&c->lock);
	a = make_account_in(c->accounts, account);
	if (a != NULL) {
		a->resets.known++;
		c->has_untold = true;
	}
	mutex_unlock(&c->lock);
	if (a == NULL)
		return -1;
	keep_resets(c, account);
	return 0;
}

static const struct account *find_untold(const struct hashmap *accounts)
{
	const struct account *a;
	size_t position = 0;

	while ((a = hashmap_next(accounts, &position)) != NULL) {
		if (a->resets.known != a->resets.told)
			return a;
	}
	return NULL;
}

char *cluster_next_anew(struct cluster *c, uint64_t *resets)
{
	const struct account *a = NULL;
	char *name;

	mutex_lock(&c->lock);
	if (c->has_untold)
		a = find_untold(c->accounts);
	c->has_untold = a != NULL;
	name = a == NULL ? NULL : strdup(a->name);
	*resets = a == NULL ? 0 : a->resets.known;
	mutex_unlock(&c->lock);
	return name;
}

void cluster_told_anew(struct cluster *c, const char *account, uint64_t resets)
{
	struct account *a;

	mutex_lock(&c->lock);
	a = find_account(c->accounts, account);
	if (a != NULL && a->resets.told < resets)
		a->resets.told = resets;
	mutex_unlock(&c->lock);
	keep_resets(c, account);
}

/* How often quotas have begun anew never goes back: what was not told yet did so behind what was
 * read, and what the engine has lost is told again. -1 without memory. */
static int keep_all_resets_locked(struct cluster *c) REQUIRES(&c->lock)
{
	const struct account *a;
	size_t position = 0;

	while ((a = hashmap_next(c->accounts, &position)) != NULL) {
		struct account *b =
			a->resets.known == 0 ? NULL : make_account_in(c->reading, a->name);

		if (b == NULL && a->resets.known > 0)
			return -1;
		if (b == NULL || b->resets.known >= a->resets.known)
			continue;
		b->resets.known = a->resets.known;
		c->has_untold = true;
	}
	return 0;
}

/* The engine has lost what it knew of the node, which has not told it again. */
static bool is_lost_locked(const struct cluster *c, const struct node *n) REQUIRES(&c->lock)
{
	return n->epoch[0] != '\0' && strcmp(n->epoch, c->epoch) != 0;
}

static int keep_lost_parts_locked(struct cluster *c) REQUIRES(&c->lock)
{
	const struct account *a;
	size_t position = 0;

	while ((a = hashmap_next(c->accounts, &position)) != NULL) {
		for (const struct part *p = a->parts; p != NULL; p = p->next) {
			struct part *kept;

			if (!is_lost_locked(c, p->node))
				continue;
			kept = make_part_locked(c, p->node->part, a->name);
			if (kept == NULL)
				return -1;
			kept->use = p->use;
			kept->resets = p->resets;
		}
	}
	return 0;
}

int cluster_begin_reading(struct cluster *c, const char *epoch)
{
	struct hashmap *reading = hashmap_new(0);

	if (reading == NULL)
		return -1;
	cluster_end_reading(c, false);
	mutex_lock(&c->lock);
	c->reading = reading;
	snprintf(c->epoch, sizeof(c->epoch), "%s", epoch);
	mutex_unlock(&c->lock);
	return 0;
}

static int note_epoch(struct cluster *c, const char *node, const char *epoch)
{
	struct node *n;

	mutex_lock(&c->lock);
	n = cluster_make_node_locked(c, node);
	if (n != NULL)
		snprintf(n->epoch, sizeof(n->epoch), "%s", epoch);
	mutex_unlock(&c->lock);
	return n == NULL ? -1 : 0;
}

int cluster_note_part(struct cluster *c, const char *node)
{
	char epoch[CLUSTER_WORD_MAX];

	mutex_lock(&c->lock);
	strcpy(epoch, c->epoch);
	mutex_unlock(&c->lock);
	if (note_epoch(c, node, epoch) < 0)
		return -1;
	cluster_copy_put_epoch(c->standing, node, epoch);
	return 0;
}

static struct hashmap *swap_locked(struct cluster *c) REQUIRES(&c->lock)
{
	struct hashmap *before = c->accounts;

	if (keep_lost_parts_locked(c) < 0 || keep_all_resets_locked(c) < 0)
		return c->reading; /* what was known serves on */
	c->accounts = c->reading;
	return before;
}

void cluster_end_reading(struct cluster *c, bool is_whole)
{
	struct hashmap *dropped;

	mutex_lock(&c->lock);
	dropped = c->reading;
	if (is_whole && c->reading != NULL)
		dropped = swap_locked(c);
	c->reading = NULL;
	mutex_unlock(&c->lock);
	hashmap_free(dropped, free_account);
}

bool cluster_knows(struct cluster *c, const char *node, const char *account)
{
	const struct account *a;
	const struct node *n;
	bool is_known = false;

	mutex_lock(&c->lock);
	n = cluster_find_node_locked(c, node);
	a = find_account(c->accounts, account);
	for (const struct part *p = a == NULL ? NULL : a->parts; p != NULL; p = p->next)
		is_known |= p->node == n && n != NULL;
	mutex_unlock(&c->lock);
	return is_known;
}

/* ---- what stands ---- */

static int restore_use(void *context, const char *node, const char *account,
	const struct quota_use *use, uint64_t resets)
{
	return cluster_note_use(context, node, account, use, resets);
}

static int restore_resets(void *context, const char *account, struct cluster_resets resets)
{
	struct cluster *c = context;
	struct account *a;

	mutex_lock(&c->lock);
	a = make_account_in(c->accounts, account);
	if (a != NULL)
		a->resets = resets;
	c->has_untold = true;
	mutex_unlock(&c->lock);
	return a == NULL ? -1 : 0;
}

static int restore_epoch(void *context, const char *node, const char *epoch)
{
	return note_epoch(context, node, epoch);
}

int cluster_keep(struct cluster *c, struct standing *standing)
{
	const struct cluster_copy_reader reader = {.take_use = restore_use,
		.take_resets = restore_resets,
		.take_epoch = restore_epoch,
		.context = c};
	int result = cluster_copy_load(standing, &reader);

	c->standing = standing;
	return result;
}

/* ---- sums ---- */

static uint64_t add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static struct elsewhere sum_locked(const struct account *a, int64_t begun)
{
	struct elsewhere sum = {0};

	for (const struct part *p = a->parts; p != NULL; p = p->next) {
		sum.sessions += p->node->is_there ? p->sessions : 0;
		if (p->use.begun != begun || p->resets < a->resets.known)
			continue;
		sum.used = add(sum.used, p->use.used);
		sum.extra = add(sum.extra, p->use.extra);
	}
	return sum;
}

struct elsewhere cluster_sum(struct cluster *c, const char *account, int64_t begun)
{
	struct elsewhere sum = {0};
	const struct account *a;

	if (c == NULL)
		return sum;
	mutex_lock(&c->lock);
	a = find_account(c->accounts, account);
	if (a != NULL)
		sum = sum_locked(a, begun);
	mutex_unlock(&c->lock);
	return sum;
}

struct quota_use cluster_add_use(struct quota_use use, struct elsewhere elsewhere)
{
	use.used = add(use.used, elsewhere.used);
	use.extra = add(use.extra, elsewhere.extra);
	return use;
}

uint64_t cluster_resets(struct cluster *c, const char *account)
{
	const struct account *a;
	uint64_t resets;

	mutex_lock(&c->lock);
	a = find_account(c->accounts, account);
	resets = a == NULL ? 0 : a->resets.known;
	mutex_unlock(&c->lock);
	return resets;
}
