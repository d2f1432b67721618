/* hasher: errands go through its thread, and its end. */
#include "server/hasher.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "../base/check.h"

static bool no_threads;

int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	return no_threads ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}

/* The test's own thread, to which errands go behind the hasher. */
static struct errands *here;
static sem_t called;
static sem_t begun, may_go_on; /* of a hash */

static void call_here(void *context)
{
	(void)context;
	sem_post(&called);
}

static int setup(void **state)
{
	(void)state;
	here = errands_new(call_here, NULL);
	sem_init(&called, 0, 0);
	sem_init(&begun, 0, 0);
	sem_init(&may_go_on, 0, 0);
	return here == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	errands_free(here);
	sem_destroy(&called);
	sem_destroy(&begun);
	sem_destroy(&may_go_on);
	return 0;
}

static struct hasher *start(void)
{
	struct hasher *h = hasher_new();

	assert_non_null(h);
	assert_int_equal(hasher_start(h, "hasher"), 0);
	return h;
}

static void end(struct hasher *h)
{
	hasher_stop(h);
	hasher_free(h);
}

struct task {
	struct errand errand;
	pthread_t hashed_in;
	bool is_done;
};

static void hash_slowly(struct errand *e)
{
	((struct task *)e)->hashed_in = pthread_self();
	sem_post(&begun);
	sem_wait(&may_go_on);
}

static void finish(struct errand *e)
{
	((struct task *)e)->is_done = true;
}

static void send_to(struct hasher *h, struct task *t)
{
	*t = (struct task){.is_done = false};
	errand_begin(&t->errand);
	if (h != NULL)
		errand_add_step(&t->errand, hasher_errands(h), hash_slowly);
	errand_add_step(&t->errand, here, finish);
	errand_send(&t->errand);
}

static void main_answers_while_a_hash_is_under_way(void **state)
{
	struct hasher *h = start();
	struct task login, reload;

	(void)state;
	send_to(h, &login);
	sem_wait(&begun);
	send_to(NULL, &reload);
	sem_wait(&called);
	errands_run(here);
	assert_true(reload.is_done);
	sem_post(&may_go_on);
	sem_wait(&called);
	errands_run(here);
	assert_true(login.is_done);
	assert_false(pthread_equal(login.hashed_in, pthread_self()));
	end(h);
}

static void hashes_are_computed_one_after_the_other(void **state)
{
	struct hasher *h = start();
	struct task tasks[10];

	(void)state;
	for (size_t i = 0; i < COUNT(tasks); i++)
		send_to(h, &tasks[i]);
	for (size_t i = 0; i < COUNT(tasks); i++) {
		sem_wait(&begun);
		assert_int_equal(sem_trywait(&begun), -1); /* no other one beside it */
		sem_post(&may_go_on);
		sem_wait(&called);
		errands_run(here);
		assert_true(tasks[i].is_done);
	}
	end(h);
}

static void the_end_waits_for_one_hash_and_leaves_the_others(void **state)
{
	struct hasher *h = start();
	struct task first, second;

	(void)state;
	send_to(h, &first);
	sem_wait(&begun);
	sem_post(&may_go_on);
	sem_wait(&called);
	hasher_stop(h);
	send_to(h, &second);
	hasher_stop(h);
	errands_run(here);
	assert_true(first.is_done);
	assert_int_equal(sem_trywait(&begun), -1);
	hasher_free(h);
	hasher_free(NULL);
}

static void without_a_thread_it_fails(void **state)
{
	struct hasher *h = hasher_new();

	(void)state;
	assert_non_null(h);
	no_threads = true;
	assert_int_equal(hasher_start(h, "hasher"), -1);
	assert_int_equal(errno, EAGAIN);
	no_threads = false;
	end(h);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(main_answers_while_a_hash_is_under_way),
		TEST(hashes_are_computed_one_after_the_other),
		TEST(the_end_waits_for_one_hash_and_leaves_the_others),
		TEST(without_a_thread_it_fails),
	};

	return cmocka_run_group_tests_name("server/hasher", tests, NULL, NULL);
}
