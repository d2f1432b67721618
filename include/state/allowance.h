/* allowance: the limits of one account in force: how many of its sessions are admitted, what is
 * used of its quota. What sessions ask are atomics; a mutex guards the rest. */
#ifndef STATE_ALLOWANCE_H
#define STATE_ALLOWANCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "state/cluster.h"
#include "state/end_reason.h"
#include "state/limit_book.h"
#include "state/quota.h"
#include "state/traffic.h"

/* Zeroed, then allowance_init(): nothing is limited. */
struct allowance {
	/* What sessions ask. */
	_Atomic(uint32_t) admitted; /* sessions that run */
	_Atomic(uint32_t) admitted_anonymous; /* of these, without a login */
	_Atomic(uint32_t) sessions; /* at once; 0: as many as there are */
	_Atomic(uint32_t) sessions_client;
	_Atomic(uint32_t) sessions_elsewhere; /* on other nodes, which count for `sessions` */
	_Atomic(bool) is_limited; /* false: none of what follows says anything */
	_Atomic(bool) is_kept_out;
	_Atomic(bool) has_quota;
	_Atomic(bool) sessions_of_anonymous; /* `sessions` is about those without login only */
	_Atomic(int64_t) expires; /* seconds since 1970; 0: never */
	_Atomic(uint64_t) spent_at; /* of the tally: no more sessions then; UINT64_MAX: never */

	struct mutex lock; /* the rest */
	struct tally *tally;
	struct limits *limits; /* NULL: none */
	unsigned of_anonymous;
	uint64_t origin; /* of the tally: nothing was used then, modulo 2^64 */
	struct quota_use use; /* as of the last look */
	struct elsewhere elsewhere; /* of `sessions`: the atomic */
	struct quota_use kept; /* as it was told with `use_has_changed`, or known before */
	int told; /* per cent of which it was said that they are used */
};

void allowance_init(struct allowance *a, struct tally *tally);
void allowance_destroy(struct allowance *a);

/* From now on this holds, at the time `now` (seconds since 1970); NULL: nothing. A quota that comes
 * begins with what `known` says was used (NULL: nothing); one that was there keeps what was. -1
 * without memory, and nothing changed. */
int allowance_set(struct allowance *a, const struct limits_in_force *in_force,
	const struct quota_use *known, int64_t now) __attribute__((warn_unused_result));

/* The period of the quota that runs, seconds since 1970; 0: none. And what is used and run on other
 * nodes in it, as it was told last. */
int64_t allowance_begun(struct allowance *a);
void allowance_tell_elsewhere(struct allowance *a, const struct elsewhere *elsewhere);

/* A session is to begin, with a login or without: END_REASONS, and it is counted until
 * allowance_dismiss(); or why not. The account is a client's, or the user's who has logged in. */
enum end_reason allowance_admit(struct allowance *a, bool has_login);
void allowance_dismiss(struct allowance *a, bool has_login);

/* What has come about, for allowance_look(). */
struct allowance_news {
	bool has_quota;
	bool is_spent; /* now */
	bool is_kept_out;
	bool is_expired;
	int passed; /* 80 or 100: per cent that are used, which was not said yet; 0: nothing new */
	enum limit_over over;
	bool is_of_anonymous; /* the quota is for sessions without a login only */
	struct quota quota;
	struct quota_use use; /* here */
	struct quota_use sum; /* on all nodes */
	bool use_has_changed; /* since that was said last */
	int64_t due; /* when the next period begins, or it expires; INT64_MAX: never */
	uint64_t down, up; /* the rate that holds now, of all sessions; 0: none */
	uint64_t anonymous_down, anonymous_up; /* besides, of those without a login; 0: none */
};

/* Looks at the time `now` whether a new period has begun, and sets what sessions and relays are
 * held to. */
struct allowance_news allowance_look(struct allowance *a, int64_t now);

/* For the account itself: what holds, and what is used of it at the time `now`. Changes nothing. */
struct allowance_view {
	struct limits limits; /* all zero: none */
	unsigned of_anonymous; /* bits of keys that hold for sessions without a login only */
	bool is_kept_out;
	uint32_t running; /* sessions that count for the bound on them */
	uint32_t running_elsewhere; /* likewise, on other nodes */
	struct quota_use use; /* of a quota, on all nodes */
	int64_t until; /* likewise: when the next period begins */
};

void allowance_show(struct allowance *a, int64_t now, struct allowance_view *out);

/* Nothing is used of the quota any more; or so many bytes more may be used in this period. False
 * when there is no quota. */
bool allowance_reset_quota(struct allowance *a, int64_t now);
bool allowance_add_to_quota(struct allowance *a, uint64_t bytes, int64_t now);

/* At least so much is used, and was given besides, if that is of the period that runs. False when
 * there is no quota. */
bool allowance_raise_use(struct allowance *a, const struct quota_use *least, int64_t now);

#endif
