/* hashing: how many slow password hashes are computed at once, whose turn is next, and who shares
 * one with others. A mutex, and a condition for each of those who wait. */
#ifndef STATE_HASHING_H
#define STATE_HASHING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/password.h"

#define HASHING_KEY_SIZE 32

struct hashing;

/* At most `most` hashes at once, and as many may wait as like to. NULL without memory. */
struct hashing *hashing_new(unsigned most);

/* Nobody may wait any more. NULL is allowed. */
void hashing_free(struct hashing *h);

void hashing_set_most(struct hashing *h, unsigned most);

/* At most so many of the second line wait at once. Of more than that, the newest is refused of the
 * client who has most of them there. */
void hashing_set_room(struct hashing *h, size_t room);

/* Whoever stands in the first of these lines goes before all of the others. */
enum hashing_line {
	HASHING_ADMINS, /* of few threads: nothing bounds how many wait */
	HASHING_CLIENTS, /* its clients take turns, whatever each of them wants hashed */
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
	const void
		*client; /* in the second line: on whose account; only compared, NULL is one too */
	/* HASHING_KEY_SIZE bytes that say what is to be hashed and compared. One hash answers all
	 * who wait with the same key. NULL: the answer is of use to nobody else. */
	const unsigned char *key;
};

enum hashing_outcome {
	HASHING_TURN, /* to compute the hash, and end with hashing_leave() */
	HASHING_ANSWERED, /* by the hash that somebody else computed */
	/* No turn came: it is too late, or will be by the time it could come, or he was told, or
	 * had to make room, or hashing has stopped. */
	HASHING_REFUSED,
	HASHING_NO_MEMORY,
};

struct hashing_turn {
	struct hashing_job *job; /* of HASHING_TURN */
	int answer; /* of HASHING_ANSWERED: as hashing_leave() was told */
};

/* Waits for a turn, or for what it would have led to. */
enum hashing_outcome hashing_enter(struct hashing *h, const struct hashing_wait *wait,
	struct hashing_turn *turn) __attribute__((warn_unused_result));

/* Ends the turn, with the answer for all who wait with the same key. */
void hashing_leave(struct hashing *h, const struct hashing_turn *turn, int answer);

/* Instead, when who has it gives up: it is the next one's who waits with the same key. */
void hashing_give_back(struct hashing *h, const struct hashing_turn *turn);

/* A check of a password has taken so long; by that it is foreseen how long others wait. */
void hashing_note_cost(struct hashing *h, int64_t ms);

/* How long one takes, by those that were noted lately, in milliseconds; 0: none was yet. */
int64_t hashing_cost(const struct hashing *h);

/* A new hash of `password` (password_hash()), made when the turn comes. -1 with errno; EBUSY: none
 * came. */
int hashing_make(struct hashing *h, const struct hashing_wait *wait, const char *password,
	char out[PASSWORD_HASH_SIZE]) __attribute__((warn_unused_result));

/* Lets all who wait look whether they were told to give up. */
void hashing_wake(struct hashing *h);

/* Ends all waiting, now and later: nobody gets a turn any more. */
void hashing_stop(struct hashing *h);

#endif
