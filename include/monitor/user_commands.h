/* user_commands: ADD_USER, SET_PASSWORD, SET_ROLE, DEL_USER and SHARE_USER. No state, no lock. */
#ifndef MONITOR_USER_COMMANDS_H
#define MONITOR_USER_COMMANDS_H

#include "monitor/commands.h"

/* In the hasher's thread: computes the hash of the password, for a user who is added and for
 * others. */
void user_command_prepare_add(struct monitor_request *q, struct reply *r);
void user_command_make_hash(struct monitor_request *q, struct reply *r);

void user_command_add_user(const struct monitor_request *q, struct reply *r);
void user_command_set_password(const struct monitor_request *q, struct reply *r);
void user_command_set_role(const struct monitor_request *q, struct reply *r);
void user_command_del_user(const struct monitor_request *q, struct reply *r);
void user_command_share_user(const struct monitor_request *q, struct reply *r);

/* What SHARE_USER does when the user is on the disk as one whom nodes share. */
void user_command_finish_sharing(const struct monitor_request *q, struct reply *r);

#endif
