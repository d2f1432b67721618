/*
 * Most accounts have no limit and so no throttle; it is made when the first is set, or when there
 * is a limit for all accounts together, and stays until the account goes. Sessions hold the account
 * and so need not hold the throttle; who looks at all of them from outside does.
 *
 * A session is in the buckets of its client's account and of its user's. So that rate_total counts
 * it once, one of the two has it in a second bucket: the user's, or the client's where nobody has
 * logged in. So that one of a client holds all its sessions without a login, and the rates that are
 * for these only are limits of it, too.
 */
#include "state/throttle.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/lock.h"

#define FORGET_MS 1000 /* after that a part of something common is out of date */

#define GET(field) atomic_load_explicit(field, memory_order_relaxed)
#define SET(field, value) atomic_store_explicit(field, value, memory_order_relaxed)

struct throttle {
	struct throttles *all;
	_Atomic(size_t) holders;
	_Atomic(bool) is_on[THROTTLE_DIRECTIONS][THROTTLE_BUCKETS];
	_Atomic(uint64_t) known_by;

	struct mutex lock; /* what follows */
	struct bucket buckets[THROTTLE_DIRECTIONS][THROTTLE_BUCKETS];
	uint64_t own[THROTTLE_DIRECTIONS], of_groups[THROTTLE_DIRECTIONS];
	uint64_t of_anonymous[THROTTLE_DIRECTIONS], of_total[THROTTLE_DIRECTIONS];
	uint64_t before[THROTTLE_DIRECTIONS][THROTTLE_BUCKETS]; /* `moved` at the last look */
	uint64_t speed[THROTTLE_DIRECTIONS][THROTTLE_BUCKETS];
	int64_t looked_at[THROTTLE_DIRECTIONS]; /* clock_ms() */
	int64_t next_turn[THROTTLE_DIRECTIONS]; /* clock_ms() */
	uint64_t groups;
	size_t counted; /* streams that rate_total counts for it */

	size_t streams; /* the list's lock: this and the links */
	struct throttle *next, *previous;
};

struct throttles {
	_Atomic(uint64_t) first_rates[THROTTLE_GROUPS_MAX + 1][THROTTLE_DIRECTIONS];
	_Atomic(bool) are_common;
	_Atomic(bool) is_armed;
	void (*ring)(void *context);
	void *context;
	struct mutex lock;
	struct throttle *head; /* those that have streams */
	size_t count;
};

/* ---- all of them ---- */

struct throttles *throttles_new(void)
{
	struct throttles *all = calloc(1, sizeof(*all));

	if (all != NULL)
		mutex_init(&all->lock);
	return all;
}

void throttles_free(struct throttles *all)
{
	if (all == NULL)
		return;
	mutex_destroy(&all->lock);
	free(all);
}

void throttles_set_alarm(struct throttles *all, void (*ring)(void *context), void *context)
{
	all->ring = ring;
	all->context = context;
}

void throttles_arm(struct throttles *all)
{
	atomic_store(&all->is_armed, true);
}

static void ring_if_armed(struct throttles *all)
{
	if (GET(&all->is_armed) && atomic_exchange(&all->is_armed, false))
		all->ring(all->context);
}

bool throttles_are_common(const struct throttles *all)
{
	return GET(&all->are_common);
}

void throttles_set_common(struct throttles *all, bool are_common)
{
	SET(&all->are_common, are_common);
}

void throttles_set_first(
	struct throttles *all, size_t pool, enum traffic_direction d, uint64_t rate)
{
	SET(&all->first_rates[pool][d], rate);
}

struct throttle **throttles_list(struct throttles *all, size_t *count)
{
	struct throttle **list;

	mutex_lock(&all->lock);
	list = calloc(all->count + 1, sizeof(struct throttle *));
	*count = 0;
	for (struct throttle *t = all->head; list != NULL && t != NULL; t = t->next) {
		atomic_fetch_add(&t->holders, 1);
		list[(*count)++] = t;
	}
	mutex_unlock(&all->lock);
	return list;
}

