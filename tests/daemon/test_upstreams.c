/* The real server through upstreams: what it sends them, what it makes of each of their answers,
 * and which it takes when some do not work. Most of the upstreams are the test's own. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/check.h"
#include "dns.h"
#include "monitor.h"
#include "suite.h"

static const struct dns_record records[] = {
	{"here.test", DNS_ANSWER, 600, "127.0.0.1"},
	{"both.test", DNS_ANSWER, 600, "2001:db8::1 127.0.0.1"},
	{"far.test", DNS_ANSWER, 600, "2001:db8::1 192.0.2.1"},
	{NULL, DNS_ANSWER, 0, NULL},
};

static struct dns *dns;
static struct daemon d, other; /* the other one is an upstream, with a login */
static struct net_echo *echo;
static uint16_t echo_port;
static int monitor;

/* An upstream of the test's own. */
static int upstream;
static uint16_t port;

static int setup(void **state)
{
	(void)state;
	dns = dns_start(records);
	echo = net_echo_start("127.0.0.1", &echo_port);
	monitor_start_daemon(&other, NULL);
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
	net_echo_stop(echo);
	dns_stop(dns);
	return 0;
}

static int open_upstream(void **state)
{
	(void)state;
	upstream = net_listen("127.0.0.1", &port);
	return 0;
}

static int close_upstream(void **state)
{
	(void)state;
	close(upstream);
	return 0;
}

/* A client that has asked for this and waits. */
static int ask_for(const char *host, uint16_t target_port)
{
	int fd = net_connect("127.0.0.1", d.port);

	net_socks_greet(fd);
	net_socks_send_connect(fd, host, target_port);
	return fd;
}

static void expect_reply(int client, uint8_t rep)
{
	struct addr bound;

	assert_int_equal(net_socks_read_reply(client, &bound), rep);
}

/* The steps of a SOCKS5 upstream without a login, up to the request for x.test:80. */
static int accept_request(void)
{
	int fd = net_accept(upstream);

	net_expect_hex(fd, "05 01 00");
	net_send_hex(fd, "05 00");
	net_expect_hex(fd, "05 01 00 03 06 78 2e 74 65 73 74 00 50");
	return fd;
}

/* ---- what goes to them ---- */

static void through_another_of_us_with_a_login(void **state)
{
	static const char *const schemes[] = {"socks5", "socks5h"};
	uint8_t rep;

	(void)state;
	for (size_t i = 0; i < COUNT(schemes); i++) {
		int fd;

		daemon_use_config(&d,
			"upstream = a %s://alice:%%73ecret@127.0.0.1:%u\nrule = via a\n",
			schemes[i], other.port);
		fd = net_socks_connect(d.port, "127.0.0.1", echo_port, &rep);
		assert_int_equal(rep, 0);
		net_send(fd, "there and back", 14);
		net_expect(fd, "there and back", 14);
		close(fd);
		fd = net_socks_connect(d.port, "127.0.0.1", 1, &rep);
		assert_int_equal(rep, 5);
		close(fd);
	}
	daemon_wait_log(&other, NULL, "user=alice");
}

static void a_name_is_sent_as_it_is(void **state)
{
	size_t from = daemon_log_end(&d);
	struct addr bound;
	char text[ADDR_TEXT_MAX];
	int client, fd;

	(void)state;
	daemon_use_config(&d, "upstream = a socks5://127.0.0.1:%u\nrule = via a\n", port);
	client = ask_for("x.test", 80);
	fd = accept_request();
	/* what is behind the answer is the target's */
	net_send_hex(fd, "05 00 00 01 c0 00 02 07 12 34 68 65 6c 6c 6f");
	assert_int_equal(net_socks_read_reply(client, &bound), 0);
	assert_string_equal(addr_format(&bound, text), "192.0.2.7:4660");
	net_expect(client, "hello", 5);
	assert_non_null(strstr(monitor_ask(monitor, "CONNECTIONS"), " upstream:a"));
	net_send(client, "bye", 3);
	net_expect(fd, "bye", 3);
	shutdown(client, SHUT_WR);
	net_expect_end(fd);
	net_send(fd, "last", 4);
	net_expect(client, "last", 4);
	close(fd);
	net_expect_end(client);
	close(client);
	daemon_wait_log(&d, &from, " upstream=a ");
}

