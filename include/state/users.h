/* users: who may log in, and whether a password is right. The map is behind a rwlock, under which
 * nothing slow happens. */
#ifndef STATE_USERS_H
#define STATE_USERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/holdoff.h"
#include "state/hashing.h"
#include "state/ledger.h"
#include "state/limit_book.h"
#include "state/user_words.h"

#define USERS_ERROR_MAX 1024

/* All that is kept of a user. */
struct user_record {
	const char *name;
	size_t name_len;
	const char *hash;
	enum user_role role;
	const char *attributes; /* KEY=VALUE KEY=VALUE ...; "": none (limits.h) */
	bool sets_attributes; /* when it is kept: these take the place of what is kept */
};

/* Takes a user who was loaded. NULL, or why he is not wanted. The strings are valid during the call
 * only. */
typedef const char *users_taker(void *taker, const struct user_record *user);

/* Where users are kept. Each function returns -1 with the reason in `error`, and then nothing has
 * changed. For one thread at a time. */
struct users_backend {
	void *context; /* NULL: there was no memory for it */

	/* Gives all users to `take`, until that does not want one. */
	int (*load)(void *context, users_taker *take, void *taker, char error[USERS_ERROR_MAX]);

	/* Those who were loaded last are in effect: what is saved and removed is of them. */
	void (*settle)(void *context);

	/* Has somebody else changed what is kept since? */
	bool (*is_outdated)(void *context);

	/* Keeps the user. Whoever is kept already keeps the attributes that he has there, unless
	 * the record sets them. */
	int (*save)(void *context, const struct user_record *user, char error[USERS_ERROR_MAX]);

	int (*remove)(
		void *context, const char *name, size_t name_len, char error[USERS_ERROR_MAX]);

	/* Gives the user of that name, as he is kept now, to `take`: 1. 0 when nobody is kept of
	 * that name; 1 without giving anybody when whoever has it is kept so that he is not given
	 * one by one. NULL: nobody is. */
	int (*fetch)(void *context, const char *name, size_t name_len, users_taker *take,
		void *taker, char error[USERS_ERROR_MAX]);

	void (*free)(void *context);
};

struct users;
struct login_helper;

/* Nobody yet. Users are kept by `backend`, which is taken over, also when this fails; NULL: in
 * memory only. Slow hashes take their turn in `hashing`, and each user has an entry in `ledger`;
 * both outlive it. NULL with errno. */
struct users *users_new(
	struct hashing *hashing, struct ledger *ledger, const struct users_backend *backend);

/* No thread may use it any more. NULL is allowed. */
void users_free(struct users *u);

/* Do changes outlive the server? */
bool users_are_kept(const struct users *u);

/* Has somebody else changed what is kept since it was read, or written, and took effect? */
bool users_are_outdated(const struct users *u);

/* ---- logging in ---- */

enum login_result {
	LOGIN_OK,
	/* Unknown name or wrong password: the same to the outside, in time too. An empty password
	 * is wrong under every name, at once. */
	LOGIN_REFUSED,
	LOGIN_TOO_BUSY, /* not checked: no turn to compute the hash before the deadline */
	LOGIN_HELD_OFF, /* not checked: too many from there were wrong */
	LOGIN_NO_MEMORY, /* not checked: no memory to compute the hash */
	/* The password is right, and the user is kept out, which takes as long as a wrong one. */
	LOGIN_DISABLED,
	LOGIN_EXPIRED,
	LOGIN_NOT_FROM_HERE, /* `from` of the user */
	LOGIN_NO_HELPER, /* not checked: the password is a helper's to know, and there is none */
	LOGIN_UNANSWERED, /* nobody can say now: a helper whether it is right, or other nodes
			   * whether there still is that user */
};

/* A login of any bytes (RFC 1929). */
struct login {
	const char *name;
	size_t name_len;
	const char *password;
	size_t password_len;
	/* Where logins with administrators' names are counted, by this address; NULL: nowhere. What
	 * is remembered to be right is let in without being counted there, unless too many that
	 * were not have come from there within a second. */
	struct holdoff *holdoff;
	const struct addr *from;
	/* Whoever waits for a slow hash takes turns with those that have another of these, which
	 * are only compared; NULL is one, too. */
	const void *client;
	/* Until when whoever logs in is worth waiting for (hashing.h); NULL: until the deadline. */
	int64_t (*patience)(void *waiter);
	void *waiter;
	/* Receives what the account is called of who is let in, which may be another name where a
	 * helper is asked; NULL: nobody wants to know. */
	char *called; /* USERS_NAME_MAX + 1 bytes */
};

