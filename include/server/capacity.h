/* capacity: how many sessions fit, by the limits on files, threads and memory. The main thread's;
 * no lock. */
#ifndef SERVER_CAPACITY_H
#define SERVER_CAPACITY_H

#include <stddef.h>
#include <stdint.h>

#include "net/fdbudget.h"
#include "state/config.h"

struct capacity {
	size_t sessions; /* that the settings want, and the limits leave of these */
	uint64_t memory; /* bytes: the host's, or what control groups leave of it */
	size_t full_buffers; /* that relays may fill at once; 0: all of them */
	char why[512]; /* what decided that they are no more */
};

/* Raises the limit on open files and plans `budget` with it and with the memory there is,
 * `listeners` of the files being for what is listened on. -1 with the reason in `error` when no
 * session fits. */
int capacity_plan(struct capacity *c, struct fdbudget *budget, const struct settings *s,
	size_t listeners, char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* When all other threads run: lowers the sessions of `budget` to what may be made of workers beside
 * them. -1 with the reason in `error` when that is none. */
int capacity_plan_workers(struct capacity *c, struct fdbudget *budget, const struct settings *s,
	char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

/* Says how many there are now that the workers are made, and why not more. */
void capacity_log(struct capacity *c, const struct fdbudget *budget, const struct settings *s);

/* How many slow hashes of passwords are computed at once: max_password_checks; auto: one for each
 * processor that this process may use, as long as a 16th of the memory holds them; at least 1. */
unsigned capacity_password_checks(const struct settings *s);

#endif
