/* admission: who may use the proxy. Pure questions to a configuration; no lock. */
#ifndef STATE_ADMISSION_H
#define STATE_ADMISSION_H

#include <stdbool.h>

#include "state/config.h"

/* Must a client log in, when there are `users` users? */
bool admission_login_required(const struct config *c, size_t users);

/* May a client from this address be served? `login_required` as admission_login_required() says. */
bool admission_client_allowed(
	const struct config *c, bool login_required, const struct addr *client);

#endif
