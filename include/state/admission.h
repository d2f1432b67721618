/* admission: who may use the proxy. Pure questions to a configuration; no lock. */
#ifndef STATE_ADMISSION_H
#define STATE_ADMISSION_H

#include <stdbool.h>

#include "state/config.h"

/* Decides what auth = auto comes to, for a configuration that nobody else sees yet: a login is
 * required where users are meant to be, because a file of them is named, or nodes share some, or
 * a helper knows some, or the command line gives some (`are_given`), whether there are any now or
 * not. */
void admission_decide_auto(struct config *c, bool are_given);

/* Must a client log in? */
bool admission_login_required(const struct config *c);

/* Is a client that offers to log in asked to, even if it would do without? `users`: how many there
 * are. */
bool admission_login_wanted(const struct config *c, size_t users);

/* Else, may one log in that would not do without? */
bool admission_login_possible(const struct config *c);

/* Is it looked at whether a login is right? */
bool admission_login_checked(const struct config *c);

/* Is a login that is not right one as Anonymous, and no reason to refuse the client? */
bool admission_wrong_login_forgiven(const struct config *c);

/* May a client from this address be served? `login_required` as admission_login_required() says. */
bool admission_client_allowed(
	const struct config *c, bool login_required, const struct addr *client);

#endif
