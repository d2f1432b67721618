/* The real server's relay: half-close, reset, back-pressure, idle time, many sizes; over each way
 * that bytes can go. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "suite.h"

#define MEGABYTE (1024 * 1024)

static struct daemon d;
static int listener;
static uint16_t port;

static int setup(void **state)
{
	(void)state;
	listener = net_listen("127.0.0.1", &port);
	daemon_start(&d, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&d);
	close(listener);
	return 0;
}

/* A session through `proxy`: the client's socket, and the target's. */
static int open_session(const struct daemon *proxy, int *target)
{
	uint8_t rep;
	int fd = net_socks_connect(proxy->port, "127.0.0.1", port, &rep);

	assert_int_equal(rep, 0);
	*target = net_accept(listener);
	return fd;
}

/* A session ends for this reason, at or behind position `*from` of the log. */
static void expect_end_reason(struct daemon *proxy, size_t *from, const char *reason)
{
	char expected[64];

	snprintf(expected, sizeof(expected), " reason=%s ", reason);
	daemon_wait_log(proxy, from, expected);
}

static void a_client_that_finished_sending_still_receives(void **state)
{
	size_t from = daemon_log_end(&d);
	int target, fd = open_session(&d, &target);

	(void)state;
	net_send(fd, "question", 8);
	shutdown(fd, SHUT_WR);
	net_expect(target, "question", 8);
	net_expect_end(target);
	net_send_pattern(target, MEGABYTE, 1);
	close(target);
	net_expect_pattern(fd, MEGABYTE, 1);
	net_expect_end(fd);
	close(fd);
	expect_end_reason(&d, &from, "closed");
}

static void a_target_that_finished_sending_still_receives(void **state)
{
	size_t from = daemon_log_end(&d);
	int target, fd = open_session(&d, &target);

	(void)state;
	net_send(target, "hello", 5);
	shutdown(target, SHUT_WR);
	net_expect(fd, "hello", 5);
	net_expect_end(fd);
	net_send_pattern(fd, MEGABYTE, 2);
	shutdown(fd, SHUT_WR);
	net_expect_pattern(target, MEGABYTE, 2);
	net_expect_end(target);
	close(target);
	close(fd);
	expect_end_reason(&d, &from, "closed");
}

static void the_end_comes_behind_the_last_byte(void **state)
{
	int target, fd = open_session(&d, &target);
	struct net_sender *sender = net_send_in_background(target, 16 * MEGABYTE, 3, true);

	(void)state;
	/* Nobody reads until all that fits is on its way. */
	net_expect_pattern(fd, 16 * MEGABYTE, 3);
	net_expect_end(fd);
	net_join(sender);
	close(fd);
	close(target);
}

static void a_targets_reset_reaches_the_client_as_one(void **state)
{
	size_t from = daemon_log_end(&d);
	int target, fd = open_session(&d, &target);

	(void)state;
	net_reset(target);
	net_expect_reset(fd);
	close(fd);
	expect_end_reason(&d, &from, "target_reset");
}

static void a_clients_reset_reaches_the_target_as_one(void **state)
{
	size_t from = daemon_log_end(&d);
	int target, fd = open_session(&d, &target);

	(void)state;
	net_reset(fd);
	net_expect_reset(target);
	close(target);
	expect_end_reason(&d, &from, "client_reset");
}

static void bytes_before_a_reset_are_delivered(void **state)
{
	int target, fd = open_session(&d, &target);

	(void)state;
	net_send(target, "last words", 10);
	net_reset(target);
	net_expect(fd, "last words", 10);
	net_expect_reset(fd);
	close(fd);
}

/* Sends until nothing has fitted for a while; the number of bytes. */
static size_t fill(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	char *chunk = calloc(1, MEGABYTE);
	size_t total = 0;

	while (poll(&p, 1, 300) > 0) {
		ssize_t n = send(fd, chunk, MEGABYTE, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0)
			total += (size_t)n;
	}
	free(chunk);
	return total;
}

static void what_reached_us_before_a_reset_is_delivered(void **state)
{
	static char bytes[65536];
	size_t received = 0;
	int target, fd = open_session(&d, &target);
	ssize_t n;

	(void)state;
	fill(target);
	net_reset(target);
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		received += (size_t)n;
	assert_int_equal(errno, ECONNRESET);
	assert_true(received > MEGABYTE);
	close(fd);
}

