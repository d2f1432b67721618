/* bans_parts: what bans are made of, for the files of bans.h (bans.c, bans_standing.c,
 * bans_suspects.c) only. The lock is the one of bans. */
#ifndef STATE_BANS_PARTS_H
#define STATE_BANS_PARTS_H

#include <stdatomic.h>

#include "base/clock.h"
#include "base/hashmap.h"
#include "base/lock.h"
#include "state/bans.h"

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
	int64_t since; /* when it began; CLOCK_NEVER: in an earlier run */
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

/* The ban of exactly `client`, which is a new one if there was none. NULL with errno. `dropped`
 * receives who made room, with a family of AF_UNSPEC when nobody had to. */
struct ban *bans_take_locked(struct bans *b, const struct network *client, struct network *dropped)
	REQUIRES(&b->lock);

/* NULL: there is none. */
struct ban *bans_get_exactly_locked(struct bans *b, const struct network *who) REQUIRES(&b->lock);

void bans_set_holds_locked(struct bans *b, struct ban *ban, bool holds) REQUIRES(&b->lock);

/* Until when it is in the map. */
int64_t bans_end_of_memory(const struct ban *ban);

/* The ban of exactly `client` stands as it is, or does not any more. -1 without memory. */
int bans_let_stand(struct bans *b, const struct network *client);

/* How many different ones the client has tried within the time of the rule. */
size_t bans_count_failure_locked(struct bans *b, const struct network *client,
	const struct ban_failure *f, int64_t now) REQUIRES(&b->lock);

void bans_forget_suspect_locked(struct bans *b, const struct network *client) REQUIRES(&b->lock);

#endif
