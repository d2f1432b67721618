/* shared_users: users that several nodes share, beside those that this node keeps alone (its users
 * file), which win. A mutex guards what is under way; who may call what is said at each. */
#ifndef STATE_SHARED_USERS_H
#define STATE_SHARED_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/cluster.h"
#include "state/standing.h"
#include "state/users.h"

/* Each stands in `standing` (STANDING_USER) under the user's name, as it travels between nodes:
 * "VERSION NODE HASH:ATTRIBUTES", or "VERSION NODE -" of a user who was deleted. The higher VERSION
 * wins, a hybrid of time (milliseconds since 1970) and count; of two that are the same the one
 * whose NODE comes later in the alphabet. There is no role in it: whoever comes so is no admin. */

/* How old what is said of a user who was deleted becomes, before it is forgotten. */
#define SHARED_USERS_GRAVE_MS (INT64_C(40) * 24 * 60 * 60 * 1000)

/* Versions from elsewhere are no higher, so that none is one that cannot be surpassed, also where
 * numbers are floating-point ones. */
#define SHARED_USERS_VERSION_MAX (UINT64_C(1) << 52)

#define SHARED_USERS_WHY_MAX 1024

struct shared_users;

/* What stands in `standing`, which outlives it, is what the nodes share, of which this one is
 * called `node`. NULL without memory. */
struct shared_users *shared_users_new(struct standing *standing, const char *node);

/* NULL is allowed. */
void shared_users_free(struct shared_users *s);

/* Keeps users (users.h) as the nodes do, and those whom `inner` has, and all admins, in `inner`
 * alone, which is taken over; NULL: in memory. `s` must outlive it, and has one of these at most.
 * For the main thread, as users_new() has it. */
struct users_backend shared_users_backend(
	struct shared_users *s, const struct users_backend *inner);

/* ---- for whoever hears from the other nodes: one thread ---- */

enum shared_users_merge {
	MERGED_OLD, /* what is known here is newer, or the same */
	MERGED_NEW, /* it stands from now on, and shared_users_next_arrived() will tell it */
	MERGED_BAD, /* it can be nobody's record: `why` says why */
	MERGED_NO_MEMORY, /* nothing changed */
};

/* Another node has said that of the user. */
enum shared_users_merge shared_users_merge(struct shared_users *s, const char *name,
	const char *value, char why[SHARED_USERS_WHY_MAX]);

/* Has `ring` called, with no lock held, whenever there is another one to be told. Before there are
 * threads. */
void shared_users_set_alarm(struct shared_users *s, void (*ring)(void *context), void *context);

/* A user who was changed here and was not told yet, to be freed; `*value`, likewise, receives what
 * is to be told. The same one again until shared_users_told(). NULL: there is none, or no memory.
 */
char *shared_users_next_untold(struct shared_users *s, char **value);

/* That was told, or the others know something newer; unless it has become another one meanwhile. */
void shared_users_told(struct shared_users *s, const char *name, const char *value);

/* Is all that was heard in effect? */
bool shared_users_are_settled(struct shared_users *s);

/* All that stands, by name, those who were deleted too, in one block to be freed. NULL without
 * memory. From any thread. */
struct standing_fact *shared_users_list(struct shared_users *s, size_t *count);

/* ---- for the main thread ---- */

/* A user of whom another node has said something, which is to be put into effect by users_take();
 * to be freed. Each time another one; NULL: there is none, or no memory. */
char *shared_users_next_arrived(struct shared_users *s);

/* He could not be put into effect, and will come again. */
void shared_users_arrived_again(struct shared_users *s, const char *name);

/* Those whom shared_users_next_arrived() has told, and who do not come again, are in effect. */
void shared_users_settle(struct shared_users *s);

/* Is there any? From any thread. */
bool shared_users_have_arrived(struct shared_users *s);

/* May what is known here of the nodes' users be relied upon? At first it may. If not, none can be
 * changed, and shared_users_is_shut() is true of each; they stay known, with all that is theirs.
 * From any thread. */
void shared_users_set_valid(struct shared_users *s, bool are_valid);
bool shared_users_are_valid(struct shared_users *s);

/* A users_gate: `shared_users` are what the context is. */
bool shared_users_is_shut(void *shared_users, const char *name);

/* Is the user of that name one whom the nodes share, and no other hides him here? From any thread.
 */
bool shared_users_have(struct shared_users *s, const char *name);

/* Are those whom this node keeps alone kept beyond its end? */
bool shared_users_keep_own(const struct shared_users *s);

/* How many users this node keeps alone, and how many of them were found when they were read last
 * (users_read()). */
size_t shared_users_count_own(struct shared_users *s);
size_t shared_users_count_read(struct shared_users *s);

/* The nodes share the user as this node has him alone, who hides that one here until users_unhide()
 * says otherwise. -1 with the reason in `error`. */
int shared_users_share(struct shared_users *s, const char *name, const char *hash,
	const char *attributes, char error[USERS_ERROR_MAX]) __attribute__((warn_unused_result));

/* The one whom this node keeps alone, and who hides one that the nodes share, is kept no more; to
 * be put into effect by users_take(). -1 with the reason in `error`. */
int shared_users_unhide(struct shared_users *s, const char *name, char error[USERS_ERROR_MAX])
	__attribute__((warn_unused_result));

/* Forgets those that were deleted more than SHARED_USERS_GRAVE_MS before `now` (milliseconds since
 * 1970); returns how many. From any thread. It looks at those that were deleted only. */
size_t shared_users_sweep(struct shared_users *s, int64_t now);

#endif
