/*
 * An account's limits are worked out by the book and kept in its allowance. Whoever works with an
 * entry outside of the ledger's locks, as he must to ask the book, pins it: the entry has one
 * holder more. A client may be forgotten meanwhile, and then what is done to the entry is of no
 * account.
 *
 * What is used of quotas is kept (kept_use.h) under the account's name.
 */
#include "state/ledger_limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "state/kept_use.h"
#include "state/ledger_parts.h"

/* ---- sessions ---- */

enum end_reason ledger_admit(struct ledger_entry *client, struct ledger_entry *user)
{
	enum end_reason why = END_REASONS;

	if (client != NULL)
		why = allowance_admit(&client->allowance, user != NULL);
	if (why != END_REASONS || user == NULL)
		return why;
	why = allowance_admit(&user->allowance, true);
	if (why != END_REASONS && client != NULL)
		allowance_dismiss(&client->allowance, true);
	return why;
}

void ledger_dismiss(struct ledger_entry *client, struct ledger_entry *user)
{
	if (client != NULL)
		allowance_dismiss(&client->allowance, user != NULL);
	if (user != NULL)
		allowance_dismiss(&user->allowance, true);
}

uint32_t ledger_sessions_client(const struct ledger_entry *user)
{
	return GET(&user->allowance.sessions_client);
}

/* ---- who it is ---- */

static void name_account(const struct ledger_entry *e, char out[LEDGER_NAME_MAX])
{
	char text[NETWORK_TEXT_MAX];
	struct network client;

	if (e->is_user) {
		memcpy(out, e->name, e->name_len + 1);
		return;
	}
	client = ledger_network_of(&e->key);
	strcpy(out, network_format(&client, text));
}

static bool find_known_use(const struct ledger_entry *e, struct quota_use *out)
{
	char name[LEDGER_NAME_MAX];

	name_account(e, name);
	return kept_use_get(e->ledger->standing, name, out);
}

/* A fact that could not be kept is kept the next time. */
static void keep_use(const struct ledger_entry *e, const char *name, const struct quota_use *use)
{
	(void)!kept_use_put(e->ledger->standing, name, use);
	/* Looked at behind that: whoever retires drops what is kept only then. */
	if (e->is_user && atomic_load(&e->has_retired))
		kept_use_drop(e->ledger->standing, name);
}

/* Each who looks at an account keeps what he finds, since the next one is not told of it. */
static void keep_news(const struct ledger_entry *e, const struct allowance_news *news)
{
	char name[LEDGER_NAME_MAX];

	if (!news->use_has_changed)
		return;
	name_account(e, name);
	keep_use(e, name, &news->use);
}

/* ---- what holds ---- */

/* True when that changes anything. */
static bool put_rate(_Atomic(uint64_t) rate[THROTTLE_DIRECTIONS], uint64_t down, uint64_t up)
{
	if (GET(&rate[TRAFFIC_RECEIVED]) == down && GET(&rate[TRAFFIC_SENT]) == up)
		return false;
	atomic_store(&rate[TRAFFIC_RECEIVED], down);
	atomic_store(&rate[TRAFFIC_SENT], up);
	return true;
}

/* Behind the rates: who makes a throttle meanwhile reads them behind that. */
static void follow_rates(struct ledger_entry *entry)
{
	struct throttle *t = atomic_load(&entry->throttle);

	if (t != NULL)
		throttle_follow(t, &entry->rates, clock_ms());
}

void ledger_show_limits(struct ledger_entry *entry, int64_t now, struct allowance_view *out)
{
	allowance_show(&entry->allowance, now, out);
}

void ledger_set_rate(struct ledger_entry *entry, uint64_t down, uint64_t up)
{
	if (put_rate(entry->rates.rate, down, up))
		follow_rates(entry);
}

static void set_rate_of(struct ledger_entry *e, const struct allowance_news *news)
{
	bool is_changed = put_rate(e->rates.rate, news->down, news->up);

	is_changed |= put_rate(e->rates.of_anonymous, news->anonymous_down, news->anonymous_up);
	if (is_changed)
		follow_rates(e);
}

static void tell_elsewhere(struct ledger_entry *e)
{
	struct cluster *cluster = e->ledger->cluster;
	char name[LEDGER_NAME_MAX];
	struct elsewhere sum;

	if (cluster == NULL)
		return;
	name_account(e, name);
	sum = cluster_sum(cluster, name, allowance_begun(&e->allowance));
	allowance_tell_elsewhere(&e->allowance, &sum);
}