/* True when it is the first. */
static bool count_in(struct throttle *t)
{
	struct throttles *all = t->all;
	bool is_first;

	mutex_lock(&all->lock);
	is_first = t->streams++ == 0;
	if (is_first) {
		t->previous = NULL;
		t->next = all->head;
		if (all->head != NULL)
			all->head->previous = t;
		all->head = t;
		all->count++;
	}
	mutex_unlock(&all->lock);
	return is_first;
}

static void count_out(struct throttle *t)
{
	struct throttles *all = t->all;

	mutex_lock(&all->lock);
	if (--t->streams == 0) {
		if (t->next != NULL)
			t->next->previous = t->previous;
		if (t->previous != NULL)
			t->previous->next = t->next;
		else
			all->head = t->next;
		all->count--;
	}
	mutex_unlock(&all->lock);
}

/* ---- one account's ---- */

struct throttle *throttle_new(struct throttles *all)
{
	struct throttle *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->all = all;
	atomic_init(&t->holders, 1);
	mutex_init(&t->lock);
	return t;
}

void throttle_release(struct throttle *t)
{
	if (t == NULL || atomic_fetch_sub(&t->holders, 1) > 1)
		return;
	mutex_destroy(&t->lock);
	free(t);
}

/* Of two limits, of which 0 is none. */
static uint64_t tighter(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

static void apply_locked(struct throttle *t, enum traffic_direction d, int64_t now)
	REQUIRES(&t->lock)
{
	uint64_t rates[THROTTLE_BUCKETS] = {
		[THROTTLE_OWN] = tighter(t->own[d], t->of_groups[d]),
		[THROTTLE_TOTAL] = tighter(t->of_anonymous[d], t->of_total[d]),
	};

	for (enum throttle_bucket i = 0; i < THROTTLE_BUCKETS; i++) {
		bucket_set_rate(&t->buckets[d][i], rates[i], now);
		SET(&t->is_on[d][i], rates[i] != 0);
	}
}

/* What a new member of its groups gets. */
static uint64_t first_of_groups_locked(const struct throttle *t, enum traffic_direction d)
	REQUIRES(&t->lock)
{
	uint64_t rate = 0;

	for (size_t i = 0; i < THROTTLE_GROUPS_MAX; i++) {
		if ((t->groups >> i & 1) != 0)
			rate = tighter(rate, GET(&t->all->first_rates[i][d]));
	}
	return rate;
}

/* Who has not been there lately has a part that is out of date. */
static void begin_anew_locked(struct throttle *t, enum traffic_direction d, int64_t now)
	REQUIRES(&t->lock)
{
	if (!throttles_are_common(t->all)) {
		t->of_groups[d] = t->of_total[d] = 0;
	} else if (t->looked_at[d] == 0 || now - t->looked_at[d] > FORGET_MS) {
		t->of_groups[d] = first_of_groups_locked(t, d);
		t->of_total[d] = GET(&t->all->first_rates[THROTTLE_GROUPS_MAX][d]);
	}
	apply_locked(t, d, now);
}

/* Under the lock, so that of two who come at once the later one does not put older figures. */
void throttle_follow(struct throttle *t, const struct throttle_rates *own, int64_t now)
{
	mutex_lock(&t->lock);
	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++) {
		t->own[d] = atomic_load(&own->rate[d]);
		t->of_anonymous[d] = atomic_load(&own->of_anonymous[d]);
		apply_locked(t, d, now);
	}
	mutex_unlock(&t->lock);
}

uint64_t throttle_known_by(const struct throttle *t)
{
	return GET(&t->known_by);
}

