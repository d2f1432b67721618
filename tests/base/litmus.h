/* litmus: two threads that meet over a few atomics, round after round, to see whether what they
 * find is ever what no order of theirs allows. On one processor nothing is shown, and nothing
 * fails. */
#ifndef TESTS_BASE_LITMUS_H
#define TESTS_BASE_LITMUS_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

#include "check.h"

#define LITMUS_ROUNDS 100000
#define LITMUS_SECONDS 20

struct litmus {
	void (*prepare)(void); /* while nobody else is there */
	void (*write)(void); /* one thread, */
	void (*read)(void); /* and the other, at the same time */
	bool (*is_right)(void); /* what they found, afterwards */
};

struct litmus_run {
	const struct litmus *litmus;
	_Atomic(unsigned) begun, done; /* rounds */
	_Atomic(bool) is_over; /* known to who has seen the next round begin */
};

/* Lines that the other processor has: what is stored behind stores to them stays for a while where
 * only its own thread sees it. */
#define LITMUS_LINES 48
struct litmus_line {
	_Alignas(64) _Atomic(unsigned) value;
};
static struct litmus_line litmus_lines[LITMUS_LINES];

static inline void litmus_touch_lines(unsigned value)
{
	for (unsigned i = 0; i < LITMUS_LINES; i++)
		atomic_store_explicit(&litmus_lines[i].value, value, memory_order_relaxed);
}

/* Close to each other, but for a machine that has one processor only. */
static inline void litmus_await(const _Atomic(unsigned) *counter, unsigned value)
{
	for (unsigned spins = 1; atomic_load(counter) < value; spins++) {
		if (spins % 4096 == 0)
			sched_yield();
	}
}

static inline void *litmus_write(void *context)
{
	struct litmus_run *run = context;

	for (unsigned i = 1;; i++) {
		litmus_await(&run->begun, i);
		if (atomic_load(&run->is_over))
			return NULL;
		litmus_touch_lines(i);
		run->litmus->write();
		atomic_store(&run->done, i);
	}
}

/* In how many of the rounds it was not right. Where others have the processors most of the time
 * there are fewer of them. */
static inline unsigned litmus_wrong(const struct litmus *litmus, unsigned rounds)
{
	struct litmus_run run = {.litmus = litmus};
	time_t until = time(NULL) + LITMUS_SECONDS;
	unsigned wrong = 0, i;
	pthread_t writer;

	assert_int_equal(pthread_create(&writer, NULL, litmus_write, &run), 0);
	for (i = 1; i <= rounds && time(NULL) < until; i++) {
		litmus->prepare();
		litmus_touch_lines(0);
		atomic_store(&run.begun, i);
		/* So that either of the two comes first now and then. */
		for (volatile unsigned pause = 0; pause < i % 64; pause++)
			;
		litmus->read();
		litmus_await(&run.done, i);
		wrong += !litmus->is_right();
	}
	atomic_store(&run.is_over, true);
	atomic_store(&run.begun, i);
	assert_int_equal(pthread_join(writer, NULL), 0);
	return wrong;
}

#endif