static void a_reset_passes_through(void **state)
{
	int client, fd;

	(void)state;
	daemon_use_config(&d, "upstream = a socks5://127.0.0.1:%u\nrule = via a\n", port);
	client = ask_for("x.test", 80);
	fd = accept_request();
	net_send_hex(fd, "05 00 00 01 00 00 00 00 00 00");
	expect_reply(client, 0);
	net_reset(fd);
	net_expect_reset(client);
	close(client);
}

static void answers_may_come_byte_by_byte(void **state)
{
	static const char *const bytes[] = {
		"05", "00", "00", "03", "02", "61", "62", "00", "50", "21"};
	int client, fd;

	(void)state;
	daemon_use_config(&d, "upstream = a socks5://127.0.0.1:%u\nrule = via a\n", port);
	client = ask_for("x.test", 80);
	fd = accept_request();
	for (size_t i = 0; i < COUNT(bytes); i++)
		net_send_hex(fd, bytes[i]);
	expect_reply(client, 0);
	net_expect(client, "!", 1);
	close(fd);
	close(client);
}

static void a_name_is_looked_up_here_where_that_is_said(void **state)
{
	int client, fd;

	(void)state;
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nprotect = none\n"
		"rule = via a resolve=here\n",
		port);
	client = ask_for("here.test", 80);
	fd = net_accept(upstream);
	net_expect_hex(fd, "05 01 00");
	net_send_hex(fd, "05 00");
	net_expect_hex(fd, "05 01 00 01 7f 00 00 01 00 50");
	net_send_hex(fd, "05 00 00 01 00 00 00 00 00 00");
	expect_reply(client, 0);
	close(fd);
	close(client);
}

static void socks4a_gets_names_and_ipv4(void **state)
{
	int client, fd;

	(void)state;
	daemon_use_config(&d, "upstream = a socks4a://me@127.0.0.1:%u\nrule = via a\n", port);
	client = ask_for("x.test", 80);
	fd = net_accept(upstream);
	net_expect(fd, "\4\1\0\x50\0\0\0\1me\0x.test\0", 18);
	net_send(fd, "\0\x5a\0\x50\xc0\0\2\7hello", 13);
	expect_reply(client, 0);
	net_expect(client, "hello", 5);
	close(fd);
	close(client);
	client = ask_for("198.51.100.1", 80);
	fd = net_accept(upstream);
	net_expect(fd, "\4\1\0\x50\xc6\x33\x64\1me\0", 11);
	net_send(fd, "\0\x5b\0\0\0\0\0\0", 8);
	expect_reply(client, 1);
	close(fd);
	close(client);
	client = ask_for("2001:db8::1", 80);
	expect_reply(client, 8);
	close(client);
}

static void expect_connect(int fd, const char *authority, const char *login)
{
	char expected[256];
	int len = snprintf(expected, sizeof(expected), "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n",
		authority, authority, login);

	net_expect(fd, expected, (size_t)len);
}

