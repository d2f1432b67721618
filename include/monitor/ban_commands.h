/* ban_commands: the monitor's commands about bans. No state, no lock. */
#ifndef MONITOR_BAN_COMMANDS_H
#define MONITOR_BAN_COMMANDS_H

#include "monitor/commands.h"

/* BANS: those that there are, by address. */
void ban_commands_list(const struct monitor_request *q, struct reply *r);

/* BAN <client>|<network> [<time>], and UNBAN <banned>|*; in the main thread. */
void ban_commands_ban(const struct monitor_request *q, struct reply *r);
void ban_commands_unban(const struct monitor_request *q, struct reply *r);

#endif
