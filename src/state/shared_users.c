/*
 * What is known of each user stands in `standing`, which is brought to the disk step by step, and
 * nowhere else: two words about one user are compared under its lock. Beside it are queues of
 * names: who has come from elsewhere and is to be put into effect, who was changed here and is to
 * be told, who was deleted and is to be forgotten one day. So a change costs the same however many
 * users there are.
 *
 * Only one thread puts names into each of the first two, so what it has prepared is there when the
 * word stands, and no word can stand that nobody hears of.
 */
#include "state/shared_users_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "state/limits.h"

/* ---- making ---- */

static bool make_queues(struct shared_users *s)
{
	s->arrived = name_queue_new();
	s->untold = name_queue_new();
	s->graves = name_queue_new();
	s->own = name_queue_new();
	s->hidden = name_queue_new();
	return s->arrived != NULL && s->untold != NULL && s->graves != NULL && s->own != NULL &&
		s->hidden != NULL;
}

struct shared_users *shared_users_new(struct standing *standing, const char *node)
{
	struct shared_users *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	mutex_init(&s->lock);
	s->standing = standing;
	snprintf(s->node, sizeof(s->node), "%s", node);
	atomic_init(&s->are_valid, true);
	if (make_queues(s))
		return s;
	shared_users_free(s);
	return NULL;
}

void shared_users_free(struct shared_users *s)
{
	if (s == NULL)
		return;
	name_queue_free(s->arrived);
	name_queue_free(s->untold);
	name_queue_free(s->graves);
	name_queue_free(s->own);
	name_queue_free(s->read);
	name_queue_free(s->hidden);
	mutex_destroy(&s->lock);
	free(s);
}

void shared_users_set_alarm(struct shared_users *s, void (*ring)(void *context), void *context)
{
	s->ring = ring;
	s->ring_context = context;
}

/* ---- what stands ---- */

/* A fact is no longer than what memory allows, so it is copied. */
struct copying {
	char *text;
};

static void copy_value(void *context, const char *value)
{
	struct copying *c = context;

	c->text = strdup(value);
}

enum shared_found shared_users_find(
	struct shared_users *s, const char *name, struct shared_record *r, char **text)
{
	struct copying c = {.text = NULL};

	*text = NULL;
	if (!standing_read(s->standing, STANDING_USER, name, copy_value, &c))
		return SHARED_NOBODY;
	if (c.text == NULL)
		return SHARED_UNREADABLE;
	if (shared_record_parse(c.text, r) != NULL) {
		free(c.text);
		return SHARED_NOBODY; /* and whatever comes takes its place */
	}
	*text = c.text;
	return r->is_deleted ? SHARED_DELETED : SHARED_USER;
}

static bool is_above(const struct shared_record *r, const char *there)
{
	struct shared_record other;

	return shared_record_parse(there, &other) != NULL || shared_record_outranks(r, &other);
}

