/* The monitor of the real server: login, lines, every command and every error, word for word. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/check.h"
#include "base/version.h"
#include "lacking.h"
#include "monitor.h"
#include "state/settings.h"
#include "suite.h"

static struct daemon d;
static struct net_echo *echo;
static uint16_t echo_port;

/* A name server that is not there: every lookup fails, and none leaves the host. */
#define NO_DNS "--dns-servers", "127.0.0.1:1"

static int setup(void **state)
{
	(void)state;
	echo = net_echo_start("127.0.0.1", &echo_port);
	monitor_start_daemon(&d, (const char *const[]){NO_DNS, NULL});
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_stop(&d);
	net_echo_stop(echo);
	return 0;
}

static int root(void)
{
	return monitor_login(&d, "root:secret");
}

/* A session of a user with the echo server; it has moved 5 bytes each way. */
static int open_session(const char *user, const char *password)
{
	uint8_t rep;
	int fd = net_socks_connect_as(d.port, user, password, "127.0.0.1", echo_port, &rep);

	assert_int_equal(rep, 0);
	net_send(fd, "hello", 5);
	net_expect(fd, "hello", 5);
	return fd;
}

/* A session that asks for the echo server and is over; how it was answered. */
static uint8_t connect_reply(const char *user, const char *password)
{
	uint8_t rep;
	int fd = net_socks_connect_as(d.port, user, password, "127.0.0.1", echo_port, &rep);

	close(fd);
	return rep;
}

/* The id of the newest session, as CONNECTIONS says it. */
static long newest_id(int monitor)
{
	const char *reply = monitor_ask(monitor, "CONNECTIONS"), *at = reply;
	long id = 0;

	while ((at = strstr(at, "\nid:")) != NULL) {
		id = atol(at + 4);
		at++;
	}
	assert_true(id > 0);
	return id;
}

static void wait_for_no_sessions(int monitor)
{
	while (monitor_stat(monitor, "current connections") > 0)
		;
}

/* ---- login ---- */

static void expect_refusal(const char *from, const char *line, const char *answer)
{
	int fd = net_connect_from(from, "127.0.0.1", d.monitor_port);

	monitor_expect_text(fd, "Please enter Username:password (in that format)\n");
	monitor_send(fd, line);
	assert_string_equal(monitor_read_to_end(fd), answer);
	close(fd);
}

/* A server that has seen no wrong login yet, and remembers no password. */
static void start_anew(void)
{
	daemon_stop(&d);
	monitor_start_daemon(&d, (const char *const[]){NO_DNS, NULL});
}

static void who_is_no_admin_is_refused_in_the_same_words(void **state)
{
	static const char *const lines[] = {"nobody:secret\n", "root:wrong\n", "alice:secret\n",
		"alice:wrong\n", "root:\n", "root:secret \n", "root: secret\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (i % 3 == 0) /* after three it is another story */
			start_anew();
		expect_refusal("127.0.0.1", lines[i], "ERR Invalid credentials\n");
	}
	start_anew();
}

static void a_login_without_a_colon_has_no_format(void **state)
{
	static const char *const lines[] = {"\n", "root\n", ":secret\n", "STATS\n", "a\tb:c\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect_refusal(
			"127.0.0.1", lines[i], "ERR Invalid format. Use username:password\n");
}

static void a_password_may_have_colons_and_the_line_cr_lf(void **state)
{
	int fd = root();

	(void)state;
	monitor_expect(fd, "ADD_USER carl a:b:c admin", "OK User carl added\n");
	close(fd);
	fd = monitor_connect(&d);
	monitor_send(fd, "carl:a:b:c\r\nUSERS\r\n");
	monitor_expect_text(fd, "OK Welcome carl\nOK No active users\n\n");
	monitor_expect(fd, "DEL_USER carl", "OK User carl deleted, 0 sessions ended\n");
	close(fd);
}

static void an_address_that_failed_too_often_is_held_off(void **state)
{
	static const char *const from[] = {"127.0.2.1", "127.0.0.1", "127.3.0.9"};
	int fd;

	(void)state;
	start_anew();
	close(root());
	for (int i = 0; i < 3; i++) /* all of loopback is one */
		expect_refusal(from[i], "root:wrong\n", "ERR Invalid credentials\n");
	expect_refusal("127.0.2.1", "root:wrong\n", "ERR Too many failed logins\n");
	/* Right, but it would have to be hashed to know that. */
	expect_refusal("127.0.4.1", "boss:secret\n", "ERR Too many failed logins\n");
	/* What is known is let in at once. */
	fd = root();
	assert_int_equal(monitor_stat(fd, "monitor logins refused"), 5);
	close(fd);
	assert_true(daemon_log_has(&d, "msg=\"monitor login refused\" client=127.0."));
	assert_false(daemon_log_has(&d, "wrong"));
	assert_false(daemon_log_has(&d, "secret"));
	start_anew();
}

/* The first hold-off is as long as it takes for the next one to be checked. */
static void of_those_held_off_one_is_checked_in_5_s(void **state)
{
	static const char busy[] = "ERR Too many failed logins\n";
	const char *answer = busy;
	int fd;

	(void)state;
	start_anew();
	for (int i = 0; i < 3; i++)
		expect_refusal("127.0.0.1", "root:wrong\n", "ERR Invalid credentials\n");
	while (strcmp(answer, busy) == 0) {
		fd = monitor_connect(&d);
		monitor_send(fd, "root:wrong\n");
		answer = monitor_read_to_end(fd);
		close(fd);
		poll(NULL, 0, 50); /* not to be asked without a pause */
	}
	assert_string_equal(answer, "ERR Invalid credentials\n");
	expect_refusal("127.0.0.1", "boss:secret\n", busy);
	start_anew();
}

static void the_proxy_counts_administrators_names_and_no_others(void **state)
{
	int fd;

	(void)state;
	start_anew();
	close(root());
	for (int i = 0; i < 5; i++)
		assert_int_equal(connect_reply("alice", "wrong"), NET_LOGIN_REFUSED);
	assert_int_equal(connect_reply("nobody", "wrong"), NET_LOGIN_REFUSED);
	assert_int_equal(connect_reply("boss", "wrong"), NET_LOGIN_REFUSED);
	assert_int_equal(connect_reply("root", "wrong"), NET_LOGIN_REFUSED);
	expect_refusal("127.0.0.1", "boss:wrong\n", "ERR Invalid credentials\n");
	/* Now both doors are. */
	expect_refusal("127.0.0.1", "boss:secret\n", "ERR Too many failed logins\n");
	assert_int_equal(connect_reply("boss", "secret"), NET_LOGIN_REFUSED);
	daemon_wait_log(&d, NULL, " user=boss outcome=fail reason=login_refused ");
	assert_int_equal(connect_reply("root", "secret"), 0);
	assert_int_equal(connect_reply("alice", "wrong"), NET_LOGIN_REFUSED);
	assert_int_equal(connect_reply("alice", "secret"), 0);
	fd = root();
	assert_true(monitor_stat(fd, "logins refused") >= 10);
	close(fd);
	start_anew();
}

/* ---- lines ---- */

static void bytes_may_come_one_by_one(void **state)
{
	static const char text[] = "root:secret\nUSERS\nQUIT\n";
	int fd = monitor_connect(&d);

	(void)state;
	for (const char *p = text; *p != '\0'; p++)
		net_send(fd, p, 1);
	assert_string_equal(
		monitor_read_to_end(fd), "OK Welcome root\nOK No active users\n\nOK Goodbye\n");
	close(fd);
}

static void all_at_once_and_the_end_behind_it_is_answered_too(void **state)
{
	int fd = monitor_connect(&d);

	(void)state;
	monitor_send(fd, "root:secret\nUSERS\nCONFIG port\nNONSENSE\nCONFIG timeout\nUSERS\n");
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_string_equal(monitor_read_to_end(fd),
		"OK Welcome root\nOK No active users\n\nOK\nport:0\n\n"
		"ERR Unknown command: NONSENSE\n\nOK\ntimeout:1h\n\nOK No active users\n\n");
	close(fd);
}

