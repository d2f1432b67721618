/* The real server's UDP ASSOCIATE: RFC 1928 section 7, and what others get wrong about it. That a
 * datagram was dropped shows in the next one, which overtakes nothing on the loopback interface. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "dns.h"
#include "suite.h"
#include "udp.h"

static const struct dns_record records[] = {
	{"echo.test", DNS_ANSWER, 600, "127.0.0.1"},
	{"six.test", DNS_ANSWER, 600, "::1"},
	{"late.test", DNS_LATE_A, 600, "127.0.0.1"},
	{"mute.test", DNS_SILENT, 600, NULL},
	{"inside.test", DNS_ANSWER, 600, "0.0.0.0 127.0.0.1"},
	{"zero.test", DNS_ANSWER, 600, "0.0.0.0"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct daemon d;
static struct udp_echo *echo_thread, *echo6_thread;
static struct addr echo, echo6;
static struct association a;

static int setup(void **state)
{
	(void)state;
	dns = dns_start(records);
	echo_thread = udp_echo_start("127.0.0.1", &echo);
	echo6_thread = udp_echo_start("::1", &echo6);
	daemon_start(&d,
		(const char *const[]){"--dns-servers", dns_server(dns), "-l", "127.0.0.1", "-l",
			"[::1]", "-l", "127.0.0.2", NULL});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&d);
	udp_echo_stop(echo_thread);
	udp_echo_stop(echo6_thread);
	dns_stop(dns);
	return 0;
}

static void open_association(const struct daemon *proxy)
{
	association_open(&a, "127.0.0.1", proxy->port, NULL);
	assert_int_equal(a.rep, 0);
}

/* The port of the listener on another address of the daemon. */
static uint16_t port_of(const char *address)
{
	char text[64];
	const char *line;

	snprintf(text, sizeof(text), "msg=listening address=%s:", address);
	line = daemon_wait_log(&d, NULL, text);
	return (uint16_t)atoi(strrchr(line, ':') + 1);
}

static void open_ipv6_association(void)
{
	association_open(&a, "::1", port_of("[::1]"), NULL);
	assert_int_equal(a.rep, 0);
}

/* ---- both ways, all kinds of addresses ---- */

/* conforms: RFC1928/commands RFC1928/udp-header RFC1928/udp-encapsulate */
static void clients_and_targets_of_both_families_are_relayed_between(void **state)
{
	(void)state;
	open_association(&d);
	association_expect_echo(&a, &echo, "v4 to v4");
	association_expect_echo(&a, &echo6, "v4 to v6");
	association_close(&a);
	open_ipv6_association();
	association_expect_echo(&a, &echo, "v6 to v4");
	association_expect_echo(&a, &echo6, "v6 to v6");
	association_close(&a);
}

static void an_empty_datagram_is_one(void **state)
{
	(void)state;
	open_association(&d);
	association_expect_echo(&a, &echo, "");
	association_close(&a);
}

static void targets_may_be_names(void **state)
{
	(void)state;
	open_association(&d);
	association_send_name(&a, "echo.test", addr_port(&echo), "first", 5);
	association_expect(&a, &echo, "first", 5);
	association_send_name(&a, "echo.test", addr_port(&echo), "second", 6);
	association_expect(&a, &echo, "second", 6);
	association_send_name(&a, "six.test", addr_port(&echo6), "third", 5);
	association_expect(&a, &echo6, "third", 5);
	association_send_name(&a, "127.0.0.1", addr_port(&echo), "literal", 7);
	association_expect(&a, &echo, "literal", 7);
	association_send_name(&a, "[::1]", addr_port(&echo6), "literal", 7);
	association_expect(&a, &echo6, "literal", 7);
	association_close(&a);
}

static void every_batch_arrives_in_its_order(void **state)
{
	(void)state;
	open_association(&d);
	for (uint32_t round = 0; round < 20; round++) {
		for (uint32_t i = 0; i < 50; i++)
			association_send(&a, 0, i % 2 ? &echo : &echo6, &i, sizeof(i));
		for (uint32_t i = 0, odd = 1, even = 0; i < 50; i++) {
			uint8_t bytes[UDP_MAX];
			struct addr from;
			size_t len = udp_receive(a.udp, bytes, &from);
			uint32_t *next = bytes[3] == 1 ? &odd : &even;

			assert_memory_equal(bytes + len - sizeof(*next), next, sizeof(*next));
			*next += 2;
		}
	}
	association_close(&a);
}

