/*
 * Clocks of nodes may differ, so a node is not asked what time it is: that its beat has changed is
 * noted by our own clock. Nodes are never forgotten, for what was used there counts; who asks is
 * told of those that have had a beat.
 */
#include "state/cluster_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"

struct node *cluster_find_node_locked(const struct cluster *c, const char *part) REQUIRES(&c->lock)
{
	return hashmap_get(c->nodes, part, strnlen(part, CLUSTER_NODE_MAX - 1));
}

struct node *cluster_make_node_locked(struct cluster *c, const char *part) REQUIRES(&c->lock)
{
	struct node *n = cluster_find_node_locked(c, part);
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

/* ---- what is heard of them ---- */

static bool is_another(const struct node *n, const struct cluster_beat *beat)
{
	return strcmp(n->beat.instance, beat->instance) != 0;
}

int cluster_note_beat(struct cluster *c, const struct cluster_beat *beat, int64_t now)
{
	struct node *n;

	mutex_lock(&c->lock);
	n = cluster_make_node_locked(c, beat->part[0] == '\0' ? beat->node : beat->part);
	if (n != NULL && n->has_beat && is_another(n, beat))
		cluster_drop_sessions_locked(c, n);
	if (n != NULL && (!n->has_beat || is_another(n, beat) || n->beat.beat != beat->beat)) {
		n->goes_on = n->has_beat && !is_another(n, beat);
		n->beat = *beat;
		n->seen = now;
		n->has_beat = n->is_there = true;
	}
	mutex_unlock(&c->lock);
	return n == NULL ? -1 : 0;
}

void cluster_note_end(struct cluster *c, const char *node)
{
	struct node *n;

	mutex_lock(&c->lock);
	n = cluster_find_node_locked(c, node);
	if (n != NULL) {
		n->is_there = false;
		cluster_drop_sessions_locked(c, n);
	}
	mutex_unlock(&c->lock);
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
	n = cluster_find_node_locked(c, part);
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
