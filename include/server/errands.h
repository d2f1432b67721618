/* errands: what the monitor has the main thread do, because it is slow or changes what only that
 * thread may change: logins, users, settings. A mutex guards the queues. */
#ifndef SERVER_ERRANDS_H
#define SERVER_ERRANDS_H

struct errand {
	void (*run)(struct errand *e); /* in the main thread; may write to what `e` is part of */
	struct errand *next;
};

struct errands;

/* The signal `number`, which all threads block, is sent to the process; the main thread takes it
 * and calls errands_run(). It should be a standard signal, which cannot fail to be queued, with a
 * number above those of the signals that are to come first. `done_fd`, an eventfd(2), is written to
 * after each errand. NULL without memory. */
struct errands *errands_new(int number, int done_fd);

/* Nothing may be under way. NULL is allowed. */
void errands_free(struct errands *q);

/* Hands `e` over; what it is part of must not be touched until errands_take_done() returns it. */
void errands_send(struct errands *q, struct errand *e);

/* The main thread: does the next errand, if there is one, in the order in which they were handed
 * over, and sends itself the signal again for the one behind it. */
void errands_run(struct errands *q);

/* One that is done; NULL when there is none. */
struct errand *errands_take_done(struct errands *q);

#endif