static void datagrams_of_65507_bytes_pass_whole(void **state)
{
	uint8_t *bytes = malloc(65507);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < 65507; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 251);
	open_association(&d);
	association_send(&a, 0, &echo, bytes, 65507 - 10);
	association_expect(&a, &echo, bytes, 65507 - 10);
	association_close(&a);
	/* Over IPv6 there is room for the header too. */
	open_ipv6_association();
	association_send(&a, 0, &echo, bytes, 65507);
	association_expect(&a, &echo, bytes, 65507);
	association_expect_echo(&a, &echo, "small again");
	association_close(&a);
	free(bytes);
}

static void a_reply_too_large_for_its_header_ends_nothing(void **state)
{
	long before = daemon_stat(&d, "datagrams_dropped_too_large");
	uint8_t *bytes = calloc(1, 65507);
	struct addr target, outgoing;
	int fd = udp_socket("127.0.0.1", &target);

	(void)state;
	open_association(&d);
	association_send(&a, 0, &target, "hello", 5);
	outgoing = udp_expect(fd, "hello", 5);
	udp_send(fd, &outgoing, bytes, 65507);
	udp_send(fd, &outgoing, "fits", 4);
	association_expect(&a, &target, "fits", 4);
	daemon_wait_stat(&d, "datagrams_dropped_too_large", before + 1);
	association_close(&a);
	close(fd);
	free(bytes);
}

/* ---- whose association it is ---- */

/* conforms: RFC1928/udp-bound */
static void bnd_addr_is_the_address_that_the_client_reached(void **state)
{
	struct addr expected = net_addr("127.0.0.2", 0), expected6 = net_addr("::1", 0);

	(void)state;
	association_open(&a, "127.0.0.2", port_of("127.0.0.2"), NULL);
	assert_int_equal(a.rep, 0);
	assert_true(addr_same_host(&a.relay, &expected));
	association_close(&a);
	open_ipv6_association();
	assert_true(addr_same_host(&a.relay, &expected6));
	association_close(&a);
}

static void udp_address_is_told_instead(void **state)
{
	struct daemon told;
	struct addr expected = net_addr("203.0.113.9", 0);

	(void)state;
	daemon_start(
		&told, (const char *const[]){"--udp-address", "203.0.113.9, 2001:db8::9", NULL});
	open_association(&told);
	assert_true(addr_same_host(&a.relay, &expected));
	a.relay = net_addr("127.0.0.1", addr_port(&a.relay));
	association_expect_echo(&a, &echo, "through the NAT");
	association_close(&a);
	daemon_stop(&told);
}

/* As behind a balancer that reaches this host by another one than clients do. */
static void udp_address_of_this_host_is_the_one_that_is_sent_to(void **state)
{
	struct daemon told;
	struct addr expected = net_addr("127.0.0.9", 0);

	(void)state;
	daemon_start(&told, (const char *const[]){"--udp-address", "127.0.0.9", NULL});
	open_association(&told);
	assert_true(addr_same_host(&a.relay, &expected));
	association_expect_echo(&a, &echo, "by the other address");
	association_close(&a);
	daemon_stop(&told);
}

static void udp_ports_is_a_range_and_its_end_a_clear_refusal(void **state)
{
	struct addr free1, free2;
	int fd1 = udp_socket("127.0.0.1", &free1), fd2 = udp_socket("127.0.0.1", &free2);
	struct association second;
	struct daemon ranged;
	char range[32];

	(void)state;
	/* One port of the range is taken already. */
	close(fd1);
	snprintf(range, sizeof(range), "%u", addr_port(&free1));
	daemon_start(&ranged, (const char *const[]){"--udp-ports", range, NULL});
	open_association(&ranged);
	assert_int_equal(addr_port(&a.relay), addr_port(&free1));
	association_expect_echo(&a, &echo, "hello");
	association_open(&second, "127.0.0.1", ranged.port, NULL);
	assert_int_equal(second.rep, 1);
	association_close(&second);
	daemon_wait_log(&ranged, NULL, " reason=no_socket reply=1 error=EADDRINUSE ");
	association_close(&a);
	daemon_stop(&ranged);
	close(fd2);
}

