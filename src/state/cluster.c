/*
 * Each node says what accounts have used there in all, in numbers of its own that only grow, so the
 * sum over nodes is right whatever was lost, repeated or out of order on the way. An account is a
 * list of parts, one for each node that has said anything of it: nodes are a few, and most accounts
 * are at one of them.
 *
 * Clocks of nodes may differ, so a node is not asked what time it is: that its beat has changed is
 * noted by our own clock.
 */
#include "state/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/hashmap.h"
#include "base/lock.h"
#include "state/cluster_copy.h"

struct node {
	struct cluster_beat beat;
	char epoch[CLUSTER_WORD_MAX]; /* in which the engine told of it last; "": it never did */
	int64_t seen; /* when it changed last; has_beat */
	bool has_beat;
	bool is_there; /* and its sessions count */
	bool goes_on; /* it has changed while we looked */
	char part[CLUSTER_NODE_MAX];
};

struct part {
	const struct node *node;
	struct quota_use use;
	uint64_t resets; /* that it knows of */
	uint32_t sessions;
	struct part *next;
};

struct account {
	struct cluster_resets resets; /* `told`: of what others were told, or have told */
	struct part *parts;
	size_t name_len;
	char name[];
};

struct cluster {
	struct standing *standing; /* NULL: nothing is kept */
	struct mutex lock; /* the rest */
	char epoch[CLUSTER_WORD_MAX]; /* of what is read, or was read last */
	struct cluster_status self; /* but what is reckoned when it is asked for */
	int64_t since, heard; /* -1: never */
	int64_t grace_ends; /* clock_ms(), or CLOCK_NEVER */
	struct hashmap *nodes; /* by part */
	struct hashmap *accounts; /* by name */
	bool has_untold; /* perhaps: an account that has begun anew */
	struct hashmap *reading; /* what is to take their place; NULL: nothing is */
};

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

static struct node *find_node_locked(const struct cluster *c, const char *part) REQUIRES(&c->lock)
{
	return hashmap_get(c->nodes, part, strnlen(part, CLUSTER_NODE_MAX - 1));
}

static struct node *make_node_locked(struct cluster *c, const char *part) REQUIRES(&c->lock)
{
	struct node *n = find_node_locked(c, part);
	void *old;

	if (n != NULL)
		return n;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		return NULL;
	strncpy(n->part, part, CLUSTER_NODE_MAX - 1);
	if (hashmap_put(c->nodes, n->part, strlen(n->part), n, &old) == 0)
		return n;
	free(n);
	return NULL;
}

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
	const struct node *n = make_node_locked(c, node);
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

static void drop_sessions_locked(struct cluster *c, const struct node *n) REQUIRES(&c->lock)
{
	drop_sessions_of(c->accounts, n);
	if (c->reading != NULL)
		drop_sessions_of(c->reading, n);
}

static bool is_another(const struct node *n, const struct cluster_beat *beat)
{
	return strcmp(n->beat.instance, beat->instance) != 0;
}

int cluster_note_beat(struct cluster *c, const struct cluster_beat *beat, int64_t now)
{
	struct node *n;

	mutex_lock(&c->lock);
	n = make_node_locked(c, beat->part[0] == '\0' ? beat->node : beat->part);
	if (n != NULL && n->has_beat && is_another(n, beat))
		drop_sessions_locked(c, n);
	if (n != NULL && (!n->has_beat || is_another(n, beat) || n->beat.beat != beat->beat)) {
		n->goes_on = n->has_beat && !is_another(n, beat);
		n->beat = *beat;
		n->seen = now;
		n->has_beat = n->is_there = true;
	}
	mutex_unlock(&c->lock);
	return n == NULL ? -1 : 0;
}

