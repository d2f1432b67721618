/* pace: how fast one direction of a session may go, by the throttles of its client's and its user's
 * accounts. One thread's; no lock of its own. */
#ifndef PROXY_PACE_H
#define PROXY_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/target.h"
#include "state/ledger.h"

enum { PACE_CLIENT, PACE_USER, PACE_ACCOUNTS };

/* Whose limits hold. All zeros: nobody's. */
struct pace_accounts {
	struct ledger_entry *entries[PACE_ACCOUNTS]; /* NULL: there is none */
	const struct asker *asker; /* for the groups that they are in; NULL: they are in none */
};

/* All zeros: nothing limits it. */
struct pace {
	const struct pace_accounts *accounts;
	enum traffic_direction direction;
	int fd; /* that it writes to; -1: the kernel is not to pace it */
	struct throttle_stream streams[PACE_ACCOUNTS];
	bool is_on; /* something limits it */
	bool is_active; /* it has something to move */
	size_t chunk; /* bytes that it takes at once; 0: not known */
	size_t taken; /* bytes that it waits for */
	size_t allowance; /* bytes that it may move, and has not yet */
	int64_t until; /* when it is to ask again; 0: it waits for nothing */
	uint64_t moved; /* bytes since something limits it */

	/* While the kernel paces it. */
	bool is_paced;
	uint64_t written, settled; /* bytes; of these, what has gone and is reckoned */
	int64_t settled_at; /* clock_ms() */
	int64_t check_at; /* when it is to settle though nothing happens; 0: need not */
	uint64_t rate; /* that the kernel was told; 0: none */
	uint64_t used; /* bytes a second, lately */
	bool has_more; /* since it settled there was more to write than could be */
	size_t ahead; /* bytes that may wait in the socket */
};

void pace_init(
	struct pace *p, const struct pace_accounts *accounts, enum traffic_direction d, int fd);

/* Sees what limits there are; to be called at each turn, and costs a few reads where there is none.
 * True when what it waited for is over: then there is something to do though no descriptor says so.
 * `held` is what there is to be written. */
bool pace_look(struct pace *p, size_t held);

/* How many of the `held` > 0 bytes may be written now; 0: none before pace_deadline().
 * `is_spliced`: they are in a pipe, and the kernel may pace what is written. `is_flood`: there are
 * more behind them. */
size_t pace_allow(struct pace *p, size_t held, bool is_spliced, bool is_flood);

/* So many were written, of those that were allowed. */
void pace_spend(struct pace *p, size_t bytes);

/* There is nothing to write any more, for now. */
void pace_rest(struct pace *p);

/* How many of `room` bytes had better be read now that it holds nothing: what it writes at once, or
 * a few times that, so that nothing small is left over. */
size_t pace_reads(const struct pace *p, size_t room);

/* May it be spliced, or go on so: is there no limit, or has it moved a good deal, and is what it
 * writes at once worth it? */
bool pace_may_splice(struct pace *p, bool is_spliced);

/* Does it wait, so that there is no use in looking at its descriptors? */
static inline bool pace_waits(const struct pace *p)
{
	return p->until != 0;
}

/* When pace_look() is to be called at the latest. */
int64_t pace_deadline(const struct pace *p);

/* A datagram, behind `waiting` bytes of others. 0: it may go now, and is charged; else how many
 * milliseconds it has to wait, and is charged; -1: it would have to wait for longer than `most`, or
 * too many do already, and it is not. Where none waits one goes, however large, when nothing is
 * owed, or when the last that went so is paid for, whatever others of the accounts owe. */
int64_t pace_admit(struct pace *p, size_t bytes, size_t waiting, int64_t most, int64_t now);

/* One that was charged does not go. */
void pace_give_back(struct pace *p, size_t bytes, int64_t now);

/* Ends it. */
void pace_end(struct pace *p);

#endif
