/*
 * An entry's figures fill a cache line of their own: relays of many workers add to it with each
 * read and write, and should disturb nobody else. They take no lock; the locks are for finding an
 * entry, once a session, and shared as long as the client is known already.
 *
 * A client's entry stays in the table when its last session ends, which costs no lock: it only
 * notes the time. So nobody keeps the idle ones in order. Instead they are in a heap by the time at
 * which each was found to be idle last, which may be old news; what comes to its root is looked at
 * again, and sinks when it has been seen since. What is still at the root then is the one that has
 * been idle for longest, exactly. A session causes at most one such step, so a stream of new
 * addresses costs a few steps each. One that comes while there are too many has two go, so that
 * what sessions of many clients at once have left behind becomes less again.
 *
 * The table is a holder of what is in it, and so is who works with an entry outside of the locks:
 * that keeps nobody from making room, and who is the last to let go frees it.
 *
 * Whether the house is shared follows from when the second of all clients was seen, for which they
 * are all looked at. What is found then holds for up to an hour, since clients are only seen later,
 * never earlier; that there is no second one is believed for a second.
 *
 * A user's entry is held by the user and by each session. The last of them to let go frees it,
 * since a session may outlive its user; of two that have the same name the older one has retired.
 */
#include "state/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/lock.h"
#include "state/ledger_limits.h"
#include "state/ledger_parts.h"

#define NOTE_AGAIN_MS 1000 /* who has logged in, where users take turns */
#define LOOK_AGAIN_MS 1000 /* for a second client */

/* ---- making ---- */

