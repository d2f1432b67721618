/* The real server behind load balancers: whose session it is, who is let in, and what is silent.
 * 127.0.0.2 is a balancer, clients come from anywhere. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"
#include "suite.h"

#define BALANCER "127.0.0.2"
#define GREETING "05 01 00"

static struct daemon d;
static struct net_echo *echo;
static uint16_t echo_port;

static int setup(void **state)
{
	(void)state;
	echo = net_echo_start("127.0.0.1", &echo_port);
	monitor_start_daemon(&d,
		(const char *const[]){"--auth", "optional", "--clients", "private, 192.0.2.0/24",
			"--proxy-protocol-from", (BALANCER ", 127.0.0.3"), "--protect", "none",
			"--rule", "deny from 192.0.2.66", "--handshake-timeout", "60s",
			"--log-level", "info", NULL});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&d);
	net_echo_stop(echo);
	return 0;
}

static int connect_balancer(void)
{
	return net_connect_from(BALANCER, "127.0.0.1", d.port);
}

/* A connection of the balancer's for this client. */
static int connect_for(const char *client)
{
	char header[108];
	int fd = connect_balancer();

	snprintf(header, sizeof(header), "PROXY TCP4 %s 192.0.2.1 4711 1080\r\n", client);
	net_send(fd, header, strlen(header));
	return fd;
}

/* The same in version 2, with a TLV. */
static int connect_for_v2(const char *client)
{
	uint8_t header[16 + 12 + 4] = "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x10";
	struct addr addr = net_addr(client, 4711);
	int fd = connect_balancer();

	memcpy(header + 16, &addr.in.sin_addr, 4);
	memcpy(header + 24, "\x12\x67\x04\x38\x04\x00\x01\x00", 8);
	net_send(fd, header, sizeof(header));
	return fd;
}

/* It is connected to the echo; what the target was told. */
static uint8_t ask_for_echo(int fd)
{
	struct addr bound;

	net_socks_greet(fd);
	net_socks_send_connect(fd, "127.0.0.1", echo_port);
	return net_socks_read_reply(fd, &bound);
}

static void expect_served(int fd)
{
	assert_int_equal(ask_for_echo(fd), 0);
	net_send(fd, "hello", 5);
	net_expect(fd, "hello", 5);
}

static void expect_turned_away(int fd)
{
	net_expect_gone(fd);
	close(fd);
}

static void the_told_client_has_the_session(void **state)
{
	int (*const connects[])(const char *client) = {connect_for, connect_for_v2};
	int boss = monitor_login(&d, "root:secret");
	size_t from = daemon_log_end(&d);
	const char *line;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int fd = connects[i]("192.0.2.9");

		expect_served(fd);
		assert_non_null(strstr(monitor_ask(boss, "CONNECTIONS"), "192.0.2.9:4711"));
		assert_non_null(strstr(monitor_ask(boss, "CLIENTS"), "192.0.2.9"));
		assert_null(strstr(monitor_ask(boss, "CLIENTS"), BALANCER));
		close(fd);
		line = daemon_wait_log(&d, &from, "session ended");
		assert_non_null(strstr(line, " client=192.0.2.9:4711 balancer=" BALANCER ":"));
		assert_non_null(strstr(line, " outcome=success "));
	}
	assert_non_null(strstr(monitor_ask(boss, "ACCESS_LOG Anonymous 1"), "SUCCESS"));
	close(boss);
}

/* All in one segment, and the payload too. */
static void what_follows_the_header_at_once_is_kept(void **state)
{
	uint8_t request[] = {5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 0, 'h', 'i'};
	char all[200] = "PROXY TCP4 192.0.2.9 192.0.2.1 4711 1080\r\n";
	size_t len = strlen(all);
	int fd = connect_balancer();

	(void)state;
	request[11] = (uint8_t)(echo_port >> 8);
	request[12] = (uint8_t)echo_port;
	memcpy(all + len, request, sizeof(request));
	net_send(fd, all, len + sizeof(request));
	net_expect_hex(fd, "05 00 05 00 00 01");
	net_receive(fd, all, 6);
	net_expect(fd, "hi", 2);
	close(fd);
}

