/* login: the pages by which people log in to the web's front and out. The web's thread's; no lock.
 */
#ifndef WEB_LOGIN_H
#define WEB_LOGIN_H

#include "web/connection.h"

/* GET /login: the form, or who is logged in. */
void login_show(struct web_connection *c);

/* POST /login, of `name` and `password`, and POST /logout. */
void login_enter(struct web_connection *c);
void login_leave(struct web_connection *c);

/* Checks name and password, which are in c->user and the order's memory, and calls `resume` with
 * c->login: now, or when an errand is back. */
void login_check(struct web_connection *c, void (*resume)(struct web_connection *c));

/* Could it not be checked, but for want of memory? */
bool login_is_unchecked(enum login_result login);

/* Writes to the log that it was right, or counts that it was not. */
void login_note(struct web_connection *c);

/* Takes both from the `len` bytes of each. False when nobody can be called so. */
bool login_take(struct web_connection *c, const char *name, size_t name_len, const char *password,
	size_t password_len);

/* The same from the value of Authorization (Basic, RFC 7617); then nobody's cookie counts. */
bool login_take_basic(struct web_connection *c, const struct http_slice *value);

/* Whoever is logged in gives the connection's order. */
void login_use(struct web_connection *c);

/* Whoever has given himself another password by the order, which has succeeded, stays logged in. */
void login_keep(struct web_connection *c);

/* Is that login still there, which may have ended during an errand? */
bool login_is_there(const struct web_connection *c);

#endif