/* Checks a client's login, until `deadline` (clock.h) or until `told` (NULL: never) is true and
 * hashing_wake() was called. With LOGIN_OK a session of the user has begun at `*entry`, which is to
 * be left with ledger_leave(). */
enum login_result users_login(struct users *u, const struct login *login, int64_t deadline,
	const _Atomic(bool) *told, struct ledger_entry **entry);

/* Why the user (of any bytes) may not be there from that address now: LOGIN_DISABLED and the like;
 * LOGIN_OK when he may, or there is none. */
enum login_result users_bar(
	struct users *u, const char *name, size_t name_len, const struct addr *from);

/* Is there a user of this name (of any bytes)? */
bool users_have(struct users *u, const char *name, size_t name_len);

/* A keyed hash of name and password, by which logins can be told apart without being kept: as long
 * as this process lives, the same ones have the same. */
uint64_t users_login_mark(const struct users *u, const struct login *login);

/* Is it the login of a user with the role admin? Takes as long for whoever is not one, who is
 * counted in `holdoff` under any name. Its turn is before those of clients, so that they cannot
 * keep administrators out; LOGIN_TOO_BUSY only when hashing has stopped. */
enum login_result users_login_admin(struct users *u, const struct login *login);

/* Would users_login_admin() say LOGIN_OK without computing a slow hash? */
bool users_knows_admin(struct users *u, const struct login *login);

/* The same of a user with any role, for whom no session of the proxy begins. Whoever fails is
 * counted in `holdoff`, under any name. */
enum login_result users_login_person(struct users *u, const struct login *login);
bool users_knows_person(struct users *u, const struct login *login);

/* Whose right passwords are LOGIN_UNANSWERED while nobody knows whether they still are users.
 * `is_shut` takes locks of its own. Before there are logins. */
struct users_gate {
	bool (*is_shut)(void *context, const char *name);
	void *context;
};

void users_set_gate(struct users *u, const struct users_gate *gate);

/* Lets all whose logins wait look whether they were told to give up. */
void users_wake_logins(struct users *u);

/* Ends all waiting, now and later: hashing_stop(). */
void users_stop_logins(struct users *u);

/* ---- changes: one thread at a time ---- */

/* Users are held to what the book says from now on: at once, and again each time that this is
 * called, because the book was read anew. -1 without memory for some of them. */
int users_follow(struct users *u, struct limit_book *book) __attribute__((warn_unused_result));

/* Gives a user other limits (KEY=VALUE ..., as limits_format() writes them), at the backend first;
 * fails when there is no such user. */
