/*
 * Sessions leave what they have to tell in a batch, which whoever keeps it comes for every few
 * seconds. What runs is asked then: the ledger has the accounts, and the visits are here, in a
 * list. So whatever happens, what is lost is what came since.
 *
 * A batch has a bound, and clients cannot choose what it costs: what would be one row too many is
 * counted for `(other)`.
 *
 * A user's name may be another user's tomorrow. So users have serials, and where a name's history
 * ends that says up to which serial.
 */
#include "state/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/lock.h"

/* ---- batches ---- */

struct entry {
	struct history_row row; /* its texts are in `key` */
	size_t key_len;
	char key[]; /* all that tells rows apart: the numbers, name and site with their NULs */
};

struct history_batch {
	struct hashmap *rows;
};

#define KEY_NUMBERS (1 + sizeof(uint64_t) + sizeof(int32_t))
#define KEY_MAX (KEY_NUMBERS + HISTORY_NAME_MAX + HISTORY_NAME_MAX)

struct history_batch *history_batch_new(void)
{
	struct history_batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->rows = hashmap_new(0);
	if (b->rows != NULL)
		return b;
	free(b);
	return NULL;
}

void history_batch_free(struct history_batch *b)
{
	if (b == NULL)
		return;
	hashmap_free(b->rows, free);
	free(b);
}

/* Without memory for an empty map the rows stay, with nothing to tell. */
void history_batch_clear(struct history_batch *b)
{
	struct hashmap *fresh = hashmap_new(0);
	struct entry *e;
	size_t position = 0;

	if (fresh != NULL) {
		hashmap_free(b->rows, free);
		b->rows = fresh;
		return;
	}
	while ((e = hashmap_next(b->rows, &position)) != NULL)
		e->row.counts = (struct ledger_counts){{0}};
}

size_t history_batch_count(const struct history_batch *b)
{
	return hashmap_count(b->rows);
}

const struct history_row *history_batch_next(const struct history_batch *b, size_t *position)
{
	const struct entry *e = hashmap_next(b->rows, position);

	return e == NULL ? NULL : &e->row;
}

/* At most HISTORY_NAME_MAX, the NUL included. */
static char *put_text(char *to, const char *text)
{
	size_t len = strnlen(text, HISTORY_NAME_MAX - 1);

	memcpy(to, text, len);
	to[len] = '\0';
	return to + len + 1;
}

static size_t make_key(const struct history_row *row, char key[KEY_MAX])
{
	char *end = key;

	*end++ = row->is_user ? 1 : 0;
	end = mempcpy(end, &row->serial, sizeof(row->serial));
	end = mempcpy(end, &row->day, sizeof(row->day));
	end = put_text(end, row->name);
	return (size_t)(put_text(end, row->site) - key);
}

static struct entry *make_entry(const struct history_row *row, const char *key, size_t len)
{
	struct entry *e = malloc(sizeof(*e) + len);

	if (e == NULL)
		return NULL;
	e->row = *row;
	e->key_len = len;
	memcpy(e->key, key, len);
	e->row.name = e->key + KEY_NUMBERS;
	e->row.site = e->row.name + strlen(e->row.name) + 1;
	return e;
}

static void add_counts(struct ledger_counts *to, const struct ledger_counts *from)
{
	for (size_t i = 0; i < LEDGER_COUNTS; i++)
		to->of[i] += from->of[i];
}

/* False when it is not there, nor to be made. */
static bool add_row(struct history_batch *b, const struct history_row *row, size_t most)
{
	char key[KEY_MAX];
	size_t len = make_key(row, key);
	struct entry *e = hashmap_get(b->rows, key, len);
	void *old;

	if (e != NULL) {
		add_counts(&e->row.counts, &row->counts);
		return true;
	}
	if (history_batch_count(b) >= most)
		return false;
	e = make_entry(row, key, len);
	if (e != NULL && hashmap_put(b->rows, e->key, e->key_len, e, &old) == 0)
		return true;
	free(e);
	return false;
}

/* Where a row has no place its account may still have one for all its sites, and if not, all
 * clients have one together, for which there is room beyond the bound. */
void history_batch_add(struct history_batch *b, const struct history_row *row)
{
	struct history_row other = *row;

	if (add_row(b, row, HISTORY_ROWS))
		return;
	if (*row->site != '\0') {
		other.site = HISTORY_OTHER;
		if (add_row(b, &other, HISTORY_ROWS))
			return;
	}
	other.is_user = false;
	other.serial = 0;
	other.name = HISTORY_OTHER;
	(void)add_row(b, &other, HISTORY_ROWS + HISTORY_ROWS / 10);
}

/* ---- what is shared ---- */

struct history_visit {
	struct history_visit *next, *previous;
	const struct traffic *traffic;
	int64_t begun; /* clock_ms() */
	struct ledger_counts told;
	uint64_t serial;
	char client[NETWORK_TEXT_MAX];
	char user[HISTORY_NAME_MAX]; /* "": no login */
	char site[HISTORY_NAME_MAX];
};

struct history {
	void (*call)(void *context);
	void *context;

	struct mutex lock; /* the rest */
	struct history_batch *batch; /* days are 0 */
	struct history_visit *visits;
	struct history_end *ends, **ends_tail;
};

struct history *history_new(void (*call)(void *context), void *context)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	mutex_init(&h->lock);
	h->call = call;
	h->context = context;
	h->ends_tail = &h->ends;
	h->batch = history_batch_new();
	if (h->batch != NULL)
		return h;
	history_free(h);
	return NULL;
}

