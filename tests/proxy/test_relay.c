/* relay on its own, over socket pairs, with poll(2) and the clock in the test's hand. */
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/socket.h"
#include "proxy/relay.h"
#include "suite.h"

#define SIZE 4096

/* What socket_wait() is to do instead of waiting: a step of the test, 0 = time is up. */
static int (*on_wait)(struct pollfd *fds);
static int waits;
static int64_t last_deadline; /* that it was given */

/* The time, which passes only in the test's steps and when a wait lasts until its deadline. */
static int64_t now;

int64_t __wrap_clock_deadline(int64_t ms);
int64_t __wrap_clock_ms(void);
int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline);

int64_t __wrap_clock_deadline(int64_t ms)
{
	return now + ms;
}

int64_t __wrap_clock_ms(void)
{
	return now;
}

int __wrap_socket_wait(struct pollfd *fds, nfds_t count, int64_t deadline)
{
	last_deadline = deadline;
	waits++;
	if (on_wait(fds) == 0) {
		now = deadline;
		return 0;
	}
	return poll(fds, count, 0);
}

/* The outer ends are the test's, the inner ones the relay's. */
static int client, target;
static struct relay relay;
static struct idle_limits limits;
static struct traffic traffic;
static struct buffer out, in;
static uint8_t memory[2][SIZE];

static int setup(void **state)
{
	int a[2], b[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, b), 0);
	client = a[0];
	target = b[0];
	buffer_init(&out, memory[0], SIZE);
	buffer_init(&in, memory[1], SIZE);
	relay = (struct relay){.client = a[1],
		.target = b[1],
		.to_target = &out,
		.to_client = &in,
		.limits = &limits,
		.traffic = &traffic};
	waits = 0;
	now = 0;
	limits = (struct idle_limits){.timeout = 111, .half_close_timeout = 222};
	traffic = (struct traffic){.sent = 0};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(client);
	close(target);
	close(relay.client);
	close(relay.target);
	return 0;
}

static int bytes_each_way_then_time_is_up(struct pollfd *fds)
{
	(void)fds;
	if (waits == 1)
		net_send(client, "a", 1);
	if (waits == 2) {
		now = 50;
		net_send(target, "b", 1);
	}
	return waits < 3;
}

static void idle_time_counts_from_the_last_byte_of_either_direction(void **state)
{
	(void)state;
	on_wait = bytes_each_way_then_time_is_up;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_int_equal(last_deadline, 50 + 111);
	assert_int_equal(traffic.sent, 1);
	assert_int_equal(traffic.received, 1);
	net_expect(target, "a", 1);
	net_expect(client, "b", 1);
}

static int client_finishes_then_time_is_up(struct pollfd *fds)
{
	(void)fds;
	if (waits == 1)
		shutdown(client, SHUT_WR);
	return waits < 2;
}

static void half_closed_time_is_another(void **state)
{
	(void)state;
	on_wait = client_finishes_then_time_is_up;
	assert_int_equal(relay_run(&relay), END_HALF_CLOSED_IDLE);
	assert_int_equal(last_deadline, 222);
	net_expect_end(target);
}

static int both_finish(struct pollfd *fds)
{
	(void)fds;
	shutdown(client, SHUT_WR);
	shutdown(target, SHUT_WR);
	return 1;
}

static void what_was_sent_ahead_goes_first(void **state)
{
	(void)state;
	memcpy(buffer_tail(&out), "ahead", 5);
	buffer_commit(&out, 5);
	on_wait = both_finish;
	assert_int_equal(relay_run(&relay), END_CLOSED);
	assert_int_equal(traffic.sent, 5);
	net_expect(target, "ahead", 5);
	/* The end that comes last is passed on by closing. */
	assert_true(net_is_silent(client) != net_is_silent(target));
}

/* Fewer bytes fit into this end's way out than the other side can send. */
static void take_little(int fd)
{
	int little = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)), 0);
}

