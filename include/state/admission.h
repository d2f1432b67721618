/* admission: who may use the proxy. Pure questions to a configuration; no lock. */
#ifndef STATE_ADMISSION_H
#define STATE_ADMISSION_H

#include <stdbool.h>

#include "state/config.h"

/* Must a client log in, when there are `users` users? */
bool admission_login_required(const struct config *c, size_t users);

/* Is a client that offers to log in asked to, even if it would do without? */
bool admission_login_wanted(const struct config *c, size_t users);

/* May a client that insists on logging in do so? */
bool admission_login_possible(const struct config *c, size_t users);

/* Is it looked at whether a login is right? */
bool admission_login_checked(const struct config *c);

/* Is a login that is not right one as Anonymous, and no reason to refuse the client? */
bool admission_wrong_login_forgiven(const struct config *c);

/* May a client from this address be served? `login_required` as admission_login_required() says. */
bool admission_client_allowed(
	const struct config *c, bool login_required, const struct addr *client);

#endif
