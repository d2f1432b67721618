/* socket: what the kernel can say to each call, injected at the linker's hand. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/socket.h"
#include "suite.h"

int __real_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);
ssize_t __real_recv(int fd, void *bytes, size_t len, int flags);
ssize_t __real_send(int fd, const void *bytes, size_t len, int flags);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout);
int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);
ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_clock_nanosleep(
	clockid_t clock, int flags, const struct timespec *until, struct timespec *left);

/* The next `fail_times` calls fail with `fail_errno`. */
static int fail_errno, fail_times;

static bool fails(void)
{
	if (fail_times == 0)
		return false;
	fail_times--;
	errno = fail_errno;
	return true;
}

static void fail_next(int error, int times)
{
	fail_errno = error;
	fail_times = times;
}

int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
	return fails() ? -1 : __real_accept4(fd, sa, len, flags);
}

ssize_t __wrap_recv(int fd, void *bytes, size_t len, int flags)
{
	return fails() ? -1 : __real_recv(fd, bytes, len, flags);
}

ssize_t __wrap_send(int fd, const void *bytes, size_t len, int flags)
{
	assert_true(flags & MSG_NOSIGNAL);
	return fails() ? -1 : __real_send(fd, bytes, len, flags);
}

int __wrap_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout)
{
	return fails() ? -1 : __real_recvmmsg(fd, messages, count, flags, timeout);
}

/* How many messages the datagrams of the last call made up. */
static unsigned messages_sent;

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
	messages_sent = count;
	return fails() ? -1 : __real_sendmmsg(fd, messages, count, flags);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return fails() ? -1 : __real_poll(fds, count, timeout);
}

/* How long the last pause would have been, which is as the last deadline says; none takes time. */
static int64_t paused_ms, last_deadline, last_deadline_ms;

int64_t __wrap_clock_deadline(int64_t ms);
int64_t __real_clock_deadline(int64_t ms);

int64_t __wrap_clock_deadline(int64_t ms)
{
	last_deadline_ms = ms;
	last_deadline = __real_clock_deadline(ms);
	return last_deadline;
}

int __wrap_clock_nanosleep(
	clockid_t clock, int flags, const struct timespec *until, struct timespec *left)
{
	(void)left;
	assert_int_equal(clock, CLOCK_MONOTONIC);
	assert_int_equal(flags, TIMER_ABSTIME);
	if ((int64_t)until->tv_sec * 1000 + until->tv_nsec / 1000000 == last_deadline)
		paused_ms = last_deadline_ms;
	return 0;
}

/* A connected pair over TCP: the listener, the connecting and the accepted end. */
static int listener, near, far;

static int connect_pair(const char *host)
{
	struct addr wanted = net_addr(host, 0), bound, client;
	struct pollfd p;

	fail_times = 0;
	listener = socket_listen(&wanted, 8, 0, &bound);
	assert_true(listener >= 0);
	near = socket_connect_start(&bound, NULL);
	assert_true(near >= 0);
	p = (struct pollfd){.fd = near, .events = POLLOUT};
	assert_int_equal(socket_wait(&p, 1, clock_deadline(NET_PATIENCE_S * 1000)), 1);
	assert_int_equal(socket_connect_result(near), 0);
	assert_int_equal(socket_accept(listener, &far, &client), SOCKET_ACCEPTED);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return connect_pair("127.0.0.1");
}

static int teardown(void **state)
{
	(void)state;
	fail_times = 0;
	socket_close(listener);
	socket_close(near);
	socket_close(far);
	return 0;
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
	return value;
}

static void expect_prompt_and_alive(int fd)
{
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 60);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void both_ends_are_prompt_alive_and_private(void **state)
{
	(void)state;
	expect_prompt_and_alive(far);
	assert_int_equal(option(near, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option(near, SOL_SOCKET, SO_KEEPALIVE), 0);
	socket_keep_alive(near);
	expect_prompt_and_alive(near);
}

static void nobody_there_and_gone_ones_are_no_reason_to_stop(void **state)
{
	static const int harmless[] = {EINTR, EAGAIN, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT,
		EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH};
	struct addr client;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {
		fail_next(harmless[i], 1);
		assert_int_equal(socket_accept(listener, &fd, &client), SOCKET_ACCEPT_NOTHING);
	}
}

/* Whoever waits to be accepted still does: what nobody has thought of, too. */
static void what_leaves_the_client_waiting_is_told_from_that(void **state)
{
	static const int failures[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EACCES, EINVAL, EIO};
	struct addr client;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		fail_next(failures[i], 1);
		assert_int_equal(socket_accept(listener, &fd, &client), SOCKET_ACCEPT_FAILED);
		assert_int_equal(errno, failures[i]);
	}
}

