/* naming: a job of the janitor's that follows the file with the clients' names. The janitor's; no
 * lock. */
#ifndef SERVER_NAMING_H
#define SERVER_NAMING_H

#include "proxy/services.h"
#include "server/schedule.h"

#define NAMING_PERIOD_MS 1000

struct naming {
	struct services *services;
	struct job job;
};

/* Makes the job ready to be added; `n` must live as long as it. It looks each second while
 * `client_names` is set, and not at all while it is not. */
void naming_init(struct naming *n, struct services *services);

#endif
