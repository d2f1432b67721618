/* bans: which clients are kept out of the proxy, because their logins failed or because somebody
 * said so, and until when. A mutex guards the tables; from any thread. */
#ifndef STATE_BANS_H
#define STATE_BANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "net/own.h"
#include "state/ban_setting.h"
#include "state/exempt_setting.h"
#include "state/standing.h"

/* Bans at once, those included that are over and make the next one longer. Then one that failed
 * logins have begun makes room, such as are over first. */
#define BANS_MOST 4096

/* Clients with failed logins that are not banned yet; then whose last one is oldest is forgotten.
 */
#define BANS_SUSPECTS 1024

struct bans;

/* A moment by both clocks: bans run by the first, and are told and kept by the second. */
struct bans_time {
	int64_t ms; /* clock.h */
	int64_t wall; /* seconds since 1970 */
};

struct bans_time bans_now(void);

/* Why somebody is banned: the one list, with the words in logs and listings. */
/* clang-format off */
#define BAN_CAUSE_LIST(X) \
	X(FAILURES, "failures") /* of logins */ \
	X(COMMAND, "command") /* an administrator's */

enum ban_cause {
#define BAN_CAUSE(name, word) BAN_BY_##name,
	BAN_CAUSE_LIST(BAN_CAUSE)
#undef BAN_CAUSE
	BAN_CAUSES,
};
/* clang-format on */

const char *ban_cause_word(enum ban_cause cause);

/* What is told of a ban. */
struct ban_info {
	struct network client;
	enum ban_cause by;
	unsigned failures; /* of logins that led to it; 0 by command */
	unsigned times; /* bans by failures in a row, this one included */
	uint64_t refused; /* connections since it began, or since the server started */
	int64_t begun; /* seconds since 1970 */
	int64_t since; /* the same by clock.h; CLOCK_NEVER: in an earlier run */
	int64_t until; /* seconds since 1970; INT64_MAX: it has no end */
	int64_t lasts; /* in milliseconds, from its beginning; CLOCK_NEVER likewise */
	int64_t left; /* of these */
	int64_t memory; /* for how long behind its end it makes the next one longer, likewise */
};

/* Nobody is banned. `own` tells which networks are this host's; NULL: none is. Bans are put into
 * `standing` (NULL: nowhere); both outlive it. NULL without memory. */
struct bans *bans_new(struct own *own, struct standing *standing);

/* NULL is allowed. */
void bans_free(struct bans *b);

/* Takes up what stands there since an earlier run, of which nobody is to know yet. What lasted
 * longer by the clock than it was to lasts that long from now: the clock may have been wrong. */
void bans_restore(struct bans *b, struct bans_time now);

/* ---- at the doors ---- */

/* Is anybody banned? Costs one atomic; NULL: no. */
bool bans_any(const struct bans *b);

/* Is a client at `addr` kept out? Then that is counted. A ban by failures does not hold for who is
 * exempt by now. */
bool bans_refuse(struct bans *b, const struct addr *addr, const struct exempt_clients *exempt,
	int64_t now) __attribute__((warn_unused_result));

struct ban_failure {
	const struct addr *from;
	uint64_t pair; /* what name and password come to: the same counts once */
	const struct ban_rule *rule;
	const struct exempt_clients *exempt;
};

/* A login failed. True when it was one too many, and a ban has begun; of that, `begun`. */
bool bans_note_failure(struct bans *b, const struct ban_failure *failure, struct bans_time now,
	struct ban_info *begun);

/* ---- by command ---- */

/* Whom a ban of `who` is for: an address stands for its account (own_client_of()). */
struct network bans_whom(const struct bans *b, const struct network *who);

/* Bans `who`, in the place of a ban that there may be, for so many milliseconds or CLOCK_NEVER. -1
 * with errno: ENOSPC where as many are banned by command as can be, or ENOMEM. */
int bans_put(struct bans *b, const struct network *who, int64_t lasts, struct bans_time now,
	struct ban_info *begun) __attribute__((warn_unused_result));

/* Bans whom `told` is about as another server has: of it client, cause, failures, times, begun,
 * until, lasts and memory. 1: so it is now; 0: it stays as it is, since it is over, or the ban that
 * there is does not give way to it, as one by command does not to one by failures. -1 with errno as
 * bans_put(). */
int bans_take_over(struct bans *b, const struct ban_info *told, struct bans_time now)
	__attribute__((warn_unused_result));

/* Ends the ban of exactly `who`, or (NULL) any one, and forgets that there was one and which logins
 * failed. False when there is none. */
bool bans_lift(
	struct bans *b, const struct network *who, struct bans_time now, struct ban_info *lifted);

/* ---- for whoever looks ---- */

/* A ban that holds for all of `who`, if there is one; the widest. */
bool bans_find(
	struct bans *b, const struct network *who, struct bans_time now, struct ban_info *info);

/* The ban of exactly `who`, whatever is banned around it. */
bool bans_find_exactly(
	struct bans *b, const struct network *who, struct bans_time now, struct ban_info *info);

/* All bans by address, in a block to be freed. NULL without memory. */
struct ban_info *bans_list(struct bans *b, struct bans_time now, size_t *count);

/* ---- for whoever ends them ---- */

/* Has `ring` called whenever a ban has begun, which bans_next_end() does not know yet. Before there
 * are threads. */
void bans_set_alarm(struct bans *b, void (*ring)(void *context), void *context);

/* One that is over; false when no more are. What is long over is forgotten besides. */
bool bans_take_ended(struct bans *b, struct bans_time now, struct ban_info *ended);

/* When to ask that again (clock.h). */
int64_t bans_next_end(struct bans *b);

#endif
