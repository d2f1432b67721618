/*
 * The configuration's part is the snapshot itself, which is held; what administrators said is
 * parsed once, when it is taken in. An account's limits are put together when it comes, and when
 * something changes, never on the way of a session.
 *
 * Whatever is closer has the first word, key by key. Of clients that is what administrators said,
 * the smallest network before larger ones and these before groups, then the first line of
 * client_limits that fits, then anonymous_defaults. Of users it is the users file, the groups, of
 * which each counts as a whole (what administrators said of it before group_defaults) and of
 * several the most generous, then user_defaults.
 */
#include "state/limit_book.h"

#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "state/limit_types.h"

/* What administrators said of one network or group. */
struct said {
	struct limit_holder holder;
	struct limits limits;
	bool is_disabled;
};

struct limit_book {
	struct rwlock lock; /* the rest but for the atomics */
	struct config *config; /* NULL: none yet */
	struct said *said;
	size_t count;
	_Atomic(bool) is_about_clients;
	_Atomic(bool) has_quotas;
	_Atomic(uint64_t) version;
};

struct limit_book *limit_book_new(void)
{
	struct limit_book *b = calloc(1, sizeof(*b));

	if (b != NULL)
		rwlock_init(&b->lock);
	return b;
}

static void free_said(struct said *said, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(said[i].holder.group);
	free(said);
}

void limit_book_free(struct limit_book *b)
{
	if (b == NULL)
		return;
	free_said(b->said, b->count);
	config_release(b->config);
	rwlock_destroy(&b->lock);
	free(b);
}

/* ---- taking in ---- */

/* Smaller networks first, groups last. */
static int by_closeness(const void *a, const void *b)
{
	const struct said *s = a, *t = b;

	if ((s->holder.group != NULL) != (t->holder.group != NULL))
		return s->holder.group != NULL ? 1 : -1;
	if (s->holder.group != NULL)
		return strcmp(s->holder.group, t->holder.group);
	return (int)t->holder.network.prefix - (int)s->holder.network.prefix;
}

/* A fact that cannot be read is of a later version, or nobody's: it says nothing. False without
 * memory. */
static bool take_fact(const struct standing_fact *f, struct said *out, bool *taken)
{
	unsigned legal = f->key[0] == '@' ? LIMITS_OF_USERS | LIMITS_OF_CLIENTS : LIMITS_OF_CLIENTS;
	char why[LIMITS_ERROR_MAX];
	const char *problem;

	*out = (struct said){.is_disabled = f->kind == STANDING_DISABLED};
	*taken = false;
	if (f->kind == STANDING_LIMITS && !limits_parse(f->value, legal, &out->limits, why))
		return true;
	problem = limit_holder_parse(f->key, strlen(f->key), true, &out->holder);
	*taken = problem == NULL;
	return problem == NULL || strcmp(problem, "out of memory") != 0;
}

static bool take_facts(
	const struct standing_fact *facts, size_t count, struct said *said, size_t *n)
{
	for (size_t i = 0; i < count; i++) {
		bool taken;

		if (!take_fact(&facts[i], &said[*n], &taken))
			return false;
		*n += taken ? 1 : 0;
	}
	return true;
}

static struct said *read_standing(struct standing *s, size_t *count)
{
	size_t limits_count = 0, disabled_count = 0;
	struct standing_fact *limits =
		s == NULL ? NULL : standing_list(s, STANDING_LIMITS, &limits_count);
	struct standing_fact *disabled =
		s == NULL ? NULL : standing_list(s, STANDING_DISABLED, &disabled_count);
	struct said *said = calloc(limits_count + disabled_count + 1, sizeof(*said));

	*count = 0;
	if (s == NULL && said != NULL)
		return said;
	if (limits == NULL || disabled == NULL || said == NULL ||
		!take_facts(limits, limits_count, said, count) ||
		!take_facts(disabled, disabled_count, said, count)) {
		free_said(said, said == NULL ? 0 : *count);
		said = NULL;
	}
	free(limits);
	free(disabled);
	if (said != NULL)
		qsort(said, *count, sizeof(*said), by_closeness);
	return said;
}

