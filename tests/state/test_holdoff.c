/* holdoff: how long addresses wait, what is checked meanwhile, and which are forgotten, on a clock
 * that the test moves. */
#include "state/holdoff.h"

#include <pthread.h>
#include <stdio.h>

#include "../base/check.h"

static struct holdoff *b;

static int setup(void **state)
{
	(void)state;
	b = holdoff_new(NULL);
	return b == NULL ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	holdoff_free(b);
	return 0;
}

static struct addr at(const char *text)
{
	struct addr a;

	assert_true(addr_parse(text, strlen(text), &a));
	return a;
}

/* 10.0.x.y for the number. */
static struct addr host(unsigned number)
{
	const uint8_t bytes[4] = {10, 0, (uint8_t)(number >> 8), (uint8_t)number};

	return addr_from_ipv4(bytes, 1);
}

static void fail_at(const struct addr *a, unsigned times, int64_t now)
{
	for (unsigned i = 0; i < times; i++)
		holdoff_note_failure(b, a, now);
}

static void a_few_tries_are_free_and_then_the_wait_doubles(void **state)
{
	static const int64_t waits[] = {0, 0, 5000, 10000, 20000, 40000, 60000, 60000, 60000};
	int64_t now = 1000;

	(void)state;
	for (size_t i = 0; i < COUNT(waits); i++) {
		struct addr a = at("192.0.2.1");
		int64_t until = now + waits[i];

		addr_set_port(&a, (uint16_t)(5000 + i)); /* whatever the port */
		assert_false(holdoff_holds(b, &a, now));
		assert_int_equal(holdoff_note_failure(b, &a, now), i + 1);
		/* One may in 5 s; this takes all of these. */
		for (; now + HOLDOFF_CHECK_MS < until; now += HOLDOFF_CHECK_MS)
			assert_true(holdoff_may_check(b, &a, now + HOLDOFF_CHECK_MS));
		if (waits[i] > 0)
			assert_true(holdoff_holds(b, &a, until - 1));
		assert_false(holdoff_holds(b, &a, until));
		now = until;
	}
}

static void others_are_not_held_off(void **state)
{
	struct addr bad = at("192.0.2.1"), good = at("192.0.2.2");

	(void)state;
	fail_at(&bad, 3, 0);
	assert_true(holdoff_holds(b, &bad, 1));
	assert_false(holdoff_holds(b, &good, 1));
	assert_true(holdoff_may_check(b, &good, 1));
}

static void these_count_as_one(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.255.255.254", true},
		{"127.0.3.1", "::1", true},
		{"::1", "127.0.0.1", true},
		{"127.0.0.1", "128.0.0.1", false},
		{"::1", "::2", false},
		{"10.0.0.1", "10.0.0.2", false},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"2001:db8:1:2::1", "10.0.0.1", false},
		{"fe80::1", "fe80::2", false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct addr a = at(rows[i].a), other = at(rows[i].b);

		fail_at(&a, 3, 0);
		if (holdoff_holds(b, &other, 1) != rows[i].same)
			fail_msg("%s and %s", rows[i].a, rows[i].b);
		holdoff_forget(b, &other);
		assert_int_equal(holdoff_holds(b, &a, 1), !rows[i].same);
		holdoff_forget(b, &a);
	}
}

static void who_is_not_held_off_is_checked_as_often_as_he_likes(void **state)
{
	struct addr a = at("192.0.2.1");

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(holdoff_may_check(b, &a, 7));
	fail_at(&a, 2, 7);
	for (int i = 0; i < 10; i++)
		assert_true(holdoff_may_check(b, &a, 7));
}

static void of_those_who_are_held_off_one_is_checked_in_5_s(void **state)
{
	struct addr a = at("127.0.0.1"), also = at("127.0.0.9");

	(void)state;
	fail_at(&a, 7, 0); /* for a minute */
	assert_false(holdoff_may_check(b, &a, 0));
	assert_false(holdoff_may_check(b, &also, 4999));
	assert_true(holdoff_holds(b, &also, 4999));
	assert_false(holdoff_holds(b, &also, 5000)); /* to ask takes nothing */
	assert_true(holdoff_may_check(b, &also, 5000));
	assert_false(holdoff_may_check(b, &also, 5000));
	assert_false(holdoff_may_check(b, &a, 9999));
	assert_true(holdoff_may_check(b, &a, 10000));
	assert_false(holdoff_may_check(b, &a, 10001));
	/* What was checked was wrong: five seconds from there. */
	assert_int_equal(holdoff_note_failure(b, &a, 10100), 8);
	assert_false(holdoff_may_check(b, &a, 15099));
	assert_true(holdoff_may_check(b, &a, 15100));
}

static void after_the_wait_it_is_checked_again(void **state)
{
	struct addr a = at("192.0.2.1");

	(void)state;
	fail_at(&a, 4, 0); /* for 10 s */
	assert_true(holdoff_may_check(b, &a, 6000));
	assert_false(holdoff_may_check(b, &a, 9999));
	assert_true(holdoff_may_check(b, &a, 10000));
	assert_true(holdoff_may_check(b, &a, 10000));
}

