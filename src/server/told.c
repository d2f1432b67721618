/*
 * A map from keys to what was told of them, each with the number of the round that it was seen in.
 * What is gone stays there until the round behind the one in which that was told: by then it has
 * arrived, or all is forgotten and it is told again.
 */
#include "server/told.h"

#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"

struct fact {
	unsigned round;
	bool is_told; /* and not forgotten */
	bool is_gone; /* so the last that was told of it */
	char *value; /* NULL: without memory */
	size_t key_len;
	char key[];
};

struct told {
	struct hashmap *facts;
	unsigned round;
	size_t position; /* of told_next_gone() */
};

static void free_fact(void *value)
{
	struct fact *f = value;

	if (f != NULL)
		free(f->value);
	free(f);
}

struct told *told_new(void)
{
	struct told *t = calloc(1, sizeof(*t));

	if (t != NULL)
		t->facts = hashmap_new(0);
	if (t == NULL || t->facts != NULL)
		return t;
	free(t);
	return NULL;
}

void told_free(struct told *t)
{
	if (t == NULL)
		return;
	hashmap_free(t->facts, free_fact);
	free(t);
}

void told_forget_all(struct told *t)
{
	struct fact *f;
	size_t position = 0;

	while ((f = hashmap_next(t->facts, &position)) != NULL)
		f->is_told = false;
}

void told_begin(struct told *t)
{
	t->round++;
	t->position = 0;
}

static struct fact *make_fact(struct told *t, const char *key)
{
	size_t len = strlen(key);
	struct fact *f = calloc(1, sizeof(*f) + len + 1);
	void *old;

	if (f == NULL)
		return NULL;
	f->key_len = len;
	memcpy(f->key, key, len);
	if (hashmap_put(t->facts, f->key, len, f, &old) == 0)
		return f;
	free(f);
	return NULL;
}

bool told_differs(struct told *t, const char *key, const char *value)
{
	struct fact *f = hashmap_get(t->facts, key, strlen(key));

	if (f == NULL)
		f = make_fact(t, key);
	if (f == NULL)
		return true;
	f->round = t->round;
	if (f->is_told && !f->is_gone && f->value != NULL && strcmp(f->value, value) == 0)
		return false;
	free(f->value);
	f->value = strdup(value);
	f->is_told = true;
	f->is_gone = false;
	return true;
}

void told_note(struct told *t, const char *key, const char *value)
{
	(void)told_differs(t, key, value);
}

bool told_is(const struct told *t, const char *key, const char *value)
{
	const struct fact *f = hashmap_get(t->facts, key, strlen(key));

	return f != NULL && f->value != NULL && strcmp(f->value, value) == 0;
}

const char *told_value(const struct told *t, const char *key)
{
	const struct fact *f = hashmap_get(t->facts, key, strlen(key));

	return f == NULL ? NULL : f->value;
}

void told_drop(struct told *t, const char *key)
{
	free_fact(hashmap_remove(t->facts, key, strlen(key)));
}

/* Taking one out may move another into its place, which is looked at next. */
void told_sift(struct told *t, bool (*is_to_go)(void *context, const char *key, const char *value),
	void *context)
{
	struct fact *f;
	size_t position = 0;

	while ((f = hashmap_next(t->facts, &position)) != NULL) {
		if (!is_to_go(context, f->key, f->value == NULL ? "" : f->value))
			continue;
		free_fact(hashmap_remove(t->facts, f->key, f->key_len));
		position--;
	}
}

/* The same. */
const char *told_next_gone(struct told *t, const char **last)
{
	struct fact *f;

	while ((f = hashmap_next(t->facts, &t->position)) != NULL) {
		if (f->round == t->round)
			continue;
		if (f->is_gone && f->is_told) {
			free_fact(hashmap_remove(t->facts, f->key, f->key_len));
			t->position--;
			continue;
		}
		f->round = t->round;
		f->is_gone = f->is_told = true;
		*last = f->value == NULL ? "" : f->value;
		return f->key;
	}
	return NULL;
}

size_t told_count(const struct told *t)
{
	return hashmap_count(t->facts);
}
