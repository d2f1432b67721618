/* The real server and a helper of logins: at each door, confined, while the helper is away, and
 * what administrators see of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/check.h"
#include "helper.h"
#include "monitor.h"
#include "suite.h"
#include "web.h"

static struct daemon d;
static struct helper *helper;
static struct net_echo *echo;
static uint16_t echo_port, web_port;
static char path[TMP_MAX_PATH + 16];
static int monitor; /* logged in as root */

/* The password of all is "right". */
static const char *directory(const char *question)
{
	if (strstr(question, " held") != NULL)
		return HELPER_HOLDS;
	if (strstr(question, " right") == NULL)
		return "ERR\n";
	return strstr(question, "AUTH pupil ") != NULL ? "OK groups=pupils\n" : "OK\n";
}

/* alice and bob have passwords in the users file, root and boss are administrators. */
static int begin(void **state)
{
	size_t from = 0;

	(void)state;
	echo = net_echo_start("127.0.0.1", &echo_port);
	daemon_prepare(&d);
	monitor_write_users(&d);
	snprintf(path, sizeof(path), "%s/helper", d.folder);
	helper = helper_start(path, directory);
	daemon_write_file(d.config,
		"protect = none\nrule = deny user @pupils to 127.0.0.1\ngroup_defaults = @pupils sessions=7\n");
	daemon_launch(&d,
		(const char *const[]){"-U", d.users, "-c", d.config, "--auth-socket", path,
			"--sandbox", daemon_is_confined() ? "required" : "off", "--web-listen",
			"127.0.0.1:0", NULL});
	web_port = web_find_port(&d, &from);
	monitor = monitor_login(&d, "root:secret");
	return 0;
}

static int end(void **state)
{
	(void)state;
	close(monitor);
	daemon_stop(&d);
	helper_stop(helper);
	net_echo_stop(echo);
	return 0;
}

static uint8_t connect_as(const char *user, const char *password)
{
	uint8_t rep;

	close(net_socks_connect_as(d.port, user, password, "127.0.0.1", echo_port, &rep));
	return rep;
}