static void http_gets_connect(void **state)
{
	static const char early[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 Go\n\nhello";
	int client, fd;

	(void)state;
	daemon_use_config(&d, "upstream = a http://al:s:x@127.0.0.1:%u\nrule = via a\n", port);
	client = ask_for("2001:db8::1", 443);
	fd = net_accept(upstream);
	expect_connect(fd, "[2001:db8::1]:443", "Proxy-Authorization: Basic YWw6czp4\r\n");
	net_send(fd, early, sizeof(early) - 1);
	expect_reply(client, 0);
	net_expect(client, "hello", 5);
	close(fd);
	close(client);
}

/* ---- plain HTTP ---- */

static int ask_by_http(const char *request)
{
	int fd = net_connect("127.0.0.1", d.port);

	net_send(fd, request, strlen(request));
	return fd;
}

static void expect_text(int fd, const char *text)
{
	net_expect(fd, text, strlen(text));
}

/* With that upstream's login and no other; an upstream's own question for one is no answer to the
 * client. */
static void plain_http_is_told_in_absolute_form(void **state)
{
	static const char request[] = "GET http://x.test:81/a?b HTTP/1.1\r\nHost: y\r\nA: b\r\n"
				      "Proxy-Authorization: Basic Y2xpZW50\r\n\r\n";
	static const char told[] =
		"GET http://x.test:81/a?b HTTP/1.1\r\nHost: x.test:81\r\nA: b\r\n"
		"Connection: close\r\nProxy-Authorization: Basic YWw6cHc=\r\n\r\n";
	int client, fd;

	(void)state;
	daemon_use_config(&d, "upstream = a http://al:pw@127.0.0.1:%u\nrule = via a\n", port);
	client = ask_by_http(request);
	fd = net_accept(upstream);
	expect_text(fd, told);
	net_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 40);
	expect_text(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
	close(client);
	close(fd);
	client = ask_by_http(request);
	fd = net_accept(upstream);
	expect_text(fd, told);
	net_send(fd, "HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n", 41);
	expect_text(client, "HTTP/1.1 502 ");
	close(client);
	close(fd);
}

/* To the address, where that is what is to be sent; and through kinds that have tunnels only. */
static void plain_http_goes_through_tunnels(void **state)
{
	static const char request[] = "GET http://here.test/ HTTP/1.1\r\nHost: y\r\n\r\n";
	static const char told[] = "GET / HTTP/1.1\r\nHost: here.test\r\nConnection: close\r\n\r\n";
	int client, fd;

	(void)state;
	daemon_use_config(&d,
		"upstream = a http://127.0.0.1:%u\nprotect = none\nrule = via a resolve=here\n",
		port);
	client = ask_by_http(request);
	fd = net_accept(upstream);
	expect_connect(fd, "127.0.0.1:80", "");
	net_send(fd, "HTTP/1.1 200 OK\r\n\r\n", 19);
	expect_text(fd, told);
	close(fd);
	close(client);
	daemon_use_config(&d, "upstream = a socks4a://127.0.0.1:%u\nrule = via a\n", port);
	client = ask_by_http(request);
	fd = net_accept(upstream);
	net_expect(fd, "\4\1\0\x50\0\0\0\1\0here.test\0", 19);
	net_send(fd, "\0\x5a\0\x50\xc0\0\2\7", 8);
	expect_text(fd, told);
	close(fd);
	close(client);
}

/* What comes behind the upstream's reply is the beginning of an answer like any other. */
static void an_answer_may_come_with_the_reply(void **state)
{
	static const char request[] = "GET http://x.test/ HTTP/1.1\r\nHost: y\r\n\r\n";
	static const char early[] = "\0\x5a\0\x50\xc0\0\2\7"
				    "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n"
				    "Content-Length: 2\r\n\r\nhimore";
	static const char garbage[] = "\0\x5a\0\x50\xc0\0\2\7gibberish\r\n\r\n";
	int client, fd;

	(void)state;
	daemon_use_config(&d, "upstream = a socks4a://127.0.0.1:%u\nrule = via a\n", port);
	client = ask_by_http(request);
	fd = net_accept(upstream);
	net_expect(fd, "\4\1\0\x50\0\0\0\1\0x.test\0", 16);
	net_send(fd, early, sizeof(early) - 1);
	expect_text(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
	net_expect_gone(client);
	close(client);
	close(fd);
	client = ask_by_http(request);
	fd = net_accept(upstream);
	net_expect(fd, "\4\1\0\x50\0\0\0\1\0x.test\0", 16);
	net_send(fd, garbage, sizeof(garbage) - 1);
	expect_text(client, "HTTP/1.1 502 ");
	close(client);
	close(fd);
}

static void http_clients_are_told_by_status(void **state)
{
	uint16_t dead;
	int refusing = net_refusing_port(&dead), client;

	(void)state;
	daemon_use_config(&d, "upstream = a socks5://127.0.0.1:%u\nrule = via a\n", dead);
	client = ask_by_http("CONNECT x.test:443 HTTP/1.1\r\nHost: x.test:443\r\n\r\n");
	expect_text(client, "HTTP/1.1 503 ");
	close(client);
	client = ask_by_http("GET http://x.test/ HTTP/1.1\r\nHost: x.test\r\n\r\n");
	expect_text(client, "HTTP/1.1 503 ");
	close(client);
	close(refusing);
}

/* ---- BIND ---- */

static int ask_for_bind(const char *dst)
{
	int fd = net_connect("127.0.0.1", d.port);

	net_socks_greet(fd);
	net_send_hex(fd, dst);
	return fd;
}

static void an_upstream_listens_for_bind(void **state)
{
	struct addr bound;
	char text[ADDR_TEXT_MAX];
	int client, fd;

	(void)state;
	daemon_use_config(&d,
		"upstream = a http://127.0.0.1:%u, socks5://127.0.0.1:%u\nrule = via a\n", port,
		port);
	client = ask_for_bind("05 02 00 03 06 78 2e 74 65 73 74 00 50");
	fd = net_accept(upstream);
	net_expect_hex(fd, "05 01 00");
	net_send_hex(fd, "05 00");
	net_expect_hex(fd, "05 02 00 03 06 78 2e 74 65 73 74 00 50");
	/* an unspecified address is the upstream's own */
	net_send_hex(fd, "05 00 00 01 00 00 00 00 12 34");
	assert_int_equal(net_socks_read_reply(client, &bound), 0);
	assert_string_equal(addr_format(&bound, text), "127.0.0.1:4660");
	net_send_hex(fd, "05 00 00 01 c6 33 64 07 00 14 21 21");
	assert_int_equal(net_socks_read_reply(client, &bound), 0);
	assert_string_equal(addr_format(&bound, text), "198.51.100.7:20");
	net_expect(client, "!!", 2);
	net_send(client, "bye", 3);
	net_expect(fd, "bye", 3);
	close(client);
	close(fd);
}

static void a_peer_that_came_to_an_upstream_is_judged(void **state)
{
	size_t from = daemon_log_end(&d);
	int client, fd;

	(void)state;
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nrule = deny to 198.51.100.0/24\n"
		"rule = via a\n",
		port);
	client = ask_for_bind("05 02 00 01 00 00 00 00 00 00");
	fd = net_accept(upstream);
	net_expect_hex(fd, "05 01 00");
	net_send_hex(fd, "05 00");
	net_expect_hex(fd, "05 02 00 01 00 00 00 00 00 00");
	net_send_hex(fd, "05 00 00 01 7f 00 00 01 12 34");
	expect_reply(client, 0);
	net_send_hex(fd, "05 00 00 01 c6 33 64 07 00 14");
	expect_reply(client, 2);
	net_expect_gone(fd);
	close(client);
	close(fd);
	daemon_wait_log(&d, &from, " reason=target_denied ");
}

static void bind_by_kinds_that_have_none_is_refused(void **state)
{
	int client;

	(void)state;
	daemon_use_config(&d,
		"upstream = a http://127.0.0.1:%u, socks4a://127.0.0.1:%u\nrule = via a\n", port,
		port);
	client = ask_for_bind("05 02 00 03 06 78 2e 74 65 73 74 00 50");
	expect_reply(client, 7);
	close(client);
}

/* Our own server, and a peer that really comes. */
static void through_another_of_us_by_bind(void **state)
{
	struct addr bound, peer;
	int client, fd;

	(void)state;
	daemon_use_config(
		&d, "upstream = a socks5://alice:secret@127.0.0.1:%u\nrule = via a\n", other.port);
	client = ask_for_bind("05 02 00 01 7f 00 00 01 00 00");
	assert_int_equal(net_socks_read_reply(client, &bound), 0);
	fd = net_connect("127.0.0.1", addr_port(&bound));
	assert_int_equal(net_socks_read_reply(client, &peer), 0);
	net_send(fd, "there", 5);
	net_expect(client, "there", 5);
	net_send(client, "and back", 8);
	net_expect(fd, "and back", 8);
	close(client);
	close(fd);
}

/* ---- what they answer ---- */

static void what_it_says_of_the_target_is_said_on(void **state)
{
	static const struct {
		const char *answer;
		uint8_t rep;
		const char *reason;
	} rows[] = {{"05 01", 1, "upstream_failed"}, {"05 02", 2, "upstream_denied"},
		{"05 03", 3, "network_unreachable"}, {"05 04", 4, "host_unreachable"},
		{"05 05 00 01 00 00 00 00 00 00", 5, "connect_refused"},
		{"05 06", 6, "connect_timeout"}, {"05 07", 7, "command_unsupported"},
		{"05 08", 8, "atyp_unsupported"}, {"05 09", 1, "upstream_failed"},
		{"05 ff", 1, "upstream_failed"}};

	(void)state;
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u, socks5://127.0.0.1:%u\nrule = via a\n", port,
		other.port);
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t from = daemon_log_end(&d);
		int client = ask_for("x.test", 80), fd = accept_request();
		char expected[64];

		net_send_hex(fd, rows[i].answer);
		expect_reply(client, rows[i].rep);
		close(client);
		close(fd);
		snprintf(expected, sizeof(expected), " reason=%s ", rows[i].reason);
		daemon_wait_log(&d, &from, expected);
	}
	assert_contains(monitor_ask(monitor, "UPSTREAMS"), "failures:0 fault:-\n");
}

