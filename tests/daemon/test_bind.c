/* The real server's BIND: RFC 1928 sections 4 and 6, as an FTP client uses it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dns.h"
#include "suite.h"

static const struct dns_record records[] = {
	{"peer.test", DNS_ANSWER, 600, "127.0.0.1"},
	{"both.test", DNS_ANSWER, 600, "127.0.0.1 127.0.0.5"},
	{"mute.test", DNS_SILENT, 600, NULL},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct daemon d;

static int setup(void **state)
{
	(void)state;
	dns = dns_start(records);
	daemon_start(&d, (const char *const[]){"--dns-servers", dns_server(dns), NULL});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&d);
	dns_stop(dns);
	return 0;
}

/* Asks for BIND with DST as hexadecimal (ATYP, address and port), and does not wait for the reply.
 */
static int ask(const struct daemon *proxy, const char *dst)
{
	int fd = net_connect("127.0.0.1", proxy->port);
	char request[1024];

	net_socks_greet(fd);
	snprintf(request, sizeof(request), "05 02 00 %s", dst);
	net_send_hex(fd, request);
	return fd;
}

/* Asks for it and reads the first reply. */
static int bind_for(const struct daemon *proxy, const char *dst, uint8_t *rep, struct addr *bound)
{
	int fd = ask(proxy, dst);

	*rep = net_socks_read_reply(fd, bound);
	return fd;
}

static int granted(const struct daemon *proxy, const char *dst, struct addr *bound)
{
	uint8_t rep;
	int fd = bind_for(proxy, dst, &rep, bound);

	assert_int_equal(rep, 0);
	assert_int_not_equal(addr_port(bound), 0);
	return fd;
}

static struct addr own_address(int fd)
{
	struct addr a;
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, &a.sa, &len), 0);
	return a;
}

/* The second reply is a success and tells that `peer` has come; then bytes go both ways. */
static void expect_relay(int fd, int peer)
{
	struct addr told, own = own_address(peer);

	assert_int_equal(net_socks_read_reply(fd, &told), 0);
	assert_true(addr_equal(&told, &own));
	net_send(peer, "220 ready", 9);
	net_expect(fd, "220 ready", 9);
	net_send_pattern(fd, 100000, 1);
	shutdown(fd, SHUT_WR);
	net_expect_pattern(peer, 100000, 1);
	net_expect_end(peer);
	net_send(peer, "226 done", 8);
	close(peer);
	net_expect(fd, "226 done", 8);
	net_expect_end(fd);
	close(fd);
}

static const char *const LOCALHOST = "01 7f 00 00 01 00 15";

/* conforms: RFC1928/commands RFC1928/bind-replies RFC1928/bind-bound RFC1928/bind-peer */
/* conforms: RFC1928/pass-data */
static void the_peer_is_relayed_after_two_replies(void **state)
{
	struct addr bound, expected = net_addr("127.0.0.1", 0);
	size_t from = daemon_log_end(&d);
	const char *line;
	int fd = granted(&d, LOCALHOST, &bound);

	(void)state;
	assert_true(addr_same_host(&bound, &expected));
	assert_true(net_is_silent(fd));
	expect_relay(fd, net_connect("127.0.0.1", addr_port(&bound)));
	line = daemon_wait_log(&d, &from, "session ended");
	assert_non_null(strstr(line, " command=BIND target=127.0.0.1:21 address=127.0.0.1:"));
	assert_non_null(
		strstr(line, " outcome=success reason=closed reply=0 sent=100000 received=17 "));
}

static void over_ipv6_too(void **state)
{
	struct addr bound, expected = net_addr("::1", 0);
	int fd = granted(&d, "04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 15", &bound);

	(void)state;
	assert_true(addr_same_host(&bound, &expected));
	expect_relay(fd, net_connect("::1", addr_port(&bound)));
}

static void dst_addr_may_be_a_name(void **state)
{
	struct addr bound;
	int fd = granted(&d, "03 09 70 65 65 72 2e 74 65 73 74 00 15", &bound);

	(void)state;
	expect_relay(fd, net_connect("127.0.0.1", addr_port(&bound)));
	/* The host may come from each of its addresses. */
	fd = granted(&d, "03 09 62 6f 74 68 2e 74 65 73 74 00 15", &bound);
	expect_relay(fd, net_connect_from("127.0.0.5", "127.0.0.1", addr_port(&bound)));
}

