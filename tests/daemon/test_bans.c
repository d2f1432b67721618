/* The real server's bans: what counts, who is closed at the door, and what the monitor does. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "monitor.h"
#include "suite.h"

static struct daemon d;
static int monitor;
static struct net_echo *echo;
static uint16_t echo_port;

/* With alice, who is no admin, so that no hold-off is between; and root at the monitor. */
static void start(const char *const flags[])
{
	monitor_start_daemon(&d, flags);
	monitor = monitor_login(&d, "root:secret");
	echo = net_echo_start("127.0.0.1", &echo_port);
}

static void stop(void)
{
	close(monitor);
	net_echo_stop(echo);
	daemon_stop(&d);
}

/* The status of a login (RFC 1929) from there; -1 when the door is closed. */
static int login_from(const char *source, const char *name, const char *password)
{
	int fd = net_connect_from(source, "127.0.0.1", d.port);
	uint8_t first[2];
	int status = -1;

	(void)!write(fd, "\5\1\2", 3);
	if (read(fd, first, sizeof(first)) == sizeof(first)) {
		assert_memory_equal(first, "\5\2", 2);
		close(fd);
		fd = net_connect_from(source, "127.0.0.1", d.port);
		status = net_socks_log_in(fd, name, password);
	}
	close(fd);
	return status;
}

/* So many logins with different wrong passwords. */
static void guess_from(const char *source, unsigned count)
{
	char password[32];

	for (unsigned i = 0; i < count; i++) {
		snprintf(password, sizeof(password), "guess%u", i);
		assert_int_equal(login_from(source, "alice", password), 1);
	}
}

static void assert_closed(const char *source)
{
	int fd = net_connect_from(source, "127.0.0.1", d.port);

	net_expect_gone(fd);
	close(fd);
}

static const char *const strict[] = {
	"--ban-exempt", "none", "--ban", "10 in 1d for 1d to 1d", NULL};

static void ten_wrong_logins_ban_that_address_only(void **state)
{
	size_t from;
	const char *line;

	(void)state;
	start(strict);
	from = daemon_log_end(&d);
	guess_from("127.0.0.2", 9);
	assert_int_equal(login_from("127.0.0.2", "alice", "secret"), 0);
	assert_int_equal(login_from("127.0.0.2", "nobody", "at all"), 1);
	line = daemon_wait_log(&d, &from, "msg=\"ban begun\"");
	assert_non_null(strstr(line, " level=warn "));
	assert_non_null(strstr(line, " client=127.0.0.2 by=failures failures=10 lasts=1d"));
	assert_closed("127.0.0.2");
	assert_int_equal(login_from("127.0.0.3", "alice", "secret"), 0);
	assert_int_equal(login_from("127.0.0.1", "alice", "secret"), 0);
	assert_int_equal(monitor_stat(monitor, "clients refused for bans"), 1);
	assert_true(daemon_stat(&d, "clients_refused_for_bans") == 1);
	assert_non_null(strstr(monitor_ask(monitor, "BANS"),
		"OK\nclient:127.0.0.2 by:failures failures:10 refused:1 begun:"));
	stop();
}

static void each_failed_login_is_a_line_without_its_secrets(void **state)
{
	size_t from;
	const char *line;

	(void)state;
	start(strict);
	from = daemon_log_end(&d);
	assert_int_equal(login_from("127.0.0.2", "alice", "hunter2"), 1);
	line = daemon_wait_log(&d, &from, "msg=\"login failed\"");
	assert_non_null(strstr(line, " level=info "));
	assert_non_null(strstr(line, " client=127.0.0.2:"));
	assert_non_null(strstr(line, " door=socks5 reason=wrong_password user=alice"));
	assert_int_equal(login_from("127.0.0.2", "hunter3", "hunter2"), 1);
	line = daemon_wait_log(&d, &from, "msg=\"login failed\"");
	assert_non_null(strstr(line, " door=socks5 reason=login_refused"));
	assert_false(daemon_log_has(&d, "hunter"));
	stop();
}

