/*
 * A quota is turned into a number of the account's tally at which it is used up, so a session asks
 * with one comparison, and a relay with what it may still move (traffic_room()). Somebody has to
 * look when a period ends or the number is reached, which the tally's mark tells: the janitor.
 *
 * Sessions are counted where they are admitted, not where their client connects: those that are
 * refused, and are read from for a while yet, take nobody's place. They are always counted, so that
 * a limit that comes while they run knows of them.
 */
#include "state/allowance.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GET(field) atomic_load_explicit(field, memory_order_relaxed)
#define SET(field, value) atomic_store_explicit(field, value, memory_order_relaxed)

#define WARN_PERCENT 80

void allowance_init(struct allowance *a, struct tally *tally)
{
	mutex_init(&a->lock);
	a->tally = tally;
	SET(&a->spent_at, UINT64_MAX);
}

void allowance_destroy(struct allowance *a)
{
	free(a->limits);
	mutex_destroy(&a->lock);
}

static uint64_t tally_total(const struct tally *t)
{
	return GET(&t->sent) + GET(&t->received);
}

/* ---- the quota ---- */

static uint64_t allowed_locked(const struct allowance *a) REQUIRES(&a->lock)
{
	return a->limits->quota.bytes + a->use.extra + a->elsewhere.extra;
}

/* On all nodes, when so much was used here. */
static uint64_t sum_used_locked(const struct allowance *a, uint64_t here) REQUIRES(&a->lock)
{
	return here > UINT64_MAX - a->elsewhere.used ? UINT64_MAX : here + a->elsewhere.used;
}

static uint64_t used_locked(const struct allowance *a) REQUIRES(&a->lock)
{
	return sum_used_locked(a, a->use.used);
}

/* Where the tally stands when `part` of what is allowed is used; never in the past. */
static uint64_t point_locked(const struct allowance *a, uint64_t part) REQUIRES(&a->lock)
{
	uint64_t total = tally_total(a->tally), used = sum_used_locked(a, total - a->origin);

	return used >= part ? total : total + (part - used);
}

/* Nothing may be 0, which is never. */
static uint64_t or_one(uint64_t n)
{
	return n == 0 ? 1 : n;
}

static void hold_to_quota_locked(struct allowance *a) REQUIRES(&a->lock)
{
	bool has_quota = a->limits != NULL && limits_have(a->limits, LIMIT_QUOTA);
	enum limit_over over = OVER_CUT;
	uint64_t allowed, warned, spent_at;

	atomic_store(&a->has_quota, has_quota);
	if (!has_quota) {
		SET(&a->tally->end, 0);
		SET(&a->tally->mark, 0);
		SET(&a->spent_at, UINT64_MAX);
		return;
	}
	if (limits_have(a->limits, LIMIT_OVER))
		over = a->limits->over;
	allowed = allowed_locked(a);
	warned = allowed / 100 * WARN_PERCENT;
	spent_at = point_locked(a, allowed);
	atomic_store(
		&a->tally->end_is_for_anonymous, (a->of_anonymous & LIMIT_BIT(LIMIT_QUOTA)) != 0);
	atomic_store(&a->tally->end, over == OVER_CUT ? or_one(spent_at) : 0);
	atomic_store(&a->spent_at, over == OVER_SLOW ? UINT64_MAX : spent_at);
	if (used_locked(a) >= allowed)
		SET(&a->tally->mark, 0);
	else
		SET(&a->tally->mark,
			or_one(a->told < WARN_PERCENT ? point_locked(a, warned) : spent_at));
}

/* Takes in what was used since, and goes over to a new period; true when that has begun. */
static bool note_use_locked(struct allowance *a, int64_t now) REQUIRES(&a->lock)
{
	uint64_t total = tally_total(a->tally);

	a->use.used = total - a->origin;
	if (!quota_turn(&a->use, &a->limits->quota, now))
		return false;
	a->origin = total;
	a->elsewhere.used = a->elsewhere.extra = 0;
	a->told = 0;
	return true;
}

static int percent_locked(const struct allowance *a) REQUIRES(&a->lock)
{
	uint64_t allowed = allowed_locked(a);

	if (used_locked(a) >= allowed)
		return 100;
	return used_locked(a) >= allowed / 100 * WARN_PERCENT ? WARN_PERCENT : 0;
}

/* ---- what holds ---- */

/* What was used of another quota, or before the server started, is used of this one. */
static void begin_quota_locked(struct allowance *a, const struct quota_use *known, int64_t now)
	REQUIRES(&a->lock)
{
	if (a->use.begun == 0) {
		if (known != NULL)
			a->use = a->kept = *known;
		a->origin = tally_total(a->tally) - a->use.used;
	}
	(void)note_use_locked(a, now);
	a->told = percent_locked(a);
	/* That it is used up is news to whoever has made it smaller. */
	if (a->told == 100)
		a->told = WARN_PERCENT;
}

