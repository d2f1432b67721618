/* The real server's rates: of copied and spliced bytes, up and down, of many streams and of many
 * short ones, of datagrams; changed while they run, and shared. Bounds are wide below and narrow
 * above: what is promised is that no more gets through. A busy machine can only make it less, so
 * the upper bound has to hold each time that is measured, and the lower one within some times. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#include "suite.h"

#include "../base/check.h"
#include "lacking.h"
#include "monitor.h"
#include "udp.h"

#define MBIT UINT64_C(125000) /* bytes a second */
#define MOST 45
#define ATTEMPTS 8

static struct daemon d;
static int listener;
static uint16_t port;

/* One way of a session: what is written to `from` comes out at `to`. */
struct way {
	int from, to;
	int ends[2];
	uint64_t moved; /* bytes that came out */
};

static struct way ways[MOST];
static size_t open_ways;

static int setup(void **state)
{
	(void)state;
	listener = net_listen("127.0.0.1", &port);
	open_ways = 0;
	return 0;
}

static void close_ways(void)
{
	for (size_t i = 0; i < open_ways; i++) {
		net_reset(ways[i].ends[0]);
		net_reset(ways[i].ends[1]);
	}
	open_ways = 0;
}

static int teardown(void **state)
{
	(void)state;
	close_ways();
	daemon_stop(&d);
	close(listener);
	return 0;
}

static void start(const char *flag, const char *value, const char *relay)
{
	const char *const flags[] = {"--max-sessions", "64", "--relay", relay, flag, value, NULL};

	monitor_start_daemon(&d, flags);
}

/* ---- streams ---- */

enum { DOWN, UP };

static void add_way(int client, int direction)
{
	struct way *w = &ways[open_ways++];
	int target = net_accept(listener);

	*w = (struct way){.from = direction == DOWN ? target : client,
		.to = direction == DOWN ? client : target,
		.ends = {client, target}};
	for (int i = 0; i < 2; i++)
		(void)fcntl(w->ends[i], F_SETFL, fcntl(w->ends[i], F_GETFL) | O_NONBLOCK);
}

static void open_way_as(const char *user, int direction)
{
	uint8_t rep;
	int fd = net_socks_connect_as(d.port, user, "secret", "127.0.0.1", port, &rep);

	assert_int_equal(rep, 0);
	add_way(fd, direction);
}

static void write_and_read(const struct pollfd fds[2 * MOST])
{
	static char bytes[65536];

	for (size_t i = 0; i < open_ways; i++) {
		if ((fds[2 * i].revents & POLLOUT) != 0)
			(void)!send(ways[i].from, bytes, sizeof(bytes), MSG_NOSIGNAL);
		if ((fds[2 * i + 1].revents & POLLIN) != 0) {
			ssize_t n = recv(ways[i].to, bytes, sizeof(bytes), 0);

			ways[i].moved += n > 0 ? (uint64_t)n : 0;
		}
	}
}

/* What has been waiting to be read came before; who wakes late is not to count it. */
static void read_what_waits(void)
{
	static char bytes[65536];

	for (size_t i = 0; i < open_ways; i++) {
		while (recv(ways[i].to, bytes, sizeof(bytes), 0) > 0)
			;
		ways[i].moved = 0;
	}
}

/* Writes and reads as much as goes for so long. Returns the bytes that came out, a second; so does
 * each way's `moved` count them. */
static uint64_t move_for(int64_t ms)
{
	struct pollfd fds[2 * MOST];
	int64_t begun, end;
	uint64_t moved = 0, took;

	for (size_t i = 0; i < open_ways; i++) {
		fds[2 * i] = (struct pollfd){.fd = ways[i].from, .events = POLLOUT};
		fds[2 * i + 1] = (struct pollfd){.fd = ways[i].to, .events = POLLIN};
	}
	read_what_waits();
	begun = clock_ms();
	end = begun + ms;
	while (clock_ms() < end) {
		assert_true(poll(fds, 2 * open_ways, clock_poll_timeout(end)) >= 0);
		write_and_read(fds);
	}
	took = (uint64_t)(clock_ms() - begun);
	for (size_t i = 0; i < open_ways; i++) {
		ways[i].moved = ways[i].moved * 1000 / took;
		moved += ways[i].moved;
	}
	return moved;
}