static void the_rules_see_the_told_client(void **state)
{
	size_t from = daemon_log_end(&d);
	int fd = connect_for("192.0.2.66");

	(void)state;
	assert_int_equal(ask_for_echo(fd), 2);
	close(fd);
	daemon_wait_log(&d, &from, " rule=1 outcome=fail reason=target_denied ");
}

static void a_ban_is_the_told_client_s(void **state)
{
	int boss = monitor_login(&d, "root:secret"), fd;
	long banned = daemon_stat(&d, "clients_refused_for_bans");
	long ended = daemon_stat(&d, "ended_banned");

	(void)state;
	monitor_ask(boss, "BAN 192.0.2.7");
	monitor_ask(boss, "BAN " BALANCER);
	expect_turned_away(connect_for("192.0.2.7"));
	daemon_wait_stat(&d, "ended_banned", ended + 1);
	assert_int_equal(daemon_stat(&d, "ended_banned"), ended + 1);
	assert_int_equal(daemon_stat(&d, "clients_refused_for_bans"), banned + 1);
	assert_false(daemon_log_has(&d, "reason=banned"));
	/* The balancer itself is no client. */
	fd = connect_for("192.0.2.8");
	expect_served(fd);
	/* It ends the sessions that run. */
	monitor_ask(boss, "BAN 192.0.2.8");
	expect_turned_away(fd);
	monitor_ask(boss, "UNBAN *");
	close(boss);
}

/* Wrong passwords are the client's. */
static void failed_logins_are_the_told_client_s(void **state)
{
	int boss = monitor_login(&d, "root:secret"), fd;
	size_t from = daemon_log_end(&d);

	(void)state;
	monitor_ask(boss, "CONFIG auth required");
	monitor_ask(boss, "CONFIG ban 1 in 10m for 1m to 1d");
	fd = connect_for("192.0.2.5");
	assert_int_equal(net_socks_log_in(fd, "alice", "wrong"), 1);
	close(fd);
	daemon_wait_log(&d, &from, "msg=\"login failed\" client=192.0.2.5:4711 ");
	assert_non_null(strstr(monitor_ask(boss, "BANS"), "192.0.2.5"));
	expect_turned_away(connect_for("192.0.2.5"));
	monitor_ask(boss, "UNBAN *");
	monitor_ask(boss, "CONFIG auth optional");
	close(boss);
}

static void the_setting_clients_is_asked_of_the_told_client(void **state)
{
	size_t from = daemon_log_end(&d);

	(void)state;
	expect_turned_away(connect_for("198.51.100.1"));
	daemon_wait_log(&d, &from,
		"msg=\"client refused by the setting clients\" client=198.51.100.1:4711 ");
	expect_turned_away(connect_for_v2("198.51.100.1"));
	daemon_wait_stat(&d, "ended_client_refused", 2);
	assert_int_equal(daemon_stat(&d, "clients_refused"), 2);
	assert_false(daemon_log_has(&d, "reason=client_refused"));
}

static void the_bound_on_sessions_is_each_client_s(void **state)
{
	int boss = monitor_login(&d, "root:secret"), fds[3];
	size_t from = daemon_log_end(&d);

	(void)state;
	monitor_ask(boss, "CONFIG max_sessions_per_client 1");
	fds[0] = connect_for("192.0.2.10");
	fds[1] = connect_for("192.0.2.11");
	fds[2] = connect_balancer();
	expect_served(fds[0]);
	expect_served(fds[1]);
	expect_turned_away(connect_for("192.0.2.10"));
	daemon_wait_log(&d, &from,
		"msg=\"client refused by the setting max_sessions_per_client\" "
		"client=192.0.2.10:4711 ");
	daemon_wait_stat(&d, "ended_client_over_share", 1);
	monitor_ask(boss, "CONFIG max_sessions_per_client auto");
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
	close(boss);
}

static void limits_are_the_told_client_s(void **state)
{
	int boss = monitor_login(&d, "root:secret"), fds[3];
	size_t from = daemon_log_end(&d);

	(void)state;
	monitor_ask(boss, "LIMITS 192.0.2.12 sessions=1");
	fds[0] = connect_for("192.0.2.12");
	expect_served(fds[0]);
	fds[1] = connect_for_v2("192.0.2.12");
	assert_int_equal(ask_for_echo(fds[1]), 2);
	daemon_wait_log(&d, &from, " client=192.0.2.12:4711 ");
	assert_true(daemon_log_has(&d, " reason=too_many_sessions "));
	fds[2] = connect_for("192.0.2.13");
	expect_served(fds[2]);
	for (size_t i = 0; i < 3; i++)
		close(fds[i]);
	close(boss);
}

