/* bans: which addresses have failed to log in, and how long they have to wait. One thread's; no
 * lock. */
#ifndef STATE_BANS_H
#define STATE_BANS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

#define BANS_ADDRS 64 /* that are remembered; then the one that may try again first is forgotten   \
		       */
#define BANS_FREE_TRIES 3
#define BANS_FIRST_MS 5000 /* after these; it doubles with each further failure */
#define BANS_LONGEST_MS 60000
#define BANS_FORGET_MS 600000 /* behind the end of the wait */

struct bans {
	struct bans_entry {
		struct addr addr; /* AF_UNSPEC: free */
		unsigned failures;
		int64_t until; /* clock.h */
	} entries[BANS_ADDRS];
};

/* IPv6 addresses of one /64 network count as one. */

/* Has `addr` to wait still, at the time `now`? */
bool bans_holds(const struct bans *h, const struct addr *addr, int64_t now);

/* A login from `addr` failed. How often that has happened in a row. */
unsigned bans_note_failure(struct bans *h, const struct addr *addr, int64_t now);

/* One succeeded. */
void bans_forget(struct bans *h, const struct addr *addr);

#endif
