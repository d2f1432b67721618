/* site: what a change of the configuration is about: all that it may touch. The main thread's; no
 * lock. */
#ifndef SERVER_SITE_H
#define SERVER_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/services.h"
#include "server/fronts.h"
#include "server/keeper.h"

struct site {
	const struct config_source *source;
	struct services *services;
	struct fronts fronts;
	struct keeper *keeper; /* NULL: nothing is kept */

	/* change's */
	struct config *base; /* what file and flags said when they were read last */
};

#endif
