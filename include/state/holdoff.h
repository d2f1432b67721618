/* holdoff: which addresses have failed to log in, how often, and how long they have to wait. A
 * mutex guards the table; from any thread. */
#ifndef STATE_HOLDOFF_H
#define STATE_HOLDOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "net/own.h"

#define HOLDOFF_FREE_TRIES 3
#define HOLDOFF_FIRST_MS 5000 /* after these; it doubles with each further failure */
#define HOLDOFF_LONGEST_MS 60000
#define HOLDOFF_FORGET_MS 600000 /* behind the end of the wait */
#define HOLDOFF_CHECK_MS 5000 /* in which one login is checked meanwhile */

#define HOLDOFF_COMPARED_A_SECOND 10 /* logins, with what is known to be right, meanwhile */

/* Addresses that are remembered; then the one that may try again first is forgotten. */
#define HOLDOFF_ADDRS 1024

struct holdoff;

/* Nobody has failed yet. `own` tells which networks are this host's; NULL: none is. NULL without
 * memory. */
struct holdoff *holdoff_new(struct own *own);
void holdoff_free(struct holdoff *h);

/* All of loopback counts as one address, others as own_client_of() says. `now` is the time
 * (clock.h). */

/* Would holdoff_may_check() say no? */
bool holdoff_holds(struct holdoff *h, const struct addr *addr, int64_t now);

/* May a login from `addr` be compared with what is known to be right, which costs next to nothing,
 * and would be worth a guess? Of an address that is held off so many may in a second: when the
 * answer is yes, this is one of them, unless it proves to be known. */
bool holdoff_may_compare(struct holdoff *h, const struct addr *addr, int64_t now)
	__attribute__((warn_unused_result));
void holdoff_note_known(struct holdoff *h, const struct addr *addr);

/* May the password of a login from `addr` be checked, which costs a slow hash? Of an address that
 * is held off one may in HOLDOFF_CHECK_MS: when the answer is yes, this is that one. */
bool holdoff_may_check(struct holdoff *h, const struct addr *addr, int64_t now)
	__attribute__((warn_unused_result));

/* A login from `addr` was checked, and the password was wrong. How often that has happened in a
 * row. */
unsigned holdoff_note_failure(struct holdoff *h, const struct addr *addr, int64_t now);

/* How often it has happened. */
unsigned holdoff_failures(struct holdoff *h, const struct addr *addr);

/* It was right. */
void holdoff_forget(struct holdoff *h, const struct addr *addr);

#endif