/* conforms: RFC1928/udp-zeros RFC1928/udp-limit */
static void the_hint_is_only_one(void **state)
{
	static const char *const zeros6 =
		"04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";
	char the_target[32];
	const char *const hints[] = {"01 00 00 00 00 00 00", zeros6, "01 c0 a8 01 07 12 34",
		"03 04 6e 61 6d 65 12 34", "03 00 00 00", "01 7f 00 00 01 00 00",
		"01 00 00 00 00 12 34", the_target};

	(void)state;
	/* Some put there what they will send to, which may be on their own host. */
	snprintf(the_target, sizeof(the_target), "01 7f 00 00 01 %02x %02x", addr_port(&echo) >> 8,
		addr_port(&echo) & 0xff);
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		association_open(&a, "127.0.0.1", d.port, hints[i]);
		assert_int_equal(a.rep, 0);
		association_expect_echo(&a, &echo, "hello");
		association_close(&a);
	}
}

/* conforms: RFC1928/udp-limit */
static void another_port_does_not_take_it_over(void **state)
{
	struct association other;

	(void)state;
	open_association(&d);
	association_expect_echo(&a, &echo, "mine");
	other = a;
	other.udp = udp_socket("127.0.0.1", &other.own);
	association_send(&other, 0, &echo, "theirs", 6);
	association_expect_echo(&a, &echo, "still mine");
	assert_true(udp_is_silent(other.udp));
	close(other.udp);
	association_close(&a);
}

/* conforms: RFC1928/udp-acquire RFC1928/udp-strangers */
static void another_address_is_never_served(void **state)
{
	long before = daemon_stat(&d, "datagrams_dropped_stranger");
	struct association other;

	(void)state;
	open_association(&d);
	other = a;
	other.udp = udp_socket("127.0.0.3", &other.own);
	association_send(&other, 0, &echo, "theirs", 6);
	daemon_wait_stat(&d, "datagrams_dropped_stranger", before + 1);
	association_expect_echo(&a, &echo, "mine");
	assert_true(udp_is_silent(other.udp));
	close(other.udp);
	association_close(&a);
}

static void udp_clients_may_send_from_elsewhere(void **state)
{
	static const char *const elsewhere[] = {"127.0.0.6", "127.0.0.8"};
	struct daemon open;

	(void)state;
	daemon_start(&open, (const char *const[]){"--udp-clients", "127.0.0.6/31", NULL});
	for (size_t i = 0; i < 2; i++) {
		struct association other;

		open_association(&open);
		other = a;
		other.udp = udp_socket(elsewhere[i], &other.own);
		if (i == 0) {
			association_expect_echo(&other, &echo, "hello");
		} else {
			association_send(&other, 0, &echo, "theirs", 6);
			daemon_wait_stat(&open, "datagrams_dropped_stranger", 1);
			association_expect_echo(&a, &echo, "mine");
			assert_true(udp_is_silent(other.udp));
		}
		close(other.udp);
		association_close(&a);
	}
	daemon_stop(&open);
}

/* ---- what is dropped, and ends nothing ---- */

/* conforms: RFC1928/udp-silent */
static void bad_datagrams_are_dropped_and_counted(void **state)
{
	static const char bad[][12] = {"", "\0", "\0\0\0", "\0\0\0\1", "\0\0\0\1\x7f\0\0\1\0",
		"\0\0\0\2\x7f\0\0\1\0\7", "\0\0\0\3", "\0\0\0\3\377ab", "\0\0\0\3\3abc\0"};
	static const size_t lengths[] = {0, 1, 3, 4, 9, 10, 4, 7, 9};
	long before = daemon_stat(&d, "datagrams_dropped_malformed");

	(void)state;
	open_association(&d);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		udp_send(a.udp, &a.relay, bad[i], lengths[i]);
	association_expect_echo(&a, &echo, "still there");
	assert_int_equal(daemon_stat(&d, "datagrams_dropped_malformed"), before + 9);
	association_close(&a);
}

static void rsv_is_not_looked_at(void **state)
{
	uint8_t bytes[263];
	size_t len = association_header(bytes, 0, &echo);

	(void)state;
	bytes[0] = bytes[1] = 0xff;
	bytes[len] = 'x';
	open_association(&d);
	udp_send(a.udp, &a.relay, bytes, len + 1);
	association_expect(&a, &echo, "x", 1);
	association_close(&a);
}

