/* look_commands: STATS, VERSION, CONNECTIONS, USERS, ACCOUNTS, CLIENTS, UPSTREAMS,
 * ACCESS_LOG and TRAFFIC, which only look. No state, no lock. */
#ifndef MONITOR_LOOK_COMMANDS_H
#define MONITOR_LOOK_COMMANDS_H

#include "monitor/commands.h"

void look_command_stats(const struct monitor_request *q, struct reply *r);
void look_command_version(const struct monitor_request *q, struct reply *r);
void look_command_connections(const struct monitor_request *q, struct reply *r);
void look_command_users(const struct monitor_request *q, struct reply *r);
void look_command_accounts(const struct monitor_request *q, struct reply *r);
void look_command_clients(const struct monitor_request *q, struct reply *r);
void look_command_upstreams(const struct monitor_request *q, struct reply *r);
void look_command_access_log(const struct monitor_request *q, struct reply *r);
void look_command_traffic(const struct monitor_request *q, struct reply *r);

#endif
