/* operators: the users that the command line names, who are admins. No state, no lock. */
#ifndef STATE_OPERATORS_H
#define STATE_OPERATORS_H

#include "state/users.h"

/* Makes each of the `count` a user with the role admin and that password, and has those kept who
 * are not kept so already; users_are_given() knows them from then on. Slow; hashes take their turn
 * in `hashing`. -1 with the reason in `error`. */
int operators_put(struct users *u, struct hashing *hashing,
	const struct user_credentials *operators, size_t count, char error[USERS_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Would operators_put() find nothing to be done? Slow likewise. */
bool operators_are_kept(struct users *u, const struct user_credentials *operators, size_t count);

#endif