static void the_rules_are_asked_for_every_target(void **state)
{
	struct addr forbidden[] = {net_addr("0.0.0.0", addr_port(&echo)), net_addr("127.0.0.1", 0),
		net_addr("::", addr_port(&echo6)), net_addr("127.0.0.1", d.port)};
	long before = daemon_stat(&d, "datagrams_dropped_denied");

	(void)state;
	open_association(&d);
	for (size_t i = 0; i < 4; i++)
		association_send(&a, 0, &forbidden[i], "x", 1);
	association_send(&a, 0, &forbidden[0], "x", 1); /* by the remembered verdict */
	association_expect_echo(&a, &echo, "allowed");
	assert_int_equal(daemon_stat(&d, "datagrams_dropped_denied"), before + 5);
	/* Of a name's addresses, the first that they allow. */
	association_send_name(&a, "inside.test", addr_port(&echo), "inside", 6);
	association_expect(&a, &echo, "inside", 6);
	association_send_name(&a, "zero.test", addr_port(&echo), "x", 1);
	daemon_wait_stat(&d, "datagrams_dropped_denied", before + 6);
	association_close(&a);
}

static void errors_of_icmp_end_nothing(void **state)
{
	struct addr closed;
	int fd = udp_socket("127.0.0.1", &closed);

	(void)state;
	close(fd);
	open_association(&d);
	for (int i = 0; i < 5; i++) {
		association_send(&a, 0, &closed, "x", 1);
		association_expect_echo(&a, &echo, "still there");
	}
	association_close(&a);
}

static void a_client_that_closes_its_socket_may_come_back(void **state)
{
	struct addr target, outgoing, own;
	int fd = udp_socket("127.0.0.1", &target);

	(void)state;
	open_association(&d);
	association_send(&a, 0, &target, "hello", 5);
	outgoing = udp_expect(fd, "hello", 5);
	own = a.own;
	close(a.udp);
	for (int i = 0; i < 3; i++)
		udp_send(fd, &outgoing, "nobody there", 12);
	daemon_wait_stat(&d, "datagrams_received", 1);
	a.udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(a.udp, &own.sa, addr_len(&own)), 0);
	association_send(&a, 0, &target, "back", 4);
	udp_expect(fd, "back", 4);
	association_close(&a);
	close(fd);
}

/* ---- fragments ---- */

static void send_fragments(const char *fragments)
{
	/* "1a 2b 3c!": positions, a byte of data each, and the mark of the last. */
	for (const char *p = fragments; *p != '\0'; p++) {
		uint8_t frag = (uint8_t)(p[0] - '0');
		char byte = p[1];

		if (*p == ' ')
			continue;
		p++;
		if (p[1] == '!') {
			frag |= 0x80;
			p++;
		}
		association_send(&a, frag, &echo, &byte, 1);
	}
}

/* conforms: RFC1928/fragments */
static void fragments_are_put_together(void **state)
{
	(void)state;
	open_association(&d);
	send_fragments("1a 2b 3c!");
	association_expect(&a, &echo, "abc", 3);
	send_fragments("1d!");
	association_expect(&a, &echo, "d", 1);
	association_close(&a);
}

/* conforms: RFC1928/udp-silent */
static void fragments_that_never_become_whole_are_dropped_and_counted(void **state)
{
	static const struct {
		const char *fragments, *whole;
		int lost;
	} rows[] = {{"1a 3c! 1x 2y!", "xy", 2}, {"2a 3b! 1x!", "x", 2}, {"1a 2b 1x 2y!", "xy", 2},
		{"1a 2b 2c 1x!", "x", 3}, {"0a! 1x!", "x", 1}, {"1a 2b 0c 1x!", "x", 2}};

	(void)state;
	open_association(&d);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		long before = daemon_stat(&d, "datagrams_dropped_fragment");

		send_fragments(rows[i].fragments);
		if (strstr(rows[i].fragments, " 0c ") != NULL) /* a whole one between */
			association_expect(&a, &echo, "c", 1);
		association_expect(&a, &echo, rows[i].whole, strlen(rows[i].whole));
		assert_int_equal(
			daemon_stat(&d, "datagrams_dropped_fragment"), before + rows[i].lost);
	}
	association_close(&a);
}

