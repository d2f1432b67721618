/* The real server's state_dir: what outlives it, however it ends, who may have it, and what the
 * monitor tells of it. */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "monitor.h"
#include "suite.h"

static struct daemon d;
static int admin;

#define BYTES 5000

/* ---- the server ---- */

static void start(const char *const flags[])
{
	const char *all[DAEMON_MAX_FLAGS] = {
		"-U", d.users, "--state-dir", d.folder, "--auth", "optional", "--sites-days", "30"};

	for (size_t i = 0; flags != NULL && flags[i] != NULL; i++)
		all[8 + i] = flags[i];
	daemon_launch(&d, all);
	admin = monitor_login(&d, "root:secret");
}

static int setup(void **state)
{
	(void)state;
	daemon_prepare(&d);
	monitor_write_users(&d);
	start(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(admin);
	daemon_stop(&d);
	return 0;
}

static void end_by(int number)
{
	close(admin);
	daemon_signal(&d, number);
	if (number == SIGKILL)
		(void)daemon_wait_death(&d);
	else
		assert_int_equal(daemon_wait_exit(&d), 0);
}

/* ---- sessions ---- */

/* To an echo server at `host`; both ways so many bytes. NULL: no login. Still open. */
static int move_bytes(const char *user, const char *host, uint16_t port)
{
	uint8_t rep;
	int fd = user != NULL ? net_socks_connect_as(d.port, user, "secret", host, port, &rep)
			      : net_socks_connect(d.port, host, port, &rep);

	assert_int_equal(rep, 0);
	net_send_pattern(fd, BYTES, 1);
	net_expect_pattern(fd, BYTES, 1);
	return fd;
}

static void serve(const char *user, const char *host, uint16_t port)
{
	int fd = move_bytes(user, host, port);

	shutdown(fd, SHUT_WR);
	net_expect_end(fd);
	close(fd);
}

/* ---- answers ---- */

/* Of the line of the answer that begins with `start`: the number behind ` key:`; -1: no such line.
 */
static long long number_in(const char *request, const char *start, const char *key)
{
	const char *answer = monitor_ask(admin, request), *line, *end, *at;
	char like[64];

	snprintf(like, sizeof(like), "\n%s ", start);
	line = strstr(answer, like);
	if (line == NULL)
		return -1;
	end = strchr(line + 1, '\n');
	snprintf(like, sizeof(like), " %s:", key);
	at = strstr(line, like);
	assert_non_null(at);
	assert_true(at < end);
	return atoll(at + strlen(like));
}

static void assert_number(
	const char *request, const char *start, const char *key, long long expected)
{
	assert_int_equal(number_in(request, start, key), expected);
}

static size_t lines_of(const char *request)
{
	size_t count = 0;

	for (const char *at = monitor_ask(admin, request); (at = strchr(at, '\n')) != NULL; at++)
		count++;
	return count - 1; /* the status */
}

/* ---- tests ---- */

static void accounts_and_sites_are_told_as_they_are_used(void **state)
{
	uint16_t port;
	struct net_echo *echo = net_echo_start("127.0.0.1", &port);
	int open;

	(void)state;
	serve(NULL, "LocalHost", port);
	serve("alice", "127.0.0.1", port);
	open = move_bytes("alice", "localhost.", port);
	assert_number("USAGE", "client:127.0.0.1", "sessions", 3);
	assert_number("USAGE", "client:127.0.0.1", "sent", 3 * BYTES);
	assert_number("USAGE", "client:127.0.0.1", "known_sent", 2 * BYTES);
	assert_number("USAGE alice today", "user:alice", "received", 2 * BYTES);
	assert_int_equal(lines_of("USAGE alice yesterday"), 0);
	assert_number("SITES", "site:localhost", "sessions", 2);
	assert_number("SITES", "site:localhost", "sent", 2 * BYTES);
	assert_number("SITES alice", "site:(addresses)", "sent", BYTES);
	assert_number("SITES 127.0.0.0/8", "site:(addresses)", "sent", BYTES);
	close(open);
	net_echo_stop(echo);
}

/* In the middle of a session: what USAGE has told of is on the disk. */
static void what_was_told_survives_a_kill(void **state)
{
	uint16_t port;
	struct net_echo *echo = net_echo_start("127.0.0.1", &port);
	int open;

	(void)state;
	serve(NULL, "127.0.0.1", port);
	open = move_bytes("alice", "127.0.0.1", port);
	assert_number("USAGE", "user:alice", "sent", BYTES);
	end_by(SIGKILL);
	close(open);
	start(NULL);
	assert_number("USAGE", "client:127.0.0.1", "sent", 2 * BYTES);
	assert_number("USAGE", "user:alice", "sent", BYTES);
	serve("alice", "127.0.0.1", port);
	assert_number("USAGE", "user:alice", "sent", 2 * BYTES);
	assert_number("USAGE", "user:alice", "sessions", 2);
	net_echo_stop(echo);
}

/* Nobody asks: it is written by itself, within 10 s of being moved. */
static void what_nobody_asks_for_is_written_by_itself(void **state)
{
	uint16_t port;
	struct net_echo *echo = net_echo_start("127.0.0.1", &port);
	char wal[TMP_MAX_PATH + 32];
	struct stat before, now;
	int open = move_bytes("alice", "127.0.0.1", port);

	(void)state;
	snprintf(wal, sizeof(wal), "%s/socks5d.db-wal", d.folder);
	assert_int_equal(stat(wal, &before), 0);
	do {
		usleep(100000);
		assert_int_equal(stat(wal, &now), 0);
	} while (now.st_size == before.st_size);
	end_by(SIGKILL);
	close(open);
	start(NULL);
	assert_number("USAGE", "user:alice", "sent", BYTES);
	net_echo_stop(echo);
}

static void what_was_not_told_is_written_at_the_end(void **state)
{
	uint16_t port;
	struct net_echo *echo = net_echo_start("127.0.0.1", &port);

	(void)state;
	serve("alice", "127.0.0.1", port);
	end_by(SIGTERM);
	start(NULL);
	assert_number("USAGE", "user:alice", "sent", BYTES);
	net_echo_stop(echo);
}

static void a_later_user_of_the_same_name_begins_anew(void **state)
{
	uint16_t port;
	struct net_echo *echo = net_echo_start("127.0.0.1", &port);

	(void)state;
	serve("alice", "127.0.0.1", port);
	monitor_expect(admin, "DEL_USER alice", "OK User alice deleted, 0 sessions ended\n");
	end_by(SIGKILL);
	start(NULL);
	monitor_expect(admin, "ADD_USER alice secret", "OK User alice added\n");
	assert_int_equal(lines_of("USAGE alice"), 1);
	assert_non_null(strstr(monitor_ask(admin, "USAGE alice"), " deleted:20"));
	serve("alice", "127.0.0.1", port);
	serve("alice", "127.0.0.1", port);
	assert_int_equal(lines_of("USAGE alice"), 2);
	assert_number("USAGE alice", "user:alice", "sessions", 2);
	assert_number("SITES alice", "site:(addresses)", "sessions", 3);
	net_echo_stop(echo);
}

/* As when somebody edits the file. */
static void who_is_gone_by_a_reload_has_his_history_ended_too(void **state)
{
	uint16_t port;
	struct net_echo *echo = net_echo_start("127.0.0.1", &port);

	(void)state;
	serve("alice", "127.0.0.1", port);
	daemon_write_file(d.users, "root:" MONITOR_HASH ":admin\n");
	assert_non_null(strstr(monitor_ask(admin, "RELOAD"), "3 users gone"));
	monitor_write_users(&d);
	assert_non_null(strstr(monitor_ask(admin, "RELOAD"), "3 users added"));
	serve("alice", "127.0.0.1", port);
	assert_int_equal(lines_of("USAGE alice"), 2);
	net_echo_stop(echo);
}

static void who_is_forgotten_stays_so(void **state)
{
	uint16_t port;
	struct net_echo *echo = net_echo_start("127.0.0.1", &port);

	(void)state;
	serve("alice", "127.0.0.1", port);
	monitor_expect(admin, "FORGET alice", "OK History of alice forgotten\n");
	end_by(SIGKILL);
	start(NULL);
	assert_int_equal(lines_of("USAGE alice"), 0);
	assert_int_equal(lines_of("SITES alice"), 0);
	assert_number("USAGE", "client:127.0.0.1", "sessions", 1);
	monitor_expect(admin, "FORGET alice", "ERR There is no history of alice\n");
	net_echo_stop(echo);
}

static void a_refused_target_counts_for_both_accounts(void **state)
{
	uint8_t rep;
	int fd = net_socks_connect_as(d.port, "alice", "secret", "127.0.0.1", d.monitor_port, &rep);

	(void)state;
	assert_int_equal(rep, 2);
	net_expect_end(fd);
	close(fd);
	assert_number("USAGE", "user:alice", "refused", 1);
	assert_number("USAGE", "client:127.0.0.1", "refused", 1);
	assert_number("SITES alice", "site:(addresses)", "refused", 1);
}

static void a_folder_has_one_server(void **state)
{
	char output[4096], expected[128];

	(void)state;
	/* That may be over in a moment, and so is no bad input. */
	assert_int_equal(daemon_run((const char *const[]){"-l", "127.0.0.1:0", "-P", "0",
					    "--state-dir", d.folder, NULL},
				 output, sizeof(output)),
		1);
	snprintf(expected, sizeof(expected), "another server has it, process %d", (int)d.pid);
	assert_non_null(strstr(output, expected));
	assert_int_equal(daemon_run((const char *const[]){"-n", "--state-dir", d.folder, NULL},
				 output, sizeof(output)),
		0);
	assert_int_equal(lines_of("USAGE"), 0);
}

static void a_damaged_database_is_put_aside(void **state)
{
	char path[TMP_MAX_PATH + 32], text[8192];

	(void)state;
	end_by(SIGTERM);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	snprintf(path, sizeof(path), "%s/socks5d.db", d.folder);
	daemon_write_file(path, text);
	start(NULL);
	daemon_wait_log(&d, NULL, "the database was damaged, and is begun anew; the old one is ");
	assert_int_equal(lines_of("USAGE"), 0);
}

static void what_cannot_be_opened_is_said_before_anything_runs(void **state)
{
	char output[4096];
	static const char *const flags[][4] = {{"-n", "--state-dir", "/nowhere/at/all", NULL},
		{"--state-dir", "/nowhere/at/all", NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(daemon_run(flags[i], output, sizeof(output)), 2);
		assert_non_null(strstr(
			output, "state_dir: \"/nowhere/at/all\": No such file or directory"));
	}
}

static uint8_t reply_for(uint16_t port)
{
	uint8_t rep;

	close(net_socks_connect(d.port, "localhost", port, &rep));
	return rep;
}

/* The copy is made behind the start, before the end. */
static void a_list_that_is_gone_serves_as_it_was_read_last(void **state)
{
	uint16_t port;
	struct net_echo *echo = net_echo_start("127.0.0.1", &port);
	char path[TMP_MAX_PATH + 16], rule[TMP_MAX_PATH + 64];
	const char *const flags[] = {"--rule", rule, NULL};

	(void)state;
	end_by(SIGTERM);
	snprintf(path, sizeof(path), "%s/list", d.folder);
	snprintf(rule, sizeof(rule), "deny to file:%s", path);
	daemon_write_file(path, "localhost\n");
	start(flags);
	assert_int_equal(reply_for(port), 2);
	end_by(SIGTERM);
	assert_int_equal(unlink(path), 0);
	start(flags);
	daemon_wait_log(&d, NULL, "so it serves as it was when it was read last");
	assert_int_equal(reply_for(port), 2);
	assert_int_equal(reply_for(1), 2);
	end_by(SIGTERM);
	daemon_write_file(path, "www.example.org\n");
	start(flags);
	assert_int_equal(reply_for(port), 0);
	net_echo_stop(echo);
}

/* Decided by a command of another kind, and there again behind a kill. */
static void a_ban_outlives_a_kill(void **state)
{
	(void)state;
	assert_non_null(strstr(monitor_ask(admin, "BAN 192.0.2.7"), "OK "));
	assert_null(strstr(monitor_ask(admin, "BAN 192.0.2.8"), "until the next start"));
	assert_non_null(strstr(monitor_ask(admin, "UNBAN 192.0.2.8"), "OK "));
	end_by(SIGKILL);
	start(NULL);
	assert_int_equal(lines_of("BANS"), 1);
	assert_non_null(strstr(monitor_ask(admin, "BANS"), "client:192.0.2.7 "));
}

static void another_folder_waits_for_the_next_start(void **state)
{
	(void)state;
	monitor_expect(
		admin, "CONFIG state_dir /tmp", "ERR state_dir changes only at the next start\n");
	monitor_expect(admin, "CONFIG sites_days 0", "OK sites_days set to 0\n");
	monitor_expect(admin, "SITES", "ERR Sites are not kept: sites_days is 0\n");
}

#define history_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		history_test(accounts_and_sites_are_told_as_they_are_used),
		history_test(what_was_told_survives_a_kill),
		history_test(what_nobody_asks_for_is_written_by_itself),
		history_test(what_was_not_told_is_written_at_the_end),
		history_test(a_later_user_of_the_same_name_begins_anew),
		history_test(who_is_gone_by_a_reload_has_his_history_ended_too),
		history_test(who_is_forgotten_stays_so),
		history_test(a_refused_target_counts_for_both_accounts),
		history_test(a_folder_has_one_server),
		history_test(a_damaged_database_is_put_aside),
		history_test(what_cannot_be_opened_is_said_before_anything_runs),
		history_test(a_list_that_is_gone_serves_as_it_was_read_last),
		history_test(a_ban_outlives_a_kill),
		history_test(another_folder_waits_for_the_next_start),
	};

	return cmocka_run_group_tests_name("daemon/history", tests, NULL, NULL);
}
