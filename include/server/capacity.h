/* capacity: how many sessions fit, by the limits on files, threads and memory. The main thread's;
 * no lock. */
#ifndef SERVER_CAPACITY_H
#define SERVER_CAPACITY_H

#include <stddef.h>

#include "net/fdbudget.h"
#include "state/config.h"

struct capacity {
	size_t wanted; /* sessions, by the settings */
	size_t planned; /* what the limit on files leaves of these */
};

/* Raises the limit on open files and plans `budget` with it, `listeners` of which are for what is
 * listened on. -1 with the reason in `error` when no session fits. */
int capacity_plan(struct capacity *c, struct fdbudget *budget, const struct settings *s,
	size_t listeners, char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* Says how many there are now that the workers are made, and why not more. */
void capacity_log(
	const struct capacity *c, const struct fdbudget *budget, const struct settings *s);

#endif
