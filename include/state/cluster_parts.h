/* cluster_parts: what a cluster is made of, for its own files (cluster.c, cluster_nodes.c) only. */
#ifndef STATE_CLUSTER_PARTS_H
#define STATE_CLUSTER_PARTS_H

#include "base/hashmap.h"
#include "base/lock.h"
#include "state/cluster.h"
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

/* NULL: nothing was heard of it. */
struct node *cluster_find_node_locked(const struct cluster *c, const char *part) REQUIRES(&c->lock);

/* Where it is missing it is made; NULL without memory. */
struct node *cluster_make_node_locked(struct cluster *c, const char *part) REQUIRES(&c->lock);

/* None of anybody's sessions run there any more. */
void cluster_drop_sessions_locked(struct cluster *c, const struct node *n) REQUIRES(&c->lock);

#endif
