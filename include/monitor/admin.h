/* admin: the monitor's thread: a poll(2) loop over its listener and the consoles. What it shares
 * with the main thread are the errands and a few atomics. */
#ifndef MONITOR_ADMIN_H
#define MONITOR_ADMIN_H

#include "server/server.h"

struct admin;

/* Starts the thread, which serves the monitor of `server`. NULL with the reason in `error`. */
struct admin *admin_start(struct server *server, char error[CONFIG_ERROR_MAX]);

/* Does the next errand for the main thread (server.h). */
void admin_run_errand(struct admin *a);

/* Reloads the configuration, as the command RELOAD does. */
void admin_reload(struct admin *a);

/* Ends the thread: nobody is answered any more. */
void admin_stop(struct admin *a);

/* Ends all connections and frees everything, when no other thread does errands any more. NULL is
 * allowed. */
void admin_free(struct admin *a);

#endif
