/* proxy/pace: one direction of a session under the limits of its accounts, on the test's clock. */
#include "proxy/pace.h"

#include "base/clock.h"
#include "state/ledger_limits.h"

#include "../base/check.h"

#define RATE 100000 /* bytes a second */

static struct ledger *ledger;
static struct pace_accounts accounts;
static struct pace pace;

#define OTHERS 9
static struct pace others[OTHERS]; /* of the same accounts */
static size_t other_count;
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
	other_count = 0;
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
	for (size_t i = 0; i < other_count; i++)
		pace_end(&others[i]);
	ledger_leave(accounts.entries[PACE_USER], now);
	ledger_leave(accounts.entries[PACE_CLIENT], now);
	ledger_retire_user(accounts.entries[PACE_USER]);
	ledger_free(ledger);
	return 0;
}

/* Always has something to write, in a pipe where the kernel may pace it. What it wrote now. */
static size_t write_some(struct pace *p)
{
	size_t written = 0;

	(void)pace_look(p, 65536);
	for (size_t n; p->is_on && (n = pace_allow(p, 65536, p->fd >= 0, true)) > 0;) {
		pace_spend(p, n);
		written += n;
	}
	return written;
}

/* So in so many milliseconds, beside the others. */
static size_t write_for(int64_t ms)
{
	size_t written = 0;

	for (int64_t end = now + ms; now < end; now++) {
		written += write_some(&pace);
		for (size_t i = 0; i < other_count; i++)
			(void)write_some(&others[i]);
	}
	return written;
}

static void begin_others(size_t count)
{
	for (other_count = 0; other_count < count; other_count++)
		pace_init(&others[other_count], &accounts, TRAFFIC_RECEIVED, -1);
}

static void nothing_is_made_without_a_limit(void **state)
{
	(void)state;
	assert_false(pace_look(&pace, 100));
	assert_false(pace.is_on);
	assert_null(pace.streams[PACE_USER].throttle);
	assert_int_equal(pace_deadline(&pace), CLOCK_NEVER);
	assert_true(pace_may_splice(&pace, false));
	assert_int_equal(pace_reads(&pace, 65536), 65536);
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

/* ---- turns ---- */

/* Alone it asks again soon, in case the rate is raised; among many that would be most of its
 * wakes. */
static void waits_for_its_turn_at_a_stretch(void **state)
{
	size_t wakes = 0;

	(void)state;
	ledger_set_rate(accounts.entries[PACE_USER], 20 * RATE, RATE);
	begin_others(OTHERS);
	write_for(2000);
	for (int64_t end = now + 4000; now < end; now++) {
		for (size_t i = 0; i < OTHERS; i++)
			(void)write_some(&others[i]);
		if (now < pace_deadline(&pace))
			continue;
		wakes++;
		(void)write_some(&pace);
	}
	assert_in_range(wakes, 9, 12); /* a round takes 400 ms */
	for (size_t i = 0; i < OTHERS; i++)
		pace_end(&others[i]);
	other_count = 0;
	ledger_set_rate(accounts.entries[PACE_USER], 512, 512);
	write_for(2000);
	assert_in_range(pace_deadline(&pace), now, now + 250);
}

static uint64_t moved_by_all(void)
{
	uint64_t moved = pace.moved;

	for (size_t i = 0; i < other_count; i++)
		moved += others[i].moved;
	return moved;
}

/* What each had taken for its turn would be seconds of the lower rate. */
static void a_lower_rate_shortens_the_turns_that_wait(void **state)
{
	for (int fd = -1; fd <= 0; fd++) {
		uint64_t before;

		if (fd == 0) {
			teardown(state);
			setup(state);
		}
		ledger_set_rate(accounts.entries[PACE_USER], 10 * RATE, RATE);
		begin_others(OTHERS);
		pace.fd = fd;
		for (size_t i = 0; i < OTHERS; i++)
			others[i].fd = fd;
		write_for(2000);
		ledger_set_rate(accounts.entries[PACE_USER], RATE, RATE);
		write_for(250);
		before = moved_by_all();
		write_for(1000);
		assert_in_range(moved_by_all() - before, RATE * 85 / 100, RATE * 115 / 100);
	}
}

static void reads_what_it_writes_at_once(void **state)
{
	(void)state;
	ledger_set_rate(accounts.entries[PACE_USER], 10 * RATE, RATE);
	begin_others(1);
	write_for(1000);
	assert_int_equal(pace.chunk, 40000);
	assert_int_equal(pace_reads(&pace, 65536), 40000);
	assert_int_equal(pace_reads(&pace, 1048576), 80000);
	assert_int_equal(pace_reads(&pace, 30000), 30000);
	ledger_set_rate(accounts.entries[PACE_USER], 0, 0);
	(void)pace_look(&pace, 0);
	assert_int_equal(pace_reads(&pace, 65536), 65536);
}

/* Where the share is too small for the kernel, chunks decide. */
static void large_chunks_are_spliced_in_turns(void **state)
{
	(void)state;
	pace.fd = 0;
	ledger_set_rate(accounts.entries[PACE_USER], 5 * RATE, RATE);
	begin_others(OTHERS);
	write_for(10000);
	assert_int_equal(pace.chunk, 20000);
	assert_true(pace_may_splice(&pace, false));
	(void)pace_allow(&pace, 65536, true, true);
	assert_false(pace.is_paced);
	/* Then a little less does not change it back. */
	ledger_set_rate(accounts.entries[PACE_USER], 3 * RATE, RATE);
	assert_false(pace_may_splice(&pace, false));
	assert_true(pace_may_splice(&pace, true));
	ledger_set_rate(accounts.entries[PACE_USER], RATE, RATE);
	assert_false(pace_may_splice(&pace, true));
}

static void datagrams_have_their_part_beside_many_streams(void **state)
{
	uint64_t admitted = 0;

	(void)state;
	ledger_set_rate(accounts.entries[PACE_USER], 10 * RATE, RATE);
	begin_others(OTHERS);
	for (int64_t end = now + 5000; now < end; now++) {
		(void)pace_look(&pace, 0);
		for (int i = 0; i < 4; i++)
			admitted += pace_admit(&pace, 1000, 0, 100, now) >= 0 ? 1000 : 0;
		for (size_t i = 0; i < OTHERS; i++)
			(void)write_some(&others[i]);
	}
	assert_in_range(admitted, 5 * RATE * 8 / 10, 5 * RATE * 12 / 10);
}

/* ---- paced by the kernel ---- */

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
		TEST(waits_for_its_turn_at_a_stretch),
		TEST(a_lower_rate_shortens_the_turns_that_wait),
		TEST(reads_what_it_writes_at_once),
		TEST(large_chunks_are_spliced_in_turns),
		TEST(datagrams_have_their_part_beside_many_streams),
		TEST(what_is_on_its_way_takes_no_room_in_the_socket),
		TEST(datagrams_wait_or_are_too_many),
		TEST(large_datagrams_have_turns_beside_a_stream),
		TEST(one_that_found_no_memory_is_not_charged),
		TEST(a_datagram_larger_than_any_wait_goes_alone),
	};

	return cmocka_run_group_tests_name("proxy/pace", tests, NULL, NULL);
}
