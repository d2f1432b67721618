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
		assert_int_equal(stats_ended(&s, (enum end_reason)i), 0);
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

static void end_session(struct stats *s, enum end_reason reason)
{
	stats_session_ends(s,
		&(struct stats_outcome){
			.reason = reason, .total_ms = 3, .lookup_ms = -1, .connect_ms = -1});
}

static void counts_sessions_and_reasons(void **state)
{
	struct stats s;

	(void)state;
	stats_init(&s);
	stats_session_begins(&s);
	stats_session_begins(&s);
	end_session(&s, END_IDLE);
	stats_session_begins(&s);
	end_session(&s, END_CLOSED);
	assert_int_equal(stats_get(&s.sessions), 3);
	assert_int_equal(stats_get(&s.current), 1);
	assert_int_equal(stats_ended(&s, END_IDLE), 1);
	assert_int_equal(stats_ended(&s, END_CLOSED), 1);
	assert_int_equal(stats_ended(&s, END_STOPPED), 0);
}

static void counts_outcomes_and_times(void **state)
{
	static const struct stats_outcome outcomes[] = {
		{END_CLOSED, SESSION_SUCCEEDED, true, true, 1000, 20, 30},
		{END_IDLE, SESSION_SUCCEEDED, true, true, 500, -1, 10},
		{END_NAME_NOT_FOUND, SESSION_FAILED, true, false, 40, 40, -1},
		{END_MALFORMED, SESSION_FAILED, false, false, 1, -1, -1},
	};
	struct stats s;

	(void)state;
	stats_init(&s);
	for (size_t i = 0; i < COUNT(outcomes); i++) {
		stats_session_begins(&s);
		stats_session_ends(&s, &outcomes[i]);
	}
	assert_int_equal(stats_get(&s.ended[SESSION_SUCCEEDED][END_CLOSED]), 1);
	assert_int_equal(stats_get(&s.ended[SESSION_FAILED][END_CLOSED]), 0);
	assert_int_equal(stats_get(&s.ended[SESSION_FAILED][END_MALFORMED]), 1);
	assert_int_equal(stats_get(&s.succeeded), 2);
	assert_int_equal(stats_get(&s.failed), 1);
	assert_int_equal(histogram_read(&s.session_times).total_ms, 1541);
	assert_int_equal(stats_get(&s.longest_session_ms), 1000);
	assert_int_equal(histogram_read(&s.lookup_times).count, 2);
	assert_int_equal(histogram_read(&s.lookup_times).total_ms, 60);
	assert_int_equal(histogram_read(&s.connect_times).count, 2);
	assert_int_equal(histogram_read(&s.connect_times).total_ms, 40);
}

static void most_is_the_largest_current_there_was(void **state)
{
	struct stats s;

	(void)state;
	stats_init(&s);
	for (int i = 0; i < 5; i++)
		stats_session_begins(&s);
	for (int i = 0; i < 4; i++)
		end_session(&s, END_CLOSED);
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
		end_session(&c->stats, END_CLOSED);
	}
	stats_session_begins(&c->stats);
	pthread_barrier_wait(&c->all_in);
	end_session(&c->stats, END_IDLE);
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
	assert_int_equal(stats_ended(&c.stats, END_CLOSED), THREADS * SESSIONS);
	assert_int_equal(stats_ended(&c.stats, END_IDLE), THREADS);
	assert_int_equal(
		histogram_read(&c.stats.session_times).total_ms, 3 * THREADS * (SESSIONS + 1));
	assert_int_equal(stats_get(&c.stats.longest_session_ms), 3);
}

static void adds_datagrams_by_what_became_of_them(void **state)
{
	struct datagram_counts counts = {.sent = 3, .dropped = {[DROP_FILTERED] = 2}};
	struct stats s;

	(void)state;
	stats_init(&s);
	stats_add_datagrams(&s, &counts);
	stats_add_datagrams(&s, &counts);
	assert_int_equal(stats_get(&s.datagrams_sent), 6);
	assert_int_equal(stats_get(&s.datagrams_received), 0);
	for (enum datagram_drop i = 0; i < DATAGRAM_DROPS; i++)
		assert_int_equal(stats_get(&s.datagrams_dropped[i]), i == DROP_FILTERED ? 4 : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_with_zeros_and_the_time),
		cmocka_unit_test(adds_to_one_counter),
		cmocka_unit_test(counts_sessions_and_reasons),
		cmocka_unit_test(counts_outcomes_and_times),
		cmocka_unit_test(most_is_the_largest_current_there_was),
		cmocka_unit_test(counts_right_under_threads),
		cmocka_unit_test(adds_datagrams_by_what_became_of_them),
	};

	return cmocka_run_group_tests_name("state/stats", tests, NULL, NULL);
}