static void what_http_says_of_the_target_is_said_on(void **state)
{
	static const struct {
		const char *status;
		uint8_t rep;
	} rows[] = {{"403 No", 2}, {"404 No", 2}, {"500 No", 1}, {"502 No", 1}, {"503 No", 1},
		{"504 No", 6}, {"302 No", 1}};

	(void)state;
	daemon_use_config(&d, "upstream = a http://127.0.0.1:%u\nrule = via a\n", port);
	for (size_t i = 0; i < COUNT(rows); i++) {
		int client = ask_for("x.test", 80), fd = net_accept(upstream);
		char answer[128];

		expect_connect(fd, "x.test:80", "");
		snprintf(answer, sizeof(answer), "HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\nno",
			rows[i].status);
		net_send(fd, answer, strlen(answer));
		expect_reply(client, rows[i].rep);
		close(client);
		close(fd);
	}
	assert_contains(monitor_ask(monitor, "UPSTREAMS"), "failures:0 fault:-\n");
}

/* ---- when they do not work ---- */

/* The first URL does what `misbehave` does with the connection; the second one is the other server,
 * which takes over. */
static void expect_next_after(void (*misbehave)(int fd), const char *scheme, const char *fault)
{
	char expected[64];
	uint8_t rep;
	int client, fd;

	daemon_use_config(&d,
		"upstream = a %s127.0.0.1:%u, socks5://alice:secret@127.0.0.1:%u\n"
		"protect = none\nrule = via a\nconnect_timeout = 3s\n",
		scheme, port, other.port);
	client = ask_for("127.0.0.1", echo_port);
	fd = net_accept(upstream);
	misbehave(fd);
	expect_reply(client, 0);
	net_send(client, "there and back", 14);
	net_expect(client, "there and back", 14);
	close(client);
	close(fd);
	snprintf(expected, sizeof(expected), " fault:%s\n", fault);
	assert_contains(monitor_ask(monitor, "UPSTREAMS"), expected);
	if (strcmp(fault, "-") == 0)
		return;
	/* it rests: nobody comes */
	client = net_socks_connect(d.port, "127.0.0.1", echo_port, &rep);
	assert_int_equal(rep, 0);
	close(client);
	assert_contains(monitor_ask(monitor, "UPSTREAMS"), " state:resting ");
}

