/*
 * One map from network to ban, which is asked with the prefixes that any ban has, mostly one or
 * two: so a client costs as much at the doors however many are banned, and next to nothing while
 * nobody is. A ban that is over stays in the map for as long as the longest one lasts, so that the
 * next is twice as long.
 *
 * Clients whose logins failed are a table of their own: who they are, and for each what it has
 * tried of late, as a keyed hash of name and password with the time. A password is not kept.
 *
 * Each ban is put into `standing` as it is now, outside of the lock. Whoever has put it there looks
 * whether it became another meanwhile, and then puts that: so what stands there in the end is what
 * is in the map, whichever of two threads is late.
 */
#include "state/bans.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/lock.h"
#include "base/parse.h"

/* A network as bytes without gaps, for the map. */
struct ban_key {
	uint8_t bytes[16];
	uint32_t scope;
	uint16_t family;
	uint16_t prefix;
};

struct ban {
	struct ban_key key;
	struct network client;
	enum ban_cause by;
	bool holds; /* it is not over, as far as anybody has noticed */
	unsigned failures;
	unsigned times; /* bans by failures, this one included */
	uint64_t refused;
	int64_t begun, until_wall; /* seconds since 1970 */
	int64_t until; /* CLOCK_NEVER: for good */
	int64_t lasts;
	int64_t memory; /* for how long behind its end it is remembered */
};

struct failed_pair {
	uint64_t pair;
	int64_t when;
};

struct suspect {
	struct network client;
	size_t count; /* of pairs, the oldest first; 0: free */
	int64_t newest;
};

struct bans {
	struct own *own;
	struct standing *standing;
	void (*ring)(void *context);
	void *ring_context;
	_Atomic(size_t) holding; /* bans that hold */

	struct mutex lock; /* the rest */
	struct hashmap *map;
	size_t prefixes[2][129]; /* bans in the map by family (IPv6 is 1) and prefix */
	uint64_t generation; /* another whenever a ban becomes another */
	size_t used; /* suspects behind were never taken */
	struct suspect suspects[BANS_SUSPECTS];
	struct failed_pair pairs[BANS_SUSPECTS][BAN_MOST_FAILURES];
};

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

static struct ban *get_exactly_locked(struct bans *b, const struct network *who) REQUIRES(&b->lock)
{
	struct ban_key key = key_of_network(who);

	return get_locked(b, &key);
}

static bool is_in_force(const struct ban *ban, int64_t now)
{
	return ban != NULL && ban->holds && now < ban->until;
}

static void set_holds_locked(struct bans *b, struct ban *ban, bool holds) REQUIRES(&b->lock)
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
	set_holds_locked(b, ban, false);
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
static struct ban *take_locked(
	struct bans *b, const struct network *client, struct network *dropped) REQUIRES(&b->lock)
{
	struct ban *ban = get_exactly_locked(b, client);
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

/* Until when it is in the map. */
static int64_t end_of_memory(const struct ban *ban)
{
	return ban->until == CLOCK_NEVER ? CLOCK_NEVER : ban->until + ban->memory;
}

static struct ban_info info_of(const struct ban *ban, int64_t now)
{
	return (struct ban_info){.client = ban->client,
		.by = ban->by,
		.failures = ban->failures,
		.refused = ban->refused,
		.begun = ban->begun,
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
	ban->until = ends ? now.ms + lasts : CLOCK_NEVER;
	ban->until_wall = ends ? now.wall + (lasts + 999) / 1000 : INT64_MAX;
	ban->refused = 0;
	set_holds_locked(b, ban, true);
}

/* ---- what stands ---- */

#define VALUE_MAX 192
#define FIELDS 6

/* "failures BEGUN UNTIL LASTS FAILURES TIMES MEMORY", where 0 is an end that never comes. */
static void format_value(const struct ban *ban, char out[VALUE_MAX])
{
	bool ends = ban->until != CLOCK_NEVER;

	snprintf(out, VALUE_MAX, "%s %lld %lld %lld %u %u %lld", ban_cause_word(ban->by),
		(long long)ban->begun, ends ? (long long)ban->until_wall : 0,
		ends ? (long long)ban->lasts : 0, ban->failures, ban->times,
		(long long)ban->memory);
}

/* False when there is none under that name. */
static bool read_value(
	struct bans *b, const struct network *client, char out[VALUE_MAX], uint64_t *generation)
{
	const struct ban *ban;

