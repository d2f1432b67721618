/*
 * A list in both directions, and a map by which a name is found in it: everything takes the same
 * time however many there are. What is prepared is one name, with its place in the map, which
 * others that are put in leave to it.
 */
#include "base/name_queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/hashmap.h"

struct queued {
	struct queued *next, *previous;
	size_t len;
	char name[];
};

struct name_queue {
	struct hashmap *map;
	struct queued *first, *last;
	struct queued *spare; /* that was prepared; NULL: none */
};

struct name_queue *name_queue_new(void)
{
	struct name_queue *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->map = hashmap_new(0);
	if (q->map != NULL)
		return q;
	free(q);
	return NULL;
}

void name_queue_free(struct name_queue *q)
{
	if (q == NULL)
		return;
	hashmap_free(q->map, free);
	free(q->spare);
	free(q);
}

size_t name_queue_count(const struct name_queue *q)
{
	return hashmap_count(q->map);
}

bool name_queue_has(const struct name_queue *q, const char *name)
{
	return hashmap_get(q->map, name, strlen(name)) != NULL;
}

/* With room in the map, for so many. */
static struct queued *make_queued(struct name_queue *q, const char *name, size_t room)
{
	size_t len = strlen(name);
	struct queued *made = malloc(sizeof(*made) + len + 1);

	if (made == NULL || hashmap_reserve(q->map, room) < 0) {
		free(made);
		return NULL;
	}
	made->len = len;
	memcpy(made->name, name, len + 1);
	return made;
}

int name_queue_prepare(struct name_queue *q, const char *name)
{
	struct queued *made = make_queued(q, name, 1);

	if (made == NULL)
		return -1;
	free(q->spare);
	q->spare = made;
	return 0;
}

static void link_queued(struct name_queue *q, struct queued *n)
{
	void *old;

	(void)!hashmap_put(q->map, n->name, n->len, n, &old);
	n->next = NULL;
	n->previous = q->last;
	*(q->last == NULL ? &q->first : &q->last->next) = n;
	q->last = n;
}

int name_queue_put(struct name_queue *q, const char *name)
{
	struct queued *n;

	if (name_queue_has(q, name))
		return 0;
	if (q->spare != NULL && strcmp(q->spare->name, name) == 0) {
		n = q->spare;
		q->spare = NULL;
	} else {
		n = make_queued(q, name, 2);
	}
	if (n == NULL)
		return -1;
	link_queued(q, n);
	return 0;
}

const char *name_queue_first(const struct name_queue *q)
{
	return q->first == NULL ? NULL : q->first->name;
}

const char *name_queue_next(const struct name_queue *q, const char *name)
{
	const struct queued *n = hashmap_get(q->map, name, strlen(name));

	return n->next == NULL ? NULL : n->next->name;
}

bool name_queue_remove(struct name_queue *q, const char *name)
{
	struct queued *n = hashmap_remove(q->map, name, strlen(name));

	if (n == NULL)
		return false;
	*(n->previous == NULL ? &q->first : &n->previous->next) = n->next;
	*(n->next == NULL ? &q->last : &n->next->previous) = n->previous;
	free(n);
	return true;
}
