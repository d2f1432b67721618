/* stopping: what is passed on, and an end that does not wait for who hangs. */
#include "server/stopping.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include "../base/check.h"
#include "server/server.h"

static struct stopping stopping;
static sem_t exited;
static _Atomic(int) exit_status;

void __wrap__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status)
{
	atomic_store(&exit_status, status);
	sem_post(&exited);
	pthread_exit(NULL);
}

/* ---- time, which passes while somebody waits for a signal ---- */

static _Atomic(int64_t) now;
static _Atomic(bool) stands_still; /* only a signal ends the wait */
static _Atomic(unsigned) signals_meanwhile; /* that come halfway, one at each wait */

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_ms(void)
{
	return atomic_load(&now);
}

int64_t __wrap_clock_deadline(int64_t timeout_ms);
int64_t __wrap_clock_deadline(int64_t timeout_ms)
{
	return atomic_load(&now) + timeout_ms;
}

int __wrap_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);
int __wrap_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout)
{
	int64_t ms = (int64_t)timeout->tv_sec * 1000 + timeout->tv_nsec / 1000000;

	if (atomic_load(&stands_still))
		return sigwaitinfo(set, info);
	if (atomic_load(&signals_meanwhile) > 0) {
		atomic_fetch_sub(&signals_meanwhile, 1);
		atomic_fetch_add(&now, ms / 2);
		return sigismember(set, SIGTERM) ? SIGTERM : -1;
	}
	atomic_fetch_add(&now, ms);
	errno = EAGAIN;
	return -1;
}

static int begin(void **state)
{
	static const int numbers[] = {SIGTERM, SIGINT, SERVER_ERRAND_SIGNAL};
	sigset_t set;

	(void)state;
	sigemptyset(&set);
	for (size_t i = 0; i < COUNT(numbers); i++)
		sigaddset(&set, numbers[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	atomic_store(&now, 0);
	atomic_store(&stands_still, false);
	stopping = (struct stopping){0};
	atomic_store(&exit_status, -1);
	sem_init(&exited, 0, 0);
	return stopping_start(&stopping);
}

static int end(void **state)
{
	(void)state;
	stopping_end(&stopping);
	sem_destroy(&exited);
	return 0;
}

/* Of the process, as the main thread takes it. */
static void send_and_await(int number)
{
	sigset_t set;
	int taken;

	sigemptyset(&set);
	sigaddset(&set, SERVER_ERRAND_SIGNAL);
	assert_int_equal(kill(getpid(), number), 0);
	assert_int_equal(sigwait(&set, &taken), 0);
}

static void each_signal_counts_and_wakes_the_main_thread(void **state)
{
	(void)state;
	atomic_store(&stands_still, true);
	assert_int_equal(stopping_asked(&stopping), 0);
	send_and_await(SIGINT);
	assert_int_equal(stopping_asked(&stopping), 1);
	send_and_await(SIGTERM);
	assert_int_equal(stopping_asked(&stopping), 2);
	stopping_end(&stopping);
	assert_int_equal(atomic_load(&exit_status), -1);
}

static void one_that_ends_without_a_signal_is_not_disturbed(void **state)
{
	(void)state;
	stopping_end(&stopping);
	stopping_end(&stopping);
	assert_int_equal(stopping_asked(&stopping), 0);
	assert_int_equal(atomic_load(&exit_status), -1);
}

static void a_stop_that_hangs_ends_with_status_1(void **state)
{
	(void)state;
	atomic_store(&signals_meanwhile, 3); /* which make no difference */
	send_and_await(SIGTERM);
	assert_int_equal(atomic_load(&now), 0);
	send_and_await(SIGTERM);
	while (sem_wait(&exited) < 0)
		;
	assert_int_equal(atomic_load(&exit_status), 1);
	assert_int_equal(atomic_load(&now), STOPPING_GRACE_MS);
	assert_int_equal(atomic_load(&signals_meanwhile), 0);
}

#define stopping_test(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		stopping_test(each_signal_counts_and_wakes_the_main_thread),
		stopping_test(one_that_ends_without_a_signal_is_not_disturbed),
		stopping_test(a_stop_that_hangs_ends_with_status_1),
	};

	return cmocka_run_group_tests_name("server/stopping", tests, NULL, NULL);
}