static void fragments_make_up_the_largest_datagram(void **state)
{
	uint8_t *bytes = malloc(65507);
	size_t done = 0;

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < 65507; i++)
		bytes[i] = (uint8_t)(i * 3 + i / 509);
	open_ipv6_association();
	for (uint8_t frag = 1; frag <= 127; frag++) {
		size_t len = frag == 127 ? 65507 - done : 515;

		association_send(&a, frag == 127 ? 0xff : frag, &echo, bytes + done, len);
		done += len;
		if (frag % 16 == 0) /* a whole datagram would end the sequence */
			daemon_stat(&d, "datagrams_sent");
	}
	association_expect(&a, &echo, bytes, 65507);
	association_close(&a);
	free(bytes);
}

/* ---- names ---- */

static void a_name_that_is_looked_up_stalls_nobody(void **state)
{
	(void)state;
	open_association(&d);
	association_send_name(&a, "late.test", addr_port(&echo), "late 1", 6);
	association_send_name(&a, "late.test", addr_port(&echo), "late 2", 6);
	dns_wait_questions(dns, "late.test", 2);
	association_expect_echo(&a, &echo, "in time");
	association_send_name(&a, "echo.test", addr_port(&echo), "by name", 7);
	association_expect(&a, &echo, "by name", 7);
	dns_release(dns);
	association_expect(&a, &echo, "late 1", 6);
	association_expect(&a, &echo, "late 2", 6);
	association_close(&a);
}

static void what_waits_for_names_is_bounded(void **state)
{
	long before = daemon_stat(&d, "datagrams_dropped_queue_full");

	(void)state;
	open_association(&d);
	for (int i = 0; i < 70; i++)
		association_send_name(&a, "mute.test", addr_port(&echo), "x", 1);
	association_expect_echo(&a, &echo, "others go on");
	assert_int_equal(daemon_stat(&d, "datagrams_dropped_queue_full"), before + 6);
	association_close(&a);
	/* The association ended while lookups were under way. */
	daemon_wait_none(&d, "current_connections");
	daemon_wait_none(&d, "spare_descriptors_used");
}

static void names_that_lead_nowhere_are_dropped_and_counted(void **state)
{
	long before = daemon_stat(&d, "datagrams_dropped_name");

	(void)state;
	open_association(&d);
	association_send_name(&a, "absent.test", addr_port(&echo), "x", 1);
	association_send_name(&a, "a b", addr_port(&echo), "x", 1);
	association_send_name(&a, "", addr_port(&echo), "x", 1);
	daemon_wait_stat(&d, "datagrams_dropped_name", before + 3);
	association_send_name(&a, "absent.test", addr_port(&echo), "x", 1);
	association_expect_echo(&a, &echo, "still there");
	association_close(&a);
}

/* ---- who may answer ---- */

/* Three who answer: whom the client has sent to, the same host by another port, another host. Who
 * of them gets through, as bits. */
static unsigned who_gets_through(const char *filter)
{
	static const char *const hosts[] = {"127.0.0.1", "127.0.0.1", "127.0.0.4"};
	struct addr addrs[3], outgoing;
	struct daemon filtering;
	unsigned through = 0;
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = udp_socket(hosts[i], &addrs[i]);
	daemon_start(&filtering, (const char *const[]){"--udp-filter", filter, NULL});
	open_association(&filtering);
	association_send(&a, 0, &addrs[0], "hello", 5);
	outgoing = udp_expect(fds[0], "hello", 5);
	udp_send(fds[1], &outgoing, "1", 1);
	udp_send(fds[2], &outgoing, "2", 1);
	udp_send(fds[0], &outgoing, "0", 1);
	while (!(through & 1)) {
		uint8_t bytes[UDP_MAX];
		struct addr from;
		size_t len = udp_receive(a.udp, bytes, &from);

		through |= 1u << (bytes[len - 1] - '0');
	}
	association_close(&a);
	daemon_stop(&filtering);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	return through;
}

static void only_those_who_were_sent_to_may_answer(void **state)
{
	(void)state;
	assert_int_equal(who_gets_through("address"), 1 | 2);
	assert_int_equal(who_gets_through("address-port"), 1);
	assert_int_equal(who_gets_through("none"), 1 | 2 | 4);
}

