/* traffic: bytes of a session and of a worker, idle time, and rates by windows. */
#include "state/traffic.h"

#include "../base/check.h"
#include "../base/litmus.h"

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
	traffic_half_close(&t, true);
	assert_true(traffic_read(&t, 1200).half_closed);
	traffic_begin(&t, 5000);
	f = traffic_read(&t, 5000);
	assert_int_equal(f.sent, 0);
	assert_int_equal(f.received, 0);
	assert_int_equal(f.last_active, 5000);
	assert_false(f.half_closed);
	assert_int_equal(t.sent, 10);
	assert_int_equal(t.received, 200);
}

static void a_rate_is_that_of_the_last_second(void **state)
{
	(void)state;
	move(500, 4000, 1500);
	assert_int_equal(traffic_read(&t, 1500).sent_rate, 500); /* a burst, at once */
	move(500, 4000, 2000);
	assert_int_equal(traffic_read(&t, 2000).sent_rate, 1000);
	assert_int_equal(traffic_read(&t, 2000).received_rate, 8000);
	assert_int_equal(traffic_read(&t, 1999).sent_rate, 1000); /* whose clock was read before */
	move(300, 0, 2500);
	assert_int_equal(traffic_read(&t, 2500).sent_rate, 800);
	assert_int_equal(traffic_read(&t, 2500).received_rate, 4000);
	move(300, 0, 4000);
	assert_int_equal(traffic_read(&t, 4000).sent_rate, 300);
	assert_int_equal(traffic_read(&t, 4000).received_rate, 0);
}

static void a_rate_falls_while_less_comes_and_is_0_after_a_second_of_nothing(void **state)
{
	(void)state;
	move(1000, 1000, 2000);
	assert_int_equal(traffic_read(&t, 2000).sent_rate, 1000);
	move(500, 0, 2500);
	assert_int_equal(traffic_read(&t, 3250).sent_rate, 400);
	assert_int_equal(traffic_read(&t, 3250).received_rate, 0);
	assert_int_equal(traffic_read(&t, 3500).sent_rate, 333);
	assert_int_equal(traffic_read(&t, 3501).sent_rate, 0);
	assert_int_equal(traffic_read(&t, 1000000).sent_rate, 0);
}

/* A burst that is over before its window is, and then nothing. */
static void a_burst_is_no_rate_of_an_idle_session(void **state)
{
	(void)state;
	move(1000, 0, 2000);
	move(0, 50000000, 2900);
	assert_true(traffic_read(&t, 3100).received_rate > 40000000);
	for (int64_t now = 3901; now < 100000; now += 1000) {
		assert_int_equal(traffic_read(&t, now).received_rate, 0);
		assert_int_equal(traffic_read(&t, now).sent_rate, 0);
	}
}

static void what_comes_after_a_silence_is_of_that_moment(void **state)
{
	(void)state;
	move(0, 50000000, 1900);
	move(7, 30, 44900);
	assert_int_equal(traffic_read(&t, 44900).received_rate, 30);
	assert_int_equal(traffic_read(&t, 44900).sent_rate, 7);
	assert_int_equal(traffic_read(&t, 45400).received_rate, 15);
	assert_int_equal(traffic_read(&t, 45901).received_rate, 0);
	move(0, 200, 45500);
	move(0, 200, 45900);
	assert_int_equal(traffic_read(&t, 45900).received_rate, 400);
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

/* ---- what a reader meets while the worker writes ---- */

static struct traffic_figures found;

static void finish_a_side(void)
{
	traffic_active(&t, 2);
	traffic_half_close(&t, true);
}

static void begin_at_1(void)
{
	memset(&t, 0, sizeof(t));
	traffic_begin(&t, 1);
}

/* Until it sees that the side has finished, or has looked often enough. */
static void look_for_the_side(void)
{
	int looks = 0;

	do
		found = traffic_read(&t, 2);
	while (!found.half_closed && ++looks < 100);
}

static bool time_is_as_late(void)
{
	return !found.half_closed || found.last_active == 2;
}

static void who_sees_a_side_finished_sees_a_time_as_late(void **state)
{
	static const struct litmus litmus = {.prepare = begin_at_1,
		.write = finish_a_side,
		.read = look_for_the_side,
		.is_right = time_is_as_late};

	(void)state;
	assert_int_equal(litmus_wrong(&litmus, LITMUS_ROUNDS), 0);
}

/* A window of 3000 bytes, and one of 5000, which is over and is to be written. */
static void fill_a_window(void)
{
	memset(&t, 0, sizeof(t));
	traffic_begin(&t, 0);
	move(3000, 3000, 1000);
	traffic_count(&t, TRAFFIC_SENT, 5000);
	traffic_count(&t, TRAFFIC_RECEIVED, 5000);
}

static void begin_a_window(void)
{
	traffic_active(&t, 2000);
}

static bool rates_were_right;

static void look_at_the_rates(void)
{
	rates_were_right = true;
	for (int looks = 0; looks < 30; looks++) {
		found = traffic_read(&t, 2000);
		rates_were_right &= found.sent_rate == 3000 || found.sent_rate == 5000;
		rates_were_right &= found.received_rate == 3000 || found.received_rate == 5000;
	}
}

static bool rates_are_right(void)
{
	return rates_were_right;
}

static void a_rate_is_not_taken_from_two_windows(void **state)
{
	static const struct litmus litmus = {.prepare = fill_a_window,
		.write = begin_a_window,
		.read = look_at_the_rates,
		.is_right = rates_are_right};

	(void)state;
	assert_int_equal(litmus_wrong(&litmus, LITMUS_ROUNDS), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, begin)
	const struct CMUnitTest tests[] = {
		TEST(a_session_begins_at_nothing_and_a_worker_goes_on),
		TEST(a_rate_is_that_of_the_last_second),
		TEST(a_rate_falls_while_less_comes_and_is_0_after_a_second_of_nothing),
		TEST(a_burst_is_no_rate_of_an_idle_session),
		TEST(what_comes_after_a_silence_is_of_that_moment),
		TEST(bytes_count_for_the_accounts_of_the_session),
		TEST(the_first_who_is_active_rings_an_armed_alarm),
		TEST(who_sees_a_side_finished_sees_a_time_as_late),
		TEST(a_rate_is_not_taken_from_two_windows),
	};

	return cmocka_run_group_tests_name("state/traffic", tests, NULL, NULL);
}
