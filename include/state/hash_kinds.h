/* hash_kinds: which kinds of password hashes there are, and which of them costs most to check. No
 * lock: one thread's. */
#ifndef STATE_HASH_KINDS_H
#define STATE_HASH_KINDS_H

#include <stddef.h>
#include <stdint.h>

#include "state/password.h"

/* Kinds that are told apart. All further ones count as the last of them. */
#define HASH_KINDS_MAX 16

/* A method with its parameters: all of its hashes cost the same. */
struct hash_kind {
	size_t len; /* of the part of the sample that says which kind it is */
	int64_t cost_us; /* of a check, in processor time; 0: not measured */
	char sample[PASSWORD_HASH_SIZE]; /* a hash of the kind */
};

/* Zeroed it is empty. */
struct hash_kinds {
	size_t count;
	struct hash_kind kinds[HASH_KINDS_MAX];
};

/* The index of the legal hash's kind, which is added if it is new. */
size_t hash_kinds_find(struct hash_kinds *k, const char *hash);

/* The index of the dearest among the kinds that have users: `users` holds how many, by index.
 * Measures what it does not know, which takes as long as a check of each kind, unless there is only
 * one. At least one has users. */
size_t hash_kinds_dearest(struct hash_kinds *k, const size_t users[HASH_KINDS_MAX]);

/* How many kinds have users. */
size_t hash_kinds_in_use(const size_t users[HASH_KINDS_MAX]);

#endif
