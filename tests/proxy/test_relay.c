/* relay on its own, over socket pairs, with poll(2) and the clock in the test's hand. What must
 * hold whichever way the bytes go is tried over each. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
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

/* What calls on one of the relay's descriptors say, so many times, and when they were made. */
#define MOST_FAULTS 16
static int fault_fd, fault, faults;
static int64_t fault_times[MOST_FAULTS];
static int faulty_calls;

static bool call_fails(int fd)
{
	if (fd != fault_fd || faults == 0)
		return false;
	faults--;
	if (faulty_calls < MOST_FAULTS)
		fault_times[faulty_calls] = now;
	faulty_calls++;
	errno = fault;
	return true;
}

ssize_t __real_recv(int fd, void *bytes, size_t len, int flags);
ssize_t __real_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __real_splice(int from, off_t *from_at, int to, off_t *to_at, size_t len, unsigned flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
ssize_t __wrap_splice(int from, off_t *from_at, int to, off_t *to_at, size_t len, unsigned flags);

ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags)
{
	return call_fails(fd) ? -1 : __real_recv(fd, bytes, len, flags);
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
	return call_fails(fd) ? -1 : __real_send(fd, bytes, len, flags);
}

ssize_t __wrap_splice(int from, off_t *from_at, int to, off_t *to_at, size_t len, unsigned flags)
{
	if (call_fails(from) || call_fails(to))
		return -1;
	return __real_splice(from, from_at, to, to_at, len, flags);
}