void throttle_set_groups(struct throttle *t, uint64_t groups, uint64_t generation)
{
	mutex_lock(&t->lock);
	t->groups = groups;
	SET(&t->known_by, generation);
	for (enum traffic_direction d = 0; d < THROTTLE_DIRECTIONS; d++) {
		t->of_groups[d] = first_of_groups_locked(t, d);
		apply_locked(t, d, clock_ms());
	}
	mutex_unlock(&t->lock);
	ring_if_armed(t->all);
}

void throttle_forget_groups(struct throttle *t)
{
	if (t != NULL)
		SET(&t->known_by, 0);
}

/* Smoothed, because what goes by chunks is uneven. */
static void note_speed(uint64_t *speed, int64_t moved, int64_t elapsed)
{
	uint64_t forward = moved > 0 ? (uint64_t)moved : 0;
	uint64_t latest = elapsed > 0 ? forward * 1000 / (uint64_t)elapsed : *speed;

	*speed = elapsed > FORGET_MS ? latest : (*speed + latest) / 2;
}

struct throttle_use throttle_look(struct throttle *t, enum traffic_direction d, int64_t now)
{
	struct throttle_use use;

	mutex_lock(&t->lock);
	use = (struct throttle_use){
		.groups = t->groups, .known_by = GET(&t->known_by), .is_counted = t->counted > 0};
	for (enum throttle_bucket i = 0; i < THROTTLE_BUCKETS; i++) {
		const struct bucket *b = &t->buckets[d][i];

		use.moved[i] = (int64_t)(b->moved - t->before[d][i]);
		note_speed(&t->speed[d][i], use.moved[i], now - t->looked_at[d]);
		use.speed[i] = t->speed[d][i];
		use.rate[i] = i == THROTTLE_TOTAL ? t->of_total[d] : b->rate;
		use.is_active[i] = b->active > 0;
		t->before[d][i] = b->moved;
	}
	t->looked_at[d] = now;
	mutex_unlock(&t->lock);
	return use;
}

void throttle_share(struct throttle *t, enum traffic_direction d, uint64_t of_groups,
	uint64_t of_total, int64_t now)
{
	mutex_lock(&t->lock);
	if (of_groups != THROTTLE_KEEP)
		t->of_groups[d] = of_groups;
	t->of_total[d] = of_total;
	apply_locked(t, d, now);
	mutex_unlock(&t->lock);
}

/* ---- sessions ---- */

/* The buckets that the stream is in. */
static size_t buckets_of(const struct throttle_stream *s)
{
	return s->is_counted ? THROTTLE_BUCKETS : THROTTLE_OWN + 1;
}

void throttle_enter(
	struct throttle_stream *s, struct throttle *t, enum traffic_direction d, bool is_counted)
{
	bool is_first = count_in(t);

	*s = (struct throttle_stream){.throttle = t, .direction = d, .is_counted = is_counted};
	mutex_lock(&t->lock);
	t->counted += is_counted;
	for (enum traffic_direction i = 0; is_first && i < THROTTLE_DIRECTIONS; i++)
		begin_anew_locked(t, i, clock_ms());
	mutex_unlock(&t->lock);
}

void throttle_leave(struct throttle_stream *s, int64_t now)
{
	struct throttle *t = s->throttle;

	if (t == NULL)
		return;
	throttle_end(s, now);
	mutex_lock(&t->lock);
	t->counted -= s->is_counted;
	mutex_unlock(&t->lock);
	count_out(t);
	s->throttle = NULL;
}

bool throttle_is_on(const struct throttle_stream *s)
{
	const struct throttle *t = s->throttle;
	bool is_on = false;

	for (size_t i = 0; i < buckets_of(s); i++)
		is_on |= GET(&t->is_on[s->direction][i]);
	return is_on;
}

void throttle_begin(struct throttle_stream *s, int64_t now)
{
	struct throttle *t = s->throttle;

	mutex_lock(&t->lock);
	for (size_t i = 0; i < buckets_of(s); i++)
		bucket_begin(&t->buckets[s->direction][i], &s->in[i], now);
	mutex_unlock(&t->lock);
	ring_if_armed(t->all);
}