	mutex_lock(&b->lock);
	ban = get_exactly_locked(b, client);
	if (ban != NULL)
		format_value(ban, out);
	*generation = b->generation;
	mutex_unlock(&b->lock);
	return ban != NULL;
}

static bool is_outdated(struct bans *b, uint64_t generation)
{
	bool outdated;

	mutex_lock(&b->lock);
	outdated = b->generation != generation;
	mutex_unlock(&b->lock);
	return outdated;
}

/* The ban of exactly `client` stands as it is, or does not any more. -1 without memory. */
static int let_stand(struct bans *b, const struct network *client)
{
	char key[NETWORK_TEXT_MAX], value[VALUE_MAX];
	uint64_t generation;
	int result;

	if (b->standing == NULL || client->base.sa.sa_family == AF_UNSPEC)
		return 0;
	network_format(client, key);
	do {
		bool is_there = read_value(b, client, value, &generation);

		result = standing_put(b->standing, STANDING_BAN, key, is_there ? value : NULL);
	} while (is_outdated(b, generation));
	return result;
}

static bool parse_cause(const char *word, size_t len, enum ban_cause *cause)
{
	for (enum ban_cause c = 0; c < BAN_CAUSES; c++) {
		if (strlen(cause_words[c]) == len && memcmp(cause_words[c], word, len) == 0) {
			*cause = c;
			return true;
		}
	}
	return false;
}

/* No time of it is further off than the year 5138. */
#define LAST_SECOND INT64_C(99999999999)

static bool parse_field(const char **text, int64_t most, int64_t *out)
{
	char copy[32];
	const char *word;
	size_t len;

	if (!parse_next_word(text, &word, &len) || len >= sizeof(copy))
		return false;
	snprintf(copy, sizeof(copy), "%.*s", (int)len, word);
	return parse_number(copy, out) && *out <= most;
}

/* By the clock of this run; its end is never further off than it was at the beginning. */
static void set_end(struct ban *ban, struct bans_time now)
{
	int64_t left = (ban->until_wall - now.wall) * 1000;

	if (left > ban->lasts) {
		left = ban->lasts;
		ban->until_wall = now.wall + (left + 999) / 1000;
	}
	ban->until = now.ms + left;
}

static void set_no_end(struct ban *ban)
{
	ban->until_wall = INT64_MAX;
	ban->until = ban->lasts = CLOCK_NEVER;
}

/* What stood under a key. False when it is none, or none that could be. */
static bool parse_value(const char *text, struct bans_time now, struct ban *ban)
{
	static const int64_t most[FIELDS] = {LAST_SECOND, LAST_SECOND, BAN_LONGEST_MS,
		BAN_MOST_FAILURES, UINT32_MAX, BAN_LONGEST_MS};
	int64_t fields[FIELDS];
	const char *word;
	size_t len;

	if (!parse_next_word(&text, &word, &len) || !parse_cause(word, len, &ban->by))
		return false;
	for (size_t i = 0; i < FIELDS; i++) {
		if (!parse_field(&text, most[i], &fields[i]))
			return false;
	}
	ban->begun = fields[0];
	ban->until_wall = fields[1];
	ban->lasts = fields[2];
	ban->failures = (unsigned)fields[3];
	ban->times = (unsigned)fields[4];
	ban->memory = fields[5];
	if (ban->until_wall > 0)
		set_end(ban, now);
	else
		set_no_end(ban);
	return ban->until != CLOCK_NEVER || ban->by == BAN_BY_COMMAND;
}

static void restore_locked(struct bans *b, const struct network *client, const struct ban *was,
	struct bans_time now, struct network *dropped) REQUIRES(&b->lock)
{
	struct ban *ban = take_locked(b, client, dropped);

