/* node_commands: NODES, which servers share their state. No state, no lock. */
#ifndef MONITOR_NODE_COMMANDS_H
#define MONITOR_NODE_COMMANDS_H

#include "monitor/commands.h"

void node_commands_list(const struct monitor_request *q, struct reply *r);

#endif
