/* The real server's datagrams through upstreams: another server of ours, and the test's own. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "dns.h"
#include "monitor.h"
#include "suite.h"
#include "udp.h"

static const struct dns_record records[] = {
	{"echo.test", DNS_ANSWER, 600, "127.0.0.1"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct daemon d, other; /* the other one is an upstream */
static struct udp_echo *echo_thread;
static struct addr echo;
static struct association a;
static int monitor;

static int setup(void **state)
{
	(void)state;
	dns = dns_start(records);
	echo_thread = udp_echo_start("127.0.0.1", &echo);
	daemon_start(&other, (const char *const[]){"--dns-servers", dns_server(dns), NULL});
	daemon_prepare(&d);
	monitor_write_users(&d);
	daemon_write_file(d.config, "");
	daemon_launch(&d,
		(const char *const[]){"-c", d.config, "-U", d.users, "--auth", "none",
			"--dns-servers", dns_server(dns), NULL});
	monitor = monitor_login(&d, "root:secret");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(monitor);
	daemon_stop(&d);
	daemon_stop(&other);
	udp_echo_stop(echo_thread);
	dns_stop(dns);
	return 0;
}

static void open_association(void)
{
	association_open(&a, "127.0.0.1", d.port, NULL);
	assert_int_equal(a.rep, 0);
}

static void addresses_and_names_go_through_another_of_us(void **state)
{
	long before = daemon_stat(&other, "datagrams_sent");

	(void)state;
	daemon_use_config(&d, "upstream = a socks5://127.0.0.1:%u\nrule = via a\n", other.port);
	open_association();
	association_expect_echo(&a, &echo, "by address");
	association_send_name(&a, "echo.test", addr_port(&echo), "by name", 7);
	association_expect(&a, &echo, "by name", 7);
	assert_contains(monitor_ask(monitor, "CONNECTIONS"), " upstream:a");
	assert_contains(monitor_ask(monitor, "UPSTREAMS"), " sessions:1 ");
	association_close(&a);
	assert_int_equal(daemon_stat(&other, "datagrams_sent"), before + 2);
}

/* What the rules say of each datagram decides about it. */
static void some_go_through_and_others_straight(void **state)
{
	long before = daemon_stat(&other, "datagrams_sent");

	(void)state;
	daemon_use_config(
		&d, "upstream = a socks5://127.0.0.1:%u\nrule = via a to .test\n", other.port);
	open_association();
	association_expect_echo(&a, &echo, "straight");
	association_send_name(&a, "echo.test", addr_port(&echo), "through", 7);
	association_expect(&a, &echo, "through", 7);
	association_expect_echo(&a, &echo, "straight again");
	association_close(&a);
	assert_int_equal(daemon_stat(&other, "datagrams_sent"), before + 1);
}

/* Only 20 ms of such a rate are there at once: what is beyond that waits. */
static void what_waits_for_a_rate_goes_through_later(void **state)
{
	char bytes[1000];

	(void)state;
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nrule = via a\n"
		"anonymous_defaults = rate=200kbit\n",
		other.port);
	memset(bytes, 'x', sizeof(bytes));
	open_association();
	for (int i = 0; i < 3; i++)
		association_send_name(&a, "echo.test", addr_port(&echo), bytes, sizeof(bytes));
	for (int i = 0; i < 3; i++)
		association_expect(&a, &echo, bytes, sizeof(bytes));
	association_close(&a);
}

static void it_goes_straight_only_where_that_is_said(void **state)
{
	uint16_t dead;
	int refusing = net_refusing_port(&dead);

	(void)state;
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nprotect = none\nrule = via a, direct\n", dead);
	open_association();
	association_expect_echo(&a, &echo, "by address");
	association_send_name(&a, "echo.test", addr_port(&echo), "by name", 7);
	association_expect(&a, &echo, "by name", 7);
	association_close(&a);
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nprotect = none\n"
		"rule = via a to echo.test\n",
		dead);
	open_association();
	association_send_name(&a, "echo.test", addr_port(&echo), "nowhere", 7);
	association_expect_echo(&a, &echo, "straight");
	association_close(&a);
	close(refusing);
}

/* Up to the association that it is told of: where it sends datagrams. */
static int accept_association(int upstream, int *relay)
{
	struct addr bound;
	char reply[64];
	int fd = net_accept(upstream);

	*relay = udp_socket("127.0.0.1", &bound);
	net_expect_hex(fd, "05 01 00");
	net_send_hex(fd, "05 00");
	net_expect_hex(fd, "05 03 00 01 00 00 00 00 00 00");
	/* an unspecified address is the upstream's own */
	snprintf(reply, sizeof(reply), "05 00 00 01 00 00 00 00 %02x %02x", addr_port(&bound) >> 8,
		addr_port(&bound) & 0xff);
	net_send_hex(fd, reply);
	return fd;
}

static void both_connections_end_together(void **state)
{
	static const uint8_t sent[] = "\0\0\0\3\4x.yz\0\65hello";
	static const uint8_t answer[] = "\0\0\0\1\xc0\0\2\1\0\65world";
	struct addr source = net_addr("192.0.2.1", 53), from;
	uint8_t in[UDP_MAX];
	uint16_t port;
	int upstream = net_listen("127.0.0.1", &port), fd, relay;

	(void)state;
	daemon_use_config(&d, "upstream = a socks5://127.0.0.1:%u\nrule = via a\n", port);
	for (int i = 0; i < 2; i++) {
		open_association();
		association_send_name(&a, "x.yz", 53, "hello", 5);
		fd = accept_association(upstream, &relay);
		assert_int_equal(udp_receive(relay, in, &from), sizeof(sent) - 1);
		assert_memory_equal(in, sent, sizeof(sent) - 1);
		/* a fragment, and what is none at all, are dropped */
		udp_send(relay, &from, "\0\0\1\1\xc0\0\2\1\0\65world", 15);
		udp_send(relay, &from, "?", 1);
		udp_send(relay, &from, answer, sizeof(answer) - 1);
		association_expect(&a, &source, "world", 5);
		if (i == 0) {
			close(fd);
			net_expect_end(a.tcp);
			association_close(&a);
		} else {
			association_close(&a);
			net_expect_gone(fd);
			close(fd);
		}
		close(relay);
	}
	close(upstream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_and_names_go_through_another_of_us),
		cmocka_unit_test(some_go_through_and_others_straight),
		cmocka_unit_test(what_waits_for_a_rate_goes_through_later),
		cmocka_unit_test(it_goes_straight_only_where_that_is_said),
		cmocka_unit_test(both_connections_end_together),
	};

	return cmocka_run_group_tests_name("daemon/upstreams_udp", tests, setup, teardown);
}