static void a_line_that_is_too_long_is_refused_and_the_next_one_is_not(void **state)
{
	char line[5000];
	int fd = root();

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	monitor_expect(fd, line, "ERR Line too long\n");
	monitor_expect(fd, "USERS", "OK No active users\n");
	line[1023] = '\0'; /* with its LF, as long as a line may be */
	assert_begins(monitor_ask(fd, line), "ERR Unknown command: xxx");
	close(fd);
}

static void what_is_no_command_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{"", "ERR Empty line: HELP lists the commands\n"},
		{"FROBNICATE", "ERR Unknown command: FROBNICATE\n"},
		{"USERS now", "ERR Usage: USERS\n"},
		{"USERS\x1b[2J", "ERR Control bytes are not allowed\n"},
		{"KILL", "ERR Usage: KILL <id>\n"},
	};
	int fd = root();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		monitor_expect(fd, rows[i][0], rows[i][1]);
	monitor_expect(fd, "uSeRs", "OK No active users\n");
	close(fd);
}

static void quit_says_goodbye_and_closes(void **state)
{
	int fd = root();

	(void)state;
	monitor_send(fd, "QUIT\n");
	assert_string_equal(monitor_read_to_end(fd), "OK Goodbye\n");
	close(fd);
}

/* ---- looking ---- */

static void stats_begin_with_the_six_lines_of_the_contract(void **state)
{
	static const char *const names[] = {"all time connections", "bytes transferred",
		"active users", "current connections", "max concurrent connections",
		"server uptime"};
	int monitor = root(), session = open_session("alice", "secret");
	const char *line = monitor_ask(monitor, "STATS");

	(void)state;
	assert_begins(line, "OK\n");
	for (size_t i = 0; i < 6; i++) {
		line = strchr(line, '\n') + 1;
		assert_begins(line, names[i]);
		assert_int_equal(line[strlen(names[i])], ':');
	}
	assert_int_equal(strchr(line, '\n')[-1], 's');
	assert_int_equal(monitor_stat(monitor, "active users"), 1);
	assert_int_equal(monitor_stat(monitor, "current connections"), 1);
	close(session);
	wait_for_no_sessions(monitor);
	assert_int_equal(monitor_stat(monitor, "active users"), 0);
	close(monitor);
}

static void bytes_are_counted_while_they_pass(void **state)
{
	int monitor = root();
	long before = monitor_stat(monitor, "bytes transferred");
	int session = open_session("alice", "secret");

	(void)state;
	assert_int_equal(monitor_stat(monitor, "bytes transferred"), before + 10);
	net_send(session, "again", 5);
	net_expect(session, "again", 5);
	assert_int_equal(monitor_stat(monitor, "bytes transferred"), before + 20);
	close(session);
	wait_for_no_sessions(monitor);
	assert_int_equal(monitor_stat(monitor, "bytes transferred"), before + 20);
	close(monitor);
}

static void connections_tell_all_of_a_session(void **state)
{
	int monitor = root(), session = open_session("alice", "secret");
	char expected[512];
	struct addr own = {.sa = {.sa_family = AF_UNSPEC}};
	socklen_t len = sizeof(own);
	const char *line;

	(void)state;
	assert_int_equal(getsockname(session, &own.sa, &len), 0);
	snprintf(expected, sizeof(expected),
		"id:%ld user:alice client:127.0.0.1:%u command:CONNECT target:127.0.0.1:%u "
		"state:RELAY age:",
		newest_id(monitor), addr_port(&own), echo_port);
	line = monitor_ask(monitor, "CONNECTIONS");
	assert_begins(line, "OK\ncurrent connections:1\nmax concurrent connections:");
	line = strstr(line, "\nid:") + 1;
	assert_begins(line, expected);
	snprintf(expected, sizeof(expected),
		" sent:5 received:5 address:127.0.0.1:%u sent_rate:", echo_port);
	assert_non_null(strstr(line, expected));
	close(session);
	wait_for_no_sessions(monitor);
	close(monitor);
}

static void sessions_are_seen_in_every_phase(void **state)
{
	int monitor = root(), fd = net_connect("127.0.0.1", d.port);

	(void)state;
	while (strstr(monitor_ask(monitor, "CONNECTIONS"), " command:- target:- state:GREETING ") ==
		NULL)
		;
	net_send_hex(fd, "05 01 02");
	net_expect_hex(fd, "05 02");
	while (strstr(monitor_ask(monitor, "CONNECTIONS"), " state:LOGIN ") == NULL)
		;
	net_send_hex(fd, "01 05 61 6c 69 63 65 06 73 65 63 72 65 74");
	net_expect_hex(fd, "01 00");
	while (strstr(monitor_ask(monitor, "CONNECTIONS"), " user:alice client:127.0.0.1:") ==
			NULL ||
		strstr(monitor_ask(monitor, "CONNECTIONS"), " state:REQUEST ") == NULL)
		;
	close(fd);
	wait_for_no_sessions(monitor);
	close(monitor);
}

static void users_are_those_with_a_session(void **state)
{
	int monitor = root(), a = open_session("bob", "secret"),
	    b = open_session("alice", "secret"), c = open_session("alice", "secret");

	(void)state;
	monitor_expect(monitor, "USERS", "OK alice bob\n");
	close(a);
	close(b);
	close(c);
	wait_for_no_sessions(monitor);
	monitor_expect(monitor, "USERS", "OK No active users\n");
	close(monitor);
}

/* The sum of the values of `key` in all lines. */
static long sum_of(const char *reply, const char *key)
{
	long sum = 0;

	for (const char *p = reply; (p = strstr(p, key)) != NULL; p += strlen(key))
		sum += strtol(p + strlen(key), NULL, 10);
	return sum;
}

static void traffic_tells_all_that_was_moved(void **state)
{
	int monitor = root(), session = open_session("alice", "secret");
	long sent, received;

	(void)state;
	/* There may have been more a moment ago. */
	assert_true(sum_of(monitor_ask(monitor, "TRAFFIC 1"), " sessions:") >= 1);
	close(session);
	wait_for_no_sessions(monitor);
	sent = monitor_stat(monitor, "bytes sent");
	received = monitor_stat(monitor, "bytes received");
	assert_true(sent >= 5 && received >= 5);
	assert_int_equal(sum_of(monitor_ask(monitor, "TRAFFIC 86400"), " sent:"), sent);
	assert_int_equal(sum_of(monitor_ask(monitor, "TRAFFIC 3600 60"), " received:"), received);
	close(monitor);
}

static void help_lists_every_command(void **state)
{
	static const char *const words[] = {"STATS", "CONNECTIONS", "USERS", "CONFIG", "ACCESS_LOG",
		"QUIT", "HELP", "ACCOUNTS", "ADD_USER", "SET_PASSWORD", "DEL_USER", "KILL",
		"KILL_USER", "RELOAD", "LOG_LEVEL", "TRAFFIC", "SET_ROLE", "SETTINGS", "CLIENTS",
		"UPSTREAMS", "RULES", "ALLOW", "DENY", "DROP_RULE", "EXPLAIN", "LIMITS", "QUOTA",
		"DISABLE", "ENABLE", "GUEST", "GUESTS", "WHY", "WATCH", "NODES", "BANS", "BAN",
		"UNBAN", "USAGE", "DAYS", "SITES", "FORGET", "ALARMS", "SHARE_USER", "VERSION"};
	int fd = root();
	const char *line = monitor_ask(fd, "HELP");

	(void)state;
	assert_begins(line, "OK\n");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		line = strchr(line, '\n') + 1;
		assert_begins(line, words[i]);
		assert_int_equal(line[strlen(words[i])], ' ');
		assert_non_null(strstr(line, " - "));
	}
	assert_string_equal(strchr(line, '\n'), "\n");
	close(fd);
}

