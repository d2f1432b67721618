/* state/throttle: an account's limits, and who is in which bucket. */
#include "state/throttle.h"

#include "../base/check.h"

#define DOWN TRAFFIC_RECEIVED
#define UP TRAFFIC_SENT

static struct throttles *all;
static struct throttle *throttle;
static struct throttle_rates own;
static int rung;

static void count_ring(void *context)
{
	(void)context;
	rung++;
}

static int setup(void **state)
{
	(void)state;
	all = throttles_new();
	assert_non_null(all);
	throttles_set_alarm(all, count_ring, NULL);
	throttle = throttle_new(all);
	assert_non_null(throttle);
	own = (struct throttle_rates){.rate = {0}};
	rung = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	throttle_release(throttle);
	throttles_free(all);
	return 0;
}

static void put_rates(uint64_t down, uint64_t up)
{
	atomic_store(&own.rate[DOWN], down);
	atomic_store(&own.rate[UP], up);
	throttle_follow(throttle, &own, 1000);
}

/* How long it waits for so many bytes, which it gives back. */
static int64_t wait_for(struct throttle_stream *s, size_t bytes)
{
	int64_t wait;

	throttle_take(s, bytes, 1000);
	wait = throttle_when(s, 1000) - 1000;
	throttle_give_back(s, bytes, 1000);
	return wait;
}

static void each_direction_has_its_own(void **state)
{
	struct throttle_stream down, up;

	(void)state;
	put_rates(1000, 0);
	throttle_enter(&down, throttle, DOWN, false);
	throttle_enter(&up, throttle, UP, false);
	assert_true(throttle_is_on(&down));
	assert_false(throttle_is_on(&up));
	assert_int_equal(wait_for(&down, 1050), 1000);
	assert_int_equal(wait_for(&up, 1000000), 0);
	put_rates(0, 0);
	assert_false(throttle_is_on(&down));
	assert_int_equal(wait_for(&down, 1000000), 0);
	throttle_leave(&down, 1000);
	throttle_leave(&up, 1000);
}

static void the_tightest_rules(void **state)
{
	struct throttle_stream counted, other;

	(void)state;
	throttles_set_common(all, true);
	put_rates(4000, 4000);
	throttle_enter(&counted, throttle, DOWN, true);
	throttle_enter(&other, throttle, DOWN, false);
	throttle_share(throttle, DOWN, 0, 1000, 1000);
	assert_int_equal(wait_for(&counted, 1050), 1000);
	assert_int_equal(wait_for(&other, 4200), 1000); /* rate_total counts it elsewhere */
	throttle_share(throttle, DOWN, 2000, 0, 1000);
	assert_int_equal(wait_for(&counted, 2100), 1000);
	throttle_share(throttle, DOWN, THROTTLE_KEEP, 1000, 1000);
	assert_int_equal(wait_for(&other, 2100), 1000);
	throttle_leave(&counted, 1000);
	throttle_leave(&other, 1000);
}

/* A client's: rate_total counts those of its sessions for it that have no login. */
static void a_rate_of_anonymous_is_none_of_those_with_a_login(void **state)
{
	struct throttle_stream anonymous, known;

	(void)state;
	throttle_enter(&anonymous, throttle, DOWN, true);
	throttle_enter(&known, throttle, DOWN, false);
	atomic_store(&own.of_anonymous[DOWN], 1000);
	put_rates(0, 0);
	assert_true(throttle_is_on(&anonymous));
	assert_false(throttle_is_on(&known));
	assert_int_equal(wait_for(&anonymous, 1050), 1000);
	assert_int_equal(wait_for(&known, 1000000), 0);
	put_rates(4000, 4000);
	assert_int_equal(wait_for(&anonymous, 1050), 1000);
	assert_int_equal(wait_for(&known, 4200), 1000);
	throttle_leave(&anonymous, 1000);
	throttle_leave(&known, 1000);
}

static void a_part_of_the_total_does_not_lift_it(void **state)
{
	struct throttle_stream s;

	(void)state;
	throttles_set_common(all, true);
	throttle_enter(&s, throttle, DOWN, true);
	atomic_store(&own.of_anonymous[DOWN], 1000);
	put_rates(0, 0);
	throttle_share(throttle, DOWN, 0, 50000, 1000);
	assert_int_equal(wait_for(&s, 1050), 1000);
	/* Who shares reckons with the part that he gave. */
	assert_int_equal(throttle_look(throttle, DOWN, 1000).rate[THROTTLE_TOTAL], 50000);
	throttle_share(throttle, DOWN, 0, 500, 1000);
	assert_int_equal(wait_for(&s, 525), 1000);
	throttle_leave(&s, 1000);
}

