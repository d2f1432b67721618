/*
 * A snapshot never changes once others can see it, so that whoever has a reference reads it without
 * a lock; a change makes another one. What it was read from is kept as it is given, since a reload
 * reads it all again.
 */
#include "state/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "state/rules.h"
#include "state/upstreams.h"

/* ---- reading ---- */

static size_t index_of(const struct setting *setting)
{
	return (size_t)(setting - settings_table);
}

static int read_file(const struct config_source *source, struct config *c, char *error)
{
	unsigned lines[SETTINGS_COUNT];

	if (source->path == NULL)
		return 0;
	if (config_file_read(source->path, !source->is_reload, settings_table, SETTINGS_COUNT,
		    &c->settings, lines, error) < 0)
		return -1;
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (lines[i] > 0)
			c->origins[i] =
				(struct config_origin){.from = CONFIG_FROM_FILE, .line = lines[i]};
	}
	return 0;
}

/* Before the first flag for it takes its place. -1 without memory. */
static int keep_what_file_says(struct config *c, const struct setting *setting)
{
	size_t i = index_of(setting);

	if (c->origins[i].from != CONFIG_FROM_FILE)
		return 0;
	c->beneath_flags[i] = setting_format(setting, &c->settings);
	return c->beneath_flags[i] == NULL ? -1 : 0;
}

static int apply_override(struct config *c, const struct config_override *o, char *error)
{
	struct config_origin *origin = &c->origins[index_of(o->setting)];
	const struct setting_input in = {
		.text = o->value, .adds = origin->from == CONFIG_FROM_FLAG};
	char flag[64], why[SETTING_ERROR_MAX];

	if (in.adds && !o->setting->type->is_list) {
		snprintf(error, CONFIG_ERROR_MAX, "%s: \"%.512s\": it was given already",
			setting_flag(o->setting, flag), o->value);
		return -1;
	}
	if (keep_what_file_says(c, o->setting) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		return -1;
	}
	if (!setting_set(o->setting, &c->settings, &in, why)) {
		snprintf(error, CONFIG_ERROR_MAX, "%s: %s", setting_flag(o->setting, flag), why);
		return -1;
	}
	*origin = (struct config_origin){.from = CONFIG_FROM_FLAG};
	return 0;
}

static int apply_overrides(const struct config_source *source, struct config *c, char *error)
{
	for (size_t i = 0; i < source->count; i++) {
		if (apply_override(c, &source->overrides[i], error) < 0)
			return -1;
	}
	return 0;
}

static int apply_given(const struct config_source *source, struct config *c, char *error)
{
	for (size_t i = 0; i < source->given_count; i++) {
		const struct config_override *o = &source->given[i];
		const struct setting_input in = {.text = o->value};
		char why[SETTING_ERROR_MAX];

		if (keep_what_file_says(c, o->setting) < 0) {
			snprintf(error, CONFIG_ERROR_MAX, "out of memory");
			return -1;
		}
		if (!setting_set(o->setting, &c->settings, &in, why)) {
			snprintf(error, CONFIG_ERROR_MAX, "sockets of the service manager: %s: %s",
				o->setting->name, why);
			return -1;
		}
		c->origins[index_of(o->setting)] =
			(struct config_origin){.from = CONFIG_FROM_SYSTEMD};
	}
	return 0;
}

struct config *config_read(const struct config_source *source, char error[CONFIG_ERROR_MAX])
{
	struct config *c = calloc(1, sizeof(*c));

	error[0] = '\0';
	if (c == NULL || settings_init(&c->settings) < 0) {
		snprintf(error, CONFIG_ERROR_MAX, "out of memory");
		free(c);
		return NULL;
	}
	atomic_init(&c->references, 1);
	c->path = source->path;
	if (read_file(source, c, error) < 0 || apply_overrides(source, c, error) < 0 ||
		apply_given(source, c, error) < 0) {
		config_release(c);
		return NULL;
	}
	return c;
}

char *config_in_file(const struct config *c, const struct setting *setting)
{
	size_t i = index_of(setting);

	if (c->origins[i].from == CONFIG_FROM_FILE)
		return setting_format(setting, &c->settings);
	return strdup(c->beneath_flags[i] != NULL ? c->beneath_flags[i] : "-");
}

struct config *config_hold(struct config *c)
{
	atomic_fetch_add(&c->references, 1);
	return c;
}

struct config *config_clone(const struct config *c)
{
	struct config *copy = calloc(1, sizeof(*copy));

	if (copy == NULL)
		return NULL;
	atomic_init(&copy->references, 1);
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (setting_copy(&settings_table[i], &copy->settings, &c->settings) < 0) {
			config_release(copy);
			return NULL;
		}
	}
	config_keep_own(copy, c);
	copy->rules = rules_hold(c->rules);
	copy->upstreams = upstreams_hold(c->upstreams);
	memcpy(copy->origins, c->origins, sizeof(copy->origins));
	copy->path = c->path;
	copy->auto_requires_login = c->auto_requires_login;
	return copy;
}

void config_set_rules(struct config *c, struct rules *rules)
{
	rules_release(c->rules);
	c->rules = rules;
}

void config_set_upstreams(struct config *c, struct upstreams *upstreams)
{
	upstreams_release(c->upstreams);
	c->upstreams = upstreams;
}

void config_keep_own(struct config *c, const struct config *old)
{
	memcpy(c->own, old->own, sizeof(c->own));
	c->own_count = old->own_count;
	c->monitor_at = old->monitor_at;
}

void config_release(struct config *c)
{
	if (c == NULL || atomic_fetch_sub(&c->references, 1) > 1)
		return;
	settings_free(&c->settings);
	rules_release(c->rules);
	upstreams_release(c->upstreams);
	for (size_t i = 0; i < SETTINGS_COUNT; i++)
		free(c->beneath_flags[i]);
	free(c);
}

/* ---- the store ---- */

struct config_store {
	struct rwlock lock;
	struct config *current;
	_Atomic(uint64_t) generation; /* of it; written with the lock held */
	struct idle_limits idle_limits; /* atomics, outside the lock */
};

static void follow(struct config_store *store, const struct settings *s)
{
	atomic_store(&store->idle_limits.timeout, s->timeout);
	atomic_store(&store->idle_limits.half_close_timeout, s->half_close_timeout);
	atomic_store(&store->idle_limits.udp_timeout, s->udp_timeout);
}

struct config_store *config_store_new(struct config *first)
{
	struct config_store *store = calloc(1, sizeof(*store));

	if (store == NULL)
		return NULL;
	rwlock_init(&store->lock);
	store->current = first;
	follow(store, &first->settings);
	return store;
}

void config_store_free(struct config_store *store)
{
	if (store == NULL)
		return;
	config_release(store->current);
	rwlock_destroy(&store->lock);
	free(store);
}

const struct idle_limits *config_idle_limits(const struct config_store *store)
{
	return &store->idle_limits;
}

struct config *config_get(struct config_store *store)
{
	struct config *c;

	rwlock_read(&store->lock);
	c = config_hold(store->current);
	rwlock_read_unlock(&store->lock);
	return c;
}

uint64_t config_generation(const struct config_store *store)
{
	return atomic_load(&store->generation);
}

void config_publish(struct config_store *store, struct config *next)
{
	struct config *old;

	rwlock_write(&store->lock);
	old = store->current;
	next->generation = old->generation + 1;
	store->current = next;
	atomic_store(&store->generation, next->generation);
	follow(store, &next->settings); /* it may be old, and gone, as soon as the lock is free */
	rwlock_write_unlock(&store->lock);
	config_release(old);
}
