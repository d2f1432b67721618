/* upstream_review: what an administrator may not have meant, in upstreams and in the rules that
 * send requests through them. No state, no lock. */
#ifndef STATE_UPSTREAM_REVIEW_H
#define STATE_UPSTREAM_REVIEW_H

#include <stdbool.h>

#include "net/own.h"
#include "state/config.h"

/* Shows a warning for each such thing: upstreams that no rule uses; addresses that are denied in
 * vain, since names are sent on; commands that none of a rule's upstreams can do. */
void upstream_review(
	const struct config *c, void (*say)(void *context, const char *warning), void *context);

/* Is an upstream this very proxy, or its monitor? What is seen from its address, and from the name
 * localhost; the others are found out when they are connected to. Then `error` says so. */
bool upstream_review_finds_loop(
	const struct config *c, struct own *own, char error[CONFIG_ERROR_MAX]);

#endif