/* telnet's Sync (RFC 854): IAC IP, then IAC DM with its first byte urgent. */
static void send_sync(int from)
{
	net_send(from, "\xff\xf4", 2);
	assert_int_equal(send(from, "\xff", 1, MSG_OOB), 1);
	net_send(from, "\xf2", 1);
}

static void urgent_bytes_arrive_in_their_order(void **state)
{
	int target, fd = open_session(&d, &target);

	(void)state;
	for (int i = 0; i < 2; i++) {
		int from = i == 0 ? fd : target, to = i == 0 ? target : fd;

		net_send(from, "before", 6);
		send_sync(from);
		net_send(from, "behind", 6);
		net_expect(to,
			"before\xff\xf4\xff\xf2"
			"behind",
			16);
		/* In the middle of what has become bulk, too. */
		net_send_pattern(from, 4 * MEGABYTE, 3);
		net_expect_pattern(to, 4 * MEGABYTE, 3);
		send_sync(from);
		net_send_pattern(from, 65536, 4);
		net_expect(to, "\xff\xf4\xff\xf2", 4);
		net_expect_pattern(to, 65536, 4);
	}
	close(fd);
	net_expect_end(target);
	close(target);
}

static void a_reset_is_passed_on_after_the_client_finished_sending(void **state)
{
	int target, fd = open_session(&d, &target);

	(void)state;
	shutdown(fd, SHUT_WR);
	net_expect_end(target);
	net_reset(target);
	net_expect_reset(fd);
	close(fd);
}

static void a_client_that_vanishes_half_closed_is_noticed(void **state)
{
	size_t from = daemon_log_end(&d);
	int target, fd = open_session(&d, &target);

	(void)state;
	shutdown(fd, SHUT_WR);
	net_expect_end(target);
	net_reset(fd);
	expect_end_reason(&d, &from, "client_reset");
	close(target);
}

static void both_sides_may_send_before_they_read(void **state)
{
	const size_t total = 64 * MEGABYTE;
	int target, fd = open_session(&d, &target);
	struct net_sender *up = net_send_in_background(fd, total, 4, true);
	struct net_sender *down = net_send_in_background(target, total, 5, true);

	(void)state;
	net_expect_pattern(fd, total, 5);
	net_expect_pattern(target, total, 4);
	net_expect_end(fd);
	net_expect_end(target);
	net_join(up);
	net_join(down);
	close(fd);
	close(target);
}

/* Fails when the server uses half a core or more while it has nothing to do. */
static void expect_rest(const struct daemon *proxy)
{
	long before = daemon_cpu_ms(proxy);

	poll(NULL, 0, 500);
	assert_true(daemon_cpu_ms(proxy) - before < 250);
}

static void a_reader_that_does_not_read_costs_no_memory_and_no_cpu(void **state)
{
	long rss = daemon_rss_kb(&d);
	int target, fd = open_session(&d, &target);
	size_t sent = fill(target);
	char *rest = malloc(sent);

	(void)state;
	assert_true(sent > 2 * MEGABYTE); /* in the kernel's buffers */
	assert_true(daemon_rss_kb(&d) - rss < MEGABYTE / 1024);
	expect_rest(&d);
	shutdown(target, SHUT_WR);
	net_receive(fd, rest, sent);
	net_expect_end(fd);
	free(rest);
	close(fd);
	close(target);
}

static void finished_directions_do_not_spin(void **state)
{
	int target, fd = open_session(&d, &target);

	(void)state;
	/* The target has finished both ways in the kernel's eyes: it reports POLLHUP for ever,
	 * while the client does not take what there is. */
	shutdown(fd, SHUT_WR);
	net_expect_end(target);
	fill(target);
	shutdown(target, SHUT_WR);
	expect_rest(&d);
	net_reset(fd);
	net_expect_gone(target);
	close(target);
}

static void a_session_without_a_byte_ends_as_idle(void **state)
{
	struct daemon hasty;
	size_t from = 0;
	int target, fd;

	(void)state;
	daemon_start(&hasty, (const char *const[]){"--timeout", "300ms", NULL});
	fd = open_session(&hasty, &target);
	net_expect_gone(fd);
	net_expect_gone(target);
	expect_end_reason(&hasty, &from, "idle");
	close(fd);
	close(target);
	daemon_stop(&hasty);
}