static int only_what_is_useful_is_polled(struct pollfd *fds)
{
	static uint8_t bytes[64];

	if (waits == 1) {
		/* Both to be read, neither to be written. */
		assert_int_equal(fds[0].events, POLLIN);
		assert_int_equal(fds[1].events, POLLIN);
		while (send(client, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
			;
		return 1;
	}
	if (buffer_readable(&out) <= SIZE / 2)
		return waits < 1000;
	/* The target does not take it: the client is not asked for more. */
	assert_int_equal(fds[0].events, 0);
	assert_int_equal(fds[1].events, POLLIN | POLLOUT);
	return 0;
}

static void a_full_buffer_stops_the_reading(void **state)
{
	(void)state;
	take_little(relay.target);
	on_wait = only_what_is_useful_is_polled;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_true(waits < 1000);
	assert_true(buffer_readable(&out) <= SIZE);
}

static int finished_ends_leave_the_set(struct pollfd *fds)
{
	if (waits == 1)
		shutdown(client, SHUT_WR);
	if (waits == 2) {
		/* Watched for a reset, asked for nothing. */
		assert_int_equal(fds[0].fd, relay.client);
		assert_int_equal(fds[0].events, 0);
	}
	return waits < 2;
}

static void a_finished_direction_is_not_polled(void **state)
{
	(void)state;
	on_wait = finished_ends_leave_the_set;
	assert_int_equal(relay_run(&relay), END_HALF_CLOSED_IDLE);
}

static int a_hung_up_target_with_a_full_buffer(struct pollfd *fds)
{
	static uint8_t bytes[64];

	if (waits == 1) {
		shutdown(client, SHUT_WR);
		return 1;
	}
	if (waits == 2) {
		while (send(target, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
			;
		shutdown(target, SHUT_WR);
		return 1;
	}
	if (buffer_readable(&in) <= SIZE / 2)
		return waits < 1000;
	/* One more round to see POLLHUP, and then no more of it. */
	if (fds[1].fd == -1)
		return 0;
	assert_true(waits < 1000);
	return 1;
}

static void a_hang_up_that_cannot_be_acted_on_is_not_polled(void **state)
{
	(void)state;
	take_little(relay.client);
	on_wait = a_hung_up_target_with_a_full_buffer;
	assert_int_equal(relay_run(&relay), END_HALF_CLOSED_IDLE);
	assert_true(waits < 1000);
}

static int the_target_goes_away(struct pollfd *fds)
{
	(void)fds;
	if (waits == 1) {
		close(target);
		net_send(client, "nobody reads this", 17);
		target = dup(client);
	}
	return waits < 10;
}

static void what_cannot_be_delivered_is_dropped_and_ends_the_session(void **state)
{
	(void)state;
	on_wait = the_target_goes_away;
	assert_int_equal(relay_run(&relay), END_TARGET_RESET);
	assert_int_equal(traffic.sent, 0);
}

static bool is_kept_alive(int fd)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
	return value != 0;
}

static int time_goes_by(struct pollfd *fds)
{
	(void)fds;
	if (waits == 1)
		assert_false(is_kept_alive(relay.target));
	if (waits == 3)
		assert_true(is_kept_alive(relay.target));
	return waits < 2;
}

static void a_session_that_lasts_gets_keepalive_on_its_target(void **state)
{
	(void)state;
	limits.timeout = 30000;
	on_wait = time_goes_by;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_true(is_kept_alive(relay.target));
}

static int the_limit_is_raised_at_the_last_moment(struct pollfd *fds)
{
	(void)fds;
	if (waits == 1)
		limits.timeout = 5000;
	return 0;
}

static void a_raised_limit_is_followed(void **state)
{
	(void)state;
	on_wait = the_limit_is_raised_at_the_last_moment;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_int_equal(waits, 2);
	assert_int_equal(now, 5000);
}

static int half_closed_is_seen(struct pollfd *fds)
{
	(void)fds;
	if (waits == 1) {
		assert_false(traffic.half_closed);
		shutdown(client, SHUT_WR);
	}
	if (waits == 2)
		assert_true(traffic.half_closed);
	return waits < 2;
}

static void what_it_does_is_published_while_it_does_it(void **state)
{
	(void)state;
	on_wait = half_closed_is_seen;
	assert_int_equal(relay_run(&relay), END_HALF_CLOSED_IDLE);
	assert_int_equal(waits, 2);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(idle_time_counts_from_the_last_byte_of_either_direction),
		TEST(half_closed_time_is_another),
		TEST(a_raised_limit_is_followed),
		TEST(what_it_does_is_published_while_it_does_it),
		TEST(what_was_sent_ahead_goes_first),
		TEST(a_full_buffer_stops_the_reading),
		TEST(a_finished_direction_is_not_polled),
		TEST(a_hang_up_that_cannot_be_acted_on_is_not_polled),
		TEST(a_session_that_lasts_gets_keepalive_on_its_target),
		TEST(what_cannot_be_delivered_is_dropped_and_ends_the_session),
	};

	return cmocka_run_group_tests_name("proxy/relay", tests, NULL, NULL);
}