static uint32_t bound_of(const struct limits *limits, enum limit_key key)
{
	if (limits == NULL || !limits_have(limits, key))
		return 0;
	return key == LIMIT_SESSIONS ? limits->sessions : limits->sessions_client;
}

static void publish_locked(struct allowance *a, bool is_kept_out) REQUIRES(&a->lock)
{
	const struct limits *l = a->limits;

	atomic_store(&a->sessions, bound_of(l, LIMIT_SESSIONS));
	atomic_store(&a->sessions_of_anonymous, (a->of_anonymous & LIMIT_BIT(LIMIT_SESSIONS)) != 0);
	atomic_store(&a->sessions_client, bound_of(l, LIMIT_SESSIONS_CLIENT));
	atomic_store(&a->is_kept_out, is_kept_out);
	atomic_store(&a->expires, l != NULL && limits_have(l, LIMIT_EXPIRES) ? l->expires : 0);
	hold_to_quota_locked(a);
	atomic_store(&a->is_limited, l != NULL || is_kept_out);
}

int allowance_set(struct allowance *a, const struct limits_in_force *in_force,
	const struct quota_use *known, int64_t now)
{
	struct limits *fresh = NULL, *old;

	if (in_force != NULL && !limits_say_nothing(&in_force->limits)) {
		fresh = malloc(sizeof(*fresh));
		if (fresh == NULL)
			return -1;
		*fresh = in_force->limits;
	}
	mutex_lock(&a->lock);
	old = a->limits;
	a->limits = fresh;
	a->of_anonymous = in_force == NULL ? 0 : in_force->of_anonymous;
	if (fresh != NULL && limits_have(fresh, LIMIT_QUOTA))
		begin_quota_locked(a, known, now);
	publish_locked(a, in_force != NULL && in_force->is_kept_out);
	mutex_unlock(&a->lock);
	free(old);
	return 0;
}

/* ---- other nodes ---- */

int64_t allowance_begun(struct allowance *a)
{
	int64_t begun;

	mutex_lock(&a->lock);
	begun = a->use.begun;
	mutex_unlock(&a->lock);
	return begun;
}

void allowance_tell_elsewhere(struct allowance *a, const struct elsewhere *elsewhere)
{
	mutex_lock(&a->lock);
	a->elsewhere = *elsewhere;
	hold_to_quota_locked(a);
	mutex_unlock(&a->lock);
	atomic_store(&a->sessions_elsewhere, elsewhere->sessions);
}

/* ---- sessions ---- */

static bool is_spent(const struct allowance *a, bool has_login)
{
	if (has_login && atomic_load(&a->tally->end_is_for_anonymous))
		return false;
	return tally_total(a->tally) >= GET(&a->spent_at);
}

static enum end_reason judge(const struct allowance *a, bool has_login)
{
	int64_t expires;

	if (!GET(&a->is_limited))
		return END_REASONS;
	if (GET(&a->is_kept_out))
		return END_DISABLED;
	expires = GET(&a->expires);
	if (expires != 0 && time(NULL) >= expires)
		return END_EXPIRED;
	return GET(&a->has_quota) && is_spent(a, has_login) ? END_QUOTA_REACHED : END_REASONS;
}

void allowance_dismiss(struct allowance *a, bool has_login)
{
	if (!has_login)
		atomic_fetch_sub(&a->admitted_anonymous, 1);
	atomic_fetch_sub(&a->admitted, 1);
}

enum end_reason allowance_admit(struct allowance *a, bool has_login)
{
	uint32_t running, bound = GET(&a->sessions);
	enum end_reason why = judge(a, has_login);

	if (why != END_REASONS)
		return why;
	running = atomic_fetch_add(&a->admitted, 1) + 1;
	if (!has_login) {
		uint32_t anonymous = atomic_fetch_add(&a->admitted_anonymous, 1) + 1;

		if (GET(&a->sessions_of_anonymous))
			running = anonymous;
	} else if (GET(&a->sessions_of_anonymous)) {
		bound = 0;
	}
	if (bound == 0 || running + (uint64_t)GET(&a->sessions_elsewhere) <= bound)
		return END_REASONS;
	allowance_dismiss(a, has_login);
	return END_TOO_MANY_SESSIONS;
}

/* ---- looking ---- */

/* Of two rates, of which 0 is none. */
static void tighten(uint64_t *rate, uint64_t other)
{
	if (other != 0 && (*rate == 0 || other < *rate))
		*rate = other;
}

/* A rate that `key` brings, for those sessions for which the key holds. */
static void add_rate_locked(const struct allowance *a, enum limit_key key, uint64_t down,
	uint64_t up, struct allowance_news *news) REQUIRES(&a->lock)
{
	bool of_anonymous = (a->of_anonymous & LIMIT_BIT(key)) != 0;

	tighten(of_anonymous ? &news->anonymous_down : &news->down, down);
	tighten(of_anonymous ? &news->anonymous_up : &news->up, up);
}

