/* admin: the monitor's thread: a poll(2) loop over its listener and the consoles. What it shares
 * with the main thread are the errands and a few atomics. */
#ifndef MONITOR_ADMIN_H
#define MONITOR_ADMIN_H

#include "server/server.h"

struct admin;

/* Opens what the monitor of `server` needs, which must live longer, and makes it accept at the
 * monitor's front. NULL with the reason in `error`. */
struct admin *admin_new(struct server *server, char error[CONFIG_ERROR_MAX]);

/* Starts the thread. -1 with the reason in `error`. */
int admin_start(struct admin *a, char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* Ends the thread, if it was started: nobody is answered any more. NULL is allowed. */
void admin_stop(struct admin *a);

/* Ends all connections and frees everything, when no other thread does errands any more. NULL is
 * allowed. */
void admin_free(struct admin *a);

#endif
