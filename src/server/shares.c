/*
 * Each round looks at what the accounts have moved since the last, and sets how much each may move
 * until the next. Who has used most of what he had wants more, as much as he can get; who has not
 * is expected to want no more than twice what he used. What nobody wants is divided among those
 * that want more, so nothing is left over while somebody could use it.
 *
 * What an account is given is a ceiling, so the sum may be wrong for a round: somebody begins, or
 * did not need what he was expected to. It is made up for in the next rounds: what was moved too
 * much is taken off, within about a second, and what was left is added.
 *
 * Who has nothing to move has an equal part ready, so that he can begin at once. The job sleeps
 * when there is nothing to divide or nobody moves anything; then the next one to begin wakes it.
 */
#include "server/shares.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "server/fairness.h"

#define ROUND_MS 100
#define PATIENCE_MS 2000 /* while nothing moves, before the job sleeps */
#define REPAY_MS 1000
#define LEFT_MS 250 /* of a rate's bytes that are made up for at most */
#define OWED_MS 2000

#define FRESH_ROUNDS 3

#define TOTAL THROTTLE_GROUPS_MAX

struct member {
	struct throttle *throttle;
	struct throttle_use use;
	uint64_t of_groups, of_total;
};

/* ---- what there is to divide ---- */

static uint64_t rate_in(const struct rate *rate, enum traffic_direction d)
{
	return d == TRAFFIC_SENT ? rate->up : rate->down;
}

static void set_pool(struct shares *s, size_t pool, const struct rate *rate)
{
	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++) {
		uint64_t now = rate_in(rate, d);

		if (s->pools[pool][d].rate != now)
			s->pools[pool][d] =
				(struct shares_pool){.rate = now, .fresh = FRESH_ROUNDS};
		throttles_set_first(s->throttles, pool, d, now);
	}
}

/* Has the pools be those of the configuration in force. */
static void follow_configuration(struct shares *s)
{
	static const struct rate none;
	struct config *c;
	const struct group_rates *list;
	bool has_total;

	if (s->known_by == config_generation(s->configs) + 1)
		return;
	c = config_get(s->configs);
	list = &c->settings.group_rates;
	for (size_t i = 0; i < THROTTLE_GROUPS_MAX; i++)
		set_pool(s, i, i < list->count ? &list->groups[i].rate : &none);
	set_pool(s, TOTAL, &c->settings.rate_total);
	s->groups = list->count;
	s->known_by = c->generation + 1;
	has_total = c->settings.rate_total.down != 0 || c->settings.rate_total.up != 0;
	throttles_set_common(s->throttles, has_total || s->groups > 0);
	config_release(c);
}

/* ---- who wants how much ---- */

/* Of a bucket: its own limit does not bound what it wants of a pool, since it would not use more
 * than that in any case. */
static uint64_t want_of(const struct throttle_use *use, enum throttle_bucket b)
{
	if (use->is_active[b] && use->speed[b] >= use->rate[b] / 2)
		return UINT64_MAX;
	return 2 * use->speed[b];
}

static bool is_in(const struct shares *s, const struct member *m, size_t pool)
{
	if (pool == TOTAL)
		return m->use.is_counted;
	return m->use.known_by == s->known_by && (m->use.groups >> pool & 1) != 0;
}

/* What is to be divided for the next round; reckons what was moved in the last. */
static uint64_t whole_of(struct shares_pool *p, int64_t moved, int64_t elapsed, bool is_wanted)
{
	int64_t rate = (int64_t)p->rate, whole;

	if (p->fresh > 0)
		p->fresh--;
	else
		p->owed += moved - rate * elapsed / 1000;
	if (p->owed < -rate * LEFT_MS / 1000)
		p->owed = -rate * LEFT_MS / 1000;
	if (p->owed > rate * OWED_MS / 1000)
		p->owed = rate * OWED_MS / 1000;
	if (p->owed < 0 && !is_wanted)
		p->owed = 0;
	whole = rate - p->owed * 1000 / REPAY_MS;
	return (uint64_t)(whole > rate / 8 ? whole : rate / 8 + 1);
}

/* An account without anything to move gets an equal part of all; who wants more than he has shares
 * what the others leave. */
static uint64_t part_of(const struct claim *c, uint64_t rate, size_t count)
{
	uint64_t ready = rate / (count + 1) + 1;

	return c->want == UINT64_MAX || c->share > ready ? c->share + 1 : ready;
}

static void give_part(struct member *m, size_t pool, uint64_t part)
{
	if (pool == TOTAL)
		m->of_total = part;
	else if (m->of_groups == 0 || part < m->of_groups)
		m->of_groups = part;
}