static void a_half_closed_session_has_its_own_timer(void **state)
{
	struct daemon hasty;
	size_t from = 0;
	int target, fd;

	(void)state;
	daemon_start(&hasty, (const char *const[]){"--half-close-timeout", "300ms", NULL});
	fd = open_session(&hasty, &target);
	shutdown(fd, SHUT_WR);
	net_expect_end(target);
	net_expect_gone(fd);
	expect_end_reason(&hasty, &from, "half_closed_idle");
	close(fd);
	close(target);
	daemon_stop(&hasty);
}

static void small_messages_of_all_sizes_pass(void **state)
{
	int target, fd = open_session(&d, &target);

	(void)state;
	for (size_t size = 1; size <= 300000; size = size * 3 + 1) {
		struct net_sender *up = net_send_in_background(fd, size, (unsigned)size, false);

		net_expect_pattern(target, size, (unsigned)size);
		net_join(up);
		up = net_send_in_background(target, size, (unsigned)size + 1, false);
		net_expect_pattern(fd, size, (unsigned)size + 1);
		net_join(up);
	}
	close(fd);
	close(target);
}

/* Nothing is read until the way is full, so that no direction goes quiet meanwhile. */
static void bulk_takes_the_way_that_the_setting_says(void **state)
{
	const size_t much = 64 * MEGABYTE;
	int target, fd = open_session(&d, &target);
	struct net_sender *up = net_send_in_background(fd, much, 5, false);
	const char *relay = getenv("SOCKS5D_RELAY");
	bool copying = relay != NULL && strcmp(relay, "copy") == 0;

	(void)state;
	while (!copying && daemon_stat(&d, "splice_pipes_used") == 0)
		;
	net_expect_pattern(target, much, 5);
	net_join(up);
	if (copying)
		assert_int_equal(daemon_stat(&d, "splice_pipes_used"), 0);
	close(fd);
	net_expect_end(target);
	close(target);
}

static void nothing_is_left_open(void **state)
{
	long before;

	(void)state;
	daemon_wait_stat(&d, "ended_closed", 1);
	before = daemon_open_files(&d);
	for (int i = 0; i < 200; i++) {
		int target, fd = open_session(&d, &target);

		if (i % 2 == 0)
			net_reset(fd);
		else
			close(fd);
		net_expect_gone(target);
		close(target);
	}
	daemon_wait_none(&d, "current_connections");
	assert_true(daemon_open_files(&d) <= before);
	daemon_wait_none(&d, "spare_descriptors_used");
	daemon_wait_none(&d, "splice_pipes_used");
}

/* Over the way that `relay` names. */
static int run_over(const char *relay)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_that_finished_sending_still_receives),
		cmocka_unit_test(a_target_that_finished_sending_still_receives),
		cmocka_unit_test(the_end_comes_behind_the_last_byte),
		cmocka_unit_test(a_targets_reset_reaches_the_client_as_one),
		cmocka_unit_test(a_clients_reset_reaches_the_target_as_one),
		cmocka_unit_test(bytes_before_a_reset_are_delivered),
		cmocka_unit_test(what_reached_us_before_a_reset_is_delivered),
		cmocka_unit_test(urgent_bytes_arrive_in_their_order),
		cmocka_unit_test(a_reset_is_passed_on_after_the_client_finished_sending),
		cmocka_unit_test(a_client_that_vanishes_half_closed_is_noticed),
		cmocka_unit_test(both_sides_may_send_before_they_read),
		cmocka_unit_test(a_reader_that_does_not_read_costs_no_memory_and_no_cpu),
		cmocka_unit_test(finished_directions_do_not_spin),
		cmocka_unit_test(a_session_without_a_byte_ends_as_idle),
		cmocka_unit_test(a_half_closed_session_has_its_own_timer),
		cmocka_unit_test(small_messages_of_all_sizes_pass),
		cmocka_unit_test(bulk_takes_the_way_that_the_setting_says),
		cmocka_unit_test(nothing_is_left_open),
	};

	char name[64];

	snprintf(name, sizeof(name), "daemon/relay %s", relay);
	setenv("SOCKS5D_RELAY", relay, 1);
	return cmocka_run_group_tests_name(name, tests, setup, teardown);
}

int main(void)
{
	return run_over("auto") + run_over("copy") + run_over("splice");
}