/* Zeroed, and no cache line is shared with anything else. */
static void *allocate_lines(size_t size)
{
	size_t lines = (size + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;
	void *memory = aligned_alloc(CACHE_LINE, lines);

	return memory == NULL ? NULL : memset(memory, 0, lines);
}

struct ledger *ledger_new(size_t idle_clients, struct own *own)
{
	struct ledger *l = allocate_lines(sizeof(*l));

	if (l == NULL)
		return NULL;
	l->clients = hashmap_new(0);
	l->throttles = throttles_new();
	if (l->clients == NULL || l->throttles == NULL) {
		hashmap_free(l->clients, NULL);
		throttles_free(l->throttles);
		free(l);
		return NULL;
	}
	rwlock_init(&l->clients_lock);
	mutex_init(&l->users_lock);
	l->idle_most = (int64_t)idle_clients;
	l->own = own;
	return l;
}

static void free_client(void *memory)
{
	struct ledger_entry *client = memory;

	if (client == NULL)
		return;
	allowance_destroy(&client->allowance);
	throttle_release(GET(&client->throttle));
	free(client->user);
	free(client);
}

void ledger_let_go_of_client(struct ledger_entry *client)
{
	if (atomic_fetch_sub(&client->holders, 1) == 1)
		free_client(client);
}

void ledger_free(struct ledger *l)
{
	if (l == NULL)
		return;
	hashmap_free(l->clients, free_client);
	throttles_free(l->throttles);
	free(l->heap);
	rwlock_destroy(&l->clients_lock);
	mutex_destroy(&l->users_lock);
	free(l);
}

/* ---- history ---- */

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

struct network ledger_network_of(const struct client_key *key)
{
	struct network n = {.prefix = key->prefix};

	if (key->family == AF_INET) {
		n.base = addr_from_ipv4(key->address, 0);
		return n;
	}
	n.base = addr_from_ipv6(key->address, 0);
	n.base.in6.sin6_scope_id = key->scope;
	return n;
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
static void bequeath(const struct ledger *l, const struct ledger_entry *e)
{
	struct ledger_share share;

	if (l->heir == NULL)
		return;
	share = share_of(e);
	if (!is_nothing(&share.counts))
		l->heir(l->heir_context, &share);
}

/* ---- clients: who is one ---- */

struct client_key ledger_key_of(const struct network *client)
{
	struct client_key key = {
		.family = client->base.sa.sa_family, .prefix = (uint16_t)client->prefix};

	if (key.family == AF_INET) {
		memcpy(key.address, &client->base.in.sin_addr, sizeof(client->base.in.sin_addr));
		return key;
	}
	memcpy(key.address, &client->base.in6.sin6_addr, sizeof(key.address));
	key.scope = client->base.in6.sin6_scope_id;
	return key;
}

static struct client_key key_of(const struct ledger *l, const struct addr *a)
{
	struct network client = own_client_of(l->own, a);

	return ledger_key_of(&client);
}

/* ---- clients: the heap, with the smallest rank at its root ---- */

static void swap_places(struct ledger_entry **a, struct ledger_entry **b)
{
	struct ledger_entry *kept = *a;

	*a = *b;
	*b = kept;
}

static void rise_locked(struct ledger *l, size_t i) REQUIRES(&l->clients_lock)
{
	for (size_t parent; i > 0 && l->heap[i]->rank < l->heap[parent = (i - 1) / 2]->rank;
		i = parent)
		swap_places(&l->heap[i], &l->heap[parent]);
}

/* From the root, with `count` in the heap. */
static void sink_root_locked(struct ledger *l, size_t count) REQUIRES(&l->clients_lock)
{
	for (size_t i = 0, child; (child = 2 * i + 1) < count; i = child) {
		if (child + 1 < count && l->heap[child + 1]->rank < l->heap[child]->rank)
			child++;
		if (l->heap[i]->rank <= l->heap[child]->rank)
			break;
		swap_places(&l->heap[i], &l->heap[child]);
	}
}

/* Where the entry belongs by what is known now. Whoever has a session comes behind all idle ones,
 * until it is his turn to be looked at again. */
static int64_t rank_now(const struct ledger_entry *e, int64_t now)
{
	/* Before `last_seen`, which is written before the session is gone. */
	if (atomic_load(&e->sessions) == 0)
		return GET(&e->last_seen);
	return (now > e->rank ? now : e->rank) + 1;
}

/* Has the client at the root that has been idle for longest; false when all have sessions. */
static bool find_idle_locked(struct ledger *l, int64_t now) REQUIRES(&l->clients_lock)
{
	size_t count = hashmap_count(l->clients);

	for (size_t looked = 0; looked < 2 * count; looked++) {
		struct ledger_entry *root = l->heap[0];
		int64_t rank = rank_now(root, now);

		if (rank == root->rank)
			return true;
		root->rank = rank;
		sink_root_locked(l, count);
	}
	return false;
}

static void evict_root_locked(struct ledger *l) REQUIRES(&l->clients_lock)
{
	struct ledger_entry *root = l->heap[0];
	size_t count;

	atomic_fetch_sub(&l->idle, 1);
	(void)hashmap_remove(l->clients, &root->key, sizeof(root->key));
	count = hashmap_count(l->clients);
	l->heap[0] = l->heap[count];
	sink_root_locked(l, count);
}

#define GO_AT_ONCE 2

/* Has those go that are one too many, up to as many as `gone` has room for; how many. */
static size_t evict_idle_locked(struct ledger *l, struct ledger_entry *gone[GO_AT_ONCE],
	int64_t now) REQUIRES(&l->clients_lock)
{
	size_t count = 0;

	while (count < GO_AT_ONCE && atomic_load(&l->idle) >= l->idle_most &&
		find_idle_locked(l, now)) {
		gone[count++] = l->heap[0];
		evict_root_locked(l);
	}
	return count;
}

static int make_room_locked(struct ledger *l) REQUIRES(&l->clients_lock)
{
	size_t size = l->heap_size == 0 ? 16 : 2 * l->heap_size;
	struct ledger_entry **bigger;

	if (hashmap_reserve(l->clients, 1) < 0)
		return -1;
	if (hashmap_count(l->clients) < l->heap_size)
		return 0;
	bigger = calloc(size, sizeof(struct ledger_entry *));
	if (bigger == NULL)
		return -1;
	if (l->heap != NULL)
		memcpy(bigger, l->heap, l->heap_size * sizeof(struct ledger_entry *));
	free(l->heap);
	l->heap = bigger;
	l->heap_size = size;
	return 0;
}

/* There is room. */
static void put_client_locked(struct ledger *l, struct ledger_entry *client)
	REQUIRES(&l->clients_lock)
{
	size_t count = hashmap_count(l->clients);
	void *old = NULL;
	int result = hashmap_put(l->clients, &client->key, sizeof(client->key), client, &old);

	assert(result == 0 && old == NULL);
	l->heap[count] = client;
	rise_locked(l, count);
}

/* ---- clients: sessions ---- */

static struct ledger_entry *new_client(struct ledger *l, const struct client_key *key, int64_t now)
{
	struct ledger_entry *e = allocate_lines(sizeof(*e));

	if (e == NULL)
		return NULL;
	e->ledger = l;
	e->key = *key;
	e->rank = now;
	atomic_init(&e->holders, 1);
	allowance_init(&e->allowance, &e->tally);
	ledger_limit_client(e);
	return e;
}

/* Whoever knows the entry holds the lock, shared at least. Returns how many there are then. */
static size_t begin_session(struct ledger_entry *e, int64_t now)
{
	size_t running = atomic_fetch_add(&e->sessions, 1) + 1;

	atomic_fetch_add_explicit(&e->total, 1, memory_order_relaxed);
	lifetimes_begin(&e->lifetimes, now);
	SET(&e->last_seen, now);
	return running;
}

static struct ledger_entry *join_known_locked(struct ledger *l, const struct client_key *key,
	int64_t now, size_t *running) REQUIRES_SHARED(&l->clients_lock)
{
	struct ledger_entry *e = hashmap_get(l->clients, key, sizeof(*key));

	*running = e == NULL ? 0 : begin_session(e, now);
	if (*running == 1)
		atomic_fetch_sub(&l->idle, 1);
	return e;
}

/* Takes leave of one that has made room. */
static void let_client_go(struct ledger *l, struct ledger_entry *gone)
{
	ledger_keep_quota(gone);
	bequeath(l, gone);
	ledger_let_go_of_client(gone);
}

/* Nobody knew the client a moment ago; meanwhile another worker may have put him in. */
static struct ledger_entry *join_new(
	struct ledger *l, const struct client_key *key, int64_t now, size_t *running)
{
	struct ledger_entry *fresh = new_client(l, key, now), *e, *gone[GO_AT_ONCE];
	size_t gone_count = 0;

	rwlock_write(&l->clients_lock);
	e = join_known_locked(l, key, now, running);
	if (e == NULL && fresh != NULL && make_room_locked(l) == 0) {
		*running = begin_session(fresh, now);
		e = fresh;
		gone_count = evict_idle_locked(l, gone, now);
		put_client_locked(l, fresh);
	}
	rwlock_write_unlock(&l->clients_lock);
	for (size_t i = 0; i < gone_count; i++)
		let_client_go(l, gone[i]);
	if (e != fresh)
		free_client(fresh);
	else if (e != NULL)
		ledger_follow_up(e);
	return e;
}

struct ledger_entry *ledger_join_client(
	struct ledger *l, const struct addr *client, int64_t now, size_t *running)
{
	struct client_key key = key_of(l, client);
	struct ledger_entry *e;

	rwlock_read(&l->clients_lock);
	e = join_known_locked(l, &key, now, running);
	rwlock_read_unlock(&l->clients_lock);
	return e != NULL ? e : join_new(l, &key, now, running);
}

/* From the moment that he has no session the client may be gone. */
static void leave_client(struct ledger_entry *client, int64_t now)
{
	struct ledger *l = client->ledger;

	SET(&client->last_seen, now);
	lifetimes_end(&client->lifetimes, now);
	if (atomic_fetch_sub(&client->sessions, 1) == 1)
		atomic_fetch_add(&l->idle, 1);
}

void ledger_count_refusal(struct ledger_entry *entry)
{
	if (entry != NULL)
		atomic_fetch_add_explicit(&entry->refused, 1, memory_order_relaxed);
}

struct tally *ledger_join_known(struct ledger_entry *client, int64_t now)
{
	if (client == NULL || client->ledger->heir == NULL)
		return NULL;
	atomic_fetch_add_explicit(&client->known_total, 1, memory_order_relaxed);
	lifetimes_begin(&client->known_lifetimes, now);
	return &client->known;
}

void ledger_leave_known(struct ledger_entry *client, int64_t now)
{
	if (client != NULL && client->ledger->heir != NULL)
		lifetimes_end(&client->known_lifetimes, now);
}

void ledger_turn_away(struct ledger_entry *client, int64_t now)
{
	atomic_fetch_sub_explicit(&client->total, 1, memory_order_relaxed);
	ledger_count_refusal(client);
	leave_client(client, now);
}

/* ---- clients: how many there are ---- */

/* When the second of all clients was seen, by the time at which each was seen last; no
 * earlier than `since`. */
static int64_t second_seen_locked(const struct ledger *l, int64_t since, int64_t now)
	REQUIRES_SHARED(&l->clients_lock)
{
	int64_t first = since, second = since;

	for (size_t i = 0, count = hashmap_count(l->clients); i < count && second < now; i++) {
		const struct ledger_entry *e = l->heap[i];
		int64_t seen = atomic_load(&e->sessions) > 0 ? now : GET(&e->last_seen);

		if (seen > first) {
			second = first;
			first = seen;
		} else if (seen > second) {
			second = seen;
		}
	}
	return second;
}

bool ledger_is_shared(struct ledger *l, int64_t now)
{
	int64_t second;

	if (now < GET(&l->shared_until))
		return true;
	if (now < GET(&l->alone_until))
		return false;
	rwlock_read(&l->clients_lock);
	second = second_seen_locked(l, now - LEDGER_SHARED_MS, now);
	rwlock_read_unlock(&l->clients_lock);
	if (second > now - LEDGER_SHARED_MS)
		SET(&l->shared_until, second + LEDGER_SHARED_MS);
	else
		SET(&l->alone_until, now + LOOK_AGAIN_MS);
	return second > now - LEDGER_SHARED_MS;
}

/* ---- users ---- */

struct ledger_entry *ledger_add_user(struct ledger *l, const char *name, size_t len)
{
	struct ledger_entry *user = allocate_lines(sizeof(*user) + len + 1);

	if (user == NULL)
		return NULL;
	user->ledger = l;
	user->is_user = true;
	atomic_init(&user->holders, 1);
	allowance_init(&user->allowance, &user->tally);
	user->name_len = len;
	memcpy(user->name, name, len);
	mutex_init(&user->groups_lock);
	mutex_lock(&l->users_lock);
	user->serial = ++l->serials;
	user->next = l->users;
	if (l->users != NULL)
		l->users->previous = user;
	l->users = user;
	mutex_unlock(&l->users_lock);
	return user;
}

static void unlink_locked(struct ledger *l, struct ledger_entry *user) REQUIRES(&l->users_lock)
{
	if (user->next != NULL)
		user->next->previous = user->previous;
	if (user->previous != NULL)
		user->previous->next = user->next;
	else
		l->users = user->next;
}

/* Under the lock nobody who walks the list meets an entry that is being freed. */
void ledger_let_go_of_user(struct ledger_entry *user)
{
	struct ledger *l = user->ledger;

	if (atomic_fetch_sub(&user->holders, 1) > 1)
		return;
	mutex_lock(&l->users_lock);
	unlink_locked(l, user);
	mutex_unlock(&l->users_lock);
	bequeath(l, user);
	mutex_destroy(&user->groups_lock);
	free(user->groups);
	allowance_destroy(&user->allowance);
	throttle_release(GET(&user->throttle));
	free(user);
}

void ledger_retire_user(struct ledger_entry *user)
{
	atomic_store(&user->has_retired, true);
	ledger_let_go_of_user(user);
}

uint64_t ledger_serial(const struct ledger_entry *user)
{
	return user->serial;
}

uint64_t ledger_last_serial(struct ledger *l)
{
	uint64_t last;

	mutex_lock(&l->users_lock);
	last = l->serials;
	mutex_unlock(&l->users_lock);
	return last;
}

bool ledger_has_retired(const struct ledger_entry *user)
{
	return atomic_load(&user->has_retired);
}

void ledger_join_user(struct ledger_entry *user)
{
	atomic_fetch_add(&user->holders, 1);
	atomic_fetch_add(&user->sessions, 1);
	atomic_fetch_add_explicit(&user->total, 1, memory_order_relaxed);
	lifetimes_begin(&user->lifetimes, clock_ms());
	SET(&user->last_login, (int64_t)time(NULL));
}

/* Users who share an address may take turns with each session: then the lock of the table
 * is not taken for each of them. */
void ledger_note_user(struct ledger_entry *client, const struct ledger_entry *user, int64_t now)
{
	char *name, *old;

	if (client == NULL || GET(&client->user_serial) == user->serial ||
		(GET(&client->user_serial) != 0 && now - GET(&client->user_noted) < NOTE_AGAIN_MS))
		return;
	name = strdup(user->name);
	if (name == NULL)
		return;
	rwlock_write(&client->ledger->clients_lock);
	old = client->user;
	client->user = name;
	rwlock_write_unlock(&client->ledger->clients_lock);
	SET(&client->user_serial, user->serial);
	SET(&client->user_noted, now);
	free(old);
}

static void leave_user(struct ledger_entry *user, int64_t now)
{
	lifetimes_end(&user->lifetimes, now);
	atomic_fetch_sub(&user->sessions, 1);
	ledger_let_go_of_user(user);
}

/* ---- both ---- */

struct tally *ledger_tally(struct ledger_entry *entry)
{
	return entry == NULL ? NULL : &entry->tally;
}

void ledger_leave(struct ledger_entry *entry, int64_t now)
{
	if (entry == NULL)
		return;
	if (entry->is_user)
		leave_user(entry, now);
	else
		leave_client(entry, now);
}

/* ---- rates ---- */

static bool needs_throttle(const struct ledger_entry *e)
{
	uint64_t rates = 0;

	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++)
		rates |= GET(&e->rates.rate[d]) | GET(&e->rates.of_anonymous[d]);
	return rates != 0 || throttles_are_common(e->ledger->throttles);
}

static struct throttle *make_throttle(struct ledger_entry *e)
{
	struct throttle *fresh = throttle_new(e->ledger->throttles), *there = NULL;

	if (fresh == NULL)
		return NULL;
	if (!atomic_compare_exchange_strong(&e->throttle, &there, fresh)) {
		throttle_release(fresh);
		return there;
	}
	throttle_follow(fresh, &e->rates, clock_ms());
	return fresh;
}

struct throttle *ledger_throttle(struct ledger_entry *entry)
{
	struct throttle *t = atomic_load_explicit(&entry->throttle, memory_order_acquire);

	return t != NULL || !needs_throttle(entry) ? t : make_throttle(entry);
}

struct throttles *ledger_throttles(struct ledger *l)
{
	return l->throttles;
}

struct ledger_figures ledger_read(const struct ledger_entry *entry)
{
	/* The sessions first: what is written before one ends is seen with its end. */
	struct ledger_figures f = {.sessions = atomic_load(&entry->sessions)};

	f.total = GET(&entry->total);
	f.sent = GET(&entry->tally.sent);
	f.received = GET(&entry->tally.received);
	f.refused = GET(&entry->refused);
	f.last_login = GET(&entry->last_login);
	f.last_seen = GET(&entry->last_seen);
	return f;
}

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