bool limit_book_has_quota_in(const struct settings *s)
{
	bool has = limits_have(&s->user_defaults.limits, LIMIT_QUOTA) ||
		limits_have(&s->anonymous_defaults.limits, LIMIT_QUOTA);

	for (size_t i = 0; i < s->group_defaults.count; i++)
		has |= limits_have(&s->group_defaults.lines[i].limits, LIMIT_QUOTA);
	for (size_t i = 0; i < s->client_limits.count; i++)
		has |= limits_have(&s->client_limits.lines[i].limits, LIMIT_QUOTA);
	return has;
}

static bool say_quota(const struct said *said, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (limits_have(&said[i].limits, LIMIT_QUOTA))
			return true;
	}
	return false;
}

int limit_book_read(struct limit_book *b, struct config *c, struct standing *s)
{
	size_t count, old_count;
	struct said *said = read_standing(s, &count), *old;
	struct config *before;
	bool is_about_clients, has_quotas;

	if (said == NULL)
		return -1;
	is_about_clients = count > 0 || c->settings.client_limits.count > 0 ||
		!limits_say_nothing(&c->settings.anonymous_defaults.limits);
	has_quotas = limit_book_has_quota_in(&c->settings) || say_quota(said, count);
	config_hold(c);
	rwlock_write(&b->lock);
	before = b->config;
	old = b->said;
	old_count = b->count;
	b->config = c;
	b->said = said;
	b->count = count;
	rwlock_write_unlock(&b->lock);
	atomic_store(&b->is_about_clients, is_about_clients);
	atomic_store(&b->has_quotas, has_quotas);
	atomic_fetch_add(&b->version, 1);
	free_said(old, old_count);
	config_release(before);
	return 0;
}

uint64_t limit_book_version(const struct limit_book *b)
{
	return atomic_load(&b->version);
}

bool limit_book_is_about_clients(const struct limit_book *b)
{
	return atomic_load(&b->is_about_clients);
}

bool limit_book_has_quotas(const struct limit_book *b)
{
	return atomic_load(&b->has_quotas);
}

/* ---- putting together ---- */

/* What holds, while it is put together, and where it comes from. */
struct draft {
	struct limits_in_force in_force;
	struct limit_sources sources;
};

/* `limits` are farther than what is there already. */
static void add_farther(
	struct draft *f, const struct limits *limits, unsigned legal, const char *source)
{
	struct limits part = *limits;

	for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
		if ((legal & LIMIT_BIT(key)) == 0)
			part.said[key] = LIMIT_UNSAID;
		if (f->in_force.limits.said[key] == LIMIT_UNSAID && part.said[key] != LIMIT_UNSAID)
			snprintf(f->sources.of[key], sizeof(f->sources.of[key]), "%s", source);
	}
	limits_inherit(&f->in_force.limits, &part);
}

/* The closest who does it is named. */
static void keep_out(struct draft *f, const char *source)
{
	if (!f->in_force.is_kept_out)
		snprintf(f->sources.of[LIMIT_DISABLED], LIMIT_SOURCE_MAX, "%s", source);
	f->in_force.is_kept_out = true;
}

/* "client_limits:FILE:LINE". Returns `out`. */
static const char *name_source(
	const char *setting, const struct setting_place *place, char out[LIMIT_SOURCE_MAX])
{
	if (place->file == NULL)
		snprintf(out, LIMIT_SOURCE_MAX, "%s", setting);
	else
		snprintf(out, LIMIT_SOURCE_MAX, "%s:%.100s:%u", setting, place->file, place->line);
	return out;
}

