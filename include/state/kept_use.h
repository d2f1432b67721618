/* kept_use: what accounts have used of their quotas, as it stands beyond an account's time in the
 * ledger, and beyond the server's. By the locks of `standing` and of the book; from any thread. */
#ifndef STATE_KEPT_USE_H
#define STATE_KEPT_USE_H

#include <stdbool.h>
#include <stdint.h>

#include "state/limit_book.h"
#include "state/quota.h"
#include "state/standing.h"

/* `standing` may be NULL in all of them: then nothing is kept. `name`: a user's, or a client as
 * text. */

/* Clients of whom anything is kept: beyond a sweep; and at any time. */
#define KEPT_USE_CLIENTS 4096
#define KEPT_USE_MOST (4 * KEPT_USE_CLIENTS)

/* No period is longer: a month, with a change of summer time. */
#define KEPT_USE_LONGEST_SECONDS (32 * INT64_C(86400))

/* This is used, in the place of what was. Of an account that has used nothing, and has been given
 * nothing besides, nothing stands; nor of a client beyond KEPT_USE_MOST. -1 without memory, and
 * nothing changed. */
int kept_use_put(struct standing *standing, const char *name, const struct quota_use *use)
	__attribute__((warn_unused_result));

/* False when nothing stands, or without memory. */
bool kept_use_get(struct standing *standing, const char *name, struct quota_use *out);

/* Whoever is called so from now on has used nothing. */
void kept_use_drop(struct standing *standing, const char *name);

/* Takes away what counts no more at the time `now` (seconds since 1970), as its period is over; and
 * of more than KEPT_USE_CLIENTS clients those with the least use. `book` NULL: no client has a
 * quota. True when something went. */
bool kept_use_sweep(struct standing *standing, struct limit_book *book, int64_t now);

#endif
