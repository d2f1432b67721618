/* users_parts: what users are made of, for the files of users.h (users.c, users_draft.c,
 * users_login.c, users_directory.c, users_changes.c, users_cases.c) only. The lock is the one of
 * users. */
#ifndef STATE_USERS_PARTS_H
#define STATE_USERS_PARTS_H

#include <sodium.h>
#include <stdatomic.h>
#include <string.h>

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
	size_t kind; /* of his hash; HASH_KINDS_MAX: a helper is asked about his password */
	uint64_t version; /* no other user has it, and it changes with what his limits depend on */
	char *groups; /* that a helper says he is in, "a,b"; NULL: none */
	struct user *next; /* of visitors who were replaced, or are being let go */
	bool is_replaced; /* by another of that name, who has what lives of him */
	size_t name_len;
	const char *hash; /* behind the name, and so are the attributes behind the hash */
	const char *attributes;
	struct limits_in_force *bar; /* to logging in; NULL: nothing is */
	struct name_in_lower_case *lower; /* NULL: it is, or what is known of it is in use */
	char name[];
};

struct users {
	struct rwlock lock; /* maps, decoy, and the tags and groups in the users */
	struct hashmap
		*map; /* those that are kept: only the thread that makes changes changes it */
	struct hashmap *cases; /* names with capitals in it, in lower case; changes with it */
	/* Who has logged in by a helper, and of whom nothing is kept. Any thread puts them in, and
	 * takes them out: so outside of the lock nobody has hold of one. NULL: there is no helper.
	 */
	struct hashmap *visitors;
	size_t visitors_most; /* beside those with a session */
	size_t visitors_at; /* where it was looked last for one to let go */
	struct login_helper *helper; /* NULL: none */
	char decoy[PASSWORD_HASH_SIZE]; /* of the dearest kind that is in use */
	bool is_cheap[HASH_KINDS_MAX]; /* the kinds that cost less */
	_Atomic(size_t) count;

	_Atomic(uint64_t) epochs; /* that there were */
	/* of the thread that makes changes */
	struct hash_kinds kinds;
	size_t of_kind[HASH_KINDS_MAX]; /* users in the map */

	struct hashing *hashing;
	struct ledger *ledger;
	_Atomic(struct limit_book *) book; /* NULL: there is none */
	struct hashmap *given; /* names of the command line, each as its own value; NULL: none */
	struct users_gate gate; /* `is_shut` NULL: there is none */
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

struct claim {
	bool by_admin; /* whoever is no admin counts as unknown */
	bool by_person; /* in front of a screen: counts for the hold-off whoever it is */
	const char *name;
	size_t name_len;
	char password[USERS_PASSWORD_MAX + 1];
	size_t password_len;
	const struct addr *from;
	const void *client; /* whose it is, among those who wait for a hash */
	struct holdoff *holdoff; /* NULL: it does not count */
};

/* Of name, stored hash and password. */
void users_compute_tag(const struct users *u, const struct claim *c, const char *hash,
	unsigned char tag[USERS_TAG_SIZE]);

/* One of these who log in only to be told apart has a tag of its own. */
void users_widen_tag(
	const struct users *u, const struct claim *c, unsigned char tag[USERS_TAG_SIZE]);

/* Why the user may not log in from there now; LOGIN_OK when he may. With the lock held. */
enum login_result users_bar_of(const struct user *user, const struct addr *from);

/* Whoever has that name, visitors too. With the lock held. */
struct user *users_get_locked(const struct users *u, const char *name, size_t len)
	REQUIRES_SHARED(&u->lock);

static inline bool user_is_of_helper(const struct user *user)
{
	return user->kind == HASH_KINDS_MAX;
}

/* Is nothing different about him? */
static inline bool user_is_as_recorded(const struct user *user, const struct user_record *record)
{
	return user->role == record->role && strcmp(user->hash, record->hash) == 0 &&
		strcmp(user->attributes, record->attributes) == 0;
}

/* ---- those whom a helper knows (users_directory.c) ---- */

/* Is a helper asked about a login of this name, under which `user` is found (NULL: nobody)? With
 * the lock held. */
bool users_are_asked_of_helper(const struct users *u, const struct claim *c,
	const struct user *user) REQUIRES_SHARED(&u->lock);

/* Checks such a login; with LOGIN_OK `name` receives the account's. */
enum login_result users_check_by_helper(struct users *u, const struct claim *c,
	struct hashing_wait *wait, char name[USERS_NAME_MAX + 1]);

/* The same as far as that is known, without a question: LOGIN_REFUSED where it is not. */
enum login_result users_recall_by_helper(
	struct users *u, const struct claim *c, char name[USERS_NAME_MAX + 1]);

/* A session of the account begins, as users_login() has it; LOGIN_REFUSED: it is gone, or no
 * helper's any more. */
enum login_result users_join_of_helper(
	struct users *u, const char *name, const struct addr *from, struct ledger_entry **entry);

/* One who is in these groups, "a,b", and held to what is said; nobody sees him yet. NULL without
 * memory. */
struct user *users_make_visitor(struct users *u, const char *name, const char *groups);

/* Takes the visitor of that name out for whoever is put in his place, or NULL; to be freed outside
 * of the lock. */
struct user *users_replace_visitor_locked(struct users *u, struct user *user) REQUIRES(&u->lock);

/* Brings what holds for the user of that name, a visitor too, up to what is said now. -1 without
 * memory. */
int users_follow_limits(struct users *u, const char *name, size_t len);

/* The same of all. */
int users_follow_all(struct users *u);

/* What his line and a helper say of him. With the lock held. */
void users_say_limits(const struct user *user, struct limits *out);

/* What may keep somebody of whom this holds from logging in; NULL: nothing does. -1 without memory.
 */
int users_make_bar(const struct limits_in_force *in_force, struct limits_in_force **out);

/* ---- names with capitals (users_cases.c) ---- */

/* What users_add_case() takes, where his name has any. -1 without memory. */
int users_prepare_case(struct user *user);

/* He is put into the map, and nobody of that very name was there. `cases` has room. */
void users_add_case(struct hashmap *cases, struct user *user);

/* He of that name is taken out. */
void users_drop_case(struct hashmap *cases, const char *name, size_t len);

/* Is there anybody whose name has capitals, and is this one in lower case? */
bool users_have_case(const struct hashmap *cases, const char *lower, size_t len);

/* ---- all of them ---- */

/* Valid until the next change: only the thread that asks makes any. Visitors are none of them. */
const struct user *users_find(struct users *u, const char *name, size_t len);

/* Not in the map yet. Whoever replaces somebody of that name gets that one's entry when he does.
 * NULL without memory. */
struct user *users_make_user(struct users *u, const struct user_record *record);

/* A hashmap_free() function. NULL is allowed. */
void users_free_user(void *memory);

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
