/* flows: where an association has sent to and what the rules said of it, a bounded number of
 * places. All zeros at first. One thread's; no lock. */
#ifndef PROXY_FLOWS_H
#define PROXY_FLOWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/rules.h"
#include "state/settings.h"

#define FLOWS_SETS 64 /* a power of two */
#define FLOWS_WAYS 8 /* ports of a host that are remembered, at least */

struct flow {
	struct addr addr; /* AF_UNSPEC: the place is free */
	bool allowed;
	bool is_via; /* then: through upstreams */
	uint8_t detour; /* that it took, counted from 1 (detours.h); 0: none yet. It takes the same
			   as long as the verdict stands */
	uint64_t name; /* that led to it (names.h); 0: the client named the address */
	uint64_t used; /* higher is later */
};

struct flows {
	uint64_t uses;
	struct flow *last; /* that was found */
	struct flow places[FLOWS_SETS][FLOWS_WAYS];
};

/* The place of exactly this address and port, by this name; NULL when it is not (any more) known.
 */
struct flow *flows_find(struct flows *f, uint64_t name, const struct addr *addr);

/* Remembers the verdict on an address that is not known, in the place of one of its set that was
 * used longest ago. */
struct flow *flows_add(
	struct flows *f, uint64_t name, const struct addr *addr, const struct verdict *verdict);

/* The place behind `after` that is in use, NULL for the first; NULL: there is none. */
struct flow *flows_next(struct flows *f, struct flow *after);

/* Forgets what is in the place. */
void flows_forget(struct flows *f, struct flow *place);

/* May a datagram from `source` get through to the client? */
bool flows_expect(struct flows *f, const struct addr *source, enum udp_filter filter);

#endif
