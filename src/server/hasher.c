/*
 * One thread, since administrators are few: their hashes are computed one after the other, each in
 * a turn of state/hashing, where administrators stand before all clients. What an errand computes
 * is its own business.
 */
#include "server/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>

struct hasher {
	struct errands *errands;
	sem_t calls; /* for errands_run(), or to look whether to stop */
	_Atomic(bool) stopping;
	const char *name;
	pthread_t thread;
	bool is_started; /* whoever starts and stops it */
};

static void call_hasher(void *context)
{
	sem_post(&((struct hasher *)context)->calls);
}

struct hasher *hasher_new(void)
{
	struct hasher *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	sem_init(&h->calls, 0, 0);
	h->errands = errands_new(call_hasher, h);
	if (h->errands != NULL)
		return h;
	hasher_free(h);
	return NULL;
}

struct errands *hasher_errands(struct hasher *h)
{
	return h->errands;
}

/* False when the thread is to end. */
static bool await_call(struct hasher *h)
{
	while (sem_wait(&h->calls) < 0 && errno == EINTR)
		;
	return !atomic_load(&h->stopping);
}

static void *run_hasher(void *arg)
{
	struct hasher *h = arg;

	pthread_setname_np(pthread_self(), h->name);
	while (await_call(h))
		errands_run(h->errands);
	return NULL;
}

int hasher_start(struct hasher *h, const char *name)
{
	int error;

	h->name = name;
	error = pthread_create(&h->thread, NULL, run_hasher, h);
	h->is_started = error == 0;
	errno = error;
	return error == 0 ? 0 : -1;
}

void hasher_stop(struct hasher *h)
{
	if (h == NULL || !h->is_started)
		return;
	atomic_store(&h->stopping, true);
	call_hasher(h);
	pthread_join(h->thread, NULL);
	h->is_started = false;
}

void hasher_free(struct hasher *h)
{
	if (h == NULL)
		return;
	errands_free(h->errands);
	sem_destroy(&h->calls);
	free(h);
}
