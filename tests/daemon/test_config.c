/* The real server's configuration: what it says to bad input, and reloading while it serves. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "suite.h"

static struct daemon d;

static int setup(void **state)
{
	(void)state;
	daemon_prepare(&d);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	daemon_clean_up(&d);
	return 0;
}

/* Runs with -n and this file; the exit status. */
static int check_file(const char *text, char *output, size_t size)
{
	daemon_write_file(d.config, text);
	return daemon_run((const char *const[]){"-n", "-c", d.config, NULL}, output, size);
}

static void a_good_file_is_good(void **state)
{
	char output[1024];

	(void)state;
	assert_int_equal(check_file("port = 1080\nmax_sessions = 5\n", output, sizeof(output)), 0);
	assert_string_equal(output, "the configuration is good\n");
}

/* What it lets pass is not refused by the reload behind it. */
static void a_check_finds_what_could_not_be_opened(void **state)
{
	char text[512], output[1024];

	(void)state;
	assert_int_equal(check_file("log_file = /nonexistent/log\n", output, sizeof(output)), 2);
	assert_string_equal(output,
		"socks5d: log_file: \"/nonexistent/log\": cannot be opened: No such file or "
		"directory\n");
	snprintf(text, sizeof(text), "log_file = %s/log # the log\naccess_log_file = %s/access\n",
		d.folder, d.folder);
	assert_int_equal(check_file(text, output, sizeof(output)), 0);
	assert_string_equal(output, "the configuration is good\n");
	snprintf(text, sizeof(text), "%s/log", d.folder);
	assert_int_equal(access(text, F_OK), -1);
	snprintf(text, sizeof(text), "users_file = %s\n", d.users);
	assert_int_equal(check_file(text, output, sizeof(output)), 0);
	assert_non_null(strstr(output, "nobody gets in"));
	assert_non_null(strstr(output, "the configuration is good\n"));
	assert_int_equal(access(d.users, F_OK), -1);
}

struct bad_case {
	const char *text;
	const char *complaint; /* behind "FILE:" */
};

static void bad_input_says_where_what_and_what_is_legal(void **state)
{
	static const struct bad_case cases[] = {
		{"port = 70000\n", "1: port: \"70000\": legal is a number from 0 to 65535\n"},
		{"# one\n\ntimeout = soon\n", "3: timeout: \"soon\": legal is a time from 100ms"},
		{"colour = red\n", "1: colour: there is no such setting"},
		{"port = 1\nport = 2\n", "2: port: \"2\": it was set already further up\n"},
		{"port 1080\n", "1: this is no line of the form: name = value\n"},
		{"auth = sometimes\n",
			"1: auth: \"sometimes\": legal is auto, required, optional, none\n"},
	};
	char output[1024], expected[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(check_file(cases[i].text, output, sizeof(output)), 2);
		snprintf(
			expected, sizeof(expected), "socks5d: %s:%s", d.config, cases[i].complaint);
		if (strncmp(output, expected, strlen(expected)) != 0)
			fail_msg("expected: %s got: %s", expected, output);
		/* One line. */
		assert_ptr_equal(strchr(output, '\n'), output + strlen(output) - 1);
	}
}

static void an_unreadable_file_is_bad_input(void **state)
{
	char output[1024];

	(void)state;
	assert_int_equal(daemon_run((const char *const[]){"-c", "/nonexistent/conf", NULL}, output,
				 sizeof(output)),
		2);
	assert_non_null(strstr(output, "/nonexistent/conf: cannot be read: No such file"));
}

/* At start as with -n. */
static void a_loop_that_is_seen_is_bad_input(void **state)
{
	const char *const flags[] = {"-l", "127.0.0.1:18731", "-P", "0", "-c", d.config, NULL};
	char output[1024];

	(void)state;
	daemon_write_file(d.config, "upstream = a http://127.0.0.1:18731\nrule = via a\n");
	assert_int_equal(daemon_run(flags, output, sizeof(output)), 2);
	assert_non_null(strstr(output, "that is this very proxy"));
}

static void an_eleventh_user_is_sent_to_the_users_file(void **state)
{
	const char *flags[23] = {NULL};
	char output[1024];

	(void)state;
	for (int i = 0; i < 22; i += 2) {
		static char names[11][8];

		snprintf(names[i / 2], sizeof(names[0]), "u%d:p", i / 2);
		flags[i] = "-u";
		flags[i + 1] = names[i / 2];
	}
	assert_int_equal(daemon_run(flags, output, sizeof(output)), 2);
	assert_non_null(strstr(output, "-U FILE"));
}

