/* limits_commands: LIMITS, QUOTA, DISABLE, ENABLE, GUEST and GUESTS. No state, no lock; the main
 * thread's, but for limits_command_prepare_guest(). */
#ifndef MONITOR_LIMITS_COMMANDS_H
#define MONITOR_LIMITS_COMMANDS_H

#include "monitor/commands.h"

void limits_command_limits(const struct request *q, struct reply *r);
void limits_command_quota(const struct request *q, struct reply *r);
void limits_command_disable(const struct request *q, struct reply *r);
void limits_command_enable(const struct request *q, struct reply *r);
void limits_command_guest(const struct request *q, struct reply *r);
void limits_command_guests(const struct request *q, struct reply *r);

/* The hasher's: makes up a name and a password. */
void limits_command_prepare_guest(struct request *q, struct reply *r);

/* Ends the sessions of all who are in a group, of users or of clients; how many. */
size_t limits_end_group(struct services *v, const char *group, enum end_reason reason);

#endif
