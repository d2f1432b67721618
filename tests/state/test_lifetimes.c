/* lifetimes: the sum of what sessions take, those that run included. */
#include "state/lifetimes.h"

#include <stdlib.h>

#include "../base/check.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

static void the_sum_is_exact_at_any_time(void **state)
{
	lifetimes l = 0;

	(void)state;
	assert_int_equal(lifetimes_at(l, 1000), 0);
	lifetimes_begin(&l, 1000);
	assert_int_equal(lifetimes_at(l, 1000), 0);
	assert_int_equal(lifetimes_at(l, 1500), 500);
	lifetimes_begin(&l, 1500);
	assert_int_equal(lifetimes_at(l, 2000), 1500);
	lifetimes_end(&l, 2000);
	assert_int_equal(lifetimes_at(l, 2000), 1500);
	lifetimes_end(&l, 3000);
	assert_int_equal(lifetimes_at(l, 3000), 2500);
	assert_int_equal(lifetimes_at(l, 3000 + 1000 * DAY_MS), 2500);
}

/* By two clocks that were read one after the other. */
static void a_reader_who_comes_a_little_early_sees_nothing_odd(void **state)
{
	lifetimes l = 0;

	(void)state;
	lifetimes_begin(&l, 5000);
	lifetimes_begin(&l, 5000);
	assert_int_equal(lifetimes_at(l, 4990), 0);
}

/* Beside a plain list of who runs since when. */
static void many_sessions_add_up(void **state)
{
	static int64_t begun[2000];
	lifetimes l = 0;
	int64_t now = 300 * DAY_MS, ended = 0, expected;
	size_t running = 0;

	(void)state;
	srand(7);
	for (int i = 0; i < 20000; i++) {
		now += rand() % 3000;
		if (running < 2000 && (running == 0 || rand() % 5 < 3)) {
			begun[running++] = now;
			lifetimes_begin(&l, now);
		} else {
			size_t which = (size_t)rand() % running;

			ended += now - begun[which];
			begun[which] = begun[--running];
			lifetimes_end(&l, now);
		}
		expected = ended;
		for (size_t k = 0; k < running; k++)
			expected += now - begun[k];
		assert_int_equal(lifetimes_at(l, now), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sum_is_exact_at_any_time),
		cmocka_unit_test(a_reader_who_comes_a_little_early_sees_nothing_odd),
		cmocka_unit_test(many_sessions_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