/* ---- the access log ---- */

/* The reply to `request` with all times replaced by a question mark. */
static const char *without_times(int fd, const char *request)
{
	static char text[65536];
	size_t len = 0;
	bool inside = false;

	for (const char *p = monitor_ask(fd, request); *p != '\0'; p++) {
		inside &= *p != ']';
		if (!inside)
			text[len++] = *p;
		if (*p == '[') {
			struct tm tm = {0};

			assert_non_null(strptime(p, "[%Y-%m-%d %H:%M:%S]", &tm));
			text[len++] = '?';
			inside = true;
		}
	}
	text[len] = '\0';
	return text;
}

static void the_access_log_tells_answered_requests(void **state)
{
	char expected[512];
	uint8_t rep;
	int monitor;

	(void)state;
	daemon_stop(&d); /* an access log of its own */
	monitor_start_daemon(&d, (const char *const[]){NO_DNS, NULL});
	monitor = root();
	monitor_expect(monitor, "ACCESS_LOG", "OK No access log entries\n");
	monitor_expect(monitor, "ACCESS_LOG alice", "OK No access log entries for user alice\n");
	close(open_session("alice", "secret"));
	close(net_socks_connect_as(d.port, "bob", "secret", "name.invalid", 443, &rep));
	assert_int_equal(rep, 4);
	close(open_session("alice", "secret"));
	snprintf(expected, sizeof(expected),
		"OK Access log for all users:\nalice: 127.0.0.1:%u [?] SUCCESS\n"
		"bob: name.invalid:443 [?] FAIL name_failed 127.0.0.1\nalice: 127.0.0.1:%u [?] SUCCESS\n",
		echo_port, echo_port);
	assert_string_equal(without_times(monitor, "ACCESS_LOG"), expected);
	assert_string_equal(without_times(monitor, "ACCESS_LOG *"), expected);
	assert_string_equal(without_times(monitor, "ACCESS_LOG bob"),
		"OK Access log for user bob:\nname.invalid:443 [?] FAIL name_failed 127.0.0.1\n");
	snprintf(expected, sizeof(expected),
		"OK Access log for user alice:\n127.0.0.1:%u [?] SUCCESS\n", echo_port);
	assert_string_equal(without_times(monitor, "ACCESS_LOG alice 1"), expected);
	snprintf(expected, sizeof(expected),
		"OK Access log for all users:\nbob: name.invalid:443 [?] FAIL name_failed 127.0.0.1\n"
		"alice: 127.0.0.1:%u [?] SUCCESS\n",
		echo_port);
	assert_string_equal(without_times(monitor, "ACCESS_LOG * 2"), expected);
	monitor_expect(monitor, "ACCESS_LOG * 0",
		"ERR \"0\": legal is a count from 1 on, today, yesterday, week, month, or a date "
		"such as 2026-01-31\n");
	monitor_expect(monitor, "ACCESS_LOG * -1",
		"ERR \"-1\": legal is a count from 1 on, today, yesterday, week, month, or a date "
		"such as 2026-01-31\n");
	close(monitor);
}

/* Until that is the answer: a refused login is there when its session has ended. */
static void wait_for_access_log(int monitor, const char *request, const char *expected)
{
	while (strcmp(without_times(monitor, request), expected) != 0)
		usleep(10000);
}

/* A folder with a file of users, for daemons that come and go. */
static void prepare_folder(void)
{
	daemon_stop(&d);
	daemon_prepare(&d);
	monitor_write_users(&d);
}

static void launch_with_access_log(void)
{
	char file[TMP_MAX_PATH + 8];

	snprintf(file, sizeof(file), "%s/access", d.folder);
	daemon_launch(&d, (const char *const[]){"-U", d.users, "--access-log-file", file, NULL});
}

static void a_wrong_password_is_told_by_name_and_a_name_that_is_nobodys_never(void **state)
{
	int monitor;

	(void)state;
	prepare_folder();
	for (int round = 1; round <= 2; round++) {
		launch_with_access_log();
		monitor = root();
		if (round == 1) {
			assert_int_equal(connect_reply("hunter2", "wrong"), NET_LOGIN_REFUSED);
			assert_int_equal(connect_reply("alice", "wrong"), NET_LOGIN_REFUSED);
		}
		wait_for_access_log(monitor, "ACCESS_LOG",
			"OK Access log for all users:\n"
			"alice: - [?] FAIL wrong_password 127.0.0.1\n");
		wait_for_access_log(monitor, "ACCESS_LOG alice",
			"OK Access log for user alice:\n- [?] FAIL wrong_password 127.0.0.1\n");
		if (round == 2)
			break;
		assert_int_equal(monitor_stat(monitor, "ended wrong_password"), 1);
		while (monitor_stat(monitor, "logins refused") < 2)
			;
		daemon_wait_log(&d, NULL, " user=alice outcome=fail reason=wrong_password ");
		daemon_wait_log(&d, NULL, " user=Anonymous outcome=fail reason=login_refused ");
		assert_false(daemon_log_has(&d, "hunter2"));
		close(monitor);
		daemon_signal(&d, SIGTERM);
		assert_int_equal(daemon_wait_exit(&d), 0);
	}
	close(monitor);
}

static void the_access_log_outlives_the_process_in_its_file(void **state)
{
	char expected[128];
	int monitor;

	(void)state;
	prepare_folder();
	for (int round = 1; round <= 2; round++) {
		launch_with_access_log();
		close(open_session("alice", "secret"));
		if (round == 2)
			break;
		daemon_signal(&d, SIGTERM);
		assert_int_equal(daemon_wait_exit(&d), 0);
	}
	monitor = root();
	snprintf(expected, sizeof(expected),
		"OK Access log for user alice:\n127.0.0.1:%u [?] SUCCESS\n127.0.0.1:%u [?] "
		"SUCCESS\n",
		echo_port, echo_port);
	assert_string_equal(without_times(monitor, "ACCESS_LOG alice"), expected);
	close(monitor);
}

/* ---- ending sessions ---- */

static void kill_breaks_a_session_off(void **state)
{
	int monitor = root(), victim = open_session("alice", "secret"),
	    other = open_session("alice", "secret");
	char request[32], answer[64];
	long id = newest_id(monitor) - 1;

	(void)state;
	snprintf(request, sizeof(request), "KILL %ld", id);
	snprintf(answer, sizeof(answer), "OK Session %ld ended\n", id);
	monitor_expect(monitor, request, answer);
	net_expect_reset(victim);
	net_send(other, "still", 5);
	net_expect(other, "still", 5);
	while (monitor_stat(monitor, "current connections") > 1)
		;
	snprintf(answer, sizeof(answer), "ERR There is no session %ld\n", id);
	monitor_expect(monitor, request, answer);
	monitor_expect(monitor, "KILL all", "ERR \"all\": the id of a session is a number\n");
	assert_true(monitor_stat(monitor, "ended killed") >= 1);
	assert_true(daemon_log_has(&d, "reason=killed"));
	assert_true(daemon_log_has(&d, "msg=\"monitor command\" user=root client=127.0.0.1:"));
	close(victim);
	close(other);
	wait_for_no_sessions(monitor);
	close(monitor);
}

/* Neither side takes any more: the worker waits for nothing but room. */
static void kill_reaches_a_session_that_is_stuck(void **state)
{
	int monitor = root(), fd = open_session("alice", "secret");
	static char bytes[65536];
	char request[32];

	(void)state;
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	snprintf(request, sizeof(request), "KILL %ld", newest_id(monitor));
	monitor_ask(monitor, request);
	wait_for_no_sessions(monitor);
	close(fd);
	close(monitor);
}

