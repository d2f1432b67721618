/* The real server's own pages, by raw requests: to everybody, whatever is asked for and however. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../base/check.h"
#include "monitor.h"
#include "suite.h"

static struct daemon d;
static struct net_echo *echo;
static uint16_t echo_port;
static int monitor; /* logged in as root */
static char answer[1 << 17];

/* Who wants another site has to log in. */
static int begin(void **state)
{
	(void)state;
	echo = net_echo_start("127.0.0.1", &echo_port);
	daemon_prepare(&d);
	monitor_write_users(&d);
	daemon_write_file(d.config,
		"auth = required\n"
		"proxy_name = proxy.test, 203.0.113.7\n"
		"proxy_protocol_from = 127.0.0.6\n"
		"client_limits = 127.0.0.3 sessions=7 quota=1MB/day\n");
	daemon_launch(&d, (const char *const[]){"-U", d.users, "-c", d.config, NULL});
	monitor = monitor_login(&d, "root:secret");
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(monitor);
	daemon_stop(&d);
	net_echo_stop(echo);
	return 0;
}

/* Reads what is answered to its end; false when that was a reset. */
static bool read_answer(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, answer + len, sizeof(answer) - 1 - len)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	close(fd);
	return n == 0;
}

static bool is_answered_from(const char *source, const char *request)
{
	int fd = net_connect_from(source, "127.0.0.1", d.port);

	net_send(fd, request, strlen(request));
	return read_answer(fd);
}

static void ask_from(const char *source, const char *request)
{
	assert_true(is_answered_from(source, request));
}

/* "%u" in it is the proxy's port. */
static void ask(const char *request)
{
	const char *mark = strstr(request, "%u");
	char text[512];

	if (mark == NULL)
		snprintf(text, sizeof(text), "%s", request);
	else
		snprintf(text, sizeof(text), "%.*s%u%s", (int)(mark - request), request, d.port,
			mark + 2);
	ask_from("127.0.0.1", text);
}

static bool has(const char *part)
{
	return strstr(answer, part) != NULL;
}

static bool has_page(void)
{
	char own[64];

	snprintf(own, sizeof(own), "http://127.0.0.1:%u<wbr>/proxy.pac", d.port);
	return has("HTTP/1.1 200 OK\r\n") && has("<h1>How to use this proxy</h1>") && has(own) &&
		has("A name and a password are needed.");
}

/* ---- who asks how ---- */

static void everybody_gets_the_page_without_a_login(void **state)
{
	(void)state;
	ask("GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n");
	assert_true(has_page());
	ask("GET / HTTP/1.0\r\n\r\n");
	assert_true(has_page());
	/* That a login is not right does not matter. */
	ask("GET / HTTP/1.1\r\nHost: h\r\nProxy-Authorization: Basic eDp5\r\n\r\n");
	assert_true(has_page());
	assert_false(has("Set-Cookie"));
}

