/* site: what a change of the configuration is about: all that it may touch. The main thread's; no
 * lock. */
#ifndef SERVER_SITE_H
#define SERVER_SITE_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/services.h"
#include "server/fronts.h"

struct site {
	const struct config_source *source;
	struct services *services;
	struct fronts fronts;

	/* change's */
	/* By index in the table: has change_set() set it? And what file and flags say of those. */
	bool overridden[SETTINGS_COUNT];
	struct settings base;
};

#endif
