/* users_parts: what users are made of, for the files of users.h (users.c, users_draft.c,
 * users_login.c, users_changes.c) only. The lock is the one of users. */
#ifndef STATE_USERS_PARTS_H
#define STATE_USERS_PARTS_H

#include <sodium.h>
#include <stdatomic.h>

#include "base/hashmap.h"
#include "base/lock.h"
#include "state/hash_kinds.h"
#include "state/password.h"
#include "state/users.h"

#define USERS_TAG_SIZE HASHING_KEY_SIZE

struct user {
	enum user_role role;
	uint64_t epoch; /* users_login_epoch() */
	struct ledger_entry *entry; /* NULL: another one of that name has it */
	bool has_tag; /* `tag` belongs to a password that was right */
	unsigned char tag[USERS_TAG_SIZE];
	size_t kind; /* of his hash */
	size_t name_len;
	const char *hash; /* behind the name, and so are the attributes behind the hash */
	const char *attributes;
	struct limits_in_force *bar; /* to logging in; NULL: nothing is */
	char name[];
};

struct users {
	struct rwlock lock; /* map, decoy, and the tags in the users */
	struct hashmap *map;
	char decoy[PASSWORD_HASH_SIZE]; /* of the dearest kind that is in use */
	bool is_cheap[HASH_KINDS_MAX]; /* the kinds that cost less */
	_Atomic(size_t) count;

	/* of the thread that makes changes */
	uint64_t epochs; /* that there were */
	struct hash_kinds kinds;
	size_t of_kind[HASH_KINDS_MAX]; /* users in the map */

	struct hashing *hashing;
	struct ledger *ledger;
	struct limit_book *book; /* of the thread that makes changes; NULL: there is none */
	struct hashmap *given; /* names of the command line, each as its own value; NULL: none */
	bool are_kept; /* there is a backend */
	struct users_backend backend;
	unsigned char key[crypto_generichash_KEYBYTES];
};

/* The kinds that the users have, by numbers, and what a failed check costs by that. What there was
 * before stays when there are no users. */
struct kinds_in_use {
	size_t users[HASH_KINDS_MAX];
	size_t dearest;
};

/* Valid until the next change: only the thread that asks makes any. */
const struct user *users_find(struct users *u, const char *name, size_t len);

/* Not in the map yet. Whoever replaces somebody of that name gets that one's entry when he does.
 * NULL without memory. */
struct user *users_make_user(struct users *u, const struct user_record *record);

/* A hashmap_free() function. NULL is allowed. */
void users_free_user(void *memory);

/* The user's entry is held to what is said of the user. -1 without memory. */
int users_limit_entry(const struct users *u, const struct user *user);

/* What lives goes over to the new one, and what was verified under the same hash stays so. With the
 * lock held. */
void users_keep_known(struct user *old, struct user *new);

/* Before a change, since what is not known yet is measured. */
void users_weigh_kinds(struct users *u, struct kinds_in_use *k);

/* With the map as it is from now on. */
void users_settle_locked(struct users *u, const struct kinds_in_use *k) REQUIRES(&u->lock);

/* What a user's line says of his limits; false when there is no such user. */
bool users_read_limits(const struct hashmap *map, const char *name, struct limits *out);

/* Does the line of any user say that group? */
bool users_map_has_group(const struct hashmap *map, const char *group);

#endif