static void assert_has(const char *reply, const char *text)
{
	if (strstr(reply, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, reply);
}

static void a_login_is_wanted_and_the_helper_decides(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(connect_as("Carol", "right"), 0);
	daemon_wait_log(&d, NULL, "user=carol");
	assert_int_equal(connect_as("CAROL", "wrong"), NET_LOGIN_REFUSED);
	daemon_wait_log(&d, NULL, "reason=wrong_password user=carol");
	assert_int_equal(connect_as("alice", "secret"), 0);
	assert_int_equal(connect_as("alice", "right"), NET_LOGIN_REFUSED);
	assert_int_equal(connect_as("pupil", "right"), 2);
	assert_int_equal(helper_asked(helper), 3);
	assert_has(helper_newest(helper), " groups=pupils");
	assert_int_equal(connect_as("Carol", "right"), 0);
	assert_int_equal(helper_asked(helper), 3);
	fd = net_connect("127.0.0.1", d.port);
	net_send_hex(fd, "05 01 00");
	net_expect_hex(fd, "05 ff");
	close(fd);
	daemon_wait_log(&d, NULL, "reason=no_method");
	assert_has(monitor_ask(monitor, "ACCOUNTS"), "name:carol role:user");
	assert_has(monitor_ask(monitor, "LIMITS pupil"),
		"groups:pupils groups_by:auth_socket sessions:7 sessions_by:group_defaults");
	assert_has(monitor_ask(monitor, "EXPLAIN from=127.0.0.1 user=pupil to=127.0.0.1:80"),
		"gate:login result:pass text:with the password that the helper at auth_socket knows");
	assert_has(monitor_ask(monitor, "EXPLAIN from=127.0.0.1 user=stranger to=127.0.0.1:80"),
		"gate:login result:pass text:nobody of that name has come yet");
	assert_int_equal(monitor_stat(monitor, "helper answers right"), 2);
	assert_int_equal(monitor_stat(monitor, "helper answers wrong"), 1);
	assert_int_equal(monitor_stat(monitor, "helper answers recalled"), 1);
}

static void administrators_act_at_once(void **state)
{
	int fd;
	uint8_t rep;

	(void)state;
	fd = net_socks_connect_as(d.port, "carol", "right", "127.0.0.1", echo_port, &rep);
	assert_int_equal(rep, 0);
	monitor_expect(monitor, "DISABLE carol", "OK carol disabled, 1 session ended\n");
	assert_int_equal(connect_as("carol", "right"), NET_LOGIN_REFUSED);
	daemon_wait_log(&d, NULL, "reason=disabled");
	close(fd);
	monitor_expect(monitor, "ENABLE carol", "OK carol enabled\n");
	assert_int_equal(connect_as("carol", "right"), 0);
	monitor_expect(monitor, "ADD_USER dora * helper", "OK User dora added\n");
	monitor_expect(monitor, "ADD_USER Eve * helper",
		"ERR Eve whose password a helper knows is written in lower case, as accounts of "
		"helpers are called\n");
	assert_has(monitor_ask(monitor, "ADD_USER eve word helper"), "ERR The helper knows");
	assert_has(monitor_ask(monitor, "SET_ROLE dora admin"), "ERR dora whose password");
	assert_int_equal(connect_as("dora", "right"), 0);
	assert_has(monitor_ask(monitor, "DEL_USER dora"), "OK User dora deleted, ");
	assert_int_equal(connect_as("dora", "right"), 0);
}

static void http_asks_again_or_says_that_it_cannot(void **state)
{
	const char *basic = "Proxy-Authorization: Basic ";
	char target[64], fields[128];

	(void)state;
	snprintf(target, sizeof(target), "CONNECT 127.0.0.1:%u", echo_port);
	/* gina:wrong, gina:held */
	snprintf(fields, sizeof(fields), "%sZ2luYTp3cm9uZw==\r\n", basic);
	assert_has(web_ask(d.port, target, fields), "HTTP/1.1 407 ");
	helper_stop(helper);
	helper = NULL;
	snprintf(fields, sizeof(fields), "%sZ2luYTpoZWxk\r\n", basic);
	assert_has(web_ask(d.port, target, fields), "HTTP/1.1 503 ");
	assert_has(monitor_ask(monitor, "WHY 127.0.0.1"), "reason:login_unanswered ");
	assert_has(monitor_ask(monitor, "ALARMS"),
		"alarm:auth_socket level:error text:Logins cannot be checked at ");
	assert_int_equal(connect_as("gina", "right"), NET_LOGIN_REFUSED);
	assert_int_equal(connect_as("alice", "secret"), 0);
	assert_true(daemon_log_has(
		&d, "level=error msg=\"logins cannot be checked by the helper at auth_socket\""));
	helper = helper_start(path, directory);
	assert_int_equal(connect_as("gina", "right"), 0);
	assert_null(strstr(monitor_ask(monitor, "ALARMS"), "alarm:auth_socket"));
	daemon_wait_log(&d, NULL, "the helper at auth_socket answers again");
}

/* What is asked is given up with the session, which is not kept by it. */
static void who_leaves_gives_the_question_up(void **state)
{
	int fd;

	(void)state;
	fd = net_connect("127.0.0.1", d.port);
	net_socks_send_login(fd, "gina", "held");
	helper_wait_held(helper, 1);
	close(fd);
	helper_wait_given_up(helper, 1);
	fd = net_connect("127.0.0.1", d.port);
	net_socks_send_login(fd, "gina", "held");
	helper_wait_held(helper, 1);
	monitor_expect(monitor, "KILL_USER Anonymous", "OK 1 session of Anonymous ended\n");
	helper_wait_given_up(helper, 2);
	close(fd);
}

/* The cookie of who logs in by the form. */
static const char *log_in_at_page(const char *form)
{
	static char cookie[128];
	char fields[256];
	const char *at;

	snprintf(fields, sizeof(fields),
		"Sec-Fetch-Site: same-origin\r\nContent-Length: %zu\r\n\r\n%s", strlen(form), form);
	at = strstr(web_ask(web_port, "POST /login", fields), "Set-Cookie: socks5d=");
	if (at == NULL)
		return NULL;
	snprintf(cookie, sizeof(cookie), "Cookie: socks5d=%.64s\r\n",
		at + strlen("Set-Cookie: socks5d="));
	return cookie;
}

static void a_page_of_ones_own_is_for_them_too(void **state)
{
	const char *cookie;

	(void)state;
	assert_null(log_in_at_page("name=Carol&password=wrong"));
	cookie = log_in_at_page("name=Carol&password=right");
	assert_non_null(cookie);
	assert_has(web_ask(web_port, "GET /own", cookie), "Your limits");
	assert_has(web_ask(web_port, "GET /settings", cookie), "HTTP/1.1 403 ");
	monitor_expect(monitor, "DISABLE carol", "OK carol disabled, 0 sessions ended\n");
	assert_null(strstr(web_ask(web_port, "GET /api/session", cookie), "HTTP/1.1 200 "));
	monitor_expect(monitor, "ENABLE carol", "OK carol enabled\n");
	/* Carol:right, and boss:secret, who is an administrator */
	assert_has(web_ask(web_port, "GET /api/stats", "Authorization: Basic Q2Fyb2w6cmlnaHQ=\r\n"),
		"HTTP/1.1 403 ");
	assert_has(web_ask(web_port, "GET /api/stats", "Authorization: Basic Q2Fyb2w6d3Jvbmc=\r\n"),
		"HTTP/1.1 401 ");
	assert_has(web_ask(web_port, "GET /api/stats", "Authorization: Basic Ym9zczpzZWNyZXQ=\r\n"),
		"HTTP/1.1 200 ");
	assert_has(web_ask(web_port, "GET /metrics", ""),
		"socks5d_helper_answers_total{result=\"right\"} 2\n");
}

static void a_reload_asks_anew_and_another_socket_takes_a_restart(void **state)
{
	unsigned asked;

	(void)state;
	assert_int_equal(connect_as("carol", "right"), 0);
	asked = helper_asked(helper);
	assert_int_equal(connect_as("carol", "right"), 0);
	assert_int_equal(helper_asked(helper), asked);
	assert_has(monitor_ask(monitor, "RELOAD"), "OK");
	assert_int_equal(connect_as("carol", "right"), 0);
	assert_int_equal(helper_asked(helper), asked + 1);
	monitor_expect(monitor, "CONFIG auth_socket /tmp/other",
		"ERR auth_socket changes only at the next start\n");
	assert_has(monitor_ask(monitor, "CONFIG auth_cache 0"), "OK");
	assert_int_equal(connect_as("carol", "right"), 0);
	assert_int_equal(connect_as("carol", "right"), 0);
	assert_int_equal(helper_asked(helper), asked + 3);
}

/* Those who are known by a helper only, with no file of users. */
static void a_reload_asks_anew_without_a_file_too(void **state)
{
	struct daemon alone;

	(void)state;
	daemon_prepare(&alone);
	daemon_write_file(alone.config, "protect = none\n");
	daemon_launch(
		&alone, (const char *const[]){"-c", alone.config, "--auth-socket", path, NULL});
	for (unsigned i = 1; i < 3; i++) {
		uint8_t rep;

		close(net_socks_connect_as(
			alone.port, "carol", "right", "127.0.0.1", echo_port, &rep));
		assert_int_equal(rep, 0);
		assert_int_equal(helper_asked(helper), i);
		daemon_use_config(&alone, "protect = none\nlog_level = debug\n");
	}
	daemon_stop(&alone);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_login_is_wanted_and_the_helper_decides),
		TEST(administrators_act_at_once),
		TEST(http_asks_again_or_says_that_it_cannot),
		TEST(who_leaves_gives_the_question_up),
		TEST(a_page_of_ones_own_is_for_them_too),
		TEST(a_reload_asks_anew_and_another_socket_takes_a_restart),
		TEST(a_reload_asks_anew_without_a_file_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
