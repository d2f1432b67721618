/* timestamp: the text, in any zone, and the same from all threads. */
#include "base/timestamp.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "check.h"
#include "litmus.h"

static const char *whole(int64_t when)
{
	static _Thread_local char text[TIMESTAMP_DATE + TIMESTAMP_ZONE + 1];

	timestamp_format(when, text, text + TIMESTAMP_DATE);
	return text;
}

static int in_zone(const char *zone)
{
	int result = setenv("TZ", zone, 1);

	tzset();
	return result;
}

static void tells_date_time_and_zone(void **state)
{
	(void)state;
	assert_int_equal(in_zone("UTC0"), 0);
	assert_string_equal(whole(0), "1970-01-01T00:00:00+0000");
	assert_string_equal(whole(1752583239), "2025-07-15T12:40:39+0000");
	assert_string_equal(whole(1752583239), "2025-07-15T12:40:39+0000");
	assert_int_equal(in_zone("XXX-5:30"), 0);
	assert_string_equal(whole(1752583240), "2025-07-15T18:10:40+0530");
	assert_int_equal(in_zone("UTC0"), 0);
}

static void years_beyond_four_digits_do_no_harm(void **state)
{
	(void)state;
	assert_string_equal(whole(INT64_C(400000000000)), "0000-00-00T00:00:00+0000");
}

#define SECONDS 50

static void *ask(void *context)
{
	const char *wrong = NULL;

	(void)context;
	for (int i = 0; i < 20000 && wrong == NULL; i++) {
		char expected[32];

		snprintf(expected, sizeof(expected), "1970-01-01T00:00:%02d+0000", i % SECONDS);
		if (strcmp(whole(i % SECONDS), expected) != 0)
			wrong = "a time that was not asked for";
	}
	return (void *)(uintptr_t)wrong;
}

static void threads_get_what_they_ask_for(void **state)
{
	pthread_t threads[4];
	void *wrong;

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask, NULL), 0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

/* ---- two threads ---- */

#define EARLY 86399 /* no eight bytes of the two texts are the same */
#define LATE 1752583240
static const char *const early = "1970-01-01T23:59:59+0000";
static bool was_early;

static void keep_early(void)
{
	whole(EARLY);
}

static void put_late(void)
{
	whole(LATE);
}

static void ask_for_early(void)
{
	was_early = true;
	for (int i = 0; i < 8; i++)
		was_early = was_early && strcmp(whole(EARLY), early) == 0;
}

static bool it_was_early(void)
{
	return was_early;
}

static void no_text_is_of_two_seconds(void **state)
{
	static const struct litmus litmus = {.prepare = keep_early,
		.write = put_late,
		.read = ask_for_early,
		.is_right = it_was_early};

	(void)state;
	assert_int_equal(litmus_wrong(&litmus, LITMUS_ROUNDS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_date_time_and_zone),
		cmocka_unit_test(years_beyond_four_digits_do_no_harm),
		cmocka_unit_test(threads_get_what_they_ask_for),
		cmocka_unit_test(no_text_is_of_two_seconds),
	};

	return cmocka_run_group_tests_name("base/timestamp", tests, NULL, NULL);
}