static void help_and_version_exit_with_0(void **state)
{
	char output[32768];

	(void)state;
	assert_int_equal(daemon_run((const char *const[]){"-h", NULL}, output, sizeof(output)), 0);
	assert_non_null(strstr(output, "--handshake-timeout"));
	assert_int_equal(daemon_run((const char *const[]){"-v", NULL}, output, sizeof(output)), 0);
	assert_memory_equal(output, "socks5d ", 8);
}

static void a_port_that_is_taken_is_told_and_exits_with_1(void **state)
{
	uint16_t port;
	int fd = net_listen("127.0.0.1", &port);
	char text[32], output[4096], expected[64];

	(void)state;
	snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	assert_int_equal(
		daemon_run((const char *const[]){"-l", text, NULL}, output, sizeof(output)), 1);
	snprintf(expected, sizeof(expected), "cannot listen on 127.0.0.1:%u: Address", port);
	assert_non_null(strstr(output, expected));
	close(fd);
}

/* ---- reload ---- */

static void launch_with_file(const char *text)
{
	daemon_write_file(d.config, text);
	daemon_launch(
		&d, (const char *const[]){"-c", d.config, "--dns-servers", "127.0.0.1:1", NULL});
}

/* Which makes its folder one that logs may be in from then on. */
static void launch_with_log_in_folder(void)
{
	char text[256];

	snprintf(text, sizeof(text), "listen = 127.0.0.1\naccess_log_file = %s/access\n", d.folder);
	launch_with_file(text);
}

static void a_reload_changes_what_new_sessions_see(void **state)
{
	int fd;

	(void)state;
	daemon_prepare(&d);
	launch_with_file("listen = 127.0.0.1\nauth = required\n");
	fd = net_connect("127.0.0.1", d.port);
	net_send_hex(fd, "05 01 00");
	net_expect_hex(fd, "05 ff");
	close(fd);
	daemon_reload_with(&d, "listen = 127.0.0.1\nauth = optional\n", "msg=reloaded");
	assert_true(daemon_log_has(&d, "setting=auth from=required to=optional"));
	fd = net_connect("127.0.0.1", d.port);
	net_socks_greet(fd);
	close(fd);
	daemon_stop(&d);
}

static void a_bad_reload_changes_nothing(void **state)
{
	uint16_t port = 0;
	int fd, taken = net_listen("127.0.0.1", &port);
	char text[128];

	(void)state;
	daemon_prepare(&d);
	launch_with_file("listen = 127.0.0.1\nauth = required\n");
	daemon_reload_with(
		&d, "auth = optional\ntimeout = never\n", "reload refused, nothing changed");
	snprintf(text, sizeof(text), "listen = 127.0.0.1:%u\nauth = optional\n", port);
	daemon_reload_with(&d, text, "reload refused, nothing changed: cannot listen on");
	daemon_reload_with(
		&d, "listen = 127.0.0.1\nlog_file = /nonexistent/log\n", "reload refused");
	daemon_reload_with(&d,
		"listen = 127.0.0.1\nauth = optional\nusers_file = /nonexistent/users\n",
		"msg=reloaded");
	assert_true(daemon_log_has(&d, "setting changes only at the next start"));
	daemon_reload_with(&d, "listen = 127.0.0.1\nauth = required\n", "msg=reloaded");
	fd = net_connect("127.0.0.1", d.port);
	net_send_hex(fd, "05 01 00");
	net_expect_hex(fd, "05 ff");
	close(fd);
	close(taken);
	daemon_stop(&d);
}

static void a_reload_leaves_live_sessions_alone(void **state)
{
	uint16_t port;
	struct net_echo *echo = net_echo_start("127.0.0.1", &port);
	uint8_t rep;
	int fd;

	(void)state;
	daemon_prepare(&d);
	launch_with_file("listen = 127.0.0.1\n");
	fd = net_socks_connect(d.port, "127.0.0.1", port, &rep);
	assert_int_equal(rep, 0);
	daemon_reload_with(
		&d, "listen = 127.0.0.1\nauth = required\nclients = 192.0.2.1\n", "msg=reloaded");
	net_send(fd, "still", 5);
	net_expect(fd, "still", 5);
	close(fd);
	daemon_stop(&d);
	net_echo_stop(echo);
}

