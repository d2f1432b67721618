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

/* A line in the log with all of them. */
void statistics_log(struct services *v);

#endif
