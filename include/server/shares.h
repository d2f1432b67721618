/* shares: a job of the janitor's that divides rate_total and the groups' rates among the accounts
 * that move bytes. The janitor's; no lock of its own. */
#ifndef SERVER_SHARES_H
#define SERVER_SHARES_H

#include "proxy/services.h"
#include "server/janitor.h"
#include "state/throttle.h"

/* Of a rate that several have together, in one direction. */
struct shares_pool {
	uint64_t rate; /* 0: none */
	unsigned fresh; /* rounds in which nothing is reckoned: it has changed */
	int64_t owed; /* bytes that were moved too much; less than nothing: that are left */
};

struct shares {
	struct throttles *throttles;
	struct config_store *configs;
	struct janitor *janitor;
	uint64_t known_by; /* the generation that the pools are from, and one; 0: none yet */
	/* Of the groups in the order of group_rate, and of rate_total behind them. */
	struct shares_pool pools[THROTTLE_GROUPS_MAX + 1][THROTTLE_DIRECTIONS];
	size_t groups;
	int64_t ran_at, moved_at; /* when it ran, and when anybody had moved something */
	struct job job;
};

/* Makes the job ready to be added; `s` must live as long as the sessions. */
void shares_init(struct shares *s, struct services *services, struct janitor *janitor);

#endif
