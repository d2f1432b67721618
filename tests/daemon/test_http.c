/* The HTTP door of the real server, between clients and servers that are made of bare sockets:
 * tunnels, requests that go on and answers that come back, and what either may do wrong. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/check.h"
#include "suite.h"

#define TEXT_MAX 8192

static struct daemon d;
static struct net_echo *echo;
static uint16_t echo_port, server_port;
static int server; /* where each test plays the server */

static int setup(void **state)
{
	(void)state;
	echo = net_echo_start("127.0.0.1", &echo_port);
	server = net_listen("127.0.0.1", &server_port);
	daemon_start(&d,
		(const char *const[]){"-u", "alice:se:cret", "--auth", "optional", "--rule",
			"deny to denied.invalid", "--rule", "deny user alice to alice.invalid",
			NULL});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&d);
	net_echo_stop(echo);
	close(server);
	return 0;
}

/* ---- clients and servers ---- */

static void say(int fd, const char *text)
{
	net_send(fd, text, strlen(text));
}

static void expect_text(int fd, const char *text)
{
	char got[TEXT_MAX] = "";
	size_t len = strlen(text);

	net_receive(fd, got, len);
	assert_string_equal(got, text);
}

/* A client of the proxy at this port that has sent this; @ stands for the server's port. */
static int ask_at(uint16_t port, const char *text)
{
	int fd = net_connect("127.0.0.1", port);
	char sent[TEXT_MAX] = "", *to = sent;

	for (; *text != '\0'; text++) {
		if (*text == '@')
			to += sprintf(to, "%u", server_port);
		else
			*to++ = *text;
	}
	net_send(fd, sent, (size_t)(to - sent));
	return fd;
}

static int ask(const char *text)
{
	return ask_at(d.port, text);
}

#define GET "GET http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_OLD "GET http://127.0.0.1:@/ HTTP/1.0\r\n\r\n"

/* All that comes to the end of the stream. */
static const char *read_all(int fd)
{
	static char got[TEXT_MAX];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(fd, got + len, sizeof(got) - 1 - len, 0)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	got[len] = '\0';
	close(fd);
	return got;
}

/* Reads a head, and nothing behind it. */
static const char *read_head(int fd)
{
	static char got[TEXT_MAX];
	size_t len = 0;

	while (len < 4 || memcmp(got + len - 4, "\r\n\r\n", 4) != 0) {
		net_receive(fd, got + len, 1);
		len++;
		assert_true(len < sizeof(got));
	}
	got[len] = '\0';
	return got;
}

/* The server's end of what the proxy connects; the head has been read. */
static int accept_request(void)
{
	int fd = net_accept(server);

	read_head(fd);
	return fd;
}

/* A client that has asked, and the server's end. */
static void begin_exchange(const char *request, int *client, int *origin)
{
	*client = ask(request);
	*origin = accept_request();
}

/* What is refused says so, with the reason, and closes; no server is asked. */
static void expect_refusal(int fd, const char *status, const char *reason)
{
	char line[128];
	const char *page;

	snprintf(line, sizeof(line), "HTTP/1.1 %s", status);
	page = read_all(fd);
	assert_begins(page, line);
	assert_contains(page, "\r\nConnection: close\r\n");
	snprintf(line, sizeof(line), "Reason: %s, session ", reason);
	assert_contains(page, line);
}

/* ---- tunnels ---- */

/* Pitfall 44: the 2xx has no length, and payload in the header's segment arrives. */
static void a_tunnel_has_its_payload_from_the_first_segment_on(void **state)
{
	static const char head[] = "HTTP/1.1 200 Connection established\r\n\r\n";
	char text[256];
	int fd;

	(void)state;
	snprintf(text, sizeof(text), "CONNECT 127.0.0.1:%u HTTP/1.1\r\nHost: x\r\n\r\npayload",
		echo_port);
	fd = ask(text);
	expect_text(fd, head);
	expect_text(fd, "payload");
	say(fd, "more");
	expect_text(fd, "more");
	shutdown(fd, SHUT_WR);
	net_expect_end(fd);
	close(fd);
}