static void kill_reaches_sessions_in_every_phase(void **state)
{
	static const char *const sent[] = {NULL, "05", "05 01 02", "05 01 02 01 05 61"};
	int monitor = root();

	(void)state;
	for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
		int fd = net_connect("127.0.0.1", d.port);
		char request[32];

		if (sent[i] != NULL)
			net_send_hex(fd, sent[i]);
		while (monitor_stat(monitor, "current connections") == 0)
			;
		snprintf(request, sizeof(request), "KILL %ld", newest_id(monitor));
		monitor_ask(monitor, request);
		wait_for_no_sessions(monitor);
		close(fd);
	}
	close(monitor);
}

static void kill_user_ends_all_sessions_of_a_user(void **state)
{
	int monitor = root(), a = open_session("alice", "secret"),
	    b = open_session("alice", "secret"), c = open_session("bob", "secret");

	(void)state;
	monitor_expect(monitor, "KILL_USER alice", "OK 2 sessions of alice ended\n");
	net_expect_reset(a);
	net_expect_reset(b);
	while (monitor_stat(monitor, "current connections") > 1)
		;
	monitor_expect(monitor, "KILL_USER alice", "ERR alice has no session\n");
	monitor_expect(monitor, "USERS", "OK bob\n");
	close(a);
	close(b);
	close(c);
	wait_for_no_sessions(monitor);
	close(monitor);
}

/* ---- users ---- */

/* What the users file says of a user; "" when it does not. */
static const char *line_of(const char *user)
{
	static char line[512];
	FILE *f = fopen(d.users, "re");
	size_t len = strlen(user);

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, user, len) == 0 && line[len] == ':') {
			fclose(f);
			return line;
		}
	}
	fclose(f);
	return "";
}

static void an_added_user_may_log_in_at_once_and_is_on_disk(void **state)
{
	int monitor = root();

	(void)state;
	monitor_expect(monitor, "ADD_USER carl p4ss", "OK User carl added\n");
	assert_begins(line_of("carl"), "carl:$y$");
	assert_non_null(strstr(line_of("carl"), ":user\n"));
	assert_int_equal(connect_reply("carl", "p4ss"), 0);
	monitor_expect(monitor, "ADD_USER carl other", "ERR carl exists already\n");
	monitor_expect(monitor, "ADD_USER dora x boss",
		"ERR \"boss\": the role is admin or helper, or left out\n");
	monitor_expect(monitor, "ADD_USER * x",
		"ERR anonymous, known, * and - stand for others, not for a user\n");
	monitor_expect(monitor, "ADD_USER a:b x",
		"ERR a user name has no blanks, colons, commas, double quotes or control characters\n");
	wait_for_no_sessions(monitor);
	monitor_expect(monitor, "DEL_USER carl", "OK User carl deleted, 0 sessions ended\n");
	close(monitor);
	assert_false(daemon_log_has(&d, "p4ss"));
	assert_true(daemon_log_has(&d, "command=ADD_USER about=carl answer=OK"));
}

/* Both hashes are computed before either is put into effect, perhaps. */
static void of_two_who_add_the_same_user_one_does(void **state)
{
	static const char added[] = "OK User carl added\n\n";
	static const char exists[] = "ERR carl exists already\n\n";
	int a = root(), b = root();
	char first;

	(void)state;
	monitor_send(a, "ADD_USER carl p4ss\n");
	monitor_send(b, "ADD_USER carl p4ss\n");
	net_receive(a, &first, 1);
	monitor_expect_text(a, (first == 'O' ? added : exists) + 1);
	monitor_expect_text(b, first == 'O' ? exists : added);
	assert_int_equal(connect_reply("carl", "p4ss"), 0);
	wait_for_no_sessions(a);
	monitor_expect(a, "DEL_USER carl", "OK User carl deleted, 0 sessions ended\n");
	close(a);
	close(b);
}

static void a_new_password_counts_at_once(void **state)
{
	int monitor = root();

	(void)state;
	monitor_expect(monitor, "SET_PASSWORD bob two words", "OK Password of bob changed\n");
	assert_int_equal(connect_reply("bob", "two words"), 0);
	assert_int_equal(connect_reply("bob", "secret"), NET_LOGIN_REFUSED);
	monitor_expect(monitor, "SET_PASSWORD nobody x", "ERR nobody does not exist\n");
	monitor_expect(monitor, "SET_PASSWORD bob secret", "OK Password of bob changed\n");
	close(monitor);
}

static void a_new_password_ends_the_other_consoles_of_that_admin_and_nothing_else(void **state)
{
	int by = root(), other = root(), boss = monitor_login(&d, "boss:secret");
	int session = net_connect("127.0.0.1", d.port);

	(void)state;
	assert_int_equal(net_socks_log_in(session, "root", "secret"), 0);
	monitor_expect(by, "SET_PASSWORD bob secret", "OK Password of bob changed\n");
	monitor_expect(by, "SET_PASSWORD nobody x", "ERR nobody does not exist\n");
	monitor_expect(other, "USERS", "OK root\n");
	monitor_expect(by, "SET_PASSWORD root other", "OK Password of root changed\n");
	assert_string_equal(monitor_read_to_end(other), "ERR The password was changed\n\n");
	monitor_expect(boss, "USERS", "OK root\n"); /* the session lives */
	monitor_expect(by, "SET_PASSWORD root secret", "OK Password of root changed\n");
	monitor_expect(by, "USERS", "OK root\n");
	close(session);
	wait_for_no_sessions(by);
	close(other);
	close(boss);
	close(by);
}

static void a_deleted_user_is_thrown_out(void **state)
{
	int monitor = root(), session;

	(void)state;
	monitor_ask(monitor, "ADD_USER carl p4ss");
	session = open_session("carl", "p4ss");
	monitor_expect(monitor, "DEL_USER carl", "OK User carl deleted, 1 session ended\n");
	net_expect_reset(session);
	assert_string_equal(line_of("carl"), "");
	assert_int_equal(connect_reply("carl", "p4ss"), NET_LOGIN_REFUSED);
	monitor_expect(monitor, "DEL_USER carl", "ERR carl does not exist\n");
	close(session);
	wait_for_no_sessions(monitor);
	close(monitor);
}

static void an_admin_who_was_deleted_may_do_nothing_more(void **state)
{
	int monitor = root(), other;

	(void)state;
	monitor_ask(monitor, "ADD_USER carl p4ss admin");
	other = monitor_login(&d, "carl:p4ss");
	monitor_expect(other, "USERS", "OK No active users\n");
	monitor_expect(monitor, "DEL_USER carl", "OK User carl deleted, 0 sessions ended\n");
	monitor_expect(other, "USERS", "ERR carl may not do that any more\n");
	monitor_expect(other, "ADD_USER eve x admin", "ERR carl may not do that any more\n");
	assert_string_equal(line_of("eve"), "");
	monitor_send(other, "QUIT\n");
	assert_string_equal(monitor_read_to_end(other), "OK Goodbye\n");
	close(other);
	close(monitor);
}

static void accounts_tell_all_users(void **state)
{
	int monitor, session;
	const char *reply;

	(void)state;
	daemon_stop(&d);
	monitor_start_daemon(&d, NULL);
	monitor = root();
	close(open_session("alice", "secret"));
	wait_for_no_sessions(monitor);
	session = open_session("alice", "secret");
	reply = monitor_ask(monitor, "ACCOUNTS");
	assert_begins(reply,
		"OK\nname:alice role:user sessions:1 total:2 sent:10 received:10 last_seen:20");
	assert_non_null(strstr(reply,
		"\nname:bob role:user sessions:0 total:0 sent:0 received:0 last_seen:never "
		"limits:none\nname:boss role:admin "));
	close(session);
	close(monitor);
}

/* The users file has so many lines, which begin so; "" is an empty one. */
static void assert_file_has_lines(const char *const beginnings[])
{
	FILE *f = fopen(d.users, "re");
	char line[512];

	assert_non_null(f);
	for (; *beginnings != NULL; beginnings++) {
		assert_non_null(fgets(line, sizeof(line), f));
		assert_begins(line, **beginnings == '\0' ? "\n" : *beginnings);
	}
	assert_null(fgets(line, sizeof(line), f));
	fclose(f);
}