static void the_same_wrong_pair_again_does_not_ban(void **state)
{
	(void)state;
	start(strict);
	for (int i = 0; i < 30; i++)
		assert_int_equal(login_from("127.0.0.2", "alice", "old password"), 1);
	guess_from("127.0.0.2", 8);
	assert_int_equal(login_from("127.0.0.2", "alice", "secret"), 0);
	assert_int_equal(login_from("127.0.0.2", "alice", "one more"), 1);
	assert_closed("127.0.0.2");
	stop();
}

static void loopback_is_exempt_as_it_comes(void **state)
{
	(void)state;
	start((const char *const[]){"--ban", "2 in 1d for 1d to 1d", NULL});
	guess_from("127.0.0.2", 5);
	assert_int_equal(login_from("127.0.0.2", "alice", "secret"), 0);
	/* Not from an administrator. */
	assert_non_null(strstr(monitor_ask(monitor, "BAN 127.0.0.2 1h"),
		"OK 127.0.0.2 banned for 1h, 0 sessions ended"));
	assert_closed("127.0.0.2");
	stop();
}

static void who_offers_no_login_or_no_password_is_not_counted(void **state)
{
	(void)state;
	start((const char *const[]){"--ban-exempt", "none", "--ban", "1 in 1d for 1d to 1d", NULL});
	for (int i = 0; i < 3; i++) {
		int fd = net_connect_from("127.0.0.2", "127.0.0.1", d.port);

		net_send_hex(fd, "05 01 00");
		net_expect_hex(fd, "05 ff");
		close(fd);
		assert_int_equal(login_from("127.0.0.2", "alice", ""), 1);
	}
	assert_int_equal(login_from("127.0.0.2", "alice", "secret"), 0);
	stop();
}

static void where_no_login_is_required_only_a_users_password_counts(void **state)
{
	static const struct {
		const char *auth;
		bool bans;
	} rows[] = {{"optional", true}, {"none", false}};
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start((const char *const[]){"--ban-exempt", "none", "--ban", "1 in 1d for 1d to 1d",
			"--auth", rows[i].auth, NULL});
		for (int j = 0; j < 3; j++)
			assert_int_equal(login_from("127.0.0.2", "mallory", "any"), 0);
		assert_int_equal(login_from("127.0.0.2", "alice", "wrong"), 0);
		if (rows[i].bans) {
			daemon_wait_log(&d, NULL, "msg=\"ban begun\"");
			assert_closed("127.0.0.2");
		} else {
			fd = net_connect_from("127.0.0.2", "127.0.0.1", d.port);
			net_socks_greet(fd);
			close(fd);
		}
		stop();
	}
}

/* The line does not wait for the end of a session that goes on. */
static void a_forgiven_login_is_told_while_its_session_runs(void **state)
{
	uint8_t rep;
	size_t from;
	int fd;

	(void)state;
	start((const char *const[]){"--auth", "optional", NULL});
	from = daemon_log_end(&d);
	fd = net_socks_connect_as(d.port, "alice", "wrong", "127.0.0.1", echo_port, &rep);
	assert_int_equal(rep, 0);
	daemon_wait_log(&d, &from, "reason=wrong_password user=alice");
	assert_false(daemon_log_has(&d, "msg=\"session ended\""));
	close(fd);
	stop();
}

static void a_ban_by_command_ends_sessions_and_unban_lets_in_again(void **state)
{
	uint8_t rep;
	size_t from;
	int session;

	(void)state;
	start((const char *const[]){NULL});
	from = daemon_log_end(&d);
	session = net_socks_connect_as(d.port, "alice", "secret", "127.0.0.1", echo_port, &rep);
	assert_int_equal(rep, 0);
	monitor_expect(monitor, "BAN 127.0.0.0/8 90",
		"OK 127.0.0.0/8 banned for 90s, 1 session ended (until the next start)\n");
	net_expect_gone(session);
	close(session);
	daemon_wait_log(&d, &from, "reason=banned");
	assert_closed("127.0.0.1");
	/* The monitor stays open: a ban is for the proxy. */
	close(monitor_login(&d, "root:secret"));
	monitor_expect(monitor, "UNBAN 127.0.0.1",
		"ERR 127.0.0.1 is not banned by itself, but 127.0.0.0/8 is\n");
	monitor_expect(monitor, "UNBAN 127.0.0.0/8", "OK 127.0.0.0/8 is not banned any more\n");
	daemon_wait_log(&d, &from, "msg=\"ban ended\" client=127.0.0.0/8 why=command refused=1");
	assert_int_equal(login_from("127.0.0.1", "alice", "secret"), 0);
	monitor_expect(monitor, "UNBAN *", "ERR Nobody is banned\n");
	stop();
}

