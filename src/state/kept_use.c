/*
 * A fact an account, under its name, a user's or the client as text: users cannot be called like
 * clients. Clients come without end where addresses do, so their facts are swept now and then:
 * nobody else would take one away whose client has been forgotten by the ledger and does not come
 * again. Between two sweeps, or where the disk is full and so what has gone is not told, there is a
 * bound: what comes then is not kept, and known as long as the ledger has the client. A user's is
 * written by his account with each period, and goes with him.
 */
#include "state/kept_use.h"

#include <stdlib.h>
#include <string.h>

int kept_use_put(struct standing *standing, const char *name, const struct quota_use *use)
{
	char text[QUOTA_USE_MAX];
	const char *value = use->used == 0 && use->extra == 0 ? NULL : quota_use_format(use, text);
	struct network client;

	if (standing == NULL)
		return 0;
	if (network_parse(name, strlen(name), &client))
		return standing_put_bounded(standing, STANDING_QUOTA, name, value, KEPT_USE_MOST);
	return standing_put(standing, STANDING_QUOTA, name, value);
}

struct reading {
	struct quota_use *out;
	bool is_known;
};

static void take_use(void *context, const char *value)
{
	struct reading *r = context;

	r->is_known = quota_use_parse(value, r->out);
}

bool kept_use_get(struct standing *standing, const char *name, struct quota_use *out)
{
	struct reading r = {.out = out};

	return standing != NULL && standing_read(standing, STANDING_QUOTA, name, take_use, &r) &&
		r.is_known;
}

void kept_use_drop(struct standing *standing, const char *name)
{
	/* Without memory it goes when its period is over. */
	if (standing != NULL)
		(void)!standing_put(standing, STANDING_QUOTA, name, NULL);
}

/* ---- sweeping ---- */

struct client_use {
	const struct standing_fact *fact;
	uint64_t used;
};

/* Who has no quota now may get one back, whose period may be a month. */
static bool is_over(const struct quota_use *use, struct limit_book *book,
	const struct network *client, int64_t now)
{
	struct limits_in_force in_force;
	struct quota_use turned = *use;

	if (book != NULL && client != NULL) {
		limit_book_of_client(book, client, &in_force, NULL);
		if (limits_have(&in_force.limits, LIMIT_QUOTA))
			return quota_turn(&turned, &in_force.limits.quota, now);
	}
	return now - use->begun >= KEPT_USE_LONGEST_SECONDS;
}

static int by_use(const void *a, const void *b)
{
	const struct client_use *x = a, *y = b;

	return x->used < y->used ? -1 : x->used > y->used;
}

/* Of the clients that stay. */
static bool drop_least(struct standing *standing, struct client_use *clients, size_t count)
{
	if (count <= KEPT_USE_CLIENTS)
		return false;
	qsort(clients, count, sizeof(*clients), by_use);
	for (size_t i = 0; i < count - KEPT_USE_CLIENTS; i++)
		(void)standing_take_back(standing, clients[i].fact);
	return true;
}

/* What cannot be read is of a later version, and stays. */
static bool sweep_facts(struct standing *standing, struct limit_book *book, int64_t now,
	const struct standing_fact *facts, size_t count, struct client_use *clients)
{
	size_t kept = 0;
	bool has_gone = false;

	for (size_t i = 0; i < count; i++) {
		const char *name = facts[i].key;
		struct network client;
		bool is_client = network_parse(name, strlen(name), &client);
		struct quota_use use;

		if (!quota_use_parse(facts[i].value, &use))
			continue;
		if (is_over(&use, book, is_client ? &client : NULL, now))
			has_gone |= standing_take_back(standing, &facts[i]);
		else if (is_client)
			clients[kept++] = (struct client_use){&facts[i], use.used};
	}
	return drop_least(standing, clients, kept) || has_gone;
}

bool kept_use_sweep(struct standing *standing, struct limit_book *book, int64_t now)
{
	size_t count = 0;
	struct standing_fact *facts =
		standing == NULL ? NULL : standing_list(standing, STANDING_QUOTA, &count);
	struct client_use *clients = facts == NULL ? NULL : calloc(count + 1, sizeof(*clients));
	bool has_gone = clients != NULL && sweep_facts(standing, book, now, facts, count, clients);

	free(clients);
	free(facts);
	return has_gone;
}
