/* admin: the monitor's thread: a poll(2) loop over its listener and the consoles. What it shares
 * with the main thread are the errands and a few atomics. */
#ifndef MONITOR_ADMIN_H
#define MONITOR_ADMIN_H

#include "server/server.h"

struct admin;

/* Starts the thread, which serves the monitor of `server`. The signal `number`,
 * which all threads block, tells the main thread to call admin_run_errand(). It should be a
 * standard signal, which cannot fail to be queued, with a number above those of the signals that
 * are to come first. NULL with the reason in `error`. */
struct admin *admin_start(struct server *server, int number, char error[CONFIG_ERROR_MAX]);

/* Does the next thing that administrators have asked for. */
void admin_run_errand(struct admin *a);

/* Reloads the configuration, as the command RELOAD does. */
void admin_reload(struct admin *a);

/* Ends the thread and all its connections. Before the server is stopped. NULL is allowed. */
void admin_stop(struct admin *a);

#endif