static void close_at_once(int fd)
{
	shutdown(fd, SHUT_RDWR);
}

static void be_silent(int fd)
{
	(void)fd;
}

static void speak_another_version(int fd)
{
	net_expect_hex(fd, "05 01 00");
	net_send_hex(fd, "04 00");
}

static void speak_garbage(int fd)
{
	net_send(fd, "220 mail.example.org ESMTP\r\n", 28);
}

static void want_a_login(int fd)
{
	net_expect_hex(fd, "05 01 00");
	net_send_hex(fd, "05 ff");
}

static void refuse_the_login(int fd)
{
	net_expect_hex(fd, "05 02 00 02");
	net_send_hex(fd, "05 02");
	net_expect_hex(fd, "01 02 6d 65 02 73 33");
	net_send_hex(fd, "01 01");
}

static void want_a_login_by_http(int fd)
{
	static const char answer[] = "HTTP/1.1 407 Login\r\n\r\n";

	net_send(fd, answer, sizeof(answer) - 1);
}

static void close_after_the_request(int fd)
{
	char request[10];

	net_expect_hex(fd, "05 01 00");
	net_send_hex(fd, "05 00");
	net_receive(fd, request, sizeof(request));
	close_at_once(fd);
}

static void the_next_one_is_tried_when_one_does_not_work(void **state)
{
	static const struct {
		void (*misbehave)(int fd);
		const char *scheme, *fault;
	} rows[] = {{close_at_once, "socks5://", "broken_off"}, {be_silent, "socks5://", "silent"},
		{speak_another_version, "socks5://", "garbled"},
		{speak_garbage, "socks5://", "garbled"}, {speak_garbage, "http://", "garbled"},
		{speak_garbage, "socks4a://", "garbled"},
		{want_a_login, "socks5://", "login_refused"},
		{refuse_the_login, "socks5://me:s3@", "login_refused"},
		{want_a_login_by_http, "http://", "login_refused"},
		/* it may be the target's doing */
		{close_after_the_request, "socks5://", "-"}, {close_at_once, "http://", "-"},
		{be_silent, "socks4a://", "-"}, {be_silent, "http://", "-"}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (i > 0)
			open_upstream(state);
		expect_next_after(rows[i].misbehave, rows[i].scheme, rows[i].fault);
		if (i + 1 < COUNT(rows))
			close_upstream(state);
	}
}