int cluster_note_use(struct cluster *c, const char *node, const char *account,
	const struct quota_use *use, uint64_t resets)
{
	struct part *p;

	mutex_lock(&c->lock);
	p = make_part_locked(c, node, account);
	if (p != NULL) {
		p->use = *use;
		p->resets = resets;
	}
	mutex_unlock(&c->lock);
	if (p == NULL)
		return -1;
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

void cluster_note_end(struct cluster *c, const char *node)
{
	struct node *n;

	mutex_lock(&c->lock);
	n = find_node_locked(c, node);
	if (n != NULL) {
		n->is_there = false;
		drop_sessions_locked(c, n);
	}
	mutex_unlock(&c->lock);
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
	n = make_node_locked(c, node);
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
	n = find_node_locked(c, node);
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

static bool is_silent(const struct node *n, int64_t now)
{
	return now - n->seen >= CLUSTER_SILENT_MS;
}

void cluster_begin_listening(struct cluster *c, int64_t now)
{
	struct node *n;
	size_t position = 0;

	mutex_lock(&c->lock);
	while ((n = hashmap_next(c->nodes, &position)) != NULL) {
		if (n->is_there)
			n->seen = now;
	}
	mutex_unlock(&c->lock);
}

bool cluster_note_silence(struct cluster *c, int64_t now)
{
	struct node *n;
	size_t position = 0;
	bool has_gone = false;

	mutex_lock(&c->lock);
	while ((n = hashmap_next(c->nodes, &position)) != NULL) {
		if (!n->is_there || !is_silent(n, now))
			continue;
		n->is_there = false;
		has_gone = true;
	}
	mutex_unlock(&c->lock);
	return has_gone;
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

/* ---- how it goes here ---- */

void cluster_introduce(struct cluster *c, const char *node, const char *engine)
{
	mutex_lock(&c->lock);
	snprintf(c->self.node, sizeof(c->self.node), "%s", node);
	snprintf(c->self.engine, sizeof(c->self.engine), "%s", engine);
	snprintf(c->self.monitor, sizeof(c->self.monitor), "-");
	mutex_unlock(&c->lock);
}

void cluster_note_copied(struct cluster *c, bool is_copied)
{
	mutex_lock(&c->lock);
	c->self.is_copied = is_copied;
	mutex_unlock(&c->lock);
}

void cluster_note_monitor(struct cluster *c, const char *monitor)
{
	mutex_lock(&c->lock);
	snprintf(c->self.monitor, sizeof(c->self.monitor), "%s", monitor);
	mutex_unlock(&c->lock);
}

static bool note_state_locked(struct cluster *c, bool is_up, int64_t now, const char *problem)
	REQUIRES(&c->lock)
{
	bool is_news = c->since < 0 || c->self.is_up != is_up;

	if (is_news)
		c->since = now;
	c->self.is_up = is_up;
	escape_line(problem, strlen(problem), c->self.problem, sizeof(c->self.problem));
	return is_news;
}

bool cluster_note_up(struct cluster *c, int64_t now, uint64_t commands)
{
	bool is_news;

	mutex_lock(&c->lock);
	is_news = note_state_locked(c, true, now, "");
	c->heard = now;
	c->self.commands = commands;
	mutex_unlock(&c->lock);
	return is_news;
}

bool cluster_note_down(struct cluster *c, int64_t now, const char *problem)
{
	bool is_news;

	mutex_lock(&c->lock);
	is_news = note_state_locked(c, false, now, problem);
	c->self.failures++;
	mutex_unlock(&c->lock);
	return is_news;
}

void cluster_note_grace(struct cluster *c, int64_t ends)
{
	mutex_lock(&c->lock);
	c->grace_ends = ends;
	mutex_unlock(&c->lock);
}

static int64_t left_of_grace(int64_t ends, int64_t now)
{
	if (ends == CLOCK_NEVER)
		return -1;
	return ends > now ? ends - now : 0;
}

static bool is_online(const struct node *n, int64_t now)
{
	return n->is_there && !is_silent(n, now);
}

/* How many others than `but` are online under that name. One that was seen once only may be what an
 * earlier process has left behind. */
static size_t count_namesakes_locked(const struct cluster *c, const struct node *but,
	const char *name, int64_t now) REQUIRES(&c->lock)
{
	const struct node *n;
	size_t position = 0, count = 0;

	while ((n = hashmap_next(c->nodes, &position)) != NULL)
		count += n != but && n->goes_on && is_online(n, now) &&
			strcmp(n->beat.node, name) == 0;
	return count;
}

void cluster_look(struct cluster *c, int64_t now, struct cluster_status *out)
{
	const struct node *n;
	size_t position = 0;

	mutex_lock(&c->lock);
	*out = c->self;
	out->since_ms = c->since < 0 ? -1 : now - c->since;
	out->lag_ms = c->heard < 0 ? -1 : now - c->heard;
	out->nodes = 1;
	out->grace_ms = left_of_grace(c->grace_ends, now);
	out->namesakes = count_namesakes_locked(c, NULL, c->self.node, now);
	while ((n = hashmap_next(c->nodes, &position)) != NULL)
		out->nodes += is_online(n, now);
	mutex_unlock(&c->lock);
}

/* ---- nodes ---- */

bool cluster_is_online(struct cluster *c, const char *part, int64_t now)
{
	const struct node *n;
	bool is_there;

	mutex_lock(&c->lock);
	n = find_node_locked(c, part);
	is_there = n != NULL && is_online(n, now);
	mutex_unlock(&c->lock);
	return is_there;
}

static int by_name(const void *a, const void *b)
{
	const struct cluster_node *x = a, *y = b;

	int order = strcmp(x->beat.node, y->beat.node);

	return order != 0 ? order : strcmp(x->beat.part, y->beat.part);
}

/* It has gone, and something else has its name. */
static bool is_outdated_locked(const struct cluster *c, const struct node *of, int64_t now)
	REQUIRES(&c->lock)
{
	const struct node *n;
	size_t position = 0;

	if (is_online(of, now))
		return false;
	if (strcmp(of->beat.node, c->self.node) == 0)
		return true;
	while ((n = hashmap_next(c->nodes, &position)) != NULL) {
		if (n != of && n->has_beat && strcmp(n->beat.node, of->beat.node) == 0 &&
			(is_online(n, now) || n->beat.started > of->beat.started))
			return true;
	}
	return false;
}

static size_t list_namesakes_locked(const struct cluster *c, const struct node *n, int64_t now)
	REQUIRES(&c->lock)
{
	return count_namesakes_locked(c, n, n->beat.node, now) +
		(strcmp(n->beat.node, c->self.node) == 0);
}

/* Nodes of whom only uses are known, from long ago, are left out. */
static size_t list_locked(const struct cluster *c, int64_t now, struct cluster_node *nodes)
	REQUIRES(&c->lock)
{
	const struct node *n;
	size_t position = 0, count = 0;

	while ((n = hashmap_next(c->nodes, &position)) != NULL) {
		if (!n->has_beat || is_outdated_locked(c, n, now))
			continue;
		nodes[count] = (struct cluster_node){.beat = n->beat,
			.silent_ms = now - n->seen,
			.is_online = is_online(n, now)};
		if (nodes[count].is_online)
			nodes[count].namesakes = list_namesakes_locked(c, n, now);
		count++;
	}
	return count;
}

struct cluster_node *cluster_nodes(struct cluster *c, int64_t now, size_t *count)
{
	struct cluster_node *nodes;

	mutex_lock(&c->lock);
	nodes = calloc(hashmap_count(c->nodes) + 1, sizeof(*nodes));
	*count = nodes == NULL ? 0 : list_locked(c, now, nodes);
	mutex_unlock(&c->lock);
	if (nodes != NULL)
		qsort(nodes, *count, sizeof(*nodes), by_name);
	return nodes;
}