/* conforms: RFC1928/bind-evaluate */
static void only_the_named_peer_is_taken(void **state)
{
	long before = daemon_stat(&d, "bind_peers_refused");
	struct addr bound;
	int fd = granted(&d, LOCALHOST, &bound);
	int other = net_connect_from("127.0.0.5", "127.0.0.1", addr_port(&bound));

	(void)state;
	net_expect_reset(other);
	close(other);
	assert_int_equal(daemon_stat(&d, "bind_peers_refused"), before + 1);
	expect_relay(fd, net_connect("127.0.0.1", addr_port(&bound)));
}

static void zeros_take_anybody(void **state)
{
	struct addr bound, expected = net_addr("127.0.0.1", 0);
	int fd = granted(&d, "01 00 00 00 00 00 00", &bound);

	(void)state;
	/* Never 0.0.0.0: where the client has reached us. */
	assert_true(addr_same_host(&bound, &expected));
	expect_relay(fd, net_connect_from("127.0.0.5", "127.0.0.1", addr_port(&bound)));
}

static void bind_any_peer_takes_anybody(void **state)
{
	struct daemon open;
	struct addr bound;
	int fd;

	(void)state;
	daemon_start(&open, (const char *const[]){"--bind-any-peer", "yes", NULL});
	fd = granted(&open, LOCALHOST, &bound);
	expect_relay(fd, net_connect_from("127.0.0.5", "127.0.0.1", addr_port(&bound)));
	daemon_stop(&open);
}

static void only_one_connection_is_accepted(void **state)
{
	struct addr bound, told;
	int fd = granted(&d, LOCALHOST, &bound), peer, late;

	(void)state;
	peer = net_connect("127.0.0.1", addr_port(&bound));
	assert_int_equal(net_socks_read_reply(fd, &told), 0);
	late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(late, &bound.sa, addr_len(&bound)), -1);
	assert_int_equal(errno, ECONNREFUSED);
	close(late);
	close(fd);
	net_expect_end(peer);
	close(peer);
}

/* conforms: RFC1928/bind-replies */
static void bind_timeout_is_reply_6(void **state)
{
	struct daemon hasty;
	struct addr bound, told;
	int fd;

	(void)state;
	daemon_start(&hasty, (const char *const[]){"--bind-timeout", "200ms", NULL});
	fd = granted(&hasty, LOCALHOST, &bound);
	assert_int_equal(net_socks_read_reply(fd, &told), 6);
	net_expect_end(fd);
	daemon_wait_log(&hasty, NULL, " outcome=fail reason=bind_timeout reply=6 ");
	close(fd);
	daemon_stop(&hasty);
}

static void a_client_that_breaks_off_ends_the_wait_at_once(void **state)
{
	long left = daemon_stat(&d, "ended_client_left");
	struct addr bound;
	int waits = granted(&d, LOCALHOST, &bound);
	int asked = ask(&d, "03 09 6d 75 74 65 2e 74 65 73 74 00 15");

	(void)state;
	dns_wait_questions(dns, "mute.test", 1);
	net_reset(waits);
	net_reset(asked);
	daemon_wait_stat(&d, "ended_client_left", left + 2);
	daemon_wait_none(&d, "current_connections");
	daemon_wait_none(&d, "spare_descriptors_used");
}

/* The client has shut down its sending side before the peer came. */
static void a_client_that_has_finished_gets_its_peer(void **state)
{
	struct addr bound, told;
	int fd = granted(&d, LOCALHOST, &bound), peer;

	(void)state;
	shutdown(fd, SHUT_WR);
	peer = net_connect("127.0.0.1", addr_port(&bound));
	assert_int_equal(net_socks_read_reply(fd, &told), 0);
	net_expect_end(peer);
	net_send(peer, "data", 4);
	net_expect(fd, "data", 4);
	close(peer);
	net_expect_end(fd);
	close(fd);
}

static void what_cannot_be_listened_for_is_refused(void **state)
{
	static const struct {
		const char *dst;
		uint8_t rep;
	} rows[] = {{"03 05 61 2e 74 73 74 00 15", 4}, {"03 00 00 15", 4},
		{"03 03 61 20 62 00 15", 4},
		{"04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 00 15", 3}};
	struct addr bound;
	uint8_t rep;

	(void)state;
	/* Whether there is a way to 2001:db8::1 is the host's affair. */
	for (size_t i = 0; i < 3; i++) {
		int fd = bind_for(&d, rows[i].dst, &rep, &bound);

		assert_int_equal(rep, rows[i].rep);
		close(fd);
	}
}

