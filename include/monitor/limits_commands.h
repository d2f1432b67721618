/* limits_commands: LIMITS and QUOTA. No state, no lock; the main thread's. */
#ifndef MONITOR_LIMITS_COMMANDS_H
#define MONITOR_LIMITS_COMMANDS_H

#include "monitor/commands.h"

void limits_command_limits(const struct request *q, struct reply *r);
void limits_command_quota(const struct request *q, struct reply *r);

#endif
