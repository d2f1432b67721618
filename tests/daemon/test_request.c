/* The real server's request, connection and reply: RFC 1928 sections 4 to 6. */
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "suite.h"

static struct daemon d;
static struct net_echo *echo, *echo6;
static uint16_t echo_port, echo6_port;

static int setup(void **state)
{
	(void)state;
	echo = net_echo_start("127.0.0.1", &echo_port);
	echo6 = net_echo_start("::1", &echo6_port);
	/* A name server that is not there: every lookup fails, and none leaves the host. */
	daemon_start(&d,
		(const char *const[]){
			"--dns-servers", "127.0.0.1:1", "-l", "127.0.0.1", "-l", "::1", NULL});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&d);
	net_echo_stop(echo);
	net_echo_stop(echo6);
	return 0;
}

static uint8_t reply_to(const char *host, uint16_t port)
{
	uint8_t rep;

	close(net_socks_connect(d.port, host, port, &rep));
	return rep;
}

/* A greeting and these bytes of a request; the REP of the answer. */
static uint8_t reply_to_hex(const char *request)
{
	int fd = net_connect("127.0.0.1", d.port);
	struct addr bound;
	uint8_t rep;

	net_socks_greet(fd);
	net_send_hex(fd, request);
	rep = net_socks_read_reply(fd, &bound);
	net_expect_end(fd);
	close(fd);
	return rep;
}

static void expect_echo(const char *host, uint16_t port)
{
	uint8_t rep;
	int fd = net_socks_connect(d.port, host, port, &rep);

	assert_int_equal(rep, 0);
	net_send(fd, "there and back", 14);
	net_expect(fd, "there and back", 14);
	close(fd);
}

/* conforms: RFC1928/commands RFC1928/atyp */
static void connects_by_ipv4_ipv6_and_domain(void **state)
{
	(void)state;
	expect_echo("127.0.0.1", echo_port);
	expect_echo("::1", echo6_port);
	expect_echo("localhost", echo_port);
	expect_echo("LOCALHOST", echo_port);
}

/* Sends `text` as a domain, whatever it looks like. */
static uint8_t reply_to_domain(const char *text, uint16_t port)
{
	uint8_t message[4 + 1 + 255 + 2] = {5, 1, 0, 3};
	size_t len = strlen(text);
	int fd = net_connect("127.0.0.1", d.port);
	struct addr bound;
	uint8_t rep;

	message[4] = (uint8_t)len;
	memcpy(message + 5, text, len);
	message[5 + len] = (uint8_t)(port >> 8);
	message[6 + len] = (uint8_t)port;
	net_socks_greet(fd);
	net_send(fd, message, 7 + len);
	rep = net_socks_read_reply(fd, &bound);
	close(fd);
	return rep;
}

static void takes_address_literals_in_a_domain_field(void **state)
{
	(void)state;
	assert_int_equal(reply_to_domain("127.0.0.1", echo_port), 0);
	assert_int_equal(reply_to_domain("::1", echo6_port), 0);
	assert_int_equal(reply_to_domain("[::1]", echo6_port), 0);
	assert_int_equal(reply_to_domain("::ffff:127.0.0.1", echo_port), 0);
}

/* conforms: RFC1928/request-rsv */
static void does_not_look_at_rsv(void **state)
{
	char request[64];
	int fd = net_connect("127.0.0.1", d.port);
	struct addr bound;

	(void)state;
	snprintf(request, sizeof(request), "05 01 ff 01 7f 00 00 01 %02x %02x", echo_port >> 8,
		echo_port & 0xff);
	net_socks_greet(fd);
	net_send_hex(fd, request);
	assert_int_equal(net_socks_read_reply(fd, &bound), 0);
	close(fd);
}