static void nothing_goes_straight_when_all_are_down(void **state)
{
	size_t from = daemon_log_end(&d);
	uint16_t dead;
	int refusing = net_refusing_port(&dead);
	uint8_t rep;

	(void)state;
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nupstream = b http://127.0.0.1:%u\n"
		"protect = none\nrule = via a, b\n",
		dead, dead);
	close(net_socks_connect(d.port, "127.0.0.1", echo_port, &rep));
	assert_int_equal(rep, 1);
	daemon_wait_log(&d, &from, " reason=upstreams_down ");
	close(net_socks_connect(d.port, "here.test", echo_port, &rep));
	assert_int_equal(rep, 1);
	close(refusing);
}

static void it_goes_straight_where_that_is_said(void **state)
{
	uint16_t dead;
	int refusing = net_refusing_port(&dead), fd;
	uint8_t rep;

	(void)state;
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nprotect = none\nrule = deny to 127.0.0.9\n"
		"rule = via a, direct\n",
		dead);
	fd = net_socks_connect(d.port, "127.0.0.1", echo_port, &rep);
	assert_int_equal(rep, 0);
	net_send(fd, "there", 5);
	net_expect(fd, "there", 5);
	close(fd);
	fd = net_socks_connect(d.port, "here.test", echo_port, &rep);
	assert_int_equal(rep, 0);
	close(fd);
	close(refusing);
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nrule = deny to 127.0.0.1\n"
		"rule = via a, direct\n",
		dead);
	close(net_socks_connect(d.port, "here.test", echo_port, &rep));
	assert_int_equal(rep, 2);
}

static void down_and_back_are_a_line_each(void **state)
{
	size_t from = daemon_log_end(&d);
	uint16_t dead;
	int refusing = net_refusing_port(&dead);
	uint8_t rep;

	(void)state;
	daemon_use_config(&d, "upstream = a socks5://127.0.0.1:%u\nrule = via a\n", dead);
	for (int i = 0; i < 3; i++)
		close(net_socks_connect(d.port, "x.test", 80, &rep));
	assert_contains(
		daemon_wait_log(&d, &from, "msg=\"upstream is down\""), "fault=unreachable");
	assert_int_equal(rep, 1);
	assert_contains(monitor_ask(monitor, "STATS"), "\nupstream a 1 failures:1\n");
	close(refusing);
}

/* A plain request's answer may be long in coming: what never comes is the upstream's failure, but
 * not where others have theirs meanwhile. */