/* ---- the end ---- */

/* Is nobody there any more who takes datagrams at `relay`? */
static void expect_no_relay(const struct addr *relay)
{
	struct addr own;
	int fd = udp_socket("127.0.0.1", &own);
	char byte;

	assert_int_equal(connect(fd, &relay->sa, addr_len(relay)), 0);
	while (send(fd, "x", 1, 0) == 1)
		;
	assert_int_equal(errno, ECONNREFUSED);
	assert_true(recv(fd, &byte, 1, MSG_DONTWAIT) < 0);
	close(fd);
}

/* conforms: RFC1928/udp-end */
static void it_ends_with_the_tcp_connection(void **state)
{
	size_t from = daemon_log_end(&d);
	const char *line;

	(void)state;
	open_association(&d);
	association_expect_echo(&a, &echo, "hello");
	net_send(a.tcp, "ignored", 7);
	association_expect_echo(&a, &echo, "again");
	association_close(&a);
	line = daemon_wait_log(&d, &from, "session ended");
	assert_non_null(strstr(line, " command=UDP_ASSOCIATE target=0.0.0.0:0 "));
	assert_non_null(strstr(line,
		" outcome=success reason=closed reply=0 sent=10 received=10 "
		"datagrams_sent=2 datagrams_received=2 datagrams_dropped=0 "));
	expect_no_relay(&a.relay);
	open_association(&d);
	net_reset(a.tcp);
	close(a.udp);
	daemon_wait_log(&d, &from, " reason=client_reset ");
	expect_no_relay(&a.relay);
}

static void the_tcp_connection_ends_with_it(void **state)
{
	struct daemon hasty;

	(void)state;
	daemon_start(&hasty, (const char *const[]){"--udp-timeout", "300ms", NULL});
	open_association(&hasty);
	net_expect_end(a.tcp);
	daemon_wait_log(&hasty, NULL, " reason=udp_idle reply=0 ");
	expect_no_relay(&a.relay);
	association_close(&a);
	daemon_stop(&hasty);
}

/* Says one line to the monitor and reads the beginning of the answer. */
static void ask_monitor(int fd, const char *line, const char *answer)
{
	char byte = 0;

	net_send(fd, line, strlen(line));
	net_expect(fd, answer, strlen(answer));
	while (byte != '\n')
		net_receive(fd, &byte, 1);
}

/* Starts a server that has an administrator; his connection to its monitor. */
static int start_watched(struct daemon *watched)
{
	int monitor;
	char byte = 0;

	daemon_start(
		watched, (const char *const[]){"-u", "alice:secret", "--auth", "optional", NULL});
	monitor = net_connect("127.0.0.1", watched->monitor_port);
	while (byte != '\n')
		net_receive(monitor, &byte, 1);
	ask_monitor(monitor, "alice:secret\n", "OK");
	return monitor;
}

static void an_administrator_ends_it(void **state)
{
	struct daemon watched;
	int monitor;

	(void)state;
	monitor = start_watched(&watched);
	open_association(&watched);
	association_expect_echo(&a, &echo, "hello");
	ask_monitor(monitor, "KILL 1\n", "OK");
	daemon_wait_log(&watched, NULL, " reason=killed ");
	net_expect_gone(a.tcp);
	expect_no_relay(&a.relay);
	close(monitor);
	association_close(&a);
	daemon_stop(&watched);
}

/* Who has denied a place sees that the rule has something to do. */
static void a_rule_that_turns_a_target_down_counts_it(void **state)
{
	struct daemon watched;
	int monitor;

	(void)state;
	monitor = start_watched(&watched);
	open_association(&watched);
	association_expect_echo(&a, &echo, "hello");
	ask_monitor(monitor, "DENY * 127.0.0.1 1h\n", "OK Rule t1 ");
	net_expect(monitor, "\n", 1);
	association_send(&a, 0, &echo, "denied", 6);
	daemon_wait_stat(&watched, "datagrams_dropped_denied", 1);
	ask_monitor(monitor, "RULES\n", "OK\nrule:t1 hits:1 ");
	close(monitor);
	association_close(&a);
	daemon_stop(&watched);
}

