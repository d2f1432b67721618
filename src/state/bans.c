/*
 * One map from network to ban, which is asked with the prefixes that any ban has, mostly one or
 * two: so a client costs as much at the doors however many are banned, and next to nothing while
 * nobody is. A ban that is over stays in the map for as long as the longest one lasts, so that the
 * next is twice as long.
 */
#include "state/bans_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const cause_words[BAN_CAUSES] = {
#define BAN_CAUSE(name, word) [BAN_BY_##name] = (word),
	BAN_CAUSE_LIST(BAN_CAUSE)
#undef BAN_CAUSE
};

const char *ban_cause_word(enum ban_cause cause)
{
	return cause_words[cause];
}

struct bans_time bans_now(void)
{
	return (struct bans_time){.ms = clock_ms(), .wall = time(NULL)};
}

/* The memory of suspects is touched only when there are some. */
struct bans *bans_new(struct own *own, struct standing *standing)
{
	struct bans *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->own = own;
	b->standing = standing;
	mutex_init(&b->lock);
	b->map = hashmap_new(16);
	if (b->map != NULL)
		return b;
	bans_free(b);
	return NULL;
}

void bans_free(struct bans *b)
{
	if (b == NULL)
		return;
	hashmap_free(b->map, free);
	mutex_destroy(&b->lock);
	free(b);
}

void bans_set_alarm(struct bans *b, void (*ring)(void *context), void *context)
{
	b->ring = ring;
	b->ring_context = context;
}

static void ring(const struct bans *b)
{
	if (b->ring != NULL)
		b->ring(b->ring_context);
}

/* ---- networks as keys ---- */

static bool is_ipv6(const struct addr *a)
{
	return a->sa.sa_family == AF_INET6;
}

/* The network of that prefix around an address; of any link for a `scope` of 0. */
static struct ban_key key_of(const struct addr *a, unsigned prefix, uint32_t scope)
{
	struct ban_key key = {
		.scope = scope, .family = a->sa.sa_family, .prefix = (uint16_t)prefix};
	size_t whole = prefix / 8;

	if (is_ipv6(a))
		memcpy(key.bytes, &a->in6.sin6_addr, sizeof(a->in6.sin6_addr));
	else
		memcpy(key.bytes, &a->in.sin_addr, sizeof(a->in.sin_addr));
	if (whole < sizeof(key.bytes)) {
		key.bytes[whole] &= (uint8_t)(0xff00 >> prefix % 8);
		memset(key.bytes + whole + 1, 0, sizeof(key.bytes) - whole - 1);
	}
	return key;
}

static uint32_t scope_of(const struct addr *a)
{
	return is_ipv6(a) ? a->in6.sin6_scope_id : 0;
}

static struct ban_key key_of_network(const struct network *n)
{
	return key_of(&n->base, n->prefix, scope_of(&n->base));
}

static unsigned prefix_of_host(const struct addr *a)
{
	return is_ipv6(a) ? 128 : 32;
}

struct network bans_whom(const struct bans *b, const struct network *who)
{
	return who->prefix == prefix_of_host(&who->base) ? own_client_of(b->own, &who->base) : *who;
}

/* ---- the map ---- */

static struct ban *get_locked(struct bans *b, const struct ban_key *key) REQUIRES(&b->lock)
{
	return hashmap_get(b->map, key, sizeof(*key));
}

struct ban *bans_get_exactly_locked(struct bans *b, const struct network *who) REQUIRES(&b->lock)
{
	struct ban_key key = key_of_network(who);

	return get_locked(b, &key);
}

static bool is_in_force(const struct ban *ban, int64_t now)
{
	return ban != NULL && ban->holds && now < ban->until;
}

void bans_set_holds_locked(struct bans *b, struct ban *ban, bool holds) REQUIRES(&b->lock)
{
	if (holds && !ban->holds)
		atomic_fetch_add(&b->holding, 1);
	if (!holds && ban->holds)
		atomic_fetch_sub(&b->holding, 1);
	ban->holds = holds;
	b->generation++;
}

static void drop_locked(struct bans *b, struct ban *ban) REQUIRES(&b->lock)
{
	bans_set_holds_locked(b, ban, false);
	b->prefixes[is_ipv6(&ban->client.base)][ban->client.prefix]--;
	hashmap_remove(b->map, &ban->key, sizeof(ban->key));
	free(ban);
}

/* Which of two is to make room: who is banned by command never is, and of the others those whose
 * end is over or next. NULL is nobody. */
