/* The real server's front for browsers: switched on and off, beside the monitor, until it stops. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "monitor.h"
#include "net.h"
#include "suite.h"

#define ROOT "Authorization: Basic cm9vdDpzZWNyZXQ=\r\n" /* root:secret */

static struct daemon d;

/* Where it listens, by the newest line that says so from `*from` on. */
static uint16_t find_port(size_t *from)
{
	return (uint16_t)atoi(strrchr(daemon_wait_log(&d, from, "msg=\"web listening\""), ':') + 1);
}

static uint16_t start_with_web(void)
{
	size_t from = 0;

	monitor_start_daemon(&d, (const char *const[]){"--web-listen", "127.0.0.1:0", NULL});
	return find_port(&from);
}

/* All that is answered to a request, behind which the connection ends. */
static const char *ask(uint16_t port, const char *line, const char *fields)
{
	int fd = net_connect("127.0.0.1", port);
	const char *answer;

	monitor_send(fd, line);
	monitor_send(fd, " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n");
	monitor_send(fd, fields);
	monitor_send(fd, "\r\n");
	answer = monitor_read_to_end(fd);
	close(fd);
	return answer;
}

static void programs_get_what_the_monitor_tells(void **state)
{
	uint16_t port = start_with_web();

	(void)state;
	assert_non_null(strstr(ask(port, "GET /healthz", ""), "\r\n\r\nok\n"));
	assert_non_null(strstr(ask(port, "GET /api/stats", ROOT), "\"status\":\"OK\""));
	assert_non_null(strstr(ask(port, "GET /api/stats", ""), "HTTP/1.1 401 "));
	assert_non_null(strstr(ask(port, "GET /api/rules", ROOT), "\"rules\":["));
	assert_non_null(strstr(ask(port, "GET /api/settings", ROOT), "\"name\":\"web_listen\""));
	assert_non_null(strstr(ask(port, "GET /", ""), "Location: /login\r\n"));
	daemon_stop(&d);
}

/* Through the hasher, to main, and back. */
static void a_user_who_is_added_is_there_for_the_monitor(void **state)
{
	uint16_t port = start_with_web();
	const char *answer;
	int fd;

	(void)state;
	answer = ask(port, "POST /api/add_user",
		ROOT "Content-Type: application/json\r\nContent-Length: 24\r\n\r\n"
		     "[\"carol\",\"pass\",\"admin\"]");
	assert_non_null(strstr(answer, "HTTP/1.1 200 "));
	fd = monitor_login(&d, "carol:pass");
	monitor_expect(fd, "USERS", "OK No active users\n");
	close(fd);
	daemon_stop(&d);
}

static bool is_refused(const char *host, uint16_t port)
{
	struct addr a = net_addr(host, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool refused = connect(fd, &a.sa, sizeof(a.in)) < 0 && errno == ECONNREFUSED;

	close(fd);
	return refused;
}

static void reload_with(const char *text, size_t *from)
{
	daemon_write_file(d.config, text);
	daemon_signal(&d, SIGHUP);
	daemon_wait_log(&d, from, "msg=reloaded");
}

static void it_comes_moves_and_goes_with_its_setting(void **state)
{
	uint16_t port;
	size_t from;
	int fd;

	(void)state;
	daemon_prepare(&d);
	monitor_write_users(&d);
	daemon_write_file(d.config, "");
	daemon_launch(
		&d, (const char *const[]){"-U", d.users, "-c", d.config, "-l", "127.0.0.1", NULL});
	assert_false(daemon_log_has(&d, "web listening"));
	fd = monitor_login(&d, "root:secret");
	from = daemon_log_end(&d);
	monitor_expect(fd, "CONFIG web_listen 127.0.0.1:0", "OK web_listen set to 127.0.0.1:0\n");
	close(fd);
	port = find_port(&from);
	assert_non_null(strstr(ask(port, "GET /healthz", ""), "\r\n\r\nok\n"));
	from = daemon_log_end(&d);
	reload_with("web_listen = 127.0.0.2:0\n", &from);
	assert_true(is_refused("127.0.0.1", port));
	reload_with("web_listen = 127.0.0.1:0\n", &from);
	from = 0;
	for (int i = 0; i < 3; i++)
		port = find_port(&from);
	assert_non_null(strstr(ask(port, "GET /healthz", ""), "\r\n\r\nok\n"));
	from = daemon_log_end(&d);
	reload_with("", &from);
	assert_true(is_refused("127.0.0.1", port));
	daemon_stop(&d);
}

static void who_is_connected_does_not_hold_up_the_stop(void **state)
{
	uint16_t port = start_with_web();
	int idle = net_connect("127.0.0.1", port), begun = net_connect("127.0.0.1", port);

	(void)state;
	monitor_send(begun, "GET /api/st");
	assert_non_null(strstr(ask(port, "GET /healthz", ""), "\r\n\r\nok\n"));
	daemon_stop(&d);
	close(idle);
	close(begun);
}

static void beyond_this_host_it_warns_of_passwords_in_clear(void **state)
{
	(void)state;
	monitor_start_daemon(&d, (const char *const[]){"--web-listen", "0.0.0.0:0", NULL});
	daemon_wait_log(&d, NULL, "passwords go in clear to web_listen");
	daemon_stop(&d);
	monitor_start_daemon(&d,
		(const char *const[]){
			"--web-listen", "0.0.0.0:0", "--web-trusted", "192.0.2.1", NULL});
	assert_false(daemon_log_has(&d, "passwords go in clear"));
	daemon_stop(&d);
}

/* More than are served: those who wait give way, and nobody hangs. */
static void more_clients_than_places_push_out_those_who_say_nothing(void **state)
{
	int crowd[8];
	size_t from = 0;
	uint16_t port;

	(void)state;
	monitor_start_daemon(&d,
		(const char *const[]){
			"--web-listen", "127.0.0.1:0", "--max-web-clients", "4", NULL});
	port = find_port(&from);
	for (size_t i = 0; i < 8; i++)
		crowd[i] = net_connect("127.0.0.1", port);
	assert_non_null(strstr(ask(port, "GET /healthz", ""), "\r\n\r\nok\n"));
	for (size_t i = 0; i < 8; i++)
		close(crowd[i]);
	daemon_stop(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_get_what_the_monitor_tells),
		cmocka_unit_test(a_user_who_is_added_is_there_for_the_monitor),
		cmocka_unit_test(it_comes_moves_and_goes_with_its_setting),
		cmocka_unit_test(who_is_connected_does_not_hold_up_the_stop),
		cmocka_unit_test(beyond_this_host_it_warns_of_passwords_in_clear),
		cmocka_unit_test(more_clients_than_places_push_out_those_who_say_nothing),
	};

	return cmocka_run_group_tests_name("daemon/web", tests, NULL, NULL);
}
