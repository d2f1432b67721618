/*
 * Clients whose logins failed, and are not banned yet: who they are, and for each what it has tried
 * of late, as a keyed hash of name and password with the time. A password is not kept.
 */
#include "state/bans_parts.h"

#include <string.h>

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

size_t bans_count_failure_locked(struct bans *b, const struct network *client,
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

void bans_forget_suspect_locked(struct bans *b, const struct network *client) REQUIRES(&b->lock)
{
	struct suspect *s = find_suspect_locked(b, client);

	if (s == NULL)
		return;
	explicit_bzero(pairs_of(b, s), sizeof(b->pairs[0]));
	*s = (struct suspect){.count = 0};
}