int users_set_attributes(struct users *u, const char *name, const char *attributes,
	char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* Puts the users that the backend has in the place of all there were. -1 with the reason in
 * `error`, and nothing changed. Without a backend nothing changes either. */
int users_load(struct users *u, char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* What is different when others are in effect; with another password or role, say. */
struct users_difference {
	size_t added, gone, changed;
};

/* Is told of a user who was there and is not any more, NUL-terminated. */
typedef void users_farewell(void *context, const char *name, size_t len, bool has_sessions);

/* The same in two steps: what was read, with nothing changed yet, or NULL with the reason in
 * `error`; and putting it into effect, which cannot fail. There must be a backend, and no change in
 * between. `farewell` (NULL: nobody) is told of each who is gone and whether he has sessions, of
 * which no more begin. */
struct users_draft;
struct users_draft *users_read(struct users *u, char error[USERS_ERROR_MAX]);
struct users_difference users_put_into_effect(
	struct users *u, struct users_draft *draft, users_farewell *farewell, void *context);

/* What the backend has of that name now comes into effect: he is there, has become another one, or
 * is gone, of which `farewell` (NULL: nobody) is told. No other user is looked at. `difference`
 * receives what has changed. -1 with the reason in `error`, and nothing changed. */
int users_take(struct users *u, const char *name, users_farewell *farewell, void *context,
	struct users_difference *difference, char error[USERS_ERROR_MAX])
	__attribute__((warn_unused_result));

/* How many users were read. */
size_t users_draft_count(const struct users_draft *draft);

/* As users_own_limits() and users_have_group(), of those that were read. */
bool users_draft_limits(const struct users_draft *draft, const char *name, struct limits *out);
bool users_draft_have_group(const struct users_draft *draft, const char *group);

/* Throws it away. NULL is allowed. */
void users_draft_free(struct users_draft *draft);

/* Adds a user whose password has the hash `hash`, at the backend first. -1 with the reason in
 * `error`, and nothing changed: the user exists, or cannot be kept. */
int users_add(struct users *u, const char *name, const char *hash, enum user_role role,
	char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* Adds one who is no admin and has these limits, likewise. */
int users_add_limited(struct users *u, const char *name, const char *hash, const char *attributes,
	char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* Gives a user another password, likewise; fails when there is no such user. */
int users_set_password(struct users *u, const char *name, const char *hash,
	char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* Gives a user another role, likewise; fails for the last admin, who keeps his. Whoever has
 * sessions keeps them. */
int users_set_role(struct users *u, const char *name, enum user_role role,
	char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* Makes somebody an admin with that password, whether there is such a user or not. */
int users_set_admin(struct users *u, const char *name, const char *hash,
	char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* For who only looks: there is a user of that name, an admin if he was not there yet, with a
 * password that nobody has, and he is not kept. */
int users_suppose(struct users *u, const char *name, char error[USERS_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Takes a user out, likewise; fails when there is no such user, and for the last admin, who could
 * not be replaced any more. */
int users_remove(struct users *u, const char *name, char error[USERS_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Gives the user of that name to `take`, and returns what that does, or why there is nobody to be
 * given. */
const char *users_give(struct users *u, const char *name, users_taker *take, void *taker);

struct user_credentials {
	const char *name;
	const char *password;
};

/* Remembers that the password belongs to `hash`, as the caller knows, so that the first login needs
 * no slow check; unless the user has another hash by now. */
void users_remember(struct users *u, const struct user_credentials *c, const char *hash);

/* Notes that the command line gives the user of this name a password, at every start anew. -1
 * without memory. */
int users_note_given(struct users *u, const char *name) __attribute__((warn_unused_result));

/* Was that noted, of this name or (NULL) of any? */
bool users_are_given(const struct users *u, const char *name);

/* ---- what is known of users ---- */

/* Are their passwords hashed by several methods, or with several parameters, so that what a right
 * login costs depends on whose it is? Asked by the thread that makes changes. */
bool users_have_mixed_hashes(const struct users *u);

size_t users_count(struct users *u);

/* How many have the role admin, counted up to two. */
size_t users_count_admins(struct users *u);

/* How users are: who may not log in, who has a session, who has none. Each is one of these. */
enum user_state { USER_ACTIVE, USER_IDLE, USER_DISABLED, USER_EXPIRED, USER_STATES };

/* How many there are of each, at the time `now`, seconds since 1970. */
void users_count_states(struct users *u, int64_t now, size_t counts[USER_STATES]);

/* The names of all users, by the alphabet, in one block to be freed. NULL without memory. */
const char **users_names(struct users *u, size_t *count);

struct user_info {
	enum user_role role;
	struct ledger_figures figures; /* since the server started */
};

/* What changes with the password of a user; 0: there is none of that name. */
uint64_t users_password_mark(struct users *u, const char *name);

/* What changes, and never back, when a user gets another password or role, is disabled or enabled,
 * or is deleted: what he had logged in to by then is over. 0: there is none of that name. */
uint64_t users_login_epoch(struct users *u, const char *name);

/* False when there is no such user. */
bool users_get(struct users *u, const char *name, struct user_info *out);

/* What the users file says of the limits of a user; false when there is no such user. */
bool users_own_limits(struct users *u, const char *name, struct limits *out);

/* The same with the groups that a helper says he is in. */
bool users_said_limits(struct users *u, const char *name, struct limits *out);

/* Does the file, or a helper, put the user into that group? */
bool users_is_in_group(struct users *u, const char *name, const char *group);

/* Does the file put any user into that group, or could a helper? */
bool users_have_group(struct users *u, const char *group);

/* ---- those whom a helper knows ---- */

/* From now on names of which the file has no password are asked of this helper (login_helper.h),
 * which outlives the users. Before there are logins. -1 without memory. */
int users_set_helper(struct users *u, struct login_helper *helper)
	__attribute__((warn_unused_result));

/* Does a login of that name take a question to a helper, unless its answer is known? */
bool users_ask_helper(struct users *u, const char *name, size_t name_len);

/* Is the password of the user (of any bytes) a helper's to know, as the users file says or because
 * it has let him in? */
bool users_are_of_helper(struct users *u, const char *name, size_t name_len);

#endif
