/*
 * A listing is asked for once and goes out as fast as the client reads. So only names and ids are
 * taken at once, and each is looked up when its turn comes: nothing is locked meanwhile, and ten
 * thousand sessions take the memory of one piece. Users and clients are the exception, since their
 * figures are to be compared with each other.
 */
#include "monitor/listings.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/escape.h"
#include "state/ledger_limits.h"

static void refuse_for_memory(struct reply *r)
{
	reply_error(r, "Out of memory");
}

/* "2025-07-15 12:40:39" in local time, with `between` in the place of the blank. */
static void format_time(int64_t when, char between, char out[32])
{
	time_t seconds = (time_t)when;
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(out, 32, "%Y-%m-%d %H:%M:%S", &tm);
	out[10] = between;
}

void listings_add_name(struct reply *r, struct client_names *names, const struct addr *addr)
{
	char name[CLIENT_NAME_TEXT_MAX];

	if (*client_names_find(names, addr, name) != '\0')
		reply_add(r, " name:%s", name);
}

/* ---- CONNECTIONS ---- */

struct connections {
	struct registry *registry;
	struct client_names *names;
	struct session_ref *refs;
	size_t count;
	size_t at;
	bool by_user, by_client; /* only those */
	struct network client;
	size_t user_len;
	char user[USERS_NAME_MAX + 1]; /* "": without a login */
};

static const char *word_or_dash(const char *word)
{
	return word == NULL || *word == '\0' ? "-" : word;
}

static void add_connection(
	struct reply *r, const struct session_info *s, struct client_names *names)
{
	char user[4 * USERS_NAME_MAX + 1], client[ADDR_TEXT_MAX], address[ADDR_TEXT_MAX];
	const struct traffic_figures *t = &s->traffic;

	if (s->user_len > 0)
		escape_word(s->user, s->user_len, user, sizeof(user));
	else
		strcpy(user, USERS_ANONYMOUS);
	reply_add(r, "id:%llu user:%s client:%s command:%s target:%s state:%s",
		(unsigned long long)s->id, user, addr_format(&s->client, client),
		word_or_dash(s->command), word_or_dash(s->target),
		t->half_closed && s->phase == PHASE_RELAY ? "HALF_CLOSED"
							  : session_phase_word(s->phase));
	reply_add(r, " age:%lld idle:%lld sent:%llu received:%llu", (long long)s->age_ms / 1000,
		(long long)s->idle_ms / 1000, (unsigned long long)t->sent,
		(unsigned long long)t->received);
	reply_add(r, " address:%s sent_rate:%llu received_rate:%llu",
		addr_format(&s->address, address), (unsigned long long)t->sent_rate,
		(unsigned long long)t->received_rate);
	listings_add_name(r, names, &s->client);
	reply_add(r, "%s%s\n", s->upstream[0] != '\0' ? " upstream:" : "", s->upstream);
}

static bool is_wanted_connection(const struct connections *c, const struct session_info *s)
{
	if (c->by_client)
		return network_contains_on_link(&c->client, &s->client);
	return !c->by_user ||
		(s->user_len == c->user_len && memcmp(s->user, c->user, c->user_len) == 0);
}

static bool more_connections(void *state, struct reply *r)
{
	struct connections *c = state;
	struct session_info info;

	for (; c->at < c->count && r->len < REPLY_CHUNK; c->at++) {
		if (registry_get(c->registry, &c->refs[c->at], &info) &&
			is_wanted_connection(c, &info))
			add_connection(r, &info, c->names);
	}
	return c->at < c->count;
}

static void free_connections(void *state)
{
	struct connections *c = state;

	free(c->refs);
	free(c);
}

/* NULL without memory, which is said. */
static struct connections *begin_connections(struct services *v, struct reply *r)
{
	struct connections *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->refs = registry_list(v->registry, &c->count);
	if (c == NULL || c->refs == NULL) {
		free(c);
		refuse_for_memory(r);
		return NULL;
	}
	c->registry = v->registry;
	c->names = v->client_names;
	reply_add(r, "OK\n");
	reply_continue(r, more_connections, free_connections, c);
	return c;
}

