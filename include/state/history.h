/* history: what accounts have used, as far as it is not on the disk yet: what is new of those that
 * have gone, sites that were visited, and whose history ends. A mutex guards it; batches are one
 * thread's. */
#ifndef STATE_HISTORY_H
#define STATE_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/ledger.h"
#include "state/traffic.h"

/* Rows of a batch, and what they are summed up in when there are more: `(other)`. */
#define HISTORY_ROWS 50000
#define HISTORY_OTHER "(other)"

/* Sites that are none by name. */
#define HISTORY_ADDRESSES "(addresses)"
#define HISTORY_UDP "(udp)"

#define HISTORY_NAME_MAX 256 /* of accounts and sites, the NUL included */

/* ---- batches: counts by account, day and site ---- */

struct history_row {
	bool is_user;
	uint64_t serial; /* ledger.h: a user's */
	int32_t day; /* base/day.h */
	const char *name; /* a user's, or as network_format() writes the client */
	const char *site; /* "": the account as a whole */
	struct ledger_counts counts;
};

struct history_batch;

/* NULL without memory. */
struct history_batch *history_batch_new(void);
void history_batch_free(struct history_batch *b);

/* Adds the counts. What memory is out for is lost. */
void history_batch_add(struct history_batch *b, const struct history_row *row);

void history_batch_clear(struct history_batch *b);
size_t history_batch_count(const struct history_batch *b);

/* Walks the rows in no order, as hashmap_next() does. */
const struct history_row *history_batch_next(const struct history_batch *b, size_t *position);

/* ---- what is shared ---- */

struct history;

/* `call(context)`: there is something to be taken; from any thread, with no lock held. NULL without
 * memory. */
struct history *history_new(void (*call)(void *context), void *context);

/* NULL is allowed here and in all of the following, which do nothing then. */
void history_free(struct history *h);

/* What is new of an account that goes: a ledger_heir. */
void history_inherit(void *history, const struct ledger_share *share);

/* A user is deleted: who comes under that name later has a history of his own. All that counts for
 * serials up to `last` is the old one's. */
void history_end_user(struct history *h, const char *name, uint64_t last);

/* ---- for sessions ---- */

struct history_visit;

/* Who visits a site. */
struct history_visitor {
	struct network client;
	const char *user; /* a name of `user_len` bytes; 0: no login */
	size_t user_len;
	uint64_t serial;
};

/* A visit to a site begins, for which counts what `traffic`, which outlives it, shows from its
 * session. `site` is cut to what fits. NULL without memory. */
struct history_visit *history_visit_begin(struct history *h, const struct history_visitor *who,
	const char *site, const struct traffic *traffic);

/* It ends; `was_refused`: instead of being served. NULL is allowed. */
void history_visit_end(struct history *h, struct history_visit *v, bool was_refused);

/* ---- for whoever keeps it ---- */

struct history_end {
	struct history_end *next;
	uint64_t last; /* serial */
	char name[]; /* a user's */
};

/* Adds all that there is, which came on this day, to `batch` and to the end of the list at `ends`,
 * whose members are to be freed. */
void history_take(
	struct history *h, int32_t day, struct history_batch *batch, struct history_end **ends);

#endif
