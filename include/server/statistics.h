/* statistics: all that is counted and measured, as one list of names and numbers: what STATS says
 * and what USR1 logs. No lock of its own. */
#ifndef SERVER_STATISTICS_H
#define SERVER_STATISTICS_H

#include <stdint.h>

#include "proxy/services.h"

/* Gets one figure: its name in words, and the unit behind the number ("", "s", "ms"). */
typedef void statistics_taker(void *context, const char *name, uint64_t value, const char *unit);

/* Gives all figures as they are now to `take`, the six that the monitor's contract names first. */
void statistics_each(struct services *v, statistics_taker *take, void *context);

/* What there is a bound on, and how much of it is taken now. */
struct statistics_resources {
	struct statistics_resource {
		uint64_t used, total;
	} workers, descriptors, pipes;
};

struct statistics_resources statistics_resources(struct services *v);

/* A line in the log with all of them. */
void statistics_log(struct services *v);

#endif
