/*
 * What a hash costs to check depends on its method, its parameters and the machine, so it is
 * measured: once for each kind, in processor time, which others who compute meanwhile do not
 * change. Where all hashes are of one kind, as they usually are, there is nothing to find out.
 */
#include "state/hash_kinds.h"

#include <string.h>
#include <time.h>

size_t hash_kinds_find(struct hash_kinds *k, const char *hash)
{
	size_t len = password_kind_len(hash);
	struct hash_kind *new;

	for (size_t i = 0; i < k->count; i++) {
		const struct hash_kind *known = &k->kinds[i];

		if (known->len == len && memcmp(known->sample, hash, len) == 0)
			return i;
	}
	if (k->count == HASH_KINDS_MAX)
		return HASH_KINDS_MAX - 1;
	new = &k->kinds[k->count];
	new->len = len;
	strcpy(new->sample, hash);
	return k->count++;
}

static int64_t processor_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* It stays unmeasured where memory is out. */
static void measure_kind(struct hash_kind *kind)
{
	int64_t begun = processor_us();
	bool matches;

	if (password_check("", kind->sample, &matches) == 0)
		kind->cost_us = processor_us() - begun + 1;
}

size_t hash_kinds_in_use(const size_t users[HASH_KINDS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < HASH_KINDS_MAX; i++)
		count += users[i] > 0;
	return count;
}

size_t hash_kinds_dearest(struct hash_kinds *k, const size_t users[HASH_KINDS_MAX])
{
	bool is_alone = hash_kinds_in_use(users) == 1;
	size_t dearest = HASH_KINDS_MAX;

	for (size_t i = 0; i < k->count; i++) {
		if (users[i] == 0)
			continue;
		if (!is_alone && k->kinds[i].cost_us == 0)
			measure_kind(&k->kinds[i]);
		if (dearest == HASH_KINDS_MAX || k->kinds[i].cost_us > k->kinds[dearest].cost_us)
			dearest = i;
	}
	return dearest;
}
