/* bans: which addresses have failed to log in, how often, and how long they have to wait. A mutex
 * guards the table; from any thread. */
#ifndef STATE_BANS_H
#define STATE_BANS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "net/own.h"

#define BANS_FREE_TRIES 3
#define BANS_FIRST_MS 5000 /* after these; it doubles with each further failure */
#define BANS_LONGEST_MS 60000
#define BANS_FORGET_MS 600000 /* behind the end of the wait */
#define BANS_CHECK_MS 5000 /* in which one login is checked meanwhile */

/* Addresses that are remembered; then the one that may try again first is forgotten. */
#define BANS_ADDRS 1024

struct bans;

/* Nobody has failed yet. `own` tells which networks are this host's; NULL: none is. NULL without
 * memory. */
struct bans *bans_new(struct own *own);
void bans_free(struct bans *b);

/* All of loopback counts as one address, others as own_client_of() says. `now` is the time
 * (clock.h). */

/* Would bans_may_check() say no? */
bool bans_holds(struct bans *b, const struct addr *addr, int64_t now);

/* May the password of a login from `addr` be checked, which costs a slow hash? Of an address that
 * is held off one may in BANS_CHECK_MS: when the answer is yes, this is that one. */
bool bans_may_check(struct bans *b, const struct addr *addr, int64_t now)
	__attribute__((warn_unused_result));

/* A login from `addr` was checked, and the password was wrong. How often that has happened in a
 * row. */
unsigned bans_note_failure(struct bans *b, const struct addr *addr, int64_t now);

/* How often it has happened. */
unsigned bans_failures(struct bans *b, const struct addr *addr);

/* It was right. */
void bans_forget(struct bans *b, const struct addr *addr);

#endif