/* The account's news, others' nodes included. */
static struct allowance_news look_at_allowance(struct ledger_entry *e, int64_t now)
{
	tell_elsewhere(e);
	return allowance_look(&e->allowance, now);
}

static int limit_entry(struct ledger_entry *e, const struct limits_in_force *in_force)
{
	struct quota_use known;
	int64_t now = (int64_t)time(NULL);
	bool is_known = in_force != NULL && limits_have(&in_force->limits, LIMIT_QUOTA) &&
		find_known_use(e, &known);
	struct allowance_news news;

	if (allowance_set(&e->allowance, in_force, is_known ? &known : NULL, now) < 0)
		return -1;
	news = look_at_allowance(e, now);
	set_rate_of(e, &news);
	keep_news(e, &news);
	return 0;
}

int ledger_limit_user(struct ledger_entry *user, const struct limits_in_force *in_force)
{
	bool has_groups = limits_have(&in_force->limits, LIMIT_GROUPS);

	if (ledger_set_groups(user, has_groups ? in_force->limits.groups : "") < 0)
		return -1;
	return limit_entry(user, in_force);
}

static int limit_client(struct ledger_entry *client)
{
	struct network network = ledger_network_of(&client->key);
	struct limits_in_force in_force;

	limit_book_of_client(client->ledger->book, &network, &in_force, NULL);
	return limit_entry(client, &in_force);
}

/* Without memory he is not limited until something changes: to turn him away would be worse. */
void ledger_limit_client(struct ledger_entry *client)
{
	const struct limit_book *book = client->ledger->book;

	if (book == NULL)
		return;
	client->book_version = limit_book_version(book);
	if (limit_book_is_about_clients(book))
		(void)!limit_client(client);
}

void ledger_follow_up(struct ledger_entry *client)
{
	const struct limit_book *book = client->ledger->book;

	if (book != NULL && client->book_version != limit_book_version(book))
		ledger_limit_client(client);
}

void ledger_follow(struct ledger *l, struct limit_book *book, struct standing *standing)
{
	l->book = book;
	l->standing = standing;
}

void ledger_join_cluster(struct ledger *l, struct cluster *cluster)
{
	l->cluster = cluster;
}

void ledger_keep_quota(struct ledger_entry *entry)
{
	struct allowance_news news;
	char name[LEDGER_NAME_MAX];

	if (!atomic_load(&entry->allowance.has_quota))
		return;
	news = allowance_look(&entry->allowance, (int64_t)time(NULL));
	name_account(entry, name);
	keep_use(entry, name, &news.use);
}

/* ---- groups ---- */

void ledger_hold_user(struct ledger_entry *user)
{
	atomic_fetch_add(&user->holders, 1);
}

void ledger_release_user(struct ledger_entry *user)
{
	ledger_let_go_of_user(user);
}

size_t ledger_groups(const struct ledger_entry *user, char out[LEDGER_GROUPS_MAX])
{
	/* The lock is no part of what is looked at. */
	struct mutex *lock = (struct mutex *)(uintptr_t)&user->groups_lock;

	out[0] = '\0';
	if (!atomic_load(&user->has_groups))
		return 0;
	mutex_lock(lock);
	if (user->groups != NULL)
		strcpy(out, user->groups);
	mutex_unlock(lock);
	return strlen(out);
}

int ledger_set_groups(struct ledger_entry *user, const char *groups)
{
	char *fresh = *groups == '\0' ? NULL : strdup(groups), *old;

	assert(strlen(groups) < LEDGER_GROUPS_MAX);
	if (fresh == NULL && *groups != '\0')
		return -1;
	mutex_lock(&user->groups_lock);
	old = user->groups;
	user->groups = fresh;
	mutex_unlock(&user->groups_lock);
	atomic_store(&user->has_groups, fresh != NULL);
	throttle_forget_groups(atomic_load(&user->throttle));
	free(old);
	return 0;
}

/* ---- all accounts ---- */

/* Those that somebody works with. */
struct pinned {
	size_t count;
	struct ledger_entry *entries[];
};

static bool has_something_due(const struct ledger_entry *e)
{
	const struct allowance *a = &e->allowance;

	return atomic_load(&a->has_quota) || GET(&a->expires) != 0 ||
		(e->ledger->cluster != NULL && GET(&a->sessions) != 0) ||
		(GET(&a->is_kept_out) && atomic_load(&e->sessions) > 0);
}