/* Is the rate reached? More than that is never right. */
static bool is_at(uint64_t measured, uint64_t rate)
{
	assert_in_range(measured, 0, rate + rate * 15 / 100);
	return measured >= rate / 2;
}

/* What else is to be seen, of the ways; `all` came out of them together, a second. */
typedef bool expectation(uint64_t all);

/* Together they come to the rate, and to no more. */
static void assert_rate_and(uint64_t rate, int64_t ms, expectation *holds_too)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		uint64_t all = move_for(ms);

		if (is_at(all, rate) && (holds_too == NULL || holds_too(all)))
			return;
	}
	fail_msg("%s", "the rate is not reached, or not as it should be");
}

static void assert_rate(uint64_t rate, int64_t ms)
{
	assert_rate_and(rate, ms, NULL);
}

/* Together they come to more than that. */
static void assert_faster_than(uint64_t rate)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		if (move_for(1000) > rate)
			return;
	}
	fail_msg("not faster than %llu bytes a second", (unsigned long long)rate);
}

static bool all_have_some(uint64_t all)
{
	(void)all;
	for (size_t i = 0; i < open_ways; i++) {
		if (ways[i].moved == 0)
			return false;
	}
	return true;
}

static void holds(const char *relay, int direction, size_t count, const char *text, uint64_t rate)
{
	start("--rate-total", text, relay);
	for (size_t i = 0; i < count; i++)
		open_way_as("alice", direction);
	move_for(500);
	assert_rate_and(rate, 3000, all_have_some);
}

static void holds_what_is_copied_down(void **state)
{
	(void)state;
	holds("copy", DOWN, 1, "16Mbit", 16 * MBIT);
}

static void holds_what_is_copied_up(void **state)
{
	(void)state;
	holds("copy", UP, 1, "100Mbit/16Mbit", 16 * MBIT);
}

static void holds_what_is_spliced_down(void **state)
{
	(void)state;
	holds("splice", DOWN, 1, "40Mbit", 40 * MBIT);
}

static void holds_what_is_spliced_up(void **state)
{
	(void)state;
	holds("splice", UP, 1, "100Mbit/40Mbit", 40 * MBIT);
}

static void holds_forty_streams(void **state)
{
	(void)state;
	holds("auto", DOWN, 40, "16Mbit", 16 * MBIT);
}

static void holds_ten_streams_up(void **state)
{
	(void)state;
	holds("auto", UP, 10, "100Mbit/16Mbit", 16 * MBIT);
}

static void a_slow_one_is_held_too(void **state)
{
	(void)state;
	holds("auto", DOWN, 2, "512kbit", MBIT * 512 / 1000);
}

/* ---- many short ones ---- */

#define SHORT 10000 /* bytes */
#define AT_ONCE 4 /* so that it is not the way there and back that they wait for */

/* Downloads, each in a session of its own. */
static void download_some(void)
{
	static char bytes[SHORT];
	int fds[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++) {
		uint8_t rep;
		int target;

		fds[i] = net_socks_connect_as(d.port, "alice", "secret", "127.0.0.1", port, &rep);
		target = net_accept(listener);
		assert_int_equal(rep, 0);
		net_send(target, bytes, sizeof(bytes));
		close(target);
	}
	for (int i = 0; i < AT_ONCE; i++) {
		net_receive(fds[i], bytes, sizeof(bytes));
		net_expect_end(fds[i]);
		close(fds[i]);
	}
}