static struct ban *more_dispensable(struct ban *best, struct ban *ban)
{
	if (ban->by == BAN_BY_COMMAND)
		return best;
	return best == NULL || ban->until < best->until ? ban : best;
}

/* `dropped` receives who made room, with a family of AF_UNSPEC when nobody had to. False when
 * nobody can. */
static bool make_room_locked(struct bans *b, struct network *dropped) REQUIRES(&b->lock)
{
	struct ban *best = NULL, *ban;
	size_t position = 0;

	dropped->base.sa.sa_family = AF_UNSPEC;
	if (hashmap_count(b->map) < BANS_MOST)
		return true;
	while ((ban = hashmap_next(b->map, &position)) != NULL)
		best = more_dispensable(best, ban);
	if (best == NULL)
		return false;
	*dropped = best->client;
	drop_locked(b, best);
	return true;
}

/* The ban of exactly `client`, which is a new one if there was none. NULL with errno. */
struct ban *bans_take_locked(struct bans *b, const struct network *client, struct network *dropped)
	REQUIRES(&b->lock)
{
	struct ban *ban = bans_get_exactly_locked(b, client);
	void *old;

	dropped->base.sa.sa_family = AF_UNSPEC;
	if (ban != NULL)
		return ban;
	if (!make_room_locked(b, dropped)) {
		errno = ENOSPC;
		return NULL;
	}
	ban = calloc(1, sizeof(*ban));
	if (ban == NULL)
		return NULL;
	ban->client = *client;
	ban->key = key_of_network(client);
	if (hashmap_put(b->map, &ban->key, sizeof(ban->key), ban, &old) < 0) {
		free(ban);
		return NULL;
	}
	b->prefixes[is_ipv6(&client->base)][client->prefix]++;
	return ban;
}

int64_t bans_end_of_memory(const struct ban *ban)
{
	return ban->until == CLOCK_NEVER ? CLOCK_NEVER : ban->until + ban->memory;
}

static struct ban_info info_of(const struct ban *ban, int64_t now)
{
	return (struct ban_info){.client = ban->client,
		.by = ban->by,
		.failures = ban->failures,
		.times = ban->times,
		.memory = ban->memory,
		.refused = ban->refused,
		.begun = ban->begun,
		.since = ban->since,
		.until = ban->until_wall,
		.lasts = ban->lasts,
		.left = ban->until == CLOCK_NEVER ? CLOCK_NEVER
			: ban->until > now        ? ban->until - now
						  : 0};
}

/* It begins now, and lasts for so long. */
static void begin_locked(struct bans *b, struct ban *ban, int64_t lasts, struct bans_time now)
	REQUIRES(&b->lock)
{
	bool ends = lasts != CLOCK_NEVER;

	ban->lasts = lasts;
	ban->begun = now.wall;
	ban->since = now.ms;
	ban->until = ends ? now.ms + lasts : CLOCK_NEVER;
	ban->until_wall = ends ? now.wall + (lasts + 999) / 1000 : INT64_MAX;
	ban->refused = 0;
	bans_set_holds_locked(b, ban, true);
}

/* ---- at the doors ---- */

bool bans_any(const struct bans *b)
{
	return b != NULL && atomic_load_explicit(&b->holding, memory_order_acquire) > 0;
}

static bool holds_for(const struct ban *ban, const struct addr *addr,
	const struct exempt_clients *exempt, int64_t now)
{
	return is_in_force(ban, now) &&
		(ban->by == BAN_BY_COMMAND || exempt == NULL || !exempt_has(exempt, addr));
}

/* A ban of a network with that prefix around the address; on its link, or on any. */
static struct ban *find_of_prefix_locked(struct bans *b, const struct addr *addr, unsigned prefix,
	const struct exempt_clients *exempt, int64_t now) REQUIRES(&b->lock)
{
	const uint32_t scopes[] = {scope_of(addr), 0};

	for (size_t i = 0; i < (scopes[0] == 0 ? 1 : 2); i++) {
		struct ban_key key = key_of(addr, prefix, scopes[i]);
		struct ban *ban = get_locked(b, &key);

		if (holds_for(ban, addr, exempt, now))
			return ban;
	}
	return NULL;
}

