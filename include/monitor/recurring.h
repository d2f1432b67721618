/* recurring: which logins come again and again, as those of a program that asks each second and
 * connects anew for it, so that the log has one line for all of them. No lock: one thread's. */
#ifndef MONITOR_RECURRING_H
#define MONITOR_RECURRING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "state/users.h"

#define RECURRING_MAX 16 /* that are remembered at once */
#define RECURRING_PAUSE_MS 600000 /* without a login, after which one is news again */
#define RECURRING_PERIOD_MS 3600000 /* of the lines about those who never pause */

/* Zeroed at first. */
struct recurring {
	struct recurring_login {
		char user[USERS_NAME_MAX + 1]; /* "": none */
		struct network client;
		int64_t last, logged; /* clock_ms() */
		uint64_t held_back;
	} logins[RECURRING_MAX];
};

/* `user` logs in from `client` at the time `now` (clock.h): is that to be logged? `*held_back` is
 * how many of the same were not since the last one that was. */
bool recurring_is_news(struct recurring *r, const char *user, const struct network *client,
	int64_t now, uint64_t *held_back);

#endif
