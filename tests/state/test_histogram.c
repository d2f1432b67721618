/* histogram: which range a time belongs to, at each border, and that what is read never falls. */
#include "state/histogram.h"

#include <pthread.h>

#include "../base/check.h"

static const struct histogram_scale scale = {.count = 3, .bounds = {1, 10, 1000}};

static void a_time_counts_below_the_bounds_that_it_has_not_come_to(void **state)
{
	/* A time, and how many of the bounds it is below. */
	static const struct {
		int64_t ms;
		size_t bounds;
	} rows[] = {{0, 3}, {1, 2}, {9, 2}, {10, 1}, {999, 1}, {1000, 0}, {INT64_MAX, 0}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct histogram h;
		struct histogram_figures f;

		histogram_init(&h, &scale);
		histogram_add(&h, rows[i].ms);
		f = histogram_read(&h);
		assert_int_equal(f.count, 1);
		assert_int_equal(f.total_ms, rows[i].ms);
		for (size_t k = 0; k < scale.count; k++)
			assert_int_equal(f.below[k], k >= scale.count - rows[i].bounds);
	}
}

static void ranges_are_summed_up(void **state)
{
	static const int64_t times[] = {0, 0, 5, 500, 7000};
	struct histogram_figures f;
	struct histogram h;

	(void)state;
	histogram_init(&h, &scale);
	f = histogram_read(&h);
	assert_int_equal(f.count, 0);
	for (size_t i = 0; i < COUNT(times); i++)
		histogram_add(&h, times[i]);
	f = histogram_read(&h);
	assert_int_equal(f.below[0], 2);
	assert_int_equal(f.below[1], 3);
	assert_int_equal(f.below[2], 4);
	assert_int_equal(f.count, 5);
	assert_int_equal(f.total_ms, 7505);
}

static void the_bounds_rise(void **state)
{
	static const struct histogram_scale *const scales[] = {
		&histogram_of_waits, &histogram_of_sessions};

	(void)state;
	for (size_t i = 0; i < COUNT(scales); i++) {
		assert_in_range(scales[i]->count, 1, HISTOGRAM_BOUNDS_MAX);
		for (size_t k = 1; k < scales[i]->count; k++)
			assert_true(scales[i]->bounds[k] > scales[i]->bounds[k - 1]);
	}
}

#define THREADS 4
#define TIMES 50000

static void *count_times(void *context)
{
	for (int64_t i = 0; i < TIMES; i++)
		histogram_add(context, i % 20);
	return NULL;
}

/* While others count, the ranges of one answer agree. */
static void many_count_and_one_reads(void **state)
{
	struct histogram h;
	pthread_t threads[THREADS];
	struct histogram_figures f;

	(void)state;
	histogram_init(&h, &scale);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_times, &h), 0);
	do {
		f = histogram_read(&h);
		assert_true(f.below[0] <= f.below[1] && f.below[1] <= f.below[2]);
		assert_true(f.below[2] <= f.count);
	} while (f.count < THREADS * TIMES);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	f = histogram_read(&h);
	assert_int_equal(f.below[0], THREADS * TIMES / 20);
	assert_int_equal(f.below[1], THREADS * TIMES / 2);
	assert_int_equal(f.below[2], THREADS * TIMES);
	assert_int_equal(f.total_ms, THREADS * TIMES / 20 * 190);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_counts_below_the_bounds_that_it_has_not_come_to),
		cmocka_unit_test(ranges_are_summed_up),
		cmocka_unit_test(the_bounds_rise),
		cmocka_unit_test(many_count_and_one_reads),
	};

	return cmocka_run_group_tests_name("state/histogram", tests, NULL, NULL);
}
