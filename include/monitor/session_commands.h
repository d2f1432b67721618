/* session_commands: KILL and KILL_USER. No state, no lock. */
#ifndef MONITOR_SESSION_COMMANDS_H
#define MONITOR_SESSION_COMMANDS_H

#include "monitor/commands.h"

void session_command_kill(const struct monitor_request *q, struct reply *r);
void session_command_kill_user(const struct monitor_request *q, struct reply *r);

#endif
