/* recurring: one line for a login that comes each second, and one for each that does not. */
#include "monitor/recurring.h"

#include <stdio.h>

#include "../base/check.h"

static struct recurring logins;
static uint64_t held_back;

static bool is_news(const char *user, const char *address, int64_t now)
{
	struct network client;

	assert_true(network_parse(address, strlen(address), &client));
	return recurring_is_news(&logins, user, &client, now, &held_back);
}

static int forget(void **state)
{
	(void)state;
	memset(&logins, 0, sizeof(logins));
	return 0;
}

static void the_first_is_news_and_those_that_follow_are_not(void **state)
{
	(void)state;
	assert_true(is_news("alice", "192.0.2.1", 1000));
	assert_int_equal(held_back, 0);
	for (int64_t now = 2000; now < 3000000; now += 1000)
		assert_false(is_news("alice", "192.0.2.1", now));
}

static void another_name_or_address_is_news(void **state)
{
	(void)state;
	assert_true(is_news("alice", "192.0.2.1", 1000));
	assert_true(is_news("bob", "192.0.2.1", 1000));
	assert_true(is_news("alice", "192.0.2.2", 1000));
	assert_false(is_news("alice", "192.0.2.1", 1001));
	assert_false(is_news("bob", "192.0.2.1", 1001));
}

static void who_pauses_is_news_again(void **state)
{
	(void)state;
	assert_true(is_news("alice", "192.0.2.1", 1000));
	assert_false(is_news("alice", "192.0.2.1", 2000));
	assert_false(is_news("alice", "192.0.2.1", 2000 + RECURRING_PAUSE_MS - 1));
	assert_true(is_news("alice", "192.0.2.1", 2001 + 2 * RECURRING_PAUSE_MS));
	assert_int_equal(held_back, 2);
	assert_false(is_news("alice", "192.0.2.1", 2002 + 2 * RECURRING_PAUSE_MS));
}

static void who_never_pauses_has_a_line_each_hour(void **state)
{
	int lines = 0;

	(void)state;
	for (int i = 0; i < 3 * 3600; i++) {
		if (!is_news("alice", "192.0.2.1", i * INT64_C(1000)))
			continue;
		assert_int_equal(held_back, lines == 0 ? 0 : 3599);
		lines++;
	}
	assert_int_equal(lines, 3);
}

static void the_one_that_was_away_longest_makes_room(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i <= RECURRING_MAX; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		assert_true(is_news(name, "192.0.2.1", 1000 + i));
	}
	assert_false(is_news("user1", "192.0.2.1", 2000));
	assert_true(is_news("user0", "192.0.2.1", 2000));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, forget)
	const struct CMUnitTest tests[] = {
		TEST(the_first_is_news_and_those_that_follow_are_not),
		TEST(another_name_or_address_is_news),
		TEST(who_pauses_is_news_again),
		TEST(who_never_pauses_has_a_line_each_hour),
		TEST(the_one_that_was_away_longest_makes_room),
	};

	return cmocka_run_group_tests_name("monitor/recurring", tests, NULL, NULL);
}
