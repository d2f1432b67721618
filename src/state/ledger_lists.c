/*
 * Lists are copied under the locks into one block, and sorted outside of them.
 */
#include "state/ledger_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- which clients there are ---- */

/* Of clients that are equally long ago the lower address comes first. */
static int compare_clients(const void *a, const void *b)
{
	const struct ledger_client *x = a, *y = b;
	const struct ledger_figures *f = &x->figures, *g = &y->figures;

	if ((f->sessions > 0) != (g->sessions > 0))
		return f->sessions > 0 ? -1 : 1;
	if (f->sessions == 0 && f->last_seen != g->last_seen)
		return f->last_seen > g->last_seen ? -1 : 1;
	return addr_compare(&x->client.base, &y->client.base);
}

/* Of what lists them: the clients, and behind them the names of their users. */
static size_t clients_size_locked(const struct ledger *l, size_t count)
	REQUIRES_SHARED(&l->clients_lock)
{
	size_t size = sizeof(struct ledger_client) * (count + 1);

	for (size_t i = 0; i < count; i++)
		size += l->heap[i]->user == NULL ? 0 : strlen(l->heap[i]->user) + 1;
	return size;
}

static void copy_clients_locked(const struct ledger *l, struct ledger_client *clients, size_t count)
	REQUIRES_SHARED(&l->clients_lock)
{
	char *text = (char *)(clients + count + 1);

	for (size_t i = 0; i < count; i++) {
		const struct ledger_entry *e = l->heap[i];

		clients[i] = (struct ledger_client){.client = ledger_network_of(&e->key),
			.figures = ledger_read(e),
			.user = e->user == NULL ? "" : text};
		if (e->user != NULL)
			text = stpcpy(text, e->user) + 1;
	}
}

struct ledger_client *ledger_clients(struct ledger *l, size_t *count)
{
	struct ledger_client *clients;

	rwlock_read(&l->clients_lock);
	*count = hashmap_count(l->clients);
	clients = malloc(clients_size_locked(l, *count));
	if (clients != NULL)
		copy_clients_locked(l, clients, *count);
	rwlock_read_unlock(&l->clients_lock);
	if (clients != NULL)
		qsort(clients, *count, sizeof(*clients), compare_clients);
	return clients;
}

/* ---- who is active ---- */

static size_t active_size_locked(const struct ledger *l) REQUIRES(&l->users_lock)
{
	size_t size = 0;

	for (const struct ledger_entry *u = l->users; u != NULL; u = u->next) {
		if (atomic_load(&u->sessions) > 0)
			size += sizeof(char *) + u->name_len + 1;
	}
	return size;
}

/* From the front the pointers, from the back the names, until they meet: there may be more
 * by now.
 */
static size_t copy_active_locked(const struct ledger *l, const char **names, size_t size)
	REQUIRES(&l->users_lock)
{
	char *text = (char *)names + size;
	size_t count = 0;

	for (const struct ledger_entry *u = l->users; u != NULL; u = u->next) {
		size_t needed = sizeof(char *) + u->name_len + 1;

		if (atomic_load(&u->sessions) == 0 ||
			(size_t)(text - (char *)(names + count)) < needed)
			continue;
		text -= u->name_len + 1;
		memcpy(text, u->name, u->name_len + 1);
		names[count++] = text;
	}
	return count;
}

static int compare_active(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of sorted ones. */
static size_t drop_repeated(const char **names, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || strcmp(names[kept - 1], names[i]) != 0)
			names[kept++] = names[i];
	}
	return kept;
}

const char **ledger_active_users(struct ledger *l, size_t *count)
{
	const char **names;
	size_t size;

	mutex_lock(&l->users_lock);
	size = active_size_locked(l);
	names = malloc(size + 1);
	*count = names == NULL ? 0 : copy_active_locked(l, names, size);
	mutex_unlock(&l->users_lock);
	if (names == NULL)
		return NULL;
	qsort(names, *count, sizeof(*names), compare_active);
	*count = drop_repeated(names, *count);
	return names;
}
