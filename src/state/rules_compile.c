/*
 * A set is made anew from its lines whenever one of them, what they refer to or a file may have
 * changed; it is made whole before anybody sees it. What goes on from set to set are the hits: a
 * line that is there again, word for word, takes over the counter of the one before, so that no hit
 * is lost while the two are exchanged.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hashmap.h"
#include "base/nearest.h"
#include "base/wall.h"
#include "state/copies.h"
#include "state/rule_set.h"
#include "state/rules.h"
#include "state/upstream_line.h"

static _Atomic(uint32_t) last_id;

struct compiling {
	struct rules *rules; /* that come to be */
	const struct settings *settings;
	bool at_start; /* a file that cannot be read is a warning */
	char *error;
};

/* Always -1. */
static int refuse_set(struct compiling *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse_set(struct compiling *c, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(c->error, RULES_ERROR_MAX, format, ap);
	va_end(ap);
	return -1;
}

static int refuse_for_memory(struct compiling *c)
{
	return refuse_set(c, "rule: out of memory");
}

static int warn_of_set(struct compiling *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int warn_of_set(struct compiling *c, const char *format, ...)
{
	struct rules *r = c->rules;
	char **warnings = reallocarray(r->warnings, r->warning_count + 1, sizeof(*warnings));
	va_list ap;
	int len;

	if (warnings == NULL)
		return refuse_for_memory(c);
	r->warnings = warnings;
	va_start(ap, format);
	len = vasprintf(&warnings[r->warning_count], format, ap);
	va_end(ap);
	if (len < 0)
		return refuse_for_memory(c);
	r->warning_count++;
	return 0;
}

static const char *where_it_stands(const struct setting_place *place, char out[SETTING_PLACE_MAX])
{
	setting_place_put(place, out, SETTING_PLACE_MAX);
	return out;
}

/* ---- a set's life ---- */

struct rules *rules_hold(struct rules *r)
{
	if (r != NULL)
		atomic_fetch_add(&r->references, 1);
	return r;
}

void rules_release(struct rules *r)
{
	if (r == NULL || atomic_fetch_sub(&r->references, 1) > 1)
		return;
	for (size_t i = 0; i < r->count; i++)
		rule_release(r->rules[i]);
	for (size_t i = 0; i < PLACE_PROTECTED; i++)
		rule_hits_release(r->protection_hits[i]);
	for (size_t i = 0; i < r->warning_count; i++)
		free(r->warnings[i]);
	rule_hits_release(r->otherwise_hits);
	free(r->warnings);
	free(r->times);
	free(r->rules);
	free(r);
}

/* Goes on counting where the other did. */
static struct rule_hits *go_on_with(struct rule_hits *hits)
{
	return hits == NULL ? rule_hits_new() : rule_hits_hold(hits);
}

/* Room for so many rules, none of them there yet. NULL without memory. */
static struct rules *set_new(const struct settings *s, const struct rules *before, size_t room)
{
	struct rules *r = calloc(1, sizeof(*r));
	bool has_all;

	if (r == NULL)
		return NULL;
	atomic_init(&r->references, 1);
	r->id = atomic_fetch_add(&last_id, 1) + 1;
	r->otherwise_allows = s->otherwise == RULE_ALLOW;
	r->is_protected = (unsigned)s->protect;
	r->rules = calloc(room + 1, sizeof(struct rule *)); /* no set is without */
	r->otherwise_hits = go_on_with(before == NULL ? NULL : before->otherwise_hits);
	has_all = r->rules != NULL && r->otherwise_hits != NULL;
	for (size_t i = 0; i < PLACE_PROTECTED; i++) {
		r->protection_hits[i] =
			go_on_with(before == NULL ? NULL : before->protection_hits[i]);
		has_all = has_all && r->protection_hits[i] != NULL;
	}
	if (has_all)
		return r;
	rules_release(r);
	return NULL;
}

/* ---- files ---- */

static struct rule_area *areas_of(struct rule *rule, enum rule_keyword keyword)
{
	return keyword == RULE_FROM ? &rule->from : &rule->to;
}

/* That file, where an earlier rule has had it read; NULL: none has. */
static const struct rule_file *find_read(
	const struct rules *r, enum rule_keyword keyword, const char *path)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct rule_area *area = areas_of(r->rules[i], keyword);

		for (size_t k = 0; k < area->file_count; k++) {
			if (area->files[k].list != NULL && strcmp(area->files[k].path, path) == 0)
				return &area->files[k];
		}
	}
	return NULL;
}

static int warn_of_skipped(struct compiling *c, const struct rule_list_file *file)
{
	if (file->skipped == 1)
		return warn_of_set(c, "%s; the line is skipped", file->first_skipped);
	return warn_of_set(
		c, "%s; %zu lines of the file are skipped", file->first_skipped, file->skipped);
}

