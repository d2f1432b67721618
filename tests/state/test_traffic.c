/* traffic: bytes of a session and of a worker, idle time, and rates by windows. */
#include "state/traffic.h"

#include "../base/check.h"

static struct traffic t;

static void move(uint64_t sent, uint64_t received, int64_t now)
{
	traffic_count(&t, TRAFFIC_SENT, sent);
	traffic_count(&t, TRAFFIC_RECEIVED, received);
	traffic_active(&t, now);
}

static int begin(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	traffic_begin(&t, 1000);
	return 0;
}

static void a_session_begins_at_nothing_and_a_worker_goes_on(void **state)
{
	struct traffic_figures f;

	(void)state;
	move(10, 200, 1100);
	f = traffic_read(&t, 1200);
	assert_int_equal(f.sent, 10);
	assert_int_equal(f.received, 200);
	assert_int_equal(f.last_active, 1100);
	atomic_store(&t.half_closed, true);
	traffic_begin(&t, 5000);
	f = traffic_read(&t, 5000);
	assert_int_equal(f.sent, 0);
	assert_int_equal(f.received, 0);
	assert_int_equal(f.last_active, 5000);
	assert_false(f.half_closed);
	assert_int_equal(t.sent, 10);
	assert_int_equal(t.received, 200);
}

static void a_rate_is_that_of_the_last_whole_window(void **state)
{
	(void)state;
	move(500, 4000, 1500);
	assert_int_equal(traffic_read(&t, 1500).sent_rate, 0);
	move(500, 4000, 2000);
	assert_int_equal(traffic_read(&t, 2000).sent_rate, 1000);
	assert_int_equal(traffic_read(&t, 2000).received_rate, 8000);
	move(300, 0, 2500);
	assert_int_equal(traffic_read(&t, 2500).sent_rate, 1000);
	move(300, 0, 4000);
	assert_int_equal(traffic_read(&t, 4000).sent_rate, 300);
	assert_int_equal(traffic_read(&t, 4000).received_rate, 0);
}

static void a_rate_falls_while_nothing_comes(void **state)
{
	(void)state;
	move(1000, 1000, 2000);
	assert_int_equal(traffic_read(&t, 2000).sent_rate, 1000);
	move(500, 0, 2100);
	assert_int_equal(traffic_read(&t, 4000).sent_rate, 250);
	assert_int_equal(traffic_read(&t, 4000).received_rate, 0);
	assert_int_equal(traffic_read(&t, 1000000).sent_rate, 0);
}

static void bytes_count_for_the_accounts_of_the_session(void **state)
{
	struct tally client = {.sent = 1000}, user = {.sent = 0};

	(void)state;
	traffic_share(&t, NULL);
	move(1, 2, 1100);
	traffic_share(&t, &client);
	move(10, 20, 1100);
	traffic_share(&t, &user);
	move(100, 200, 1200);
	assert_int_equal(client.sent, 1110);
	assert_int_equal(client.received, 220);
	assert_int_equal(user.sent, 100);
	assert_int_equal(user.received, 200);
	assert_int_equal(traffic_read(&t, 1300).sent, 111);
	traffic_begin(&t, 2000);
	move(7, 7, 2100);
	assert_int_equal(client.sent, 1110);
	assert_int_equal(user.received, 200);
}

static int rung;

static void count_ring(void *context)
{
	rung += context == &rung;
}

static void the_first_who_is_active_rings_an_armed_alarm(void **state)
{
	struct traffic_alarm alarm = {.ring = count_ring, .context = &rung};

	(void)state;
	rung = 0;
	t.alarm = &alarm;
	move(1, 1, 1100);
	assert_int_equal(rung, 0);
	atomic_store(&alarm.is_armed, true);
	move(1, 1, 1200);
	move(1, 1, 1300);
	assert_int_equal(rung, 1);
	traffic_begin(&t, 1400);
	atomic_store(&alarm.is_armed, true);
	traffic_stir(&t);
	assert_int_equal(rung, 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, begin)
	const struct CMUnitTest tests[] = {
		TEST(a_session_begins_at_nothing_and_a_worker_goes_on),
		TEST(a_rate_is_that_of_the_last_whole_window),
		TEST(a_rate_falls_while_nothing_comes),
		TEST(bytes_count_for_the_accounts_of_the_session),
		TEST(the_first_who_is_active_rings_an_armed_alarm),
	};

	return cmocka_run_group_tests_name("state/traffic", tests, NULL, NULL);
}
