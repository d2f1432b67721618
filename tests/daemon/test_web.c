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
#include "web.h"

#define ROOT "Authorization: Basic cm9vdDpzZWNyZXQ=\r\n" /* root:secret */

static struct daemon d;

static uint16_t start_with_web(void)
{
	size_t from = 0;

	monitor_start_daemon(&d, (const char *const[]){"--web-listen", "127.0.0.1:0", NULL});
	return web_find_port(&d, &from);
}

static void programs_get_what_the_monitor_tells(void **state)
{
	uint16_t port = start_with_web();

	(void)state;
	assert_non_null(strstr(web_ask(port, "GET /healthz", ""), "\r\n\r\nok\n"));
	assert_non_null(strstr(web_ask(port, "GET /api/stats", ROOT), "\"status\":\"OK\""));
	assert_non_null(strstr(web_ask(port, "GET /api/stats", ""), "HTTP/1.1 401 "));
	assert_non_null(strstr(web_ask(port, "GET /api/rules", ROOT), "\"rules\":["));
	assert_non_null(
		strstr(web_ask(port, "GET /api/settings", ROOT), "\"name\":\"web_listen\""));
	assert_non_null(strstr(web_ask(port, "GET /", ""), "Location: /login\r\n"));
	daemon_stop(&d);
}

