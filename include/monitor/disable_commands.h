/* disable_commands: DISABLE and ENABLE. No state, no lock; the main thread's. */
#ifndef MONITOR_DISABLE_COMMANDS_H
#define MONITOR_DISABLE_COMMANDS_H

#include "monitor/commands.h"

void disable_command_disable(const struct monitor_request *q, struct reply *r);
void disable_command_enable(const struct monitor_request *q, struct reply *r);

#endif