static void a_told_address_that_cannot_be_is_refused(void **state)
{
	static const char *const clients[] = {
		"127.0.0.1", "127.0.0.2", "0.0.0.0", "224.0.0.1", "255.255.255.255"};
	size_t from = daemon_log_end(&d);
	char part[100];

	(void)state;
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
		expect_turned_away(connect_for(clients[i]));
		snprintf(part, sizeof(part), " client=%s:4711 balancer=" BALANCER ":", clients[i]);
		daemon_wait_log(&d, &from, part);
		expect_turned_away(connect_for_v2(clients[i]));
		daemon_wait_log(&d, &from, " reason=told_client_refused ");
	}
}

/* conforms: PROXY/required */
static void a_connection_without_a_header_is_closed(void **state)
{
	size_t from = daemon_log_end(&d);
	int fd = connect_balancer();

	(void)state;
	net_send_hex(fd, GREETING);
	expect_turned_away(fd);
	daemon_wait_log(&d, &from, " client=" BALANCER ":");
	assert_true(daemon_log_has(&d, " reason=bad_proxy_header guess=socks5 "));
	fd = connect_balancer();
	net_send(fd, "PROXY TCP4 192.0.2.9 192.0.2.1 065536 1080\r\n", 44);
	expect_turned_away(fd);
	daemon_wait_log(&d, &from, " reason=bad_proxy_header guess=proxy_v1 ");
}

/* conforms: PROXY/sources */
static void a_header_from_elsewhere_is_refused(void **state)
{
	size_t from = daemon_log_end(&d);
	int fd = net_connect("127.0.0.1", d.port);

	(void)state;
	net_send(fd, "PROXY TCP4 192.0.2.9 192.0.2.1 4711 1080\r\n\5\1\0", 45);
	expect_turned_away(fd);
	daemon_wait_log(&d, &from, " client=127.0.0.1:");
	assert_true(daemon_log_has(&d, " reason=unknown_protocol guess=proxy_v1 "));
	fd = net_connect("127.0.0.1", d.port);
	net_send_hex(fd, "0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 20 00 00 00");
	expect_turned_away(fd);
	daemon_wait_log(&d, &from, " reason=unknown_protocol guess=proxy_v2 ");
}

/* As HAProxy's health checks do in version 1. */
static void send_own_header(int fd)
{
	struct addr own;
	socklen_t len = sizeof(own);
	char header[108];

	assert_int_equal(getsockname(fd, &own.sa, &len), 0);
	snprintf(header, sizeof(header), "PROXY TCP4 " BALANCER " 127.0.0.1 %u %u\r\n",
		addr_port(&own), d.port);
	net_send(fd, header, strlen(header));
}

/* LOCAL and UNKNOWN: the balancer speaks for itself. */
/* conforms: PROXY/local */
static void a_header_that_tells_nobody_is_the_balancer_s(void **state)
{
	size_t from = daemon_log_end(&d);
	int fd = connect_balancer();
	const char *line;

	(void)state;
	net_send_hex(fd, "0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 20 00 00 00");
	expect_served(fd);
	close(fd);
	/* Not the end of the session that another test has left a moment ago. */
	line = daemon_wait_log(&d, &from, " client=" BALANCER ":");
	assert_non_null(strstr(line, "session ended"));
	assert_null(strstr(line, " balancer="));
	fd = connect_balancer();
	net_send(fd, "PROXY UNKNOWN\r\n", 15);
	expect_served(fd);
	close(fd);
	daemon_wait_log(&d, &from, " client=" BALANCER ":");
	fd = connect_balancer();
	send_own_header(fd);
	expect_served(fd);
	close(fd);
	daemon_wait_log(&d, &from, " client=" BALANCER ":");
}