void listings_connections(struct services *v, struct reply *r)
{
	const struct connections *c = begin_connections(v, r);

	if (c != NULL)
		reply_add(r, "current connections:%zu\nmax concurrent connections:%llu\n", c->count,
			(unsigned long long)stats_get(&v->stats.most));
}

void listings_connections_of(
	struct services *v, const char *user, const struct network *client, struct reply *r)
{
	struct connections *c = begin_connections(v, r);

	if (c == NULL)
		return;
	c->by_client = client != NULL;
	c->by_user = user != NULL;
	if (client != NULL)
		c->client = *client;
	if (user != NULL && strcmp(user, USERS_ANONYMOUS) != 0)
		c->user_len = (size_t)snprintf(c->user, sizeof(c->user), "%s", user);
}

/* ---- USERS ---- */

struct users_listing {
	const char **names;
	size_t count;
	size_t at;
};

static bool more_users(void *state, struct reply *r)
{
	struct users_listing *l = state;
	char name[4 * USERS_NAME_MAX + 1];

	for (; l->at < l->count && r->len < REPLY_CHUNK; l->at++) {
		const char *user = l->names[l->at];

		reply_add(r, " %s", escape_word(user, strlen(user), name, sizeof(name)));
	}
	if (l->at < l->count)
		return true;
	reply_add(r, "\n");
	return false;
}

static void free_users(void *state)
{
	struct users_listing *l = state;

	free(l->names);
	free(l);
}

void listings_users(struct services *v, struct reply *r)
{
	struct users_listing *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->names = ledger_active_users(v->ledger, &l->count);
	if (l == NULL || l->names == NULL) {
		free(l);
		refuse_for_memory(r);
	} else if (l->count == 0) {
		free_users(l);
		reply_add(r, "OK No active users\n");
	} else {
		reply_add(r, "OK");
		reply_continue(r, more_users, free_users, l);
	}
}

/* ---- ACCOUNTS ---- */

/* All of about one moment, however slowly they are read. */
struct accounts {
	struct services *services;
	const char **names;
	struct user_info *infos; /* by name; one who is gone already has no logins and no bytes */
	size_t count;
	size_t at;
};

/* What holds for the user, as one word: sessions=5;quota=1GB/day;used=123, or none. */
static void add_limits_word(struct reply *r, struct services *v, const char *name)
{
	struct limits own;
	struct limits_in_force f;
	struct ledger_account account;
	char *text;

	if (v->limits == NULL || !users_said_limits(v->users, name, &own)) {
		reply_add(r, "none");
		return;
	}
	limit_book_of_user(v->limits, &own, &f, NULL);
	text = limits_format(&f.limits);
	for (char *p = text; p != NULL && *p != '\0'; p++) {
		if (*p == ' ')
			*p = ';';
	}
	reply_add(r, "%s", text == NULL || *text == '\0' ? "none" : text);
	if (limits_have(&f.limits, LIMIT_QUOTA) &&
		ledger_find_account(v->ledger, name, (int64_t)time(NULL), &account))
		reply_add(r, ";used=%llu", (unsigned long long)account.news.sum.used);
	free(text);
}

static void add_account(struct reply *r, const struct accounts *a, size_t i)
{
	const char *name = a->names[i];
	const struct ledger_figures *f = &a->infos[i].figures;
	char escaped[4 * USERS_NAME_MAX + 1], last[32] = "never";

	if (f->last_login != 0)
		format_time(f->last_login, 'T', last);
	reply_add(r, "name:%s role:%s sessions:%zu total:%llu sent:%llu received:%llu",
		escape_word(name, strlen(name), escaped, sizeof(escaped)),
		user_role_word(a->infos[i].role), f->sessions, (unsigned long long)f->total,
		(unsigned long long)f->sent, (unsigned long long)f->received);
	reply_add(r, " last_seen:%s limits:", last);
	add_limits_word(r, a->services, name);
	if (a->services->shared_users != NULL)
		reply_add(r, " shared:%s",
			shared_users_have(a->services->shared_users, name) ? "yes" : "no");
	reply_add(r, "\n");
}

