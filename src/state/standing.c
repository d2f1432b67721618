/*
 * A map for each kind, from key to value, so that a kind with a million facts costs the listings of
 * the others nothing; and a list of those that have changed, whose length is what telling costs. A
 * fact that is gone leaves its entry behind until whoever keeps it has been told; where nobody
 * keeps it, it goes at once. What is asked for is copied out, and nobody holds a lock while he
 * works with it.
 */
#include "state/standing.h"

#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"
#include "base/lock.h"

struct fact {
	char *value; /* NULL: it stands no more */
	bool is_changed; /* since whoever keeps it was told: and in the list of these */
	bool is_counted; /* it came by standing_put_bounded() */
	enum standing_kind kind;
	struct fact *next, *previous; /* of the list */
	size_t key_len;
	char key[];
};

struct standing {
	struct mutex lock; /* the rest */
	struct hashmap *facts[STANDING_KINDS];
	struct fact *changed; /* those that have */
	size_t counted; /* of these */
	bool is_kept;

	struct hashmap *news; /* names of facts of a kind that have changed; NULL: nobody asks */
	enum standing_kind watched;
	bool has_lost_news; /* without memory */
};

static const char *const kind_words[STANDING_KINDS] = {
#define STANDING_KIND(name, word) [STANDING_##name] = (word),
	STANDING_KIND_LIST(STANDING_KIND)
#undef STANDING_KIND
};

const char *standing_kind_word(enum standing_kind kind)
{
	return kind_words[kind];
}

bool standing_kind_parse(const char *word, enum standing_kind *kind)
{
	for (int i = 0; i < STANDING_KINDS; i++) {
		if (strcmp(kind_words[i], word) == 0) {
			*kind = (enum standing_kind)i;
			return true;
		}
	}
	return false;
}

static void free_fact(void *fact)
{
	struct fact *f = fact;

	free(f->value);
	free(f);
}

struct standing *standing_new(void)
{
	struct standing *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	mutex_init(&s->lock);
	for (int i = 0; i < STANDING_KINDS; i++) {
		s->facts[i] = hashmap_new(0);
		if (s->facts[i] == NULL) {
			standing_free(s);
			return NULL;
		}
	}
	return s;
}

void standing_free(struct standing *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < STANDING_KINDS; i++)
		hashmap_free(s->facts[i], free_fact);
	hashmap_free(s->news, free_fact);
	mutex_destroy(&s->lock);
	free(s);
}

/* ---- one fact ---- */

static struct fact *make_fact(enum standing_kind kind, const char *key)
{
	size_t len = strlen(key);
	struct fact *f = calloc(1, sizeof(*f) + len + 1);

	if (f == NULL)
		return NULL;
	f->kind = kind;
	f->key_len = len;
	memcpy(f->key, key, len + 1);
	return f;
}

/* What is looked for stands in a fact of its own, which is the new one where there is none yet. */
static struct fact *find_fact_locked(struct standing *s, const struct fact *like) REQUIRES(&s->lock)
{
	return hashmap_get(s->facts[like->kind], like->key, like->key_len);
}

static void set_changed_locked(struct standing *s, struct fact *f, bool is_changed)
	REQUIRES(&s->lock)
{
	if (f->is_changed == is_changed)
		return;
	f->is_changed = is_changed;
	if (is_changed) {
		f->previous = NULL;
		f->next = s->changed;
		s->changed = f;
	} else if (f->previous != NULL) {
		f->previous->next = f->next;
	} else {
		s->changed = f->next;
	}
	if (f->next != NULL)
		f->next->previous = is_changed ? f : f->previous;
}

/* Takes it out of the map, to be freed. */
static struct fact *remove_locked(struct standing *s, struct fact *f) REQUIRES(&s->lock)
{
	set_changed_locked(s, f, false);
	s->counted -= f->is_counted;
	return hashmap_remove(s->facts[f->kind], f->key, f->key_len);
}

