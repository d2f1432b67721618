/* ban_sweep: a job of the janitor's that ends bans whose time is over. The janitor's; no lock. */
#ifndef SERVER_BAN_SWEEP_H
#define SERVER_BAN_SWEEP_H

#include "server/janitor.h"
#include "state/bans.h"

struct ban_sweep {
	struct bans *bans;
	struct janitor *janitor;
	struct job job;
};

/* Makes the job ready to be added, and has bans that begin call it; `sweep` must live as long as
 * they. */
void ban_sweep_init(struct ban_sweep *sweep, struct bans *bans, struct janitor *janitor);

#endif
