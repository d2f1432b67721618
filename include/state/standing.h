/* standing: what administrators decide while the server runs and what is to outlive it, beside the
 * configuration and the users file: temporary rules, limits, bans, who is kept out, what is used of
 * quotas, here and on other nodes, users that nodes share. A mutex guards the table; from any
 * thread. */
#ifndef STATE_STANDING_H
#define STATE_STANDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of what kind a fact is: the one list, with the words that are kept. */
/* clang-format off */
#define STANDING_KIND_LIST(X) \
	X(RULE, "rule") /* by what is in front of it in time, a temporary rule */ \
	X(LIMITS, "limits") /* by client, network or @group, KEY=VALUE ... */ \
	X(DISABLED, "disabled") /* by client or network */ \
	X(BAN, "ban") /* by client or network */ \
	X(LIFTED, "lifted") /* by client, a ban that ended before its time, as other nodes are \
			     * still to hear */ \
	X(QUOTA, "quota") /* by account, what is used of it */ \
	X(ELSEWHERE, "elsewhere") /* by "PART ACCOUNT", what is used of it on another node */ \
	X(RESETS, "resets") /* by account, how often its quota has begun anew by command */ \
	X(SHARED, "shared") /* what is known of the engine that nodes share their state by */ \
	X(USER, "user") /* by name, a user whom nodes share (shared_users.h) */

enum standing_kind {
#define STANDING_KIND(name, word) STANDING_##name,
	STANDING_KIND_LIST(STANDING_KIND)
#undef STANDING_KIND
	STANDING_KINDS,
};
/* clang-format on */

const char *standing_kind_word(enum standing_kind kind);

/* False when it is none of the words. */
bool standing_kind_parse(const char *word, enum standing_kind *kind);

struct standing;

/* Nothing stands. NULL without memory. */
struct standing *standing_new(void);
void standing_free(struct standing *s);

/* Lets `value` stand under `key` of that kind, in the place of what did; NULL: nothing any more.
 * -1 without memory, and nothing changed. Both are copied, and end at their NUL. The same value
 * again is no change. */
int standing_put(struct standing *s, enum standing_kind kind, const char *key, const char *value)
	__attribute__((warn_unused_result));

/* The same where facts come without end: while there are `most` > 0 that came by this, those
 * included that stand no more and were not told yet, nothing is put under another key, and that is
 * no failure. */
int standing_put_bounded(struct standing *s, enum standing_kind kind, const char *key,
	const char *value, size_t most) __attribute__((warn_unused_result));

/* The same where `may`, which is told what stands there (NULL: nothing) and must take no lock,
 * agrees. 0 when it did not, and nothing changed; 1 when it did. */
int standing_put_if(struct standing *s, enum standing_kind kind, const char *key, const char *value,
	bool (*may)(void *context, const char *there), void *context)
	__attribute__((warn_unused_result));

struct standing_fact;

/* The same with NULL, where still stands what a listing told; false when something else does. */
bool standing_take_back(struct standing *s, const struct standing_fact *listed);

/* What stands there is told to `take`, if that is not NULL, which must take no lock. False when
 * nothing does. It needs no memory: nobody is to take a lack of it for a word that was never said.
 */
bool standing_read(struct standing *s, enum standing_kind kind, const char *key,
	void (*take)(void *context, const char *value), void *context);

struct standing_fact {
	enum standing_kind kind;
	const char *key;
	const char *value; /* NULL: it is to stand no more; of standing_changes() and
			    * standing_news() only */
};

/* All facts of a kind by the alphabet of their keys, in one block to be freed. NULL without memory.
 */
struct standing_fact *standing_list(struct standing *s, enum standing_kind kind, size_t *count);

/* ---- for whoever tells others ---- */

/* The same of standing_list(), which from now on is told of what changes in that kind. Of one kind
 * only: of the one that it was last. */
struct standing_fact *standing_list_watched(
	struct standing *s, enum standing_kind kind, size_t *count);

/* What has changed in it and was not told yet, as it stands now (`value` NULL: no more), by the
 * alphabet of the keys, in one block to be freed, which may be empty. NULL without memory, or where
 * something could not be noted without: then all is to be listed again. */
struct standing_fact *standing_news(struct standing *s, size_t *count);

/* ---- for whoever keeps it ---- */

/* It is kept from now on, and changes are told; or (false) it is not. At first it is not. */
void standing_set_kept(struct standing *s, bool is_kept);

/* Does it outlive the server? */
bool standing_is_kept(struct standing *s);

/* Behind an answer about something that was put here: "", or " (until the next start)". */
const char *standing_term(struct standing *s);

/* What has changed and was not told yet (standing_told()), each key once, in one block to be freed,
 * which may be empty. NULL without memory. */
struct standing_fact *standing_changes(struct standing *s, size_t *count);

/* These are on the disk: they are told no more, unless they have become others meanwhile. */
void standing_told(struct standing *s, const struct standing_fact *facts, size_t count);

/* What was told is lost: all that stands is told again. */
void standing_tell_all(struct standing *s);

#endif
