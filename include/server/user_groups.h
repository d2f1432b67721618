/* user_groups: which groups users are in, for those who ask the rules beside a session's way. No
 * state; no lock of its own. */
#ifndef SERVER_USER_GROUPS_H
#define SERVER_USER_GROUPS_H

#include "state/group_source.h"
#include "state/users.h"

/* Of the users who are in force, or of those who were read and are to be; valid as long as they. */
struct group_source user_groups(struct users *users);
struct group_source user_groups_of_draft(struct users_draft *draft);

#endif
