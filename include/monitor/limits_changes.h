/* limits_changes: what commands that change limits share. No state, no lock; the main thread's. */
#ifndef MONITOR_LIMITS_CHANGES_H
#define MONITOR_LIMITS_CHANGES_H

#include "monitor/account_name.h"
#include "monitor/commands.h"
#include "monitor/user_term.h"

/* What LIMITS may say: the rest is written by DISABLE and GUEST. */
#define LIMITS_SAYABLE (LIMITS_OF_USER & ~(LIMIT_BIT(LIMIT_DISABLED) | LIMIT_BIT(LIMIT_GUEST)))

/* For how long what was changed lasts, for the end of an answer: of users, or of anybody. */
const char *limits_users_term(struct services *v, const char *name, char text[USER_TERM_MAX]);
const char *limits_term(
	struct services *v, const struct account_name *who, char text[USER_TERM_MAX]);

/* Behind a change: whoever it is about is held to it from now on. */
void limits_take_in(const struct monitor_request *q);

/* Writes the limits of a user. False, and `r` says why. */
bool limits_change_user(
	struct services *v, const char *name, const struct limits *own, struct reply *r);

/* Adds "KEY:WORD", escaped. */
void limits_add_word(struct reply *r, const char *key, const char *word);

#endif
