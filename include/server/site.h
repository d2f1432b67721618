/* site: what a change of the configuration is about: all that it may touch. The main thread's; no
 * lock. */
#ifndef SERVER_SITE_H
#define SERVER_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/stamp.h"
#include "proxy/listeners.h"
#include "proxy/pool.h"
#include "proxy/services.h"

/* Listeners that were opened and are not in use yet (listening.h). */
struct listening_change {
	struct listeners *next;
	struct listeners monitor_before;
	bool monitor_was_new;
	size_t borrowed; /* descriptors, for listeners that are opened before others are closed */
};

struct site {
	const struct config_source *source;
	struct services *services;
	struct pool *pool; /* NULL: not there yet */

	/* listening's */
	struct listeners monitor; /* one; a copy, for the descriptor is the monitor's */
	bool monitor_is_new; /* and the monitor does not have it yet */
	size_t reserved_listeners; /* that the budget has kept descriptors for */
	size_t borrowed_listeners; /* that were taken from the spare */
	struct listening_change listening;

	/* change's */
	struct stamp users_stamp; /* of the users file when it was read last */
	/* By index in the table: has change_set() set it? And what file and flags say of those. */
	bool overridden[SETTINGS_COUNT];
	struct settings base;
};

#endif
