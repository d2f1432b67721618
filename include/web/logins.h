/* logins: who is logged in to the web's front, by the cookie that the browser has. The web's
 * thread's; no lock. */
#ifndef WEB_LOGINS_H
#define WEB_LOGINS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/users.h"
#include "wire/http_fields.h"

#define LOGINS_MOST 256 /* at once; then the one who did nothing for longest is logged out */
#define LOGINS_IDLE_MS 1800000 /* without an act of the person */
#define LOGINS_LONGEST_MS 43200000

#define LOGINS_ID_SIZE 32 /* random bytes */
#define LOGINS_ID_TEXT (2 * LOGINS_ID_SIZE) /* as hexadecimal digits, in cookie and form */

/* One browser's. */
struct login_session {
	bool is_used;
	char id[LOGINS_ID_TEXT + 1]; /* the cookie's value */
	char token[LOGINS_ID_TEXT + 1]; /* that its forms have to send, which no other site knows */
	char user[USERS_NAME_MAX + 1];
	enum user_role role;
	uint64_t password_mark; /* users.h: of the password that it logged in with */
	uint64_t epoch; /* users.h: in which it is good */
	int64_t begun, last_act; /* clock_ms() */
};

/* Zeroed at first. */
struct logins {
	struct login_session sessions[LOGINS_MOST];
};

/* `user` has logged in with a password that has that mark; NULL: there is no such user any more. */
struct login_session *logins_begin(
	struct logins *l, struct users *users, const char *user, uint64_t password_mark);

/* The session whose cookie that is, for a request from `from`; NULL: there is none (any more). It
 * ends by itself after some time, and when the user has another password or role, is disabled, or
 * may not log in from there. */
struct login_session *logins_find(struct logins *l, struct users *users,
	const struct http_slice *cookie, const struct addr *from);

/* The person did something: the time without an act begins anew. */
void logins_note_act(struct login_session *s);

/* Logs out. NULL is allowed. */
void logins_end(struct login_session *s);

/* Forgets everything, secrets too. */
void logins_clear(struct logins *l);

/* Is it the same, in a time that tells nothing? */
bool logins_is_token(const char *expected, const char *given);

/* Random bytes as digits, for a cookie. */
void logins_make_id(char out[LOGINS_ID_TEXT + 1]);

#endif