/* The line of alice, up to when she was seen last, comes to be this. Bytes are counted when they
 * were sent, so whoever has received them may ask a moment too early. */
static void expect_account(int monitor, const char *expected)
{
	time_t until = time(NULL) + NET_PATIENCE_S;
	const char *reply;

	do {
		reply = monitor_ask(monitor, "ACCOUNTS");
		assert_begins(reply, "OK\n");
		reply += strlen("OK\n");
	} while (strncmp(reply, expected, strlen(expected)) != 0 && time(NULL) < until);
	assert_begins(reply, expected);
}

static void accounts_count_while_bytes_pass(void **state)
{
	int monitor, session;

	(void)state;
	start_anew();
	monitor = root();
	session = open_session("alice", "secret");
	expect_account(monitor, "name:alice role:user sessions:1 total:1 sent:5 received:5 ");
	net_send(session, "again", 5);
	net_expect(session, "again", 5);
	expect_account(monitor, "name:alice role:user sessions:1 total:1 sent:10 received:10 ");
	close(session);
	wait_for_no_sessions(monitor);
	expect_account(monitor, "name:alice role:user sessions:0 total:1 sent:10 received:10 ");
	close(monitor);
}

static void accounts_live_through_a_reload_and_not_through_a_deletion(void **state)
{
	int monitor, session;

	(void)state;
	start_anew();
	monitor = root();
	session = open_session("alice", "secret");
	monitor_expect(monitor, "SET_PASSWORD alice other", "OK Password of alice changed\n");
	assert_begins(monitor_ask(monitor, "RELOAD"), "OK ");
	net_send(session, "again", 5);
	net_expect(session, "again", 5);
	expect_account(monitor, "name:alice role:user sessions:1 total:1 sent:10 received:10 ");
	monitor_expect(monitor, "DEL_USER alice", "OK User alice deleted, 1 session ended\n");
	monitor_expect(monitor, "ADD_USER alice new", "OK User alice added\n");
	close(session);
	wait_for_no_sessions(monitor);
	expect_account(monitor,
		"name:alice role:user sessions:0 total:0 sent:0 received:0 last_seen:never");
	close(monitor);
}

/* They went on, while DEL_USER ended them. Whoever has another password by now keeps his. */
static void users_whom_a_reload_takes_out_lose_their_sessions(void **state)
{
	int monitor, bobs, alices;

	(void)state;
	start_anew();
	monitor = root();
	bobs = open_session("bob", "secret");
	alices = open_session("alice", "secret");
	daemon_write_file(d.users,
		"root:" MONITOR_HASH ":admin\n"
		"alice:$2b$04$KBCwKxOzLha2MUDgW0PjXe5WrYdbeMEUdDqZSYfWfkhh6PfeUa7Fi\n");
	assert_begins(monitor_ask(monitor, "RELOAD"),
		"OK 1 user changed, 2 users gone, 1 session ended; read: ");
	net_expect_reset(bobs);
	close(bobs);
	net_send(alices, "still", 5);
	net_expect(alices, "still", 5);
	assert_int_equal(connect_reply("bob", "secret"), NET_LOGIN_REFUSED);
	assert_int_equal(connect_reply("alice", "secret"), NET_LOGIN_REFUSED);
	close(alices);
	wait_for_no_sessions(monitor);
	monitor_expect(monitor, "USERS", "OK No active users\n");
	close(monitor);
	start_anew();
}

/* One editor's change after the other: each is to be read before it can be written over. */
static void a_users_file_that_somebody_changed_is_read_before_it_is_written(void **state)
{
	char expected[160];
	int monitor;

	(void)state;
	start_anew();
	monitor = root();
	snprintf(expected, sizeof(expected), "ERR %s was changed: RELOAD first\n", d.users);
	daemon_write_file(d.users, "root:" MONITOR_HASH ":admin\n# alice and bob are gone\n");
	monitor_expect(monitor, "ADD_USER carl p4ss", expected);
	monitor_expect(monitor, "SET_PASSWORD bob p4ss", expected);
	monitor_expect(monitor, "DEL_USER bob", expected);
	assert_begins(monitor_ask(monitor, "RELOAD"), "OK 3 users gone, 0 sessions ended; ");
	monitor_expect(monitor, "ADD_USER carl p4ss", "OK User carl added\n");
	assert_file_has_lines(
		(const char *const[]){"root:", "# alice and bob are gone", "carl:$y$", NULL});
	/* That one user was all that was left: at the next reload the others were out. */
	daemon_write_file(d.users, "");
	monitor_expect(monitor, "ADD_USER dora p4ss", expected);
	snprintf(expected, sizeof(expected), "ERR %s: no users are left in it, but the server",
		d.users);
	assert_begins(monitor_ask(monitor, "RELOAD"), expected);
	assert_int_equal(unlink(d.users), 0);
	snprintf(expected, sizeof(expected), "ERR %s was changed: RELOAD first\n", d.users);
	monitor_expect(monitor, "ADD_USER dora p4ss", expected);
	snprintf(expected, sizeof(expected), "ERR %s: it is missing, but the server", d.users);
	assert_begins(monitor_ask(monitor, "RELOAD"), expected);
	assert_int_equal(connect_reply("carl", "p4ss"), 0);
	close(monitor);
	start_anew();
}

/* They are right again after a restart, so that is said. */
static void what_the_command_line_gives_again_is_said(void **state)
{
	int monitor;

	(void)state;
	daemon_stop(&d);
	daemon_prepare(&d);
	daemon_launch(
		&d, (const char *const[]){"-u", "root:secret", "-u", "bob:x", "-U", d.users, NULL});
	monitor = root();
	monitor_expect(monitor, "SET_PASSWORD bob y",
		"OK Password of bob changed (until the next start: -u gives bob a password)\n");
	monitor_expect(monitor, "DEL_USER bob",
		"OK User bob deleted, 0 sessions ended (until the next start: -u gives bob again)\n");
	monitor_expect(monitor, "ADD_USER carl x", "OK User carl added\n");
	close(monitor);
	start_anew();
}

/* What people have written into the file is theirs. */
static void the_users_file_keeps_what_stands_around_a_change(void **state)
{
	int monitor;

	(void)state;
	start_anew();
	daemon_write_file(d.users,
		"# ours\nroot:" MONITOR_HASH ":admin\n\nalice:" MONITOR_HASH
		"\n# bob's time is over\nbob:" MONITOR_HASH ":user:\n");
	monitor = root();
	assert_begins(monitor_ask(monitor, "RELOAD"), "OK ");
	monitor_expect(monitor, "SET_PASSWORD bob other", "OK Password of bob changed\n");
	monitor_expect(monitor, "ADD_USER carl p4ss", "OK User carl added\n");
	monitor_expect(monitor, "DEL_USER alice", "OK User alice deleted, 0 sessions ended\n");
	assert_non_null(strstr(line_of("bob"), ":user:\n"));
	assert_file_has_lines((const char *const[]){
		"# ours", "root:", "", "# bob's time is over", "bob:$y$", "carl:$y$", NULL});
	close(monitor);
}

static void without_a_file_users_last_until_the_end(void **state)
{
	int monitor;

	(void)state;
	daemon_stop(&d);
	daemon_prepare(&d);
	daemon_launch(&d, (const char *const[]){"-u", "root:secret", NULL});
	monitor = root();
	monitor_expect(monitor, "ADD_USER carl p4ss",
		"OK User carl added (until the server ends: users_file is not set; who must log in "
		"stays as it was)\n");
	assert_int_equal(connect_reply("carl", "p4ss"), 0);
	monitor_expect(monitor, "DEL_USER root", "ERR root is the last admin and stays\n");
	close(monitor);
}