/* `claims` has room for all members. */
static void divide_pool(struct shares *s, size_t pool, enum traffic_direction d,
	struct member *members, size_t count, struct claim *claims, int64_t elapsed)
{
	struct shares_pool *p = &s->pools[pool][d];
	enum throttle_bucket b = pool == TOTAL ? THROTTLE_TOTAL : THROTTLE_OWN;
	int64_t moved = 0;
	bool is_wanted = false;
	size_t n = 0;

	if (p->rate == 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (!is_in(s, &members[i], pool))
			continue;
		claims[n] = (struct claim){.want = want_of(&members[i].use, b), .index = i};
		is_wanted |= claims[n++].want == UINT64_MAX;
		moved += members[i].use.moved[b];
	}
	fairness_divide(whole_of(p, moved, elapsed, is_wanted), claims, n);
	for (size_t i = 0; i < n; i++)
		give_part(&members[claims[i].index], pool, part_of(&claims[i], p->rate, n));
	throttles_set_first(s->throttles, pool, d, p->rate / (n + 1) + 1);
}

/* ---- a round ---- */

/* True when anybody has something to move. */
static bool look_at_all(struct member *members, size_t count, enum traffic_direction d, int64_t now)
{
	bool moves = false;

	for (size_t i = 0; i < count; i++) {
		struct member *m = &members[i];

		m->use = throttle_look(m->throttle, d, now);
		m->of_groups = m->of_total = 0;
		moves |= m->use.is_active[THROTTLE_OWN] || m->use.moved[THROTTLE_OWN] > 0;
	}
	return moves;
}

/* A member that does not know its groups yet, or knows those of another configuration, keeps what
 * it was given; a session that moves something asks soon. */
static void tell_all(const struct shares *s, struct member *members, size_t count,
	enum traffic_direction d, int64_t now)
{
	for (size_t i = 0; i < count; i++) {
		struct member *m = &members[i];

		if (s->groups > 0 && m->use.known_by != s->known_by)
			m->of_groups = THROTTLE_KEEP;
		throttle_share(m->throttle, d, m->of_groups, m->of_total, now);
	}
}

static bool divide_all(struct shares *s, struct member *members, size_t count, int64_t now)
{
	int64_t elapsed = now - s->ran_at < PATIENCE_MS ? now - s->ran_at : 0;
	struct claim *claims = calloc(count + 1, sizeof(*claims));
	bool moves = false;

	if (claims == NULL)
		return true; /* all stays as it is, until the next round */
	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++) {
		moves |= look_at_all(members, count, d, now);
		for (size_t i = 0; i < s->groups; i++)
			divide_pool(s, i, d, members, count, claims, elapsed);
		divide_pool(s, TOTAL, d, members, count, claims, elapsed);
		tell_all(s, members, count, d, now);
	}
	free(claims);
	return moves;
}

/* Those that have sessions; the caller frees them with release_members(). NULL without memory. */
static struct member *list_members(struct shares *s, size_t *count)
{
	struct throttle **list = throttles_list(s->throttles, count);
	struct member *members;

	if (list == NULL)
		return NULL;
	members = calloc(*count + 1, sizeof(*members));
	for (size_t i = 0; i < *count; i++) {
		if (members == NULL)
			throttle_release(list[i]);
		else
			members[i].throttle = list[i];
	}
	free(list);
	return members;
}

static void release_members(struct member *members, size_t count)
{
	for (size_t i = 0; i < count; i++)
		throttle_release(members[i].throttle);
	free(members);
}

static int64_t run_shares(void *context, int64_t now)
{
	struct shares *s = context;
	struct member *members;
	bool was_common = throttles_are_common(s->throttles);
	bool may_sleep = now - s->moved_at >= PATIENCE_MS;
	size_t count;

	follow_configuration(s);
	/* One round more when there is nothing to divide any more, which takes the limits away. */
	if (!was_common && !throttles_are_common(s->throttles))
		return CLOCK_NEVER;
	/* Before it looks, so that who begins while it does rings. */
	if (may_sleep)
		throttles_arm(s->throttles);
	members = list_members(s, &count);
	if (members == NULL)
		return now + ROUND_MS;
	if (divide_all(s, members, count, now))
		s->moved_at = now;
	release_members(members, count);
	s->ran_at = now;
	if (!throttles_are_common(s->throttles))
		return CLOCK_NEVER;
	return now - s->moved_at < PATIENCE_MS ? now + ROUND_MS : CLOCK_NEVER;
}

static void wake_shares(void *context)
{
	struct shares *s = context;

	janitor_call(s->janitor, &s->job);
}

void shares_init(struct shares *s, struct services *services, struct janitor *janitor)
{
	*s = (struct shares){.throttles = ledger_throttles(services->ledger),
		.configs = services->config,
		.janitor = janitor,
		.moved_at = -PATIENCE_MS,
		.job = {.name = "shares", .run = run_shares, .context = s}};
	throttles_set_alarm(s->throttles, wake_shares, s);
}