/* A target whose port is free for TCP too, which `listener` keeps. */
static int open_target(struct addr *bound, int *listener)
{
	uint16_t port;
	int fd;

	for (;;) {
		*listener = net_listen("127.0.0.1", &port);
		*bound = net_addr("127.0.0.1", port);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (bind(fd, &bound->sa, addr_len(bound)) == 0)
			return fd;
		close(fd);
		close(*listener);
	}
}

/* The monitor moves to where an association has sent to. */
static void what_the_proxy_listens_at_since_is_no_target(void **state)
{
	struct daemon watched;
	struct addr target, outgoing;
	int monitor, listener, fd = open_target(&target, &listener);
	char line[64];

	(void)state;
	monitor = start_watched(&watched);
	open_association(&watched);
	association_send(&a, 0, &target, "hello", 5);
	outgoing = udp_expect(fd, "hello", 5);
	close(listener);
	snprintf(line, sizeof(line), "CONFIG monitor_port %u\n", addr_port(&target));
	ask_monitor(monitor, line, "OK");
	association_send(&a, 0, &target, "to the monitor's port", 21);
	udp_send(fd, &outgoing, "late", 4); /* an answer to what was allowed then */
	daemon_wait_stat(&watched, "datagrams_dropped_filtered", 1);
	association_expect_echo(&a, &echo, "still there");
	daemon_wait_stat(&watched, "datagrams_dropped_denied", 1);
	close(fd);
	close(monitor);
	association_close(&a);
	daemon_stop(&watched);
}

static void stopping_ends_it(void **state)
{
	struct daemon stopped;

	(void)state;
	daemon_start(&stopped, NULL);
	open_association(&stopped);
	association_expect_echo(&a, &echo, "hello");
	daemon_stop(&stopped);
	net_expect_gone(a.tcp);
	association_close(&a);
}

static void without_spare_descriptors_it_is_refused(void **state)
{
	struct association all[40];
	struct daemon tight;
	size_t open = 0;

	(void)state;
	daemon_prepare(&tight);
	tight.open_files = 150;
	daemon_launch(&tight, (const char *const[]){"--max-sessions", "1000", NULL});
	do
		association_open(&all[open], "127.0.0.1", tight.port, NULL);
	while (all[open++].rep == 0 && open < 40);
	assert_true(open > 8 && open < 40);
	assert_int_equal(all[open - 1].rep, 1);
	daemon_wait_log(&tight, NULL, " reason=no_socket reply=1 error=EMFILE ");
	/* Those that were granted work, in the family that comes first at least. */
	association_expect_echo(&all[0], &echo, "hello");
	association_close(&all[--open]);
	association_close(&all[--open]);
	daemon_wait_log(&tight, NULL, " target=0.0.0.0:0 rule=otherwise outcome=success ");
	association_open(&a, "127.0.0.1", tight.port, NULL);
	assert_int_equal(a.rep, 0);
	association_close(&a);
	while (open > 0)
		association_close(&all[--open]);
	daemon_stop(&tight);
}

static void nothing_is_left_open(void **state)
{
	long before;

	(void)state;
	daemon_wait_none(&d, "current_connections");
	before = daemon_open_files(&d);
	for (int i = 0; i < 50; i++) {
		open_association(&d);
		association_expect_echo(&a, &echo, "hello");
		if (i % 2 == 0)
			association_expect_echo(&a, &echo6, "hello");
		association_close(&a);
	}
	daemon_wait_none(&d, "current_connections");
	assert_true(daemon_open_files(&d) <= before);
	daemon_wait_none(&d, "spare_descriptors_used");
}

/* ---- rules with times ---- */

/* From then on it is so many seconds before noon in the zone of the servers that are started. */
static void make_it_noon_in(int seconds)
{
	int offset = (int)(time(NULL) % 86400) - (43200 - seconds);
	int size = abs(offset);
	char zone[32];

	snprintf(zone, sizeof(zone), "TST%c%d:%02d:%02d", offset < 0 ? '-' : '+', size / 3600,
		size / 60 % 60, size % 60);
	setenv("TZ", zone, 1);
}

/* The second one is always allowed, and the server has seen to the first when its echo comes; that
 * of the first may come behind it. */
