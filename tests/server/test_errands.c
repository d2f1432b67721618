/* errands: their order, the signal that calls for them, and their way back. */
#include "server/errands.h"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../base/check.h"

#define ERRANDS 100

struct task {
	struct errand errand;
	int number;
	pthread_t ran_in;
};

static int order[ERRANDS], ran;

static void run(struct errand *e)
{
	struct task *t = (struct task *)e;

	order[ran++] = t->number;
	t->ran_in = pthread_self();
}

static sigset_t block(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
	return set;
}

static struct task tasks[ERRANDS];

static void *send_all(void *context)
{
	for (int i = 0; i < ERRANDS; i++) {
		tasks[i] = (struct task){.errand.run = run, .number = i};
		errands_send(context, &tasks[i].errand);
	}
	return NULL;
}

static void they_run_in_the_called_thread_in_their_order(void **state)
{
	int number = SIGURG, fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	sigset_t set = block(number);
	struct errands *q = errands_new(number, fd);
	struct errand *e;
	uint64_t news;
	pthread_t sender;

	(void)state;
	assert_non_null(q);
	assert_null(errands_take_done(q));
	assert_int_equal(pthread_create(&sender, NULL, send_all, q), 0);
	while (ran < ERRANDS) {
		assert_int_equal(sigwaitinfo(&set, NULL), number);
		errands_run(q);
	}
	assert_int_equal(pthread_join(sender, NULL), 0);
	assert_int_equal(read(fd, &news, sizeof(news)), sizeof(news));
	assert_int_equal(news, ERRANDS);
	for (int i = 0; i < ERRANDS; i++) {
		assert_int_equal(order[i], i);
		e = errands_take_done(q);
		assert_ptr_equal(e, &tasks[i].errand);
		assert_true(pthread_equal(tasks[i].ran_in, pthread_self()));
	}
	assert_null(errands_take_done(q));
	errands_free(q);
	errands_free(NULL);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_run_in_the_called_thread_in_their_order),
	};

	return cmocka_run_group_tests_name("server/errands", tests, NULL, NULL);
}
