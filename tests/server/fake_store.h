/* fake_store: what an engine keeps, in the test's memory, and what it answers to the commands that
 * servers give which share their state. One thread's at a time. */
#ifndef TESTS_SERVER_FAKE_STORE_H
#define TESTS_SERVER_FAKE_STORE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <hiredis/hiredis.h>

#include "../base/check.h"

#define FAKE_MOST 16384 /* fields, events and replies on their way */

/* A field of a hash, a member of a set, or (field "") a plain value. */
struct fake_field {
	char *key, *field, *value;
};

struct fake_event {
	char *words[10]; /* NAME VALUE ... */
};

static struct fake_field fake_fields[FAKE_MOST];
static size_t fake_field_count;
static struct fake_event fake_events[FAKE_MOST];
static size_t fake_event_count;
static size_t fake_trimmed; /* events that it has no more */
static bool fake_tells_beats; /* as events, which then are not only what tests are about */
static const char *fake_error; /* what it says to any command that writes; NULL: nothing */
#define FAKE_NONSENSE "" /* the error that stands for an answer which is none to any command */
static const char *fake_refused; /* the only one that it says that to; NULL: any */
static int64_t fake_behind; /* seconds that its clock is behind whoever asks */
static size_t fake_writes; /* commands so far that write */
static bool fake_has_script; /* it was told the one that there is (sharing_users.c) */

/* ---- replies ---- */

static inline redisReply *fake_text(int type, const char *text)
{
	redisReply *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->type = type;
	r->str = strdup(text);
	return r;
}

static inline redisReply *fake_nil(void)
{
	redisReply *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->type = REDIS_REPLY_NIL;
	return r;
}

static inline redisReply *fake_list(size_t room)
{
	redisReply *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->type = REDIS_REPLY_ARRAY;
	r->element = calloc(room + 1, sizeof(redisReply *));
	assert_non_null(r->element);
	return r;
}

static inline void fake_add(redisReply *list, redisReply *element)
{
	list->element[list->elements++] = element;
}

static inline void fake_add_text(redisReply *list, const char *text)
{
	fake_add(list, fake_text(REDIS_REPLY_STRING, text));
}

/* ---- what it keeps ---- */

static inline struct fake_field *fake_find(const char *key, const char *field)
{
	for (size_t i = 0; i < fake_field_count; i++) {
		if (strcmp(fake_fields[i].key, key) == 0 &&
			strcmp(fake_fields[i].field, field) == 0)
			return &fake_fields[i];
	}
	return NULL;
}

static inline void fake_put(const char *key, const char *field, const char *value)
{
	struct fake_field *f = fake_find(key, field);

	if (f == NULL) {
		assert_true(fake_field_count < FAKE_MOST);
		f = &fake_fields[fake_field_count++];
		f->key = strdup(key);
		f->field = strdup(field);
	} else {
		free(f->value);
	}
	f->value = strdup(value);
}

/* NULL: there is none. */
static inline const char *fake_get(const char *key, const char *field)
{
	const struct fake_field *f = fake_find(key, field);

	return f == NULL ? NULL : f->value;
}

/* `field` NULL: all of the key. */
static inline void fake_drop(const char *key, const char *field)
{
	for (size_t i = fake_field_count; i-- > 0;) {
		struct fake_field *f = &fake_fields[i];

		if (strcmp(f->key, key) != 0 || (field != NULL && strcmp(f->field, field) != 0))
			continue;
		free(f->key);
		free(f->field);
		free(f->value);
		*f = fake_fields[--fake_field_count];
	}
}

static inline void fake_add_event(const char *const *words)
{
	struct fake_event *e;

	if (words[0] != NULL && strcmp(words[3], "beat") == 0 && !fake_tells_beats)
		return;
	assert_true(fake_event_count < FAKE_MOST);
	e = &fake_events[fake_event_count++];
	memset(e, 0, sizeof(*e));
	for (size_t i = 0; i < 10 && words[i] != NULL; i++)
		e->words[i] = strdup(words[i]);
}

/* It has lost everything. */
static inline void fake_empty(void)
{
	fake_has_script = false;
	while (fake_field_count > 0)
		fake_drop(fake_fields[0].key, NULL);
	fake_trimmed = 0;
	while (fake_event_count > 0) {
		fake_event_count--;
		for (size_t i = 0; i < 10; i++)
			free(fake_events[fake_event_count].words[i]);
	}
}

