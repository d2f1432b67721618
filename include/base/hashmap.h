/* hashmap: byte strings to pointers; djb2, closed hashing (linear probing). No lock: the owner's.
 */
#ifndef BASE_HASHMAP_H
#define BASE_HASHMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashmap;

/* An empty map with room for `expected` entries before it first grows. NULL without memory. */
struct hashmap *hashmap_new(size_t expected);

/* Frees the map and, with `free_value`, what it points to. NULL is allowed. */
void hashmap_free(struct hashmap *map, void (*free_value)(void *));

size_t hashmap_count(const struct hashmap *map);

/* The value under the `len` bytes at `key`, which may hold any byte; NULL when there is none. */
void *hashmap_get(const struct hashmap *map, const void *key, size_t len);

/* Makes room, so that the next `more` calls of hashmap_put() succeed. -1 without memory. */
int hashmap_reserve(struct hashmap *map, size_t more) __attribute__((warn_unused_result));

/* Puts `value` (not NULL) under `key`, which must live as long as the entry, so usually within the
 * value. `*old` receives what was there before, or NULL. -1 without memory, and nothing changed. */
int hashmap_put(struct hashmap *map, const void *key, size_t len, void *value, void **old)
	__attribute__((warn_unused_result));

/* Takes the entry out and returns its value; NULL when there is none. */
void *hashmap_remove(struct hashmap *map, const void *key, size_t len);

/* Walks all entries in no order: `*position` starts at 0; NULL at the end. The map must not change
 * meanwhile. */
void *hashmap_next(const struct hashmap *map, size_t *position);

/* Bernstein's hash: h = h * 33 + byte, from 5381. */
uint64_t hashmap_djb2(const void *key, size_t len);

#endif
