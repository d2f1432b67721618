/*
 * Each entry notes what was told of it, so that what is new is its sums less that. An entry that
 * goes in between leaves the difference to the heir.
 */
#include "state/ledger_parts.h"

#include <stdlib.h>
#include <string.h>

void ledger_set_heir(struct ledger *l, ledger_heir *take, void *context)
{
	l->heir = take;
	l->heir_context = context;
}

static struct ledger_counts count_all(const struct ledger_entry *e)
{
	return (struct ledger_counts){{
		[LEDGER_SESSIONS] = (int64_t)GET(&e->total),
		[LEDGER_REFUSED] = (int64_t)GET(&e->refused),
		[LEDGER_SENT] = (int64_t)GET(&e->tally.sent),
		[LEDGER_RECEIVED] = (int64_t)GET(&e->tally.received),
		[LEDGER_MS] = lifetimes_read(&e->lifetimes),
		[LEDGER_KNOWN_SESSIONS] = (int64_t)GET(&e->known_total),
		[LEDGER_KNOWN_SENT] = (int64_t)GET(&e->known.sent),
		[LEDGER_KNOWN_RECEIVED] = (int64_t)GET(&e->known.received),
		[LEDGER_KNOWN_MS] = lifetimes_read(&e->known_lifetimes),
	}};
}

static struct ledger_counts subtract_counts(struct ledger_counts a, const struct ledger_counts *b)
{
	for (size_t i = 0; i < LEDGER_COUNTS; i++)
		a.of[i] -= b->of[i];
	return a;
}

static struct ledger_counts add_counts(struct ledger_counts a, const struct ledger_counts *b)
{
	for (size_t i = 0; i < LEDGER_COUNTS; i++)
		a.of[i] += b->of[i];
	return a;
}

static bool is_nothing(const struct ledger_counts *c)
{
	int64_t all = 0;

	for (size_t i = 0; i < LEDGER_COUNTS; i++)
		all |= c->of[i];
	return all == 0;
}

/* Since `told`. */
static struct ledger_share share_of(const struct ledger_entry *e)
{
	struct ledger_share share = {
		.is_user = e->is_user, .counts = subtract_counts(count_all(e), &e->told)};

	if (e->is_user) {
		share.serial = e->serial;
		share.name = e->name;
	} else {
		share.client = ledger_network_of(&e->key);
	}
	return share;
}

/* Of an entry that nobody finds any more. */
void ledger_bequeath(const struct ledger *l, const struct ledger_entry *e)
{
	struct ledger_share share;

	if (l->heir == NULL)
		return;
	share = share_of(e);
	if (!is_nothing(&share.counts))
		l->heir(l->heir_context, &share);
}

/* ---- news ---- */

/* Of as many as there is room for; the others are told the next time. */
struct news {
	struct ledger_share *shares; /* NULL: how much there is is only counted */
	size_t count, room;
	char *text; /* where the next name ends, from the back */
	size_t text_size;
};

/* A user who has no room for his name is left, too. */
static bool has_room(const struct news *n, size_t name_size)
{
	return n->shares != NULL && n->count < n->room && name_size <= n->text_size;
}

static void see_news(struct news *n, struct ledger_entry *e)
{
	struct ledger_share share = share_of(e);
	size_t size = e->is_user ? e->name_len + 1 : 0;

	if (is_nothing(&share.counts))
		return;
	if (!has_room(n, size)) {
		n->count += n->shares == NULL ? 1 : 0;
		n->text_size += n->shares == NULL ? size : 0;
		return;
	}
	n->text -= size;
	n->text_size -= size;
	if (e->is_user)
		share.name = memcpy(n->text, e->name, size);
	n->shares[n->count++] = share;
	e->told = add_counts(e->told, &share.counts);
}

/* The lock of the clients may be a shared one, as only this thread writes what they were
 * told. */
static void see_all_news(struct ledger *l, struct news *n)
{
	rwlock_read(&l->clients_lock);
	for (size_t i = 0, count = hashmap_count(l->clients); i < count; i++)
		see_news(n, l->heap[i]);
	rwlock_read_unlock(&l->clients_lock);
	mutex_lock(&l->users_lock);
	for (struct ledger_entry *u = l->users; u != NULL; u = u->next)
		see_news(n, u);
	mutex_unlock(&l->users_lock);
}

struct ledger_share *ledger_take_news(struct ledger *l, size_t *count)
{
	struct news n = {.shares = NULL};
	size_t size;

	see_all_news(l, &n);
	size = n.count * sizeof(*n.shares) + n.text_size;
	n.shares = malloc(size + 1);
	if (n.shares == NULL)
		return NULL;
	n.text = (char *)n.shares + size;
	n.room = n.count;
	n.count = 0;
	see_all_news(l, &n);
	*count = n.count;
	return n.shares;
}
