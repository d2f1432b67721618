/*
 * Entries lie in one array whose size is a power of two; a key's home is its hash modulo that size,
 * and a taken place sends it on to the next (linear probing). Removal closes the gap by moving
 * later members of the chain back, so there are no tombstones and a chain never gets longer than
 * its live entries make it. At three quarters full the array doubles.
 */
#include "base/hashmap.h"

#include <stdlib.h>
#include <string.h>

#define SMALLEST 16

struct entry {
	uint64_t hash;
	const void *key;
	size_t len;
	void *value; /* NULL: the place is free */
};

struct hashmap {
	struct entry *entries;
	size_t mask; /* places - 1 */
	size_t count;
};

uint64_t hashmap_djb2(const void *key, size_t len)
{
	const unsigned char *bytes = key;
	uint64_t h = 5381;

	for (size_t i = 0; i < len; i++)
		h = h * 33 + bytes[i];
	return h;
}

static size_t places_for(size_t expected)
{
	size_t places = SMALLEST;

	while (places / 4 * 3 < expected)
		places *= 2;
	return places;
}

struct hashmap *hashmap_new(size_t expected)
{
	struct hashmap *map = calloc(1, sizeof(*map));
	size_t places = places_for(expected);

	if (map == NULL)
		return NULL;
	map->entries = calloc(places, sizeof(*map->entries));
	if (map->entries == NULL) {
		free(map);
		return NULL;
	}
	map->mask = places - 1;
	return map;
}

void hashmap_free(struct hashmap *map, void (*free_value)(void *))
{
	if (map == NULL)
		return;
	for (size_t i = 0; free_value != NULL && i <= map->mask; i++) {
		if (map->entries[i].value != NULL)
			free_value(map->entries[i].value);
	}
	free(map->entries);
	free(map);
}

size_t hashmap_count(const struct hashmap *map)
{
	return map->count;
}

/* The place that holds `key`, or the free one where it would go. */
static struct entry *find_slot(
	const struct hashmap *map, const void *key, size_t len, uint64_t hash)
{
	for (size_t i = hash & map->mask;; i = (i + 1) & map->mask) {
		struct entry *e = &map->entries[i];

		if (e->value == NULL)
			return e;
		if (e->hash == hash && e->len == len && memcmp(e->key, key, len) == 0)
			return e;
	}
}

void *hashmap_get(const struct hashmap *map, const void *key, size_t len)
{
	return find_slot(map, key, len, hashmap_djb2(key, len))->value;
}

static int grow(struct hashmap *map)
{
	struct hashmap bigger = {.mask = map->mask * 2 + 1, .count = map->count};

	bigger.entries = calloc(bigger.mask + 1, sizeof(*bigger.entries));
	if (bigger.entries == NULL)
		return -1;
	for (size_t i = 0; i <= map->mask; i++) {
		const struct entry *e = &map->entries[i];

		if (e->value != NULL)
			*find_slot(&bigger, e->key, e->len, e->hash) = *e;
	}
	free(map->entries);
	*map = bigger;
	return 0;
}

int hashmap_reserve(struct hashmap *map, size_t more)
{
	while ((map->count + more) * 4 > (map->mask + 1) * 3) {
		if (grow(map) < 0)
			return -1;
	}
	return 0;
}

int hashmap_put(struct hashmap *map, const void *key, size_t len, void *value, void **old)
{
	uint64_t hash = hashmap_djb2(key, len);
	struct entry *e = find_slot(map, key, len, hash);

	*old = e->value;
	if (e->value == NULL) {
		if (hashmap_reserve(map, 1) < 0)
			return -1;
		e = find_slot(map, key, len, hash); /* it may have grown */
		map->count++;
	}
	*e = (struct entry){.hash = hash, .key = key, .len = len, .value = value};
	return 0;
}

/* May the entry at `from` move back to the free place `gap`? Yes unless its home lies between the
 * two, circularly: behind its home it would still be found. */
static bool may_move(const struct hashmap *map, size_t gap, size_t from)
{
	size_t home = map->entries[from].hash & map->mask;

	return ((from - home) & map->mask) >= ((from - gap) & map->mask);
}

void *hashmap_remove(struct hashmap *map, const void *key, size_t len)
{
	struct entry *e = find_slot(map, key, len, hashmap_djb2(key, len));
	void *value = e->value;
	size_t gap = (size_t)(e - map->entries);

	if (value == NULL)
		return NULL;
	for (size_t i = (gap + 1) & map->mask; map->entries[i].value != NULL;
		i = (i + 1) & map->mask) {
		if (may_move(map, gap, i)) {
			map->entries[gap] = map->entries[i];
			gap = i;
		}
	}
	map->entries[gap].value = NULL;
	map->count--;
	return value;
}

void *hashmap_next(const struct hashmap *map, size_t *position)
{
	while (*position <= map->mask) {
		void *value = map->entries[(*position)++].value;

		if (value != NULL)
			return value;
	}
	return NULL;
}
