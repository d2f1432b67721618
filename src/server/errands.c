/*
 * Each thread that does errands has a queue, and a way to be called of its own: main by a signal, a
 * poll(2) loop by a descriptor. It does one step a call, so that what else it is called for has its
 * turn in between.
 */
#include "server/errands.h"

#include <assert.h>
#include <stdlib.h>

#include "base/lock.h"

struct errands {
	struct mutex lock; /* the list */
	struct errand *first;
	struct errand **end;
	void (*call)(void *context);
	void *context;
};

struct errands *errands_new(void (*call)(void *context), void *context)
{
	struct errands *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	mutex_init(&q->lock);
	q->end = &q->first;
	q->call = call;
	q->context = context;
	return q;
}

void errands_free(struct errands *q)
{
	if (q == NULL)
		return;
	mutex_destroy(&q->lock);
	free(q);
}

void errand_begin(struct errand *e)
{
	*e = (struct errand){.count = 0};
}

void errand_add_step(struct errand *e, struct errands *at, void (*run)(struct errand *e))
{
	assert(e->count < ERRAND_STEPS);
	e->steps[e->count++] = (struct errand_step){.at = at, .run = run};
}

static void put_errand(struct errands *q, struct errand *e)
{
	mutex_lock(&q->lock);
	e->next = NULL;
	*q->end = e;
	q->end = &e->next;
	mutex_unlock(&q->lock);
	q->call(q->context);
}

/* `*is_last`: there is none behind it. */
static struct errand *take_errand(struct errands *q, bool *is_last)
{
	struct errand *e;

	mutex_lock(&q->lock);
	e = q->first;
	if (e != NULL)
		q->first = e->next;
	*is_last = q->first == NULL;
	if (*is_last)
		q->end = &q->first;
	mutex_unlock(&q->lock);
	return e;
}

void errand_send(struct errand *e)
{
	e->done = 0;
	put_errand(e->steps[0].at, e);
}

/* Behind its last step an errand is not ours any more: it may be gone, or on its way again. */
static void do_step(struct errand *e)
{
	const struct errand_step *step = &e->steps[e->done++];
	bool goes_on = e->done < e->count;

	step->run(e);
	if (goes_on)
		put_errand(e->steps[e->done].at, e);
}

void errands_run(struct errands *q)
{
	bool is_last;
	struct errand *e = take_errand(q, &is_last);

	if (!is_last)
		q->call(q->context);
	if (e != NULL)
		do_step(e);
}