/* Pitfall 44 likewise. */
static void half_close_works_both_ways_in_a_tunnel(void **state)
{
	int fd = ask("CONNECT 127.0.0.1:@ HTTP/1.0\r\n\r\n"), origin = net_accept(server);

	(void)state;
	read_head(fd);
	shutdown(fd, SHUT_WR);
	net_expect_end(origin);
	say(origin, "late");
	expect_text(fd, "late");
	close(origin);
	net_expect_end(fd);
	close(fd);
	fd = ask("CONNECT 127.0.0.1:@ HTTP/1.0\r\n\r\n");
	origin = net_accept(server);
	read_head(fd);
	shutdown(origin, SHUT_WR);
	net_expect_end(fd);
	say(fd, "late");
	expect_text(origin, "late");
	close(fd);
	net_expect_end(origin);
	close(origin);
}

static void a_head_may_come_byte_by_byte(void **state)
{
	char text[256];
	int fd = net_connect("127.0.0.1", d.port), origin;
	int one = 1;

	(void)state;
	setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one));
	snprintf(text, sizeof(text), "GET http://127.0.0.1:%u/a HTTP/1.1\r\nHost: b\r\n\r\n",
		server_port);
	for (size_t i = 0; i < strlen(text); i++)
		net_send(fd, text + i, 1);
	origin = net_accept(server);
	snprintf(text, sizeof(text),
		"GET /a HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n\r\n", server_port);
	assert_string_equal(read_head(origin), text);
	close(origin);
	expect_refusal(fd, "502", "bad_answer");
}

/* ---- refusals ---- */

static void what_cannot_be_reached_is_told(void **state)
{
	uint16_t port;
	int kept = net_refusing_port(&port);
	char text[256];

	(void)state;
	snprintf(text, sizeof(text), "CONNECT 127.0.0.1:%u HTTP/1.1\r\nHost: x\r\n\r\n", port);
	expect_refusal(ask(text), "502", "connect_refused");
	snprintf(text, sizeof(text), "GET http://127.0.0.1:%u/ HTTP/1.1\r\nHost: x\r\n\r\n", port);
	expect_refusal(ask(text), "502", "connect_refused");
	close(kept);
	expect_refusal(ask("CONNECT 127.0.0.1:1.2 HTTP/1.0\r\n\r\n"), "400", "malformed");
}