static bool more_accounts(void *state, struct reply *r)
{
	struct accounts *a = state;

	for (; a->at < a->count && r->len < REPLY_CHUNK; a->at++)
		add_account(r, a, a->at);
	return a->at < a->count;
}

static void free_accounts(void *state)
{
	struct accounts *a = state;

	free(a->names);
	free(a->infos);
	free(a);
}

static int take_accounts(struct accounts *a, struct services *v)
{
	a->services = v;
	a->names = users_names(v->users, &a->count);
	a->infos = calloc(a->count + 1, sizeof(*a->infos));
	if (a->names == NULL || a->infos == NULL)
		return -1;
	for (size_t i = 0; i < a->count; i++)
		(void)users_get(v->users, a->names[i], &a->infos[i]);
	return 0;
}

void listings_accounts(struct services *v, struct reply *r)
{
	struct accounts *a = calloc(1, sizeof(*a));

	if (a == NULL || take_accounts(a, v) < 0) {
		if (a != NULL)
			free_accounts(a);
		refuse_for_memory(r);
		return;
	}
	reply_add(r, "OK\n");
	reply_continue(r, more_accounts, free_accounts, a);
}

/* ---- CLIENTS ---- */

/* All of about one moment, too. */
struct clients {
	struct client_names *names;
	struct ledger_client *clients;
	int64_t now;
	size_t count;
	size_t at;
};

/* A network of several addresses has no name. */
static bool is_single(const struct network *n)
{
	return n->prefix == (n->base.sa.sa_family == AF_INET ? 32 : 128);
}

static void add_client(
	struct reply *r, const struct ledger_client *c, int64_t now, struct client_names *names)
{
	const struct ledger_figures *f = &c->figures;
	int64_t last = f->sessions > 0 || f->last_seen > now ? 0 : now - f->last_seen;
	char text[NETWORK_TEXT_MAX], user[4 * USERS_NAME_MAX + 1];

	reply_add(r, "client:%s sessions:%zu sent:%llu received:%llu refused:%llu last:%lld",
		network_format(&c->client, text), f->sessions, (unsigned long long)f->sent,
		(unsigned long long)f->received, (unsigned long long)f->refused,
		(long long)last / 1000);
	escape_word(c->user, strlen(c->user), user, sizeof(user));
	reply_add(r, " user:%s", word_or_dash(user));
	if (is_single(&c->client))
		listings_add_name(r, names, &c->client.base);
	reply_add(r, "\n");
}

static bool more_clients(void *state, struct reply *r)
{
	struct clients *c = state;

	for (; c->at < c->count && r->len < REPLY_CHUNK; c->at++)
		add_client(r, &c->clients[c->at], c->now, c->names);
	return c->at < c->count;
}

static void free_clients(void *state)
{
	struct clients *c = state;

	free(c->clients);
	free(c);
}

void listings_clients(struct services *v, struct reply *r)
{
	struct clients *c = calloc(1, sizeof(*c));

	if (c != NULL)
		c->clients = ledger_clients(v->ledger, &c->count);
	if (c == NULL || c->clients == NULL) {
		free(c);
		refuse_for_memory(r);
		return;
	}
	c->names = v->client_names;
	c->now = clock_ms();
	reply_add(r, "OK\n");
	reply_continue(r, more_clients, free_clients, c);
}

/* ---- ACCESS_LOG ---- */

#define ENTRIES_AT_ONCE 16

struct access {
	struct access_log *log;
	struct client_names *names;
	struct access_cursor cursor;
	struct access_entry entries[ENTRIES_AT_ONCE];
	int32_t from, to; /* days; 0: of any */
	int64_t time; /* that `when` tells, and whose day it is: many entries share it */
	char when[32];
	int32_t day;
	bool found; /* at least one entry: the status line is there */
};

/* "192.0.2.1", or "192.0.2.1 (tv)" where that has a name. */
static void add_client_and_name(
	struct reply *r, struct client_names *names, const struct network *client)
{
	char text[NETWORK_TEXT_MAX], name[CLIENT_NAME_TEXT_MAX] = "";

