/* quota: when periods begin and end, in several time zones and at both changes of summer time, and
 * that nothing is given twice. */
#include "state/quota.h"

#include <stdio.h>
#include <time.h>

#include "base/calendar.h"

#include "../base/check.h"

static void set_zone(const char *zone)
{
	setenv("TZ", zone, 1);
	tzset();
}

/* "2026-03-29 01:59" */
static int64_t at(const char *text)
{
	int year, month, day, hour, minute;

	assert_int_equal(sscanf(text, "%d-%d-%d %d:%d", &year, &month, &day, &hour, &minute), 5);
	return calendar_moment(year, month, day, hour, minute);
}

static struct quota quota_of(const char *text)
{
	char both[64], why[LIMITS_ERROR_MAX];
	struct limits limits;

	snprintf(both, sizeof(both), "quota=1GB/%s", text);
	assert_true(limits_parse(both, LIMITS_OF_USER, &limits, why));
	return limits.quota;
}

static void periods_begin_and_end_at_midnight(void **state)
{
	static const struct {
		const char *zone, *period, *now, *begin, *end;
	} rows[] = {
		{"UTC", "day", "2026-11-27 00:00", "2026-11-27 00:00", "2026-11-28 00:00"},
		{"UTC", "day", "2026-11-27 23:59", "2026-11-27 00:00", "2026-11-28 00:00"},
		{"UTC", "day", "2026-12-31 12:00", "2026-12-31 00:00", "2027-01-01 00:00"},
		{"UTC", "week", "2026-11-27 12:00", "2026-11-23 00:00", "2026-11-30 00:00"},
		{"UTC", "week", "2026-11-29 23:59", "2026-11-23 00:00", "2026-11-30 00:00"},
		{"UTC", "week", "2026-11-30 00:00", "2026-11-30 00:00", "2026-12-07 00:00"},
		{"UTC", "month", "2026-12-31 23:59", "2026-12-01 00:00", "2027-01-01 00:00"},
		{"UTC", "month@15", "2026-12-14 23:59", "2026-11-15 00:00", "2026-12-15 00:00"},
		{"UTC", "month@15", "2026-12-15 00:00", "2026-12-15 00:00", "2027-01-15 00:00"},
		{"UTC", "month@15", "2027-01-14 00:00", "2026-12-15 00:00", "2027-01-15 00:00"},
		{"UTC", "month@31", "2026-02-27 23:59", "2026-01-31 00:00", "2026-02-28 00:00"},
		{"UTC", "month@31", "2026-02-28 00:00", "2026-02-28 00:00", "2026-03-31 00:00"},
		{"UTC", "month@31", "2026-04-30 00:00", "2026-04-30 00:00", "2026-05-31 00:00"},
		{"UTC", "month@31", "2028-02-28 12:00", "2028-01-31 00:00", "2028-02-29 00:00"},
		{"UTC", "month@30", "2026-03-01 12:00", "2026-02-28 00:00", "2026-03-30 00:00"},
		/* the changes of summer time: days of 23 and 25 hours */
		{"Europe/Berlin", "day", "2026-03-29 12:00", "2026-03-29 00:00",
			"2026-03-30 00:00"},
		{"Europe/Berlin", "day", "2026-10-25 12:00", "2026-10-25 00:00",
			"2026-10-26 00:00"},
		{"Europe/Berlin", "week", "2026-03-29 12:00", "2026-03-23 00:00",
			"2026-03-30 00:00"},
		{"Europe/Berlin", "month", "2026-10-25 12:00", "2026-10-01 00:00",
			"2026-11-01 00:00"},
		/* where summer time begins at midnight, and so the day at one */
		{"Asia/Beirut", "day", "2026-03-29 12:00", "2026-03-29 01:00", "2026-03-30 00:00"},
		{"Asia/Beirut", "day", "2026-03-28 12:00", "2026-03-28 00:00", "2026-03-29 01:00"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct quota q;

		set_zone(rows[i].zone);
		q = quota_of(rows[i].period);
		if (quota_begin(&q, at(rows[i].now)) != at(rows[i].begin) ||
			quota_end(&q, at(rows[i].now)) != at(rows[i].end))
			fail_msg("row %zu: %s of %s is from %lld to %lld", i, rows[i].period,
				rows[i].now, (long long)quota_begin(&q, at(rows[i].now)),
				(long long)quota_end(&q, at(rows[i].now)));
	}
}

/* Through more than a year. */
static void periods_follow_each_other_without_a_gap(void **state)
{
	static const char *const zones[] = {
		"UTC", "Europe/Berlin", "Asia/Beirut", "America/Santiago", "Australia/Lord_Howe"};
	static const char *const periods[] = {
		"day", "week", "month", "month@15", "month@29", "month@31"};

	(void)state;
	for (size_t z = 0; z < COUNT(zones); z++) {
		set_zone(zones[z]);
		for (size_t p = 0; p < COUNT(periods); p++) {
			struct quota q = quota_of(periods[p]);
			int64_t now = at("2026-01-01 00:30"), last = at("2027-03-01 00:00");

			for (; now < last; now += 5400) {
				int64_t begin = quota_begin(&q, now), end = quota_end(&q, now);

				if (begin > now || end <= now || quota_begin(&q, end) != end ||
					quota_end(&q, begin) != end)
					fail_msg("%s, %s at %lld", zones[z], periods[p],
						(long long)now);
			}
		}
	}
}

static void nothing_is_given_twice(void **state)
{
	struct quota day = quota_of("day"), month = quota_of("month");
	struct quota_use use = {.begun = 0};

	(void)state;
	set_zone("Europe/Berlin");
	assert_true(quota_turn(&use, &day, at("2026-10-25 12:00")));
	use.used = 7;
	assert_false(quota_turn(&use, &day, at("2026-10-25 23:59")));
	/* the clock is set back behind midnight, and comes there again */
	assert_false(quota_turn(&use, &day, at("2026-10-24 23:00")));
	assert_false(quota_turn(&use, &day, at("2026-10-25 00:00")));
	assert_int_equal(use.used, 7);
	/* longer periods, which began before */
	assert_false(quota_turn(&use, &month, at("2026-10-25 23:59")));
	assert_int_equal(use.used, 7);
	use.extra = 5;
	assert_true(quota_turn(&use, &month, at("2026-11-01 00:00")));
	assert_int_equal(use.used, 0);
	assert_int_equal(use.extra, 0);
}

/* Its quota of then may be used up: that is not for years. */
static void a_clock_that_was_ahead_holds_nobody_back_behind_midnight(void **state)
{
	struct quota day = quota_of("day"), month = quota_of("month");
	struct quota_use use = {.begun = 0};

	(void)state;
	set_zone("Europe/Berlin");
	assert_true(quota_turn(&use, &day, at("2036-10-25 12:00")));
	use.used = 7;
	/* setting it right gives nothing */
	assert_false(quota_turn(&use, &day, at("2026-10-25 12:00")));
	assert_false(quota_turn(&use, &day, at("2026-10-25 23:59")));
	assert_int_equal(use.used, 7);
	assert_int_equal(quota_until(&use, &day, at("2026-10-25 23:59")), at("2026-10-26 00:00"));
	assert_true(quota_turn(&use, &day, at("2026-10-26 00:00")));
	assert_int_equal(use.used, 0);
	assert_int_equal(use.begun, at("2026-10-26 00:00"));
	assert_false(quota_turn(&use, &day, at("2026-10-26 23:59")));
	assert_true(quota_turn(&use, &day, at("2026-10-28 12:00")));
	assert_true(quota_turn(&use, &month, at("2036-10-25 12:00")));
	assert_false(quota_turn(&use, &month, at("2026-10-28 12:00")));
	assert_true(quota_turn(&use, &month, at("2026-11-01 00:00")));
}

/* As where it runs from no battery, and the time comes from the network. */
static void a_clock_that_is_behind_for_a_while_gives_nothing(void **state)
{
	static const char *const behind[] = {
		"1970-01-01 01:00", "2026-10-01 12:00", "2026-10-22 23:00", "2026-10-24 23:00"};
	struct quota day = quota_of("day");
	struct quota_use use = {.begun = 0};

	(void)state;
	set_zone("Europe/Berlin");
	assert_true(quota_turn(&use, &day, at("2026-10-25 12:00")));
	use.used = 7;
	for (size_t i = 0; i < COUNT(behind); i++) {
		assert_false(quota_turn(&use, &day, at(behind[i])));
		assert_false(quota_turn(&use, &day, at("2026-10-25 12:01")));
		assert_int_equal(use.used, 7);
	}
	assert_int_equal(quota_until(&use, &day, at("2026-10-24 23:00")), at("2026-10-26 00:00"));
	assert_true(quota_turn(&use, &day, at("2026-10-26 00:00")));
}

static void what_is_kept_is_read_back(void **state)
{
	struct quota_use use = {.begun = 1764198000, .used = INT64_MAX, .extra = 3}, back;
	char text[QUOTA_USE_MAX];

	(void)state;
	assert_true(quota_use_parse(quota_use_format(&use, text), &back));
	assert_memory_equal(&use, &back, sizeof(use));
	assert_false(quota_use_parse("", &back));
	assert_false(quota_use_parse("1 2", &back));
	assert_false(quota_use_parse("1 2 3 4", &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(periods_begin_and_end_at_midnight),
		cmocka_unit_test(periods_follow_each_other_without_a_gap),
		cmocka_unit_test(nothing_is_given_twice),
		cmocka_unit_test(a_clock_that_was_ahead_holds_nobody_back_behind_midnight),
		cmocka_unit_test(a_clock_that_is_behind_for_a_while_gives_nothing),
		cmocka_unit_test(what_is_kept_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
