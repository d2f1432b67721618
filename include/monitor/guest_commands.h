/* guest_commands: GUEST and GUESTS. No state, no lock; the main thread's, but for
 * guest_command_prepare(). */
#ifndef MONITOR_GUEST_COMMANDS_H
#define MONITOR_GUEST_COMMANDS_H

#include "monitor/commands.h"

/* The hasher's: makes up a name and a password. */
void guest_command_prepare(struct monitor_request *q, struct reply *r);

void guest_command_guest(const struct monitor_request *q, struct reply *r);
void guest_command_guests(const struct monitor_request *q, struct reply *r);

#endif
