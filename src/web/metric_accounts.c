/*
 * Users and client addresses have names that are never alike, so they are one list. It is made once
 * for an answer, when the first of its families has its turn, sorted by bytes and cut: who moves
 * next to nothing is not worth a time series, and a bound has to be somewhere.
 */
#include "web/metric_sources.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"

#define ACCOUNTS_MAX (METRICS_ACCOUNT_SERIES / 3)

/* Those that there are, while they are put together. */
struct account_list {
	struct metric_account *accounts;
	size_t count;
};

static struct metric_account account_of(const char *name, const struct ledger_figures *f)
{
	return (struct metric_account){
		.name = name, .sent = f->sent, .received = f->received, .sessions = f->sessions};
}

/* Largest first; of equal ones by name, so that each answer has the same. */
static int compare_accounts(const void *a, const void *b)
{
	const struct metric_account *x = a, *y = b;
	uint64_t n = x->sent + x->received, k = y->sent + y->received;

	return n != k ? (n < k) - (n > k) : strcmp(x->name, y->name);
}

static size_t names_size(const struct account_list *l)
{
	size_t size = 0;

	for (size_t i = 0; i < l->count; i++)
		size += 4 * strlen(l->accounts[i].name) + 1;
	return size;
}

/* The first ones with copies of their names, in one block to be freed; NULL without memory. */
static struct metric_account *copy_first(struct account_list *l)
{
	struct metric_account *copy;
	char *text;

	qsort(l->accounts, l->count, sizeof(*l->accounts), compare_accounts);
	if (l->count > ACCOUNTS_MAX)
		l->count = ACCOUNTS_MAX;
	copy = malloc(l->count * sizeof(*copy) + names_size(l) + 1);
	text = copy == NULL ? NULL : (char *)(copy + l->count);
	for (size_t i = 0; copy != NULL && i < l->count; i++) {
		const char *name = l->accounts[i].name;

		copy[i] = l->accounts[i];
		copy[i].name = escape_word(name, strlen(name), text, 4 * strlen(name) + 1);
		text += strlen(text) + 1;
	}
	return copy;
}

static void add_users(
	struct account_list *l, struct users *users, const char *const names[], size_t count)
{
	struct user_info info;

	for (size_t i = 0; i < count; i++) {
		if (users_get(users, names[i], &info))
			l->accounts[l->count++] = account_of(names[i], &info.figures);
	}
}

/* `texts` has room for their names. */
static void add_clients(struct account_list *l, const struct ledger_client *clients, size_t count,
	char (*texts)[NETWORK_TEXT_MAX])
{
	for (size_t i = 0; i < count; i++)
		l->accounts[l->count++] = account_of(
			network_format(&clients[i].client, texts[i]), &clients[i].figures);
}

/* False without memory. */
static bool take_accounts(struct metrics *m)
{
	struct services *v = m->services;
	size_t users = 0, clients = 0;
	const char **names = users_names(v->users, &users);
	struct ledger_client *seen = ledger_clients(v->ledger, &clients);
	char(*texts)[NETWORK_TEXT_MAX] = calloc(clients + 1, sizeof(*texts));
	struct account_list l = {.accounts = calloc(users + clients + 1, sizeof(*l.accounts))};

	if (names != NULL && seen != NULL && texts != NULL && l.accounts != NULL) {
		add_users(&l, v->users, names, users);
		add_clients(&l, seen, clients, texts);
		m->accounts = copy_first(&l);
		m->account_count = l.count;
	}
	free(l.accounts);
	free(texts);
	free(seen);
	free(names);
	return m->accounts != NULL;
}

/* The next account, NULL behind the last one, or where there is no memory. */
static const struct metric_account *next_account(struct metrics *m, struct reply *r)
{
	if (m->accounts == NULL && !take_accounts(m))
		r->failed = true;
	return m->accounts != NULL && m->at < m->account_count ? &m->accounts[m->at++] : NULL;
}

static void put_bytes(const struct metrics *m, struct reply *r, const char *name,
	const char *direction, uint64_t bytes)
{
	exposition_number(r, &metric_families[m->family].metric,
		(const char *const[]){name, direction}, bytes);
}

bool metrics_account_bytes(struct metrics *m, struct reply *r)
{
	do {
		const struct metric_account *a = next_account(m, r);

		if (a == NULL)
			return false;
		put_bytes(m, r, a->name, "sent", a->sent);
		put_bytes(m, r, a->name, "received", a->received);
	} while (r->len < REPLY_CHUNK);
	return true;
}

bool metrics_account_sessions(struct metrics *m, struct reply *r)
{
	do {
		const struct metric_account *a = next_account(m, r);

		if (a == NULL)
			return false;
		exposition_number(r, &metric_families[m->family].metric, &a->name, a->sessions);
	} while (r->len < REPLY_CHUNK);
	return true;
}