/* "LIMITS:@GROUP", "DISABLE:NETWORK": by whom, and of whom. */
static void name_said(const struct said *s, char out[LIMIT_SOURCE_MAX])
{
	const char *command = s->is_disabled ? LIMIT_BY_DISABLE : "LIMITS:";
	char text[NETWORK_TEXT_MAX];

	if (s->holder.group != NULL)
		snprintf(out, LIMIT_SOURCE_MAX, "%s@%s", command, s->holder.group);
	else
		snprintf(out, LIMIT_SOURCE_MAX, "%s%s", command,
			network_format(&s->holder.network, text));
}

/* ---- users ---- */

/* What is said of a group of users; false: nothing is. */
static bool put_group_together(
	const struct limit_book *b, const char *group, size_t len, struct draft *out)
{
	char source[LIMIT_SOURCE_MAX];
	bool found = false;

	*out = (struct draft){.in_force = {.is_kept_out = false}};
	for (size_t i = 0; i < b->count; i++) {
		const struct said *s = &b->said[i];

		if (s->holder.group == NULL || strlen(s->holder.group) != len ||
			memcmp(s->holder.group, group, len) != 0)
			continue;
		name_said(s, source);
		add_farther(out, &s->limits, LIMITS_OF_USERS, source);
		if (s->is_disabled)
			keep_out(out, source);
		found = true;
	}
	for (size_t i = 0; b->config != NULL && i < b->config->settings.group_defaults.count; i++) {
		const struct limit_line *line = &b->config->settings.group_defaults.lines[i];

		if (strlen(line->holders[0].group) != len ||
			memcmp(line->holders[0].group, group, len) != 0)
			continue;
		add_farther(out, &line->limits, LIMITS_OF_USERS,
			name_source("group_defaults", &line->place, source));
		found = true;
	}
	return found;
}

/* The most generous of what groups say; of a key that several say the source is the one whose value
 * it is. */
static void widen_with(struct draft *all, const struct draft *group)
{
	struct limits before = all->in_force.limits;

	limits_widen(&all->in_force.limits, &group->in_force.limits);
	if (group->in_force.is_kept_out)
		keep_out(all, group->sources.of[LIMIT_DISABLED]);
	for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
		struct limits one = {.said = {0}}, other = {.said = {0}};

		if (group->in_force.limits.said[key] == LIMIT_UNSAID)
			continue;
		one = before;
		other = all->in_force.limits;
		for (enum limit_key k = 0; k < LIMIT_KEYS; k++) {
			if (k != key)
				one.said[k] = other.said[k] = LIMIT_UNSAID;
		}
		if (!limits_equal(&one, &other))
			strcpy(all->sources.of[key], group->sources.of[key]);
	}
}

static void add_groups(const struct limit_book *b, const char *groups, struct draft *out)
{
	struct draft all = {.in_force = {.is_kept_out = false}}, group;

	while (*groups != '\0') {
		size_t len = strcspn(groups, ",");

		if (put_group_together(b, groups, len, &group))
			widen_with(&all, &group);
		groups += len + (groups[len] == ',');
	}
	if (all.in_force.is_kept_out)
		keep_out(out, all.sources.of[LIMIT_DISABLED]);
	for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
		if (out->in_force.limits.said[key] == LIMIT_UNSAID && key != LIMIT_DISABLED)
			strcpy(out->sources.of[key], all.sources.of[key]);
	}
	limits_inherit(&out->in_force.limits, &all.in_force.limits);
}

static void hand_over(
	const struct draft *d, struct limits_in_force *out, struct limit_sources *sources)
{
	*out = d->in_force;
	if (sources != NULL)
		*sources = d->sources;
}

void limit_book_of_user(struct limit_book *b, const struct limits *own, struct limits_in_force *out,
	struct limit_sources *sources)
{
	struct draft d = {.in_force = {.is_kept_out = false}};
	char source[LIMIT_SOURCE_MAX];

	if (limits_have(own, LIMIT_DISABLED) && own->is_disabled)
		keep_out(&d, "users_file");
	add_farther(&d, own, LIMITS_OF_USER, "users_file");
	d.in_force.limits = *own;
	rwlock_read(&b->lock);
	if (limits_have(own, LIMIT_GROUPS))
		add_groups(b, own->groups, &d);
	if (b->config != NULL)
		add_farther(&d, &b->config->settings.user_defaults.limits, LIMITS_OF_USERS,
			name_source(
				"user_defaults", &b->config->settings.user_defaults.place, source));
	rwlock_read_unlock(&b->lock);
	hand_over(&d, out, sources);
}