static void what_cannot_be_saved_is_refused(void **state)
{
	int monitor = root();
	const char *reply;
	char path[128];

	(void)state;
	/* A link to nowhere is not followed, and not replaced. */
	snprintf(path, sizeof(path), "%s/moved", d.folder);
	assert_int_equal(rename(d.users, path), 0);
	assert_int_equal(symlink("/nonexistent/users", d.users), 0);
	reply = monitor_ask(monitor, "ADD_USER carl p4ss");
	assert_begins(reply, "ERR ");
	assert_non_null(strstr(reply, "cannot be reached"));
	assert_int_equal(connect_reply("carl", "p4ss"), NET_LOGIN_REFUSED);
	assert_int_equal(rename(path, d.users), 0);
	close(monitor);
}

/* ---- settings ---- */

static void config_shows_and_changes_settings(void **state)
{
	int fd = root();
	const char *line = monitor_ask(fd, "CONFIG");
	size_t count = 0;

	(void)state;
	assert_begins(line, "OK\n");
	for (; (line = strchr(line + 1, '\n')) != NULL && line[1] != '\0'; count++) {
		assert_memory_equal(
			line + 1, settings_table[count].name, strlen(settings_table[count].name));
		assert_int_equal(line[1 + strlen(settings_table[count].name)], ':');
	}
	assert_int_equal(count, SETTINGS_COUNT);
	monitor_expect(fd, "CONFIG timeout 15", "OK timeout set to 15\n");
	monitor_expect(fd, "CONFIG timeout", "OK\ntimeout:15s\n");
	monitor_expect(
		fd, "CONFIG TIMEOUT", "ERR Unknown parameter: TIMEOUT; did you mean timeout?\n");
	monitor_expect(fd, "CONFIG clients 10.0.0.0/8, private",
		"OK clients set to 10.0.0.0/8, private\n");
	monitor_expect(fd, "CONFIG clients", "OK\nclients:private, 10.0.0.0/8\n");
	monitor_expect(fd, "CONFIG clients auto", "OK clients set to auto\n");
	monitor_expect(fd, "CONFIG dns_search lan", "OK dns_search set to lan\n");
	monitor_expect(fd, "CONFIG dns_search \"\"", "OK dns_search set to \"\"\n");
	monitor_expect(fd, "CONFIG dns_search", "OK\ndns_search:\n");
	close(fd);
}

static void what_is_not_legal_changes_nothing(void **state)
{
	static const char *const rows[][2] = {
		{"CONFIG timeout never",
			"ERR timeout: \"never\": legal is a time from 100ms to 30d "
			"(500ms, 30s, 5m, 2h, 1d; without a unit: s)\n"},
		{"CONFIG backlog 0", "ERR backlog: \"0\": legal is a number from 1 to 65535\n"},
		{"CONFIG nonsense 1", "ERR Unknown parameter: nonsense\n"},
		{"CONFIG max_sessions 5", "ERR max_sessions changes only at the next start\n"},
		{"LOG_LEVEL loud", "ERR log_level: \"loud\": legal is error, warn, info, debug\n"},
		{"CONFIG listen 192.0.2.1",
			"ERR cannot listen on 192.0.2.1:0: Cannot assign requested address\n"},
		{"CONFIG log_file /nonexistent/log",
			"ERR log_file is changed in the configuration file only, and by RELOAD\n"},
		{"CONFIG access_log_file /etc/profile.d/zz.sh",
			"ERR access_log_file is changed in the configuration file only, and by "
			"RELOAD\n"},
		{"CONFIG users_file /etc/shadow",
			"ERR users_file changes only at the next start\n"},
	};
	int fd = root();
	char *before = strdup(monitor_ask(fd, "CONFIG"));

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		monitor_expect(fd, rows[i][0], rows[i][1]);
	monitor_expect(fd, "CONFIG", before);
	free(before);
	close(fd);
}

static void live_sessions_follow_the_timeout(void **state)
{
	int monitor = root(), session = open_session("alice", "secret");

	(void)state;
	monitor_expect(monitor, "CONFIG timeout 100ms", "OK timeout set to 100ms\n");
	net_expect_end(session);
	monitor_expect(monitor, "CONFIG timeout 1h", "OK timeout set to 1h\n");
	close(session);
	wait_for_no_sessions(monitor);
	assert_true(monitor_stat(monitor, "ended idle") >= 1);
	close(monitor);
}

/* CONFIG log_level was the one change of which the log had no values. */
static void a_log_that_becomes_talkative_says_since_when(void **state)
{
	int fd = root();

	(void)state;
	monitor_expect(fd, "CONFIG log_level error", "OK log_level set to error\n");
	daemon_wait_log(&d, NULL, "setting=log_level from=info to=error");
	monitor_expect(fd, "CONFIG log_level info", "OK log_level set to info\n");
	daemon_wait_log(&d, NULL, "setting=log_level from=error to=info");
	close(fd);
}

static void a_role_changes_at_once_and_is_on_disk(void **state)
{
	int fd = root(), other;
	const char *line;

	(void)state;
	assert_begins(monitor_ask(fd, "RELOAD"), "OK "); /* it was moved away and back */
	monitor_expect(fd, "SET_ROLE alice admin", "OK Role of alice set to admin\n");
	other = monitor_login(&d, "alice:secret");
	monitor_expect(other, "VERSION", "OK socks5d " SOCKS5D_VERSION "\n");
	assert_begins(monitor_ask(fd, "RELOAD"), "OK Nothing changed; "); /* the file says so */
	monitor_expect(other, "USERS", "OK No active users\n");
	monitor_expect(fd, "SET_ROLE alice user", "OK Role of alice set to user\n");
	monitor_expect(other, "USERS", "ERR alice may not do that any more\n");
	line = daemon_wait_log(&d, NULL, "command=SET_ROLE about=alice answer=OK");
	assert_non_null(strstr(line, "user=root"));
	close(other);
	close(fd);
}

static void a_client_is_known_and_ended_by_its_address(void **state)
{
	int monitor = root(), session = open_session("alice", "secret");
	const char *clients = monitor_ask(monitor, "CLIENTS");

	(void)state;
	assert_non_null(strstr(clients, "\nclient:127.0.0.1 sessions:1 sent:"));
	assert_non_null(strstr(clients, " last:0 "));
	monitor_expect(monitor, "KILL_USER 127.0.0.9", "ERR 127.0.0.9 has no session\n");
	monitor_expect(monitor, "KILL_USER 127.0.0.0/8", "OK 1 session of 127.0.0.0/8 ended\n");
	net_expect_reset(session);
	close(session);
	wait_for_no_sessions(monitor);
	assert_non_null(strstr(monitor_ask(monitor, "CLIENTS"), "\nclient:127.0.0.1 sessions:0 "));
	assert_non_null(strstr(monitor_ask(monitor, "ACCESS_LOG 127.0.0.1 1"),
		"OK Access log for client 127.0.0.1:\nalice: 127.0.0.1:"));
	monitor_expect(
		monitor, "ACCESS_LOG 127.0.0.9", "OK No access log entries for client 127.0.0.9\n");
	close(monitor);
}

static void log_level_switches_the_log(void **state)
{
	int fd = root();

	(void)state;
	monitor_expect(fd, "LOG_LEVEL error", "OK log_level set to error\n");
	monitor_expect(fd, "CONFIG log_level", "OK\nlog_level:error\n");
	monitor_expect(fd, "LOG_LEVEL info", "OK log_level set to info\n");
	close(fd);
}

static void listeners_change_while_running(void **state)
{
	int monitor = root(), fd;
	size_t from = daemon_log_end(&d);
	char request[64], answer[80];
	uint16_t port;
	uint8_t rep;

	(void)state;
	/* A port that was free a moment ago. */
	close(net_listen("127.0.0.1", &port));
	snprintf(request, sizeof(request), "CONFIG listen 127.0.0.1:%u", port);
	snprintf(answer, sizeof(answer), "OK listen set to 127.0.0.1:%u\n", port);
	monitor_expect(monitor, request, answer);
	d.port = port;
	assert_int_equal(connect_reply("alice", "secret"), 0);
	close(net_listen("127.0.0.1", &port));
	snprintf(request, sizeof(request), "CONFIG monitor_port %u", port);
	snprintf(answer, sizeof(answer), "OK monitor_port set to %u\n", port);
	monitor_expect(monitor, request, answer);
	d.monitor_port = port;
	fd = root(); /* at the new place */
	monitor_expect(fd, "USERS", "OK No active users\n");
	monitor_expect(monitor, "USERS", "OK No active users\n"); /* and the old connection lives */
	/* The new places are the proxy's own, too. */
	close(net_socks_connect_as(d.port, "alice", "secret", "127.0.0.1", port, &rep));
	assert_int_equal(rep, 2);
	daemon_wait_log(&d, &from, "setting=monitor_port");
	close(fd);
	close(monitor);
}