static void interrupted_calls_go_on(void **state)
{
	struct pollfd p = {.fd = far, .events = POLLIN};
	char byte;

	(void)state;
	fail_next(EINTR, 3);
	assert_int_equal(socket_write(near, "x", 1), 1);
	fail_next(EINTR, 3);
	assert_int_equal(socket_wait(&p, 1, CLOCK_NEVER), 1);
	fail_next(EINTR, 3);
	assert_int_equal(socket_read(far, &byte, 1), 1);
	assert_int_equal(byte, 'x');
}

static void other_errors_get_out(void **state)
{
	char byte;

	(void)state;
	fail_next(ECONNRESET, 1);
	assert_int_equal(socket_read(far, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	fail_next(EPIPE, 1);
	assert_int_equal(socket_write(far, &byte, 1), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(socket_read(far, &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void a_wait_ends_at_its_deadline(void **state)
{
	struct pollfd p = {.fd = far, .events = POLLIN};

	(void)state;
	assert_int_equal(socket_wait(&p, 1, clock_ms() - 1), 0);
	assert_int_equal(socket_wait(&p, 1, clock_deadline(20)), 0);
}

/* A poll(2) that fails is no event, and no reason to spin. */
static void a_wait_that_fails_pauses_longer_each_time(void **state)
{
	struct pollfd p = {.fd = far, .events = POLLIN};
	int64_t pause = BACKOFF_FIRST_MS;

	(void)state;
	log_set_level(LOG_ERROR);
	for (int i = 0; i < 7; i++, pause *= 2) {
		fail_next(EINVAL, 1);
		assert_int_equal(socket_wait(&p, 1, CLOCK_NEVER), -1);
		assert_int_equal(paused_ms, pause);
	}
	/* It ends at its deadline all the same, */
	fail_next(ENOMEM, 1);
	assert_int_equal(socket_wait(&p, 1, clock_ms()), 0);
	/* and begins anew once it worked. */
	assert_int_equal(socket_wait(&p, 1, clock_ms()), 0);
	fail_next(EINVAL, 1);
	assert_int_equal(socket_wait(&p, 1, CLOCK_NEVER), -1);
	assert_int_equal(paused_ms, BACKOFF_FIRST_MS);
}

static void errors_are_told_apart_by_what_is_to_be_done(void **state)
{
	static const int broken[] = {ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH,
		ECONNREFUSED, EACCES, EPROTO};
	static const int strange[] = {EIO, EINVAL, EPERM, EFAULT, EAGAIN};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		assert_true(socket_is_broken(broken[i]));
		assert_false(socket_lacks_memory(broken[i]));
	}
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		assert_false(socket_is_broken(strange[i]) || socket_lacks_memory(strange[i]));
	assert_true(socket_lacks_memory(ENOBUFS) && socket_lacks_memory(ENOMEM));
	assert_false(socket_is_broken(ENOBUFS) || socket_is_broken(ENOMEM));
}

/* Waits until something can be read or has ended. */
static void wait_for(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLRDHUP};

	assert_int_equal(socket_wait(&p, 1, clock_deadline(NET_PATIENCE_S * 1000)), 1);
}

static void a_reset_is_seen_as_one(void **state)
{
	char byte;

	(void)state;
	socket_close_with_reset(near);
	near = -1;
	wait_for(far);
	assert_int_equal(socket_read(far, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
}

static void a_refused_attempt_says_so(void **state)
{
	uint16_t port;
	int bound = net_refusing_port(&port);
	struct addr target = net_addr("127.0.0.1", port);
	int fd = socket_connect_start(&target, NULL);
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	(void)state;
	if (fd >= 0) {
		assert_int_equal(socket_wait(&p, 1, CLOCK_NEVER), 1);
		assert_int_equal(socket_connect_result(fd), ECONNREFUSED);
	} else {
		assert_int_equal(errno, ECONNREFUSED);
	}
	socket_close(fd);
	close(bound);
}

static void a_socket_knows_its_own_end(void **state)
{
	struct addr own = socket_local_addr(near), seen;
	socklen_t len = sizeof(seen);

	(void)state;
	assert_int_equal(getpeername(far, &seen.sa, &len), 0);
	assert_true(addr_equal(&own, &seen));
	own = socket_local_addr(-1);
	assert_int_equal(own.sa.sa_family, AF_UNSPEC);
}

static void what_a_peer_does_not_read_is_unsent(void **state)
{
	static const uint8_t bytes[65536];

	(void)state;
	assert_int_equal(socket_unsent(near), 0);
	while (socket_write(near, bytes, sizeof(bytes)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	assert_true(socket_unsent(near) > 0);
	assert_true(socket_unacknowledged(near) >= socket_unsent(near));
	assert_int_equal(socket_unsent(-1), 0);
}

static void ipv6_listeners_leave_ipv4_alone(void **state)
{
	uint16_t port = net_unused_port();
	struct addr v6 = net_addr("::", port), v4 = net_addr("0.0.0.0", port), bound;
	int six = socket_listen(&v6, 8, 0, &bound), four;

	(void)state;
	assert_true(six >= 0);
	four = socket_listen(&v4, 8, 0, &bound);
	assert_true(four >= 0);
	socket_close(six);
	socket_close(four);
}

static void an_address_that_is_taken_is_an_error(void **state)
{
	struct addr taken = socket_local_addr(listener), bound;

	(void)state;
	assert_int_equal(socket_listen(&taken, 8, 0, &bound), -1);
	assert_int_equal(errno, EADDRINUSE);
}

static void a_port_can_be_shared_with_a_listener_that_allows_it(void **state)
{
	uint16_t port = net_unused_port();
	struct addr one = net_addr("127.0.0.1", port), any = net_addr("0.0.0.0", port), bound;
	int allowing = socket_listen(&one, 8, 0, &bound), fd;

	(void)state;
	assert_true(allowing >= 0);
	assert_int_equal(socket_listen(&any, 8, SOCKET_BESIDE_OTHERS, &bound), -1);
	socket_share_port(allowing, true);
	fd = socket_listen(&any, 8, SOCKET_BESIDE_OTHERS, &bound);
	assert_true(fd >= 0);
	socket_share_port(allowing, false);
	/* Nobody who does not know of this gets in. */
	assert_int_equal(socket_listen(&any, 8, 0, &bound), -1);
	socket_close(fd);
	socket_close(allowing);
}

static void own_addresses_are_known(void **state)
{
	static const char *const own[] = {"127.0.0.1", "127.200.3.4", "::1", "0.0.0.0", "::"};
	struct addr a;

	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		a = net_addr(own[i], 80);
		assert_int_equal(socket_is_own_address(&a), SOCKET_YES);
	}
	a = net_addr("192.0.2.77", 80);
	assert_int_equal(socket_is_own_address(&a), SOCKET_NO);
}

static void without_a_descriptor_an_address_is_neither_own_nor_not(void **state)
{
	struct addr a = net_addr("192.0.2.77", 80), local = net_addr("127.0.0.1", 80);
	struct rlimit limit, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(socket_is_own_address(&a), SOCKET_UNKNOWN);
	assert_int_equal(socket_is_own_address(&local), SOCKET_YES);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(socket_is_own_address(&a), SOCKET_NO);
}

static void an_aborted_connection_is_a_reset_and_wakes_both_ends(void **state)
{
	struct pollfd own = {.fd = near, .events = 0}, peer = {.fd = far, .events = POLLIN};
	int64_t deadline = clock_deadline(NET_PATIENCE_S * 1000);
	char byte;

	(void)state;
	net_send(far, "never read", 10);
	socket_abort(near);
	assert_int_equal(socket_wait(&own, 1, deadline), 1);
	assert_int_equal(socket_wait(&peer, 1, deadline), 1);
	assert_int_equal(socket_read(far, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_int_equal(socket_write(near, "x", 1), -1);
	assert_true(fcntl(near, F_GETFD) >= 0); /* still open */
}

static void what_cannot_be_aborted_is_shut_down(void **state)
{
	int fds[2];
	char byte;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	socket_abort(fds[0]);
	assert_int_equal(socket_read(fds[1], &byte, 1), 0);
	socket_close(fds[0]);
	socket_close(fds[1]);
}

/* ---- datagrams ---- */

static const struct port_range any_port;
static int sender, receiver;
static struct addr receiver_addr;

static void open_datagram_pair(void)
{
	struct addr host = net_addr("127.0.0.1", 0), bound;

	fail_times = 0;
	sender = socket_open_datagram(&host, &any_port, &bound);
	receiver = socket_open_datagram(&host, &any_port, &receiver_addr);
	assert_true(sender >= 0 && receiver >= 0);
}

static void close_datagram_pair(void)
{
	fail_times = 0;
	socket_close(sender);
	socket_close(receiver);
}

/* Datagrams of these sizes, up to -1, each filled with its number, with a header of one byte. */
static size_t make_datagrams(const int *sizes, struct socket_datagram *out, char bytes[][65536])
{
	size_t count = 0;

	for (; sizes[count] >= 0; count++) {
		memset(bytes[count], 'a' + (int)count, (size_t)sizes[count]);
		out[count] = (struct socket_datagram){.peer = receiver_addr,
			.bytes = bytes[count],
			.len = (size_t)sizes[count],
			.header = "#",
			.header_len = 1};
	}
	return count;
}

static void expect_datagrams(const int *sizes)
{
	static char bytes[SOCKET_BATCH][65536];
	struct socket_datagram in[SOCKET_BATCH];
	size_t count, expected = 0;

	for (size_t i = 0; i < SOCKET_BATCH; i++)
		in[i] = (struct socket_datagram){.bytes = bytes[i], .size = sizeof(bytes[i])};
	while (sizes[expected] >= 0)
		expected++;
	count = socket_receive_batch(receiver, in, SOCKET_BATCH);
	assert_int_equal(count, expected);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(in[i].len, sizes[i] + 1);
		assert_int_equal(bytes[i][0], '#');
		assert_true(sizes[i] == 0 || bytes[i][sizes[i]] == 'a' + (int)i);
	}
	assert_int_equal(socket_receive_batch(receiver, in, SOCKET_BATCH), 0);
}

static void check_batch(const int *sizes, unsigned messages)
{
	static char bytes[SOCKET_BATCH][65536];
	struct socket_datagram out[SOCKET_BATCH];
	size_t count = make_datagrams(sizes, out, bytes);

	socket_send_batch(sender, out, count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(out[i].error, 0);
	assert_int_equal(messages_sent, messages);
	expect_datagrams(sizes);
}

static void runs_of_one_size_leave_as_one_message_and_arrive_apart(void **state)
{
	(void)state;
	open_datagram_pair();
	check_batch((const int[]){100, -1}, 1);
	check_batch((const int[]){100, 100, 100, -1}, 1);
	check_batch((const int[]){100, 100, 50, -1}, 1); /* a smaller one is the last */
	check_batch((const int[]){100, 50, 50, -1}, 2);
	check_batch((const int[]){50, 100, 100, -1}, 2);
	check_batch((const int[]){0, 0, 7, -1}, 2);
	check_batch((const int[]){9000, 9000, -1}, 2); /* larger than a packet */
	close_datagram_pair();
}

static void what_cannot_leave_together_leaves_apart(void **state)
{
	static const int sizes[] = {100, 100, 100, -1};

	(void)state;
	open_datagram_pair();
	fail_next(EINVAL, 1);
	check_batch(sizes, 1); /* the last of three calls */
	fail_next(EIO, 1);
	check_batch(sizes, 1);
	close_datagram_pair();
}

static void errors_of_earlier_datagrams_are_passed_over(void **state)
{
	static const int sizes[] = {10, 20, -1};
	static char bytes[SOCKET_BATCH][65536];
	struct socket_datagram out[SOCKET_BATCH];
	size_t count;

	(void)state;
	open_datagram_pair();
	fail_next(ECONNREFUSED, 1);
	check_batch(sizes, 2);
	fail_next(EINTR, 3);
	check_batch(sizes, 2);
	count = make_datagrams(sizes, out, bytes);
	socket_send_batch(sender, out, count);
	fail_next(ECONNREFUSED, 2);
	expect_datagrams(sizes);
	close_datagram_pair();
}

static void a_datagram_that_cannot_be_sent_tells_why_and_holds_up_no_other(void **state)
{
	static const int sizes[] = {10, 65507, 30, -1};
	static char bytes[SOCKET_BATCH][65536];
	struct socket_datagram out[SOCKET_BATCH], in = {.bytes = bytes[3], .size = 65536};
	size_t count;

	(void)state;
	open_datagram_pair();
	count = make_datagrams(sizes, out, bytes);
	socket_send_batch(sender, out, count);
	assert_int_equal(out[0].error, 0);
	assert_int_equal(out[1].error, EMSGSIZE);
	assert_int_equal(out[2].error, 0);
	assert_int_equal(socket_receive_batch(receiver, &in, 1), 1);
	assert_int_equal(in.len, 11);
	assert_int_equal(socket_receive_batch(receiver, &in, 1), 1);
	assert_int_equal(in.len, 31);
	close_datagram_pair();
}

static void a_port_of_the_range_is_taken(void **state)
{
	struct addr host = net_addr("127.0.0.1", 0), first, second;
	struct port_range range;
	int one = socket_open_datagram(&host, &any_port, &first), two;

	(void)state;
	range = (struct port_range){.first = addr_port(&first), .last = addr_port(&first)};
	errno = 0;
	assert_int_equal(socket_open_datagram(&host, &range, &second), -1);
	assert_int_equal(errno, EADDRINUSE);
	socket_close(one);
	two = socket_open_datagram(&host, &range, &second);
	assert_true(two >= 0);
	assert_int_equal(addr_port(&second), range.first);
	one = socket_listen_in(&host, &any_port, 8, &first);
	assert_true(one >= 0);
	range = (struct port_range){.first = addr_port(&first), .last = addr_port(&first)};
	assert_int_equal(socket_listen_in(&host, &range, 8, &second), -1);
	assert_int_equal(errno, EADDRINUSE);
	socket_close(one);
	socket_close(two);
}

static void a_route_tells_our_own_address(void **state)
{
	struct socket_via via = {.interface = ""}, other = {.interface = "nosuch0"};
	struct addr target = net_addr("127.0.0.9", 0), expected = net_addr("127.0.0.1", 0), local;

	(void)state;
	assert_int_equal(socket_route(&target, &via, &local), 0);
	assert_true(addr_equal(&local, &expected));
	via.local = net_addr("127.0.0.3", 0);
	assert_int_equal(socket_route(&target, &via, &local), 0);
	assert_true(addr_equal(&local, &via.local));
	assert_int_equal(socket_route(&target, &other, &local), -1);
	assert_int_equal(errno, ENODEV);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(both_ends_are_prompt_alive_and_private),
		TEST(nobody_there_and_gone_ones_are_no_reason_to_stop),
		TEST(what_leaves_the_client_waiting_is_told_from_that),
		TEST(interrupted_calls_go_on),
		TEST(other_errors_get_out),
		TEST(a_wait_ends_at_its_deadline),
		TEST(a_wait_that_fails_pauses_longer_each_time),
		TEST(errors_are_told_apart_by_what_is_to_be_done),
		TEST(a_reset_is_seen_as_one),
		TEST(an_aborted_connection_is_a_reset_and_wakes_both_ends),
		TEST(what_cannot_be_aborted_is_shut_down),
		TEST(a_refused_attempt_says_so),
		TEST(a_socket_knows_its_own_end),
		TEST(what_a_peer_does_not_read_is_unsent),
		TEST(ipv6_listeners_leave_ipv4_alone),
		TEST(an_address_that_is_taken_is_an_error),
		TEST(a_port_can_be_shared_with_a_listener_that_allows_it),
		TEST(own_addresses_are_known),
		TEST(without_a_descriptor_an_address_is_neither_own_nor_not),
		cmocka_unit_test(runs_of_one_size_leave_as_one_message_and_arrive_apart),
		cmocka_unit_test(what_cannot_leave_together_leaves_apart),
		cmocka_unit_test(errors_of_earlier_datagrams_are_passed_over),
		cmocka_unit_test(a_datagram_that_cannot_be_sent_tells_why_and_holds_up_no_other),
		cmocka_unit_test(a_port_of_the_range_is_taken),
		cmocka_unit_test(a_route_tells_our_own_address),
	};

	return cmocka_run_group_tests_name("net/socket", tests, NULL, NULL);
}
