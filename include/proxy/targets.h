/* targets: where an association has sent to and what the rules said of it, a bounded number of
 * places. All zeros at first. One thread's; no lock. */
#ifndef PROXY_TARGETS_H
#define PROXY_TARGETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/settings.h"

#define TARGETS_SETS 64 /* a power of two */
#define TARGETS_WAYS 8 /* ports of a host that are remembered, at least */

struct target {
	struct addr addr; /* AF_UNSPEC: the place is free */
	bool allowed;
	uint64_t used; /* higher is later */
};

struct targets {
	uint64_t uses;
	struct target *last; /* that was found */
	struct target places[TARGETS_SETS][TARGETS_WAYS];
};

/* The place of exactly this address and port; NULL when it is not (any more) known. */
struct target *targets_find(struct targets *t, const struct addr *addr);

/* Remembers the verdict on an address that is not known, in the place of one of its set that was
 * used longest ago. */
struct target *targets_add(struct targets *t, const struct addr *addr, bool allowed);

/* May a datagram from `source` get through to the client? */
bool targets_expect(struct targets *t, const struct addr *source, enum udp_filter filter);

#endif
