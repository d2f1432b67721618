/* The real server's SOCKS4 and 4a: CONNECT, BIND, who is served, and what is told of it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dns.h"
#include "monitor.h"
#include "suite.h"

static const struct dns_record records[] = {
	{"peer.test", DNS_ANSWER, 600, "127.0.0.1"},
	{"six.test", DNS_ANSWER, 600, "::1"},
	{"far.test", DNS_ANSWER, 600, "192.0.2.9"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct daemon d;
static struct net_echo *echo;
static uint16_t echo_port;

static int setup(void **state)
{
	(void)state;
	dns = dns_start(records);
	echo = net_echo_start("127.0.0.1", &echo_port);
	monitor_start_daemon(&d,
		(const char *const[]){"--dns-servers", dns_server(dns), "--auth", "optional",
			"--rule", "deny to 192.0.2.0/24", NULL});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&d);
	dns_stop(dns);
	net_echo_stop(echo);
	return 0;
}

/* A connection on which this was asked for, by address or, in 4a, by name. */
static int ask_by(const struct daemon *proxy, uint8_t command, const char *host, uint16_t port,
	const char *userid)
{
	uint8_t request[600] = {4, command, (uint8_t)(port >> 8), (uint8_t)port, 0, 0, 0, 1};
	struct addr addr;
	bool is_name = !addr_parse(host, strlen(host), &addr);
	size_t len = 8;
	int fd = net_connect("127.0.0.1", proxy->port);

	if (!is_name)
		memcpy(request + 4, &addr.in.sin_addr, 4);
	len += (size_t)(stpcpy((char *)request + len, userid) - (char *)request) - len + 1;
	if (is_name)
		len += (size_t)(stpcpy((char *)request + len, host) - (char *)request) - len + 1;
	net_send(fd, request, len);
	return fd;
}

/* Reads a reply: CD, and what it tells. */
static uint8_t read_reply4(int fd, struct addr *bound)
{
	uint8_t reply[8];

	net_receive(fd, reply, sizeof(reply));
	assert_int_equal(reply[0], 0);
	*bound = addr_from_ipv4(reply + 4, (uint16_t)(reply[2] << 8 | reply[3]));
	return reply[1];
}

static void expect_rejected(int fd)
{
	net_expect_hex(fd, "00 5b 00 00 00 00 00 00");
	net_expect_end(fd);
	close(fd);
}

static void expect_echo4(const char *host)
{
	struct addr bound;
	int fd = ask_by(&d, 1, host, echo_port, "alice");

	/* Behind the request at once, and later. */
	net_send(fd, "there", 5);
	assert_int_equal(read_reply4(fd, &bound), 90);
	net_expect(fd, "there", 5);
	net_send(fd, " and back", 9);
	net_expect(fd, " and back", 9);
	close(fd);
}

/* conforms: SOCKS4/connect SOCKS4/names */
static void connects_by_address_and_by_name(void **state)
{
	(void)state;
	expect_echo4("127.0.0.1");
	expect_echo4("peer.test");
	expect_echo4("localhost");
}

/* No byte of it reaches the target, whatever its length. */
/* conforms: SOCKS4/userid */
static void a_long_userid_stays_here(void **state)
{
	static char userid[4097];
	struct addr bound;
	uint8_t head[8] = {4, 1, (uint8_t)(echo_port >> 8), (uint8_t)echo_port, 127, 0, 0, 1};
	int fd = net_connect("127.0.0.1", d.port);

	(void)state;
	memset(userid, 'u', 4096);
	net_send(fd, head, sizeof(head));
	for (size_t i = 0; i < 4096; i += 1024)
		net_send(fd, userid + i, 1024);
	net_send(fd, "\0x", 2);
	assert_int_equal(read_reply4(fd, &bound), 90);
	net_expect(fd, "x", 1);
	assert_true(net_is_silent(fd));
	shutdown(fd, SHUT_WR);
	net_expect_end(fd);
	close(fd);
}

/* conforms: SOCKS4/replies */
static void what_cannot_be_served_is_rejected(void **state)
{
	size_t from = daemon_log_end(&d);
	uint16_t port;
	int refusing = net_refusing_port(&port);

	(void)state;
	expect_rejected(ask_by(&d, 1, "127.0.0.1", port, ""));
	daemon_wait_log(&d, &from, " reason=connect_refused reply=91 ");
	expect_rejected(ask_by(&d, 1, "nosuch.test", 80, ""));
	daemon_wait_log(&d, &from, " reason=name_not_found reply=91 ");
	expect_rejected(ask_by(&d, 1, "", 80, ""));
	daemon_wait_log(&d, &from, " target=:80 outcome=fail reason=name_not_found ");
	expect_rejected(ask_by(&d, 1, "0177.0.0.1", 80, ""));
	daemon_wait_log(&d, &from, " target=0177.0.0.1:80 outcome=fail reason=name_not_found ");
	expect_rejected(ask_by(&d, 1, "192.0.2.9", 80, ""));
	daemon_wait_log(&d, &from, " rule=1 outcome=fail reason=target_denied ");
	expect_rejected(ask_by(&d, 1, "far.test", 80, ""));
	daemon_wait_log(&d, &from, " rule=1 outcome=fail reason=target_denied ");
	expect_rejected(ask_by(&d, 1, "0.0.0.0", 80, ""));
	daemon_wait_log(&d, &from, " outcome=fail reason=target_denied ");
	expect_rejected(ask_by(&d, 3, "127.0.0.1", 80, ""));
	daemon_wait_log(&d, &from, " command=CMD-3 ");
	close(refusing);
}