static void holds_many_short_ones_together(void **state)
{
	uint64_t measured;
	int attempts = 0;

	(void)state;
	start("--rate-total", "2Mbit", "auto");
	for (int i = 0; i < 2; i++)
		download_some();
	do {
		int64_t begun = clock_ms();
		uint64_t moved = 0;

		assert_true(attempts++ < ATTEMPTS);
		for (; clock_ms() - begun < 3000; moved += AT_ONCE * SHORT)
			download_some();
		measured = moved * 1000 / (uint64_t)(clock_ms() - begun);
	} while (!is_at(measured, 2 * MBIT));
}

/* ---- changes ---- */

static void follows_changes(size_t count)
{
	int monitor;

	start("--rate-total", "8Mbit", "auto");
	monitor = monitor_login(&d, "boss:secret");
	for (size_t i = 0; i < count; i++)
		open_way_as(i % 2 == 0 ? "alice" : "bob", DOWN);
	move_for(500);
	assert_rate(8 * MBIT, 2000);
	assert_begins(monitor_ask(monitor, "CONFIG rate_total 40Mbit"), "OK");
	move_for(500);
	assert_rate(40 * MBIT, 2000);
	assert_begins(monitor_ask(monitor, "CONFIG rate_total 4Mbit"), "OK");
	move_for(1000);
	assert_rate(4 * MBIT, 2000);
	/* And without one it is as fast as it can be. */
	assert_begins(monitor_ask(monitor, "CONFIG rate_total none"), "OK");
	move_for(500);
	assert_faster_than(40 * MBIT);
	close(monitor);
}

/* What was spliced is copied then; within a moment, so that the first seconds are right already. */
static void a_limit_that_falls_far_is_held_at_once(void **state)
{
	int monitor;

	(void)state;
	start("--client-limits", "127.0.0.1 rate=1Gbit", "auto");
	monitor = monitor_login(&d, "boss:secret");
	open_way_as("alice", DOWN);
	assert_faster_than(40 * MBIT);
	assert_begins(monitor_ask(monitor, "LIMITS 127.0.0.1 rate=512kbit"), "OK");
	move_for(1000);
	assert_rate(MBIT * 512 / 1000, 2000);
	close(monitor);
}

static void follows_a_change_while_it_runs(void **state)
{
	(void)state;
	follows_changes(2);
}

static void follows_a_change_with_many(void **state)
{
	(void)state;
	follows_changes(20);
}

static void a_limit_comes_to_a_session_that_had_none(void **state)
{
	int monitor;

	(void)state;
	start("--rate-total", "none", "auto");
	monitor = monitor_login(&d, "boss:secret");
	open_way_as("alice", DOWN);
	assert_faster_than(40 * MBIT);
	assert_begins(monitor_ask(monitor, "CONFIG rate_total 16Mbit"), "OK");
	move_for(1000);
	assert_rate(16 * MBIT, 2000);
	close(monitor);
}

static bool first_two_are_at_4_mbit(uint64_t all)
{
	(void)all;
	return is_at(ways[0].moved + ways[1].moved, 4 * MBIT);
}

/* An account's own, which LIMITS changes. */
static void each_user_has_a_rate_of_its_own(void **state)
{
	int monitor;

	(void)state;
	start("--user-defaults", "rate=16Mbit", "auto");
	monitor = monitor_login(&d, "boss:secret");
	for (int i = 0; i < 4; i++)
		open_way_as(i < 2 ? "alice" : "bob", DOWN);
	move_for(500);
	assert_rate(2 * 16 * MBIT, 2000);
	assert_begins(monitor_ask(monitor, "LIMITS alice rate=4Mbit"), "OK");
	move_for(1000);
	assert_rate_and(20 * MBIT, 2000, first_two_are_at_4_mbit);
	close(monitor);
}

static void who_logs_in_is_free_of_the_rate_of_others(void **state)
{
	(void)state;
	start("--anonymous-defaults", "rate=8Mbit", "auto");
	open_way_as("alice", DOWN);
	assert_faster_than(24 * MBIT);
}