/* conforms: RFC1928/bind-bound */
static void bind_address_and_bind_ports_say_where(void **state)
{
	struct addr bound, expected = net_addr("127.0.0.7", 0);
	struct daemon placed;
	uint16_t port;
	int taken = net_listen("127.0.0.7", &port), fd;
	char range[32];

	(void)state;
	close(taken);
	snprintf(range, sizeof(range), "%u", port);
	daemon_start(&placed,
		(const char *const[]){"--bind-address", "127.0.0.7", "--bind-ports", range, NULL});
	fd = granted(&placed, LOCALHOST, &bound);
	assert_true(addr_same_host(&bound, &expected));
	assert_int_equal(addr_port(&bound), port);
	expect_relay(fd, net_connect("127.0.0.7", port));
	daemon_stop(&placed);
}

static void no_free_port_is_a_clear_refusal(void **state)
{
	struct addr bound;
	struct daemon ranged;
	uint16_t port;
	int taken = net_listen("127.0.0.1", &port), fd;
	uint8_t rep;
	char range[32];

	(void)state;
	snprintf(range, sizeof(range), "%u", port);
	daemon_start(&ranged, (const char *const[]){"--bind-ports", range, NULL});
	fd = bind_for(&ranged, LOCALHOST, &rep, &bound);
	assert_int_equal(rep, 1);
	net_expect_end(fd);
	daemon_wait_log(&ranged, NULL, " reason=no_socket reply=1 error=EADDRINUSE ");
	close(fd);
	close(taken);
	daemon_stop(&ranged);
}

static void an_address_of_the_nat_in_front_is_only_told(void **state)
{
	struct addr bound, expected = net_addr("203.0.113.9", 0);
	struct daemon behind;
	int fd;

	(void)state;
	daemon_start(&behind, (const char *const[]){"--bind-address", "203.0.113.9", NULL});
	fd = granted(&behind, LOCALHOST, &bound);
	assert_true(addr_same_host(&bound, &expected));
	expect_relay(fd, net_connect("127.0.0.1", addr_port(&bound)));
	daemon_stop(&behind);
}

static void stopping_ends_the_wait(void **state)
{
	struct daemon stopped;
	struct addr bound;
	int fd;

	(void)state;
	daemon_start(&stopped, NULL);
	fd = granted(&stopped, LOCALHOST, &bound);
	daemon_stop(&stopped);
	net_expect_gone(fd);
	close(fd);
}

static void nothing_is_left_open(void **state)
{
	long before;

	(void)state;
	daemon_wait_none(&d, "current_connections");
	before = daemon_open_files(&d);
	for (int i = 0; i < 50; i++) {
		struct addr bound;
		int fd = granted(&d, LOCALHOST, &bound);

		if (i % 2 == 0)
			expect_relay(fd, net_connect("127.0.0.1", addr_port(&bound)));
		else
			close(fd);
	}
	daemon_wait_none(&d, "current_connections");
	assert_true(daemon_open_files(&d) <= before);
	daemon_wait_none(&d, "spare_descriptors_used");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_peer_is_relayed_after_two_replies),
		cmocka_unit_test(over_ipv6_too),
		cmocka_unit_test(dst_addr_may_be_a_name),
		cmocka_unit_test(only_the_named_peer_is_taken),
		cmocka_unit_test(zeros_take_anybody),
		cmocka_unit_test(bind_any_peer_takes_anybody),
		cmocka_unit_test(only_one_connection_is_accepted),
		cmocka_unit_test(bind_timeout_is_reply_6),
		cmocka_unit_test(a_client_that_breaks_off_ends_the_wait_at_once),
		cmocka_unit_test(a_client_that_has_finished_gets_its_peer),
		cmocka_unit_test(what_cannot_be_listened_for_is_refused),
		cmocka_unit_test(bind_address_and_bind_ports_say_where),
		cmocka_unit_test(no_free_port_is_a_clear_refusal),
		cmocka_unit_test(an_address_of_the_nat_in_front_is_only_told),
		cmocka_unit_test(stopping_ends_the_wait),
		cmocka_unit_test(nothing_is_left_open),
	};

	return cmocka_run_group_tests_name("daemon/bind", tests, setup, teardown);
}