/* Twice each, since a listener that has rung once has to be made to ring again. */
static void both_listeners_serve(uint16_t first, uint16_t second)
{
	for (int i = 0; i < 4; i++) {
		d.port = i % 2 == 0 ? first : second;
		assert_int_equal(connect_reply("alice", "secret"), 0);
	}
}

static void a_listener_that_stays_serves_beside_a_new_one(void **state)
{
	int monitor = root();
	char request[96], answer[96];
	uint16_t first = d.port, second;

	(void)state;
	close(net_listen("127.0.0.1", &second));
	snprintf(request, sizeof(request), "CONFIG listen 127.0.0.1:%u, 127.0.0.1:%u", first,
		second);
	snprintf(answer, sizeof(answer), "OK listen set to 127.0.0.1:%u, 127.0.0.1:%u\n", first,
		second);
	monitor_expect(monitor, request, answer);
	both_listeners_serve(first, second);
	snprintf(request, sizeof(request), "CONFIG listen 127.0.0.1:%u", second);
	snprintf(answer, sizeof(answer), "OK listen set to 127.0.0.1:%u\n", second);
	monitor_expect(monitor, request, answer);
	both_listeners_serve(second, second);
	close(monitor);
}

static void launch_with_file(const char *text)
{
	prepare_folder();
	daemon_write_file(d.config, text);
	daemon_launch(&d, (const char *const[]){"-U", d.users, "-c", d.config, NULL});
}

static void reload_says_what_changed(void **state)
{
	char expected[512];
	int fd;

	(void)state;
	launch_with_file("listen = 127.0.0.1\n");
	fd = root();
	snprintf(expected, sizeof(expected), "OK Nothing changed; read: %s, %s (4 users)\n",
		d.config, d.users);
	monitor_expect(fd, "RELOAD", expected);
	daemon_write_file(d.config, "listen = 127.0.0.1\ntimeout = 5m\nmax_sessions = 9\n");
	daemon_write_file(d.users, "root:" MONITOR_HASH ":admin\nalice:" MONITOR_HASH ":user\n");
	/* max_sessions is a flag here, and flags win. */
	snprintf(expected, sizeof(expected),
		"OK timeout set to 5m, 2 users gone, 0 sessions ended; read: %s, %s (2 users)\n",
		d.config, d.users);
	monitor_expect(fd, "RELOAD", expected);
	daemon_write_file(d.config, "listen = 127.0.0.1\ntimeout = never\n");
	snprintf(expected, sizeof(expected), "ERR %s:2: timeout: \"never\": legal is ", d.config);
	assert_begins(monitor_ask(fd, "RELOAD"), expected);
	monitor_expect(fd, "CONFIG timeout", "OK\ntimeout:5m\n");
	close(fd);
}

static void a_reload_that_leaves_no_admin_says_so(void **state)
{
	size_t from;
	int fd;

	(void)state;
	launch_with_file("listen = 127.0.0.1\n");
	fd = root();
	from = daemon_log_end(&d);
	daemon_write_file(d.users,
		"root:" MONITOR_HASH ":user\nboss:" MONITOR_HASH "\nalice:" MONITOR_HASH
		"\nbob:" MONITOR_HASH "\n");
	assert_begins(monitor_ask(fd, "RELOAD"),
		"OK 2 users changed, no user is an admin any more; read: ");
	daemon_wait_log(&d, &from, "nobody may use the monitor");
	close(fd);
}

static void a_setting_changes_though_another_ones_file_is_gone(void **state)
{
	char text[256], folder[128], moved[128];
	int fd;

	(void)state;
	launch_with_file("listen = 127.0.0.1\n");
	snprintf(folder, sizeof(folder), "%s/logs", d.folder);
	snprintf(moved, sizeof(moved), "%s/moved", d.folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	fd = root();
	snprintf(text, sizeof(text), "listen = 127.0.0.1\naccess_log_file = %s/access\n", folder);
	daemon_write_file(d.config, text);
	assert_begins(monitor_ask(fd, "RELOAD"), "OK access_log_file set to ");
	assert_int_equal(rename(folder, moved), 0);
	monitor_expect(fd, "CONFIG timeout 9m", "OK timeout set to 9m\n");
	monitor_expect(fd, "LOG_LEVEL debug", "OK log_level set to debug\n");
	assert_begins(monitor_ask(fd, "RELOAD"), "ERR access_log_file: ");
	snprintf(text, sizeof(text), "%s/access", moved);
	assert_int_equal(unlink(text), 0);
	assert_int_equal(rmdir(moved), 0);
	close(fd);
}

/* The hash of a login takes several seconds; what others ask for takes far less. Under valgrind
 * (SOCKS5D_BINARY) that is not so; test_hasher shows the same without any time. */
static void a_slow_hash_holds_up_neither_reload_nor_signals(void **state)
{
	const int rounds = 9000000;
	int fd, login;
	char users[512];
	size_t from;

	(void)state;
	if (getenv("SOCKS5D_BINARY") != NULL)
		skip_for_want_of("the usual speed, which valgrind takes away");
	launch_with_file("listen = 127.0.0.1\n");
	fd = root();
	snprintf(users, sizeof(users),
		"root:" MONITOR_HASH ":admin\nslow:$6$rounds=%d$saltsalt$%.86s:admin\n", rounds,
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaa");
	daemon_write_file(d.users, users);
	assert_begins(monitor_ask(fd, "RELOAD"), "OK 1 user added, 3 users gone, ");
	login = monitor_connect(&d);
	monitor_send(login, "slow:wrong\n");
	monitor_expect(fd, "CONFIG timeout 9m", "OK timeout set to 9m\n");
	assert_begins(monitor_ask(fd, "RELOAD"), "OK Nothing changed; ");
	from = daemon_log_end(&d);
	daemon_signal(&d, SIGUSR1);
	daemon_wait_log(&d, &from, "msg=statistics");
	close(root()); /* who is known does not wait for it, either */
	assert_true(net_is_silent(login));
	assert_string_equal(monitor_read_to_end(login), "ERR Invalid credentials\n");
	close(login);
	close(fd);
	start_anew();
}

/* The monitor moves twice before anybody can have seen the first time, and back. */
static void the_monitor_moves_as_often_as_it_is_told(void **state)
{
	uint16_t first = d.monitor_port, ports[2];
	int a = root(), b = root(), fd;
	struct addr gone;
	char request[64];

	(void)state;
	for (int i = 0; i < 2; i++)
		close(net_listen("127.0.0.1", &ports[i]));
	/* A hash first, so that both changes wait together. */
	monitor_send(a, "SET_PASSWORD bob secret\n");
	for (int i = 0; i < 2; i++) {
		snprintf(request, sizeof(request), "CONFIG monitor_port %u\n", ports[i]);
		monitor_send(i == 0 ? b : a, request);
	}
	monitor_expect_text(a, "OK Password of bob changed\n\n");
	snprintf(request, sizeof(request), "OK monitor_port set to %u\n\n", ports[0]);
	monitor_expect_text(b, request);
	snprintf(request, sizeof(request), "OK monitor_port set to %u\n\n", ports[1]);
	monitor_expect_text(a, request);
	d.monitor_port = ports[1];
	close(root());
	gone = net_addr("127.0.0.1", ports[0]);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, &gone.sa, addr_len(&gone)), -1);
	close(fd);
	snprintf(request, sizeof(request), "CONFIG monitor_port %u", first);
	assert_begins(monitor_ask(a, request), "OK monitor_port set to ");
	d.monitor_port = first;
	close(root());
	close(a);
	close(b);
}

