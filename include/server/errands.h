/* errands: work that goes from thread to thread, because each may do only a part of it: compute
 * what is slow, change what only one may change, answer. A mutex guards each queue. */
#ifndef SERVER_ERRANDS_H
#define SERVER_ERRANDS_H

#include <stdbool.h>
#include <stddef.h>

#define ERRAND_STEPS 4

/* Errands that wait for one thread, first come, first served. */
struct errands;

/* One piece of work: embedded in what it is about, which is only touched by the thread that does a
 * step, from errand_send() on until the last step is done. */
struct errand {
	struct errand_step {
		struct errands *at; /* for the thread that is to do it */
		void (*run)(struct errand *e);
	} steps[ERRAND_STEPS];
	size_t count;
	size_t done;
	struct errand *next; /* the queue's */
};

/* `call(context)` tells the thread to call errands_run(); from any thread, with no lock held. NULL
 * without memory. */
struct errands *errands_new(void (*call)(void *context), void *context);

/* What still waits is never done. NULL is allowed. */
void errands_free(struct errands *q);

/* The errand has no steps yet, and then one more. */
void errand_begin(struct errand *e);
void errand_add_step(struct errand *e, struct errands *at, void (*run)(struct errand *e));

/* Sends it on its way, through all its steps. The last one may send it again. */
void errand_send(struct errand *e);

/* The queue's thread: does the step of the next errand, if there is one, sends that on, and has
 * itself called again for the one behind it. */
void errands_run(struct errands *q);

#endif
