/* clock: arithmetic of deadlines, and what poll(2) and pthreads get from them. */
#include "base/clock.h"

#include <limits.h>

#include "check.h"

#define HOUR INT64_C(3600000)

static int64_t kernel_ms(void)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void counts_milliseconds_of_the_monotonic_clock(void **state)
{
	int64_t before = kernel_ms(), now = clock_ms(), after = kernel_ms();

	(void)state;
	assert_true(before <= now);
	assert_true(now <= after);
}

static void deadlines_are_that_far_from_now(void **state)
{
	static const int64_t rows[] = {0, 1, 1000, HOUR, INT64_MAX / 2};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t before = clock_ms(), deadline = clock_deadline(rows[i]);

		assert_true(deadline >= before + rows[i]);
		assert_true(deadline <= clock_ms() + rows[i]);
	}
}

static void never_stays_never(void **state)
{
	(void)state;
	assert_true(clock_deadline(CLOCK_NEVER) == CLOCK_NEVER);
	assert_true(clock_deadline(CLOCK_NEVER - 1) == CLOCK_NEVER);
	assert_true(clock_deadline(CLOCK_NEVER - clock_ms()) == CLOCK_NEVER);
}

static void poll_waits_not_at_all_for_the_past(void **state)
{
	(void)state;
	assert_int_equal(clock_poll_timeout(clock_ms()), 0);
	assert_int_equal(clock_poll_timeout(clock_ms() - 1), 0);
	assert_int_equal(clock_poll_timeout(0), 0);
	assert_int_equal(clock_poll_timeout(-HOUR), 0);
}

static void poll_waits_for_ever_for_never(void **state)
{
	(void)state;
	assert_int_equal(clock_poll_timeout(CLOCK_NEVER), -1);
}

static void poll_waits_until_the_deadline(void **state)
{
	int64_t before = clock_ms();
	int64_t deadline = before + HOUR;
	int timeout = clock_poll_timeout(deadline);

	(void)state;
	assert_true(timeout <= HOUR);
	assert_true(timeout >= deadline - clock_ms());
}

static void poll_waits_at_most_what_an_int_holds(void **state)
{
	(void)state;
	assert_int_equal(clock_poll_timeout(clock_deadline((int64_t)INT_MAX * 2)), INT_MAX);
	assert_int_equal(clock_poll_timeout(CLOCK_NEVER - 1), INT_MAX);
}

static void splits_milliseconds_into_seconds_and_nanoseconds(void **state)
{
	static const struct {
		int64_t ms;
		time_t seconds;
		long nanoseconds;
	} rows[] = {{0, 0, 0}, {1, 0, 1000000}, {999, 0, 999000000}, {1000, 1, 0},
		{1234, 1, 234000000}, {HOUR + 5, 3600, 5000000},
		{CLOCK_NEVER, INT64_MAX / 1000, 807000000}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct timespec ts = clock_timespec(rows[i].ms);

		assert_true(ts.tv_sec == rows[i].seconds);
		assert_true(ts.tv_nsec == rows[i].nanoseconds);
	}
}

static void the_earlier_deadline_comes_first(void **state)
{
	(void)state;
	assert_int_equal(clock_earlier(1, 2), 1);
	assert_int_equal(clock_earlier(2, 1), 1);
	assert_int_equal(clock_earlier(CLOCK_NEVER, 5), 5);
	assert_true(clock_earlier(CLOCK_NEVER, CLOCK_NEVER) == CLOCK_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_milliseconds_of_the_monotonic_clock),
		cmocka_unit_test(deadlines_are_that_far_from_now),
		cmocka_unit_test(never_stays_never),
		cmocka_unit_test(poll_waits_not_at_all_for_the_past),
		cmocka_unit_test(poll_waits_for_ever_for_never),
		cmocka_unit_test(poll_waits_until_the_deadline),
		cmocka_unit_test(poll_waits_at_most_what_an_int_holds),
		cmocka_unit_test(splits_milliseconds_into_seconds_and_nanoseconds),
		cmocka_unit_test(the_earlier_deadline_comes_first),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