/* What was read last, where that is kept. False when it is not. */
static bool read_copy_of_rule(const struct compiling *c, struct rule_file *file, bool names)
{
	char path[PATH_MAX], why[RULE_LIST_ERROR_MAX];
	struct rule_list_file read;

	if (*c->settings->state_dir == '\0' ||
		rule_list_read(copies_path(c->settings->state_dir, file->path, path), names, &read,
			why) < 0)
		return false;
	file->list = read.list;
	file->is_copy = true;
	return true;
}

/* Whoever starts must serve; so it is said, and the rule keeps to the safe side. */
static int do_without(struct compiling *c, const struct rule *rule, const char *why)
{
	return warn_of_set(c, "%s: so the rule \"%s\" %s", why, rule->text,
		rule->action == RULE_DENY ? "denies as if all were in it" : "allows nothing");
}

static int read_file_of_rule(
	struct compiling *c, const struct rule *rule, struct rule_file *file, bool names)
{
	char why[RULE_LIST_ERROR_MAX], where[SETTING_PLACE_MAX];
	struct rule_list_file read;

	if (rule_list_read(file->path, names, &read, why) < 0) {
		if (c->at_start && read_copy_of_rule(c, file, names))
			return warn_of_set(
				c, "%s: so it serves as it was when it was read last", why);
		if (c->at_start)
			return do_without(c, rule, why);
		return refuse_set(c, "%srule: %.400s", where_it_stands(&rule->place, where), why);
	}
	file->list = read.list;
	return read.skipped > 0 ? warn_of_skipped(c, &read) : 0;
}

static int read_files(struct compiling *c, struct rule *rule, enum rule_keyword keyword)
{
	struct rule_area *area = areas_of(rule, keyword);

	for (size_t i = 0; i < area->file_count; i++) {
		const struct rule_file *known = find_read(c->rules, keyword, area->files[i].path);

		area->files[i].is_copy = known != NULL && known->is_copy;
		if (known != NULL)
			area->files[i].list = rule_list_hold(known->list);
		else if (read_file_of_rule(c, rule, &area->files[i], keyword == RULE_TO) < 0)
			return -1;
	}
	return 0;
}

/* ---- rules ---- */

static int refuse_upstream(struct compiling *c, const struct rule *rule, const char *name)
{
	const struct text_lines *lines = &c->settings->upstreams;
	char where[SETTING_PLACE_MAX], hint[NEAREST_HINT_MAX];
	struct nearest nearest = nearest_to(name, strlen(name));
	char known[UPSTREAM_LINES_MAX][UPSTREAM_NAME_MAX + 1];

	for (size_t i = 0; i < lines->count; i++)
		nearest_try(&nearest, upstream_line_name(lines->lines[i].text, known[i]));
	return refuse_set(c, "%srule: \"%.256s\": \"%s\": there is no upstream of that name%s",
		where_it_stands(&rule->place, where), rule->text, name,
		nearest_hint(&nearest, "", hint));
}

static int check_upstreams(struct compiling *c, const struct rule *rule)
{
	for (size_t i = 0; i < rule->via_count; i++) {
		if (upstream_line_find(&c->settings->upstreams, rule->via[i]) == NULL)
			return refuse_upstream(c, rule, rule->via[i]);
	}
	return 0;
}

/* A rule from its text, whose files are read. NULL with the reason in the error. */
static struct rule *make_rule(
	struct compiling *c, const char *text, const struct setting_place *place)
{
	char why[RULE_ERROR_MAX], where[SETTING_PLACE_MAX];
	struct rule *rule = rule_parse(text, strlen(text), &c->settings->client_groups, why);

	if (rule == NULL) {
		(void)refuse_set(
			c, "%srule: \"%.256s\": %s", where_it_stands(place, where), text, why);
		return NULL;
	}
	rule->place = *place;
	if (check_upstreams(c, rule) == 0 && read_files(c, rule, RULE_FROM) == 0 &&
		read_files(c, rule, RULE_TO) == 0)
		return rule;
	rule_release(rule);
	return NULL;
}

/* Takes the rule over, with the hits of the one that it goes on from (NULL: of none). */
static int append_rule(struct compiling *c, struct rule *rule, const struct rule *before)
{
	rule->hits = go_on_with(before == NULL ? NULL : before->hits);
	c->rules->rules[c->rules->count++] = rule;
	return rule->hits == NULL ? refuse_for_memory(c) : 0;
}

static int append_temporary(
	struct compiling *c, const struct temporary_rule *t, const struct rule *before)
{
	const struct setting_place nowhere = {.file = NULL};
	struct rule *rule = make_rule(c, t->text, &nowhere);

	if (rule == NULL)
		return -1;
	rule->number = t->number;
	rule->until = wall_to_steady(t->until);
	c->rules->temporary++;
	return append_rule(c, rule, before);
}

