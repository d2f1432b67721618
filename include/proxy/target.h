/* target: the one gate between what a client asks for and where it gets. One thread's; no lock. */
#ifndef PROXY_TARGET_H
#define PROXY_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "net/fdbudget.h"
#include "net/own.h"
#include "net/resolver.h"
#include "state/config.h"
#include "state/rules.h"
#include "wire/request.h"

/* On whose behalf, and with what: the same for all targets of a session. */
struct asker {
	const struct config *config;
	struct resolver *resolver;
	struct own *own;
	struct fd_lease *lease;
	const struct addr *client;
	const char *user; /* who has logged in */
	size_t user_len; /* 0: nobody */
	enum request_command command;
};

/* What the rules say of `addr`, which `dst` came to; of `dst` whatever it comes to (`addr` is
 * NULL); or of the command alone (both are). The kernel has to be asked for some addresses, which
 * needs a descriptor for the moment: with `has_place` the caller has taken a place of the lease for
 * one that is not open yet; else one is taken, and when there is none the answer is no. */
struct verdict target_judge(const struct asker *a, const struct destination *dst,
	const struct addr *addr, bool has_place);

#endif