static void health_checks_are_silent(void **state)
{
	long asked_nothing = daemon_stat(&d, "ended_nothing_asked");
	long left = daemon_stat(&d, "ended_client_left");
	int fd;

	(void)state;
	close(connect_balancer());
	net_reset(connect_balancer());
	fd = connect_balancer();
	net_send_hex(fd, "0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 20 00 00 00");
	close(fd);
	fd = connect_balancer();
	net_send_hex(fd, "0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 20 00 00 00");
	net_reset(fd);
	daemon_wait_stat(&d, "ended_nothing_asked", asked_nothing + 4);
	fd = connect_balancer();
	send_own_header(fd);
	net_reset(fd);
	daemon_wait_stat(&d, "ended_nothing_asked", asked_nothing + 5);
	/* One that looks whether a greeting is answered. */
	fd = connect_balancer();
	net_send_hex(fd, "0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a 20 00 00 00");
	net_socks_greet(fd);
	net_reset(fd);
	daemon_wait_stat(&d, "ended_client_left", left + 1);
	assert_false(daemon_log_has(&d, "reason=nothing_asked"));
	assert_false(daemon_log_has(&d, "reason=client_left"));
}

static void the_networks_can_change(void **state)
{
	int boss = monitor_login(&d, "root:secret"), fd;

	(void)state;
	monitor_ask(boss, "CONFIG proxy_protocol_from 127.0.0.3");
	fd = connect_balancer();
	expect_served(fd);
	close(fd);
	expect_turned_away(connect_for("192.0.2.9"));
	monitor_ask(boss, "CONFIG proxy_protocol_from 127.0.0.2/31");
	fd = connect_for("192.0.2.9");
	expect_served(fd);
	close(fd);
	close(boss);
}

/* The header is a part of the handshake. */
static void one_deadline_covers_header_and_handshake(void **state)
{
	static struct daemon hasty;
	size_t from = 0;
	int fds[2];

	(void)state;
	daemon_start(&hasty,
		(const char *const[]){"--proxy-protocol-from", BALANCER, "--handshake-timeout",
			"300ms", "--clients", "any", NULL});
	fds[0] = net_connect_from(BALANCER, "127.0.0.1", hasty.port);
	net_send(fds[0], "PROXY TCP4 ", 11);
	fds[1] = net_connect_from(BALANCER, "127.0.0.1", hasty.port);
	net_send(fds[1], "PROXY TCP4 192.0.2.9 192.0.2.1 4711 1080\r\n\5", 43);
	net_expect_gone(fds[0]);
	net_expect_gone(fds[1]);
	daemon_wait_log(&hasty, &from, " reason=handshake_timeout ");
	daemon_wait_log(&hasty, &from, " reason=handshake_timeout ");
	close(fds[0]);
	close(fds[1]);
	daemon_stop(&hasty);
}

/* Where a session is that has not said yet whom it is from. */
static void a_stop_does_not_wait_for_a_header(void **state)
{
	static struct daemon slow;
	int fd;

	(void)state;
	daemon_start(&slow,
		(const char *const[]){"--proxy-protocol-from", BALANCER, "--handshake-timeout",
			"10m", "--drain-timeout", "0s", NULL});
	fd = net_connect_from(BALANCER, "127.0.0.1", slow.port);
	net_send(fd, "PROXY ", 6);
	daemon_wait_stat(&slow, "current_connections", 1);
	daemon_stop(&slow);
	net_expect_gone(fd);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_told_client_has_the_session),
		cmocka_unit_test(what_follows_the_header_at_once_is_kept),
		cmocka_unit_test(the_rules_see_the_told_client),
		cmocka_unit_test(a_ban_is_the_told_client_s),
		cmocka_unit_test(failed_logins_are_the_told_client_s),
		cmocka_unit_test(the_setting_clients_is_asked_of_the_told_client),
		cmocka_unit_test(the_bound_on_sessions_is_each_client_s),
		cmocka_unit_test(limits_are_the_told_client_s),
		cmocka_unit_test(a_told_address_that_cannot_be_is_refused),
		cmocka_unit_test(a_connection_without_a_header_is_closed),
		cmocka_unit_test(a_header_from_elsewhere_is_refused),
		cmocka_unit_test(a_header_that_tells_nobody_is_the_balancer_s),
		cmocka_unit_test(health_checks_are_silent),
		cmocka_unit_test(the_networks_can_change),
		cmocka_unit_test(one_deadline_covers_header_and_handshake),
		cmocka_unit_test(a_stop_does_not_wait_for_a_header),
	};

	return cmocka_run_group_tests_name("daemon/proxy_protocol", tests, setup, teardown);
}