/* ---- groups ---- */

static void a_group_of_clients_shares_its_rate(void **state)
{
	const char *const flags[] = {"--client-group", "@room 127.0.0.0/24", "--group-rate",
		"@room 16Mbit; @other 1Mbit", NULL};

	(void)state;
	monitor_start_daemon(&d, flags);
	open_way_as("alice", DOWN);
	open_way_as("bob", DOWN);
	move_for(500);
	assert_rate(16 * MBIT, 3000);
}

static bool bob_has_his_part(uint64_t all)
{
	return ways[10].moved > all * 3 / 10;
}

static void a_group_of_users_shares_its_rate(void **state)
{
	const char *const flags[] = {"-U", d.users, "--group-rate", "@pupils 16Mbit", NULL};

	(void)state;
	daemon_prepare(&d);
	daemon_write_file(d.users,
		"alice:" MONITOR_HASH ":user:groups=pupils\n"
		"bob:" MONITOR_HASH ":user:groups=staff,pupils\nroot:" MONITOR_HASH ":admin\n");
	daemon_launch(&d, flags);
	for (int i = 0; i < 10; i++)
		open_way_as("alice", DOWN);
	open_way_as("bob", DOWN);
	move_for(1000);
	assert_rate_and(16 * MBIT, 3000, bob_has_his_part);
	open_way_as("root", DOWN); /* is in no group */
	assert_faster_than(40 * MBIT);
}

/* ---- fairness ---- */

/* One user has forty sessions, two have one each. */
static bool each_has_a_third(uint64_t all)
{
	uint64_t first = 0;

	for (int i = 0; i < 40; i++)
		first += ways[i].moved;
	return first < all / 2 && ways[40].moved > all / 5 && ways[41].moved > all / 5;
}

static void shares_among_users_not_among_sessions(void **state)
{
	(void)state;
	start("--rate-total", "24Mbit", "auto");
	for (int i = 0; i < 40; i++)
		open_way_as("alice", DOWN);
	open_way_as("bob", DOWN);
	open_way_as("root", DOWN);
	move_for(1000);
	assert_rate_and(24 * MBIT, 3000, each_has_a_third);
}

static bool alice_has_most(uint64_t all)
{
	(void)all;
	return ways[1].moved > 16 * MBIT * 2 / 3;
}

static void what_one_does_not_use_the_other_has(void **state)
{
	(void)state;
	start("--rate-total", "16Mbit", "auto");
	open_way_as("bob", DOWN); /* and moves nothing, since nobody writes */
	open_way_as("alice", DOWN);
	ways[0].from = -1;
	move_for(1000);
	assert_rate_and(16 * MBIT, 2000, alice_has_most);
}

/* How long a message takes beside the downloads. */
static int64_t time_message(const struct way *w)
{
	int64_t begun = clock_ms();
	char byte;

	assert_int_equal(send(w->ends[1], "x", 1, 0), 1);
	do
		move_for(5);
	while (recv(w->ends[0], &byte, 1, 0) != 1);
	return clock_ms() - begun;
}

/* A message of the same user goes there and back beside ten downloads; others have it wait for
 * seconds. A busy machine holds up some, but not most. */
static void a_small_message_is_not_held_up(void **state)
{
	int late = 0;

	(void)state;
	start("--rate-total", "2Mbit", "auto");
	for (int i = 0; i < 10; i++)
		open_way_as("alice", DOWN);
	open_way_as("alice", DOWN);
	open_ways--;
	move_for(1000);
	for (int i = 0; i < 20; i++)
		late += time_message(&ways[10]) > 400;
	assert_in_range(late, 0, 8);
	open_ways++;
}

/* ---- datagrams ---- */

#define DATAGRAM 1000 /* bytes */
#define BURST 64 /* datagrams, which a socket has room for */

/* Offers four times the rate by the clock, however seldom this thread gets to run, and returns what
 * comes out at the target, a second. */