static void lists_those_that_have_sessions(void **state)
{
	struct throttle_stream a, b;
	struct throttle **list;
	size_t count;

	(void)state;
	throttle_enter(&a, throttle, DOWN, true);
	throttle_enter(&b, throttle, UP, true);
	throttle_leave(&a, 1000);
	list = throttles_list(all, &count);
	assert_int_equal(count, 1);
	assert_ptr_equal(list[0], throttle);
	throttle_leave(&b, 1000);
	/* Whoever holds it may still look at it. */
	assert_false(throttle_look(list[0], DOWN, 1000).is_counted);
	throttle_release(list[0]);
	free(list);
	list = throttles_list(all, &count);
	assert_int_equal(count, 0);
	free(list);
}

static void a_new_account_begins_with_what_there_is_for_one(void **state)
{
	struct throttle_stream s;

	(void)state;
	throttles_set_common(all, true);
	throttles_set_first(all, THROTTLE_GROUPS_MAX, DOWN, 1000);
	throttles_set_first(all, 3, DOWN, 500);
	throttle_enter(&s, throttle, DOWN, true);
	assert_int_equal(wait_for(&s, 1050), 1000);
	throttle_set_groups(throttle, UINT64_C(1) << 3, 7);
	assert_int_equal(throttle_known_by(throttle), 7);
	assert_int_equal(wait_for(&s, 525), 1000);
	throttle_forget_groups(throttle);
	assert_int_equal(throttle_known_by(throttle), 0);
	throttle_leave(&s, 1000);
	/* What was common is not any more. */
	throttles_set_common(all, false);
	throttle_enter(&s, throttle, DOWN, true);
	assert_int_equal(wait_for(&s, 1000000), 0);
	throttle_leave(&s, 1000);
}

static void rings_once_when_somebody_begins(void **state)
{
	struct throttle_stream s;

	(void)state;
	throttle_enter(&s, throttle, DOWN, true);
	throttle_begin(&s, 1000);
	assert_int_equal(rung, 0);
	throttle_end(&s, 1000);
	throttles_arm(all);
	throttle_begin(&s, 1000);
	throttle_begin(&s, 1000);
	assert_int_equal(rung, 1);
	assert_int_equal(throttle_active(&s), 0); /* of those that have a limit */
	put_rates(1000, 1000);
	assert_int_equal(throttle_active(&s), 1);
	throttle_leave(&s, 1000);
}

static void tells_what_was_moved(void **state)
{
	struct throttle_stream s;
	struct throttle_use use;

	(void)state;
	put_rates(1000, 1000);
	throttle_enter(&s, throttle, DOWN, true);
	(void)throttle_look(throttle, DOWN, 10000);
	throttle_begin(&s, 10000);
	throttle_take(&s, 500, 10000);
	throttle_give_back(&s, 100, 10000);
	(void)throttle_settle(&s, 600, 100, 10000);
	use = throttle_look(throttle, DOWN, 10500);
	assert_int_equal(use.moved[THROTTLE_OWN], 1000);
	assert_int_equal(use.moved[THROTTLE_TOTAL], 1000);
	assert_int_equal(use.speed[THROTTLE_OWN], 1000); /* half of 2000 and half of nothing */
	assert_int_equal(use.rate[THROTTLE_OWN], 1000);
	assert_true(use.is_active[THROTTLE_OWN]);
	assert_true(use.is_counted);
	assert_int_equal(throttle_look(throttle, DOWN, 10600).moved[THROTTLE_OWN], 0);
	throttle_leave(&s, 10600);
}

/* A stream takes a whole chunk, which is looked at, and then has less to move. */
static void what_is_given_back_makes_nobody_fast(void **state)
{
	struct throttle_stream s;
	struct throttle_use use;

	(void)state;
	put_rates(1000, 1000);
	throttle_enter(&s, throttle, DOWN, true);
	(void)throttle_look(throttle, DOWN, 10000);
	throttle_take(&s, 500, 10000);
	assert_int_equal(throttle_look(throttle, DOWN, 10100).moved[THROTTLE_OWN], 500);
	throttle_give_back(&s, 400, 10100);
	use = throttle_look(throttle, DOWN, 10200);
	for (enum throttle_bucket i = 0; i < THROTTLE_BUCKETS; i++) {
		assert_int_equal(use.moved[i], -400); /* they are the pool's again */
		assert_int_equal(use.speed[i], 1250); /* half of half of 5000 */
	}
	assert_int_equal(throttle_look(throttle, DOWN, 10300).moved[THROTTLE_OWN], 0);
	throttle_leave(&s, 10300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_direction_has_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(the_tightest_rules, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_rate_of_anonymous_is_none_of_those_with_a_login, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_part_of_the_total_does_not_lift_it, setup, teardown),
		cmocka_unit_test_setup_teardown(lists_those_that_have_sessions, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_new_account_begins_with_what_there_is_for_one, setup, teardown),
		cmocka_unit_test_setup_teardown(rings_once_when_somebody_begins, setup, teardown),
		cmocka_unit_test_setup_teardown(tells_what_was_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_given_back_makes_nobody_fast, setup, teardown),
	};

	return cmocka_run_group_tests_name("state/throttle", tests, NULL, NULL);
}