/* With what stands there (NULL: nothing). */
static bool may_take_place(void *context, const char *there)
{
	return there == NULL || is_above(context, there);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_forgotten(const struct shared_record *r, int64_t now)
{
	return r->is_deleted && (int64_t)r->version < now - SHARED_USERS_GRAVE_MS;
}

/* One that cannot be noted is forgotten after the next start. */
void shared_users_note_grave(struct shared_users *s, const char *name)
{
	mutex_lock(&s->lock);
	(void)!name_queue_put(s->graves, name);
	mutex_unlock(&s->lock);
}

/* ---- from elsewhere ---- */

struct comparing {
	const struct shared_record *record;
	bool is_news;
};

static void compare_value(void *context, const char *there)
{
	struct comparing *c = context;

	c->is_news = is_above(c->record, there);
}

/* Of nobody who is known here, what was deleted long ago says nothing. */
static bool is_news(struct shared_users *s, const char *name, const struct shared_record *r)
{
	struct comparing c = {.record = r};

	if (standing_read(s->standing, STANDING_USER, name, compare_value, &c))
		return c.is_news;
	return !is_forgotten(r, now_ms());
}

static int prepare_queue(struct shared_users *s, struct name_queue *q, const char *name)
{
	int result;

	mutex_lock(&s->lock);
	result = name_queue_prepare(q, name);
	mutex_unlock(&s->lock);
	return result;
}

/* What was prepared. */
static void put_prepared(struct shared_users *s, struct name_queue *q, const char *name)
{
	mutex_lock(&s->lock);
	(void)!name_queue_put(q, name);
	s->changes++;
	mutex_unlock(&s->lock);
}

enum shared_users_merge shared_users_merge(
	struct shared_users *s, const char *name, const char *value, char why[SHARED_USERS_WHY_MAX])
{
	char problem[LIMITS_ERROR_MAX];
	struct shared_record r;
	const char *bad = shared_record_parse(value, &r);
	int put;

	if (bad == NULL)
		bad = shared_record_problem(&r, name, problem);
	if (bad != NULL) {
		snprintf(why, SHARED_USERS_WHY_MAX, "%s", bad);
		return MERGED_BAD;
	}
	if (!is_news(s, name, &r))
		return MERGED_OLD;
	if (prepare_queue(s, s->arrived, name) < 0)
		return MERGED_NO_MEMORY;
	put = standing_put_if(s->standing, STANDING_USER, name, value, may_take_place, &r);
	if (put <= 0)
		return put == 0 ? MERGED_OLD : MERGED_NO_MEMORY;
	put_prepared(s, s->arrived, name);
	if (r.is_deleted)
		shared_users_note_grave(s, name);
	return MERGED_NEW;
}

char *shared_users_next_arrived(struct shared_users *s)
{
	char *name = NULL;

	mutex_lock(&s->lock);
	if (name_queue_count(s->arrived) > 0)
		name = strdup(name_queue_first(s->arrived));
	if (name != NULL) {
		(void)name_queue_remove(s->arrived, name);
		s->is_taking = true;
	}
	mutex_unlock(&s->lock);
	return name;
}

void shared_users_arrived_again(struct shared_users *s, const char *name)
{
	mutex_lock(&s->lock);
	(void)!name_queue_put(s->arrived, name);
	mutex_unlock(&s->lock);
}

void shared_users_settle(struct shared_users *s)
{
	mutex_lock(&s->lock);
	s->is_taking = false;
	mutex_unlock(&s->lock);
}

bool shared_users_are_settled(struct shared_users *s)
{
	bool are_settled;

	mutex_lock(&s->lock);
	are_settled = !s->is_taking && name_queue_count(s->arrived) == 0;
	mutex_unlock(&s->lock);
	return are_settled;
}

bool shared_users_have_arrived(struct shared_users *s)
{
	bool have;

	mutex_lock(&s->lock);
	have = name_queue_count(s->arrived) > 0;
	mutex_unlock(&s->lock);
	return have;
}

/* ---- from here ---- */

/* Of whoever stands there the next one. */
static uint64_t next_version(struct shared_users *s, const char *name)
{
	uint64_t now = (uint64_t)now_ms();
	struct shared_record there;
	char *text;

	if (shared_users_find(s, name, &there, &text) < SHARED_DELETED)
		return now;
	free(text);
	return there.version >= now ? there.version + 1 : now;
}

/* Until it outranks what stands, which another node may have said meanwhile. */
static int put_outranking(struct shared_users *s, const char *name, struct shared_record *r)
{
	int put;

	do {
		char *value;

		r->version = next_version(s, name);
		value = shared_record_format(r);
		if (value == NULL)
			return -1;
		put = standing_put_if(s->standing, STANDING_USER, name, value, may_take_place, r);
		free(value);
	} while (put == 0);
	return put < 0 ? -1 : 0;
}

int shared_users_say(struct shared_users *s, const char *name, const char *hash,
	const char *attributes, char error[USERS_ERROR_MAX])
{
	struct shared_record r = {.is_deleted = hash == NULL, .attributes = attributes};

	snprintf(r.node, sizeof(r.node), "%s", s->node);
	snprintf(r.hash, sizeof(r.hash), "%s", hash == NULL ? "" : hash);
	if (prepare_queue(s, s->untold, name) < 0 || put_outranking(s, name, &r) < 0) {
		snprintf(error, USERS_ERROR_MAX, "%s cannot be kept: out of memory", name);
		return -1;
	}
	put_prepared(s, s->untold, name);
	if (s->ring != NULL)
		s->ring(s->ring_context);
	if (r.is_deleted)
		shared_users_note_grave(s, name);
	return 0;
}

static char *copy_first_untold(struct shared_users *s)
{
	char *name = NULL;

	mutex_lock(&s->lock);
	if (name_queue_count(s->untold) > 0)
		name = strdup(name_queue_first(s->untold));
	mutex_unlock(&s->lock);
	return name;
}

static void drop_untold(struct shared_users *s, const char *name)
{
	mutex_lock(&s->lock);
	(void)name_queue_remove(s->untold, name);
	mutex_unlock(&s->lock);
}

char *shared_users_next_untold(struct shared_users *s, char **value)
{
	char *name;

	*value = NULL;
	while ((name = copy_first_untold(s)) != NULL) {
		struct copying c = {.text = NULL};
		bool stands = standing_read(s->standing, STANDING_USER, name, copy_value, &c);

		if (stands && c.text != NULL) {
			*value = c.text;
			return name;
		}
		if (!stands)
			drop_untold(s, name); /* it was forgotten meanwhile */
		free(name);
		if (stands)
			return NULL;
	}
	return NULL;
}

struct comparing_text {
	const char *text;
	bool is_same;
};

static void compare_text(void *context, const char *value)
{
	struct comparing_text *c = context;

	c->is_same = strcmp(c->text, value) == 0;
}

static uint64_t count_changes(struct shared_users *s)
{
	uint64_t changes;

	mutex_lock(&s->lock);
	changes = s->changes;
	mutex_unlock(&s->lock);
	return changes;
}

/* Where anybody is changed meanwhile the name stays, and is told once more. */
void shared_users_told(struct shared_users *s, const char *name, const char *value)
{
	struct comparing_text c = {.text = value, .is_same = true};
	uint64_t before = count_changes(s);

	(void)standing_read(s->standing, STANDING_USER, name, compare_text, &c);
	mutex_lock(&s->lock);
	if (c.is_same && s->changes == before)
		(void)name_queue_remove(s->untold, name);
	mutex_unlock(&s->lock);
}

struct standing_fact *shared_users_list(struct shared_users *s, size_t *count)
{
	return standing_list(s->standing, STANDING_USER, count);
}

/* ---- what is known of them ---- */

void shared_users_set_valid(struct shared_users *s, bool are_valid)
{
	atomic_store(&s->are_valid, are_valid);
}

bool shared_users_are_valid(struct shared_users *s)
{
	return atomic_load(&s->are_valid);
}

bool shared_users_is_own(struct shared_users *s, const char *name)
{
	bool is_own;

	mutex_lock(&s->lock);
	is_own = name_queue_has(s->own, name);
	mutex_unlock(&s->lock);
	return is_own;
}

struct looking {
	bool is_user;
};

static void look_at_value(void *context, const char *value)
{
	struct looking *l = context;
	struct shared_record r;

	l->is_user = shared_record_parse(value, &r) == NULL && !r.is_deleted;
}

bool shared_users_stand(struct shared_users *s, const char *name)
{
	struct looking l = {.is_user = false};

	(void)standing_read(s->standing, STANDING_USER, name, look_at_value, &l);
	return l.is_user;
}

bool shared_users_have(struct shared_users *s, const char *name)
{
	return !shared_users_is_own(s, name) && shared_users_stand(s, name);
}

bool shared_users_is_shut(void *shared_users, const char *name)
{
	return !shared_users_are_valid(shared_users) && shared_users_have(shared_users, name);
}

bool shared_users_keep_own(const struct shared_users *s)
{
	return s->is_inner_kept;
}

size_t shared_users_count_own(struct shared_users *s)
{
	size_t count;

	mutex_lock(&s->lock);
	count = name_queue_count(s->own);
	mutex_unlock(&s->lock);
	return count;
}

size_t shared_users_count_read(struct shared_users *s)
{
	return s->read == NULL ? shared_users_count_own(s) : name_queue_count(s->read);
}

/* ---- graves ---- */

/* One of them, and which is next; false at the end, or without memory. */
static bool next_grave(struct shared_users *s, char **name, char **next)
{
	const char *at;

	free(*name);
	*name = *next;
	*next = NULL;
	if (*name == NULL)
		return false;
	mutex_lock(&s->lock);
	at = name_queue_has(s->graves, *name) ? name_queue_next(s->graves, *name) : NULL;
	if (at != NULL)
		*next = strdup(at);
	mutex_unlock(&s->lock);
	return true;
}

static void drop_grave(struct shared_users *s, const char *name)
{
	mutex_lock(&s->lock);
	(void)name_queue_remove(s->graves, name);
	mutex_unlock(&s->lock);
}

/* Forgets it when it is old enough. */
static bool sweep_grave(struct shared_users *s, const char *name, int64_t now)
{
	struct shared_record r;
	char *text;
	bool is_old = false;
	enum shared_found found = shared_users_find(s, name, &r, &text);

	if (found == SHARED_DELETED) {
		struct standing_fact fact = {.kind = STANDING_USER, .key = name, .value = text};

		is_old = is_forgotten(&r, now) && standing_take_back(s->standing, &fact);
	}
	free(text);
	if (is_old || found == SHARED_NOBODY || found == SHARED_USER)
		drop_grave(s, name);
	return is_old;
}

size_t shared_users_sweep(struct shared_users *s, int64_t now)
{
	char *name = NULL, *next = NULL;
	const char *first;
	size_t swept = 0;

	mutex_lock(&s->lock);
	first = name_queue_first(s->graves);
	if (first != NULL)
		next = strdup(first);
	mutex_unlock(&s->lock);
	while (next_grave(s, &name, &next))
		swept += sweep_grave(s, name, now);
	return swept;
}