static bool is_anything(const struct ledger_entry *e)
{
	(void)e;
	return true;
}

static void pin_clients_locked(struct ledger *l, bool (*is_wanted)(const struct ledger_entry *e),
	struct pinned *p) REQUIRES_SHARED(&l->clients_lock)
{
	size_t count = hashmap_count(l->clients);

	for (size_t i = 0; i < count; i++) {
		if (!is_wanted(l->heap[i]))
			continue;
		atomic_fetch_add(&l->heap[i]->holders, 1);
		p->entries[p->count++] = l->heap[i];
	}
}

static struct pinned *pin_clients(struct ledger *l, bool (*is_wanted)(const struct ledger_entry *e))
{
	struct pinned *p;

	rwlock_read(&l->clients_lock);
	p = malloc(sizeof(*p) + hashmap_count(l->clients) * sizeof(struct ledger_entry *));
	if (p != NULL) {
		p->count = 0;
		pin_clients_locked(l, is_wanted, p);
	}
	rwlock_read_unlock(&l->clients_lock);
	return p;
}

static void unpin_clients(struct pinned *p)
{
	for (size_t i = 0; p != NULL && i < p->count; i++)
		ledger_let_go_of_client(p->entries[i]);
	free(p);
}

int ledger_limit_clients(struct ledger *l)
{
	struct pinned *p = pin_clients(l, is_anything);
	int result = p == NULL ? -1 : 0;

	for (size_t i = 0; p != NULL && i < p->count; i++)
		result = limit_client(p->entries[i]) < 0 ? -1 : result;
	unpin_clients(p);
	return result;
}

static size_t count_users_locked(const struct ledger *l) REQUIRES(&l->users_lock)
{
	size_t count = 0;

	for (const struct ledger_entry *u = l->users; u != NULL; u = u->next)
		count++;
	return count;
}

/* False when nobody holds the entry any more, which is about to be freed then. */
static bool hold_user(struct ledger_entry *user)
{
	size_t holders = atomic_load(&user->holders);

	while (holders > 0 && !atomic_compare_exchange_weak(&user->holders, &holders, holders + 1))
		continue;
	return holders > 0;
}

static struct pinned *pin_users(struct ledger *l, bool (*is_wanted)(const struct ledger_entry *e))
{
	struct pinned *p;

	mutex_lock(&l->users_lock);
	p = malloc(sizeof(*p) + count_users_locked(l) * sizeof(struct ledger_entry *));
	if (p != NULL)
		p->count = 0;
	for (struct ledger_entry *u = l->users; p != NULL && u != NULL; u = u->next) {
		/* Who has retired is nobody any more, but for his sessions. */
		if (is_wanted(u) && !atomic_load(&u->has_retired) && hold_user(u))
			p->entries[p->count++] = u;
	}
	mutex_unlock(&l->users_lock);
	return p;
}

static void unpin_users(struct pinned *p)
{
	for (size_t i = 0; p != NULL && i < p->count; i++)
		ledger_let_go_of_user(p->entries[i]);
	free(p);
}

static void look_at(struct ledger_entry *e, int64_t now, struct ledger_account *out)
{
	*out = (struct ledger_account){.name_len = e->is_user ? e->name_len : 0,
		.sessions = atomic_load(&e->sessions),
		.news = look_at_allowance(e, now)};
	name_account(e, out->name);
	if (!e->is_user)
		out->client = ledger_network_of(&e->key);
	set_rate_of(e, &out->news);
	keep_news(e, &out->news);
}

struct ledger_account *ledger_look_at_limits(struct ledger *l, int64_t now, size_t *count)
{
	struct pinned *users = pin_users(l, has_something_due);
	struct pinned *clients = pin_clients(l, has_something_due);
	struct ledger_account *accounts = NULL;

	*count = 0;
	if (users != NULL && clients != NULL)
		accounts = calloc(users->count + clients->count + 1, sizeof(*accounts));
	for (size_t i = 0; accounts != NULL && i < users->count; i++)
		look_at(users->entries[i], now, &accounts[(*count)++]);
	for (size_t i = 0; accounts != NULL && i < clients->count; i++)
		look_at(clients->entries[i], now, &accounts[(*count)++]);
	unpin_users(users);
	unpin_clients(clients);
	return accounts;
}

