#include "server/errands.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/lock.h"
#include "base/wake.h"

/* First in, first out. */
struct queue {
	struct errand *first;
	struct errand **end;
};

struct errands {
	struct mutex lock; /* the queues */
	struct queue waiting, done;
	int number;
	int done_fd;
};

static void put_locked(struct errands *q, struct queue *queue, struct errand *e) REQUIRES(&q->lock)
{
	(void)q;
	e->next = NULL;
	*queue->end = e;
	queue->end = &e->next;
}

/* `*is_last`: there is none behind it. */
static struct errand *take(struct errands *q, struct queue *queue, bool *is_last)
{
	struct errand *e;

	mutex_lock(&q->lock);
	e = queue->first;
	if (e != NULL)
		queue->first = e->next;
	*is_last = queue->first == NULL;
	if (*is_last)
		queue->end = &queue->first;
	mutex_unlock(&q->lock);
	return e;
}

struct errands *errands_new(int number, int done_fd)
{
	struct errands *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	mutex_init(&q->lock);
	q->waiting.end = &q->waiting.first;
	q->done.end = &q->done.first;
	q->number = number;
	q->done_fd = done_fd;
	return q;
}

void errands_free(struct errands *q)
{
	if (q == NULL)
		return;
	mutex_destroy(&q->lock);
	free(q);
}

/* To the process, in which only the main thread takes signals: one that is sent to a thread would
 * come before all those that are sent to the process, whatever their numbers. */
static void call(const struct errands *q)
{
	kill(getpid(), q->number);
}

void errands_send(struct errands *q, struct errand *e)
{
	mutex_lock(&q->lock);
	put_locked(q, &q->waiting, e);
	mutex_unlock(&q->lock);
	call(q);
}

void errands_run(struct errands *q)
{
	bool is_last;
	struct errand *e = take(q, &q->waiting, &is_last);

	if (e == NULL)
		return;
	e->run(e);
	mutex_lock(&q->lock);
	put_locked(q, &q->done, e);
	mutex_unlock(&q->lock);
	wake_send(q->done_fd);
	if (!is_last)
		call(q);
}

struct errand *errands_take_done(struct errands *q)
{
	bool is_last;

	return take(q, &q->done, &is_last);
}
