/* sampling: a job of the janitor's that notes each second how much was moved, while anything is.
 * The janitor's, but for sampling_take(); no lock of its own. */
#ifndef SERVER_SAMPLING_H
#define SERVER_SAMPLING_H

#include "proxy/services.h"
#include "server/janitor.h"
#include "server/keeper.h"

struct sampling {
	struct services *services;
	struct janitor *janitor;
	struct keeper *keeper; /* told while sessions do something; NULL: none */
	struct traffic_alarm alarm; /* armed while the job sleeps */
	int64_t last_change; /* of what was sampled: clock_ms() */
	struct job job;
};

/* Makes the job ready to be added, and has the sessions wake it; `s` must live as long as they.
 * `keeper` may be NULL. */
void sampling_init(struct sampling *s, struct services *services, struct janitor *janitor,
	struct keeper *keeper);

/* Takes a sample into the services' throughput. True when anything has changed since the last. Any
 * thread. */
bool sampling_take(struct services *v, int64_t now);

#endif
