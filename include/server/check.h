/* check: what `socks5d -n` looks at beyond the configuration itself. No state; no lock. */
#ifndef SERVER_CHECK_H
#define SERVER_CHECK_H

#include "proxy/services.h"
#include "state/options.h"

/* Would a start, or a reload, find what it opens: the logs, the users, and room for those that -u
 * adds? And is the interface or address there that targets are to be reached from? Nothing is left
 * behind, but the users are in effect in `v`. What an administrator should know besides is logged.
 * -1 with the reason in `error`. */
int check_opening(struct services *v, const struct options *o, struct config *c,
	char error[CONFIG_ERROR_MAX]) __attribute__((warn_unused_result));

#endif
