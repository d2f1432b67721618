/* holdoff: which addresses have failed to log in, and how long they have to wait. One thread's; no
 * lock. */
#ifndef MONITOR_HOLDOFF_H
#define MONITOR_HOLDOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define HOLDOFF_ADDRS                                                                              \
	64 /* that are remembered; then the one that may try again first is forgotten */
#define HOLDOFF_FREE_TRIES 3
#define HOLDOFF_FIRST_MS 5000 /* after these; it doubles with each further failure */
#define HOLDOFF_LONGEST_MS 60000
#define HOLDOFF_FORGET_MS 600000 /* behind the end of the wait */

struct holdoff {
	struct holdoff_entry {
		struct addr addr; /* AF_UNSPEC: free */
		unsigned failures;
		int64_t until; /* clock.h */
	} entries[HOLDOFF_ADDRS];
};

/* IPv6 addresses of one /64 network count as one. */

/* Has `addr` to wait still, at the time `now`? */
bool holdoff_holds(const struct holdoff *h, const struct addr *addr, int64_t now);

/* A login from `addr` failed. How often that has happened in a row. */
unsigned holdoff_note_failure(struct holdoff *h, const struct addr *addr, int64_t now);

/* One succeeded. */
void holdoff_forget(struct holdoff *h, const struct addr *addr);

#endif
