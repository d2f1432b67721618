/* cluster: what the other nodes have said of themselves, and of what accounts use and run there. A
 * mutex guards the tables; from any thread. */
#ifndef STATE_CLUSTER_H
#define STATE_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/quota.h"
#include "state/standing.h"

/* A node whose beat stands still for so long has gone, and its sessions with it, by the clock of
 * whoever looks (clock.h). */
#define CLUSTER_SILENT_MS INT64_C(14000)

#define CLUSTER_NODE_MAX 64 /* of a node's name; its NUL included */
#define CLUSTER_WORD_MAX 32 /* of its instance, and its version, likewise */

struct cluster;

/* Nobody else is known. NULL without memory. */
struct cluster *cluster_new(void);

/* NULL is allowed. */
void cluster_free(struct cluster *c);

/* What others have used, and which quotas have begun anew, stands in `standing` from now on
 * (cluster_copy.h), which outlives the cluster; and what stands there is known. Before anybody else
 * uses it. -1 without memory, and then some is known. */
int cluster_keep(struct cluster *c, struct standing *standing) __attribute__((warn_unused_result));

/* ---- for whoever hears from the others; all return -1 without memory, and nothing changed ---- */

/* What a node says of itself every few seconds. */
struct cluster_beat {
	/* By what its uses are known (sharing_part.c); "": by its name. */
	char part[CLUSTER_NODE_MAX];
	char node[CLUSTER_NODE_MAX]; /* its name, which another one may have, too */
	char instance[CLUSTER_WORD_MAX]; /* another one each time that the node starts */
	char version[CLUSTER_WORD_MAX];
	int64_t started; /* seconds since 1970, by its clock */
	uint64_t sessions, max_sessions;
	uint64_t beat; /* one more each time */
	char monitor[ADDR_TEXT_MAX]; /* where its monitor is reached; "-": by no address */
};

/* A beat was seen at `now`. What is there again as it was says nothing. */
int cluster_note_beat(struct cluster *c, const struct cluster_beat *beat, int64_t now)
	__attribute__((warn_unused_result));

/* The account, a user's name or a client as text, has used so much at the node with that part in
 * all of its period, of which it was told `resets` times that it begins anew. */
int cluster_note_use(struct cluster *c, const char *node, const char *account,
	const struct quota_use *use, uint64_t resets) __attribute__((warn_unused_result));

/* So many sessions of the account run there. */
int cluster_note_sessions(struct cluster *c, const char *node, const char *account,
	uint32_t sessions) __attribute__((warn_unused_result));

/* What is used of the account's quota begins anew for the so many-th time, everywhere: what was
 * used before counts no more. */
int cluster_note_resets(struct cluster *c, const char *account, uint64_t resets)
	__attribute__((warn_unused_result));

/* The same was so before this node had anything to do with the others: what it was told of by
 * cluster_begin_anew() meanwhile comes on top. */
int cluster_adopt_resets(struct cluster *c, const char *account, uint64_t resets)
	__attribute__((warn_unused_result));

/* The account's quota begins anew here, and is to on all nodes. `c` NULL: there are no others. */
int cluster_begin_anew(struct cluster *c, const char *account) __attribute__((warn_unused_result));

/* One account of which that was said and not told yet, with how often it has begun anew; to be
 * freed. NULL: there is none. */
char *cluster_next_anew(struct cluster *c, uint64_t *resets);

/* That was told. */
void cluster_told_anew(struct cluster *c, const char *account, uint64_t resets);

/* The node has stopped. What was used there stays used. */
void cluster_note_end(struct cluster *c, const char *node);

/* All that is known of accounts is about to be told anew, by an engine whose memory is known by
 * the word `epoch`: what was known serves until that is whole, which cluster_end_reading() says, or
 * else (false) goes on to serve. Of a node that is not among those told of (cluster_note_part())
 * what was used stays known if the engine has lost it: if the node was told of in another epoch
 * last. */
int cluster_begin_reading(struct cluster *c, const char *epoch) __attribute__((warn_unused_result));
int cluster_note_part(struct cluster *c, const char *node) __attribute__((warn_unused_result));
void cluster_end_reading(struct cluster *c, bool is_whole);

/* Is anything known of what the account has used there? */
bool cluster_knows(struct cluster *c, const char *node, const char *account);

/* Nobody could be heard until `now`: who was there by then is not silent for that. */
void cluster_begin_listening(struct cluster *c, int64_t now);

/* The sessions of nodes that are silent at `now` do not count, until they are heard of again: true
 * when there is another one of these. */
bool cluster_note_silence(struct cluster *c, int64_t now);

/* ---- for accounts ---- */

/* What they use and run on all the other nodes together. */
struct elsewhere {
	uint64_t used, extra; /* bytes of the quota, and what was given besides */
	uint32_t sessions;
};

/* Of the account, in the period that began at `begun`. `c` NULL: nothing. */
struct elsewhere cluster_sum(struct cluster *c, const char *account, int64_t begun);

/* What is used of a quota on all nodes, where `use` is used here. */
struct quota_use cluster_add_use(struct quota_use use, struct elsewhere elsewhere);

/* How often its quota has begun anew. */
uint64_t cluster_resets(struct cluster *c, const char *account);

/* ---- how it goes here ---- */

#define CLUSTER_TEXT_MAX 320 /* of what is said of an engine; its NUL included */
#define CLUSTER_PROBLEM_MAX 768

/* What this node and the engine are called, once. */
void cluster_introduce(struct cluster *c, const char *node, const char *engine);

/* Another node says that it has this one's part. */
void cluster_note_copied(struct cluster *c, bool is_copied);

/* Where this node's monitor is reached from others, "-" until this was said. */
void cluster_note_monitor(struct cluster *c, const char *monitor);

/* The engine has answered at `now`, or (with the reason) it has not: true when that is news. So
 * many commands were sent to it in all. */
bool cluster_note_up(struct cluster *c, int64_t now, uint64_t commands);
bool cluster_note_down(struct cluster *c, int64_t now, const char *problem);

/* Users that nodes share may log in until that time (clock.h) while the engine does not answer;
 * CLOCK_NEVER: it does, or there are none. */
void cluster_note_grace(struct cluster *c, int64_t ends);

struct cluster_status {
	char node[CLUSTER_NODE_MAX], engine[CLUSTER_TEXT_MAX], monitor[ADDR_TEXT_MAX];
	bool is_up;
	int64_t since_ms; /* for how long that is so; -1: nothing was tried yet */
	int64_t lag_ms; /* since it answered last; -1: it never did */
	uint64_t commands, failures; /* that were sent; how often that or connecting failed */
	size_t nodes; /* online, this one included */
	int64_t grace_ms; /* that is left to users that nodes share; 0: they are refused; -1: it is
			   * none of their concern */
	size_t namesakes; /* of these, others that have its name, and go on to say that they are
			     there */
	bool is_copied; /* another one has its part */
	char problem[CLUSTER_PROBLEM_MAX]; /* while it is not up */
};

void cluster_look(struct cluster *c, int64_t now, struct cluster_status *out);

/* ---- for whoever looks ---- */

struct cluster_node {
	struct cluster_beat beat;
	int64_t silent_ms; /* since the last beat */
	bool is_online;
	size_t namesakes; /* others that are online and have its name */
};

/* Is the node with that part there? */
bool cluster_is_online(struct cluster *c, const char *part, int64_t now);

/* All other nodes that were ever heard of, by name, in a block to be freed; one that has gone is
 * left out where another one that was started later has its name. NULL without memory. */
struct cluster_node *cluster_nodes(struct cluster *c, int64_t now, size_t *count);

#endif
