/* sampling: it takes a sample each second while anything is moved, sleeps when nothing is, and is
 * woken by the first session that has something to do. */
#include "server/sampling.h"

#include <pthread.h>

#include "../base/check.h"
#include "base/clock.h"

static struct services services;
static struct sampling sampling;
static unsigned calls;

void __wrap_janitor_call(struct janitor *j, struct job *job);

void __wrap_janitor_call(struct janitor *j, struct job *job)
{
	assert_ptr_equal(j, &services);
	assert_ptr_equal(job, &sampling.job);
	calls++;
}

static int setup(void **state)
{
	(void)state;
	calls = 0;
	stats_init(&services.stats);
	services.registry = registry_new(2);
	services.throughput = throughput_new(100000);
	sampling_init(&sampling, &services, (struct janitor *)&services, NULL);
	return services.registry == NULL || services.throughput == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	registry_free(services.registry);
	throughput_free(services.throughput);
	return 0;
}

static int64_t run(int64_t now)
{
	return sampling.job.run(sampling.job.context, now);
}

static void move(size_t slot, uint64_t bytes, int64_t now)
{
	struct traffic *t = registry_traffic(registry_slot_at(services.registry, slot));

	traffic_count(t, TRAFFIC_SENT, bytes);
	traffic_active(t, now);
}

static void a_server_that_does_nothing_is_not_looked_at(void **state)
{
	(void)state;
	assert_int_equal(run(100000), CLOCK_NEVER);
	assert_int_equal(run(100100), CLOCK_NEVER);
	assert_int_equal(calls, 0);
}

static void the_first_byte_wakes_it_once(void **state)
{
	(void)state;
	run(100000);
	move(0, 10, 200300);
	move(1, 10, 200301);
	assert_int_equal(calls, 1);
	assert_int_equal(run(200302), 201000);
	move(0, 10, 200400);
	assert_int_equal(calls, 1);
}

static void it_looks_at_each_full_second_while_something_moves(void **state)
{
	struct throughput_row row;

	(void)state;
	run(100000);
	for (int64_t now = 200000; now < 205000; now += 1000) {
		move(0, 10, now + 1);
		assert_int_equal(run(now + 3), now + 1000);
	}
	assert_true(throughput_read(services.throughput, 0, 2, 204003, &row));
	assert_int_equal(row.sent, 10);
}

static void it_goes_to_sleep_when_nothing_moves_any_more(void **state)
{
	int64_t now = 200000;

	(void)state;
	move(0, 10, now);
	while (run(now) != CLOCK_NEVER) {
		now += 1000;
		assert_true(now < 300000);
	}
	assert_true(now > 201000);
	assert_int_equal(calls, 0);
	move(1, 1, now);
	assert_int_equal(calls, 1);
}

static void a_session_that_ends_wakes_it(void **state)
{
	(void)state;
	run(100000);
	registry_leave(registry_slot_at(services.registry, 0));
	assert_int_equal(calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_server_that_does_nothing_is_not_looked_at, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_byte_wakes_it_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_looks_at_each_full_second_while_something_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(
			it_goes_to_sleep_when_nothing_moves_any_more, setup, teardown),
		cmocka_unit_test_setup_teardown(a_session_that_ends_wakes_it, setup, teardown),
	};

	return cmocka_run_group_tests_name("server/sampling", tests, NULL, NULL);
}