static bool is_same_value(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* By a fact of its name and no value. */
static void note_news_locked(struct standing *s, const struct fact *changed) REQUIRES(&s->lock)
{
	struct fact *f;
	void *old;

	if (s->news == NULL || changed->kind != s->watched ||
		hashmap_get(s->news, changed->key, changed->key_len) != NULL)
		return;
	f = make_fact(changed->kind, changed->key);
	if (f != NULL && hashmap_put(s->news, f->key, f->key_len, f, &old) == 0)
		return;
	free(f);
	s->has_lost_news = true;
}

/* Takes over `value`, and `made` where that comes into the map. What is to be freed afterwards
 * stands in both. */
static int put_locked(struct standing *s, struct fact **made, char **value) REQUIRES(&s->lock)
{
	struct fact *f = find_fact_locked(s, *made);
	void *old;
	char *before;

	if (f == NULL ? *value == NULL : is_same_value(f->value, *value))
		return 0; /* which is no change */
	if (f == NULL) {
		f = *made;
		if (hashmap_put(s->facts[f->kind], f->key, f->key_len, f, &old) < 0)
			return -1;
		*made = NULL;
		s->counted += f->is_counted;
	}
	note_news_locked(s, f);
	before = f->value;
	f->value = *value;
	*value = before;
	set_changed_locked(s, f, s->is_kept);
	if (f->value == NULL && !s->is_kept) {
		free(*made);
		*made = remove_locked(s, f);
	}
	return 0;
}

/* What must be so for something to be put. */
struct condition {
	size_t most; /* of what comes into the map; 0: there is no bound */
	bool (*may)(void *context, const char *there); /* NULL: it may always */
	void *context;
};

/* By `like`, which is not in the map. */
static bool is_met_locked(struct standing *s, const struct condition *c, const struct fact *like)
	REQUIRES(&s->lock)
{
	const struct fact *there = find_fact_locked(s, like);

	if (c->may != NULL)
		return c->may(c->context, there == NULL ? NULL : there->value);
	return c->most == 0 || s->counted < c->most || there != NULL;
}

/* 1; 0 when the condition is not met, and -1 without memory. */
static int put(struct standing *s, enum standing_kind kind, const char *key, const char *value,
	const struct condition *c)
{
	struct fact *made = make_fact(kind, key);
	char *copy = value != NULL ? strdup(value) : NULL;
	int result = -1;

	if (made != NULL && (copy != NULL || value == NULL)) {
		made->is_counted = c->most > 0;
		mutex_lock(&s->lock);
		if (!is_met_locked(s, c, made))
			result = 0;
		else if (put_locked(s, &made, &copy) == 0)
			result = 1;
		mutex_unlock(&s->lock);
	}
	free(copy);
	free(made);
	return result;
}

int standing_put(struct standing *s, enum standing_kind kind, const char *key, const char *value)
{
	return put(s, kind, key, value, &(struct condition){.most = 0}) < 0 ? -1 : 0;
}

int standing_put_bounded(struct standing *s, enum standing_kind kind, const char *key,
	const char *value, size_t most)
{
	return put(s, kind, key, value, &(struct condition){.most = most}) < 0 ? -1 : 0;
}

int standing_put_if(struct standing *s, enum standing_kind kind, const char *key, const char *value,
	bool (*may)(void *context, const char *there), void *context)
{
	return put(s, kind, key, value, &(struct condition){.may = may, .context = context});
}

bool standing_read(struct standing *s, enum standing_kind kind, const char *key,
	void (*take)(void *context, const char *value), void *context)
{
	const struct fact *f;
	bool stands;

	mutex_lock(&s->lock);
	f = hashmap_get(s->facts[kind], key, strlen(key));
	stands = f != NULL && f->value != NULL;
	if (stands && take != NULL)
		take(context, f->value);
	mutex_unlock(&s->lock);
	return stands;
}

/* ---- many ---- */

/* Walks those that stand, of a kind, or (STANDING_KINDS) those that have changed. At first `last`
 * is NULL and `*position` 0; NULL at the end. */
static const struct fact *next_locked(struct standing *s, enum standing_kind kind,
	const struct fact *last, size_t *position) REQUIRES(&s->lock)
{
	const struct fact *f;

	if (kind == STANDING_KINDS)
		return last == NULL ? s->changed : last->next;
	do {
		f = hashmap_next(s->facts[kind], position);
	} while (f != NULL && f->value == NULL);
	return f;
}

static size_t size_of_text(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

static const char *copy_text(char **to, const char *text)
{
	char *copy = *to;

	if (text == NULL)
		return NULL;
	*to = stpcpy(copy, text) + 1;
	return copy;
}

static struct standing_fact *copy_locked(struct standing *s, enum standing_kind kind, size_t *count)
	REQUIRES(&s->lock)
{
	struct standing_fact *facts;
	const struct fact *f = NULL;
	size_t position = 0, size = 1, n = 0;
	char *text;

	while ((f = next_locked(s, kind, f, &position)) != NULL) {
		size += sizeof(*facts) + size_of_text(f->key) + size_of_text(f->value);
		n++;
	}
	facts = malloc(size);
	if (facts == NULL)
		return NULL;
	text = (char *)(facts + n);
	for (n = position = 0; (f = next_locked(s, kind, f, &position)) != NULL; n++)
		facts[n] = (struct standing_fact){.kind = f->kind,
			.key = copy_text(&text, f->key),
			.value = copy_text(&text, f->value)};
	*count = n;
	return facts;
}

static int by_key(const void *a, const void *b)
{
	const struct standing_fact *f = a, *g = b;
	int order = strcmp(f->key, g->key);

	return order != 0 ? order : (int)f->kind - (int)g->kind;
}

static struct standing_fact *copy_sorted(struct standing *s, enum standing_kind kind, size_t *count)
{
	struct standing_fact *facts;

	mutex_lock(&s->lock);
	facts = copy_locked(s, kind, count);
	mutex_unlock(&s->lock);
	if (facts != NULL)
		qsort(facts, *count, sizeof(*facts), by_key);
	return facts;
}

struct standing_fact *standing_list(struct standing *s, enum standing_kind kind, size_t *count)
{
	return copy_sorted(s, kind, count);
}

/* Returns false without memory, too. What is to be freed afterwards stands in both. */
static bool take_back_locked(struct standing *s, const struct standing_fact *listed,
	struct fact **like, char **value) REQUIRES(&s->lock)
{
	const struct fact *f = find_fact_locked(s, *like);

	return f != NULL && is_same_value(f->value, listed->value) &&
		put_locked(s, like, value) == 0;
}

bool standing_take_back(struct standing *s, const struct standing_fact *listed)
{
	struct fact *like = make_fact(listed->kind, listed->key);
	char *value = NULL;
	bool was_taken = false;

	if (like != NULL) {
		mutex_lock(&s->lock);
		was_taken = take_back_locked(s, listed, &like, &value);
		mutex_unlock(&s->lock);
	}
	if (like != NULL)
		free_fact(like);
	free(value);
	return was_taken;
}

/* ---- for whoever tells others ---- */

struct standing_fact *standing_list_watched(
	struct standing *s, enum standing_kind kind, size_t *count)
{
	struct hashmap *fresh = hashmap_new(0), *old;

	if (fresh == NULL)
		return NULL;
	mutex_lock(&s->lock);
	old = s->news;
	s->news = fresh;
	s->watched = kind;
	s->has_lost_news = false;
	mutex_unlock(&s->lock);
	hashmap_free(old, free_fact);
	return standing_list(s, kind, count);
}

/* Those that are named in `news`, as they stand. */
static struct standing_fact *copy_news_locked(struct standing *s, size_t *count) REQUIRES(&s->lock)
{
	size_t position = 0, n = hashmap_count(s->news),
	       size = n * sizeof(struct standing_fact) + 1;
	struct standing_fact *facts;
	const struct fact *like;
	char *text;

	while ((like = hashmap_next(s->news, &position)) != NULL) {
		const struct fact *f = find_fact_locked(s, like);

		size += size_of_text(like->key) + size_of_text(f == NULL ? NULL : f->value);
	}
	facts = malloc(size);
	if (facts == NULL)
		return NULL;
	text = (char *)(facts + n);
	*count = 0;
	for (position = 0; (like = hashmap_next(s->news, &position)) != NULL;) {
		const struct fact *f = find_fact_locked(s, like);

		facts[(*count)++] = (struct standing_fact){.kind = like->kind,
			.key = copy_text(&text, like->key),
			.value = copy_text(&text, f == NULL ? NULL : f->value)};
	}
	return facts;
}

struct standing_fact *standing_news(struct standing *s, size_t *count)
{
	struct hashmap *fresh = hashmap_new(0), *told = NULL;
	struct standing_fact *facts = NULL;

	mutex_lock(&s->lock);
	if (fresh != NULL && s->news != NULL && !s->has_lost_news)
		facts = copy_news_locked(s, count);
	if (facts != NULL) {
		told = s->news;
		s->news = fresh;
		fresh = NULL;
	}
	mutex_unlock(&s->lock);
	hashmap_free(told, free_fact);
	hashmap_free(fresh, NULL);
	if (facts != NULL)
		qsort(facts, *count, sizeof(*facts), by_key);
	return facts;
}

/* ---- for whoever keeps it ---- */

void standing_set_kept(struct standing *s, bool is_kept)
{
	mutex_lock(&s->lock);
	s->is_kept = is_kept;
	mutex_unlock(&s->lock);
}

bool standing_is_kept(struct standing *s)
{
	bool is_kept;

	mutex_lock(&s->lock);
	is_kept = s->is_kept;
	mutex_unlock(&s->lock);
	return is_kept;
}

const char *standing_term(struct standing *s)
{
	return standing_is_kept(s) ? "" : " (until the next start)";
}

struct standing_fact *standing_changes(struct standing *s, size_t *count)
{
	return copy_sorted(s, STANDING_KINDS, count);
}

/* What has become another since stays to be told. Returns what is to be freed. */
static struct fact *note_told_locked(struct standing *s, const struct fact *like,
	const struct standing_fact *told) REQUIRES(&s->lock)
{
	struct fact *f = find_fact_locked(s, like);

	if (f == NULL || !is_same_value(f->value, told->value))
		return NULL;
	set_changed_locked(s, f, false);
	return f->value == NULL ? remove_locked(s, f) : NULL;
}

void standing_told(struct standing *s, const struct standing_fact *facts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct fact *like = make_fact(facts[i].kind, facts[i].key), *gone;

		if (like == NULL)
			return; /* they are told again, which changes nothing */
		mutex_lock(&s->lock);
		gone = note_told_locked(s, like, &facts[i]);
		mutex_unlock(&s->lock);
		if (gone != NULL)
			free_fact(gone);
		free(like);
	}
}

void standing_tell_all(struct standing *s)
{
	struct fact *f;

	mutex_lock(&s->lock);
	for (int kind = 0; kind < STANDING_KINDS; kind++) {
		for (size_t at = 0; (f = hashmap_next(s->facts[kind], &at)) != NULL;)
			set_changed_locked(s, f, true);
	}
	mutex_unlock(&s->lock);
}