/* conforms: RFC1928/connect-bound */
static void replies_with_the_outgoing_sockets_address(void **state)
{
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port);
	int fd = net_connect("127.0.0.1", d.port), target;
	struct addr bound, peer;
	socklen_t len = sizeof(peer);

	(void)state;
	net_socks_greet(fd);
	net_socks_send_connect(fd, "127.0.0.1", port);
	target = net_accept(listener);
	assert_int_equal(net_socks_read_reply(fd, &bound), 0);
	assert_int_equal(getpeername(target, &peer.sa, &len), 0);
	assert_true(addr_equal(&bound, &peer));
	close(fd);
	close(target);
	close(listener);
}

/* conforms: RFC1928/failure-close */
static void a_failure_ends_the_connection_within_10_seconds(void **state)
{
	uint16_t port;
	int bound = net_refusing_port(&port), fd = net_connect("127.0.0.1", d.port);
	struct addr told;
	int64_t asked;

	(void)state;
	net_socks_greet(fd);
	asked = clock_ms();
	net_socks_send_connect(fd, "127.0.0.1", port);
	assert_int_equal(net_socks_read_reply(fd, &told), 5);
	net_expect_end(fd); /* though it has not finished itself */
	assert_true(clock_ms() - asked <= 10000);
	close(fd);
	close(bound);
}

/* conforms: RFC1928/rep-refused RFC1928/failure-close */
static void refused_is_5(void **state)
{
	uint16_t port;
	int bound = net_refusing_port(&port);

	(void)state;
	assert_int_equal(reply_to("127.0.0.1", port), 5);
	close(bound);
}

/* conforms: RFC1928/rep-host RFC1928/failure-close */
static void a_name_that_cannot_be_found_is_4(void **state)
{
	(void)state;
	assert_int_equal(reply_to("nosuch.invalid", 80), 4);
	assert_int_equal(reply_to_hex("05 01 00 03 00 00 50"), 4); /* empty */
	assert_int_equal(reply_to_hex("05 01 00 03 03 61 00 62 00 50"), 4); /* a NUL inside */
	assert_int_equal(reply_to_hex("05 01 00 03 03 61 20 62 00 50"), 4); /* a blank inside */
	assert_int_equal(reply_to("0177.0.0.1", 80), 4); /* no address, and no name either */
}

static void a_name_of_255_bytes_is_refused_cleanly(void **state)
{
	char name[256];

	(void)state;
	memset(name, 'x', 255);
	name[255] = '\0';
	assert_int_equal(reply_to(name, 80), 4);
}

/* conforms: RFC1928/rep-ttl */
static void a_connection_that_times_out_is_6_and_never_was_0(void **state)
{
	struct daemon hasty;
	int fillers[3], fd;
	uint16_t port;
	int listener = net_mute_port(&port, fillers);
	uint8_t rep;

	(void)state;
	daemon_start(&hasty, (const char *const[]){"--connect-timeout", "300ms", NULL});
	fd = net_socks_connect(hasty.port, "127.0.0.1", port, &rep);
	assert_int_equal(rep, 6);
	close(fd);
	daemon_stop(&hasty);
	for (int i = 0; i < 3; i++)
		close(fillers[i]);
	close(listener);
}

/* conforms: RFC1928/rep-command RFC1928/failure-close */
static void an_unknown_command_is_7(void **state)
{
	(void)state;
	assert_int_equal(reply_to_hex("05 04 00 01 7f 00 00 01 00 50"), 7);
	assert_int_equal(reply_to_hex("05 00 00 01 7f 00 00 01 00 50"), 7);
	assert_int_equal(reply_to_hex("05 ff 00 03 01 61 00 50"), 7);
}

/* conforms: RFC1928/rep-atyp RFC1928/failure-close */
static void an_unknown_atyp_is_8(void **state)
{
	(void)state;
	assert_int_equal(reply_to_hex("05 01 00 00 7f 00 00 01 00 50"), 8);
	assert_int_equal(reply_to_hex("05 01 00 02 7f 00 00 01 00 50"), 8);
	assert_int_equal(reply_to_hex("05 01 00 ff"), 8);
}

