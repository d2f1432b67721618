/*
 * A map by keyed hashes, of which nobody outside can choose two that collide, and a queue for each
 * kind. All of a kind live for equally long, but for a setting that changes, so the head of a queue
 * is the next whose time is over; it makes room when one comes, and so does the oldest when there
 * are as many as may be. Wrong ones are cheap to make for anybody, and have a queue of their own so
 * that they push out none that were right.
 *
 * An answer may be on its way while an administrator has all forgotten: it is of an age that has
 * passed then.
 */
#include "state/login_answers.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/hashmap.h"
#include "base/lock.h"

struct login_answer {
	unsigned char key[HASHING_KEY_SIZE];
	int64_t until;
	TAILQ_ENTRY(login_answer) in_queue;
	char name[]; /* "": it was wrong */
};

TAILQ_HEAD(answer_queue, login_answer);

struct answer_kind {
	struct answer_queue queue;
	size_t count;
};

struct login_answers {
	struct rwlock lock; /* all of it */
	struct hashmap *map;
	struct answer_kind right, wrong;
	uint64_t age;
};

struct login_answers *login_answers_new(void)
{
	struct login_answers *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->map = hashmap_new(0);
	if (a == NULL || a->map == NULL) {
		free(a);
		return NULL;
	}
	rwlock_init(&a->lock);
	TAILQ_INIT(&a->right.queue);
	TAILQ_INIT(&a->wrong.queue);
	return a;
}

void login_answers_free(struct login_answers *a)
{
	if (a == NULL)
		return;
	hashmap_free(a->map, free);
	rwlock_destroy(&a->lock);
	free(a);
}

static struct answer_kind *kind_of(struct login_answers *a, const struct login_answer *one)
{
	return one->name[0] == '\0' ? &a->wrong : &a->right;
}

static void drop_locked(struct login_answers *a, struct login_answer *one) REQUIRES(&a->lock)
{
	struct answer_kind *kind = kind_of(a, one);

	TAILQ_REMOVE(&kind->queue, one, in_queue);
	kind->count--;
	hashmap_remove(a->map, one->key, HASHING_KEY_SIZE);
	free(one);
}

enum login_memory login_answers_get(struct login_answers *a, const unsigned char *key, int64_t now,
	char name[USERS_NAME_MAX + 1])
{
	enum login_memory memory = LOGIN_UNKNOWN;
	const struct login_answer *one;

	rwlock_read(&a->lock);
	one = hashmap_get(a->map, key, HASHING_KEY_SIZE);
	if (one != NULL && now < one->until) {
		memory = one->name[0] == '\0' ? LOGIN_KNOWN_WRONG : LOGIN_KNOWN_RIGHT;
		strcpy(name, one->name);
	}
	rwlock_read_unlock(&a->lock);
	return memory;
}

uint64_t login_answers_age(struct login_answers *a)
{
	uint64_t age;

	rwlock_read(&a->lock);
	age = a->age;
	rwlock_read_unlock(&a->lock);
	return age;
}

static struct login_answer *make_answer(const unsigned char *key, const char *name, int64_t until)
{
	size_t size = name == NULL ? 1 : strlen(name) + 1;
	struct login_answer *one = malloc(sizeof(*one) + size);

	if (one == NULL)
		return NULL;
	memcpy(one->key, key, HASHING_KEY_SIZE);
	one->until = until;
	memcpy(one->name, name == NULL ? "" : name, size);
	return one;
}

/* False without memory, and what was known under that key is forgotten in any case. */
static bool put_locked(struct login_answers *a, struct login_answer *one) REQUIRES(&a->lock)
{
	struct answer_kind *kind = kind_of(a, one);
	size_t most = kind == &a->right ? LOGIN_ANSWERS_RIGHT : LOGIN_ANSWERS_WRONG;
	struct login_answer *before = hashmap_get(a->map, one->key, HASHING_KEY_SIZE);
	void *old;

	if (before != NULL)
		drop_locked(a, before);
	if (kind->count == most)
		drop_locked(a, TAILQ_FIRST(&kind->queue));
	if (hashmap_put(a->map, one->key, HASHING_KEY_SIZE, one, &old) < 0)
		return false;
	TAILQ_INSERT_TAIL(&kind->queue, one, in_queue);
	kind->count++;
	return true;
}

void login_answers_put(struct login_answers *a, const unsigned char *key, const char *name,
	int64_t until, uint64_t age)
{
	struct login_answer *one = make_answer(key, name, until);
	bool is_kept;

	if (one == NULL)
		return;
	rwlock_write(&a->lock);
	is_kept = age == a->age && put_locked(a, one);
	rwlock_write_unlock(&a->lock);
	if (!is_kept)
		free(one);
}

static void forget_kind_locked(struct login_answers *a, struct answer_kind *kind, const char *name)
	REQUIRES(&a->lock)
{
	struct login_answer *one = TAILQ_FIRST(&kind->queue), *next;

	for (; one != NULL; one = next) {
		next = TAILQ_NEXT(one, in_queue);
		if (name == NULL || strcmp(one->name, name) == 0)
			drop_locked(a, one);
	}
}

void login_answers_forget(struct login_answers *a, const char *name)
{
	rwlock_write(&a->lock);
	a->age++;
	forget_kind_locked(a, &a->right, name);
	if (name == NULL)
		forget_kind_locked(a, &a->wrong, NULL);
	rwlock_write_unlock(&a->lock);
}

size_t login_answers_count(struct login_answers *a)
{
	size_t count;

	rwlock_read(&a->lock);
	count = a->right.count + a->wrong.count;
	rwlock_read_unlock(&a->lock);
	return count;
}
