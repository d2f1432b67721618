/* zone: the offsets of central Europe, and the seconds at which its clocks are set. */
#include "base/zone.h"

#include <stdlib.h>
#include <time.h>

#include "check.h"

#define SPRING 1774746000 /* 2026-03-29 02:00 becomes 03:00 */
#define AUTUMN 1792890000 /* 2026-10-25 03:00 becomes 02:00 */
#define DAY 86400

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return 0;
}

static void summer_is_an_hour_further(void **state)
{
	(void)state;
	assert_int_equal(zone_offset(SPRING - 1), 3600);
	assert_int_equal(zone_offset(SPRING), 7200);
	assert_int_equal(zone_offset(AUTUMN - 1), 7200);
	assert_int_equal(zone_offset(AUTUMN), 3600);
}

static void a_shift_is_found_to_the_second(void **state)
{
	(void)state;
	assert_int_equal(zone_find_shift(SPRING - DAY, SPRING + DAY), SPRING);
	assert_int_equal(zone_find_shift(SPRING - 1, SPRING), SPRING);
	assert_int_equal(zone_find_shift(SPRING - 1, SPRING + 7 * DAY), SPRING);
	assert_int_equal(zone_find_shift(AUTUMN - DAY, AUTUMN), AUTUMN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(summer_is_an_hour_further),
		cmocka_unit_test(a_shift_is_found_to_the_second),
	};

	return cmocka_run_group_tests_name("base/zone", tests, setup, NULL);
}
