/*
 * While the engine does not answer nobody can say whether users that nodes share still are users.
 * So beyond shared_grace (state/grace.h) their logins are refused, until it does; nobody's session
 * ends by it, and all that is theirs stays. Whether it is over is looked at behind each attempt to
 * connect, so who starts is let in until the first one has failed.
 *
 * How long it has run is kept every minute, and more often where it is short.
 */
#include "server/sharing_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "state/config.h"

#define LONGEST_KEEP_MS 60000
#define SHORTEST_KEEP_MS 1000
#define KEEPS 60 /* in a grace that is short */

static struct grace_time time_now(void)
{
	return (struct grace_time){.ms = clock_ms(), .wall = (int64_t)time(NULL)};
}

static int64_t grace_in_force(const struct sharing *s)
{
	struct config *c = config_get(s->services->config);
	int64_t ms = c->settings.shared_grace;

	config_release(c);
	return ms;
}

static void keep(struct sharing *s, struct grace_time now, int64_t limit)
{
	int64_t period = limit / KEEPS;

	if (period > LONGEST_KEEP_MS)
		period = LONGEST_KEEP_MS;
	if (period < SHORTEST_KEEP_MS)
		period = SHORTEST_KEEP_MS;
	s->has_news |= grace_keep(&s->grace, now, period);
}

/* One line when that changes. */
static void let_in(struct sharing *s, bool are_let_in, int64_t apart_ms)
{
	struct shared_users *users = s->services->shared_users;

	if (shared_users_are_valid(users) == are_let_in)
		return;
	shared_users_set_valid(users, are_let_in);
	if (are_let_in)
		log_message(LOG_INFO,
			"shared_grace: users whom nodes share may log in again as they could "
			"before");
	else
		log_message(LOG_ERROR,
			"shared_grace: the other nodes were not heard for %" PRId64
			" s: users whom nodes share are refused until they are",
			apart_ms / 1000);
}

void sharing_begin_grace(struct sharing *s)
{
	if (s->services->shared_users != NULL)
		grace_begin(&s->grace, s->services->standing, time_now());
}

void sharing_end_grace(struct sharing *s)
{
	if (s->services->shared_users != NULL)
		(void)grace_keep(&s->grace, time_now(), 0);
}

void sharing_note_heard(struct sharing *s)
{
	struct grace_time now = time_now();

	if (s->services->shared_users == NULL)
		return;
	grace_note_heard(&s->grace, now);
	keep(s, now, grace_in_force(s));
	cluster_note_grace(s->cluster, CLOCK_NEVER);
	let_in(s, true, 0);
}

int64_t sharing_note_missed(struct sharing *s)
{
	struct grace_time now = time_now();
	int64_t apart, left;

	if (s->services->shared_users == NULL)
		return -1;
	apart = grace_apart(&s->grace, now);
	left = grace_in_force(s) - apart;
	keep(s, now, left + apart);
	cluster_note_grace(s->cluster, now.ms + left);
	let_in(s, left > 0, apart);
	return left > 0 ? left : 0;
}