bool limit_book_of_group(struct limit_book *b, const char *group, struct limits_in_force *out,
	struct limit_sources *sources)
{
	struct draft d;
	bool found;

	rwlock_read(&b->lock);
	found = put_group_together(b, group, strlen(group), &d);
	rwlock_read_unlock(&b->lock);
	hand_over(&d, out, sources);
	return found;
}

void limit_book_each_group(struct limit_book *b,
	void (*take)(void *context, const char *name, size_t len), void *context)
{
	rwlock_read(&b->lock);
	for (size_t i = 0; i < b->count; i++) {
		if (b->said[i].holder.group != NULL)
			take(context, b->said[i].holder.group, strlen(b->said[i].holder.group));
	}
	rwlock_read_unlock(&b->lock);
}

/* ---- clients ---- */

static bool is_in_group(const struct config *c, const char *group, const struct network *client)
{
	const struct client_group *found = c == NULL
		? NULL
		: client_groups_find(&c->settings.client_groups, group, strlen(group));

	return found != NULL && client_group_contains(found, &client->base);
}

/* Does the line hold for all of the client, which may be a /64? */
static bool is_held_by(
	const struct config *c, const struct limit_holder *holder, const struct network *client)
{
	if (holder->group != NULL)
		return is_in_group(c, holder->group, client);
	return holder->network.prefix <= client->prefix &&
		network_contains_on_link(&holder->network, &client->base);
}

static void add_said_of_client(
	const struct limit_book *b, const struct network *client, struct draft *out)
{
	char source[LIMIT_SOURCE_MAX];

	for (size_t i = 0; i < b->count; i++) {
		const struct said *s = &b->said[i];

		if (!is_held_by(b->config, &s->holder, client))
			continue;
		name_said(s, source);
		add_farther(out, &s->limits, LIMITS_OF_CLIENTS, source);
		if (s->is_disabled)
			keep_out(out, source);
	}
}

static void add_configured_of_client(
	const struct config *c, const struct network *client, struct draft *out)
{
	const struct limit_lines *lines = &c->settings.client_limits;
	char source[LIMIT_SOURCE_MAX];

	for (size_t i = 0; i < lines->count; i++) {
		const struct limit_line *line = &lines->lines[i];
		bool fits = false;

		for (size_t k = 0; k < line->count && !fits; k++)
			fits = is_held_by(c, &line->holders[k], client);
		if (fits) {
			add_farther(out, &line->limits, LIMITS_OF_CLIENTS,
				name_source("client_limits", &line->place, source));
			return;
		}
	}
}

static void add_anonymous(const struct config *c, struct draft *out)
{
	const struct limit_default *d = &c->settings.anonymous_defaults;
	char source[LIMIT_SOURCE_MAX];

	for (enum limit_key key = 0; key < LIMIT_KEYS; key++) {
		if (out->in_force.limits.said[key] == LIMIT_UNSAID &&
			d->limits.said[key] != LIMIT_UNSAID)
			out->in_force.of_anonymous |= LIMIT_BIT(key);
	}
	add_farther(out, &d->limits, LIMITS_OF_CLIENTS,
		name_source("anonymous_defaults", &d->place, source));
}

void limit_book_of_client(struct limit_book *b, const struct network *client,
	struct limits_in_force *out, struct limit_sources *sources)
{
	struct draft d = {.in_force = {.is_kept_out = false}};

	rwlock_read(&b->lock);
	add_said_of_client(b, client, &d);
	if (b->config != NULL) {
		add_configured_of_client(b->config, client, &d);
		add_anonymous(b->config, &d);
	}
	rwlock_read_unlock(&b->lock);
	hand_over(&d, out, sources);
}
