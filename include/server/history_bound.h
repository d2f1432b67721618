/* history_bound: how many clients have a history of their own for a day. The keeper's thread; no
 * lock. */
#ifndef SERVER_HISTORY_BOUND_H
#define SERVER_HISTORY_BOUND_H

#include <stdint.h>

#include "server/history_tables.h"

/* Where a day has HISTORY_CLIENTS_SPARE clients more than HISTORY_CLIENTS_A_DAY, those who moved
 * least become one account, HISTORY_OTHER, so that the latter are left. Between database_begin()
 * and database_commit(). -1 when it failed, see database_error(). */
int history_bound_day(struct database *d, int32_t day, struct history_wanted wanted)
	__attribute__((warn_unused_result));

#endif
