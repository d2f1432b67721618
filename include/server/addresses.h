/* addresses: a job of the janitor's that keeps what is known of this host's own addresses fresh.
 * The janitor's; no lock. */
#ifndef SERVER_ADDRESSES_H
#define SERVER_ADDRESSES_H

#include <stdbool.h>

#include "net/own.h"
#include "server/schedule.h"

#define ADDRESSES_PERIOD_MS 60000

struct addresses {
	struct own *own;
	bool failed; /* to read them, the last time */
	struct job job;
};

/* Reads them for the first time, and makes the job ready to be added; `a` must live as long as it.
 * The job reads them each minute, and whenever it is told to look. */
void addresses_init(struct addresses *a, struct own *own);

#endif