/* The outer ends are the test's, the inner ones the relay's. */
static int client, target;
static struct relay relay;
static struct idle_limits limits;
static struct traffic traffic;
static struct buffer out, in;
static uint8_t memory[2][SIZE];
static enum relay_path path;
static struct fdbudget budget;
static struct pipe_pool pipes;

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
		.path = path,
		.pipes = &pipes,
		.limits = &limits,
		.traffic = &traffic};
	budget = (struct fdbudget){.spare = 16};
	pipe_pool_init(&pipes, &budget);
	waits = 0;
	now = 0;
	fault_fd = -1;
	faulty_calls = 0;
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
	assert_int_equal(pipes.used, 0);
	assert_int_equal(budget.spare_used, 0);
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
	while (send(client, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
		;
	if (fds[0].events != 0)
		return waits < 1000;
	/* The target does not take it: the client is not asked for more. */
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
	while (send(target, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
		;
	if (fds[1].events != 0)
		return waits < 1000;
	shutdown(target, SHUT_WR);
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

static uint64_t sent_by_target, received_by_client;

static void drain_client(void)
{
	uint8_t bytes[SIZE];
	ssize_t n;

	while ((n = recv(client, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		received_by_client += (uint64_t)n;
}

/* Until nothing more fits anywhere, and with something unread, which makes a reset of its end. */
static int a_target_that_sends_much_and_breaks(struct pollfd *fds)
{
	static uint8_t bytes[64];
	static bool broken;
	ssize_t n;

	if (waits == 1) {
		sent_by_target = received_by_client = 0;
		broken = false;
		net_send(client, "unread", 6);
	}
	if (broken) {
		drain_client();
		return waits < 10000;
	}
	while ((n = send(target, bytes, sizeof(bytes), MSG_NOSIGNAL)) > 0)
		sent_by_target += (uint64_t)n;
	if (waits > 2 && fds[1].events == 0) {
		close(target);
		target = dup(client);
		broken = true;
	}
	return waits < 10000;
}

static void what_came_before_a_reset_is_delivered(void **state)
{
	(void)state;
	take_little(relay.client);
	on_wait = a_target_that_sends_much_and_breaks;
	assert_int_equal(relay_run(&relay), END_TARGET_RESET);
	drain_client();
	assert_true(sent_by_target > SIZE);
	assert_int_equal(received_by_client, sent_by_target);
	assert_int_equal(traffic.received, sent_by_target);
}

/* Makes the client's end one of TCP. */
static void speak_tcp(void)
{
	const int inline_too = 1; /* urgent data, as listeners have it (socket.h) */
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port);

	close(client);
	close(relay.client);
	client = net_connect("127.0.0.1", port);
	relay.client = net_accept(listener);
	assert_int_equal(fcntl(relay.client, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(
		setsockopt(relay.client, SOL_SOCKET, SO_OOBINLINE, &inline_too, sizeof(inline_too)),
		0);
	close(listener);
}

static int urgent_data_and_the_end(struct pollfd *fds)
{
	struct pollfd end = {.fd = relay.client, .events = POLLRDHUP};

	(void)fds;
	if (waits == 1) {
		net_send(client, "before", 6);
		assert_int_equal(send(client, "!", 1, MSG_OOB), 1);
		net_send(client, "behind", 6);
		shutdown(client, SHUT_WR);
		/* All of it is there before the relay looks. */
		assert_int_equal(poll(&end, 1, -1), 1);
	}
	return !traffic.half_closed && waits < 1000;
}

static void urgent_data_before_the_end_lose_nothing(void **state)
{
	(void)state;
	speak_tcp();
	on_wait = urgent_data_and_the_end;
	assert_int_equal(relay_run(&relay), END_HALF_CLOSED_IDLE);
	assert_int_equal(traffic.sent, 13);
	net_expect(target, "before!behind", 13);
	net_expect_end(target);
}

/* ---- the system's faults ---- */

static void have_fail(int fd, int error, int times)
{
	fault_fd = fd;
	fault = error;
	faults = times;
}

/* Then time passes whenever there is nothing to do. */
static int the_target_answers(struct pollfd *fds)
{
	if (waits == 1)
		net_send(target, "answer", 6);
	return waits < 1000 && poll(fds, 2, 0) > 0;
}

static void a_lack_of_memory_is_waited_for(void **state)
{
	static const int errors[] = {ENOBUFS, ENOMEM};
	const int fds[] = {relay.client, relay.target};

	for (size_t i = 0; i < 4; i++) {
		teardown(state);
		setup(state);
		on_wait = the_target_answers;
		have_fail(fds[i / 2], errors[i % 2], 3);
		assert_int_equal(relay_run(&relay), END_IDLE);
		assert_int_equal(relay.error, 0);
		net_expect(client, "answer", 6);
		/* The pauses grow, and nothing spins in them. */
		assert_int_equal(faulty_calls, 3);
		assert_int_equal(fault_times[1], 10);
		assert_int_equal(fault_times[2], 10 + 20);
		assert_int_equal(now, 10 + 20 + 40 + 111);
		assert_true(waits < 20);
	}
}

static void a_lack_of_memory_that_lasts_is_no_clean_end(void **state)
{
	(void)state;
	on_wait = the_target_answers;
	have_fail(relay.client, ENOBUFS, 1000000);
	assert_int_equal(relay_run(&relay), END_RELAY_FAILED);
	assert_int_equal(relay.error, ENOBUFS);
	assert_int_equal(now, 111);
	assert_true(net_is_silent(client));
}

static int the_target_answers_and_finishes(struct pollfd *fds)
{
	if (waits == 1) {
		net_send(target, "answer", 6);
		shutdown(target, SHUT_WR);
	}
	return waits < 1000 && poll(fds, 2, 0) > 0;
}

/* Neither side is told that this was the end: that is left to a reset. */
static void what_the_system_cannot_move_is_no_clean_end(void **state)
{
	static const int errors[] = {EIO, EPERM};
	const int fds[] = {relay.client, relay.target};

	for (size_t i = 0; i < 4; i++) {
		if (path == RELAY_SPLICE && fds[i / 2] == relay.target && errors[i % 2] == EPERM)
			continue; /* splicing is refused: it copies */
		teardown(state);
		setup(state);
		on_wait = the_target_answers_and_finishes;
		have_fail(fds[i / 2], errors[i % 2], 1000000);
		assert_int_equal(relay_run(&relay), END_RELAY_FAILED);
		assert_int_equal(relay.error, errors[i % 2]);
		assert_int_equal(faulty_calls, 1);
		assert_true(net_is_silent(client));
		assert_true(net_is_silent(target));
	}
}

static void what_the_way_says_is_its_end_s(void **state)
{
	static const int errors[] = {ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		teardown(state);
		setup(state);
		on_wait = the_target_answers;
		have_fail(relay.client, errors[i], 1000000);
		assert_int_equal(relay_run(&relay), END_CLIENT_RESET);
		assert_int_equal(relay.error, 0);
	}
}

static int the_target_answers_and_breaks(struct pollfd *fds)
{
	if (waits == 1) {
		net_send(client, "unread", 6);
		net_send(target, "answer", 6);
	}
	if (waits == 3) {
		close(target); /* with something unread: a reset */
		target = dup(client);
	}
	return waits < 1000 && (waits == 3 || poll(fds, 2, 0) > 0);
}

static void what_came_before_a_reset_is_delivered_once_there_is_memory(void **state)
{
	(void)state;
	on_wait = the_target_answers_and_breaks;
	have_fail(relay.client, ENOMEM, 4);
	assert_int_equal(relay_run(&relay), END_TARGET_RESET);
	net_expect(client, "answer", 6);
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

/* ---- from one path to the other ---- */

static uint64_t passed; /* bytes that have come out at the target */

static uint8_t pattern(uint64_t at)
{
	return (uint8_t)(at % 251);
}

/* `len` bytes more from the client, and what has come of them so far. */
static void send_more(size_t len)
{
	static uint64_t sent;
	uint8_t bytes[SIZE], got[SIZE];
	ssize_t n;

	if (waits == 1)
		sent = passed = 0;
	for (size_t i = 0; i < len; i++)
		bytes[i] = pattern(sent++);
	net_send(client, bytes, len);
	while ((n = recv(target, got, sizeof(got), MSG_DONTWAIT)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(got[i], pattern(passed++));
	}
}

static int bulk_until_it_is_spliced(struct pollfd *fds)
{
	(void)fds;
	send_more(SIZE);
	return pipes.used == 0 && waits < 1000;
}

static void a_direction_that_proves_to_be_bulk_is_spliced(void **state)
{
	(void)state;
	on_wait = bulk_until_it_is_spliced;
	limits.timeout = 500;
	assert_int_equal(relay_run(&relay), END_IDLE);
	/* Not for the first burst. */
	assert_true(waits > 4 && waits < 1000);
	assert_true(passed >= 4 * SIZE);
}

/* What reads are like where the receiver is a little slower than the sender. */
static int large_and_middling_in_turn(struct pollfd *fds)
{
	(void)fds;
	send_more(waits % 2 == 0 ? SIZE : SIZE * 29 / 64);
	return pipes.used == 0 && waits < 1000;
}

static void large_and_middling_reads_in_turn_are_bulk(void **state)
{
	(void)state;
	on_wait = large_and_middling_in_turn;
	limits.timeout = 500;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_true(waits > 4 && waits < 1000);
}

static int small_bursts(struct pollfd *fds)
{
	(void)fds;
	send_more(waits % 4 == 0 ? SIZE : 10);
	assert_int_equal(pipes.used, 0);
	return waits < 100;
}

static void bursts_are_copied(void **state)
{
	(void)state;
	on_wait = small_bursts;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_int_equal(waits, 100);
}

static int last_used; /* pipes, at the last wait */

static int bulk_and_then_nothing(struct pollfd *fds)
{
	(void)fds;
	last_used = (int)pipes.used;
	if (last_used > 0 || now > 0)
		return 0;
	send_more(SIZE);
	return waits < 1000;
}

static void a_pipe_is_given_back_when_nothing_moves(void **state)
{
	(void)state;
	limits.timeout = 5000;
	on_wait = bulk_and_then_nothing;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_int_equal(last_used, 0);
	assert_int_equal(last_deadline, 5000);
	assert_true(waits < 1000);
}

static int bulk_and_then_the_other_way(struct pollfd *fds)
{
	(void)fds;
	if (pipes.used == 0 && last_used == 0) {
		send_more(SIZE);
		return waits < 1000;
	}
	last_used++;
	assert_int_equal(pipes.used, 1);
	if (last_used % 2 == 0)
		net_send(target, "b", 1);
	else
		send_more(SIZE);
	return last_used < 20;
}

/* It is tried at each wake-up, whatever that is for: often there is something by then. */
static void a_wake_up_without_bytes_costs_no_pipe(void **state)
{
	(void)state;
	last_used = 0;
	limits.timeout = 500;
	on_wait = bulk_and_then_the_other_way;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_int_equal(last_used, 20);
	assert_int_equal(traffic.received, 9);
}

static bool was_spliced;

static int bulk_and_then_small_messages(struct pollfd *fds)
{
	(void)fds;
	was_spliced |= pipes.used > 0;
	send_more(was_spliced ? 1 : SIZE);
	return (!was_spliced || pipes.used > 0) && waits < 1000;
}

static void a_pipe_is_given_back_when_messages_become_small(void **state)
{
	(void)state;
	was_spliced = false;
	limits.timeout = 500;
	on_wait = bulk_and_then_small_messages;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_true(was_spliced);
	assert_true(waits < 1000);
}

static int bulk_without_end(struct pollfd *fds)
{
	(void)fds;
	send_more(SIZE);
	return waits < 100;
}

static void without_a_pipe_bulk_is_copied(void **state)
{
	(void)state;
	pipes.total = 0;
	on_wait = bulk_without_end;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_int_equal(waits, 100);
	assert_true(passed >= 97 * SIZE);
	assert_int_equal(traffic.sent, 99 * SIZE);
}

static void without_a_descriptor_bulk_is_copied(void **state)
{
	(void)state;
	budget.spare = 1;
	on_wait = bulk_without_end;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_int_equal(traffic.sent, 99 * SIZE);
}

static int much_and_then_nothing(struct pollfd *fds)
{
	static uint8_t bytes[4 * SIZE];

	(void)fds;
	if (waits == 1)
		net_send(target, bytes, sizeof(bytes));
	if (waits == 2)
		assert_true(buffer_is_swollen(&in));
	if (waits == 3)
		assert_false(buffer_is_swollen(&in));
	return waits < 2;
}

static void the_memory_of_a_buffer_is_given_back_when_nothing_moves(void **state)
{
	static uint8_t big[8 * SIZE];

	(void)state;
	buffer_init(&in, big, sizeof(big));
	limits.timeout = 5000;
	on_wait = much_and_then_nothing;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_int_equal(waits, 3);
	assert_int_equal(traffic.received, 4 * SIZE);
}

/* ---- little memory ---- */

static struct relay_room room;

/* Both send more than goes, and none reads. */
static int both_flood(struct pollfd *fds)
{
	static const uint8_t bytes[64];

	while (send(client, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0 ||
		send(target, bytes, sizeof(bytes), MSG_NOSIGNAL) > 0)
		;
	return (fds[0].events & POLLIN) != 0 || (fds[1].events & POLLIN) != 0 ? waits < 1000 : 0;
}

static void flood(size_t places)
{
	room = (struct relay_room){.total = places};
	relay.room = &room;
	relay.path = RELAY_COPY;
	take_little(relay.client);
	take_little(relay.target);
	on_wait = both_flood;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_true(waits < 1000);
	assert_int_equal(room.taken, 0);
}

static void without_room_a_buffer_stays_small(void **state)
{
	(void)state;
	room.total = 1;
	flood(1);
	/* One of them has got the only place. */
	assert_true((out.high_water <= SIZE / 16) != (in.high_water <= SIZE / 16));
	assert_int_equal(out.high_water + in.high_water, SIZE + SIZE / 16);
}

static void with_room_both_grow(void **state)
{
	(void)state;
	flood(2);
	assert_int_equal(out.high_water + in.high_water, 2 * SIZE);
}

static int much_without_room(struct pollfd *fds)
{
	(void)fds;
	send_more(SIZE / 8); /* more than goes at once */
	return waits < 200;
}

static void what_goes_without_room_comes_whole(void **state)
{
	(void)state;
	room = (struct relay_room){.total = 1, .taken = 1};
	relay.room = &room;
	on_wait = much_without_room;
	assert_int_equal(relay_run(&relay), END_IDLE);
	assert_true(passed > 10 * SIZE);
	assert_true(out.high_water <= SIZE / 16);
	assert_int_equal(room.taken, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int run_over(enum relay_path p, const char *name)
{
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
		TEST(what_came_before_a_reset_is_delivered),
		TEST(urgent_data_before_the_end_lose_nothing),
		TEST(what_cannot_be_delivered_is_dropped_and_ends_the_session),
		TEST(a_lack_of_memory_is_waited_for),
		TEST(a_lack_of_memory_that_lasts_is_no_clean_end),
		TEST(what_the_system_cannot_move_is_no_clean_end),
		TEST(what_the_way_says_is_its_end_s),
		TEST(what_came_before_a_reset_is_delivered_once_there_is_memory),
	};

	path = p;
	return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

static int run_changes(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_direction_that_proves_to_be_bulk_is_spliced),
		TEST(large_and_middling_reads_in_turn_are_bulk),
		TEST(bursts_are_copied),
		TEST(a_pipe_is_given_back_when_nothing_moves),
		TEST(a_wake_up_without_bytes_costs_no_pipe),
		TEST(a_pipe_is_given_back_when_messages_become_small),
		TEST(without_a_pipe_bulk_is_copied),
		TEST(without_a_descriptor_bulk_is_copied),
		TEST(the_memory_of_a_buffer_is_given_back_when_nothing_moves),
		TEST(without_room_a_buffer_stays_small),
		TEST(with_room_both_grow),
		TEST(what_goes_without_room_comes_whole),
	};

	path = RELAY_AUTO;
	return cmocka_run_group_tests_name("proxy/relay, changing over", tests, NULL, NULL);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return run_over(RELAY_COPY, "proxy/relay, copying") +
		run_over(RELAY_SPLICE, "proxy/relay, splicing") + run_changes();
}