	if (is_single(client))
		client_names_find(names, &client->base, name);
	reply_add(r, "%s%s%s%s", network_format(client, text), *name == '\0' ? "" : " (", name,
		*name == '\0' ? "" : ")");
}

static void add_status(
	struct reply *r, const struct access_cursor *c, struct client_names *names, bool found)
{
	char user[4 * USERS_NAME_MAX + 1];
	const char *what = found ? "Access log" : "No access log entries";

	if (c->by_client) {
		reply_add(r, "OK %s for client ", what);
		add_client_and_name(r, names, &c->client);
		reply_add(r, "%s\n", found ? ":" : "");
	} else if (c->everybody) {
		reply_add(r, "OK %s%s\n", what, found ? " for all users:" : "");
	} else {
		reply_add(r, "OK %s for user %s%s\n", what,
			escape_word(c->user, c->user_len, user, sizeof(user)), found ? ":" : "");
	}
}

static void add_entry(struct reply *r, struct access *a, const struct access_entry *e)
{
	char user[4 * USERS_NAME_MAX + 1], client[ADDR_TEXT_MAX];

	if (a->cursor.everybody || a->cursor.by_client)
		reply_add(r, "%s: ", escape_word(e->user, e->user_len, user, sizeof(user)));
	reply_add(r, "%s [%s] %s", e->target, a->when, e->success ? "SUCCESS" : "FAIL");
	if (!e->success)
		reply_add(r, " %s %s", e->reason, addr_format_host(&e->client, client));
	reply_add(r, "\n");
}

static bool is_of_those_days(struct access *a, const struct access_entry *e)
{
	if (e->time != a->time) {
		format_time(e->time, ' ', a->when);
		a->day = day_of(e->time);
	}
	a->time = e->time;
	return a->from == 0 || (a->day >= a->from && a->day <= a->to);
}

static void add_wanted_entries(struct reply *r, struct access *a, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_of_those_days(a, &a->entries[i]))
			continue;
		if (!a->found)
			add_status(r, &a->cursor, a->names, true);
		a->found = true;
		add_entry(r, a, &a->entries[i]);
	}
}

static bool more_access(void *state, struct reply *r)
{
	struct access *a = state;

	while (a->cursor.next < a->cursor.end && r->len < REPLY_CHUNK) {
		size_t n = access_log_read(a->log, &a->cursor, a->entries, ENTRIES_AT_ONCE);

		add_wanted_entries(r, a, n);
	}
	if (a->cursor.next < a->cursor.end)
		return true;
	if (!a->found)
		add_status(r, &a->cursor, a->names, false);
	return false;
}

void listings_access_log(struct services *v, const struct listings_entries *wanted, struct reply *r)
{
	struct access *a = calloc(1, sizeof(*a));
	const char *user = wanted->user;

	if (a == NULL) {
		refuse_for_memory(r);
		return;
	}
	a->log = v->access_log;
	a->names = v->client_names;
	a->from = wanted->from;
	a->to = wanted->to;
	a->time = -1;
	if (wanted->client != NULL)
		access_log_begin_client(a->log, &a->cursor, wanted->client, wanted->newest);
	else
		access_log_begin(
			a->log, &a->cursor, user, user == NULL ? 0 : strlen(user), wanted->newest);
	reply_continue(r, more_access, free, a);
}

/* ---- TRAFFIC ---- */

void listings_traffic(
	struct services *v, size_t scale, int64_t seconds, int64_t now, struct reply *r)
{
	int64_t step = throughput_scales[scale].step;
	struct throughput_row row;

	reply_add(r, "OK\n");
	for (int64_t back = 0; back * step < seconds; back++) {
		int64_t ago = back * step;

		if (!throughput_read(v->throughput, scale, back, now, &row))
			break;
		reply_add(r, "ago:%lld sent:%llu received:%llu sessions:%llu\n", (long long)ago,
			(unsigned long long)row.sent, (unsigned long long)row.received,
			(unsigned long long)row.sessions);
	}
}
