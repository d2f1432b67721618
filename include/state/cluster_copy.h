/* cluster_copy: what a cluster (cluster.h) knows of other nodes, as it stands beyond the process,
 * so that a node that is started while the engine is away holds quotas. By the locks of both; from
 * any thread. */
#ifndef STATE_CLUSTER_COPY_H
#define STATE_CLUSTER_COPY_H

#include "state/cluster.h"

/* What the account has used at that node. Nothing stands of one that has used nothing, and of names
 * that are none. Without memory what stood there stays. `standing` may be NULL: nothing is kept. */
void cluster_copy_put_use(struct standing *standing, const char *node, const char *account,
	const struct quota_use *use, uint64_t resets);

/* How often its quota has begun anew, and of how many of these others know. */
struct cluster_resets {
	uint64_t known, told;
};

void cluster_copy_put_resets(
	struct standing *standing, const char *account, struct cluster_resets resets);

/* In which epoch of the engine's memory it told of the node last; "": it never did. */
void cluster_copy_put_epoch(struct standing *standing, const char *node, const char *epoch);

/* Who is told of what stands; each returns -1 without memory, which ends it. */
struct cluster_copy_reader {
	int (*take_use)(void *context, const char *node, const char *account,
		const struct quota_use *use, uint64_t resets);
	int (*take_resets)(void *context, const char *account, struct cluster_resets resets);
	int (*take_epoch)(void *context, const char *node, const char *epoch);
	void *context;
};

/* What cannot be read is of a later version, and stays. -1 without memory. */
int cluster_copy_load(struct standing *standing, const struct cluster_copy_reader *reader)
	__attribute__((warn_unused_result));

/* Takes away what `c` does not know (any more), and what counts no more at the time `now` (seconds
 * since 1970) as its period is over. Goes through all of it. */
void cluster_copy_sweep(struct standing *standing, struct cluster *c, int64_t now);

#endif