void throttle_end(struct throttle_stream *s, int64_t now)
{
	struct throttle *t = s->throttle;

	mutex_lock(&t->lock);
	for (size_t i = 0; i < buckets_of(s); i++)
		bucket_end(&t->buckets[s->direction][i], &s->in[i], now);
	mutex_unlock(&t->lock);
}

bool throttle_has_turn(struct throttle_stream *s, int64_t now)
{
	struct throttle *t = s->throttle;
	bool has_turn;

	mutex_lock(&t->lock);
	has_turn = now >= t->next_turn[s->direction];
	mutex_unlock(&t->lock);
	return has_turn;
}

void throttle_end_turn(struct throttle_stream *s, int64_t next)
{
	struct throttle *t = s->throttle;

	mutex_lock(&t->lock);
	t->next_turn[s->direction] = next;
	mutex_unlock(&t->lock);
}

size_t throttle_chunk(struct throttle_stream *s)
{
	struct throttle *t = s->throttle;
	size_t least = SIZE_MAX;

	mutex_lock(&t->lock);
	for (size_t i = 0; i < buckets_of(s); i++) {
		size_t chunk = bucket_chunk(&t->buckets[s->direction][i]);

		least = chunk < least ? chunk : least;
	}
	mutex_unlock(&t->lock);
	return least;
}

size_t throttle_active(struct throttle_stream *s)
{
	struct throttle *t = s->throttle;
	size_t most = 0;

	mutex_lock(&t->lock);
	for (size_t i = 0; i < buckets_of(s); i++) {
		const struct bucket *b = &t->buckets[s->direction][i];

		most = b->rate != 0 && b->active > most ? b->active : most;
	}
	mutex_unlock(&t->lock);
	return most;
}

void throttle_take(struct throttle_stream *s, size_t bytes, int64_t now)
{
	struct throttle *t = s->throttle;

	mutex_lock(&t->lock);
	for (size_t i = 0; i < buckets_of(s); i++)
		bucket_take(&t->buckets[s->direction][i], &s->in[i], bytes, now);
	mutex_unlock(&t->lock);
}

int64_t throttle_when(struct throttle_stream *s, int64_t now)
{
	struct throttle *t = s->throttle;
	int64_t last = now;

	mutex_lock(&t->lock);
	for (size_t i = 0; i < buckets_of(s); i++) {
		int64_t when = bucket_when(&t->buckets[s->direction][i], &s->in[i], now);

		last = when > last ? when : last;
	}
	mutex_unlock(&t->lock);
	return last;
}

void throttle_give_back(struct throttle_stream *s, size_t bytes, int64_t now)
{
	struct throttle *t = s->throttle;

	mutex_lock(&t->lock);
	for (size_t i = 0; i < buckets_of(s); i++)
		bucket_give_back(&t->buckets[s->direction][i], &s->in[i], bytes, now);
	mutex_unlock(&t->lock);
}

uint64_t throttle_settle(struct throttle_stream *s, uint64_t moved, int64_t elapsed, int64_t now)
{
	struct throttle *t = s->throttle;
	uint64_t least = UINT64_MAX;

	mutex_lock(&t->lock);
	for (size_t i = 0; i < buckets_of(s); i++) {
		uint64_t level =
			bucket_settle(&t->buckets[s->direction][i], &s->in[i], moved, elapsed, now);

		least = level < least ? level : least;
	}
	mutex_unlock(&t->lock);
	return least;
}

void throttle_drain(struct throttle_stream *s, uint64_t rate, int64_t now)
{
	struct throttle *t = s->throttle;

	mutex_lock(&t->lock);
	for (size_t i = 0; i < buckets_of(s); i++)
		bucket_drain(&t->buckets[s->direction][i], &s->in[i], rate, now);
	mutex_unlock(&t->lock);
}
