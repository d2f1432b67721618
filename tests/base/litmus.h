/* litmus: two threads that meet over a few atomics, round after round, to see whether what they
 * find is ever what no order of theirs allows. On one processor nothing is shown, and nothing
 * fails. */
#ifndef TESTS_BASE_LITMUS_H
#define TESTS_BASE_LITMUS_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "check.h"

struct litmus {
	void (*prepare)(void); /* while nobody else is there */
	void (*write)(void); /* one thread, */
	void (*read)(void); /* and the other, at the same time */
	bool (*is_right)(void); /* what they found, afterwards */
};

struct litmus_run {
	const struct litmus *litmus;
	unsigned rounds;
	_Atomic(unsigned) begun, done; /* rounds */
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

	for (unsigned i = 1; i <= run->rounds; i++) {
		litmus_await(&run->begun, i);
		litmus_touch_lines(i);
		run->litmus->write();
		atomic_store(&run->done, i);
	}
	return NULL;
}

/* In how many of the rounds it was not right. */
static inline unsigned litmus_wrong(const struct litmus *litmus, unsigned rounds)
{
	struct litmus_run run = {.litmus = litmus, .rounds = rounds};
	unsigned wrong = 0;
	pthread_t writer;

	assert_int_equal(pthread_create(&writer, NULL, litmus_write, &run), 0);
	for (unsigned i = 1; i <= rounds; i++) {
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
	assert_int_equal(pthread_join(writer, NULL), 0);
	return wrong;
}

#define LITMUS_ROUNDS 100000

#endif