/* ---- commands ---- */

static inline redisReply *fake_scan(const char *key)
{
	redisReply *r = fake_list(2), *fields = fake_list(2 * fake_field_count);

	fake_add_text(r, "0");
	fake_add(r, fields);
	for (size_t i = 0; i < fake_field_count; i++) {
		if (strcmp(fake_fields[i].key, key) != 0)
			continue;
		fake_add_text(fields, fake_fields[i].field);
		fake_add_text(fields, fake_fields[i].value);
	}
	return r;
}

static inline redisReply *fake_members(const char *key)
{
	redisReply *r = fake_list(fake_field_count);

	for (size_t i = 0; i < fake_field_count; i++) {
		if (strcmp(fake_fields[i].key, key) == 0)
			fake_add_text(r, fake_fields[i].field);
	}
	return r;
}

static inline redisReply *fake_event(size_t i)
{
	redisReply *r = fake_list(2), *fields = fake_list(10);
	char id[32];

	snprintf(id, sizeof(id), "%zu-0", i + 1);
	fake_add_text(r, id);
	fake_add(r, fields);
	for (size_t k = 0; k < 10 && fake_events[i].words[k] != NULL; k++)
		fake_add_text(fields, fake_events[i].words[k]);
	return r;
}

static inline redisReply *fake_oldest(void)
{
	redisReply *r = fake_list(1);

	if (fake_event_count > fake_trimmed)
		fake_add(r, fake_event(fake_trimmed));
	return r;
}

static inline redisReply *fake_newest(void)
{
	redisReply *r = fake_list(1);

	if (fake_event_count > 0)
		fake_add(r, fake_event(fake_event_count - 1));
	return r;
}

static inline redisReply *fake_read(const char *key, const char *after, size_t most)
{
	size_t seen = strtoul(after, NULL, 10);
	redisReply *r, *stream, *events;

	if (seen >= fake_event_count)
		return fake_nil();
	r = fake_list(1);
	stream = fake_list(2);
	events = fake_list(fake_event_count);
	fake_add(r, stream);
	fake_add_text(stream, key);
	fake_add(stream, events);
	if (seen < fake_trimmed)
		seen = fake_trimmed;
	for (size_t i = seen; i < fake_event_count && i < seen + most; i++)
		fake_add(events, fake_event(i));
	return r;
}

static inline void fake_put_all(const char *key, const char *const *words)
{
	for (; *words != NULL; words += 2)
		fake_put(key, words[0], words[1]);
}

static inline void fake_drop_all(const char *key, const char *const *fields)
{
	for (; *fields != NULL; fields++)
		fake_drop(key, *fields);
}

/* By the clock of the day, which the test has. */
static inline redisReply *fake_clock(void)
{
	redisReply *r = fake_list(2);
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)time(NULL) - fake_behind);
	fake_add_text(r, seconds);
	fake_add_text(r, "0");
	return r;
}

/* ---- the script of users ---- */

/* "VERSION NODE ..."; false when it is none. */
static inline bool fake_parse_user(const char *value, unsigned long long *version, char node[64])
{
	return value != NULL && sscanf(value, "%19llu %63s", version, node) == 2 &&
		*version <= 1ULL << 52;
}

static inline bool fake_outranks(const char *there, const char *const *argv)
{
	unsigned long long version, ours = strtoull(argv[2], NULL, 10);
	char node[64];

	if (!fake_parse_user(there, &version, node))
		return false;
	return version > ours || (version == ours && strcmp(argv[3], node) <= 0);
}

/* One that the command has to have. */
static inline const char *fake_word(const char *const *w, size_t i)
{
	assert_non_null(w[i]);
	return w[i];
}

/* EVALSHA SHA 2 USERS EVENTS and then, as argv: name, value, version, node, what gives way,
 * instance, part, events kept. */