static uint64_t offer_datagrams(
	struct association *a, const struct addr *to, int target, uint64_t rate, int64_t ms)
{
	static char bytes[DATAGRAM], in[UDP_MAX];
	int64_t begun = clock_ms(), now = begun;
	uint64_t received = 0, offered = 0;

	for (; now - begun < ms; now = clock_ms()) {
		struct pollfd p = {.fd = target, .events = POLLIN};
		uint64_t due = 4 * rate * (uint64_t)(now - begun) / 1000;
		ssize_t n;

		for (int i = 0; i < BURST && offered < due; i++, offered += sizeof(bytes))
			association_send(a, 0, to, bytes, sizeof(bytes));
		(void)poll(&p, 1, 3);
		while ((n = recv(target, in, sizeof(in), MSG_DONTWAIT)) > 0)
			received += (uint64_t)n;
	}
	return received * 1000 / (uint64_t)(now - begun);
}

static void holds_datagrams(void **state)
{
	struct association a;
	struct addr to;
	int target = udp_socket("127.0.0.1", &to), attempts = 0;

	(void)state;
	daemon_start(&d, (const char *const[]){"--rate-total", "2Mbit", NULL});
	association_open(&a, "127.0.0.1", d.port, NULL);
	assert_int_equal(a.rep, 0);
	do
		assert_true(attempts++ < ATTEMPTS);
	while (!is_at(offer_datagrams(&a, &to, target, 2 * MBIT, 3000), 2 * MBIT));
	daemon_wait_stat(&d, "datagrams_dropped_rate", 1); /* dropped for it, and counted */
	association_close(&a);
	close(target);
}

/* ---- packets of Ethernet's size ---- */

/* Gives the process a network of its own whose loopback has so large packets. */
static int enter_network(int mtu)
{
	struct ifreq r = {.ifr_name = "lo"};
	int fd, result = -1;

	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	r.ifr_mtu = mtu;
	if (fd >= 0 && ioctl(fd, SIOCSIFMTU, &r) == 0) {
		r.ifr_flags = IFF_UP | IFF_RUNNING;
		result = ioctl(fd, SIOCSIFFLAGS, &r);
	}
	close(fd);
	return result;
}

static void holds_at_mtu_1500(void **state)
{
	(void)state;
	if (enter_network(1500) < 0)
		skip_for_want_of("a network namespace");
	close(listener);
	listener = net_listen("127.0.0.1", &port);
	holds("auto", DOWN, 1, "16Mbit", 16 * MBIT);
}

static int teardown_if_started(void **state)
{
	if (d.pid > 0)
		return teardown(state);
	close(listener);
	return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(holds_what_is_copied_down),
		TEST(holds_what_is_copied_up),
		TEST(holds_what_is_spliced_down),
		TEST(holds_what_is_spliced_up),
		TEST(holds_forty_streams),
		TEST(holds_ten_streams_up),
		TEST(a_slow_one_is_held_too),
		TEST(holds_many_short_ones_together),
		TEST(follows_a_change_while_it_runs),
		TEST(follows_a_change_with_many),
		TEST(a_limit_that_falls_far_is_held_at_once),
		TEST(a_limit_comes_to_a_session_that_had_none),
		TEST(each_user_has_a_rate_of_its_own),
		TEST(who_logs_in_is_free_of_the_rate_of_others),
		TEST(a_group_of_clients_shares_its_rate),
		TEST(a_group_of_users_shares_its_rate),
		TEST(shares_among_users_not_among_sessions),
		TEST(what_one_does_not_use_the_other_has),
		TEST(a_small_message_is_not_held_up),
		TEST(holds_datagrams),
		/* Last: there is no way back to the network. */
		cmocka_unit_test_setup_teardown(holds_at_mtu_1500, setup, teardown_if_started),
	};

	return cmocka_run_group_tests_name("daemon/rates", tests, NULL, NULL);
}
