/* proxy/pace: one direction of a session under the limits of its accounts, on the test's clock. */
#include "proxy/pace.h"

#include "base/clock.h"
#include "state/ledger_limits.h"

#include "../base/check.h"

#define RATE 100000 /* bytes a second */

static struct ledger *ledger;
static struct pace_accounts accounts;
static struct pace pace;
static int64_t now;

int64_t __wrap_clock_ms(void);
int64_t __wrap_clock_ms(void)
{
	return now;
}

/* ---- the socket that the kernel paces ---- */

static size_t unacknowledged, unsent; /* bytes */

void __wrap_socket_pace(int fd, uint64_t rate, size_t ahead);
size_t __wrap_socket_unacknowledged(int fd);
size_t __wrap_socket_unsent(int fd);

void __wrap_socket_pace(int fd, uint64_t rate, size_t ahead)
{
	(void)fd;
	(void)rate;
	(void)ahead;
}

size_t __wrap_socket_unacknowledged(int fd)
{
	(void)fd;
	return unacknowledged;
}

size_t __wrap_socket_unsent(int fd)
{
	(void)fd;
	return unsent;
}

static int setup(void **state)
{
	struct addr client;
	size_t running;

	(void)state;
	now = 1000000;
	unacknowledged = unsent = 0;
	ledger = ledger_new(10, NULL);
	assert_true(addr_parse("192.0.2.1", 9, &client));
	accounts = (struct pace_accounts){
		.entries = {[PACE_CLIENT] = ledger_join_client(ledger, &client, now, &running),
			[PACE_USER] = ledger_add_user(ledger, "alice", 5)}};
	ledger_join_user(accounts.entries[PACE_USER]);
	pace_init(&pace, &accounts, TRAFFIC_RECEIVED, -1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pace_end(&pace);
	ledger_leave(accounts.entries[PACE_USER], now);
	ledger_leave(accounts.entries[PACE_CLIENT], now);
	ledger_retire_user(accounts.entries[PACE_USER]);
	ledger_free(ledger);
	return 0;
}

/* Always has something to write. What it wrote in so many milliseconds. */
static size_t write_for(int64_t ms)
{
	size_t written = 0;

	for (int64_t end = now + ms; now < end; now++) {
		(void)pace_look(&pace, 65536);
		for (size_t n; pace.is_on && (n = pace_allow(&pace, 65536, false, true)) > 0;) {
			pace_spend(&pace, n);
			written += n;
		}
	}
	return written;
}

static void nothing_is_made_without_a_limit(void **state)
{
	(void)state;
	assert_false(pace_look(&pace, 100));
	assert_false(pace.is_on);
	assert_null(pace.streams[PACE_USER].throttle);
	assert_int_equal(pace_deadline(&pace), CLOCK_NEVER);
	assert_true(pace_may_splice(&pace));
}

static void the_tighter_account_rules(void **state)
{
	(void)state;
	ledger_set_rate(accounts.entries[PACE_CLIENT], 3 * RATE, RATE);
	assert_in_range(write_for(5000), 14 * RATE, 16 * RATE);
	ledger_set_rate(accounts.entries[PACE_USER], 2 * RATE, 5 * RATE);
	assert_in_range(write_for(5000), 9 * RATE, 11 * RATE);
}

static void a_higher_rate_is_noticed_soon(void **state)
{
	(void)state;
	ledger_set_rate(accounts.entries[PACE_USER], 1000, 1000);
	write_for(1000);
	assert_true(pace_waits(&pace));
	ledger_set_rate(accounts.entries[PACE_USER], 100 * RATE, RATE);
	write_for(250);
	assert_in_range(write_for(1000), 95 * RATE, 105 * RATE);
}

static void a_limit_that_goes_leaves_nothing(void **state)
{
	(void)state;
	ledger_set_rate(accounts.entries[PACE_USER], 1000, 1000);
	write_for(1000);
	ledger_set_rate(accounts.entries[PACE_USER], 0, 0);
	assert_true(pace_look(&pace, 65536)); /* what waited may go */
	assert_false(pace.is_on);
	assert_false(pace_waits(&pace));
	assert_int_equal(pace_deadline(&pace), CLOCK_NEVER);
}

static void datagrams_wait_or_are_too_many(void **state)
{
	(void)state;
	ledger_set_rate(accounts.entries[PACE_USER], RATE, RATE);
	(void)pace_look(&pace, 0);
	assert_int_equal(pace_admit(&pace, 5000, 0, 100, now), 0); /* what was saved */
	assert_int_equal(pace_admit(&pace, 5000, 0, 100, now), 50);
	assert_int_equal(pace_admit(&pace, 5000, 5000, 100, now), 100);
	assert_int_equal(pace_admit(&pace, 1000, 10000, 100, now), -1);
	/* That one was not charged. */
	now += 60;
	assert_int_equal(pace_admit(&pace, 1000, 0, 100, now), 50);
}

/* With a long way to the target, more than may wait in the socket is on it. */
static void what_is_on_its_way_takes_no_room_in_the_socket(void **state)
{
	(void)state;
	ledger_set_rate(accounts.entries[PACE_USER], 100 * RATE, 100 * RATE);
	(void)pace_look(&pace, 65536);
	assert_int_equal(pace_allow(&pace, 65536, true, true), 65536);
	pace_spend(&pace, 65536);
	unacknowledged = pace.ahead;
	assert_int_equal(pace_allow(&pace, 65536, true, true), 65536);
	unsent = pace.ahead;
	assert_int_equal(pace_allow(&pace, 65536, true, true), 0);
	assert_true(pace_waits(&pace));
}

/* It is more than a wait gets, and goes when nothing is owed; what follows pays for it. */
static void a_datagram_larger_than_any_wait_goes_alone(void **state)
{
	(void)state;
	ledger_set_rate(accounts.entries[PACE_USER], 4000, 4000);
	(void)pace_look(&pace, 0);
	assert_int_equal(pace_admit(&pace, 1200, 0, 100, now), 0);
	assert_int_equal(pace_admit(&pace, 1200, 0, 100, now), -1);
	now += 249;
	assert_int_equal(pace_admit(&pace, 1200, 0, 100, now), -1);
	now++;
	assert_int_equal(pace_admit(&pace, 1200, 100, 100, now), -1);
	assert_int_equal(pace_admit(&pace, 1200, 0, 100, now), 0);
	now += 300;
	assert_int_equal(pace_admit(&pace, 1200, 0, 100, now), 0);
	assert_int_equal(pace_admit(&pace, 1, 0, 100, now), -1);
}

/* At a rate at which a datagram takes longer than any may wait, beside a stream that never has
 * nothing to write. */
static void large_datagrams_have_turns_beside_a_stream(void **state)
{
	struct pace datagrams;
	size_t sent = 0, written = 0;

	(void)state;
	ledger_set_rate(accounts.entries[PACE_USER], 2000, 2000);
	pace_init(&datagrams, &accounts, TRAFFIC_RECEIVED, -1);
	written += write_for(1000);
	for (int i = 0; i < 600; i++) {
		(void)pace_look(&datagrams, 0);
		if (pace_admit(&datagrams, 1200, 0, 100, now) == 0)
			sent += 1200;
		written += write_for(100);
	}
	/* Some 60 s. */
	assert_in_range(sent + written, 61 * 2000 * 95 / 100, 61 * 2000 + 1200 + 512);
	assert_in_range(sent, 20 * 1200, 80 * 1200);
	pace_end(&datagrams);
}

static void one_that_found_no_memory_is_not_charged(void **state)
{
	(void)state;
	ledger_set_rate(accounts.entries[PACE_USER], RATE, RATE);
	(void)pace_look(&pace, 0);
	assert_int_equal(pace_admit(&pace, 5000, 0, 100, now), 0);
	assert_int_equal(pace_admit(&pace, 5000, 0, 100, now), 50);
	pace_give_back(&pace, 5000, now);
	assert_int_equal(pace_admit(&pace, 5000, 0, 100, now), 50);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_made_without_a_limit),
		TEST(the_tighter_account_rules),
		TEST(a_higher_rate_is_noticed_soon),
		TEST(a_limit_that_goes_leaves_nothing),
		TEST(what_is_on_its_way_takes_no_room_in_the_socket),
		TEST(datagrams_wait_or_are_too_many),
		TEST(large_datagrams_have_turns_beside_a_stream),
		TEST(one_that_found_no_memory_is_not_charged),
		TEST(a_datagram_larger_than_any_wait_goes_alone),
	};

	return cmocka_run_group_tests_name("proxy/pace", tests, NULL, NULL);
}