/* Pitfalls 36 to 38: ports, lengths, hosts and lines that may be read in two ways. */
static void malformed_requests_are_told(void **state)
{
	static const struct {
		const char *request, *status;
	} rows[] = {
		{"CONNECT 127.0.0.1:65979 HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"CONNECT 127.0.0.1:80x HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"GET http://127.0.0.1:131152/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"GET http://127.0.0.1:@/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"},
		{"GET http://127.0.0.1:@/ HTTP/1.1\r\nHost : a\r\n\r\n", "400"},
		{"GET http://127.0.0.1:@/ HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", "400"},
		{"GET http://127.0.0.1:@/ HTTP/1.1\nHost: a\n\n", "400"},
		{"GET http://u:p@127.0.0.1/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"},
		{"POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
			"400"},
		{"POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
		 "Content-Length: 3\r\n\r\nabc",
			"400"},
		{"POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
		 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			"400"},
		{"POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
			"501"},
		{"GET http://127.0.0.1:@/ HTTP/2.0\r\nHost: a\r\n\r\n", "505"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		expect_refusal(ask(rows[i].request), rows[i].status, "malformed");
}

static void other_schemes_are_told_what_to_do(void **state)
{
	(void)state;
	expect_refusal(ask("GET https://127.0.0.1:@/ HTTP/1.1\r\nHost: a\r\n\r\n"), "501",
		"scheme_unsupported");
	expect_refusal(ask("GET ftp://127.0.0.1:@/ HTTP/1.1\r\nHost: a\r\n\r\n"), "501",
		"scheme_unsupported");
}

static void a_head_has_at_most_100_fields_and_64_kilobytes(void **state)
{
	char *text = malloc(100000);
	int fd;
	size_t len;

	(void)state;
	assert_non_null(text);
	len = (size_t)sprintf(
		text, "GET http://127.0.0.1:%u/ HTTP/1.1\r\nHost: a\r\n", server_port);
	for (int i = 0; i < 100; i++)
		len += (size_t)sprintf(text + len, "X: y\r\n");
	strcpy(text + len, "\r\n");
	fd = net_connect("127.0.0.1", d.port);
	say(fd, text);
	expect_refusal(fd, "431", "malformed");
	len = (size_t)sprintf(
		text, "GET http://127.0.0.1:%u/ HTTP/1.1\r\nHost: a\r\nX: ", server_port);
	memset(text + len, 'x', 70000);
	fd = net_connect("127.0.0.1", d.port);
	net_send(fd, text, 65536);
	expect_refusal(fd, "431", "malformed");
	strcpy(text + 64000 - 4, "\r\n\r\n");
	fd = net_connect("127.0.0.1", d.port);
	say(fd, text);
	free(text);
	close(net_accept(server));
	expect_refusal(fd, "502", "bad_answer");
}

static void others_that_begin_with_letters_are_strangers(void **state)
{
	size_t from = daemon_log_end(&d);
	int fd = ask("SSH-2.0-OpenSSH_9.2\r\n");

	(void)state;
	net_expect_gone(fd);
	daemon_wait_log(&d, &from, " reason=unknown_protocol ");
	close(fd);
}

/* ---- logins ---- */

/* Pitfall 45: wrong, absent or unreadable credentials get 407 each time; NUL and colon count. */
static void a_required_login_is_asked_for(void **state)
{
	static const char *const wrong[] = {"",
		"Proxy-Authorization: Basic YWxpY2U6c2U6Y3JlVA==\r\n",
		"Proxy-Authorization: Basic YWxpY2U6c2U=\r\n", /* alice:se */
		"Proxy-Authorization: Basic YWxpY2U6c2U6Y3JldAB4\r\n", /* alice:se:cret\0x */
		"Proxy-Authorization: Basic YWxpY2U6c2U6Y3JldA\r\n", /* without its padding */
		"Proxy-Authorization: Basic YWxpY2U6c2U6Y3JldA==x\r\n",
		"Proxy-Authorization: Bearer YWxpY2U6c2U6Y3JldA==\r\n",
		"Authorization: Basic YWxpY2U6c2U6Y3JldA==\r\n"};
	struct daemon strict;
	char text[512];

	(void)state;
	daemon_start(&strict, (const char *const[]){"-u", "alice:se:cret", NULL});
	for (size_t i = 0; i < COUNT(wrong); i++) {
		for (int tunnel = 0; tunnel <= 1; tunnel++) {
			const char *page;

			snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: x\r\n%s\r\n",
				tunnel ? "CONNECT 127.0.0.1:@" : "GET http://127.0.0.1:@/",
				wrong[i]);
			page = read_all(ask_at(strict.port, text));
			assert_begins(page, "HTTP/1.1 407 Proxy Authentication Required\r\n");
			assert_contains(page, "\r\nProxy-Authenticate: Basic realm=\"");
		}
	}
	for (int i = 0; i < 2; i++) {
		int fd = ask_at(strict.port,
			"GET http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\n"
			"Proxy-Authorization: Basic YWxpY2U6c2U6Y3JldA==\r\n\r\n");
		int origin = net_accept(server);

		assert_null(strstr(read_head(origin), "Proxy-Auth"));
		say(origin, "HTTP/1.1 204 No Content\r\n\r\n");
		assert_begins(read_all(fd), "HTTP/1.1 204 No Content\r\n");
		close(origin);
	}
	assert_false(daemon_log_has(&strict, "se:cret"));
	daemon_stop(&strict);
}

/* Not by their pages, at least; the log may tell. */
static void a_wrong_password_and_an_unknown_name_look_alike(void **state)
{
	static const char *const wrong[] = {"YWxpY2U6eA==", "bm9ib2R5Ong="}; /* alice:x, nobody:x */
	struct daemon strict;
	char text[512];

	(void)state;
	daemon_start(&strict, (const char *const[]){"-u", "alice:se:cret", NULL});
	for (size_t i = 0; i < COUNT(wrong); i++) {
		snprintf(text, sizeof(text),
			"CONNECT 127.0.0.1:@ HTTP/1.1\r\nHost: x\r\n"
			"Proxy-Authorization: Basic %s\r\n\r\n",
			wrong[i]);
		expect_refusal(ask_at(strict.port, text), "407", "login_refused");
	}
	daemon_wait_log(&strict, NULL, " reason=wrong_password ");
	daemon_stop(&strict);
}

static void where_rules_name_users_a_stranger_is_asked_to_log_in(void **state)
{
	(void)state;
	expect_refusal(ask("CONNECT denied.invalid:80 HTTP/1.0\r\n\r\n"), "407", "target_denied");
	expect_refusal(ask("CONNECT denied.invalid:80 HTTP/1.0\r\n"
			   "Proxy-Authorization: Basic YWxpY2U6c2U6Y3JldA==\r\n\r\n"),
		"403", "target_denied");
	expect_refusal(ask("CONNECT alice.invalid:80 HTTP/1.0\r\n"
			   "Proxy-Authorization: Basic YWxpY2U6c2U6Y3JldA==\r\n\r\n"),
		"403", "target_denied");
	/* A wrong login is none where it need not be. */
	expect_refusal(ask("CONNECT alice.invalid:80 HTTP/1.0\r\n"
			   "Proxy-Authorization: Basic YWxpY2U6c2U=\r\n\r\n"),
		"502", "name_not_found");
}

/* Who could not log in is not asked to for ever. */
static void where_nobody_logs_in_nobody_is_asked_to(void **state)
{
	struct daemon lax;

	(void)state;
	daemon_start(&lax,
		(const char *const[]){"--auth", "none", "--rule", "allow user alice", "--otherwise",
			"deny", NULL});
	expect_refusal(
		ask_at(lax.port, "CONNECT a.invalid:80 HTTP/1.0\r\n\r\n"), "403", "target_denied");
	daemon_stop(&lax);
}

/* ---- what goes on ---- */

/* Pitfall 39: what Connection names goes, the URL's authority wins, all else stays to the byte. */
static void a_request_goes_on_in_origin_form(void **state)
{
	int fd = ask("GET http://127.0.0.1:@/a?b=|c HTTP/1.1\r\nAccept:*/*  \r\nHost: other\r\n"
		     "Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nCookie: a\r\ncookie:  b\r\n"
		     "Proxy-Connection: keep-alive\r\nTE: trailers\r\nKeep-Alive: 5\r\n"
		     "Upgrade: h2c\r\nUser-Agent: t\r\n\r\n");
	int origin = net_accept(server);
	char wanted[512];

	(void)state;
	snprintf(wanted, sizeof(wanted),
		"GET /a?b=|c HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept:*/*  \r\nCookie: a\r\n"
		"cookie:  b\r\nUser-Agent: t\r\nConnection: close\r\n\r\n",
		server_port);
	assert_string_equal(read_head(origin), wanted);
	close(origin);
	close(fd);
}

/* Pitfall 38: OPTIONS with an empty path goes on as an asterisk. */
static void an_empty_path_is_a_slash_or_an_asterisk(void **state)
{
	static const struct {
		const char *request, *line;
	} rows[] = {
		{"GET http://127.0.0.1:@ HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\n"},
		{"GET http://127.0.0.1:@?q HTTP/1.0\r\n\r\n", "GET /?q HTTP/1.1\r\n"},
		{"OPTIONS http://127.0.0.1:@ HTTP/1.0\r\n\r\n", "OPTIONS * HTTP/1.1\r\n"},
		{"OPTIONS http://127.0.0.1:@/ HTTP/1.0\r\n\r\n", "OPTIONS / HTTP/1.1\r\n"},
		{"OPTIONS http://127.0.0.1:@ HTTP/1.0\r\nMax-Forwards: 2\r\n\r\n",
			"OPTIONS * HTTP/1.1\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = ask(rows[i].request), origin = net_accept(server);

		assert_begins(read_head(origin), rows[i].line);
		close(origin);
		close(fd);
	}
}

static void who_is_the_last_to_forward_to_answers(void **state)
{
	int fd = ask("OPTIONS http://127.0.0.1:@ HTTP/1.0\r\nMax-Forwards: 1\r\n\r\n");
	int origin = net_accept(server);

	(void)state;
	assert_contains(read_head(origin), "\r\nMax-Forwards: 0\r\n");
	close(origin);
	close(fd);
	expect_refusal(ask("OPTIONS http://127.0.0.1:@ HTTP/1.0\r\nMax-Forwards: 0\r\n\r\n"), "200",
		"own_page");
	expect_refusal(ask("TRACE http://127.0.0.1:@ HTTP/1.0\r\nMax-Forwards: 0\r\n\r\n"), "405",
		"own_page");
}

/* Pitfall 42: bytes behind the body never reach the server, and the client is told that the
 * connection closes. */
static void what_stands_behind_the_request_is_thrown_away(void **state)
{
	static const struct {
		const char *request, *body;
	} rows[] = {
		{GET GET, ""},
		{"POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" GET,
			"abc"},
		{"POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" GET,
			""},
		{"POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "3;a\r\nabc\r\n0\r\nX: y\r\n\r\n" GET,
			"3;a\r\nabc\r\n0\r\nX: y\r\n\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd, origin;

		begin_exchange(rows[i].request, &fd, &origin);
		expect_text(origin, rows[i].body);
		say(fd, GET);
		say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
		assert_string_equal(read_all(fd),
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
		net_expect_gone(origin);
		close(origin);
	}
}

static void a_malformed_chunk_ends_it(void **state)
{
	int fd, origin;

	(void)state;
	begin_exchange("POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
		       "chunked\r\n\r\n",
		&fd, &origin);
	say(fd, "3\r\nabc\r\n");
	expect_text(origin, "3\r\nabc\r\n");
	say(fd, "0x3\r\nabc\r\n");
	expect_refusal(fd, "400", "malformed");
	net_expect_gone(origin);
	close(origin);
}

/* ---- what comes back ---- */

/* Pitfall 39 likewise. */
static void an_answer_comes_back_to_the_byte(void **state)
{
	int fd, origin;

	(void)state;
	begin_exchange(GET, &fd, &origin);
	say(origin,
		"HTTP/1.0 200 Fine\nSet-Cookie: a\nSet-Cookie:b \r\nX-Mine: 1\r\n"
		"Connection: keep-alive, x-mine\r\nKeep-Alive: 5\r\nSet-Cookie:  a\r\n"
		"Old : folded\r\n over\r\nProxy-Authenticate: Basic realm=a\r\n"
		"Content-Length: 2, 2\r\n\r\nok");
	assert_string_equal(read_all(fd),
		"HTTP/1.1 200 Fine\r\nSet-Cookie: a\r\nSet-Cookie:b \r\nSet-Cookie:  a\r\n"
		"Old: folded   over\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	close(origin);
}

/* Each server keeps its connection open: it is the framing that ends the answer. */
static void an_answer_ends_where_its_framing_says(void **state)
{
	static const struct {
		const char *request, *answer, *got;
	} rows[] = {
		{GET, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"},
		{GET, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
		{GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nrest",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
			"2\r\nok\r\n0\r\n\r\n"},
		{GET,
			"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n"
			"2 \nok\n0\n\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
			"2 \nok\n0\n\n"},
		{GET, "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok",
			"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"},
		{GET, "HTTP/1.1 304 Not Modified\r\n\r\nok",
			"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"},
		{"HEAD http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"},
		{"HEAD http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: "
			"close\r\n\r\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd, origin;

		begin_exchange(rows[i].request, &fd, &origin);
		say(origin, rows[i].answer);
		assert_string_equal(read_all(fd), rows[i].got);
		close(origin);
	}
}

static void an_answer_may_end_with_its_stream(void **state)
{
	int fd, origin;

	(void)state;
	begin_exchange(GET, &fd, &origin);
	say(origin, "HTTP/1.0 200 OK\r\n\r\nsome");
	assert_string_equal(read_head(fd), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	expect_text(fd, "some");
	say(origin, "more");
	close(origin);
	assert_string_equal(read_all(fd), "more");
}

/* Pitfall 40: who speaks HTTP/1.0 never sees chunks or 1xx. */
static void chunks_are_taken_apart_for_http_1_0(void **state)
{
	int fd, origin;

	(void)state;
	begin_exchange(GET_OLD, &fd, &origin);
	say(origin,
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n"
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Z\r\n\r\n2;a\r\no");
	assert_string_equal(read_head(fd), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	expect_text(fd, "o");
	say(origin, "k\r\n4\r\nfine\r\n0\r\nZ: 1\r\n\r\n");
	assert_string_equal(read_all(fd), "kfine");
	close(origin);
}

static void interim_answers_are_passed_on(void **state)
{
	int fd, origin;

	(void)state;
	begin_exchange("POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
		       "Expect: 100-continue\r\n\r\n",
		&fd, &origin);
	say(origin, "HTTP/1.1 100 Continue\r\nConnection: x\r\nX: y\r\n\r\n");
	assert_string_equal(read_head(fd), "HTTP/1.1 100 Continue\r\n\r\n");
	say(fd, "body");
	expect_text(origin, "body");
	say(origin, "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\nConte");
	assert_string_equal(read_head(fd), "HTTP/1.1 102 Processing\r\n\r\n");
	say(origin, "nt-Length: 2\r\n\r\nok");
	assert_string_equal(read_all(fd),
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
	close(origin);
}

static void a_server_may_answer_before_the_body_has_ended(void **state)
{
	int fd, origin;

	(void)state;
	/* It goes on to read the rest. */
	begin_exchange(
		"POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nsome",
		&fd, &origin);
	expect_text(origin, "some");
	say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	assert_contains(read_head(fd), "HTTP/1.1 200 OK\r\n");
	expect_text(fd, "ok");
	say(fd, "more");
	expect_text(origin, "more");
	net_expect_end(fd);
	close(fd);
	close(origin);
	/* It reads no more, and its connection breaks: the answer is whole all the same. */
	begin_exchange("POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
		       "\r\nsome",
		&fd, &origin);
	say(origin, "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
	assert_contains(read_head(fd), "HTTP/1.1 413 Too Large\r\n");
	net_reset(origin);
	say(fd, "more");
	expect_text(fd, "no");
	net_expect_end(fd);
	close(fd);
}

/* After some bytes, or none. */
static void expect_break(int fd)
{
	char byte;
	ssize_t n;

	while ((n = recv(fd, &byte, 1, 0)) > 0)
		continue;
	assert_int_equal(n, -1);
	assert_int_equal(errno, ECONNRESET);
}

/* Pitfall 41: what breaks off in the middle never looks like a whole answer. */
static void a_broken_answer_looks_broken(void **state)
{
	static const struct {
		const char *request, *answer;
		const char *got; /* of its body before it breaks off */
		bool is_reset; /* by the server; else its stream ends */
	} rows[] = {
		{GET, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", "ok", true},
		{GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", "9\r\nok",
			true},
		{GET, "HTTP/1.1 200 OK\r\n\r\nok", "ok", true},
		{GET_OLD, "HTTP/1.1 200 OK\r\n\r\nok", "ok", true},
		{GET_OLD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", "ok",
			true},
		{GET_OLD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok", "ok",
			false},
		{GET_OLD, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", "ok",
			false},
		{GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokxx", "ok",
			false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd, origin;

		begin_exchange(rows[i].request, &fd, &origin);
		say(origin, rows[i].answer);
		if (rows[i].is_reset) {
			read_head(fd);
			expect_text(fd, rows[i].got);
			net_reset(origin);
			net_expect_reset(fd);
		} else {
			close(origin);
			expect_break(fd);
		}
		close(fd);
	}
}

/* By a length or chunks it can be told that something lacks. */
static void a_stream_that_ends_early_does_so_for_the_client(void **state)
{
	int fd, origin;

	(void)state;
	begin_exchange(GET, &fd, &origin);
	say(origin, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok");
	read_head(fd);
	expect_text(fd, "9\r\nok");
	close(origin);
	net_expect_gone(fd);
	close(fd);
}

static void what_is_no_answer_is_told(void **state)
{
	static const char *const answers[] = {"", "HTTP/1.1 200 OK\r\n", "SSH-2.0-x\r\n\r\n",
		"220 mail ESMTP\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nok",
		"HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\nX: \x01\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		int fd, origin;

		begin_exchange(GET, &fd, &origin);
		say(origin, answers[i]);
		close(origin);
		expect_refusal(fd, "502", "bad_answer");
		begin_exchange(GET, &fd, &origin);
		say(origin, answers[i]);
		net_reset(origin);
		expect_refusal(fd, "502", "bad_answer");
	}
}

/* Its end is not waited for: it would not be read. */
static void an_answer_with_too_large_a_head_is_told(void **state)
{
	static const size_t sizes[] = {65536, 80000};
	static char head[80000] = "HTTP/1.1 200 OK\r\nX: ";
	size_t len = strlen(head);

	(void)state;
	memset(head + len, 'x', sizeof(head) - len);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		int fd, origin;

		begin_exchange(GET, &fd, &origin);
		net_send(origin, head, sizes[i]);
		expect_refusal(fd, "502", "bad_answer");
		close(origin);
	}
}

static void an_answer_that_switches_makes_a_tunnel(void **state)
{
	int fd, origin;

	(void)state;
	fd = ask(
		"GET http://127.0.0.1:@/ws HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\n"
		"Upgrade: websocket\r\n\r\n");
	origin = net_accept(server);
	assert_contains(read_head(origin), "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
	say(origin,
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\n\r\nfirst");
	assert_string_equal(read_head(fd),
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
		"Upgrade\r\n\r\n");
	expect_text(fd, "first");
	for (int i = 0; i < 3; i++) {
		say(fd, "out");
		expect_text(origin, "out");
		say(origin, "in");
		expect_text(fd, "in");
	}
	shutdown(fd, SHUT_WR);
	net_expect_end(origin);
	say(origin, "last");
	close(origin);
	assert_string_equal(read_all(fd), "last");
}

static void a_client_that_has_finished_gets_its_answer(void **state)
{
	int fd, origin;

	(void)state;
	begin_exchange(GET, &fd, &origin);
	shutdown(fd, SHUT_WR);
	net_expect_end(origin);
	say(origin, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	assert_contains(read_all(fd), "\r\n\r\nok");
	close(origin);
}

static void via_is_put_in_where_it_is_wanted(void **state)
{
	struct daemon named;
	int fd, origin;

	(void)state;
	daemon_start(&named, (const char *const[]){"--http-via", "yes", NULL});
	fd = ask_at(named.port, "GET http://127.0.0.1:@/ HTTP/1.0\r\nVia: 1.1 a\r\n\r\n");
	origin = net_accept(server);
	assert_contains(read_head(origin), "\r\nVia: 1.1 a\r\nVia: 1.0 socks5d\r\n");
	say(origin, "HTTP/1.1 204 OK\r\n\r\n");
	assert_contains(read_all(fd), "\r\nVia: 1.1 socks5d\r\n");
	close(origin);
	daemon_stop(&named);
}

/* ---- bodies ---- */

/* More than what a buffer or a pipe holds, both ways at once. */
static void large_bodies_pass_whole(void **state)
{
	const size_t size = 20 * 1000 * 1000;
	struct net_sender *up, *down;
	char text[512];
	int fd, origin;

	(void)state;
	snprintf(text, sizeof(text),
		"POST http://127.0.0.1:@/ HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
		size);
	begin_exchange(text, &fd, &origin);
	up = net_send_in_background(fd, size, 1, false);
	snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
	say(origin, text);
	down = net_send_in_background(origin, size, 2, false);
	net_expect_pattern(origin, size, 1);
	read_head(fd);
	net_expect_pattern(fd, size, 2);
	net_expect_end(fd);
	net_join(up);
	net_join(down);
	close(fd);
	close(origin);
}

static void send_chunks(int fd, size_t chunk, size_t count, bool is_last)
{
	char size[32];

	for (size_t i = 0; i < count; i++) {
		snprintf(size, sizeof(size), "%zx\r\n", chunk);
		say(fd, size);
		net_send_pattern(fd, chunk, 3);
		say(fd, "\r\n");
	}
	if (is_last)
		say(fd, "0\r\n\r\n");
}

/* What stands between them is taken out, whether they are spliced or copied. */
static void large_chunks_are_taken_apart(void **state)
{
	static const size_t chunks[] = {1, 1000, 70000, 3000000};
	int fd, origin;

	(void)state;
	for (size_t i = 0; i < COUNT(chunks); i++) {
		pid_t child;

		begin_exchange(GET_OLD, &fd, &origin);
		child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			say(origin, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
			send_chunks(origin, chunks[i], 5, true);
			_exit(0);
		}
		read_head(fd);
		for (int n = 0; n < 5; n++)
			net_expect_pattern(fd, chunks[i], 3);
		net_expect_end(fd);
		close(fd);
		close(origin);
	}
}

/* ---- deadlines ---- */

/* Pitfall 43: a head that drips is ended by its deadline. */
static void a_head_that_drips_has_a_deadline(void **state)
{
	struct daemon hasty;
	int fd;

	(void)state;
	daemon_start(&hasty, (const char *const[]){"--handshake-timeout", "1s", NULL});
	fd = ask_at(hasty.port, "GET http://127.0.0.1:@/ HTTP/1.1\r\nX: ");
	while (send(fd, "x", 1, MSG_NOSIGNAL) == 1)
		usleep(20000);
	daemon_wait_log(&hasty, NULL, " reason=handshake_timeout ");
	close(fd);
	daemon_stop(&hasty);
}

static void an_answer_that_does_not_come_is_told(void **state)
{
	struct daemon hasty;
	int fd, origin;

	(void)state;
	daemon_start(&hasty, (const char *const[]){"--timeout", "1s", NULL});
	fd = ask_at(hasty.port, GET);
	origin = accept_request();
	expect_refusal(fd, "504", "idle");
	close(origin);
	fd = ask_at(hasty.port, GET);
	origin = accept_request();
	say(origin, "HTTP/1.1 200 OK\r\nX: ");
	while (send(origin, "x", 1, MSG_NOSIGNAL) == 1)
		usleep(20000);
	expect_refusal(fd, "504", "idle");
	close(origin);
	/* What has begun to come breaks off, for all that its end would be that of the stream. */
	fd = ask_at(hasty.port, GET);
	origin = accept_request();
	say(origin, "HTTP/1.1 200 OK\r\n\r\nso far");
	expect_break(fd);
	close(fd);
	close(origin);
	daemon_stop(&hasty);
}

/* Who is ended because the time has become shorter meanwhile is told the same. */
static void a_lower_timeout_does_not_make_a_cut_answer_whole(void **state)
{
	struct daemon changing;
	int silent, cut, origin[2];

	(void)state;
	daemon_prepare(&changing);
	daemon_write_file(changing.config, "timeout = 1h\n");
	daemon_launch(&changing, (const char *const[]){"-c", changing.config, NULL});
	silent = ask_at(changing.port, GET);
	origin[0] = accept_request();
	cut = ask_at(changing.port, GET);
	origin[1] = accept_request();
	say(origin[1], "HTTP/1.1 200 OK\r\n\r\nso far");
	read_head(cut);
	daemon_use_config(&changing, "timeout = 1s\n");
	expect_break(cut);
	expect_refusal(silent, "504", "idle");
	daemon_wait_log(&changing, NULL, " reason=idle ");
	close(cut);
	close(origin[0]);
	close(origin[1]);
	daemon_stop(&changing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tunnel_has_its_payload_from_the_first_segment_on),
		cmocka_unit_test(half_close_works_both_ways_in_a_tunnel),
		cmocka_unit_test(a_head_may_come_byte_by_byte),
		cmocka_unit_test(what_cannot_be_reached_is_told),
		cmocka_unit_test(malformed_requests_are_told),
		cmocka_unit_test(other_schemes_are_told_what_to_do),
		cmocka_unit_test(a_head_has_at_most_100_fields_and_64_kilobytes),
		cmocka_unit_test(others_that_begin_with_letters_are_strangers),
		cmocka_unit_test(a_required_login_is_asked_for),
		cmocka_unit_test(a_wrong_password_and_an_unknown_name_look_alike),
		cmocka_unit_test(where_rules_name_users_a_stranger_is_asked_to_log_in),
		cmocka_unit_test(where_nobody_logs_in_nobody_is_asked_to),
		cmocka_unit_test(a_request_goes_on_in_origin_form),
		cmocka_unit_test(an_empty_path_is_a_slash_or_an_asterisk),
		cmocka_unit_test(who_is_the_last_to_forward_to_answers),
		cmocka_unit_test(what_stands_behind_the_request_is_thrown_away),
		cmocka_unit_test(a_malformed_chunk_ends_it),
		cmocka_unit_test(an_answer_comes_back_to_the_byte),
		cmocka_unit_test(an_answer_ends_where_its_framing_says),
		cmocka_unit_test(an_answer_may_end_with_its_stream),
		cmocka_unit_test(chunks_are_taken_apart_for_http_1_0),
		cmocka_unit_test(interim_answers_are_passed_on),
		cmocka_unit_test(a_server_may_answer_before_the_body_has_ended),
		cmocka_unit_test(a_broken_answer_looks_broken),
		cmocka_unit_test(a_stream_that_ends_early_does_so_for_the_client),
		cmocka_unit_test(what_is_no_answer_is_told),
		cmocka_unit_test(an_answer_with_too_large_a_head_is_told),
		cmocka_unit_test(an_answer_that_switches_makes_a_tunnel),
		cmocka_unit_test(a_client_that_has_finished_gets_its_answer),
		cmocka_unit_test(via_is_put_in_where_it_is_wanted),
		cmocka_unit_test(large_bodies_pass_whole),
		cmocka_unit_test(large_chunks_are_taken_apart),
		cmocka_unit_test(a_head_that_drips_has_a_deadline),
		cmocka_unit_test(an_answer_that_does_not_come_is_told),
		cmocka_unit_test(a_lower_timeout_does_not_make_a_cut_answer_whole),
	};

	return cmocka_run_group_tests_name("http", tests, setup, teardown);
}