/* conforms: RFC1928/rep-failure */
static void another_version_in_the_request_is_1(void **state)
{
	(void)state;
	assert_int_equal(reply_to_hex("04 01 00 01 7f 00 00 01 00 50"), 1);
}

/* conforms: RFC1928/rep-ruleset */
static void port_0_and_unspecified_addresses_are_2(void **state)
{
	(void)state;
	assert_int_equal(reply_to("127.0.0.1", 0), 2);
	assert_int_equal(reply_to("localhost", 0), 2);
	assert_int_equal(reply_to("0.0.0.0", echo_port), 2);
	assert_int_equal(reply_to("::", echo6_port), 2);
	assert_int_equal(reply_to_domain("0.0.0.0", echo_port), 2);
	assert_int_equal(reply_to_domain("::ffff:0.0.0.0", echo_port), 2);
}

static void its_own_listeners_are_2(void **state)
{
	(void)state;
	assert_int_equal(reply_to("127.0.0.1", d.port), 2);
	assert_int_equal(reply_to("localhost", d.port), 2);
	assert_int_equal(reply_to_domain("[::ffff:127.0.0.1]", d.port), 2);
	assert_int_equal(reply_to("127.0.0.1", d.monitor_port), 2);
}

/* Calls `check` with every address of this host. */
static void for_each_own_address(
	void (*check)(const struct daemon *, const char *), const struct daemon *daemon)
{
	struct ifaddrs *all, *i;
	char text[ADDR_TEXT_MAX];

	assert_int_equal(getifaddrs(&all), 0);
	for (i = all; i != NULL; i = i->ifa_next) {
		struct addr a;

		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET)
			continue;
		a = addr_from_sockaddr(i->ifa_addr);
		check(daemon, addr_format_host(&a, text));
	}
	freeifaddrs(all);
}

static void expect_denied(const struct daemon *daemon, const char *host)
{
	uint8_t rep;
	int fd = net_socks_connect(daemon->port, host, daemon->port, &rep);

	assert_int_equal(rep, 2);
	close(fd);
}

static void a_wildcard_listener_is_2_under_every_address_of_the_host(void **state)
{
	struct daemon everywhere;

	(void)state;
	daemon_start(&everywhere, (const char *const[]){"-l", "0.0.0.0", NULL});
	for_each_own_address(expect_denied, &everywhere);
	expect_denied(&everywhere, "127.0.0.1");
	expect_denied(&everywhere, "127.1.2.3");
	expect_denied(&everywhere, "localhost");
	daemon_stop(&everywhere);
}

static void a_client_that_breaks_off_during_connect_frees_its_worker(void **state)
{
	int fillers[3];
	uint16_t port;
	int listener = net_mute_port(&port, fillers);
	long left = daemon_stat(&d, "ended_client_left");
	int reset = net_connect("127.0.0.1", d.port);

	(void)state;
	net_socks_greet(reset);
	net_socks_send_connect(reset, "127.0.0.1", port);
	daemon_wait_stat(&d, "current_connections", 1);
	net_reset(reset);
	daemon_wait_stat(&d, "ended_client_left", left + 1);
	for (int i = 0; i < 3; i++)
		close(fillers[i]);
	close(listener);
}

/* Asks for the target, finishes with the same segment, and is served what the target has to say. */
static void expect_served_after_fin(int listener, const char *hex)
{
	int fd = net_connect("127.0.0.1", d.port), target;
	struct addr bound;

	net_send_hex(fd, hex);
	shutdown(fd, SHUT_WR);
	net_expect_hex(fd, "05 00");
	target = net_accept(listener);
	assert_int_equal(net_socks_read_reply(fd, &bound), 0);
	net_expect_end(target);
	net_send(target, "data", 4);
	net_expect(fd, "data", 4);
	close(target);
	net_expect_end(fd);
	close(fd);
}

