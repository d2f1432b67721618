/* admin: the monitor's thread: a poll(2) loop over its listener and the consoles. What it shares
 * with the main thread are the errands and a few atomics. */
#ifndef MONITOR_ADMIN_H
#define MONITOR_ADMIN_H

#include "proxy/server.h"

struct admin;

/* Starts the thread, which serves the monitor of `server`. It sends the signal `number` to the
 * calling thread, which is to call admin_run_errands() then. NULL with the reason in `error`. */
struct admin *admin_start(struct server *server, int number, char error[CONFIG_ERROR_MAX]);

/* Does what administrators have asked for. */
void admin_run_errands(struct admin *a);

/* Reloads the configuration, as the command RELOAD does. */
void admin_reload(struct admin *a);

/* Ends the thread and all its connections. Before the server is stopped. NULL is allowed. */
void admin_stop(struct admin *a);

#endif
