/* rule_time: what is read and written, and borders, also where clocks are set forward and back. */
#include "state/rule_time.h"

#include <time.h>

#include "../base/check.h"

#define LATE_IN_OCTOBER_2026 INT64_C(1792792800) /* the night in which summer time ends is near */
#define LATE_IN_MARCH_2026 INT64_C(1774567800)

static int set_up(void **state)
{
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return 0;
}

static void times_are_read_and_written(void **state)
{
	static const struct {
		const char *text, *form;
	} rows[] = {{"mon", "mon"}, {"MON-Fri", "mon-fri"}, {"fri-mon", "fri-mon"},
		{"mon 08:00-18:00", "mon 08:00-18:00"}, {"mon\t 08:00-18:00", "mon 08:00-18:00"},
		{"08:00-18:00", "08:00-18:00"}, {"22:00-06:00", "22:00-06:00"},
		{"sun-sat", "sun-sat"}, {"00:00-24:00", "sun-sat"},
		{"wed-tue 01:00-02:00", "01:00-02:00"}, {"mon 00:00-24:00", "mon"}, {"", NULL},
		{"mo", NULL}, {"mond", NULL}, {"mon-", NULL}, {"mon08:00-18:00", NULL},
		{"8:00-18:00", NULL}, {"08:00", NULL}, {"08:00-08:00", NULL}, {"24:00-08:00", NULL},
		{"08:00-24:01", NULL}, {"08:60-09:00", NULL}, {"08:00-00:00", NULL},
		{"mon 08:00-18:00 x", NULL}, {"mon ", NULL}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[RULE_TIME_TEXT_MAX];
		struct rule_time t;
		bool is_read = rule_time_parse(rows[i].text, strlen(rows[i].text), &t);

		if (is_read != (rows[i].form != NULL) ||
			(is_read && strcmp(rule_time_format(&t, text), rows[i].form) != 0))
			fail_msg("\"%s\"", rows[i].text);
	}
}

static bool holds_at(const struct rule_time *t, int64_t when)
{
	struct rule_now now = rule_now_of(when);

	return rule_time_holds(t, &now);
}

/* Between one border and the next nothing changes, minute by minute for nine days. */
static void check_borders(const char *text, int64_t begin)
{
	struct rule_time t;
	int64_t border;

	if (!rule_time_parse(text, strlen(text), &t))
		fail_msg("%s", text);
	border = rule_time_next_border(&t, 1, begin - 60);
	for (int64_t at = begin; at < begin + 9 * 86400; at += 60) {
		bool changes = holds_at(&t, at) != holds_at(&t, at - 60);

		if (changes && border != at)
			fail_msg("%s changes at %lld, and %lld was told", text, (long long)at,
				(long long)border);
		if (at >= border)
			border = rule_time_next_border(&t, 1, at);
		assert_true(border > at);
	}
}

static void nothing_changes_between_borders(void **state)
{
	static const char *const texts[] = {"mon-fri 08:00-18:00", "sat", "22:00-06:00",
		"02:30-02:45", "sun 01:00-03:00", "sun 02:15-24:00", "sat 23:00-02:30"};

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		check_borders(texts[i], LATE_IN_MARCH_2026 / 60 * 60);
		check_borders(texts[i], LATE_IN_OCTOBER_2026 / 60 * 60);
	}
}

static void without_times_there_is_no_border(void **state)
{
	(void)state;
	assert_int_equal(rule_time_next_border(NULL, 0, 0), RULE_TIME_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_and_written),
		cmocka_unit_test(nothing_changes_between_borders),
		cmocka_unit_test(without_times_there_is_no_border),
	};

	return cmocka_run_group_tests_name("state/rule_time", tests, set_up, NULL);
}
