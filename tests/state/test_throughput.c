/* throughput: which step a sample falls into, on three scales, and how far the past reaches. */
#include "state/throughput.h"

#include "../base/check.h"

#define START 1000500 /* half a second into a second, 40.5 s into a minute */
enum { SECOND, MINUTE, FIVE };

static struct throughput *t;

static int make_it(void **state)
{
	(void)state;
	t = throughput_new(START);
	return t == NULL ? -1 : 0;
}

static int free_it(void **state)
{
	(void)state;
	throughput_free(t);
	return 0;
}

static bool take(uint64_t sent, uint64_t received, uint64_t sessions, int64_t now)
{
	struct throughput_sample s = {.sent = sent, .received = received, .sessions = sessions};

	return throughput_take(t, &s, now);
}

static void assert_row(size_t scale, int64_t back, int64_t now, uint64_t sent, uint64_t received,
	uint64_t sessions)
{
	struct throughput_row row;

	assert_true(throughput_read(t, scale, back, now, &row));
	assert_int_equal(row.sent, sent);
	assert_int_equal(row.received, received);
	assert_int_equal(row.sessions, sessions);
}

static bool is_kept(size_t scale, int64_t back, int64_t now)
{
	struct throughput_row row;

	return throughput_read(t, scale, back, now, &row);
}

static void begins_with_the_step_that_runs(void **state)
{
	(void)state;
	assert_row(SECOND, 0, START, 0, 0, 0);
	assert_false(is_kept(SECOND, 1, START));
	assert_false(is_kept(SECOND, -1, START));
	assert_true(is_kept(SECOND, 1, START + 600));
	assert_false(is_kept(MINUTE, 1, START + 600));
}

static void a_sample_at_the_full_second_is_of_the_one_before(void **state)
{
	(void)state;
	assert_true(take(10, 20, 1, 1001000));
	assert_true(take(110, 220, 3, 1002003));
	assert_true(take(110, 220, 2, 1003001));
	assert_false(take(110, 220, 2, 1004002));
	assert_row(SECOND, 0, 1004002, 0, 0, 2);
	assert_row(SECOND, 1, 1004002, 0, 0, 2);
	assert_row(SECOND, 2, 1004002, 0, 0, 3);
	assert_row(SECOND, 3, 1004002, 100, 200, 3);
	assert_row(SECOND, 4, 1004002, 10, 20, 1);
	assert_row(MINUTE, 0, 1004002, 110, 220, 3);
	assert_row(FIVE, 0, 1004002, 110, 220, 3);
}

static void what_comes_after_a_sleep_is_of_now(void **state)
{
	(void)state;
	take(10, 0, 1, 1001000);
	take(30, 0, 1, 1031900);
	assert_row(SECOND, 0, 1031900, 20, 0, 1);
	for (int i = 1; i < 31; i++)
		assert_row(SECOND, i, 1031900, 0, 0, 1);
	assert_row(SECOND, 31, 1031900, 10, 0, 1);
}

static void steps_without_a_sample_are_read_as_nothing(void **state)
{
	(void)state;
	take(10, 0, 1, 1001000);
	assert_row(SECOND, 0, 1003000, 0, 0, 1);
	assert_row(SECOND, 3, 1003000, 10, 0, 1);
	take(15, 0, 1, 1003500); /* what was read so is filled in */
	assert_row(SECOND, 0, 1003500, 5, 0, 1);
}

static void each_scale_reaches_as_far_as_it_says(void **state)
{
	int64_t now = START;
	uint64_t all = 0;

	(void)state;
	for (int i = 0; i < 90000; i++) {
		now += 1000;
		take(++all, 0, 1, now);
	}
	for (size_t i = 0; i < THROUGHPUT_SCALES; i++) {
		int64_t count = throughput_scales[i].reach / throughput_scales[i].step;

		assert_row(i, count - 1, now, (uint64_t)throughput_scales[i].step, 0, 1);
		assert_false(is_kept(i, count, now));
	}
}

static void a_long_sleep_forgets_all_of_it(void **state)
{
	(void)state;
	take(10, 0, 1, 1001000);
	take(30, 0, 2, 1001000 + 100 * 86400 * INT64_C(1000));
	assert_row(FIVE, 287, 1001000 + 100 * 86400 * INT64_C(1000), 0, 0, 1);
	assert_row(FIVE, 0, 1001000 + 100 * 86400 * INT64_C(1000), 20, 0, 2);
}

static void a_sample_that_was_overtaken_takes_nothing_back(void **state)
{
	(void)state;
	take(10, 10, 1, 1001000);
	assert_false(take(9, 10, 1, 1001000));
	take(11, 10, 1, 1001400);
	assert_row(SECOND, 0, 1001400, 1, 0, 1);
	assert_row(SECOND, 1, 1001400, 10, 10, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(begins_with_the_step_that_runs, make_it, free_it),
		cmocka_unit_test_setup_teardown(
			a_sample_at_the_full_second_is_of_the_one_before, make_it, free_it),
		cmocka_unit_test_setup_teardown(
			what_comes_after_a_sleep_is_of_now, make_it, free_it),
		cmocka_unit_test_setup_teardown(
			steps_without_a_sample_are_read_as_nothing, make_it, free_it),
		cmocka_unit_test_setup_teardown(
			each_scale_reaches_as_far_as_it_says, make_it, free_it),
		cmocka_unit_test_setup_teardown(a_long_sleep_forgets_all_of_it, make_it, free_it),
		cmocka_unit_test_setup_teardown(
			a_sample_that_was_overtaken_takes_nothing_back, make_it, free_it),
	};

	return cmocka_run_group_tests_name("state/throughput", tests, NULL, NULL);
}
