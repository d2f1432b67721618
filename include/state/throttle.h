/* throttle: how fast an account's sessions may be together: its own rate, its parts of its groups'
 * rates, and its part of what the whole server may move. A leaf mutex an account, one for the list
 * of those that have sessions; flags that are looked at without a lock. */
#ifndef STATE_THROTTLE_H
#define STATE_THROTTLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/bucket.h"
#include "state/traffic.h"

#define THROTTLE_DIRECTIONS 2 /* enum traffic_direction */
#define THROTTLE_GROUPS_MAX 64 /* group_rate lines; a set of them is an uint64_t */

/* The buckets of an account, in each direction. */
enum throttle_bucket {
	THROTTLE_OWN, /* of all its sessions: the least of its rate and its parts of its groups' */
	THROTTLE_TOTAL, /* of the sessions that rate_total counts for it: a client's without a login
			 */
	THROTTLE_BUCKETS,
};

/* ---- all of them ---- */

struct throttles;

/* NULL without memory. */
struct throttles *throttles_new(void);
void throttles_free(struct throttles *all);

/* Rings when somebody moves something after throttles_arm(). Before there are sessions. */
void throttles_set_alarm(struct throttles *all, void (*ring)(void *context), void *context);
void throttles_arm(struct throttles *all);

/* What an account gets at first: as member of the group with that index, or of rate_total
 * (THROTTLE_GROUPS_MAX); bytes a second, 0: no limit. */
void throttles_set_first(
	struct throttles *all, size_t pool, enum traffic_direction d, uint64_t rate);

/* Have all accounts something in common, rate_total or a group's rate? Then each that has a session
 * has a throttle. */
bool throttles_are_common(const struct throttles *all);
void throttles_set_common(struct throttles *all, bool are_common);

struct throttle;

/* Those that have sessions, each held, in a block to be freed; NULL without memory. */
struct throttle **throttles_list(struct throttles *all, size_t *count);

/* ---- one account's ---- */

/* With one holder. NULL without memory. */
struct throttle *throttle_new(struct throttles *all);

/* The last holder to let go frees it. NULL is allowed. */
void throttle_release(struct throttle *t);

/* The account's own rates are these atomics, bytes a second or 0, which are read when they have
 * changed and with that said so: of all its sessions, and besides, of a client's without a login.
 */
struct throttle_rates {
	_Atomic(uint64_t) rate[THROTTLE_DIRECTIONS];
	_Atomic(uint64_t) of_anonymous[THROTTLE_DIRECTIONS];
};
void throttle_follow(struct throttle *t, const struct throttle_rates *own, int64_t now);

/* In which groups it is, by the configuration of that generation; 0: of none yet. */
uint64_t throttle_known_by(const struct throttle *t);
void throttle_set_groups(struct throttle *t, uint64_t groups, uint64_t generation);

/* They have become others: sessions are to ask again. NULL is allowed. */
void throttle_forget_groups(struct throttle *t);

/* ---- for whoever shares ---- */

/* What an account has in a direction. */
struct throttle_use {
	int64_t moved[THROTTLE_BUCKETS]; /* bytes since it was asked last; less than 0: of what was
					  * there then some was given back */
	uint64_t speed[THROTTLE_BUCKETS]; /* bytes a second, lately */
	uint64_t rate[THROTTLE_BUCKETS]; /* as it is now; 0: no limit */
	bool is_active[THROTTLE_BUCKETS]; /* it has something to move */
	uint64_t groups, known_by; /* as throttle_set_groups() was told */
	bool is_counted; /* rate_total counts sessions for it */
};
struct throttle_use throttle_look(struct throttle *t, enum traffic_direction d, int64_t now);

#define THROTTLE_KEEP UINT64_MAX

/* Its parts from now on, bytes a second; 0: no limit, THROTTLE_KEEP: as it was. */
void throttle_share(struct throttle *t, enum traffic_direction d, uint64_t of_groups,
	uint64_t of_total, int64_t now);

/* ---- for sessions: one direction of one session in one account's buckets ---- */

struct throttle_stream {
	struct throttle *throttle; /* NULL: none, or it has not entered yet */
	enum traffic_direction direction;
	bool is_counted; /* by rate_total, for this account */
	struct bucket_stream in[THROTTLE_BUCKETS];
};

/* Begins; until throttle_leave() the account, which has the throttle, lives. */
void throttle_enter(
	struct throttle_stream *s, struct throttle *t, enum traffic_direction d, bool is_counted);
void throttle_leave(struct throttle_stream *s, int64_t now);

/* Does any limit hold for it now? */
bool throttle_is_on(const struct throttle_stream *s);

/* It has something to move from now on, or nothing. */
void throttle_begin(struct throttle_stream *s, int64_t now);
void throttle_end(struct throttle_stream *s, int64_t now);

/* How many streams have something to move in the fuller of its buckets that have a limit. */
size_t throttle_active(struct throttle_stream *s);

/* Whose turn is it to take what would have to wait for too long? An account has one turn at a time
 * in a direction, and the next one at the time `next`. */
bool throttle_has_turn(struct throttle_stream *s, int64_t now);
void throttle_end_turn(struct throttle_stream *s, int64_t next);

/* As bucket.h has it, for all buckets of the stream: the least of them rules. */
size_t throttle_chunk(struct throttle_stream *s);
void throttle_take(struct throttle_stream *s, size_t bytes, int64_t now);
int64_t throttle_when(struct throttle_stream *s, int64_t now);
void throttle_give_back(struct throttle_stream *s, size_t bytes, int64_t now);
uint64_t throttle_settle(struct throttle_stream *s, uint64_t moved, int64_t elapsed, int64_t now);
void throttle_drain(struct throttle_stream *s, uint64_t rate, int64_t now);

#endif
