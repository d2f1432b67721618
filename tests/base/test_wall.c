/* wall: moments that stay where they are when the clock on the wall is set. */
#include "base/wall.h"

#include <time.h>

#include "check.h"

#define DAY 86400

static int64_t wall_ms = INT64_C(1752583239000), boot_ms = 5000;

int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
	int64_t ms = clock == CLOCK_REALTIME ? wall_ms : boot_ms;

	assert_true(clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME);
	*out = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	return 0;
}

static void pass(int64_t ms)
{
	wall_ms += ms;
	boot_ms += ms;
}

static void a_moment_is_as_far_away_whatever_the_clock_is_set_to(void **state)
{
	static const int64_t steps[] = {3 * DAY, -5 * DAY, 2 * DAY, -730 * DAY, 730 * DAY, 60, -60};
	int64_t end = wall_to_steady(wall_ms / 1000 + 3600);

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		wall_ms += steps[i] * 1000;
		pass(10000);
		assert_int_equal(wall_from_steady(end) - wall_ms / 1000, 3590 - 10 * (int64_t)i);
		assert_int_equal(wall_to_steady(wall_from_steady(end)), end);
	}
}

static void what_is_no_setting_changes_nothing(void **state)
{
	int64_t end = wall_to_steady(1752590000), then = wall_from_steady(end);

	(void)state;
	wall_ms += 900;
	pass(DAY * INT64_C(1000));
	assert_int_equal(wall_from_steady(end), then);
	wall_ms -= 1800;
	assert_int_equal(wall_from_steady(end), then);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_is_as_far_away_whatever_the_clock_is_set_to),
		cmocka_unit_test(what_is_no_setting_changes_nothing),
	};

	return cmocka_run_group_tests_name("base/wall", tests, NULL, NULL);
}
