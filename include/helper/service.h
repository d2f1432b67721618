/* service: the loop of socks5d_auth, from its socket to its helpers. The main thread's; no lock. */
#ifndef HELPER_SERVICE_H
#define HELPER_SERVICE_H

#include <stdbool.h>

#include "helper/arguments.h"

/* Blocks the signals that service_run() takes. */
void service_block_signals(void);

/* Serves until SIGTERM or SIGINT, and ends all helpers. -1 with the reason in `error` when it does
 * not come to that; `*hopeless` when trying again does not help. */
int service_run(const struct arguments *a, bool *hopeless, char error[ARGUMENTS_ERROR_MAX])
	__attribute__((warn_unused_result));

#endif
