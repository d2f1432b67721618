/* The real server's figures for Prometheus, and what balancers are told, at the web's front. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"
#include "net.h"
#include "suite.h"
#include "web.h"

static struct daemon d;
static struct net_echo *echo;
static uint16_t echo_port, web_port;

static int begin(void **state)
{
	(void)state;
	echo = net_echo_start("127.0.0.1", &echo_port);
	return echo == NULL ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	net_echo_stop(echo);
	return 0;
}

/* root:secret may use the monitor. */
static void start_with(const char *flag, const char *value)
{
	size_t from = 0;

	monitor_start_daemon(
		&d, (const char *const[]){"--web-listen", "127.0.0.1:0", flag, value, NULL});
	web_port = web_find_port(&d, &from);
}

static const char *get(const char *path, const char *fields)
{
	char line[64];

	snprintf(line, sizeof(line), "GET %s", path);
	return web_ask(web_port, line, fields);
}

/* The value of a series; -1 where it is not there. */
static long figure(const char *series)
{
	char line[256];
	const char *at;

	snprintf(line, sizeof(line), "\n%s ", series);
	at = strstr(get("/metrics", ""), line);
	return at == NULL ? -1 : atol(at + strlen(line));
}

static void wait_for(const char *series, long value)
{
	while (figure(series) != value)
		;
}

#define HELLO "hello"

static void a_session_is_in_the_figures_while_it_runs_and_when_it_ends(void **state)
{
	uint8_t rep;
	int fd;

	(void)state;
	start_with("--metrics-accounts", "yes");
	assert_int_equal(figure("socks5d_workers{state=\"busy\"}"), 0);
	fd = net_socks_connect_as(d.port, "root", "secret", "127.0.0.1", echo_port, &rep);
	assert_int_equal(rep, 0);
	net_send(fd, HELLO, strlen(HELLO));
	net_expect(fd, HELLO, strlen(HELLO));
	assert_int_equal(figure("socks5d_sessions_active{command=\"CONNECT\"}"), 1);
	assert_int_equal(figure("socks5d_workers{state=\"busy\"}"), 1);
	assert_int_equal(figure("socks5d_users{state=\"active\"}"), 1);
	assert_int_equal(figure("socks5d_account_sessions{account=\"root\"}"), 1);
	assert_int_equal(figure("socks5d_logins_total{door=\"socks5\",result=\"ok\"}"), 1);
	wait_for("socks5d_bytes_total{direction=\"received\"}", (long)strlen(HELLO));
	close(fd);
	wait_for("socks5d_sessions_total{outcome=\"success\",reason=\"closed\"}", 1);
	assert_int_equal(figure("socks5d_session_duration_seconds_count"), 1);
	assert_int_equal(figure("socks5d_connect_duration_seconds_bucket{le=\"+Inf\"}"), 1);
	wait_for("socks5d_sessions_active{command=\"CONNECT\"}", 0);
	assert_int_equal(
		figure("socks5d_account_bytes_total{account=\"127.0.0.1\",direction=\"sent\"}"),
		(long)strlen(HELLO));
	daemon_stop(&d);
}

static void who_gets_them_changes_while_it_serves(void **state)
{
	int fd;

	(void)state;
	start_with("--metrics-from", "loopback");
	assert_non_null(strstr(get("/metrics", ""), "HTTP/1.1 200 "));
	assert_non_null(
		strstr(get("/metrics", "Accept: application/openmetrics-text\r\n"), "\n# EOF\n"));
	fd = monitor_login(&d, "root:secret");
	monitor_expect(fd, "CONFIG metrics_from none", "OK metrics_from set to none\n");
	close(fd);
	assert_non_null(strstr(get("/metrics", ""), "HTTP/1.1 401 "));
	/* root:secret */
	assert_non_null(strstr(get("/metrics", "Authorization: Basic cm9vdDpzZWNyZXQ=\r\n"),
		"\nsocks5d_logins_total{door=\"web\",result=\"ok\"} 1\n"));
	daemon_stop(&d);
}

static void health_is_saturated_while_all_workers_have_a_client(void **state)
{
	uint8_t rep;
	int fd;

	(void)state;
	start_with("--max-sessions", "1");
	assert_non_null(strstr(get("/healthz", ""), "\r\n\r\nok\n"));
	fd = net_socks_connect_as(d.port, "root", "secret", "127.0.0.1", echo_port, &rep);
	assert_int_equal(rep, 0);
	assert_non_null(strstr(get("/healthz", ""), "HTTP/1.1 503 "));
	assert_non_null(strstr(get("/healthz", ""), "\r\n\r\nsaturated\n"));
	assert_int_equal(figure("socks5d_saturated_total"), 1);
	close(fd);
	while (strstr(get("/healthz", ""), "\r\n\r\nok\n") == NULL)
		;
	daemon_stop(&d);
}

static void health_is_draining_while_sessions_finish(void **state)
{
	uint8_t rep;
	int fd;

	(void)state;
	start_with("--drain-timeout", "1m");
	fd = net_socks_connect_as(d.port, "root", "secret", "127.0.0.1", echo_port, &rep);
	assert_int_equal(rep, 0);
	daemon_signal(&d, SIGTERM);
	daemon_wait_log(&d, NULL, "stopping");
	assert_non_null(strstr(get("/healthz", ""), "HTTP/1.1 503 "));
	assert_non_null(strstr(get("/healthz", ""), "\r\n\r\ndraining\n"));
	assert_int_equal(figure("socks5d_workers{state=\"busy\"}"), 1);
	close(fd);
	assert_int_equal(daemon_wait_exit(&d), 0);
	daemon_clean_up(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_is_in_the_figures_while_it_runs_and_when_it_ends),
		cmocka_unit_test(who_gets_them_changes_while_it_serves),
		cmocka_unit_test(health_is_saturated_while_all_workers_have_a_client),
		cmocka_unit_test(health_is_draining_while_sessions_finish),
	};

	return cmocka_run_group_tests_name("daemon/metrics", tests, begin, end);
}
