/* admission: who may use the proxy. Pure questions to a configuration; no lock. */
#ifndef STATE_ADMISSION_H
#define STATE_ADMISSION_H

#include <stdbool.h>

#include "state/config.h"

/* Decides what auth = auto comes to, for a configuration that nobody else sees yet: a login is
 * required where users are meant to be, because a file of them is named or the command line gives
 * some (`are_given`), whether there are any now or not. */
void admission_decide_auto(struct config *c, bool are_given);

/* Must a client log in? */
bool admission_login_required(const struct config *c);

/* May a client from this address be served? `login_required` as admission_login_required() says. */
bool admission_client_allowed(
	const struct config *c, bool login_required, const struct addr *client);

#endif
