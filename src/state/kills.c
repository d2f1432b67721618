/*
 * A ring of copies, so that whoever puts something there waits for nobody and needs no memory.
 */
#include "state/kills.h"

#include <stdlib.h>
#include <string.h>

#include "base/lock.h"

struct kills {
	void (*ring)(void *context);
	void *context;

	struct mutex lock; /* the rest */
	bool is_open;
	size_t first, count;
	struct kill waiting[KILLS_MOST];
};

struct kills *kills_new(void (*ring)(void *context), void *context)
{
	struct kills *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	mutex_init(&k->lock);
	k->ring = ring;
	k->context = context;
	return k;
}

void kills_free(struct kills *k)
{
	if (k == NULL)
		return;
	mutex_destroy(&k->lock);
	free(k);
}

bool kills_put(struct kills *k, const char *who, enum end_reason reason)
{
	size_t len = strlen(who);
	bool is_put;

	mutex_lock(&k->lock);
	is_put = k->is_open && k->count < KILLS_MOST && len < KILLS_WHO_MAX;
	if (is_put) {
		struct kill *next = &k->waiting[(k->first + k->count++) % KILLS_MOST];

		memcpy(next->who, who, len + 1);
		next->reason = reason;
	}
	mutex_unlock(&k->lock);
	if (is_put)
		k->ring(k->context);
	return is_put;
}

bool kills_take(struct kills *k, struct kill *out)
{
	bool is_there;

	mutex_lock(&k->lock);
	is_there = k->count > 0;
	if (is_there) {
		*out = k->waiting[k->first];
		k->first = (k->first + 1) % KILLS_MOST;
		k->count--;
	}
	mutex_unlock(&k->lock);
	return is_there;
}

size_t kills_set_open(struct kills *k, bool is_open)
{
	size_t dropped;

	mutex_lock(&k->lock);
	dropped = is_open ? 0 : k->count;
	k->count -= dropped;
	k->is_open = is_open;
	mutex_unlock(&k->lock);
	return dropped;
}
