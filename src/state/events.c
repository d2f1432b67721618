/*
 * Number n lies in place n modulo the size of the ring. An event is a block of memory of just its
 * size, made and freed outside the lock, so that a session holds it for the exchange of a pointer.
 */
#include "state/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/lock.h"

struct event_block {
	struct event event; /* its texts are in `text`, one behind the other */
	char text[];
};

struct events {
	struct mutex lock;
	size_t most;
	struct event_block **ring; /* NULL: nothing came yet */
	uint64_t begin, end;
};

static const char *const kind_words[EVENT_KINDS] = {
#define EVENT_KIND(name, word) [EVENT_##name] = (word),
	EVENT_KIND_LIST(EVENT_KIND)
#undef EVENT_KIND
};

const char *event_kind_word(enum event_kind kind)
{
	return kind_words[kind];
}

/* ---- making and ending ---- */

struct events *events_new(size_t most)
{
	struct events *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->most = most;
	mutex_init(&e->lock);
	return e;
}

/* The ring is nobody else's by now. */
static void free_ring(struct event_block **ring, size_t size)
{
	for (size_t i = 0; ring != NULL && i < size; i++)
		free(ring[i]);
	free(ring);
}

void events_free(struct events *e)
{
	if (e == NULL)
		return;
	free_ring(e->ring, e->most);
	mutex_destroy(&e->lock);
	free(e);
}

void events_forget(struct events *e)
{
	struct event_block **ring;

	mutex_lock(&e->lock);
	ring = e->ring;
	e->ring = NULL;
	e->begin = e->end;
	mutex_unlock(&e->lock);
	free_ring(ring, e->most);
}

/* ---- texts ---- */

struct event_texts {
	const char *text[4]; /* user, command, target, rule */
	size_t len[4];
};

static size_t length_within(const char *text, size_t size)
{
	return text == NULL ? 0 : strnlen(text, size - 1);
}

static struct event_texts texts_of(const struct event *e)
{
	size_t user_len = e->user_len < USERS_NAME_MAX ? e->user_len : USERS_NAME_MAX;

	return (struct event_texts){
		.text = {e->user, e->command, e->target, e->rule},
		.len = {user_len, length_within(e->command, EVENT_COMMAND_MAX),
			length_within(e->target, ACCESS_TARGET_MAX),
			length_within(e->rule, EVENT_RULE_MAX)},
	};
}

/* Puts all texts behind each other from `to` on, and has `e` point there. */
static void place_texts(struct event *e, const struct event_texts *t, char *to)
{
	const char **const places[] = {&e->user, &e->command, &e->target, &e->rule};

	for (size_t i = 0; i < 4; i++) {
		*places[i] = to;
		if (t->len[i] > 0)
			to = mempcpy(to, t->text[i], t->len[i]);
		*to++ = '\0';
	}
	e->user_len = t->len[0];
}

static struct event_block *new_block(const struct event *event)
{
	struct event_texts t = texts_of(event);
	struct event_block *b = malloc(sizeof(*b) + t.len[0] + t.len[1] + t.len[2] + t.len[3] + 4);

	if (b == NULL)
		return NULL;
	b->event = *event;
	place_texts(&b->event, &t, b->text);
	return b;
}

/* ---- adding and reading ---- */

/* There is memory for the ring, whoever makes it first; `*unused` is to be freed outside the lock.
 */
static bool has_ring_locked(struct events *e, struct event_block ***unused) REQUIRES(&e->lock)
{
	if (e->ring == NULL) {
		e->ring = *unused;
		*unused = NULL;
	}
	return e->ring != NULL;
}

static bool lacks_ring(struct events *e)
{
	bool lacks;

	mutex_lock(&e->lock);
	lacks = e->ring == NULL;
	mutex_unlock(&e->lock);
	return lacks;
}

/* Puts the block in; returns what is to be freed for it: the one whose place it took, or itself. */
static struct event_block *put_block_locked(struct events *e, struct event_block *b)
	REQUIRES(&e->lock)
{
	struct event_block **place = &e->ring[e->end % e->most], *old = *place;

	*place = b;
	e->end++;
	if (e->end - e->begin > e->most)
		e->begin++;
	return old;
}

void events_add(struct events *e, const struct event *event)
{
	struct event_block **ring, *b;

	if (e == NULL)
		return;
	b = new_block(event);
	if (b == NULL)
		return;
	ring = lacks_ring(e) ? calloc(e->most, sizeof(struct event_block *)) : NULL;
	mutex_lock(&e->lock);
	if (has_ring_locked(e, &ring))
		b = put_block_locked(e, b);
	mutex_unlock(&e->lock);
	free(ring);
	free(b);
}

void events_range(struct events *e, uint64_t *begin, uint64_t *end)
{
	mutex_lock(&e->lock);
	*begin = e->begin;
	*end = e->end;
	mutex_unlock(&e->lock);
}

bool events_read(struct events *e, uint64_t number, struct event_copy *out)
{
	bool is_kept;

	mutex_lock(&e->lock);
	is_kept = number >= e->begin && number < e->end;
	if (is_kept) {
		const struct event *from = &e->ring[number % e->most]->event;
		struct event_texts t = texts_of(from);

		out->event = *from;
		place_texts(&out->event, &t, out->text);
	}
	mutex_unlock(&e->lock);
	return is_kept;
}
