/* acl: who may use the proxy, and where to. Pure questions to a configuration; no lock. */
#ifndef STATE_ACL_H
#define STATE_ACL_H

#include <stdbool.h>

#include "net/fdbudget.h"
#include "state/config.h"

/* Must a client log in, when there are `users` users? */
bool acl_login_required(const struct config *c, size_t users);

/* May a client from this address be served? `login_required` as acl_login_required() says. */
bool acl_client_allowed(const struct config *c, bool login_required, const struct addr *client);

/* May a session be connected to exactly this address and port? Not to port 0, to 0.0.0.0 or ::, or
 * to a place where the proxy itself answers, under whichever of the host's addresses. Needs one
 * descriptor for the moment. */
bool acl_target_allowed(const struct config *c, const struct addr *target);

/* The same for who holds no descriptor for it yet: only a target with a port of the proxy's own
 * takes one of `lease`, and when there is none the answer is no. */
bool acl_target_allowed_by_lease(
	const struct config *c, const struct addr *target, struct fd_lease *lease);

#endif