static void a_request_and_a_fin_together_are_served(void **state)
{
	uint16_t port;
	int listener = net_listen("127.0.0.1", &port);
	char by_address[64], by_name[64];

	(void)state;
	snprintf(by_address, sizeof(by_address), "05 01 00 05 01 00 01 7f 00 00 01 %02x %02x",
		port >> 8, port & 255);
	snprintf(by_name, sizeof(by_name),
		"05 01 00 05 01 00 03 09 6c 6f 63 61 6c 68 6f 73 74 %02x %02x", port >> 8,
		port & 255);
	for (int i = 0; i < 100; i++)
		expect_served_after_fin(listener, i % 2 == 0 ? by_address : by_name);
	close(listener);
}

static void a_client_that_has_finished_is_told_soon_that_there_is_no_answer(void **state)
{
	int fillers[3];
	uint16_t port;
	int listener = net_mute_port(&port, fillers), fd = net_connect("127.0.0.1", d.port);
	size_t from = daemon_log_end(&d);
	struct addr bound;

	(void)state;
	net_socks_greet(fd);
	net_socks_send_connect(fd, "127.0.0.1", port);
	shutdown(fd, SHUT_WR);
	assert_int_equal(net_socks_read_reply(fd, &bound), 6);
	net_expect_end(fd);
	daemon_wait_log(&d, &from, " outcome=fail reason=client_finished reply=6 ");
	close(fd);
	for (int i = 0; i < 3; i++)
		close(fillers[i]);
	close(listener);
}

static void the_log_tells_what_became_of_a_session(void **state)
{
	size_t from = daemon_log_end(&d);
	const char *line;
	char expected[64];

	(void)state;
	expect_echo("localhost", echo_port);
	line = daemon_wait_log(&d, &from, "session ended");
	snprintf(expected, sizeof(expected), " target=localhost:%u address=127.0.0.1:%u ",
		echo_port, echo_port);
	assert_non_null(strstr(line, expected));
	assert_non_null(strstr(line, " user=Anonymous command=CONNECT "));
	assert_non_null(strstr(line, " outcome=success reason=closed reply=0 "));
	assert_non_null(strstr(line, " sent=14 received=14 "));
	assert_non_null(strstr(line, " client=127.0.0.1:"));
	assert_non_null(strstr(line, " total_ms="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connects_by_ipv4_ipv6_and_domain),
		cmocka_unit_test(takes_address_literals_in_a_domain_field),
		cmocka_unit_test(does_not_look_at_rsv),
		cmocka_unit_test(replies_with_the_outgoing_sockets_address),
		cmocka_unit_test(a_failure_ends_the_connection_within_10_seconds),
		cmocka_unit_test(refused_is_5),
		cmocka_unit_test(a_name_that_cannot_be_found_is_4),
		cmocka_unit_test(a_name_of_255_bytes_is_refused_cleanly),
		cmocka_unit_test(a_connection_that_times_out_is_6_and_never_was_0),
		cmocka_unit_test(an_unknown_command_is_7),
		cmocka_unit_test(an_unknown_atyp_is_8),
		cmocka_unit_test(another_version_in_the_request_is_1),
		cmocka_unit_test(port_0_and_unspecified_addresses_are_2),
		cmocka_unit_test(its_own_listeners_are_2),
		cmocka_unit_test(a_wildcard_listener_is_2_under_every_address_of_the_host),
		cmocka_unit_test(a_client_that_breaks_off_during_connect_frees_its_worker),
		cmocka_unit_test(a_request_and_a_fin_together_are_served),
		cmocka_unit_test(a_client_that_has_finished_is_told_soon_that_there_is_no_answer),
		cmocka_unit_test(the_log_tells_what_became_of_a_session),
	};

	return cmocka_run_group_tests_name("daemon/request", tests, setup, teardown);
}