static void a_browser_that_uses_the_proxy_already_gets_it_too(void **state)
{
	(void)state;
	ask("GET http://127.0.0.1:%u/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	assert_true(has_page());
	ask("GET http://127.0.0.1:%u HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	assert_true(has_page());
	ask("GET http://127.0.0.1:%u/healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
	assert_true(has("\r\n\r\nok\n"));
	ask("GET http://proxy.test/ HTTP/1.1\r\nHost: proxy.test\r\n\r\n");
	assert_true(has("<h1>How to use this proxy</h1>"));
	assert_true(has("<code>http://proxy.test:"));
	ask("GET http://203.0.113.7/proxy.pac HTTP/1.1\r\nHost: 203.0.113.7\r\n\r\n");
	assert_true(has("\"PROXY 203.0.113.7:"));
}

static void a_request_may_come_in_pieces(void **state)
{
	static const char request[] = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n";

	(void)state;
	for (size_t split = 1; split < sizeof(request) - 1; split++) {
		int fd = net_connect("127.0.0.1", d.port);

		net_send(fd, request, split);
		net_send(fd, request + split, sizeof(request) - 1 - split);
		assert_true(read_answer(fd));
		assert_true(has("\r\n\r\nok\n"));
	}
}

static void pages_can_only_be_got(void **state)
{
	static const char *const paths[] = {"/", "/proxy.pac", "/wpad.dat", "/healthz"};
	static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"};
	char request[128];

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		for (size_t k = 0; k < COUNT(methods); k++) {
			snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: h\r\n\r\n",
				methods[k], paths[i]);
			ask(request);
			assert_true(has("HTTP/1.1 405 Method Not Allowed\r\n"));
			assert_true(has("\r\nAllow: GET, HEAD\r\n"));
		}
		snprintf(request, sizeof(request), "HEAD %s HTTP/1.1\r\nHost: h\r\n\r\n", paths[i]);
		ask(request);
		assert_true(has("HTTP/1.1 200 OK\r\n"));
		assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	}
	ask("GET /other HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("HTTP/1.1 404 Not Found\r\n"));
}

/* What nobody has read would be a reset, which overtakes the answer. */
static void a_body_does_not_destroy_the_answer(void **state)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n";
	int fd = net_connect("127.0.0.1", d.port);

	(void)state;
	net_send(fd, head, strlen(head));
	net_send_pattern(fd, 200000, 1);
	assert_true(read_answer(fd));
	assert_true(has("HTTP/1.1 405 Method Not Allowed\r\n"));
}

static void nothing_of_a_request_gets_into_a_page(void **state)
{
	static const char *const requests[] = {
		"GET / HTTP/1.1\r\nHost: \"><script>alert(1)</script>\r\n\r\n",
		"GET /?\"><script>alert(1)</script> HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /<script>alert(1)</script> HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: \"><script>alert(1)</script>\r\n\r\n",
		"GET /proxy.pac HTTP/1.1\r\nHost: alert(1)\r\n\r\n",
		"GET /proxy.pac HTTP/1.1\r\nHost: alert.example:1\r\n\r\n"};

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		ask(requests[i]);
		assert_true(has("HTTP/1.1 "));
		assert_false(has("<script"));
		assert_false(has("alert"));
	}
}

/* ---- what is made of it ---- */

static void a_page_is_neither_a_success_nor_a_failure(void **state)
{
	long succeeded = daemon_stat(&d, "sessions_succeeded");
	long failed = daemon_stat(&d, "sessions_failed");

	(void)state;
	ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	ask("GET /other HTTP/1.1\r\nHost: h\r\n\r\n");
	ask("POST / HTTP/1.1\r\nHost: h\r\n\r\n");
	ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
	daemon_wait_stat(&d, "ended_own_page", 3);
	daemon_wait_stat(&d, "ended_health_check", 1);
	assert_int_equal(daemon_stat(&d, "sessions_succeeded"), succeeded);
	assert_int_equal(daemon_stat(&d, "sessions_failed"), failed);
	daemon_wait_log(&d, NULL, "outcome=success reason=own_page");
	assert_false(daemon_log_has(&d, "reason=health_check"));
	monitor_expect(monitor, "WHY 127.0.0.1", "OK No session of client 127.0.0.1 has failed\n");
}

