/* idle: which sessions end when idle times are lowered, on a clock that the test moves. */
#include "server/idle.h"

#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/clock.h"

static int64_t now;

int64_t __wrap_clock_ms(void);

int64_t __wrap_clock_ms(void)
{
	return now;
}

#define SLOTS 3

static struct registry *registry;
static struct idle_limits limits;
static struct idle_sweep sweep;

static int setup(void **state)
{
	(void)state;
	now = 1000000;
	registry = registry_new(SLOTS);
	atomic_store(&limits.timeout, 60000);
	atomic_store(&limits.half_close_timeout, 60000);
	idle_sweep_init(&sweep, registry, &limits);
	return registry == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	registry_free(registry);
	return 0;
}

/* A session that relays, and was active just now. */
static void enter(size_t slot)
{
	struct addr nowhere = {.sa = {.sa_family = AF_UNSPEC}};

	registry_enter(registry_slot_at(registry, slot), -1, &nowhere);
	registry_set_phase(registry_slot_at(registry, slot), PHASE_RELAY);
	traffic_active(registry_traffic(registry_slot_at(registry, slot)), now);
}

static int64_t run(void)
{
	return sweep.job.run(sweep.job.context, now);
}

static bool was_ended(size_t slot)
{
	return registry_told_why(registry_slot_at(registry, slot)) != END_REASONS;
}

static void without_a_change_there_is_nothing_to_do(void **state)
{
	(void)state;
	enter(0);
	assert_true(run() == CLOCK_NEVER);
	now += 10000000;
	assert_true(run() == CLOCK_NEVER);
	assert_false(was_ended(0));
	atomic_store(&limits.timeout, 120000); /* raised: those who sleep wake early, and see it */
	assert_true(run() == CLOCK_NEVER);
}

static void sessions_end_when_the_lowered_time_is_over(void **state)
{
	(void)state;
	enter(0);
	now += 2000;
	enter(1);
	atomic_store(&limits.timeout, 5000);
	assert_int_equal(run(), now + 3000);
	now += 2999;
	assert_int_equal(run(), now + 1); /* too early */
	assert_false(was_ended(0));
	now += 1;
	assert_int_equal(run(), now + 2000);
	assert_int_equal(registry_told_why(registry_slot_at(registry, 0)), END_IDLE);
	assert_false(was_ended(1));
	registry_leave(registry_slot_at(registry, 0));
	traffic_active(registry_traffic(registry_slot_at(registry, 1)), now); /* a byte came */
	now += 2000;
	assert_int_equal(run(), now + 3000);
	assert_false(was_ended(1));
	registry_leave(registry_slot_at(registry, 1));
	now += 3000;
	assert_true(run() == CLOCK_NEVER);
}

static void one_that_was_half_closed_has_its_own_time(void **state)
{
	(void)state;
	enter(0);
	enter(1);
	atomic_store(&registry_traffic(registry_slot_at(registry, 1))->half_closed, true);
	atomic_store(&limits.half_close_timeout, 1000);
	assert_int_equal(run(), now + 1000);
	now += 1000;
	run();
	assert_false(was_ended(0));
	assert_int_equal(registry_told_why(registry_slot_at(registry, 1)), END_HALF_CLOSED_IDLE);
}

static void sessions_that_came_later_see_to_it_themselves(void **state)
{
	(void)state;
	enter(0);
	atomic_store(&limits.timeout, 5000);
	run();
	enter(1);
	registry_leave(registry_slot_at(registry, 0));
	now += 5000;
	assert_true(run() == CLOCK_NEVER);
	assert_false(was_ended(1));
}

static void a_busy_crowd_is_not_looked_at_all_the_time(void **state)
{
	(void)state;
	enter(0);
	atomic_store(&limits.timeout, 10);
	assert_int_equal(run(), now + 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			without_a_change_there_is_nothing_to_do, setup, teardown),
		cmocka_unit_test_setup_teardown(
			sessions_end_when_the_lowered_time_is_over, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_that_was_half_closed_has_its_own_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			sessions_that_came_later_see_to_it_themselves, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_busy_crowd_is_not_looked_at_all_the_time, setup, teardown),
	};

	return cmocka_run_group_tests_name("server/idle", tests, NULL, NULL);
}