static void a_ban_ends_by_itself_and_is_said_to(void **state)
{
	size_t from;

	(void)state;
	start((const char *const[]){"--ban-exempt", "none", "--ban", "2 in 1d for 1s to 1s", NULL});
	from = daemon_log_end(&d);
	guess_from("127.0.0.2", 2);
	daemon_wait_log(&d, &from, "client=127.0.0.2 by=failures failures=2 lasts=1s");
	daemon_wait_log(&d, &from, "msg=\"ban ended\" client=127.0.0.2 why=time");
	assert_int_equal(login_from("127.0.0.2", "alice", "secret"), 0);
	monitor_expect(monitor, "BANS", "OK\n");
	stop();
}

static void who_is_banned_takes_nothing_of_the_bound_on_sessions(void **state)
{
	uint8_t rep;
	int sessions[6];

	(void)state;
	start((const char *const[]){"--ban-exempt", "none", "--ban", "2 in 1d for 1d to 1d",
		"--max-sessions-per-client", "6", NULL});
	for (int i = 0; i < 6; i++) {
		sessions[i] = net_socks_connect_as(
			d.port, "alice", "secret", "127.0.0.1", echo_port, &rep);
		assert_int_equal(rep, 0);
	}
	assert_closed("127.0.0.1"); /* for that bound */
	assert_int_equal(monitor_stat(monitor, "clients refused for sessions"), 1);
	guess_from("127.0.0.2", 2);
	for (int i = 0; i < 20; i++)
		assert_closed("127.0.0.2");
	assert_int_equal(monitor_stat(monitor, "clients refused for sessions"), 1);
	assert_int_equal(monitor_stat(monitor, "clients refused for bans"), 20);
	for (int i = 0; i < 6; i++)
		close(sessions[i]);
	stop();
}

/* Unless a command ends them. */
static void a_ban_by_failures_leaves_sessions_alone(void **state)
{
	uint8_t rep;
	int session;

	(void)state;
	start(strict);
	session = net_socks_connect_as(d.port, "alice", "secret", "127.0.0.1", echo_port, &rep);
	guess_from("127.0.0.1", 10);
	assert_closed("127.0.0.1");
	net_send(session, "abc", 3);
	net_expect(session, "abc", 3);
	close(session);
	stop();
}

static void who_is_made_exempt_gets_in_at_once(void **state)
{
	(void)state;
	start(strict);
	guess_from("127.0.0.2", 10);
	assert_closed("127.0.0.2");
	monitor_expect(monitor, "CONFIG ban_exempt 127.0.0.2", "OK ban_exempt set to 127.0.0.2\n");
	assert_int_equal(login_from("127.0.0.2", "alice", "secret"), 0);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_wrong_logins_ban_that_address_only),
		cmocka_unit_test(each_failed_login_is_a_line_without_its_secrets),
		cmocka_unit_test(the_same_wrong_pair_again_does_not_ban),
		cmocka_unit_test(loopback_is_exempt_as_it_comes),
		cmocka_unit_test(who_offers_no_login_or_no_password_is_not_counted),
		cmocka_unit_test(where_no_login_is_required_only_a_users_password_counts),
		cmocka_unit_test(a_forgiven_login_is_told_while_its_session_runs),
		cmocka_unit_test(a_ban_by_command_ends_sessions_and_unban_lets_in_again),
		cmocka_unit_test(a_ban_ends_by_itself_and_is_said_to),
		cmocka_unit_test(who_is_banned_takes_nothing_of_the_bound_on_sessions),
		cmocka_unit_test(a_ban_by_failures_leaves_sessions_alone),
		cmocka_unit_test(who_is_made_exempt_gets_in_at_once),
	};

	return cmocka_run_group_tests_name("daemon/bans", tests, NULL, NULL);
}