/* A ban that holds for all of the network, whose base is asked for its exemption. */
static struct ban *find_locked(struct bans *b, const struct network *who,
	const struct exempt_clients *exempt, int64_t now) REQUIRES(&b->lock)
{
	const size_t *prefixes = b->prefixes[is_ipv6(&who->base)];
	struct ban *ban = NULL;

	for (unsigned p = 0; p <= who->prefix && ban == NULL; p++) {
		if (prefixes[p] > 0)
			ban = find_of_prefix_locked(b, &who->base, p, exempt, now);
	}
	return ban;
}

bool bans_refuse(
	struct bans *b, const struct addr *addr, const struct exempt_clients *exempt, int64_t now)
{
	struct network host = {.base = *addr, .prefix = prefix_of_host(addr)};
	struct ban *ban;

	mutex_lock(&b->lock);
	ban = find_locked(b, &host, exempt, now);
	if (ban != NULL)
		ban->refused++;
	mutex_unlock(&b->lock);
	return ban != NULL;
}

/* ---- after failed logins ---- */

/* How long the next ban lasts, as the `times`-th. */
static int64_t length_of(const struct ban_rule *rule, unsigned times)
{
	int64_t lasts = rule->first;

	for (; times > 1 && lasts < rule->longest; times--)
		lasts *= 2;
	return lasts < rule->longest ? lasts : rule->longest;
}

static bool ban_suspect_locked(struct bans *b, const struct network *client,
	const struct ban_failure *f, struct bans_time now, struct network *dropped,
	struct ban_info *begun) REQUIRES(&b->lock)
{
	struct ban *ban = bans_take_locked(b, client, dropped);

	if (ban == NULL)
		return false;
	if (ban->times > 0 && now.ms >= bans_end_of_memory(ban))
		ban->times = 0;
	ban->by = BAN_BY_FAILURES;
	ban->failures = (unsigned)f->rule->failures;
	ban->times++;
	ban->memory = f->rule->longest;
	begin_locked(b, ban, length_of(f->rule, ban->times), now);
	bans_forget_suspect_locked(b, client);
	*begun = info_of(ban, now.ms);
	return true;
}

bool bans_note_failure(
	struct bans *b, const struct ban_failure *f, struct bans_time now, struct ban_info *begun)
{
	struct network client, dropped = {.base = {.sa = {.sa_family = AF_UNSPEC}}};
	bool has_begun = false;

	if (f->rule->failures == 0 || exempt_has(f->exempt, f->from))
		return false;
	client = own_client_of(b->own, f->from);
	mutex_lock(&b->lock);
	/* Whoever is banned already had connections left from before. */
	if (find_locked(b, &client, NULL, now.ms) == NULL &&
		bans_count_failure_locked(b, &client, f, now.ms) >= (size_t)f->rule->failures)
		has_begun = ban_suspect_locked(b, &client, f, now, &dropped, begun);
	mutex_unlock(&b->lock);
	if (!has_begun)
		return false;
	(void)bans_let_stand(b, &dropped);
	(void)bans_let_stand(b, &client);
	ring(b);
	return true;
}

/* ---- by command ---- */

static bool put_locked(struct bans *b, const struct network *client, int64_t lasts,
	struct bans_time now, struct network *dropped, struct ban_info *begun) REQUIRES(&b->lock)
{
	struct ban *ban = bans_take_locked(b, client, dropped);

	if (ban == NULL)
		return false;
	ban->by = BAN_BY_COMMAND;
	ban->failures = 0;
	ban->memory = 0;
	begin_locked(b, ban, lasts, now);
	*begun = info_of(ban, now.ms);
	return true;
}

int bans_put(struct bans *b, const struct network *who, int64_t lasts, struct bans_time now,
	struct ban_info *begun)
{
	struct network client = bans_whom(b, who), dropped;
	struct ban_info lifted;
	bool is_put;

	mutex_lock(&b->lock);
	is_put = put_locked(b, &client, lasts, now, &dropped, begun);
	mutex_unlock(&b->lock);
	if (is_put && bans_let_stand(b, &client) < 0) {
		(void)bans_lift(b, &client, now, &lifted);
		errno = ENOMEM;
		is_put = false;
	}
	(void)bans_let_stand(b, &dropped);
	ring(b);
	return is_put ? 0 : -1;
}

static struct ban *any_in_force_locked(struct bans *b, int64_t now) REQUIRES(&b->lock)
{
	size_t position = 0;
	struct ban *ban;

	do
		ban = hashmap_next(b->map, &position);
	while (ban != NULL && !is_in_force(ban, now));
	return ban;
}