static bool has_bounded_sessions(const struct ledger_entry *e)
{
	return GET(&e->allowance.sessions) != 0 && GET(&e->allowance.admitted) > 0;
}

static void list_pinned(const struct pinned *p, struct ledger_running *list, size_t *count)
{
	for (size_t i = 0; i < p->count; i++) {
		struct allowance_view view;

		allowance_show(&p->entries[i]->allowance, (int64_t)time(NULL), &view);
		if (view.running == 0)
			continue;
		name_account(p->entries[i], list[*count].name);
		list[(*count)++].sessions = view.running;
	}
}

struct ledger_running *ledger_list_running(struct ledger *l, size_t *count)
{
	struct pinned *users = pin_users(l, has_bounded_sessions);
	struct pinned *clients = pin_clients(l, has_bounded_sessions);
	struct ledger_running *list = NULL;

	*count = 0;
	if (users != NULL && clients != NULL)
		list = calloc(users->count + clients->count + 1, sizeof(*list));
	if (list != NULL) {
		list_pinned(users, list, count);
		list_pinned(clients, list, count);
	}
	unpin_users(users);
	unpin_clients(clients);
	return list;
}

/* ---- one account ---- */

static struct ledger_entry *pin_user_called(struct ledger *l, const char *name)
{
	struct ledger_entry *found = NULL;

	mutex_lock(&l->users_lock);
	for (struct ledger_entry *u = l->users; u != NULL && found == NULL; u = u->next) {
		if (strcmp(u->name, name) == 0 && !atomic_load(&u->has_retired) && hold_user(u))
			found = u;
	}
	mutex_unlock(&l->users_lock);
	return found;
}

static struct ledger_entry *pin_client(struct ledger *l, const struct network *client)
{
	struct client_key key = ledger_key_of(client);
	struct ledger_entry *found;

	rwlock_read(&l->clients_lock);
	found = hashmap_get(l->clients, &key, sizeof(key));
	if (found != NULL)
		atomic_fetch_add(&found->holders, 1);
	rwlock_read_unlock(&l->clients_lock);
	return found;
}

/* Does something with the account called `who`; false when there is none, or `with` says so. */
static bool with_account(struct ledger *l, const char *who,
	bool (*with)(struct ledger_entry *e, void *context), void *context)
{
	struct network client;
	bool is_client = network_parse(who, strlen(who), &client), done;
	struct ledger_entry *e = is_client ? pin_client(l, &client) : pin_user_called(l, who);

	if (e == NULL)
		return false;
	done = with(e, context);
	if (is_client)
		ledger_let_go_of_client(e);
	else
		ledger_let_go_of_user(e);
	return done;
}

struct quota_change {
	const struct quota_use *least; /* that is used; NULL: what follows */
	uint64_t extra; /* 0: it starts anew */
	int64_t now;
};

static bool is_changed(struct ledger_entry *e, const struct quota_change *c)
{
	if (c->least != NULL)
		return allowance_raise_use(&e->allowance, c->least, c->now);
	return c->extra > 0 ? allowance_add_to_quota(&e->allowance, c->extra, c->now)
			    : allowance_reset_quota(&e->allowance, c->now);
}

static bool change_quota_of(struct ledger_entry *e, void *context)
{
	const struct quota_change *c = context;
	struct allowance_news news;
	char name[LEDGER_NAME_MAX];

	if (!is_changed(e, c))
		return false;
	news = allowance_look(&e->allowance, c->now);
	set_rate_of(e, &news);
	name_account(e, name);
	keep_use(e, name, &news.use);
	return true;
}

bool ledger_change_quota(struct ledger *l, const char *who, uint64_t extra, int64_t now)
{
	return with_account(
		l, who, change_quota_of, &(struct quota_change){.extra = extra, .now = now});
}

bool ledger_raise_use(struct ledger *l, const char *who, const struct quota_use *least, int64_t now)
{
	return with_account(
		l, who, change_quota_of, &(struct quota_change){.least = least, .now = now});
}

struct account_question {
	struct ledger_account *out;
	int64_t now;
};

static bool look_at_one(struct ledger_entry *e, void *context)
{
	const struct account_question *q = context;

	look_at(e, q->now, q->out);
	return true;
}

bool ledger_find_account(struct ledger *l, const char *who, int64_t now, struct ledger_account *out)
{
	return with_account(
		l, who, look_at_one, &(struct account_question){.out = out, .now = now});
}