/* Of these the right ones, which take nothing. */
static void of_who_is_held_off_ten_a_second_are_compared(void **state)
{
	struct addr a = at("192.0.2.1"), other = at("192.0.2.2");

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_true(holdoff_may_compare(b, &a, 0));
	fail_at(&a, 3, 0); /* for 5 s */
	for (int64_t now = 0; now < 5000; now += 1000) {
		for (int i = 0; i < 100; i++) {
			assert_true(holdoff_may_compare(b, &a, now));
			holdoff_note_known(b, &a);
		}
		for (int i = 0; i < HOLDOFF_COMPARED_A_SECOND; i++)
			assert_true(holdoff_may_compare(b, &a, now + i));
		assert_false(holdoff_may_compare(b, &a, now + 10));
		assert_false(holdoff_may_compare(b, &a, now + 999));
		assert_true(holdoff_may_compare(b, &other, now));
	}
	for (int i = 0; i < 100; i++)
		assert_true(holdoff_may_compare(b, &a, 5000));
}

static void a_success_or_a_long_time_makes_it_good(void **state)
{
	struct addr a = at("192.0.2.1");
	int64_t later = 5000 + HOLDOFF_FORGET_MS;

	(void)state;
	assert_int_equal(holdoff_failures(b, &a), 0);
	fail_at(&a, 3, 0);
	assert_int_equal(holdoff_failures(b, &a), 3);
	holdoff_forget(b, &a);
	assert_int_equal(holdoff_failures(b, &a), 0);
	assert_false(holdoff_holds(b, &a, 1));
	assert_int_equal(holdoff_note_failure(b, &a, 0), 1);
	fail_at(&a, 2, 0);
	assert_int_equal(holdoff_note_failure(b, &a, later - 1), 4);
	assert_int_equal(holdoff_note_failure(b, &a, later * 3), 1);
	holdoff_forget(b, &(struct addr){.in = {.sin_family = AF_INET}}); /* a stranger */
}

static void a_full_table_forgets_who_may_try_again_first(void **state)
{
	struct addr first = at("192.0.2.1"), last = at("192.0.2.2");

	(void)state;
	fail_at(&first, 3, 1000000);
	for (unsigned n = 0; n < HOLDOFF_ADDRS - 1; n++) {
		struct addr a = host(n);

		holdoff_note_failure(b, &a, n);
	}
	holdoff_note_failure(b, &last, 500);
	assert_true(holdoff_holds(b, &first, 1000001));
	assert_int_equal(holdoff_note_failure(b, &last, 500), 2);
	last = host(1);
	assert_int_equal(holdoff_note_failure(b, &last, 500), 2);
	last = host(0); /* the one that made room */
	assert_int_equal(holdoff_note_failure(b, &last, 500), 1);
}

static void a_place_that_became_free_is_taken_again(void **state)
{
	struct addr first = at("192.0.2.1");

	(void)state;
	fail_at(&first, 3, 1000000);
	for (unsigned n = 0; n < 2 * HOLDOFF_ADDRS; n++) {
		struct addr a = host(n);

		fail_at(&a, 3, 2000000);
		holdoff_forget(b, &a);
	}
	assert_true(holdoff_holds(b, &first, 1000001));
}

#define THREADS 4
#define ROUNDS 1000

static void *fail_often(void *context)
{
	static char problem[] = "held off, and to be checked all the same";
	const struct addr *a = context;

	for (int i = 0; i < ROUNDS; i++) {
		holdoff_note_failure(b, a, 0);
		if (holdoff_holds(b, a, 0) && holdoff_may_check(b, a, 0))
			return problem;
	}
	return NULL;
}

static void all_threads_count(void **state)
{
	pthread_t threads[THREADS];
	struct addr a = at("192.0.2.1");

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fail_often, &a), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *problem;

		assert_int_equal(pthread_join(threads[i], &problem), 0);
		assert_null(problem);
	}
	assert_int_equal(holdoff_note_failure(b, &a, 0), THREADS * ROUNDS + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_few_tries_are_free_and_then_the_wait_doubles),
		TEST(others_are_not_held_off),
		TEST(these_count_as_one),
		TEST(who_is_not_held_off_is_checked_as_often_as_he_likes),
		TEST(of_those_who_are_held_off_one_is_checked_in_5_s),
		TEST(after_the_wait_it_is_checked_again),
		TEST(of_who_is_held_off_ten_a_second_are_compared),
		TEST(a_success_or_a_long_time_makes_it_good),
		TEST(a_full_table_forgets_who_may_try_again_first),
		TEST(a_place_that_became_free_is_taken_again),
		TEST(all_threads_count),
	};

	return cmocka_run_group_tests_name("state/holdoff", tests, NULL, NULL);
}
