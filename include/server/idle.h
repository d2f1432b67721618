/* idle: a job of the janitor's that makes live sessions follow idle times that were lowered. The
 * janitor's; no lock. */
#ifndef SERVER_IDLE_H
#define SERVER_IDLE_H

#include "server/schedule.h"
#include "state/config.h"
#include "state/registry.h"

struct idle_sweep {
	struct registry *registry;
	const struct idle_limits *limits;
	int64_t timeout, half_close_timeout; /* as they were seen last */
	uint64_t last; /* the newest session that may sleep too long */
	int64_t due; /* CLOCK_NEVER: there is none */
	struct job job;
};

/* Makes the job ready to be added; `sweep` must live as long as it. */
void idle_sweep_init(
	struct idle_sweep *sweep, struct registry *registry, const struct idle_limits *limits);

#endif