static void tell_rate_locked(const struct allowance *a, struct allowance_news *news)
	REQUIRES(&a->lock)
{
	const struct limits *l = a->limits;

	if (l == NULL)
		return;
	if (limits_have(l, LIMIT_RATE))
		add_rate_locked(a, LIMIT_RATE, l->down, l->up, news);
	if (news->is_spent && news->over == OVER_SLOW)
		add_rate_locked(a, LIMIT_QUOTA, l->slow_down, l->slow_up, news);
}

static bool is_same_use(const struct quota_use *a, const struct quota_use *b)
{
	return a->begun == b->begun && a->used == b->used && a->extra == b->extra;
}

static void look_at_quota_locked(struct allowance *a, int64_t now, struct allowance_news *news)
	REQUIRES(&a->lock)
{
	int percent;

	(void)note_use_locked(a, now);
	percent = percent_locked(a);
	news->has_quota = true;
	news->use_has_changed = !is_same_use(&a->use, &a->kept);
	a->kept = a->use;
	news->passed = percent > a->told ? percent : 0;
	a->told = percent > a->told ? percent : a->told;
	news->is_spent = percent == 100;
	news->over = limits_have(a->limits, LIMIT_OVER) ? a->limits->over : OVER_CUT;
	news->is_of_anonymous = (a->of_anonymous & LIMIT_BIT(LIMIT_QUOTA)) != 0;
	news->quota = a->limits->quota;
	news->use = a->use;
	news->sum = cluster_add_use(a->use, a->elsewhere);
	news->due = quota_until(&a->use, &a->limits->quota, now);
	hold_to_quota_locked(a);
}

struct allowance_news allowance_look(struct allowance *a, int64_t now)
{
	struct allowance_news news = {.due = INT64_MAX};
	int64_t expires = GET(&a->expires);

	mutex_lock(&a->lock);
	if (a->limits != NULL && limits_have(a->limits, LIMIT_QUOTA))
		look_at_quota_locked(a, now, &news);
	tell_rate_locked(a, &news);
	mutex_unlock(&a->lock);
	news.is_kept_out = atomic_load(&a->is_kept_out);
	news.is_expired = expires != 0 && now >= expires;
	if (expires > now && expires < news.due)
		news.due = expires;
	return news;
}

static void show_quota_locked(const struct allowance *a, int64_t now, struct allowance_view *out)
	REQUIRES(&a->lock)
{
	out->use = a->use;
	out->use.used = tally_total(a->tally) - a->origin;
	if (!quota_turn(&out->use, &a->limits->quota, now))
		out->use = cluster_add_use(out->use, a->elsewhere);
	out->until = quota_until(&out->use, &a->limits->quota, now);
}

void allowance_show(struct allowance *a, int64_t now, struct allowance_view *out)
{
	memset(out, 0, sizeof(*out));
	out->running =
		GET(&a->sessions_of_anonymous) ? GET(&a->admitted_anonymous) : GET(&a->admitted);
	out->is_kept_out = atomic_load(&a->is_kept_out);
	mutex_lock(&a->lock);
	out->running_elsewhere = a->elsewhere.sessions;
	out->of_anonymous = a->of_anonymous;
	if (a->limits != NULL)
		out->limits = *a->limits;
	if (limits_have(&out->limits, LIMIT_QUOTA))
		show_quota_locked(a, now, out);
	mutex_unlock(&a->lock);
}

/* ---- commands ---- */

static void raise_use_locked(struct allowance *a, const struct quota_use *least) REQUIRES(&a->lock)
{
	if (a->use.used < least->used) {
		a->origin -= least->used - a->use.used;
		a->use.used = least->used;
	}
	if (a->use.extra < least->extra)
		a->use.extra = least->extra;
	hold_to_quota_locked(a);
}

static bool change_quota(struct allowance *a, bool resets, uint64_t extra, int64_t now)
{
	bool has_quota;

	mutex_lock(&a->lock);
	has_quota = a->limits != NULL && limits_have(a->limits, LIMIT_QUOTA);
	if (has_quota) {
		(void)note_use_locked(a, now);
		if (resets) {
			a->origin = tally_total(a->tally);
			quota_reset(&a->use);
			a->elsewhere.used = a->elsewhere.extra = 0;
		}
		a->use.extra += extra;
		a->told = percent_locked(a);
		hold_to_quota_locked(a);
	}
	mutex_unlock(&a->lock);
	return has_quota;
}

bool allowance_reset_quota(struct allowance *a, int64_t now)
{
	return change_quota(a, true, 0, now);
}

bool allowance_add_to_quota(struct allowance *a, uint64_t bytes, int64_t now)
{
	return change_quota(a, false, bytes, now);
}

bool allowance_raise_use(struct allowance *a, const struct quota_use *least, int64_t now)
{
	bool has_quota;

	mutex_lock(&a->lock);
	has_quota = a->limits != NULL && limits_have(a->limits, LIMIT_QUOTA);
	if (has_quota) {
		(void)note_use_locked(a, now);
		if (a->use.begun == least->begun)
			raise_use_locked(a, least);
	}
	mutex_unlock(&a->lock);
	return has_quota;
}