static void live_sessions_follow_the_idle_time(void **state)
{
	uint16_t port;
	struct net_echo *echo = net_echo_start("127.0.0.1", &port);
	uint8_t rep;
	int fd;

	(void)state;
	daemon_prepare(&d);
	launch_with_file("listen = 127.0.0.1\n");
	fd = net_socks_connect(d.port, "127.0.0.1", port, &rep);
	net_send(fd, "still", 5);
	net_expect(fd, "still", 5);
	daemon_reload_with(&d, "listen = 127.0.0.1\ntimeout = 100ms\n", "msg=reloaded");
	net_expect_end(fd);
	daemon_wait_log(&d, NULL, "reason=idle");
	close(fd);
	daemon_stop(&d);
	net_echo_stop(echo);
}

/* The port of the listener that the log names last, behind `from`. */
static uint16_t listening_port(size_t from, const char *host)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "msg=listening address=%s:", host);
	return (uint16_t)atoi(strrchr(daemon_wait_log(&d, &from, expected), ':') + 1);
}

static void a_reload_keeps_adds_and_drops_listeners(void **state)
{
	struct addr gone;
	size_t from;
	uint16_t added = net_unused_port();
	char text[128];
	int fd, waiting;

	(void)state;
	daemon_prepare(&d);
	launch_with_file("listen = 127.0.0.1\n");
	from = daemon_log_end(&d);
	waiting = net_connect("127.0.0.1", d.port);
	snprintf(text, sizeof(text), "listen = 127.0.0.1, 127.0.0.2:%u\n", added);
	daemon_reload_with(&d, text, "msg=reloaded");
	assert_int_equal(listening_port(from, "127.0.0.2"), added);
	assert_int_equal(listening_port(from, "127.0.0.1"), d.port);
	net_socks_greet(waiting);
	close(waiting);
	fd = net_connect("127.0.0.2", added);
	net_socks_greet(fd);
	close(fd);
	/* From one address to all of them on the same port. */
	snprintf(text, sizeof(text), "listen = 0.0.0.0:%u\n", added);
	daemon_reload_with(&d, text, "msg=reloaded");
	fd = net_connect("127.0.0.3", added);
	net_socks_greet(fd);
	close(fd);
	/* The first listener is gone: wait for the server to have closed it. */
	gone = net_addr("127.0.0.1", d.port);
	do {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		added = (uint16_t)(connect(fd, &gone.sa, addr_len(&gone)) < 0);
		close(fd);
	} while (!added);
	daemon_stop(&d);
}

static void a_listener_that_is_new_since_is_no_target_of_who_came_before(void **state)
{
	size_t from;
	uint16_t added;
	int fd;

	(void)state;
	daemon_prepare(&d);
	launch_with_file("listen = 127.0.0.1\n");
	from = daemon_log_end(&d);
	fd = net_connect("127.0.0.1", d.port);
	net_socks_greet(fd);
	daemon_reload_with(&d, "listen = 127.0.0.1, 127.0.0.2\n", "msg=reloaded");
	added = listening_port(from, "127.0.0.2");
	net_socks_send_connect(fd, "127.0.0.2", added);
	net_expect_hex(fd, "05 02");
	close(fd);
	daemon_stop(&d);
}

static void the_log_file_is_opened_again_after_rotation(void **state)
{
	char log[128], rotated[128], config[256];
	struct stat st;
	int fd;

	(void)state;
	daemon_prepare(&d);
	snprintf(log, sizeof(log), "%s/log", d.folder);
	snprintf(rotated, sizeof(rotated), "%s/log.1", d.folder);
	launch_with_log_in_folder();
	snprintf(config, sizeof(config), "listen = 127.0.0.1\nlog_file = %s\n", log);
	daemon_write_file(d.config, config);
	daemon_signal(&d, SIGHUP);
	/* Serving goes on while the main thread is at it; the file shows that it was. */
	while (stat(log, &st) < 0 || st.st_size == 0) {
		fd = net_connect("127.0.0.1", d.port);
		net_socks_greet(fd);
		close(fd);
	}
	assert_int_equal(rename(log, rotated), 0);
	daemon_signal(&d, SIGHUP);
	while (stat(log, &st) < 0 || st.st_size == 0) {
		fd = net_connect("127.0.0.1", d.port);
		net_socks_greet(fd);
		close(fd);
	}
	daemon_stop(&d);
}

/* It is not empty: what wrote it has gone over to it. */
static void wait_for_file(const char *folder, const char *name)
{
	char path[256];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	while (stat(path, &st) < 0 || st.st_size == 0) {
		int fd = net_connect("127.0.0.1", d.port);

		net_socks_greet(fd);
		close(fd);
	}
}

static void remove_file(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_int_equal(unlink(path), 0);
}

