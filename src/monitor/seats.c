/*
 * Connections that say nothing must not keep an administrator out, however often they come back.
 * Whoever has a seat and types may keep it while a single address crowds: that one's own newest
 * goes, so that who floods displaces itself.
 */
#include "monitor/seats.h"

static bool is_in_phase(const struct console *c, enum console_phase phase)
{
	return c->phase == phase && !c->order.is_away;
}

/* The one whose time is over first; NULL: none. */
static struct console *find_first_over(
	struct console *seats, size_t count, enum console_phase phase)
{
	struct console *first = NULL;

	for (size_t i = 0; i < count; i++) {
		struct console *c = &seats[i];

		if (is_in_phase(c, phase) && (first == NULL || c->deadline < first->deadline))
			first = c;
	}
	return first;
}

/* How many are logging in, whether their password is being checked or not. */
static size_t count_of(const struct console *seats, size_t count, const struct peer *peer)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += seats[i].phase == CONSOLE_LOGIN && peer_is_one_with(&seats[i].peer, peer);
	return n;
}

/* Of those who have not sent a login yet; NULL: none. */
static struct console *find_newest_of_most(
	struct console *seats, size_t count, const struct peer *newcomer)
{
	struct console *found = NULL;
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		struct console *c = &seats[i];
		size_t n;

		if (!is_in_phase(c, CONSOLE_LOGIN))
			continue;
		n = count_of(seats, count, &c->peer) + peer_is_one_with(&c->peer, newcomer);
		if (found == NULL || n > most || (n == most && c->number > found->number)) {
			found = c;
			most = n;
		}
	}
	return found;
}

struct console *seats_find(struct console *seats, size_t count, const struct peer *peer)
{
	struct console *c = find_first_over(seats, count, CONSOLE_FREE);

	if (c == NULL)
		c = find_first_over(seats, count, CONSOLE_CLOSING);
	if (c == NULL)
		c = find_newest_of_most(seats, count, peer);
	return c;
}
