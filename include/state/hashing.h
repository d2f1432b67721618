/* hashing: how many slow password hashes are computed at once, and whose turn is next. A mutex and
 * a condition for each line of those who wait. */
#ifndef STATE_HASHING_H
#define STATE_HASHING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "state/password.h"

struct hashing;

/* At most `most` hashes at once. NULL without memory. */
struct hashing *hashing_new(unsigned most);

/* Nobody may wait any more. NULL is allowed. */
void hashing_free(struct hashing *h);

void hashing_set_most(struct hashing *h, unsigned most);

/* Whoever stands in the first of these lines goes before all of the others. */
enum hashing_line {
	HASHING_ADMINS, /* of few threads: nothing bounds how many wait */
	HASHING_CLIENTS, /* when too many wait already, one more is turned away */
	HASHING_LINES,
};

/* How somebody waits for a turn. */
struct hashing_wait {
	enum hashing_line line;
	int64_t deadline; /* clock.h */
	const _Atomic(bool) *told; /* to give up, once it is true and hashing_wake() was called;
				      NULL: never */
	/* Until when he is worth waiting for, by what becomes of him meanwhile: asked now and then,
	 * under the lock, so it may not block; NULL: until the deadline. */
	int64_t (*patience)(void *waiter);
	void *waiter;
};

/* Waits for a turn, which ends with hashing_leave(). False when none came: it is too late, or he
 * was told, there are too many, or hashing has stopped. */
bool hashing_enter(struct hashing *h, const struct hashing_wait *wait)
	__attribute__((warn_unused_result));

void hashing_leave(struct hashing *h);

/* A new hash of `password` (password_hash()), made when the turn comes. -1 with errno; EBUSY: none
 * came. */
int hashing_make(struct hashing *h, const struct hashing_wait *wait, const char *password,
	char out[PASSWORD_HASH_SIZE]) __attribute__((warn_unused_result));

/* Lets all who wait look whether they were told to give up. */
void hashing_wake(struct hashing *h);

/* Ends all waiting, now and later: nobody gets a turn any more. */
void hashing_stop(struct hashing *h);

#endif