/* The first reply has the port that is listened on, the second the peer. */
/* conforms: SOCKS4/connect SOCKS4/bind-replies */
static void bind_has_two_replies(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "peer.test"};
	struct addr bound, told, own;
	socklen_t len = sizeof(own);
	char host[ADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int fd = ask_by(&d, 2, hosts[i], 21, "ftp"), peer;

		assert_int_equal(read_reply4(fd, &bound), 90);
		assert_string_equal(addr_format_host(&bound, host), "127.0.0.1");
		assert_true(net_is_silent(fd));
		peer = net_connect("127.0.0.1", addr_port(&bound));
		assert_int_equal(read_reply4(fd, &told), 90);
		assert_int_equal(getsockname(peer, &own.sa, &len), 0);
		assert_true(addr_equal(&told, &own));
		net_send(peer, "220 ready", 9);
		net_expect(fd, "220 ready", 9);
		net_send(fd, "x", 1);
		net_expect(peer, "x", 1);
		close(peer);
		net_expect_end(fd);
		close(fd);
	}
}

/* Only its port can be told; the peer reaches us by the address that it knows. */
static void bind_tells_the_port_of_an_ipv6_address(void **state)
{
	struct addr bound;
	int fd = ask_by(&d, 2, "six.test", 21, ""), peer;

	(void)state;
	assert_int_equal(read_reply4(fd, &bound), 90);
	assert_true(addr_is_unspecified(&bound));
	peer = net_connect("::1", addr_port(&bound));
	assert_int_equal(read_reply4(fd, &bound), 90);
	assert_true(addr_is_unspecified(&bound));
	assert_int_not_equal(addr_port(&bound), 0);
	close(peer);
	close(fd);
}

static void the_monitor_shows_its_sessions(void **state)
{
	int boss = monitor_login(&d, "root:secret"),
	    fd = ask_by(&d, 1, "localhost", echo_port, "x");
	struct addr bound;
	size_t from = daemon_log_end(&d);
	char target[64];

	(void)state;
	assert_int_equal(read_reply4(fd, &bound), 90);
	snprintf(target, sizeof(target), "localhost:%u", echo_port);
	assert_non_null(strstr(monitor_ask(boss, "CONNECTIONS"), target));
	assert_non_null(strstr(monitor_ask(boss, "ACCESS_LOG * 1"), target));
	close(fd);
	daemon_wait_log(&d, &from, " door=socks4 ");
	close(boss);
}

static void who_must_log_in_is_not_served_by_it(void **state)
{
	size_t from = daemon_log_end(&d);
	int boss = monitor_login(&d, "root:secret");

	(void)state;
	monitor_expect(boss, "CONFIG auth required", "OK auth set to required\n");
	expect_rejected(ask_by(&d, 1, "127.0.0.1", echo_port, "alice"));
	daemon_wait_log(&d, &from,
		" door=socks4 user=Anonymous userid=alice outcome=fail "
		"reason=no_method ");
	monitor_expect(boss, "CONFIG auth optional", "OK auth set to optional\n");
	close(boss);
}

static void it_can_be_switched_off(void **state)
{
	size_t from = daemon_log_end(&d);
	int boss = monitor_login(&d, "root:secret"), fd;

	(void)state;
	monitor_expect(boss, "CONFIG protocols socks5", "OK protocols set to socks5\n");
	fd = ask_by(&d, 1, "127.0.0.1", echo_port, "");
	net_expect_gone(fd);
	close(fd);
	daemon_wait_log(&d, &from, " reason=protocol_off guess=socks4 ");
	daemon_wait_stat(&d, "ended_protocol_off", 1);
	monitor_expect(
		boss, "CONFIG protocols socks5, socks4", "OK protocols set to socks5, socks4\n");
	expect_echo4("127.0.0.1");
	close(boss);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connects_by_address_and_by_name),
		cmocka_unit_test(a_long_userid_stays_here),
		cmocka_unit_test(what_cannot_be_served_is_rejected),
		cmocka_unit_test(bind_has_two_replies),
		cmocka_unit_test(bind_tells_the_port_of_an_ipv6_address),
		cmocka_unit_test(the_monitor_shows_its_sessions),
		cmocka_unit_test(who_must_log_in_is_not_served_by_it),
		cmocka_unit_test(it_can_be_switched_off),
	};

	return cmocka_run_group_tests_name("daemon/socks4", tests, setup, teardown);
}
