/* day: dates as numbers, and which one a moment is in, over month ends and both changes of summer
 * time. */
#include "base/day.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "check.h"

/* As in Berlin: forwards on 2026-03-29, back on 2026-10-25. */
static int set_zone(void **state)
{
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0/2,M10.5.0/3", 1);
	tzset();
	return 0;
}

static void days_are_added_over_the_ends_of_months_and_years(void **state)
{
	static const struct {
		int32_t day;
		int days;
		int32_t expected;
	} rows[] = {
		{20261126, 0, 20261126},
		{20261130, 1, 20261201},
		{20261231, 1, 20270101},
		{20270101, -1, 20261231},
		{20260228, 1, 20260301},
		{20280228, 1, 20280229},
		{20280229, 1, 20280301},
		{20280301, -1, 20280229},
		{20000228, 1, 20000229},
		{21000228, 1, 21000301},
		{20261126, -400, 20251022},
		{20261126, 365, 20271126},
		{19700101, 0, 19700101},
		{20261126, 36500, 21261102},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(day_add(rows[i].day, rows[i].days), rows[i].expected);
}

static void each_day_of_four_centuries_follows_the_one_before(void **state)
{
	int32_t day = 19700101, next;

	(void)state;
	for (int i = 0; i < 146097; i++, day = next) {
		next = day_add(day, 1);
		assert_true(next > day);
		assert_int_equal(day_add(next, -1), day);
	}
	assert_int_equal(day, 23700101);
}

static void weeks_begin_on_monday_and_months_on_the_first(void **state)
{
	static const struct {
		int32_t day, week, month;
	} rows[] = {
		{20261126, 20261123, 20261101}, /* a Thursday */
		{20261123, 20261123, 20261101},
		{20261129, 20261123, 20261101}, /* a Sunday */
		{20261201, 20261130, 20261201},
		{20270101, 20261228, 20270101},
		{19700101, 19691229, 19700101},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(day_week(rows[i].day), rows[i].week);
		assert_int_equal(day_month(rows[i].day), rows[i].month);
	}
}

/* Seconds before and after local midnight, on days of 24, 23 and 25 hours. */
static void a_day_is_what_the_time_zone_says(void **state)
{
	static const struct {
		int64_t when;
		int32_t day;
	} rows[] = {
		{1795733999, 20261126}, /* 2026-11-26 23:59:59 +0100 */
		{1795734000, 20261127},
		{1774738799, 20260328}, /* 2026-03-28 23:59:59 +0100 */
		{1774738800, 20260329},
		{1774738800 + 23 * 3600 - 1, 20260329},
		{1774738800 + 23 * 3600, 20260330},
		{1792879199, 20261024}, /* 2026-10-24 23:59:59 +0200 */
		{1792879200, 20261025},
		{1792879200 + 25 * 3600 - 1, 20261025},
		{1792879200 + 25 * 3600, 20261026},
		{0, 19700101},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(day_of(rows[i].when), rows[i].day);
}

static void dates_are_read_as_they_are_written(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-1-1", "2026-13-01", "2026-00-10",
		"2026-02-29", "2026-04-31", "2026-01-00", "2026-01-32", "1969-12-31", "2026-01-01 ",
		" 2026-01-01", "2026/01/01", "26-01-01", "2026-01-0x", "+026-01-01"};
	static const char *const good[] = {"2026-11-26", "2028-02-29", "1970-01-01", "9999-12-31"};
	char text[DAY_TEXT_MAX];
	int32_t day = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(day_parse(bad[i], &day));
	assert_int_equal(day, 7);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(day_parse(good[i], &day));
		assert_string_equal(day_format(day, text), good[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(days_are_added_over_the_ends_of_months_and_years),
		cmocka_unit_test(each_day_of_four_centuries_follows_the_one_before),
		cmocka_unit_test(weeks_begin_on_monday_and_months_on_the_first),
		cmocka_unit_test_setup(a_day_is_what_the_time_zone_says, set_zone),
		cmocka_unit_test(dates_are_read_as_they_are_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