	if (ban == NULL)
		return;
	ban->by = was->by;
	ban->failures = was->failures;
	ban->times = was->times;
	ban->begun = was->begun;
	ban->until_wall = was->until_wall;
	ban->until = was->until;
	ban->lasts = was->lasts;
	ban->memory = was->memory;
	set_holds_locked(b, ban, now.ms < ban->until);
}

/* It no longer stands as what was read, but as what it came to, if it came to anything. */
static void restore_fact(struct bans *b, const struct standing_fact *fact, struct bans_time now)
{
	struct network client, dropped = {.base = {.sa = {.sa_family = AF_UNSPEC}}};
	struct ban was = {.holds = false};

	if (standing_put(b->standing, STANDING_BAN, fact->key, NULL) < 0 ||
		!network_parse(fact->key, strlen(fact->key), &client) ||
		!parse_value(fact->value, now, &was) || now.ms >= end_of_memory(&was))
		return;
	mutex_lock(&b->lock);
	restore_locked(b, &client, &was, now, &dropped);
	mutex_unlock(&b->lock);
	(void)let_stand(b, &dropped);
	(void)let_stand(b, &client);
}

void bans_restore(struct bans *b, struct bans_time now)
{
	struct standing_fact *facts;
	size_t count = 0;

	facts = b->standing == NULL ? NULL : standing_list(b->standing, STANDING_BAN, &count);
	for (size_t i = 0; facts != NULL && i < count; i++)
		restore_fact(b, &facts[i], now);
	free(facts);
}

/* ---- at the doors ---- */

bool bans_any(const struct bans *b)
{
	return b != NULL && atomic_load_explicit(&b->holding, memory_order_acquire) > 0;
}

static bool holds_for(const struct ban *ban, const struct addr *addr,
	const struct ban_exempt *exempt, int64_t now)
{
	return is_in_force(ban, now) &&
		(ban->by == BAN_BY_COMMAND || exempt == NULL || !ban_exempt_has(exempt, addr));
}

/* A ban of a network with that prefix around the address; on its link, or on any. */
static struct ban *find_of_prefix_locked(struct bans *b, const struct addr *addr, unsigned prefix,
	const struct ban_exempt *exempt, int64_t now) REQUIRES(&b->lock)
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
	const struct ban_exempt *exempt, int64_t now) REQUIRES(&b->lock)
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
	struct bans *b, const struct addr *addr, const struct ban_exempt *exempt, int64_t now)
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

/* ---- failed logins ---- */

static struct suspect *find_suspect_locked(struct bans *b, const struct network *client)
	REQUIRES(&b->lock)
{
	for (size_t i = 0; i < b->used; i++) {
		struct suspect *s = &b->suspects[i];

		if (s->count > 0 && network_equal(&s->client, client))
			return s;
	}
	return NULL;
}

/* A free place, or that of whose last failure is oldest. */
static struct suspect *add_suspect_locked(struct bans *b, const struct network *client)
	REQUIRES(&b->lock)
{
	struct suspect *best = &b->suspects[0];

	for (size_t i = 0; i < b->used && best->count > 0; i++) {
		struct suspect *s = &b->suspects[i];

		if (s->count == 0 || s->newest < best->newest)
			best = s;
	}
	if ((b->used == 0 || best->count > 0) && b->used < BANS_SUSPECTS)
		best = &b->suspects[b->used++];
	*best = (struct suspect){.client = *client};
	return best;
}

static struct failed_pair *pairs_of(struct bans *b, const struct suspect *s)
{
	return b->pairs[s - b->suspects];
}

/* Forgets what is too old, and, of a rule that has become shorter, what is too much. */
static void forget_old_pairs_locked(struct bans *b, struct suspect *s, const struct ban_rule *rule,
	int64_t now) REQUIRES(&b->lock)
{
	struct failed_pair *pairs = pairs_of(b, s);
	size_t old = 0;

	while (old < s->count &&
		(now - pairs[old].when >= rule->within || s->count - old >= (size_t)rule->failures))
		old++;
	s->count -= old;
	memmove(pairs, pairs + old, s->count * sizeof(*pairs));
}

static bool has_pair_locked(struct bans *b, const struct suspect *s, uint64_t pair)
	REQUIRES(&b->lock)
{
	const struct failed_pair *pairs = pairs_of(b, s);

	for (size_t i = 0; i < s->count; i++) {
		if (pairs[i].pair == pair)
			return true;
	}
	return false;
}

