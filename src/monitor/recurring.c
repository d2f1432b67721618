/*
 * A login is the same as another by its name and address. Whoever pauses for a while is news when
 * he comes again; whoever does not has a line each hour, with how often he came, so that the log
 * always tells who is looking. The one that came last the longest ago makes room.
 */
#include "monitor/recurring.h"

#include <stdio.h>
#include <string.h>

static bool is_of(const struct recurring_login *l, const char *user, const struct network *client)
{
	return strcmp(l->user, user) == 0 && network_equal(&l->client, client);
}

/* The login's place, or one for it. */
static struct recurring_login *place_of(
	struct recurring *r, const char *user, const struct network *client)
{
	struct recurring_login *oldest = &r->logins[0];

	for (size_t i = 0; i < RECURRING_MAX; i++) {
		struct recurring_login *l = &r->logins[i];

		if (is_of(l, user, client))
			return l;
		if (l->user[0] == '\0' || (oldest->user[0] != '\0' && l->last < oldest->last))
			oldest = l;
	}
	*oldest = (struct recurring_login){.client = *client, .last = INT64_MIN / 2};
	snprintf(oldest->user, sizeof(oldest->user), "%s", user);
	return oldest;
}

bool recurring_is_news(struct recurring *r, const char *user, const struct network *client,
	int64_t now, uint64_t *held_back)
{
	struct recurring_login *l = place_of(r, user, client);
	bool is_news =
		now - l->last >= RECURRING_PAUSE_MS || now - l->logged >= RECURRING_PERIOD_MS;

	*held_back = l->held_back;
	l->held_back = is_news ? 0 : l->held_back + 1;
	l->last = now;
	if (is_news)
		l->logged = now;
	return is_news;
}
