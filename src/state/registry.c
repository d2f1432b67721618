#include "state/registry.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/lock.h"
#include "net/socket.h"

struct slot {
	struct mutex lock;
	int client; /* -1: no session */
	int target; /* -1: not connected yet */
	bool stop;
};

struct registry {
	size_t count;
	struct slot *slots;
	_Atomic(uint64_t) last_id;
	_Atomic(bool) stopping;
};

struct registry *registry_new(size_t slots)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->slots = calloc(slots, sizeof(*r->slots));
	if (r->slots == NULL) {
		free(r);
		return NULL;
	}
	r->count = slots;
	for (size_t i = 0; i < slots; i++) {
		mutex_init(&r->slots[i].lock);
		r->slots[i].client = r->slots[i].target = -1;
	}
	return r;
}

void registry_free(struct registry *r)
{
	if (r == NULL)
		return;
	for (size_t i = 0; i < r->count; i++)
		mutex_destroy(&r->slots[i].lock);
	free(r->slots);
	free(r);
}

static void stop_locked(struct slot *s) REQUIRES(&s->lock)
{
	s->stop = true;
	if (s->client >= 0)
		socket_shutdown(s->client);
	if (s->target >= 0)
		socket_shutdown(s->target);
}

uint64_t registry_enter(struct registry *r, size_t slot, int client)
{
	struct slot *s = &r->slots[slot];

	mutex_lock(&s->lock);
	s->client = client;
	s->target = -1;
	s->stop = false;
	if (atomic_load(&r->stopping))
		stop_locked(s);
	mutex_unlock(&s->lock);
	return atomic_fetch_add(&r->last_id, 1) + 1;
}

void registry_set_target(struct registry *r, size_t slot, int target)
{
	struct slot *s = &r->slots[slot];

	mutex_lock(&s->lock);
	s->target = target;
	if (s->stop)
		stop_locked(s);
	mutex_unlock(&s->lock);
}

void registry_leave(struct registry *r, size_t slot)
{
	struct slot *s = &r->slots[slot];

	mutex_lock(&s->lock);
	s->client = s->target = -1;
	mutex_unlock(&s->lock);
}

bool registry_told_to_stop(struct registry *r, size_t slot)
{
	struct slot *s = &r->slots[slot];
	bool stop;

	mutex_lock(&s->lock);
	stop = s->stop;
	mutex_unlock(&s->lock);
	return stop;
}

void registry_stop_all(struct registry *r)
{
	atomic_store(&r->stopping, true);
	for (size_t i = 0; i < r->count; i++) {
		mutex_lock(&r->slots[i].lock);
		if (r->slots[i].client >= 0)
			stop_locked(&r->slots[i]);
		mutex_unlock(&r->slots[i].lock);
	}
}
