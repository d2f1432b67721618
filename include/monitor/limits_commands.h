/* limits_commands: LIMITS and QUOTA. No state, no lock; the main thread's. */
#ifndef MONITOR_LIMITS_COMMANDS_H
#define MONITOR_LIMITS_COMMANDS_H

#include "monitor/account_name.h"
#include "monitor/commands.h"
#include "state/limit_book.h"

/* What holds for whom, and who says it. False when there is nobody of that name any more. */
bool limits_find_in_force(struct services *v, const struct account_name *who,
	struct limits_in_force *out, struct limit_sources *sources);

void limits_command_limits(const struct monitor_request *q, struct reply *r);
void limits_command_quota(const struct monitor_request *q, struct reply *r);

#endif