static bool passes(struct daemon *of, const struct addr *first, const struct addr *second)
{
	long denied = daemon_stat(of, "datagrams_dropped_denied");
	struct addr from;
	uint8_t header[262], bytes[512];
	size_t len = association_header(header, 0, second), echoes = 0, received;
	bool has_passed;

	association_send(&a, 0, first, "first", 5);
	association_send(&a, 0, second, "second", 6);
	do {
		received = udp_receive(a.udp, bytes, &from);
		echoes++;
	} while (received <= len || memcmp(bytes, header, len) != 0);
	has_passed = daemon_stat(of, "datagrams_dropped_denied") == denied;
	if (has_passed && echoes == 1)
		association_expect(&a, first, "first", 5);
	return has_passed;
}

static void an_association_follows_a_rule_with_a_time(void **state)
{
	int64_t deadline = clock_deadline(NET_PATIENCE_S * 1000);
	struct addr other;
	struct udp_echo *other_thread = udp_echo_start("127.0.0.1", &other);
	struct daemon timed;
	char rule[128];
	int seconds = 2;

	(void)state;
	snprintf(
		rule, sizeof(rule), "deny to 127.0.0.1 port %u time 12:00-23:00", addr_port(&echo));
	for (;; seconds *= 2) {
		assert_true(clock_ms() < deadline);
		make_it_noon_in(seconds);
		daemon_start(&timed, (const char *const[]){"--rule", rule, NULL});
		open_association(&timed);
		if (passes(&timed, &echo, &other))
			break; /* else it took longer to start than that */
		association_close(&a);
		daemon_stop(&timed);
	}
	while (passes(&timed, &echo, &other))
		assert_true(clock_ms() < deadline);
	association_close(&a);
	daemon_stop(&timed);
	unsetenv("TZ");
	udp_echo_stop(other_thread);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_and_targets_of_both_families_are_relayed_between),
		cmocka_unit_test(an_empty_datagram_is_one),
		cmocka_unit_test(targets_may_be_names),
		cmocka_unit_test(every_batch_arrives_in_its_order),
		cmocka_unit_test(datagrams_of_65507_bytes_pass_whole),
		cmocka_unit_test(a_reply_too_large_for_its_header_ends_nothing),
		cmocka_unit_test(bnd_addr_is_the_address_that_the_client_reached),
		cmocka_unit_test(udp_address_is_told_instead),
		cmocka_unit_test(udp_address_of_this_host_is_the_one_that_is_sent_to),
		cmocka_unit_test(udp_ports_is_a_range_and_its_end_a_clear_refusal),
		cmocka_unit_test(the_hint_is_only_one),
		cmocka_unit_test(another_port_does_not_take_it_over),
		cmocka_unit_test(another_address_is_never_served),
		cmocka_unit_test(udp_clients_may_send_from_elsewhere),
		cmocka_unit_test(bad_datagrams_are_dropped_and_counted),
		cmocka_unit_test(rsv_is_not_looked_at),
		cmocka_unit_test(the_rules_are_asked_for_every_target),
		cmocka_unit_test(errors_of_icmp_end_nothing),
		cmocka_unit_test(a_client_that_closes_its_socket_may_come_back),
		cmocka_unit_test(fragments_are_put_together),
		cmocka_unit_test(fragments_that_never_become_whole_are_dropped_and_counted),
		cmocka_unit_test(fragments_make_up_the_largest_datagram),
		cmocka_unit_test(a_name_that_is_looked_up_stalls_nobody),
		cmocka_unit_test(what_waits_for_names_is_bounded),
		cmocka_unit_test(names_that_lead_nowhere_are_dropped_and_counted),
		cmocka_unit_test(only_those_who_were_sent_to_may_answer),
		cmocka_unit_test(it_ends_with_the_tcp_connection),
		cmocka_unit_test(the_tcp_connection_ends_with_it),
		cmocka_unit_test(an_administrator_ends_it),
		cmocka_unit_test(a_rule_that_turns_a_target_down_counts_it),
		cmocka_unit_test(what_the_proxy_listens_at_since_is_no_target),
		cmocka_unit_test(stopping_ends_it),
		cmocka_unit_test(without_spare_descriptors_it_is_refused),
		cmocka_unit_test(an_association_follows_a_rule_with_a_time),
		cmocka_unit_test(nothing_is_left_open),
	};

	return cmocka_run_group_tests_name("daemon/udp", tests, setup, teardown);
}
