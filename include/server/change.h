/* change: going over from one configuration to another while serving. The main thread's; no lock.
 */
#ifndef SERVER_CHANGE_H
#define SERVER_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/stamp.h"
#include "proxy/listeners.h"
#include "proxy/pool.h"
#include "proxy/services.h"

#define CHANGE_REPLY_MAX 4096

/* What a change is about. */
struct site {
	const struct config_source *source;
	struct services *services;
	struct pool *pool; /* NULL: not there yet */
	struct listeners monitor; /* one; a copy, for the descriptor is the monitor's */
	bool monitor_is_new; /* and the monitor does not have it yet */
	size_t reserved_listeners; /* that the budget has kept descriptors for */
	size_t borrowed_listeners; /* that were taken from the spare */
	struct stamp users_stamp; /* of the users file when it was read last */
	/* By index in the table: has change_set() set it? And what file and flags say of those. */
	bool overridden[SETTINGS_COUNT];
	struct settings base;
};

/* Opens what is to be listened on, for clients and for the monitor. The former, or NULL with the
 * reason in `error`, and nothing is open that was not before. */
struct listeners *change_open_listeners(
	struct site *s, struct config *c, char error[CONFIG_ERROR_MAX]);

/* Gets the pool ready to listen on `l`, or says in `error` why not (-1). */
int change_expect(struct site *s, const struct listeners *l, char error[CONFIG_ERROR_MAX]);

/* Reads configuration and users again and opens the logs again: all of it, or nothing. 0 with what
 * changed in `reply`, -1 with the reason; either is logged too. */
int change_reload(struct site *s, char reply[CHANGE_REPLY_MAX]);

/* Gives one setting another value, as if it stood in the file, until the file says something new of
 * it. 0 with what changed in `reply`, -1 with the reason, and nothing changed. */
int change_set(struct site *s, const struct setting *setting, const char *value,
	char reply[CHANGE_REPLY_MAX]);

/* Frees what it remembers. */
void change_forget(struct site *s);

#endif