/* The log is a file by then, which cannot be opened again: nobody looks into the old one. */
static void a_reload_that_the_log_refuses_is_said_on_standard_error(void **state)
{
	char folder[128], moved[128], config[256];

	(void)state;
	daemon_prepare(&d);
	snprintf(folder, sizeof(folder), "%s/logs", d.folder);
	snprintf(moved, sizeof(moved), "%s/moved", d.folder);
	assert_int_equal(mkdir(folder, 0700), 0);
	launch_with_log_in_folder();
	snprintf(config, sizeof(config), "listen = 127.0.0.1\nlog_file = %s/log\n", folder);
	daemon_write_file(d.config, config);
	daemon_signal(&d, SIGHUP);
	wait_for_file(folder, "log");
	assert_int_equal(rename(folder, moved), 0);
	daemon_reload(&d, "reload refused, nothing changed: log_file: ");
	remove_file(moved, "log");
	assert_int_equal(rmdir(moved), 0);
	daemon_stop(&d);
}

static void json_is_one_object_a_line(void **state)
{
	const char *line;

	(void)state;
	daemon_prepare(&d);
	launch_with_file("listen = 127.0.0.1\n");
	daemon_reload_with(&d, "listen = 127.0.0.1\nlog_format = json\n",
		"msg=reloaded what=\"log_format set to json; read: ");
	line = daemon_reload(&d, "\"msg\":\"reloaded\",\"what\":\"Nothing changed; read: ");
	assert_memory_equal(line, "{\"time\":\"", 9);
	daemon_stop(&d);
}

/* All of its lines begin with `beginning`, and `part` is in one of them. */
static void assert_lines(const char *path, const char *beginning, const char *part)
{
	char line[4096];
	bool found = false;
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		assert_memory_equal(line, beginning, strlen(beginning));
		found |= strstr(line, part) != NULL;
	}
	fclose(f);
	assert_true(found);
}

static void what_a_reload_says_is_in_the_old_format_in_the_old_log(void **state)
{
	char path[128], config[256];

	(void)state;
	daemon_prepare(&d);
	snprintf(path, sizeof(path), "%s/log", d.folder);
	launch_with_log_in_folder();
	snprintf(config, sizeof(config), "listen = 127.0.0.1\nlog_format = json\nlog_file = %s\n",
		path);
	daemon_reload_with(
		&d, config, "msg=reloaded what=\"access_log_file set to empty, log_file set to ");
	daemon_wait_log(&d, NULL, "msg=\"setting changed\" setting=log_file ");
	daemon_wait_log(&d, NULL, "msg=\"setting changed\" setting=log_format ");
	wait_for_file(d.folder, "log");
	assert_lines(path, "{", "\"msg\":\"listening\"");
	daemon_stop(&d);
}

/* Does a file of /proc of the server have this line? */
static bool proc_has(const char *name, const char *expected)
{
	char path[64], line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)d.pid, name);
	f = fopen(path, "re");
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strcmp(line, expected) == 0;
	fclose(f);
	return found;
}

static void it_serves_without_a_way_to_new_privileges(void **state)
{
	(void)state;
	daemon_prepare(&d);
	launch_with_file("listen = 127.0.0.1\n");
	assert_true(proc_has("status", "NoNewPrivs:\t1\n"));
	daemon_stop(&d);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_good_file_is_good),
		TEST(a_check_finds_what_could_not_be_opened),
		TEST(bad_input_says_where_what_and_what_is_legal),
		TEST(an_unreadable_file_is_bad_input),
		TEST(a_loop_that_is_seen_is_bad_input),
		TEST(an_eleventh_user_is_sent_to_the_users_file),
		TEST(help_and_version_exit_with_0),
		TEST(a_port_that_is_taken_is_told_and_exits_with_1),
		cmocka_unit_test(a_reload_changes_what_new_sessions_see),
		cmocka_unit_test(a_bad_reload_changes_nothing),
		cmocka_unit_test(a_reload_leaves_live_sessions_alone),
		cmocka_unit_test(live_sessions_follow_the_idle_time),
		cmocka_unit_test(a_reload_keeps_adds_and_drops_listeners),
		cmocka_unit_test(a_listener_that_is_new_since_is_no_target_of_who_came_before),
		cmocka_unit_test(the_log_file_is_opened_again_after_rotation),
		cmocka_unit_test(a_reload_that_the_log_refuses_is_said_on_standard_error),
		cmocka_unit_test(json_is_one_object_a_line),
		cmocka_unit_test(what_a_reload_says_is_in_the_old_format_in_the_old_log),
		cmocka_unit_test(it_serves_without_a_way_to_new_privileges),
	};

	return cmocka_run_group_tests_name("daemon/config", tests, NULL, NULL);
}