static void one_that_never_answers_plain_http_rests(void **state)
{
	static const char request[] = "GET http://x.test/ HTTP/1.1\r\nHost: x.test\r\n\r\n";
	size_t from = daemon_log_end(&d);
	int slow, served, fds[2];

	(void)state;
	daemon_use_config(
		&d, "upstream = a http://127.0.0.1:%u\nrule = via a\ntimeout = 1s\n", port);
	slow = ask_by_http(request);
	fds[0] = net_accept(upstream);
	served = ask_by_http(request);
	fds[1] = net_accept(upstream);
	net_send(fds[1], "HTTP/1.1 204 So\r\n\r\n", 19);
	expect_text(served, "HTTP/1.1 204 So\r\n");
	expect_text(slow, "HTTP/1.1 504 ");
	assert_contains(monitor_ask(monitor, "UPSTREAMS"), " state:up ");
	close(served);
	close(slow);
	close(fds[0]);
	close(fds[1]);
	slow = ask_by_http(request);
	fds[0] = net_accept(upstream);
	expect_text(slow, "HTTP/1.1 504 ");
	assert_contains(daemon_wait_log(&d, &from, "msg=\"upstream is down\""), "fault=silent");
	assert_contains(monitor_ask(monitor, "UPSTREAMS"), " state:resting ");
	close(slow);
	close(fds[0]);
	slow = ask_by_http(request);
	expect_text(slow, "HTTP/1.1 503 ");
	close(slow);
}

/* By another name than any that -n could see through. */
static void the_proxy_is_no_upstream_of_itself(void **state)
{
	size_t from = daemon_log_end(&d);
	uint8_t rep;

	(void)state;
	daemon_use_config(&d, "upstream = a socks5://here.test:%u\nrule = via a\n", d.port);
	close(net_socks_connect(d.port, "x.test", 80, &rep));
	assert_int_equal(rep, 1);
	daemon_wait_log(&d, &from, "fault=loop");
	assert_null(
		strstr(daemon_reload_with(&d, "upstream = a socks5://u:verysecret@127.0.0.1:0\n",
			       "nothing changed"),
			"verysecret"));
}

static void a_client_that_leaves_is_not_waited_for(void **state)
{
	size_t from = daemon_log_end(&d);
	int client, fd;

	(void)state;
	daemon_use_config(&d, "upstream = a socks5://127.0.0.1:%u\nrule = via a\n", port);
	client = ask_for("x.test", 80);
	fd = accept_request();
	net_reset(client);
	net_expect_gone(fd);
	close(fd);
	daemon_wait_log(&d, &from, " reason=client_left ");
	assert_contains(monitor_ask(monitor, "UPSTREAMS"), " state:up ");
}

/* One that is asked for [2001:db8::1] first. */
static int accept_request_for_address(uint16_t target_port)
{
	char hex[80];
	int fd = net_accept(upstream);

	net_expect_hex(fd, "05 01 00");
	net_send_hex(fd, "05 00");
	snprintf(hex, sizeof(hex),
		"05 01 00 04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 %02x %02x",
		target_port >> 8, target_port & 0xff);
	net_expect_hex(fd, hex);
	return fd;
}

static void what_goes_straight_behind_a_refusal_is_through_nobody(void **state)
{
	size_t from = daemon_log_end(&d);
	int client, fd;

	(void)state;
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nprotect = none\n"
		"rule = via a to 2001:db8::/32\n",
		port);
	client = ask_for("both.test", echo_port);
	fd = accept_request_for_address(echo_port);
	net_send_hex(fd, "05 05 00 01 00 00 00 00 00 00");
	expect_reply(client, 0);
	assert_null(strstr(monitor_ask(monitor, "CONNECTIONS"), " upstream:a"));
	assert_contains(monitor_ask(monitor, "UPSTREAMS"), " sessions:0 total:0 ");
	close(client);
	close(fd);
	assert_null(strstr(daemon_wait_log(&d, &from, " target=both.test:"), " upstream="));
}

/* Its silence about the first address has taken all the time. */
static void one_without_time_for_another_address_is_not_blamed(void **state)
{
	int client, fd;

	(void)state;
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nrule = via a to 2001:db8::/32\n"
		"rule = via a to 192.0.2.0/24\nconnect_timeout = 1s\n",
		port);
	client = ask_for("far.test", 80);
	fd = accept_request_for_address(80);
	expect_reply(client, 6);
	assert_contains(monitor_ask(monitor, "UPSTREAMS"), " state:up ");
	close(client);
	close(fd);
}

