/*
 * A set-associative table: a keyed hash (SipHash, so that clients cannot choose names that collide)
 * picks a set of WAYS places, and only these are searched. The bound on memory and on time is the
 * table's shape; there is no list to keep in order, so that readers share the lock. The turn of a
 * record's addresses is an atomic of its own for the same reason.
 */
#include "net/dnscache.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/lock.h"

#define WAYS 8

struct record {
	int64_t expires;
	_Atomic(uint32_t) turn; /* counts up with those who find it */
	enum lookup_family family;
	enum lookup_state state;
	size_t count;
	size_t name_len;
	struct addr addrs[]; /* `count` of them, then the name */
};

struct dnscache {
	struct rwlock lock;
	size_t sets;
	struct record **places; /* sets * WAYS */
	unsigned char key[crypto_shorthash_KEYBYTES];
	_Atomic(size_t) count; /* of the places that are taken; written with the lock held */
	_Atomic(uint64_t) hits;
	_Atomic(uint64_t) misses;
};

static char *record_name(struct record *r)
{
	return (char *)(r->addrs + r->count);
}

static int allocate_places(size_t records, size_t *sets, struct record ***places)
{
	*sets = (records + WAYS - 1) / WAYS;
	*places = NULL;
	if (*sets == 0)
		return 0;
	*places = calloc(*sets * WAYS, sizeof(struct record *));
	return *places == NULL ? -1 : 0;
}

static void free_places(struct record **places, size_t sets)
{
	for (size_t i = 0; i < sets * WAYS; i++)
		free(places[i]);
	free(places);
}

struct dnscache *dnscache_new(size_t records)
{
	struct dnscache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	if (allocate_places(records, &c->sets, &c->places) < 0) {
		free(c);
		return NULL;
	}
	rwlock_init(&c->lock);
	crypto_shorthash_keygen(c->key);
	return c;
}

int dnscache_reset(struct dnscache *c, size_t records)
{
	size_t sets, old_sets;
	struct record **places, **old_places;

	if (allocate_places(records, &sets, &places) < 0)
		return -1;
	rwlock_write(&c->lock);
	old_sets = c->sets;
	old_places = c->places;
	c->sets = sets;
	c->places = places;
	atomic_store_explicit(&c->count, 0, memory_order_relaxed);
	rwlock_write_unlock(&c->lock);
	free_places(old_places, old_sets);
	return 0;
}

void dnscache_free(struct dnscache *c)
{
	if (c == NULL)
		return;
	free_places(c->places, c->sets);
	rwlock_destroy(&c->lock);
	free(c);
}

/* The WAYS places where a name may be; NULL when nothing is kept. */
static struct record **set_locked(struct dnscache *c, const char *name, size_t len)
	REQUIRES_SHARED(&c->lock)
{
	uint64_t hash;

	if (c->sets == 0)
		return NULL;
	crypto_shorthash((unsigned char *)&hash, (const unsigned char *)name, len, c->key);
	return c->places + hash % c->sets * WAYS;
}

static bool matches(struct record *r, const char *name, size_t len, enum lookup_family family)
{
	return r != NULL && r->family == family && r->name_len == len &&
		memcmp(record_name(r), name, len) == 0;
}

static uint32_t next_turn(struct record *r)
{
	return r->count < 2 ? 0 : atomic_fetch_add_explicit(&r->turn, 1, memory_order_relaxed);
}

static bool find_record_locked(struct dnscache *c, const char *name, enum lookup_family family,
	struct lookup_answer *out) REQUIRES_SHARED(&c->lock)
{
	size_t len = strlen(name);
	struct record **set = set_locked(c, name, len);

	for (size_t i = 0; set != NULL && i < WAYS; i++) {
		struct record *r = set[i];

		if (!matches(r, name, len, family) || r->expires <= clock_ms())
			continue;
		out->state = r->state;
		lookup_answer_fill(out, r->addrs, r->count, next_turn(r));
		return true;
	}
	return false;
}

bool dnscache_find_again(
	struct dnscache *c, const char *name, enum lookup_family family, struct lookup_answer *out)
{
	bool found;

	rwlock_read(&c->lock);
	found = find_record_locked(c, name, family, out);
	rwlock_read_unlock(&c->lock);
	return found;
}

bool dnscache_find(
	struct dnscache *c, const char *name, enum lookup_family family, struct lookup_answer *out)
{
	bool found = dnscache_find_again(c, name, family, out);

	atomic_fetch_add_explicit(found ? &c->hits : &c->misses, 1, memory_order_relaxed);
	return found;
}

static struct record *record_new(const char *name, enum lookup_family family,
	const struct lookup_answer *answer, uint32_t turn, int64_t expires)
{
	size_t len = strlen(name);
	struct record *r = malloc(sizeof(*r) + answer->count * sizeof(r->addrs[0]) + len);

	if (r == NULL)
		return NULL;
	r->expires = expires;
	atomic_init(&r->turn, turn);
	r->family = family;
	r->state = answer->state;
	r->count = answer->count;
	r->name_len = len;
	memcpy(r->addrs, answer->addrs, answer->count * sizeof(r->addrs[0]));
	memcpy(record_name(r), name, len);
	return r;
}

/* The place of the same name and family, else a free one, else the one that expires first. */
static struct record **place_for(struct record **set, struct record *new)
{
	struct record **best = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (matches(set[i], record_name(new), new->name_len, new->family))
			return &set[i];
		if (*best != NULL && (set[i] == NULL || set[i]->expires < (*best)->expires))
			best = &set[i];
	}
	return best;
}

void dnscache_store(struct dnscache *c, const char *name, enum lookup_family family,
	const struct lookup_answer *answer, uint32_t turn, int64_t expires)
{
	struct record *r = record_new(name, family, answer, turn, expires);
	struct record *displaced = r;
	struct record **set;

	if (r == NULL)
		return;
	rwlock_write(&c->lock);
	set = set_locked(c, name, r->name_len);
	if (set != NULL) {
		struct record **place = place_for(set, r);

		displaced = *place;
		*place = r;
		if (displaced == NULL)
			atomic_fetch_add_explicit(&c->count, 1, memory_order_relaxed);
	}
	rwlock_write_unlock(&c->lock);
	free(displaced);
}

size_t dnscache_count(const struct dnscache *c)
{
	return atomic_load_explicit(&c->count, memory_order_relaxed);
}

void dnscache_counts(struct dnscache *c, uint64_t *hits, uint64_t *misses)
{
	*hits = atomic_load_explicit(&c->hits, memory_order_relaxed);
	*misses = atomic_load_explicit(&c->misses, memory_order_relaxed);
}