bool bans_lift(
	struct bans *b, const struct network *who, struct bans_time now, struct ban_info *lifted)
{
	struct network client;
	struct ban *ban;
	bool held;

	mutex_lock(&b->lock);
	ban = who != NULL ? bans_get_exactly_locked(b, who) : any_in_force_locked(b, now.ms);
	held = ban != NULL && ban->holds;
	if (held)
		*lifted = info_of(ban, now.ms);
	client.base.sa.sa_family = AF_UNSPEC;
	if (ban != NULL || who != NULL)
		client = ban != NULL ? ban->client : *who;
	if (ban != NULL)
		drop_locked(b, ban);
	if (client.base.sa.sa_family != AF_UNSPEC)
		bans_forget_suspect_locked(b, &client);
	mutex_unlock(&b->lock);
	(void)bans_let_stand(b, &client);
	return held;
}

/* ---- looking ---- */

bool bans_find(
	struct bans *b, const struct network *who, struct bans_time now, struct ban_info *info)
{
	const struct ban *ban;

	mutex_lock(&b->lock);
	ban = find_locked(b, who, NULL, now.ms);
	if (ban != NULL)
		*info = info_of(ban, now.ms);
	mutex_unlock(&b->lock);
	return ban != NULL;
}

bool bans_find_exactly(
	struct bans *b, const struct network *who, struct bans_time now, struct ban_info *info)
{
	const struct ban *ban;
	bool holds;

	mutex_lock(&b->lock);
	ban = bans_get_exactly_locked(b, who);
	holds = is_in_force(ban, now.ms);
	if (holds)
		*info = info_of(ban, now.ms);
	mutex_unlock(&b->lock);
	return holds;
}

static int by_client(const void *a, const void *b)
{
	const struct ban_info *i = a, *j = b;
	int order = addr_compare(&i->client.base, &j->client.base);

	return order != 0 ? order : (int)i->client.prefix - (int)j->client.prefix;
}

static size_t copy_locked(struct bans *b, struct bans_time now, struct ban_info *infos)
	REQUIRES(&b->lock)
{
	size_t position = 0, n = 0;
	struct ban *ban;

	while ((ban = hashmap_next(b->map, &position)) != NULL) {
		if (is_in_force(ban, now.ms))
			infos[n++] = info_of(ban, now.ms);
	}
	return n;
}

struct ban_info *bans_list(struct bans *b, struct bans_time now, size_t *count)
{
	struct ban_info *infos;

	mutex_lock(&b->lock);
	infos = calloc(hashmap_count(b->map) + 1, sizeof(*infos));
	*count = infos == NULL ? 0 : copy_locked(b, now, infos);
	mutex_unlock(&b->lock);
	if (infos != NULL)
		qsort(infos, *count, sizeof(*infos), by_client);
	return infos;
}

/* ---- ends ---- */

static int64_t next_of(const struct ban *ban)
{
	return ban->holds ? ban->until : bans_end_of_memory(ban);
}

int64_t bans_next_end(struct bans *b)
{
	int64_t next = CLOCK_NEVER;
	size_t position = 0;
	struct ban *ban;

	mutex_lock(&b->lock);
	while ((ban = hashmap_next(b->map, &position)) != NULL)
		next = clock_earlier(next, next_of(ban));
	mutex_unlock(&b->lock);
	return next;
}

static struct ban *find_due_locked(struct bans *b, int64_t now) REQUIRES(&b->lock)
{
	size_t position = 0;
	struct ban *ban;

	do
		ban = hashmap_next(b->map, &position);
	while (ban != NULL && now < next_of(ban));
	return ban;
}

/* One that is due: `*has_ended` tells whether it was in force until now. False when none is. */
static bool take_due(struct bans *b, struct bans_time now, struct ban_info *info, bool *has_ended)
{
	struct ban *ban;

	mutex_lock(&b->lock);
	ban = find_due_locked(b, now.ms);
	if (ban != NULL) {
		*info = info_of(ban, now.ms);
		*has_ended = ban->holds;
		bans_set_holds_locked(b, ban, false);
		if (now.ms >= bans_end_of_memory(ban))
			drop_locked(b, ban);
	}
	mutex_unlock(&b->lock);
	if (ban != NULL)
		(void)bans_let_stand(b, &info->client);
	return ban != NULL;
}

bool bans_take_ended(struct bans *b, struct bans_time now, struct ban_info *ended)
{
	bool has_ended = false;

	while (!has_ended && take_due(b, now, ended, &has_ended))
		;
	return has_ended;
}