/* What is said of a name that is sent on is said by the name alone, also afterwards. */
static void a_name_is_judged_again_by_itself(void **state)
{
	size_t from;
	int client, fd;

	(void)state;
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nrule = deny to 10.0.0.0/8\nrule = via a\n"
		"recheck = all\n"
		"expect = allow from=10.9.9.9 to=x.test@10.0.0.1:80\n"
		"expect = deny from=10.9.9.9 to=10.0.0.1:80\n",
		port);
	client = ask_for("x.test", 80);
	fd = accept_request();
	net_send_hex(fd, "05 00 00 01 00 00 00 00 00 00");
	expect_reply(client, 0);
	assert_contains(monitor_ask(monitor, "EXPLAIN from=10.9.9.9 to=x.test:80"),
		"verdict:allow rule:2 upstream:a ");
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nrule = deny to 0.0.0.0/0\nrule = via a\n"
		"recheck = all\n",
		port);
	net_send(client, "still", 5);
	net_expect(fd, "still", 5);
	from = daemon_log_end(&d);
	daemon_use_config(&d,
		"upstream = a socks5://127.0.0.1:%u\nrule = deny to x.test\nrule = via a\n"
		"recheck = all\n",
		port);
	net_expect_gone(client);
	daemon_wait_log(&d, &from, " reason=rule_changed ");
	close(client);
	close(fd);
}

/* A reset would come in place of the answer, which says whatever becomes of it. */
static void a_rule_that_comes_meanwhile_waits_for_the_answer(void **state)
{
	size_t from = daemon_log_end(&d);
	int client, fd;

	(void)state;
	daemon_use_config(&d, "upstream = a socks5://127.0.0.1:%u\nrule = via a\n", port);
	client = ask_for("x.test", 80);
	fd = accept_request();
	assert_contains(monitor_ask(monitor, "DENY * x.test 1h"),
		"OK Rule t1 for 1h: deny to x.test (until the next start)");
	net_send_hex(fd, "05 00 00 01 00 00 00 00 00 00");
	expect_reply(client, 0);
	net_expect_gone(client);
	daemon_wait_log(&d, &from, " reason=rule_changed ");
	assert_contains(monitor_ask(monitor, "DROP_RULE t1"), "OK 1 temporary rule dropped");
	close(client);
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_upstream, close_upstream)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(through_another_of_us_with_a_login),
		TEST(a_name_is_sent_as_it_is),
		TEST(a_reset_passes_through),
		TEST(answers_may_come_byte_by_byte),
		TEST(a_name_is_looked_up_here_where_that_is_said),
		TEST(socks4a_gets_names_and_ipv4),
		TEST(http_gets_connect),
		TEST(plain_http_is_told_in_absolute_form),
		TEST(plain_http_goes_through_tunnels),
		TEST(an_answer_may_come_with_the_reply),
		cmocka_unit_test(http_clients_are_told_by_status),
		TEST(an_upstream_listens_for_bind),
		TEST(a_peer_that_came_to_an_upstream_is_judged),
		TEST(bind_by_kinds_that_have_none_is_refused),
		cmocka_unit_test(through_another_of_us_by_bind),
		TEST(what_it_says_of_the_target_is_said_on),
		TEST(what_http_says_of_the_target_is_said_on),
		TEST(the_next_one_is_tried_when_one_does_not_work),
		cmocka_unit_test(nothing_goes_straight_when_all_are_down),
		cmocka_unit_test(it_goes_straight_where_that_is_said),
		cmocka_unit_test(down_and_back_are_a_line_each),
		TEST(one_that_never_answers_plain_http_rests),
		cmocka_unit_test(the_proxy_is_no_upstream_of_itself),
		TEST(a_client_that_leaves_is_not_waited_for),
		TEST(what_goes_straight_behind_a_refusal_is_through_nobody),
		TEST(one_without_time_for_another_address_is_not_blamed),
		TEST(a_name_is_judged_again_by_itself),
		TEST(a_rule_that_comes_meanwhile_waits_for_the_answer),
	};

	return cmocka_run_group_tests_name("daemon/upstreams", tests, setup, teardown);
}