void history_free(struct history *h)
{
	struct history_end *next;

	if (h == NULL)
		return;
	for (struct history_end *e = h->ends; e != NULL; e = next) {
		next = e->next;
		free(e);
	}
	history_batch_free(h->batch);
	mutex_destroy(&h->lock);
	free(h);
}

void history_inherit(void *history, const struct ledger_share *share)
{
	struct history *h = history;
	char client[NETWORK_TEXT_MAX];
	struct history_row row = {.is_user = share->is_user,
		.serial = share->serial,
		.name = share->name,
		.site = "",
		.counts = share->counts};

	if (h == NULL)
		return;
	if (!share->is_user)
		row.name = network_format(&share->client, client);
	mutex_lock(&h->lock);
	history_batch_add(h->batch, &row);
	mutex_unlock(&h->lock);
	h->call(h->context);
}

void history_end_user(struct history *h, const char *name, uint64_t last)
{
	struct history_end *e = h == NULL ? NULL : malloc(sizeof(*e) + strlen(name) + 1);

	if (e == NULL)
		return;
	e->next = NULL;
	e->last = last;
	strcpy(e->name, name);
	mutex_lock(&h->lock);
	*h->ends_tail = e;
	h->ends_tail = &e->next;
	mutex_unlock(&h->lock);
	h->call(h->context);
}

/* ---- visits ---- */

/* What it counts so far, with its being one. */
static struct ledger_counts count_visit(const struct history_visit *v, int64_t now)
{
	struct traffic_figures f = traffic_read(v->traffic, now);

	return (struct ledger_counts){{[LEDGER_SESSIONS] = 1,
		[LEDGER_SENT] = (int64_t)f.sent,
		[LEDGER_RECEIVED] = (int64_t)f.received,
		[LEDGER_MS] = now > v->begun ? now - v->begun : 0}};
}

/* For the client's account, and for the user's. */
static void add_visit_locked(struct history *h, const struct history_visit *v,
	const struct ledger_counts *counts) REQUIRES(&h->lock)
{
	struct history_row row = {.name = v->client, .site = v->site, .counts = *counts};

	history_batch_add(h->batch, &row);
	if (*v->user == '\0')
		return;
	row.is_user = true;
	row.serial = v->serial;
	row.name = v->user;
	history_batch_add(h->batch, &row);
}

static void tell_visit_locked(struct history *h, struct history_visit *v, bool was_refused,
	int64_t now) REQUIRES(&h->lock)
{
	struct ledger_counts all = count_visit(v, now), news = all;

	for (size_t i = 0; i < LEDGER_COUNTS; i++)
		news.of[i] -= v->told.of[i];
	v->told = all;
	news.of[LEDGER_REFUSED] = was_refused ? 1 : 0;
	add_visit_locked(h, v, &news);
}

struct history_visit *history_visit_begin(struct history *h, const struct history_visitor *who,
	const char *site, const struct traffic *traffic)
{
	struct history_visit *v = h == NULL ? NULL : calloc(1, sizeof(*v));

	if (v == NULL)
		return NULL;
	v->traffic = traffic;
	v->begun = clock_ms();
	v->serial = who->serial;
	network_format(&who->client, v->client);
	if (who->user_len > 0 && who->user_len < sizeof(v->user))
		memcpy(v->user, who->user, who->user_len);
	put_text(v->site, site);
	mutex_lock(&h->lock);
	v->next = h->visits;
	if (h->visits != NULL)
		h->visits->previous = v;
	h->visits = v;
	mutex_unlock(&h->lock);
	h->call(h->context);
	return v;
}

void history_visit_end(struct history *h, struct history_visit *v, bool was_refused)
{
	int64_t now = clock_ms();

	if (v == NULL)
		return;
	mutex_lock(&h->lock);
	tell_visit_locked(h, v, was_refused, now);
	if (v->next != NULL)
		v->next->previous = v->previous;
	if (v->previous != NULL)
		v->previous->next = v->next;
	else
		h->visits = v->next;
	mutex_unlock(&h->lock);
	free(v);
	h->call(h->context);
}

/* ---- taking ---- */

static void tell_visits_locked(struct history *h) REQUIRES(&h->lock)
{
	int64_t now = clock_ms();

	for (struct history_visit *v = h->visits; v != NULL; v = v->next)
		tell_visit_locked(h, v, false, now);
}

static void add_dated(struct history_batch *to, const struct history_batch *from, int32_t day)
{
	const struct history_row *row;
	size_t position = 0;

	while ((row = history_batch_next(from, &position)) != NULL) {
		struct history_row dated = *row;

		dated.day = day;
		history_batch_add(to, &dated);
	}
}

/* Sessions go on with an empty batch; without memory for one they are taken the next time. */
void history_take(
	struct history *h, int32_t day, struct history_batch *batch, struct history_end **ends)
{
	struct history_batch *fresh = h == NULL ? NULL : history_batch_new(), *full;

	if (fresh == NULL)
		return;
	while (*ends != NULL)
		ends = &(*ends)->next;
	mutex_lock(&h->lock);
	tell_visits_locked(h);
	full = h->batch;
	h->batch = fresh;
	*ends = h->ends;
	h->ends = NULL;
	h->ends_tail = &h->ends;
	mutex_unlock(&h->lock);
	add_dated(batch, full, day);
	history_batch_free(full);
}