/* How many different ones the client has tried within the time of the rule. */
static size_t count_failure_locked(struct bans *b, const struct network *client,
	const struct ban_failure *f, int64_t now) REQUIRES(&b->lock)
{
	struct suspect *s = find_suspect_locked(b, client);

	if (s == NULL)
		s = add_suspect_locked(b, client);
	forget_old_pairs_locked(b, s, f->rule, now);
	if (has_pair_locked(b, s, f->pair))
		return s->count;
	pairs_of(b, s)[s->count++] = (struct failed_pair){.pair = f->pair, .when = now};
	s->newest = now;
	return s->count;
}

static void forget_suspect_locked(struct bans *b, const struct network *client) REQUIRES(&b->lock)
{
	struct suspect *s = find_suspect_locked(b, client);

	if (s == NULL)
		return;
	explicit_bzero(pairs_of(b, s), sizeof(b->pairs[0]));
	*s = (struct suspect){.count = 0};
}

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
	struct ban *ban = take_locked(b, client, dropped);

	if (ban == NULL)
		return false;
	if (ban->times > 0 && now.ms >= end_of_memory(ban))
		ban->times = 0;
	ban->by = BAN_BY_FAILURES;
	ban->failures = (unsigned)f->rule->failures;
	ban->times++;
	ban->memory = f->rule->longest;
	begin_locked(b, ban, length_of(f->rule, ban->times), now);
	forget_suspect_locked(b, client);
	*begun = info_of(ban, now.ms);
	return true;
}

bool bans_note_failure(
	struct bans *b, const struct ban_failure *f, struct bans_time now, struct ban_info *begun)
{
	struct network client, dropped = {.base = {.sa = {.sa_family = AF_UNSPEC}}};
	bool has_begun = false;

	if (f->rule->failures == 0 || ban_exempt_has(f->exempt, f->from))
		return false;
	client = own_client_of(b->own, f->from);
	mutex_lock(&b->lock);
	/* Whoever is banned already had connections left from before. */
	if (find_locked(b, &client, NULL, now.ms) == NULL &&
		count_failure_locked(b, &client, f, now.ms) >= (size_t)f->rule->failures)
		has_begun = ban_suspect_locked(b, &client, f, now, &dropped, begun);
	mutex_unlock(&b->lock);
	if (!has_begun)
		return false;
	(void)let_stand(b, &dropped);
	(void)let_stand(b, &client);
	ring(b);
	return true;
}

/* ---- by command ---- */

static bool put_locked(struct bans *b, const struct network *client, int64_t lasts,
	struct bans_time now, struct network *dropped, struct ban_info *begun) REQUIRES(&b->lock)
{
	struct ban *ban = take_locked(b, client, dropped);

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
	if (is_put && let_stand(b, &client) < 0) {
		(void)bans_lift(b, &client, now, &lifted);
		errno = ENOMEM;
		is_put = false;
	}
	(void)let_stand(b, &dropped);
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
	ban = who != NULL ? get_exactly_locked(b, who) : any_in_force_locked(b, now.ms);
	held = ban != NULL && ban->holds;
	if (held)
		*lifted = info_of(ban, now.ms);
	client.base.sa.sa_family = AF_UNSPEC;
	if (ban != NULL || who != NULL)
		client = ban != NULL ? ban->client : *who;
	if (ban != NULL)
		drop_locked(b, ban);
	if (client.base.sa.sa_family != AF_UNSPEC)
		forget_suspect_locked(b, &client);
	mutex_unlock(&b->lock);
	(void)let_stand(b, &client);
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
	return ban->holds ? ban->until : end_of_memory(ban);
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
		set_holds_locked(b, ban, false);
		if (now.ms >= end_of_memory(ban))
			drop_locked(b, ban);
	}
	mutex_unlock(&b->lock);
	if (ban != NULL)
		(void)let_stand(b, &info->client);
	return ban != NULL;
}

bool bans_take_ended(struct bans *b, struct bans_time now, struct ban_info *ended)
{
	bool has_ended = false;

	while (!has_ended && take_due(b, now, ended, &has_ended))
		;
	return has_ended;
}