/* Through the hasher, to main, and back. */
static void a_user_who_is_added_is_there_for_the_monitor(void **state)
{
	uint16_t port = start_with_web();
	const char *answer;
	int fd;

	(void)state;
	answer = web_ask(port, "POST /api/add_user",
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
	port = web_find_port(&d, &from);
	assert_non_null(strstr(web_ask(port, "GET /healthz", ""), "\r\n\r\nok\n"));
	daemon_reload_with(&d, "web_listen = 127.0.0.2:0\n", "msg=reloaded");
	assert_true(is_refused("127.0.0.1", port));
	daemon_reload_with(&d, "web_listen = 127.0.0.1:0\n", "msg=reloaded");
	from = 0;
	for (int i = 0; i < 3; i++)
		port = web_find_port(&d, &from);
	assert_non_null(strstr(web_ask(port, "GET /healthz", ""), "\r\n\r\nok\n"));
	daemon_reload_with(&d, "", "msg=reloaded");
	assert_true(is_refused("127.0.0.1", port));
	daemon_stop(&d);
}

static void who_is_connected_does_not_hold_up_the_stop(void **state)
{
	uint16_t port = start_with_web();
	int idle = net_connect("127.0.0.1", port), begun = net_connect("127.0.0.1", port);

	(void)state;
	monitor_send(begun, "GET /api/st");
	assert_non_null(strstr(web_ask(port, "GET /healthz", ""), "\r\n\r\nok\n"));
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
	port = web_find_port(&d, &from);
	for (size_t i = 0; i < 8; i++)
		crowd[i] = net_connect("127.0.0.1", port);
	assert_non_null(strstr(web_ask(port, "GET /healthz", ""), "\r\n\r\nok\n"));
	for (size_t i = 0; i < 8; i++)
		close(crowd[i]);
	daemon_stop(&d);
}

/* ---- people ---- */

static char cookie[128]; /* a field, of who has logged in */

static const char *post(uint16_t port, const char *path, const char *form)
{
	char line[64], fields[512];

	snprintf(line, sizeof(line), "POST %s", path);
	snprintf(fields, sizeof(fields),
		"%sSec-Fetch-Site: same-origin\r\nContent-Length: %zu\r\n\r\n%s", cookie,
		strlen(form), form);
	return web_ask(port, line, fields);
}

static void log_in(uint16_t port, const char *form)
{
	const char *at;

	cookie[0] = '\0';
	at = strstr(post(port, "/login", form), "Set-Cookie: socks5d=");
	assert_non_null(at);
	snprintf(cookie, sizeof(cookie), "Cookie: socks5d=%.64s\r\n",
		at + strlen("Set-Cookie: socks5d="));
}

static bool is_logged_in(uint16_t port)
{
	return strstr(web_ask(port, "GET /api/session", cookie), "HTTP/1.1 200 ") != NULL;
}

static void a_login_ends_when_an_administrator_keeps_its_user_out(void **state)
{
	uint16_t port = start_with_web();
	int fd = monitor_login(&d, "root:secret");

	(void)state;
	monitor_expect(fd, "ADD_USER carol pass", "OK User carol added\n");
	log_in(port, "name=carol&password=pass");
	assert_true(is_logged_in(port));
	assert_non_null(strstr(web_ask(port, "GET /own", cookie), "Your limits"));
	assert_non_null(strstr(web_ask(port, "GET /settings", cookie), "HTTP/1.1 403 "));
	monitor_expect(fd, "DISABLE carol", "OK carol disabled, 0 sessions ended\n");
	monitor_expect(fd, "ENABLE carol", "OK carol enabled\n");
	assert_false(is_logged_in(port));
	log_in(port, "name=carol&password=pass");
	monitor_expect(fd, "DEL_USER carol", "OK User carol deleted, 0 sessions ended\n");
	assert_false(is_logged_in(port));
	log_in(port, "name=root&password=secret");
	assert_true(is_logged_in(port));
	close(fd);
	daemon_stop(&d);
	port = start_with_web();
	assert_false(is_logged_in(port)); /* another run of the server */
	daemon_stop(&d);
}

static void whoever_gives_himself_another_password_logs_in_by_it_everywhere(void **state)
{
	uint16_t port = start_with_web();
	char first[sizeof(cookie)];
	int fd;

	(void)state;
	log_in(port, "name=root&password=secret");
	strcpy(first, cookie);
	log_in(port, "name=root&password=secret");
	assert_non_null(strstr(post(port, "/own", "old=wrong&new=other&again=other"),
		"The old password is wrong."));
	assert_non_null(strstr(post(port, "/own", "old=secret&new=other&again=other"),
		"Password of root changed"));
	assert_true(is_logged_in(port));
	strcpy(cookie, first);
	assert_false(is_logged_in(port));
	fd = monitor_login(&d, "root:other");
	close(fd);
	daemon_stop(&d);
}

/* Of what is asked for at the proxy, while a page asks. */
static void a_page_is_told_what_happens(void **state)
{
	uint16_t port = start_with_web();
	char line[128], cursor[64];
	const char *at;
	int fd;

	(void)state;
	at = strstr(web_ask(port, "GET /api/watch", ROOT), "\"cursor\":\"");
	assert_non_null(at);
	snprintf(cursor, sizeof(cursor), "%.*s", (int)strcspn(at + 10, "\""), at + 10);
	fd = net_connect("127.0.0.1", d.port);
	monitor_send(fd, "\5");
	close(fd);
	snprintf(line, sizeof(line), "GET /api/watch?after=%s", cursor);
	do
		at = web_ask(port, line, ROOT);
	while (strstr(at, "\"event\":\"end\"") == NULL);
	assert_non_null(strstr(at, "\"event\":\"begin\""));
	assert_null(strstr(at, "\"event\":\"lost\""));
	daemon_stop(&d);
}

static void files_of_pages_come_packed(void **state)
{
	uint16_t port = start_with_web();
	const char *answer = web_ask(port, "GET /base.css", "Accept-Encoding: gzip\r\n");

	(void)state;
	assert_non_null(strstr(answer, "Content-Encoding: gzip\r\n"));
	assert_non_null(strstr(web_ask(port, "GET /base.css", ""), "--ground:"));
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
		cmocka_unit_test(a_login_ends_when_an_administrator_keeps_its_user_out),
		cmocka_unit_test(whoever_gives_himself_another_password_logs_in_by_it_everywhere),
		cmocka_unit_test(a_page_is_told_what_happens),
		cmocka_unit_test(files_of_pages_come_packed),
	};

	return cmocka_run_group_tests_name("daemon/web", tests, NULL, NULL);
}
