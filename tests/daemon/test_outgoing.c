/* From where, and over which family of addresses, the real server reaches targets. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dns.h"
#include "suite.h"
#include "udp.h"

static const struct dns_record records[] = {
	{"both.test", DNS_ANSWER, 600, "127.0.0.1 ::1"},
	{"four.test", DNS_ANSWER, 600, "127.0.0.1"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;

static int setup(void **state)
{
	(void)state;
	dns = dns_start(records);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dns_stop(dns);
	return 0;
}

static struct addr peer_of(int fd)
{
	struct addr a;
	socklen_t len = sizeof(a);

	assert_int_equal(getpeername(fd, &a.sa, &len), 0);
	return a;
}

static void start(struct daemon *d, const char *setting, const char *value)
{
	daemon_start(
		d, (const char *const[]){setting, value, "--dns-servers", dns_server(dns), NULL});
}

static void external_address_is_where_targets_are_reached_from(void **state)
{
	struct addr expected = net_addr("127.0.0.3", 0), target, from;
	struct association a;
	struct daemon d;
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port), udp = udp_socket("127.0.0.1", &target), fd,
	    accepted;
	uint8_t rep;

	(void)state;
	start(&d, "--external-address", "127.0.0.3");
	fd = net_socks_connect(d.port, "127.0.0.1", port, &rep);
	assert_int_equal(rep, 0);
	accepted = net_accept(listener);
	from = peer_of(accepted);
	assert_true(addr_same_host(&from, &expected));
	close(accepted);
	close(fd);
	association_open(&a, "127.0.0.1", d.port, NULL);
	association_send(&a, 0, &target, "hello", 5);
	from = udp_expect(udp, "hello", 5);
	assert_true(addr_same_host(&from, &expected));
	udp_send(udp, &from, "back", 4);
	association_expect(&a, &target, "back", 4);
	association_close(&a);
	daemon_stop(&d);
	close(listener);
	close(udp);
}

static void an_address_that_is_not_the_hosts_is_a_failure(void **state)
{
	struct daemon d;
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port);
	uint8_t rep;

	(void)state;
	start(&d, "--external-address", "203.0.113.9");
	daemon_wait_log(&d, NULL, "targets cannot be reached until it comes: external_address: ");
	close(net_socks_connect(d.port, "127.0.0.1", port, &rep));
	assert_int_equal(rep, 3);
	daemon_wait_log(&d, NULL, " reply=3 error=EADDRNOTAVAIL ");
	daemon_stop(&d);
	close(listener);
}

static void external_interface_is_the_one_that_is_used(void **state)
{
	struct addr echo;
	struct udp_echo *udp = udp_echo_start("127.0.0.1", &echo);
	struct net_echo *tcp;
	struct association a;
	struct daemon d;
	uint16_t port;
	uint8_t rep;
	int fd;

	(void)state;
	tcp = net_echo_start("127.0.0.1", &port);
	start(&d, "--external-interface", "lo");
	fd = net_socks_connect(d.port, "127.0.0.1", port, &rep);
	assert_int_equal(rep, 0);
	close(fd);
	association_open(&a, "127.0.0.1", d.port, NULL);
	association_expect_echo(&a, &echo, "hello");
	association_close(&a);
	daemon_stop(&d);
	start(&d, "--external-interface", "nosuch0");
	daemon_wait_log(&d, NULL, "targets cannot be reached until it comes: external_interface: ");
	close(net_socks_connect(d.port, "127.0.0.1", port, &rep));
	assert_int_equal(rep, 3);
	daemon_wait_log(&d, NULL, " reply=3 error=ENODEV ");
	daemon_stop(&d);
	net_echo_stop(tcp);
	udp_echo_stop(udp);
}

/* What a name with both families leads to, and literals of each; 0 where the connection came, else
 * REP. */
struct preference {
	const char *word;
	const char *both; /* the address that was connected to */
	uint8_t v4, v6; /* REP for a literal */
};

static void expect_preference(const struct preference *p, uint16_t port)
{
	struct daemon d;
	char expected[64];
	uint8_t rep;

	start(&d, "--prefer", p->word);
	net_reset(net_socks_connect(d.port, "both.test", port, &rep));
	assert_int_equal(rep, 0);
	snprintf(expected, sizeof(expected), " address=%s:%u ", p->both, port);
	daemon_wait_log(&d, NULL, expected);
	close(net_socks_connect(d.port, "127.0.0.1", port, &rep));
	assert_int_equal(rep, p->v4);
	close(net_socks_connect(d.port, "::1", port, &rep));
	assert_int_equal(rep, p->v6);
	close(net_socks_connect(d.port, "four.test", port, &rep));
	assert_int_equal(rep, p->v4);
	daemon_stop(&d);
}

static void prefer_says_which_family_is_first_or_only(void **state)
{
	static const struct preference rows[] = {{"ipv6", "[::1]", 0, 0},
		{"ipv4", "127.0.0.1", 0, 0}, {"ipv4-only", "127.0.0.1", 0, 3},
		{"ipv6-only", "[::1]", 3, 0}};
	uint16_t port;
	struct addr v6;
	int four = net_listen("127.0.0.1", &port), six = socket(AF_INET6, SOCK_STREAM, 0), on = 1;

	(void)state;
	v6 = net_addr("::1", port);
	setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	assert_int_equal(bind(six, &v6.sa, addr_len(&v6)), 0);
	assert_int_equal(listen(six, 16), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_preference(&rows[i], port);
	close(four);
	close(six);
}

/* The address family that a datagram for both.test goes to. */
static int family_of_datagrams(const char *word, int four, int six, uint16_t port)
{
	struct association a;
	struct daemon d;
	bool is_four;

	start(&d, "--prefer", word);
	association_open(&a, "127.0.0.1", d.port, NULL);
	association_send_name(&a, "both.test", port, "x", 1);
	daemon_wait_stat(&d, "datagrams_sent", 1);
	is_four = !udp_is_silent(four);
	udp_expect(is_four ? four : six, "x", 1);
	association_close(&a);
	daemon_stop(&d);
	return is_four ? AF_INET : AF_INET6;
}

static void datagrams_follow_it_too(void **state)
{
	struct addr v4, v6;
	int four = udp_socket("127.0.0.1", &v4), six = socket(AF_INET6, SOCK_DGRAM, 0);
	uint16_t port = addr_port(&v4);

	(void)state;
	v6 = net_addr("::1", port);
	assert_int_equal(bind(six, &v6.sa, addr_len(&v6)), 0);
	assert_int_equal(family_of_datagrams("ipv6", four, six, port), AF_INET6);
	assert_int_equal(family_of_datagrams("ipv4", four, six, port), AF_INET);
	assert_int_equal(family_of_datagrams("ipv6-only", four, six, port), AF_INET6);
	assert_int_equal(family_of_datagrams("ipv4-only", four, six, port), AF_INET);
	close(four);
	close(six);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(external_address_is_where_targets_are_reached_from),
		cmocka_unit_test(an_address_that_is_not_the_hosts_is_a_failure),
		cmocka_unit_test(external_interface_is_the_one_that_is_used),
		cmocka_unit_test(prefer_says_which_family_is_first_or_only),
		cmocka_unit_test(datagrams_follow_it_too),
	};

	return cmocka_run_group_tests_name("daemon/outgoing", tests, setup, teardown);
}