/* A temporary rule goes on; where a group that it names is gone, as it is. */
static int keep_temporary(struct compiling *c, struct rule *old)
{
	const struct temporary_rule t = {
		.text = old->text, .number = old->number, .until = rules_end(old)};
	char why[RULE_ERROR_MAX];
	struct rule *again =
		rule_parse(old->text, strlen(old->text), &c->settings->client_groups, why);

	rule_release(again);
	if (again != NULL)
		return append_temporary(c, &t, old);
	c->rules->rules[c->rules->count++] = rule_hold(old);
	c->rules->temporary++;
	return 0;
}

/* The rules of a set by their text; of several alike the first that was not taken yet. */
static struct hashmap *index_texts(const struct rules *r)
{
	struct hashmap *map = hashmap_new(r == NULL ? 0 : r->count);
	void *old;

	for (size_t i = r == NULL ? 0 : r->count; map != NULL && r != NULL && i-- > r->temporary;) {
		struct rule *rule = r->rules[i];

		if (hashmap_put(map, rule->text, strlen(rule->text), rule, &old) < 0) {
			hashmap_free(map, NULL);
			return NULL;
		}
	}
	return map;
}

static int compile_lines(struct compiling *c, struct hashmap *before)
{
	const struct text_lines *lines = &c->settings->rules;

	for (size_t i = 0; i < lines->count; i++) {
		const struct text_line *line = &lines->lines[i];
		struct rule *rule = make_rule(c, line->text, &line->place);

		if (rule == NULL ||
			append_rule(c, rule,
				hashmap_remove(before, rule->text, strlen(rule->text))) < 0)
			return -1;
	}
	return 0;
}

/* ---- what follows from all of them ---- */

static int add_time(struct compiling *c, const struct rule_time *time)
{
	struct rules *r = c->rules;
	struct rule_time *times;

	for (size_t i = 0; i < r->time_count; i++) {
		if (r->times[i].from == time->from && r->times[i].until == time->until) {
			r->times[i].days |= time->days;
			return 0;
		}
	}
	times = reallocarray(r->times, r->time_count + 1, sizeof(*times));
	if (times == NULL)
		return refuse_for_memory(c);
	r->times = times;
	times[r->time_count++] = *time;
	return 0;
}

static int sum_up(struct compiling *c)
{
	struct rules *r = c->rules;

	r->asks_own = (r->is_protected & PLACE_BIT(PLACE_OWN)) != 0;
	for (size_t i = 0; i < r->count; i++) {
		const struct rule *rule = r->rules[i];

		r->asks_users |= (rule->keywords & (1U << RULE_USER)) != 0;
		r->asks_own |= (rule->to.places & PLACE_BIT(PLACE_OWN)) != 0;
		for (size_t k = 0; k < rule->user_count; k++)
			r->asks_groups |= rule->users[k].is_group;
		for (size_t k = 0; k < rule->time_count; k++) {
			if (add_time(c, &rule->times[k]) < 0)
				return -1;
		}
	}
	return 0;
}

/* ---- the whole ---- */

/* The set, or NULL when something of it failed. */
static struct rules *finish_set(struct compiling *c, int result)
{
	if (result == 0 && sum_up(c) == 0)
		return c->rules;
	rules_release(c->rules);
	return NULL;
}

struct rules *rules_compile(const struct settings *s, const struct rules *before, bool at_start,
	char error[RULES_ERROR_MAX])
{
	size_t temporary = before == NULL ? 0 : before->temporary;
	struct compiling c = {.rules = set_new(s, before, temporary + s->rules.count),
		.settings = s,
		.at_start = at_start,
		.error = error};
	struct hashmap *texts = index_texts(before);
	int result = 0;

	tzset(); /* which may be another one by now */
	if (c.rules == NULL || texts == NULL) {
		hashmap_free(texts, NULL);
		rules_release(c.rules);
		(void)refuse_for_memory(&c);
		return NULL;
	}
	for (size_t i = 0; i < temporary && result == 0; i++)
		result = keep_temporary(&c, before->rules[i]);
	if (result == 0)
		result = compile_lines(&c, texts);
	hashmap_free(texts, NULL);
	return finish_set(&c, result);
}

/* The temporary rule of this number; NULL: there is none. */
static const struct rule *find_temporary(const struct rules *r, unsigned number)
{
	for (size_t i = 0; i < r->temporary; i++) {
		if (r->rules[i]->number == number)
			return r->rules[i];
	}
	return NULL;
}

struct rules *rules_with_temporary(const struct rules *r, const struct settings *s,
	const struct temporary_rule *all, size_t count, char error[RULES_ERROR_MAX])
{
	struct compiling c = {.rules = set_new(s, r, count + r->count - r->temporary),
		.settings = s,
		.error = error};
	int result = 0;

	if (c.rules == NULL) {
		(void)refuse_for_memory(&c);
		return NULL;
	}
	for (size_t i = 0; i < count && result == 0; i++)
		result = append_temporary(&c, &all[i], find_temporary(r, all[i].number));
	for (size_t i = r->temporary; i < r->count && result == 0; i++)
		c.rules->rules[c.rules->count++] = rule_hold(r->rules[i]);
	return finish_set(&c, result);
}