static inline redisReply *fake_run_script(const char *const *w)
{
	const char *const *argv = w + 5;
	const char *there = fake_get(fake_word(w, 3), argv[0]);
	redisReply *one;

	if (!fake_has_script)
		return fake_text(REDIS_REPLY_ERROR, "NOSCRIPT No matching script.");
	if (there != NULL && strcmp(there, argv[4]) != 0 &&
		(argv[1][0] == '\0' || fake_outranks(there, argv)))
		return fake_text(REDIS_REPLY_STRING, there);
	if (argv[1][0] == '\0') {
		fake_drop(fake_word(w, 3), argv[0]);
	} else {
		fake_put(fake_word(w, 3), argv[0], argv[1]);
		fake_add_event((const char *const[]){
			"i", argv[5], "k", "user", "n", argv[6], "a", argv[0], "v", argv[1], NULL});
	}
	one = calloc(1, sizeof(*one));
	assert_non_null(one);
	one->type = REDIS_REPLY_INTEGER;
	one->integer = 1;
	return one;
}

static inline redisReply *fake_load_script(void)
{
	fake_has_script = true;
	return fake_text(REDIS_REPLY_STRING, "1234");
}

/* A command that changes something. */
static inline redisReply *fake_write(const char *const *w)
{
	fake_writes++;
	if (fake_error != NULL && fake_refused == NULL)
		return fake_text(REDIS_REPLY_ERROR, fake_error);
	if (strcmp(fake_word(w, 0), "EVALSHA") == 0)
		return fake_run_script(w);
	if (strcmp(fake_word(w, 0), "SCRIPT") == 0)
		return fake_load_script();
	if (strcmp(fake_word(w, 0), "HSET") == 0)
		fake_put_all(fake_word(w, 1), w + 2);
	else if (strcmp(fake_word(w, 0), "HSETNX") == 0 &&
		fake_get(fake_word(w, 1), fake_word(w, 2)) == NULL)
		fake_put(fake_word(w, 1), fake_word(w, 2), fake_word(w, 3));
	else if (strcmp(fake_word(w, 0), "SADD") == 0)
		fake_put(fake_word(w, 1), fake_word(w, 2), "");
	else if (strcmp(fake_word(w, 0), "HDEL") == 0 || strcmp(fake_word(w, 0), "SREM") == 0)
		fake_drop_all(fake_word(w, 1), w + 2);
	else if (strcmp(fake_word(w, 0), "DEL") == 0)
		fake_drop(fake_word(w, 1), NULL);
	else if (strcmp(fake_word(w, 0), "XADD") == 0)
		fake_add_event(w + 6);
	else if (strcmp(fake_word(w, 0), "SET") == 0 && fake_get(fake_word(w, 1), "") == NULL)
		fake_put(fake_word(w, 1), "", fake_word(w, 2));
	return fake_text(REDIS_REPLY_STATUS, "OK");
}

static inline redisReply *fake_answer(const char *value)
{
	return value == NULL ? fake_nil() : fake_text(REDIS_REPLY_STRING, value);
}

static inline redisReply *fake_do(const char *const *w)
{
	if (fake_error != NULL && fake_refused != NULL &&
		strcmp(fake_refused, fake_word(w, 0)) == 0)
		return fake_text(
			*fake_error == '\0' ? REDIS_REPLY_STATUS : REDIS_REPLY_ERROR, fake_error);
	if (strcmp(fake_word(w, 0), "GET") == 0)
		return fake_text(REDIS_REPLY_STRING, fake_get(fake_word(w, 1), ""));
	if (strcmp(fake_word(w, 0), "HGET") == 0)
		return fake_answer(fake_get(fake_word(w, 1), fake_word(w, 2)));
	if (strcmp(fake_word(w, 0), "HSCAN") == 0)
		return fake_scan(fake_word(w, 1));
	if (strcmp(fake_word(w, 0), "SMEMBERS") == 0)
		return fake_members(fake_word(w, 1));
	if (strcmp(fake_word(w, 0), "XREVRANGE") == 0)
		return fake_newest();
	if (strcmp(fake_word(w, 0), "TIME") == 0)
		return fake_clock();
	if (strcmp(fake_word(w, 0), "XREAD") == 0)
		return fake_read(
			fake_word(w, 4), fake_word(w, 5), strtoul(fake_word(w, 2), NULL, 10));
	if (strcmp(fake_word(w, 0), "XRANGE") == 0)
		return fake_oldest();
	return fake_write(w);
}

#endif
