/* errands: their order, the calls for them, and their way from thread to thread. */
#include "server/errands.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "../base/check.h"

/* A thread that does errands whenever it is called, until it is told to end. */
struct station {
	struct errands *errands;
	sem_t called;
	_Atomic(bool) ends;
	pthread_t thread;
};

static void call(void *context)
{
	sem_post(&((struct station *)context)->called);
}

static void *run_station(void *context)
{
	struct station *s = context;

	while (sem_wait(&s->called) == 0 && !atomic_load(&s->ends))
		errands_run(s->errands);
	return NULL;
}

/* Without a thread: the test's own is to do the errands. */
static void open_station(struct station *s)
{
	sem_init(&s->called, 0, 0);
	atomic_store(&s->ends, false);
	s->errands = errands_new(call, s);
	assert_non_null(s->errands);
}

static void start_station(struct station *s)
{
	open_station(s);
	assert_int_equal(pthread_create(&s->thread, NULL, run_station, s), 0);
}

static void close_station(struct station *s)
{
	errands_free(s->errands);
	sem_destroy(&s->called);
}

static void stop_station(struct station *s)
{
	atomic_store(&s->ends, true);
	sem_post(&s->called);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	close_station(s);
}

#define ERRANDS 100

struct task {
	struct errand errand;
	int number;
	size_t ran_in_count;
	pthread_t ran_in[ERRAND_STEPS];
};

static int order[ERRANDS], ran;

static void note_thread(struct errand *e)
{
	struct task *t = (struct task *)e;

	t->ran_in[t->ran_in_count++] = pthread_self();
}

static void note_order(struct errand *e)
{
	note_thread(e);
	order[ran++] = ((struct task *)e)->number;
}

static struct task tasks[ERRANDS];

static void *send_all(void *context)
{
	for (int i = 0; i < ERRANDS; i++) {
		tasks[i] = (struct task){.number = i};
		errand_begin(&tasks[i].errand);
		errand_add_step(&tasks[i].errand, context, note_order);
		errand_send(&tasks[i].errand);
	}
	return NULL;
}

static void they_are_done_in_their_order_where_they_are_called_for(void **state)
{
	struct station here;
	pthread_t sender;

	(void)state;
	ran = 0;
	open_station(&here);
	errands_run(here.errands); /* there is none */
	assert_int_equal(pthread_create(&sender, NULL, send_all, here.errands), 0);
	while (ran < ERRANDS) {
		sem_wait(&here.called);
		errands_run(here.errands);
	}
	assert_int_equal(pthread_join(sender, NULL), 0);
	for (int i = 0; i < ERRANDS; i++) {
		assert_int_equal(order[i], i);
		assert_true(pthread_equal(tasks[i].ran_in[0], pthread_self()));
	}
	close_station(&here);
}

/* Calls may melt into one, as signals and eventfds do. */
static void one_call_is_enough_for_all_that_wait(void **state)
{
	struct station here;
	int calls = 0;

	(void)state;
	ran = 0;
	open_station(&here);
	send_all(here.errands);
	while (sem_trywait(&here.called) == 0)
		;
	sem_post(&here.called);
	for (; sem_trywait(&here.called) == 0; calls++)
		errands_run(here.errands);
	assert_int_equal(ran, ERRANDS);
	assert_int_equal(calls, ERRANDS);
	close_station(&here);
}

static void steps_are_done_one_after_the_other_each_in_its_thread(void **state)
{
	struct station first, second, here;
	struct task t = {.number = 0};

	(void)state;
	ran = 0;
	start_station(&first);
	start_station(&second);
	open_station(&here);
	errand_begin(&t.errand);
	errand_add_step(&t.errand, first.errands, note_thread);
	errand_add_step(&t.errand, second.errands, note_thread);
	errand_add_step(&t.errand, here.errands, note_order);
	errand_send(&t.errand);
	sem_wait(&here.called);
	assert_int_equal(ran, 0);
	errands_run(here.errands);
	assert_int_equal(ran, 1);
	assert_int_equal(t.ran_in_count, 3);
	assert_true(pthread_equal(t.ran_in[0], first.thread));
	assert_true(pthread_equal(t.ran_in[1], second.thread));
	assert_true(pthread_equal(t.ran_in[2], pthread_self()));
	stop_station(&first);
	stop_station(&second);
	close_station(&here);
}

static sem_t block;

static void wait_for_the_test(struct errand *e)
{
	(void)e;
	sem_wait(&block);
}

static void one_that_takes_long_holds_up_no_other_thread(void **state)
{
	struct station slow, here;
	struct task held = {.number = 1}, other = {.number = 2};

	(void)state;
	ran = 0;
	sem_init(&block, 0, 0);
	start_station(&slow);
	open_station(&here);
	errand_begin(&held.errand);
	errand_add_step(&held.errand, slow.errands, wait_for_the_test);
	errand_add_step(&held.errand, here.errands, note_order);
	errand_send(&held.errand);
	errand_begin(&other.errand);
	errand_add_step(&other.errand, here.errands, note_order);
	errand_send(&other.errand);
	sem_wait(&here.called);
	errands_run(here.errands);
	assert_int_equal(order[0], 2);
	sem_post(&block);
	sem_wait(&here.called);
	errands_run(here.errands);
	assert_int_equal(order[1], 1);
	stop_station(&slow);
	close_station(&here);
	sem_destroy(&block);
}

static void send_again_twice(struct errand *e)
{
	if (++ran < 3)
		errand_send(e);
}

static void the_last_step_may_send_it_again(void **state)
{
	struct station here;
	struct task t = {.number = 0};

	(void)state;
	ran = 0;
	open_station(&here);
	errand_begin(&t.errand);
	errand_add_step(&t.errand, here.errands, send_again_twice);
	errand_send(&t.errand);
	while (sem_trywait(&here.called) == 0)
		errands_run(here.errands);
	assert_int_equal(ran, 3);
	close_station(&here);
}

static void what_is_not_done_is_left_at_the_end(void **state)
{
	struct station here;

	(void)state;
	ran = 0;
	open_station(&here);
	send_all(here.errands);
	close_station(&here);
	assert_int_equal(ran, 0);
	errands_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_done_in_their_order_where_they_are_called_for),
		cmocka_unit_test(one_call_is_enough_for_all_that_wait),
		cmocka_unit_test(steps_are_done_one_after_the_other_each_in_its_thread),
		cmocka_unit_test(one_that_takes_long_holds_up_no_other_thread),
		cmocka_unit_test(the_last_step_may_send_it_again),
		cmocka_unit_test(what_is_not_done_is_left_at_the_end),
	};

	return cmocka_run_group_tests_name("server/errands", tests, NULL, NULL);
}