static void who_has_limits_reads_them_and_what_is_used(void **state)
{
	struct addr bound;
	int fd;

	(void)state;
	ask_from("127.0.0.3", "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("Of this device, 127.0.0.3."));
	assert_true(has("<dd>7, of which 0 in use</dd>"));
	assert_true(has("<dd>0B<br>"));
	fd = net_connect_from("127.0.0.3", "127.0.0.1", d.port);
	assert_int_equal(net_socks_log_in(fd, "alice", "secret"), 0);
	net_socks_send_connect(fd, "127.0.0.1", echo_port);
	assert_int_equal(net_socks_read_reply(fd, &bound), 0);
	net_send_pattern(fd, 60000, 1);
	net_expect_pattern(fd, 60000, 1);
	/* The last bytes may be here a moment before they are counted. */
	for (time_t last = time(NULL) + NET_PATIENCE_S; time(NULL) < last && !has("<dd>120kB<br>");)
		ask_from("127.0.0.3", "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("<dd>7, of which 1 in use</dd>"));
	assert_true(has("<dd>120kB<br>"));
	assert_true(has("<dd>880kB, until "));
	close(fd);
	/* Nothing of anybody else. */
	ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_false(has("Your limits"));
	assert_false(has("127.0.0.3"));
}

static void who_is_kept_out_is_told(void **state)
{
	(void)state;
	assert_begins(monitor_ask(monitor, "DISABLE 127.0.0.4"), "OK ");
	/* Whatever it has open while the limits are looked at is ended. */
	for (time_t last = time(NULL) + NET_PATIENCE_S; time(NULL) < last &&
		!is_answered_from("127.0.0.4", "GET / HTTP/1.1\r\nHost: h\r\n\r\n");)
		;
	assert_true(has("This device, 127.0.0.4, is kept out"));
}

static void who_is_banned_gets_nothing(void **state)
{
	int fd;

	(void)state;
	assert_begins(monitor_ask(monitor, "BAN 127.0.0.5 1h"), "OK ");
	fd = net_connect_from("127.0.0.5", "127.0.0.1", d.port);
	net_expect_gone(fd);
	close(fd);
}

/* Our end of its connection is none that he knows. */
static void who_comes_by_a_balancer_is_told_the_name(void **state)
{
	(void)state;
	ask_from("127.0.0.6",
		"PROXY TCP4 198.51.100.9 203.0.113.1 4711 3128\r\n"
		"GET / HTTP/1.1\r\nHost: balancer.test:3128\r\n\r\n");
	assert_true(has("<code>http://proxy.test:3128<wbr>/proxy.pac</code>"));
	ask_from("127.0.0.6",
		"PROXY TCP4 198.51.100.9 203.0.113.1 4711 3128\r\n"
		"GET /healthz HTTP/1.0\r\n\r\n");
	assert_true(has("\r\n\r\nok\n"));
}

/* ---- settings ---- */

static void the_page_is_switched_off_at_once(void **state)
{
	(void)state;
	assert_begins(monitor_ask(monitor, "CONFIG setup_page no"), "OK ");
	ask("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("HTTP/1.1 404 Not Found\r\n"));
	ask("GET /wpad.dat HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("FindProxyForURL"));
	assert_begins(monitor_ask(monitor, "CONFIG protocols socks5"), "OK ");
	ask("GET /wpad.dat HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("HTTP/1.1 400 Bad Request\r\n"));
	assert_false(has("FindProxyForURL"));
}

/* ---- health ---- */

static void health_is_saturated_when_all_workers_have_a_client(void **state)
{
	struct daemon small;
	uint16_t port = d.port;
	uint8_t rep;
	int fd;

	(void)state;
	daemon_start(&small, (const char *const[]){"--max-sessions", "2", NULL});
	d.port = small.port;
	ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("HTTP/1.1 200 OK\r\n"));
	fd = net_socks_connect(small.port, "127.0.0.1", echo_port, &rep);
	assert_int_equal(rep, 0);
	ask("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(has("HTTP/1.1 503 Service Unavailable\r\n"));
	assert_true(has("\r\n\r\nsaturated\n"));
	close(fd);
	d.port = port;
	daemon_stop(&small);
}

static void health_is_draining_when_the_server_stops(void **state)
{
	struct daemon other;
	int fd;

	(void)state;
	daemon_start(&other, (const char *const[]){"--drain-timeout", "1m", NULL});
	fd = net_connect("127.0.0.1", other.port);
	net_send(fd, "GET /health", 11);
	daemon_wait_stat(&other, "current_connections", 1);
	daemon_signal(&other, SIGTERM);
	daemon_wait_log(&other, NULL, "stopping");
	net_send(fd, "z HTTP/1.1\r\nHost: h\r\n\r\n", 23);
	assert_true(read_answer(fd));
	assert_true(has("HTTP/1.1 503 Service Unavailable\r\n"));
	assert_true(has("\r\n\r\ndraining\n"));
	assert_int_equal(daemon_wait_exit(&other), 0);
	daemon_clean_up(&other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everybody_gets_the_page_without_a_login),
		TEST(a_browser_that_uses_the_proxy_already_gets_it_too),
		TEST(a_request_may_come_in_pieces),
		TEST(pages_can_only_be_got),
		TEST(a_body_does_not_destroy_the_answer),
		TEST(nothing_of_a_request_gets_into_a_page),
		TEST(a_page_is_neither_a_success_nor_a_failure),
		TEST(who_has_limits_reads_them_and_what_is_used),
		TEST(who_is_kept_out_is_told),
		TEST(who_is_banned_gets_nothing),
		TEST(who_comes_by_a_balancer_is_told_the_name),
		TEST(the_page_is_switched_off_at_once),
		TEST(health_is_saturated_when_all_workers_have_a_client),
		TEST(health_is_draining_when_the_server_stops),
	};

	return cmocka_run_group_tests_name("daemon/pages", tests, NULL, NULL);
}
