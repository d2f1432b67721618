/* stats: what is counted, and the maximum under threads. */
#include "state/stats.h"

#include <pthread.h>

#include "../base/check.h"
#include "base/clock.h"

static void begins_with_zeros_and_the_time(void **state)
{
	struct stats s;
	int64_t before = clock_ms();

	(void)state;
	memset(&s, 0xff, sizeof(s));
	stats_init(&s);
	assert_true(s.started >= before);
	assert_true(s.started <= clock_ms());
	assert_int_equal(stats_get(&s.sessions), 0);
	assert_int_equal(stats_get(&s.current), 0);
	assert_int_equal(stats_get(&s.most), 0);
	for (int i = 0; i < END_REASONS; i++)
		assert_int_equal(stats_get(&s.ended[i]), 0);
}

static void adds_to_one_counter(void **state)
{
	struct stats s;

	(void)state;
	stats_init(&s);
	stats_add(&s.saturated, 1);
	stats_add(&s.saturated, 41);
	assert_int_equal(stats_get(&s.saturated), 42);
	assert_int_equal(stats_get(&s.accept_exhausted), 0);
	assert_int_equal(stats_get(&s.clients_refused), 0);
}

static void counts_sessions_bytes_and_reasons(void **state)
{
	struct stats s;

	(void)state;
	stats_init(&s);
	stats_session_begins(&s);
	stats_session_begins(&s);
	stats_session_ends(&s, END_IDLE, 10, 300);
	stats_session_begins(&s);
	stats_session_ends(&s, END_CLOSED, 1, 2);
	assert_int_equal(stats_get(&s.sessions), 3);
	assert_int_equal(stats_get(&s.current), 1);
	assert_int_equal(stats_get(&s.sent), 11);
	assert_int_equal(stats_get(&s.received), 302);
	assert_int_equal(stats_get(&s.ended[END_IDLE]), 1);
	assert_int_equal(stats_get(&s.ended[END_CLOSED]), 1);
	assert_int_equal(stats_get(&s.ended[END_STOPPED]), 0);
}

static void most_is_the_largest_current_there_was(void **state)
{
	struct stats s;

	(void)state;
	stats_init(&s);
	for (int i = 0; i < 5; i++)
		stats_session_begins(&s);
	for (int i = 0; i < 4; i++)
		stats_session_ends(&s, END_CLOSED, 0, 0);
	assert_int_equal(stats_get(&s.most), 5);
	stats_session_begins(&s);
	assert_int_equal(stats_get(&s.current), 2);
	assert_int_equal(stats_get(&s.most), 5);
}

#define THREADS 4
#define SESSIONS 20000

struct crowd {
	struct stats stats;
	pthread_barrier_t all_in;
};

/* All threads hold their last session at the same time. */
static void *come_and_go(void *context)
{
	struct crowd *c = context;

	for (int i = 0; i < SESSIONS; i++) {
		stats_session_begins(&c->stats);
		stats_session_ends(&c->stats, END_CLOSED, 1, 2);
	}
	stats_session_begins(&c->stats);
	pthread_barrier_wait(&c->all_in);
	stats_session_ends(&c->stats, END_IDLE, 1, 2);
	return NULL;
}

static void counts_right_under_threads(void **state)
{
	struct crowd c;
	pthread_t threads[THREADS];

	(void)state;
	stats_init(&c.stats);
	assert_int_equal(pthread_barrier_init(&c.all_in, NULL, THREADS), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, &c), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	pthread_barrier_destroy(&c.all_in);
	assert_int_equal(stats_get(&c.stats.most), THREADS);
	assert_int_equal(stats_get(&c.stats.current), 0);
	assert_int_equal(stats_get(&c.stats.sessions), THREADS * (SESSIONS + 1));
	assert_int_equal(stats_get(&c.stats.ended[END_CLOSED]), THREADS * SESSIONS);
	assert_int_equal(stats_get(&c.stats.ended[END_IDLE]), THREADS);
	assert_int_equal(stats_get(&c.stats.received), 2 * THREADS * (SESSIONS + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_with_zeros_and_the_time),
		cmocka_unit_test(adds_to_one_counter),
		cmocka_unit_test(counts_sessions_bytes_and_reasons),
		cmocka_unit_test(most_is_the_largest_current_there_was),
		cmocka_unit_test(counts_right_under_threads),
	};

	return cmocka_run_group_tests_name("state/stats", tests, NULL, NULL);
}
