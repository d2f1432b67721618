/* janitor: its thread is woken by its clock, by whoever has news, and by the end. */
#include "server/janitor.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "../base/check.h"
#include "base/clock.h"

static bool no_threads;

int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	return no_threads ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}

/* A job that tells the test when it begins, and goes on when the test lets it. */
struct step {
	struct job job;
	int64_t period;
	sem_t begun, may_go_on;
	_Atomic(unsigned) count, ended;
};

static int64_t run_step(void *context, int64_t now)
{
	struct step *s = context;

	atomic_fetch_add(&s->count, 1);
	sem_post(&s->begun);
	sem_wait(&s->may_go_on);
	atomic_fetch_add(&s->ended, 1);
	return s->period == CLOCK_NEVER ? CLOCK_NEVER : now + s->period;
}

/* A job that may go on `free_runs` times without being let. */
static struct job *prepare(struct step *s, int64_t period, unsigned free_runs)
{
	s->period = period;
	s->job = (struct job){.name = "step", .run = run_step, .context = s};
	atomic_store(&s->count, 0);
	atomic_store(&s->ended, 0);
	sem_init(&s->begun, 0, 0);
	sem_init(&s->may_go_on, 0, free_runs);
	return &s->job;
}

/* A janitor with that job. */
static struct janitor *start_with(struct step *s, int64_t period, unsigned free_runs)
{
	struct janitor *j = janitor_new();

	assert_non_null(j);
	janitor_add(j, prepare(s, period, free_runs));
	assert_int_equal(janitor_start(j), 0);
	return j;
}

/* Waits until the job has begun as many times more. */
static void await(struct step *s, unsigned times)
{
	while (times-- > 0)
		assert_int_equal(sem_wait(&s->begun), 0);
}

static void end(struct janitor *j, struct step *s)
{
	janitor_stop(j);
	janitor_free(j);
	sem_destroy(&s->begun);
	sem_destroy(&s->may_go_on);
}

static void a_job_runs_at_the_start_and_whenever_it_is_due(void **state)
{
	struct step s;
	struct janitor *j = start_with(&s, 1, 1000000);

	(void)state;
	await(&s, 5);
	end(j, &s);
}

static void one_that_has_nothing_to_do_looks_again_when_told(void **state)
{
	struct step s;
	struct janitor *j = start_with(&s, CLOCK_NEVER, 1000000);

	(void)state;
	for (int i = 0; i < 3; i++) {
		await(&s, 1);
		janitor_look_again(j);
	}
	await(&s, 1);
	end(j, &s);
	assert_int_equal(atomic_load(&s.count), 4);
}

static void news_that_come_while_a_job_runs_are_not_lost(void **state)
{
	struct step s;
	struct janitor *j = start_with(&s, CLOCK_NEVER, 0);

	(void)state;
	await(&s, 1);
	janitor_look_again(j); /* returns, though the job is under way */
	janitor_look_again(j);
	sem_post(&s.may_go_on);
	await(&s, 1);
	sem_post(&s.may_go_on);
	end(j, &s);
	assert_int_equal(atomic_load(&s.count), 2);
}

static void one_that_is_called_looks_by_itself(void **state)
{
	struct step s, other = {.period = CLOCK_NEVER};
	struct janitor *j = janitor_new();

	(void)state;
	assert_non_null(j);
	janitor_add(j, prepare(&other, CLOCK_NEVER, 1000000));
	janitor_add(j, prepare(&s, CLOCK_NEVER, 1000000));
	assert_int_equal(janitor_start(j), 0);
	await(&s, 1);
	await(&other, 1);
	for (int i = 0; i < 3; i++) {
		janitor_call(j, &s.job);
		await(&s, 1);
	}
	end(j, &s);
	assert_int_equal(atomic_load(&other.count), 1);
	sem_destroy(&other.begun);
	sem_destroy(&other.may_go_on);
}

static void *stop_it(void *j)
{
	janitor_stop(j);
	return NULL;
}

static void the_end_waits_for_the_job_under_way(void **state)
{
	struct step s;
	struct janitor *j = start_with(&s, CLOCK_NEVER, 0);
	pthread_t stopper;

	(void)state;
	await(&s, 1);
	assert_int_equal(__real_pthread_create(&stopper, NULL, stop_it, j), 0);
	sem_post(&s.may_go_on);
	assert_int_equal(pthread_join(stopper, NULL), 0);
	assert_int_equal(atomic_load(&s.ended), 1);
	end(j, &s);
}

static void without_a_thread_it_fails_and_runs_nothing(void **state)
{
	struct job job = {.name = "never", .run = NULL};
	struct janitor *j = janitor_new();

	(void)state;
	assert_non_null(j);
	janitor_add(j, &job);
	no_threads = true;
	assert_int_equal(janitor_start(j), -1);
	assert_int_equal(errno, EAGAIN);
	no_threads = false;
	janitor_stop(j);
	janitor_free(j);
	janitor_stop(NULL);
	janitor_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_job_runs_at_the_start_and_whenever_it_is_due),
		cmocka_unit_test(one_that_has_nothing_to_do_looks_again_when_told),
		cmocka_unit_test(news_that_come_while_a_job_runs_are_not_lost),
		cmocka_unit_test(one_that_is_called_looks_by_itself),
		cmocka_unit_test(the_end_waits_for_the_job_under_way),
		cmocka_unit_test(without_a_thread_it_fails_and_runs_nothing),
	};

	return cmocka_run_group_tests_name("server/janitor", tests, NULL, NULL);
}
