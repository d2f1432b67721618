/* users: who may log in, and whether a password is right. The map is behind a rwlock, under which
 * nothing slow happens. */
#ifndef STATE_USERS_H
#define STATE_USERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/bans.h"
#include "state/hashing.h"

#define USERS_NAME_MAX 255 /* RFC 1929 section 2 */
#define USERS_PASSWORD_MAX 255 /* RFC 1929 section 2 */
#define USERS_ERROR_MAX 1024

/* What stands for a name where there was no login. */
#define USERS_ANONYMOUS "Anonymous"

enum user_role { USER_ROLE_USER, USER_ROLE_ADMIN };

struct users;

/* Nobody yet. Slow hashes take their turn in `hashing`, which outlives it. NULL with errno. */
struct users *users_new(struct hashing *hashing);

/* No thread may use it any more. NULL is allowed. */
void users_free(struct users *u);

/* Reads the file at `path` and puts its users in the place of all there were. -1 when it cannot be
 * read or a line is wrong, with "file:line: why" in `error`; then nothing changed. */
int users_load(struct users *u, const char *path, char error[USERS_ERROR_MAX])
	__attribute__((warn_unused_result));

struct user_credentials {
	const char *name;
	const char *password;
};

/* Makes each of the `count` a user with the role admin and that password, and saves those that the
 * file at `path` (NULL: none) does not have so already. A missing file is made. -1 with the reason
 * in `error`. */
int users_add_operators(struct users *u, const struct user_credentials *operators, size_t count,
	const char *path, char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* Why `name` cannot be the name of a user, in words; NULL when it can. */
const char *users_name_problem(const char *name, size_t len);

/* The same for a password. */
const char *users_password_problem(const char *password);

/* How many users there are. */
size_t users_count(struct users *u);

enum login_result {
	LOGIN_OK,
	LOGIN_REFUSED, /* unknown name or wrong password: the same to the outside, in time too */
	LOGIN_TOO_BUSY, /* no turn to compute the hash before the deadline */
	LOGIN_HELD_OFF, /* not checked: too many from there were wrong */
};

/* A login of any bytes (RFC 1929). */
struct login {
	const char *name;
	size_t name_len;
	const char *password;
	size_t password_len;
	/* Where logins with administrators' names are counted, by this address; NULL: nowhere. What
	 * is remembered to be right is let in without being asked or counted there. */
	struct bans *holdoff;
	const struct addr *from;
};

/* Checks a client's login, until `deadline` (clock.h) or until `told` (NULL: never) is true and
 * hashing_wake() was called. */
enum login_result users_login(
	struct users *u, const struct login *login, int64_t deadline, const _Atomic(bool) *told);

/* How long the slow hash of a login took when one was computed last, in milliseconds. */
int64_t users_check_ms(struct users *u);

/* Is it the login of a user with the role admin? Takes as long for whoever is not one, who is
 * counted in `holdoff` under any name. Its turn is before those of clients, so that they cannot
 * keep administrators out; LOGIN_TOO_BUSY only when hashing has stopped. */
enum login_result users_login_admin(struct users *u, const struct login *login);

/* Would users_login_admin() say LOGIN_OK without computing a slow hash? */
bool users_knows_admin(struct users *u, const struct login *login);

/* ---- what administrators do: one thread at a time ---- */

/* Adds a user, with a hash of the password, to the file at `path` (NULL: none) first. -1 with the
 * reason in `error`, and nothing changed: the user exists, or the file cannot be written. */
int users_add(struct users *u, const struct user_credentials *c, enum user_role role,
	const char *path, char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* Gives a user another password, likewise; fails when there is no such user. */
int users_set_password(struct users *u, const struct user_credentials *c, const char *path,
	char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* Takes a user out, likewise; fails when there is no such user, and for the last admin, who could
 * not be replaced any more. */
int users_remove(struct users *u, const char *name, const char *path, char error[USERS_ERROR_MAX])
	__attribute__((warn_unused_result));

/* ---- what is known of users ---- */

bool users_has(struct users *u, const char *name, size_t len);

/* How many have the role admin, counted up to two. */
size_t users_count_admins(struct users *u);

/* Adds the bytes of a session that has ended to the user's; no such user (any more): nothing. */
void users_count_bytes(
	struct users *u, const char *name, size_t len, uint64_t sent, uint64_t received);

/* The names of all users, by the alphabet, in one block to be freed. NULL without memory. */
const char **users_names(struct users *u, size_t *count);

struct user_info {
	enum user_role role;
	uint64_t logins;
	uint64_t sent, received; /* bytes of sessions that have ended */
	int64_t last_login; /* seconds since 1970; 0: not since the server started */
};

/* False when there is no such user. */
bool users_get(struct users *u, const char *name, struct user_info *out);

#endif