/* How the line of timeout ends in SETTINGS. */
#define TIMEOUT_REFERENCE                                                                          \
	"waits:- legal:a\\x20time\\x20from\\x20100ms\\x20to\\x2030d\\x20(500ms,\\x2030s,\\x205m,"  \
	"\\x202h,\\x201d;\\x20without\\x20a\\x20unit:\\x20s) "                                     \
	"help:A\\x20session\\x20ends\\x20when\\x20for\\x20this\\x20time\\x20no\\x20byte\\x20went"  \
	"\\x20either\\x20way.\\x20Live\\x20sessions\\x20follow\\x20a\\x20change.\n"

/* Whoever had set it by hand did not know any more, and the next start forgot it. */
static void what_was_set_by_hand_is_told_and_can_be_kept(void **state)
{
	char expected[1024];
	int fd;

	(void)state;
	launch_with_file("listen = 127.0.0.1\ntimeout = 30m\n");
	fd = root();
	snprintf(expected, sizeof(expected),
		"OK\nname:timeout value:30m from:%s:2 file:30m default:1h takes_effect:at_once " TIMEOUT_REFERENCE,
		d.config);
	monitor_expect(fd, "SETTINGS timeout", expected);
	monitor_expect(fd, "CONFIG timeout 2s", "OK timeout set to 2s\n");
	daemon_wait_log(&d, NULL, "setting=timeout from=30m to=2s");
	monitor_expect(fd, "SETTINGS timeout",
		"OK\nname:timeout value:2s from:command file:30m default:1h takes_effect:at_once " TIMEOUT_REFERENCE);
	snprintf(expected, sizeof(expected),
		"OK Nothing changed; read: %s, %s (4 users); still set by CONFIG: timeout (to keep "
		"that, put these lines into the configuration file)\ntimeout = 2s\n",
		d.config, d.users);
	monitor_expect(fd, "RELOAD", expected);
	daemon_write_file(d.config, "listen = 127.0.0.1\ntimeout = 2s\n");
	snprintf(expected, sizeof(expected), "OK Nothing changed; read: %s, %s (4 users)\n",
		d.config, d.users);
	monitor_expect(fd, "RELOAD", expected);
	close(fd);
}

static void what_config_has_set_stands_until_the_file_says_something_new(void **state)
{
	int fd;

	(void)state;
	launch_with_file("listen = 127.0.0.1\ntimeout = 5m\n");
	fd = root();
	monitor_expect(fd, "CONFIG timeout 7m", "OK timeout set to 7m\n");
	daemon_write_file(d.config, "listen = 127.0.0.1\ntimeout = 5m\nbacklog = 7\n");
	assert_begins(monitor_ask(fd, "RELOAD"), "OK backlog set to 7; read: ");
	monitor_expect(fd, "CONFIG timeout", "OK\ntimeout:7m\n");
	daemon_write_file(d.config, "listen = 127.0.0.1\ntimeout = 6m\nbacklog = 7\n");
	assert_begins(monitor_ask(fd, "RELOAD"), "OK timeout set to 6m; read: ");
	daemon_write_file(d.config, "listen = 127.0.0.1\ntimeout = 5m\nbacklog = 7\n");
	assert_begins(monitor_ask(fd, "RELOAD"), "OK timeout set to 5m; read: ");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_no_admin_is_refused_in_the_same_words),
		cmocka_unit_test(a_login_without_a_colon_has_no_format),
		cmocka_unit_test(a_password_may_have_colons_and_the_line_cr_lf),
		cmocka_unit_test(an_address_that_failed_too_often_is_held_off),
		cmocka_unit_test(of_those_held_off_one_is_checked_in_5_s),
		cmocka_unit_test(the_proxy_counts_administrators_names_and_no_others),
		cmocka_unit_test(bytes_may_come_one_by_one),
		cmocka_unit_test(all_at_once_and_the_end_behind_it_is_answered_too),
		cmocka_unit_test(a_line_that_is_too_long_is_refused_and_the_next_one_is_not),
		cmocka_unit_test(what_is_no_command_is_refused),
		cmocka_unit_test(quit_says_goodbye_and_closes),
		cmocka_unit_test(stats_begin_with_the_six_lines_of_the_contract),
		cmocka_unit_test(bytes_are_counted_while_they_pass),
		cmocka_unit_test(connections_tell_all_of_a_session),
		cmocka_unit_test(sessions_are_seen_in_every_phase),
		cmocka_unit_test(users_are_those_with_a_session),
		cmocka_unit_test(traffic_tells_all_that_was_moved),
		cmocka_unit_test(help_lists_every_command),
		cmocka_unit_test(kill_breaks_a_session_off),
		cmocka_unit_test(kill_reaches_a_session_that_is_stuck),
		cmocka_unit_test(kill_reaches_sessions_in_every_phase),
		cmocka_unit_test(kill_user_ends_all_sessions_of_a_user),
		cmocka_unit_test(an_added_user_may_log_in_at_once_and_is_on_disk),
		cmocka_unit_test(of_two_who_add_the_same_user_one_does),
		cmocka_unit_test(a_new_password_counts_at_once),
		cmocka_unit_test(
			a_new_password_ends_the_other_consoles_of_that_admin_and_nothing_else),
		cmocka_unit_test(a_deleted_user_is_thrown_out),
		cmocka_unit_test(an_admin_who_was_deleted_may_do_nothing_more),
		cmocka_unit_test(what_cannot_be_saved_is_refused),
		cmocka_unit_test(config_shows_and_changes_settings),
		cmocka_unit_test(what_is_not_legal_changes_nothing),
		cmocka_unit_test(live_sessions_follow_the_timeout),
		cmocka_unit_test(a_log_that_becomes_talkative_says_since_when),
		cmocka_unit_test(a_role_changes_at_once_and_is_on_disk),
		cmocka_unit_test(a_client_is_known_and_ended_by_its_address),
		cmocka_unit_test(log_level_switches_the_log),
		cmocka_unit_test(listeners_change_while_running),
		cmocka_unit_test(a_listener_that_stays_serves_beside_a_new_one),
		cmocka_unit_test(the_access_log_tells_answered_requests),
		cmocka_unit_test(a_wrong_password_is_told_by_name_and_a_name_that_is_nobodys_never),
		cmocka_unit_test(the_access_log_outlives_the_process_in_its_file),
		cmocka_unit_test(accounts_tell_all_users),
		cmocka_unit_test(accounts_count_while_bytes_pass),
		cmocka_unit_test(accounts_live_through_a_reload_and_not_through_a_deletion),
		cmocka_unit_test(users_whom_a_reload_takes_out_lose_their_sessions),
		cmocka_unit_test(a_users_file_that_somebody_changed_is_read_before_it_is_written),
		cmocka_unit_test(what_the_command_line_gives_again_is_said),
		cmocka_unit_test(the_users_file_keeps_what_stands_around_a_change),
		cmocka_unit_test(without_a_file_users_last_until_the_end),
		cmocka_unit_test(reload_says_what_changed),
		cmocka_unit_test(a_reload_that_leaves_no_admin_says_so),
		cmocka_unit_test(a_setting_changes_though_another_ones_file_is_gone),
		cmocka_unit_test(a_slow_hash_holds_up_neither_reload_nor_signals),
		cmocka_unit_test(the_monitor_moves_as_often_as_it_is_told),
		cmocka_unit_test(what_was_set_by_hand_is_told_and_can_be_kept),
		cmocka_unit_test(what_config_has_set_stands_until_the_file_says_something_new),
	};

	return cmocka_run_group_tests_name("daemon/monitor", tests, setup, teardown);
}
