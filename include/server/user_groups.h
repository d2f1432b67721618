/* user_groups: which groups users are in, for those who ask the rules beside a session's way. No
 * state; no lock of its own. */
#ifndef SERVER_USER_GROUPS_H
#define SERVER_USER_GROUPS_H

#include "state/group_source.h"
#include "state/users.h"

/* Of the users who are in force; valid as long as they are. */
struct group_source user_groups(struct users *users);

/* Is any user in a group of that name? */
bool user_groups_exist(struct users *users, const char *name);

#endif
