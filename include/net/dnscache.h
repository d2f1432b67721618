/* dnscache: the bounded cache of looked-up names, one record a name and family. One rwlock. */
#ifndef NET_DNSCACHE_H
#define NET_DNSCACHE_H

#include "net/lookup_answer.h"

struct dnscache;

/* An empty cache for at most `records` records (rounded up to a multiple of 8; 0 = keeps nothing).
 * NULL without memory. */
struct dnscache *dnscache_new(size_t records);

/* Forgets everything and takes the new size. -1 without memory, and nothing changed. */
int dnscache_reset(struct dnscache *c, size_t records) __attribute__((warn_unused_result));

/* NULL is allowed. */
void dnscache_free(struct dnscache *c);

/* Copies the record of `name` (in lower case) that has not expired into `*out`, its addresses
 * beginning with the next one each time; false when there is none, and `*out` is unchanged. */
bool dnscache_find(
	struct dnscache *c, const char *name, enum lookup_family family, struct lookup_answer *out);

/* The same, for who has asked a moment ago: it is counted as no further question. */
bool dnscache_find_again(
	struct dnscache *c, const char *name, enum lookup_family family, struct lookup_answer *out);

/* Keeps `answer` (found or not found) until `expires` (clock.h). Where it goes, what has expired or
 * expires first makes room. Without memory it is not kept. `turn` is how many have had the answer
 * before, each beginning with the next address. */
void dnscache_store(struct dnscache *c, const char *name, enum lookup_family family,
	const struct lookup_answer *answer, uint32_t turn, int64_t expires);

/* How many records there are, expired ones that nothing has displaced yet included. */
size_t dnscache_count(const struct dnscache *c);

/* Lookups that a record answered, and those that none did, since the start. */
void dnscache_counts(struct dnscache *c, uint64_t *hits, uint64_t *misses);

#endif
